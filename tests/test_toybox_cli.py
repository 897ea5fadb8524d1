"""`dreamix toybox`: what it writes, and what it says when it cannot."""

import ast
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from click.testing import CliRunner

from dreamix.core.errors import UserError
from dreamix.core.media import read_video
from dreamix.toybox.cli import EXPORT, TRAINERS, toybox
from dreamix.toybox.training.curve import curve, read_log
from dreamix.toybox.world import VOCABULARY, Scene, render
from dreamix.toybox.world.benchmark import quick_yaml, suite_yaml


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


@pytest.mark.slow
def test_the_suite_and_its_contact_sheet(tmp_path: Path) -> None:
    run("suite", "--out", tmp_path / "suite.yaml")
    assert (tmp_path / "suite.yaml").read_text() == suite_yaml()
    said = run("sheet", tmp_path, "--out", tmp_path / "sheet.png")
    assert said.endswith(": 29 videos\n")
    sheet = read_video(tmp_path / "sheet.png").frames[0]
    assert sheet.shape[1] == 1500 and sheet.std() > 40


def test_the_quick_suite(tmp_path: Path) -> None:
    run("suite", "--quick", "--out", tmp_path / "quick.yaml")
    assert (tmp_path / "quick.yaml").read_text() == quick_yaml()
    assert run("sheet", tmp_path / "quick.yaml", "--out", tmp_path / "s.png").endswith("6 videos\n")


def test_every_word_of_the_grammar_is_listed() -> None:
    said = run("words").replace(",", " ").replace(":", " ").split()
    assert set(VOCABULARY) <= set(said)


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training that writes its minutes and two rows of log."""

    def train(folder: Path, minutes: float, say: Callable[[str], None]) -> None:
        say(f"training for {minutes} minutes")
        folder.mkdir(parents=True)
        log = "update,minutes,loss,colour@0.7,shape@0.7\n10,30,0.5,0.1,0.2\n20,60,0.25,0.2,\n"
        (folder / "log.csv").write_text(log)

    module = ModuleType("fake_trainer")
    module.train = train  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fake_trainer", module)
    monkeypatch.setitem(TRAINERS, "base", "fake_trainer:train")


@pytest.mark.usefixtures("trainer")
def test_train_calls_what_it_names_and_draws_its_log(tmp_path: Path) -> None:
    said = run("train", "base", "--folder", tmp_path / "base", "--minutes", 3, "--plot")
    assert said.startswith("training for 3.0 minutes\n")
    picture = read_video(tmp_path / "base" / "curve.png").frames[0]
    assert picture.shape[2] == 3 and picture.std() > 10


def test_only_the_base_is_compiled(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--compile is for base"):
        run("train", "judge", "--compile", "--folder", tmp_path)


@pytest.mark.usefixtures("trainer")
def test_a_log_may_have_holes_and_columns_that_came_late(tmp_path: Path) -> None:
    run("train", "base", "--folder", tmp_path / "base")
    columns = read_log(tmp_path / "base" / "log.csv")
    assert columns["loss"] == [0.5, 0.25]
    assert columns["shape@0.7"][0] == 0.2 and np.isnan(columns["shape@0.7"][1])
    (tmp_path / "log.csv").write_text("update,minutes,loss\n1,1,1,7\n")  # a value without a name
    assert curve(tmp_path / "log.csv").ndim == 3


@pytest.mark.parametrize(
    ("text", "said"), [(None, "there is no log"), ("update,minutes,loss\n", "has no rows yet")]
)
def test_a_plot_without_a_log_is_one_line(tmp_path: Path, text: str | None, said: str) -> None:
    if text:
        (tmp_path / "log.csv").write_text(text)
    with pytest.raises(UserError, match=said):
        curve(tmp_path / "log.csv")


def test_a_training_without_its_package_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TRAINERS, "base", "no_such_package.training:train")
    with pytest.raises(UserError, match="needs the package no_such_package"):
        run("train", "base", "--folder", tmp_path)


@pytest.mark.parametrize("place", [*TRAINERS.values(), EXPORT])
def test_what_trains_and_exports_is_there(place: str, root: Path) -> None:
    """Looked for in the file, since importing it takes seconds."""
    module, _, name = place.partition(":")
    names = {
        node.name
        for node in ast.parse((root / f"{module.replace('.', '/')}.py").read_text()).body
        if isinstance(node, ast.FunctionDef)
    }
    assert name in names
