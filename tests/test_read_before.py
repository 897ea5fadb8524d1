"""A suite that a run was made of is not read over again, unless a file of it was touched."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from small_suites import bring, put_clip, small_suite

from dreamix.core.errors import UserError
from dreamix.data.suite import Suite, load_suite
from evaluation.run import read_before
from evaluation.run.folder import RunFolder
from evaluation.run.read_before import READ, note_suite, suite_for


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    small_suite(tmp_path, ("duck_00", "duck_01"))
    put_clip(tmp_path / "o/ours/duck_00.mp4", 1)
    return made_of(tmp_path, tmp_path / "run")


def made_of(project: Path, out: Path) -> RunFolder:
    suite = load_suite(project)
    run = bring(suite, out, f"external:{project}/o/*")
    note_suite(project, None, suite, run)
    return run


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The suites that were read and checked as a whole."""
    found: list[Path] = []

    def load(path: Path, media_root: Path | None = None) -> Suite:
        found.append(path)
        return load_suite(path, media_root)

    monkeypatch.setattr(read_before, "load_suite", load)
    return found


def test_nothing_is_read_again(run: RunFolder, tmp_path: Path, loads: list[Path]) -> None:
    assert suite_for(tmp_path, None, run.path) == load_suite(tmp_path)
    assert suite_for(tmp_path / "suite.yaml", None, run.path) == load_suite(tmp_path)
    assert loads == []


def touched_list(project: Path, _: RunFolder) -> None:
    os.utime(project / "suite.yaml")


def touched_clip(project: Path, _: RunFolder) -> None:
    os.utime(next(project.rglob("duck.mp4")))


def no_note(_: Path, run: RunFolder) -> None:
    (run.path / READ).unlink()


def damaged_note(_: Path, run: RunFolder) -> None:
    (run.path / READ).write_text('{"file": 3')


def other_toolkit(_: Path, run: RunFolder) -> None:
    text = (run.path / READ).read_text()
    (run.path / READ).write_text(text.replace('"toolkit": "', '"toolkit": "0'))


def no_snapshot(_: Path, run: RunFolder) -> None:
    (run.path / "suite.json").unlink()


def damaged_source(_: Path, run: RunFolder) -> None:
    (run.path / "sources" / "duck.json").write_text("{")


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [touched_list, touched_clip, no_note, damaged_note, other_toolkit, no_snapshot, damaged_source],
    ids=lambda change: change.__name__,
)
def test_all_is_read_where_anything_is_not_as_it_was(
    run: RunFolder,
    tmp_path: Path,
    loads: list[Path],
    change: Callable[[Path, RunFolder], None],
) -> None:
    change(tmp_path, run)
    assert suite_for(tmp_path, None, run.path) == load_suite(tmp_path)
    assert loads == [tmp_path]


def test_a_clip_that_is_damaged_since_is_found(run: RunFolder, tmp_path: Path) -> None:
    next(tmp_path.rglob("duck.mp4")).write_bytes(b"no clip")
    with pytest.raises(UserError, match=r"duck\.mp4"):
        suite_for(tmp_path, None, run.path)


def test_another_media_root_is_looked_at(run: RunFolder, tmp_path: Path, loads: list[Path]) -> None:
    other = tmp_path / "other"
    clip = next(path for path in tmp_path.rglob("duck.mp4") if "run" not in path.parts)
    (other / clip.relative_to(tmp_path)).parent.mkdir(parents=True)
    shutil.copy(clip, other / clip.relative_to(tmp_path))
    assert suite_for(tmp_path, other, run.path).media_root == other
    assert len(loads) == 1


def test_a_new_name_of_the_suite_is_told(run: RunFolder, tmp_path: Path, loads: list[Path]) -> None:
    """The run's snapshot keeps the old one, so it cannot stand for the file any more."""
    file = tmp_path / "suite.yaml"
    before = load_suite(tmp_path).name
    file.write_text(file.read_text().replace(f"name: {before}", "name: renamed"))
    note_suite(tmp_path, None, load_suite(tmp_path), run)
    assert suite_for(tmp_path, None, run.path).name == "renamed"
    assert len(loads) == 1


def test_a_run_that_is_new_reads_all(tmp_path: Path, loads: list[Path]) -> None:
    small_suite(tmp_path, ("duck_00",))
    suite_for(tmp_path, None, tmp_path / "new")
    assert loads == [tmp_path]
