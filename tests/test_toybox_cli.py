"""`dreamix toybox`: what it writes, and what it says when it cannot."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from dreamix.core.errors import UserError
from dreamix.core.media import read_video
from dreamix.data.toybox import Scene, render
from dreamix.data.toybox.benchmark import suite_yaml
from dreamix.data.toybox.cli import toybox


def run(*arguments: object) -> str:
    result = CliRunner().invoke(toybox, [str(each) for each in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_render_writes_the_scene_of_a_caption(tmp_path: Path) -> None:
    out = tmp_path / "clip.mp4"
    said = run("render", "a red ball bouncing in a meadow", "--seed", 3, "--lossless", "--out", out)
    assert said == f"{out}: a red ball bouncing in a meadow (seed 3)\n"
    clip = read_video(out)
    assert (clip.frames == render(Scene("red", "ball", "bouncing", "meadow", seed=3)).frames).all()
    assert clip.fps == 8


def test_options_replace_words_of_the_caption(tmp_path: Path) -> None:
    out = tmp_path / "clip.mp4"
    words = ["--motion", "sliding left", "--effect", "rain"]
    said = run(
        "render",
        "a red ball bouncing in a meadow",
        *words,
        "--frames",
        2,
        "--scale",
        2,
        "--out",
        out,
    )
    assert "a red ball sliding left in a meadow, in the rain" in said
    assert read_video(out).frames.shape == (2, 192, 320, 3)


def test_a_scene_without_a_motion_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="needs the field 'shape'"):
        run("render", "--colour", "red", "--out", tmp_path / "clip.mp4")


def test_the_suite_and_its_contact_sheet(tmp_path: Path) -> None:
    run("suite", "--out", tmp_path / "suite.yaml")
    assert (tmp_path / "suite.yaml").read_text() == suite_yaml()
    said = run("sheet", tmp_path, "--out", tmp_path / "sheet.png")
    assert said.endswith(": 29 videos\n")
    sheet = read_video(tmp_path / "sheet.png").frames[0]
    assert sheet.shape[1] == 1500 and sheet.std() > 40
