"""`dreamix toybox`: scenes of the embedded benchmark as files."""

from pathlib import Path
from typing import Any

import click

from dreamix.core.errors import UserError
from dreamix.core.media import write_image, write_video
from dreamix.core.records import write_whole
from dreamix.data.suite import load_suite
from dreamix.remote.place_type import Place
from dreamix.toybox.world.benchmark import quick_yaml, suite_yaml
from dreamix.toybox.world.grammar import caption, parse_caption
from dreamix.toybox.world.motion import HEIGHT, WIDTH
from dreamix.toybox.world.renderer import render
from dreamix.toybox.world.scene import VALUES, Scene
from dreamix.toybox.world.tracks import track_yaml

_FILE = Place("write", dir_okay=False)


@click.group()
def toybox() -> None:
    """Render scenes of the embedded benchmark."""


def _word_options(command: Any) -> Any:
    """Return the command with an option for every word of a scene."""
    for name, words in reversed(VALUES.items()):
        command = click.option(f"--{name}", metavar="WORD", help=", ".join(words))(command)
    return command


@toybox.command("render")
@click.argument("caption_text", metavar="[CAPTION]", required=False)
@_word_options
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="What no caption tells: place, size, tilt, light.",
)
@click.option(
    "--frames",
    type=click.IntRange(1, 16),
    default=16,
    show_default=True,
    help="The first so many of 16.",
)
@click.option(
    "--scale",
    type=click.IntRange(1, 8),
    default=1,
    show_default=True,
    help="Render K times as large as 96x160.",
    metavar="K",
)
@click.option("--lossless", is_flag=True, help="Keep every bit; few browsers play it.")
@click.option("--out", type=_FILE, required=True, help="MP4 to write.")
def render_command(
    caption_text: str | None,
    seed: int,
    frames: int,
    scale: int,
    lossless: bool,
    out: Path,
    **words: str | None,
) -> None:
    """Render the scene that CAPTION describes, such as "a red ball bouncing in a meadow".

    Options replace words of the caption, or give the whole scene without one.
    """
    told = parse_caption(caption_text) if caption_text else {}
    scene = Scene.from_dict({**told, **{k: v for k, v in words.items() if v}, "seed": seed})
    clip = render(scene, frames, HEIGHT * scale, WIDTH * scale)
    write_video(out, clip, lossless=lossless)
    click.echo(f"{out}: {caption(scene)} (seed {seed})")


@toybox.command()
@click.argument("suite_path", metavar="SUITE", type=Place())
@click.option("--out", type=_FILE, required=True, help="PNG to write.")
def sheet(suite_path: Path, out: Path) -> None:
    """Draw a contact sheet of the Toybox videos of a SUITE."""
    from dreamix.toybox.world.sheet import contact_sheet

    videos = load_suite(suite_path, files=False).videos.values()
    scenes = [Scene.from_dict(video.recipe) for video in videos if video.recipe is not None]
    if not scenes:
        raise UserError(f"the suite {suite_path} has no Toybox videos")
    write_image(out, contact_sheet(scenes))
    click.echo(f"{out}: {len(scenes)} videos")


@toybox.command("suite")
@click.option("--quick", is_flag=True, help="The quick suite: 6 of the videos, 12 of the edits.")
@click.option(
    "--track",
    type=click.Choice(["animate", "subject"]),
    help="Another suite: stills to set in motion, or subjects of four stills.",
)
@click.option("--out", type=_FILE, required=True, help="suite.yaml to write.")
def suite_command(quick: bool, track: str | None, out: Path) -> None:
    """Write the suite of 29 videos and 127 edits."""
    if quick and track:
        raise UserError("--quick is a part of the main suite: leave --track out")
    text = track_yaml(track) if track else quick_yaml() if quick else suite_yaml()
    with write_whole(out) as file:
        file.write(text.encode())
    click.echo(f"{out}: written")
