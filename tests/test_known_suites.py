"""Suites that come with the toolkit are named as they are, wherever a command takes a suite."""

import shutil
from pathlib import Path

import pytest
from console import Program, program

from dreamix.core.errors import UserError
from dreamix.data.known_suites import known_suites, suite_file
from dreamix.data.suite import load_suite


@pytest.fixture
def dreamix(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Program:
    return program(monkeypatch, capsys)


def test_every_suite_of_the_repository_has_a_name(root: Path) -> None:
    named = {suite_file(Path(name)).resolve() for name in known_suites()}
    assert named == {path.resolve() for path in (root / "datasets").rglob("*.yaml")}


@pytest.mark.parametrize(
    ("name", "videos", "edits"),
    [
        ("toybox", 29, 127),
        ("toybox-quick", 6, 12),
        ("animate", 24, 24),
        ("subject", 8, 16),
        ("davis", 29, 127),
    ],
)
def test_a_name_stands_for_a_suite(name: str, videos: int, edits: int) -> None:
    """The numbers are those of datasets/README.md and docs/animate.md."""
    suite = load_suite(Path(name), files=False)
    assert (len(suite.videos), len(suite.edits)) == (videos, edits)


def test_a_file_of_that_name_comes_first_and_a_folder_without_a_suite_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path
) -> None:
    """`davis` is what many call their folder of DAVIS."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "davis").mkdir()
    assert suite_file(Path("davis/")) == suite_file(Path("davis")) != Path("davis/suite.yaml")
    shutil.copy(root / "datasets" / "toybox" / "quick.yaml", tmp_path / "davis" / "suite.yaml")
    assert suite_file(Path("davis")) == Path("davis/suite.yaml")


@pytest.mark.parametrize("path", ["toybx", "nowhere/suite.yaml", "./nothing", "Toybox"])
def test_what_is_neither_is_one_line_that_names_the_known(path: str) -> None:
    with pytest.raises(UserError, match="no suite at") as told:
        suite_file(Path(path))
    assert "(toybox, toybox-quick, animate, subject, davis)" in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.slow
def test_the_commands_take_names(dreamix: Program, tmp_path: Path) -> None:
    asked = ["--edits", "blue*_02", "--methods", "unedited", "--metrics", "flicker"]
    compare = ["bench", "compare", "toybox-quick", *asked, "--workers", 1]
    assert dreamix(*compare, "--out", tmp_path / "run")[0] == 0
    assert (tmp_path / "run" / "report" / "index.html").is_file()
    assert dreamix("toybox", "sheet", "subject", "--out", tmp_path / "sheet.png")[0] == 0
    code, _, err = dreamix("toybox", "sheet", "toybx", "--out", tmp_path / "sheet.png")
    assert code == 2 and "did you mean toybox" in err
    assert "toybox-quick" in dreamix("bench", "list")[1]


def test_davis_says_that_it_needs_its_clips(dreamix: Program, tmp_path: Path) -> None:
    code, _, err = dreamix("bench", "run", "davis", "--methods", "unedited", "--out", tmp_path)
    assert code == 2 and err.count("\n") == 1
    assert "no such file or folder" in err and "see --media-root" in err


def test_pages_are_listed_and_printed(dreamix: Program, root: Path) -> None:
    code, text, _ = dreamix("docs")
    listed = [line.split()[0] for line in text.split("\n\n")[0].splitlines()]
    assert code == 0 and {"suites", "metrics", "study", "contributing"} <= set(listed)
    assert {path.stem for path in (root / "docs").glob("*.md")} <= set(listed)
    assert dreamix("docs", "suites")[1] == (root / "datasets" / "README.md").read_text("utf-8")
    code, _, err = dreamix("docs", "metrcs")
    assert code == 2 and "did you mean metrics" in err


def test_help_says_where_to_begin(dreamix: Program) -> None:
    text = dreamix("--help")[1]
    assert "dreamix bench compare toybox-quick" in text and "`dreamix docs`" in text
