"""`dreamix edit`: any clip in, an edited clip out."""

from pathlib import Path
from typing import Any

import click

from dreamix.core.errors import UserError
from dreamix.data.suite_entries import CATEGORIES
from dreamix.editing_options import live_line, note, say_or_stop, shared_options


@click.command()
@click.argument(
    "clip", metavar="[INPUT]", required=False, type=click.Path(exists=True, path_type=Path)
)
@shared_options(prompt=False)
@click.option("--instruction", help="What to change, for methods that read an order.")
@click.option("--toybox", metavar="CAPTION", help="Edit this rendered scene instead of INPUT.")
@click.option(
    "--scene-seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Of --toybox: what its caption does not tell.",
)
@click.option("--caption", help="What INPUT shows; some methods start from it.")
@click.option(
    "--category",
    type=click.Choice(CATEGORIES),
    help="Kind of edit, which picks presets.  [default: what differs between Toybox captions]",
)
@click.option("--method", default="dreamix", show_default=True, help="How to edit.")
@click.option("--noise", type=click.FloatRange(0, 1), help="Noise level: 0 source, 1 prompt only.")
def edit(**chosen: Any) -> None:
    """Edit the clip INPUT, or a rendered scene, as a prompt or an instruction says.

    Beside OUT a JSON file says how it was made.
    """
    say_or_stop(lambda: edit_clip(**chosen))


def edit_clip(
    *,
    clip: Path | None,
    toybox: str | None,
    scene_seed: int,
    caption: str | None,
    prompt: str | None,
    instruction: str | None,
    category: str | None,
    method: str,
    backend: str,
    settings: tuple[str, ...],
    seed: int,
    finetuned: Path | None,
    strip_file: Path | None,
    out: Path,
    **given: float | int | None,
) -> str:
    """Make the edit and write it; return a line that says what was made."""
    from dreamix import single_edit as one
    from dreamix.backends.base import open_backend
    from dreamix.methods.base import METHODS

    one.check_endings(out, strip_file)
    if (clip is None) == (toybox is None):
        raise UserError("give one source: a clip INPUT, or --toybox CAPTION")
    one.check_apart([clip] if clip else [], out, strip_file)
    if prompt is None and instruction is None:
        raise UserError(
            "say what to make: --prompt what is to be seen, --instruction what to change"
        )
    found = METHODS.get(method)
    model = open_backend(backend, finetuned) if found.backend else None
    config = one.configured(found, given, settings, model)
    source = one.clip_source(clip, caption) if clip else one.scene_source(str(toybox), scene_seed)
    asked = one.edit_of(source, prompt, category, note, instruction)
    request = one.request_for(source, asked, seed, method)
    if model and (line := one.limits(model, source)):
        note(line)
    with live_line() as request.progress:
        done = one.make(request, found, model, config)
    one.write(out, strip_file, request, done)
    one.write_record(out, request, model, config, done)
    return f"{out}: {one.spell(done, method)}"
