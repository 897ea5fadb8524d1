"""`dreamix edit`: any clip in, an edited clip out."""

from pathlib import Path
from typing import Any

import click

from dreamix.core.errors import UserError
from dreamix.data.suite_entries import CATEGORIES
from dreamix.data.worlds import WORLDS
from dreamix.editing_options import live_line, note, say_or_stop, shared_options
from dreamix.remote.place_type import Place

SCENE = "scene_"  # what the options of worlds are called in Python, with their number


@click.command()
@click.argument("clip", metavar="[INPUT]", required=False, type=Place(exists=True))
@shared_options(prompt=False)
@click.option("--instruction", help="What to change, for methods that read an order.")
@click.option(
    "--scene-seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Of a rendered scene: what its caption does not tell.",
)
@click.option("--caption", help="What INPUT shows; some methods start from it.")
@click.option(
    "--category",
    type=click.Choice(CATEGORIES),
    help="Kind of edit, which picks presets.  [default: what differs between captions of scenes]",
)
@click.option("--method", default="dreamix", show_default=True, help="How to edit.")
@click.option("--noise", type=click.FloatRange(0, 1), help="Noise level: 0 source, 1 prompt only.")
def edit(**chosen: Any) -> None:
    """Edit the clip INPUT, or a rendered scene, as a prompt or an instruction says.

    Beside OUT a JSON file says how it was made.
    """
    say_or_stop(lambda: edit_clip(scenes=_scenes(chosen), **chosen))


def _offer_scenes(command: click.Command) -> None:
    """Give a command an option for every world, --WORLD CAPTION, before the scene's seed."""
    taken = {option for param in command.params for option in param.opts}
    (place,) = (k for k, param in enumerate(command.params) if param.name == "scene_seed")
    command.params[place:place] = [
        click.Option(
            [f"--{world}", SCENE + str(number)],
            metavar="CAPTION",
            help="Edit this rendered scene instead of INPUT.",
        )
        for number, world in enumerate(WORLDS.names())
        if f"--{world}" not in taken
    ]


def _scenes(chosen: dict[str, Any]) -> list[tuple[str, str]]:
    """Take the scenes out of the options given; return (world, caption) of each."""
    scenes = [(world, chosen.pop(SCENE + str(k), None)) for k, world in enumerate(WORLDS.names())]
    return [(world, caption) for world, caption in scenes if caption is not None]


_offer_scenes(edit)


def edit_clip(
    *,
    clip: Path | None,
    scenes: list[tuple[str, str]],
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
    if len(scenes) + (clip is not None) != 1:
        ways = ["a clip INPUT", *(f"--{world} CAPTION" for world in WORLDS.names())]
        raise UserError(f"give one source: {', or '.join(ways)}")
    one.check_apart([clip] if clip else [], out, strip_file)
    found = METHODS.get(method)
    if clip:
        source = one.clip_source(clip, caption)
    else:
        ((world, scene),) = scenes
        source = one.scene_source(scene, scene_seed, world)
    instruction = instruction or one.instruction_for(source, prompt)
    one.check_words(found, prompt=prompt, instruction=instruction)
    model = open_backend(backend, finetuned) if found.backend else None
    config = one.configured(found, given, settings, model)
    asked = one.edit_of(source, prompt, category, note, instruction)
    request = one.request_for(source, asked, seed, method)
    if model and (line := one.limits(model, source)):
        note(line)
    with live_line() as request.progress:
        done = one.make(request, found, model, config)
    one.write(out, strip_file, request, done)
    one.write_record(out, request, model, config, done)
    return f"{out}: {one.spell(done, method)}"
