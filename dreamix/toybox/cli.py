"""`dreamix toybox`: scenes of the embedded world, and the models that learn it.

What trains a model is imported when it is called: rendering a scene needs no torch.
"""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from dreamix.core.errors import UserError
from dreamix.remote.place_type import Place
from dreamix.toybox.scenes_cli import toybox as scenes
from dreamix.toybox.world.grammar import phrases

# What can be trained -> module:function, (folder, minutes, say) -> anything
TRAINERS = {
    "text": "dreamix.toybox.training.run:train_text",
    "base": "dreamix.toybox.training.run:train_base",
    "sr": "dreamix.toybox.training.run:train_sr",
    "judge": "evaluation.toybox.judging.training:train",
    "clip": "dreamix.toybox.training.clip:train",
}
EXPORT = "dreamix.toybox.training.export:export"
FOLDER = Place("here", file_okay=False)

toybox = click.Group(
    "toybox", dict(scenes.commands), help="Render the embedded world and train on it."
)


@toybox.command()
@click.argument("what", type=click.Choice([*TRAINERS]))
@click.option(
    "--folder", type=FOLDER, help="Checkpoint and log.  [default: checkpoints/WHAT]", metavar="DIR"
)
@click.option(
    "--minutes",
    type=click.FloatRange(0),
    default=float("inf"),
    help="Stop after so long; the same command goes on.  [default: when it is done]",
)
@click.option("--plot", is_flag=True, help="At the end, draw the log as DIR/curve.png.")
@click.option(
    "--compile", "compiled", is_flag=True, help="base: minutes to compile, then faster updates."
)
def train(what: str, folder: Path | None, minutes: float, plot: bool, compiled: bool) -> None:
    """Train a model of Toybox: text, base, sr (the embedded cascade), judge or clip."""
    if compiled and what != "base":
        raise UserError(f"--compile is for base; leave it out to train {what}")
    folder = folder or Path("checkpoints") / what
    options = {"compiled": True} if compiled else {}
    imported(TRAINERS[what])(folder, minutes, click.echo, **options)
    if plot:
        from dreamix.core.media import write_image
        from dreamix.toybox.training.curve import curve

        write_image(folder / "curve.png", curve(folder / "log.csv"))
        click.echo(f"{folder / 'curve.png'}: written")


@toybox.command()
@click.option(
    "--checkpoints",
    type=FOLDER,
    default="checkpoints",
    show_default=True,
    help="Where `train` left its folders.",
)
@click.option("--out", type=FOLDER, required=True, metavar="DIR", help="Cascade to write.")
@click.option(
    "--average",
    type=float,
    metavar="WIDTH",
    help="Average the base's weights over this share of its last training, 0.01 to 0.25, made of"
    " its snapshots.  [default: 0.05, as followed]",
)
def export(checkpoints: Path, out: Path, average: float | None) -> None:
    """Write what was trained as a cascade that `--backend toybox:DIR` opens."""
    click.echo(f"{out}: {', '.join(imported(EXPORT)(checkpoints, out, average))}")


@toybox.command()
def words() -> None:
    """List the words of captions and prompts, by field."""
    for field, known in phrases().items():
        click.echo(f"{field}: {', '.join(known)}")
    click.echo("\na COLOUR SHAPE MOTION PLACE[, EFFECT][, STYLE][, CAMERA], such as")
    click.echo("an orange ring bouncing on a beach, in the snow, neon style, camera zooming in")


def imported(place: str) -> Callable[..., Any]:
    """Return the function at "module:name".

    Raises:
        UserError: if a package is not installed.
    """
    module, _, name = place.partition(":")
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("dreamix", "evaluation"):
            raise
        raise UserError(f"this needs the package {error.name}: pip install {error.name}") from None
    return found
