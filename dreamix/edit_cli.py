"""`dreamix edit`: any clip in, an edited clip out."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from dreamix.core.errors import UserError
from dreamix.data.suite_entries import CATEGORIES

FILE = click.Path(dir_okay=False, path_type=Path)
EVERY = 10.0  # seconds between two lines of progress where there is no terminal


@click.command()
@click.argument(
    "clip", metavar="[INPUT]", required=False, type=click.Path(exists=True, path_type=Path)
)
@click.option("--prompt", required=True, help="What the edited clip should show, all of it.")
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
@click.option(
    "--backend",
    default="toybox",
    show_default=True,
    metavar="NAME[:PATH]|FOLDER[@WxH[xF]]",
    help="Model to edit with: toybox, wan2.1-1.3b, cogvideox-2b, modelscope, zeroscope, "
    "animatediff, ..., or a FOLDER with a diffusers pipeline; @WxHxF sets size and frames.",
)
@click.option("--noise", type=click.FloatRange(0, 1), help="Noise level: 0 source, 1 prompt only.")
@click.option("--steps", type=click.IntRange(1), help="Denoising steps.")
@click.option("--finetune-steps", type=click.IntRange(0), help="Updates on the clip; 0 for none.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any other setting.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the noise.")
@click.option(
    "--finetuned",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Keep what is finetuned here, for further prompts on the same clip.",
)
@click.option("--strip", "strip_file", type=FILE, help="PNG to write: source over edit.")
@click.option("--out", type=FILE, required=True, help="MP4 to write.")
def edit(**chosen: Any) -> None:
    """Edit the clip INPUT, or a rendered scene, as a prompt says.

    Beside OUT a JSON file says how it was made.
    """
    try:
        click.echo(edit_clip(**chosen))
    except KeyboardInterrupt:
        click.echo("dreamix: stopped; nothing was written", err=True)
        sys.exit(130)


def edit_clip(
    *,
    clip: Path | None,
    toybox: str | None,
    scene_seed: int,
    caption: str | None,
    prompt: str,
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
    found = METHODS.get(method)
    model = open_backend(backend, finetuned) if found.backend else None
    config = one.configured(found, given, settings, model)
    source = one.clip_source(clip, caption) if clip else one.scene_source(str(toybox), scene_seed)
    request = one.request_for(source, one.edit_of(source, prompt, category, note), seed, method)
    if model and (line := one.limits(model, source)):
        note(line)
    with live_line() as request.progress:
        done = one.make(request, found, model, config)
    one.write(out, strip_file, request, done)
    one.write_record(out, request, model, config, done)
    return f"{out}: {one.spell(done, method)}"


def note(line: str) -> None:
    """Show a line that is no result."""
    click.echo(line, err=True)


@contextmanager
def live_line() -> Iterator[Callable[[str], None]]:
    """Yield a function that shows where the work is: one line on a terminal, a few in a log."""
    terminal, said = sys.stderr.isatty(), time.monotonic()

    def show(text: str) -> None:
        nonlocal said
        if terminal:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
        elif time.monotonic() - said >= EVERY:
            said = time.monotonic()
            sys.stderr.write(f"{text}\n")

    try:
        yield show
    finally:
        if terminal:
            sys.stderr.write("\r\x1b[K")
