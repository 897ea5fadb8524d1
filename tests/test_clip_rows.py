"""What was read of a run's clips is kept, and never believed against the sidecars."""

import json
import os
from pathlib import Path

import pytest
from small_suites import bring, put_clip, small_suite

from dreamix.core.errors import UserError
from dreamix.core.records import read_json, write_json
from evaluation.run import clip_rows
from evaluation.run.folder import RunFolder
from evaluation.run.report_stamp import forget_stamp, is_current, leave_stamp
from evaluation.run.runner import tally
from evaluation.schema import Cell


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    suite = small_suite(tmp_path, ("duck_00", "duck_01"))
    put_clip(tmp_path / "o/ours/duck_00.mp4", 1)
    return bring(suite, tmp_path / "run", f"external:{tmp_path}/o/*")


def test_a_later_call_opens_no_sidecar(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(path: Path, cell: Cell) -> None:
        raise AssertionError(f"{path} was opened")

    monkeypatch.setattr(clip_rows, "read_clip_row", opened)
    assert tally(RunFolder(run.path))[0] == {"ok": 1, "failed": 1}


def test_a_sidecar_that_was_written_since_counts(run: RunFolder) -> None:
    cell = Cell("ours", "duck_00", 0)
    path, before = run.sidecar(cell), run.sidecar(cell).stat()
    write_json(path, {**read_json(path), "seconds": 9.0})
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert RunFolder(run.path).clip_row(cell).seconds == 9.0  # type: ignore[union-attr]
    path.unlink()
    assert RunFolder(run.path).clip_row(cell) is None


@pytest.mark.parametrize(
    "text",
    ["", "{", "[1]", "null", '[{"sign": [1, 2], "row": {}}]', "[" * 5000, "\udcff"],
)
def test_a_damaged_file_costs_time_alone(run: RunFolder, text: str) -> None:
    (run.path / ".clips.json").write_bytes(text.encode(errors="surrogateescape"))
    assert tally(RunFolder(run.path))[0] == {"ok": 1, "failed": 1}


def test_a_row_that_names_a_file_elsewhere_is_refused(run: RunFolder) -> None:
    """A stranger's file may say anything: it is held to what sidecars are held to."""
    path = run.path / ".clips.json"
    kept = json.loads(path.read_text())
    for one in kept:
        one["row"]["file"] = "../../../../secret.mp4" if one["row"]["file"] else None
    path.write_text(json.dumps(kept))
    with pytest.raises(UserError, match=r"should be 0\.mp4"):
        tally(RunFolder(run.path))


class TestStampOfAReport:
    """`bench compare` leaves a page that is of what the run holds as it is."""

    @pytest.fixture
    def made(self, run: RunFolder) -> Path:
        (run.path / "report").mkdir()
        (run.path / "report" / "index.html").write_text("page")
        leave_stamp(run.path)
        return run.path

    def test_nothing_has_changed(self, made: Path) -> None:
        assert is_current(made)

    @pytest.mark.parametrize("name", ["run.json", "suite.json", "scores.jsonl", ".clips.json"])
    def test_a_file_of_the_run_has(self, made: Path, name: str) -> None:
        with (made / name).open("a") as file:
            file.write(" ")
        assert not is_current(made)

    def test_the_page_is_gone(self, made: Path) -> None:
        (made / "report" / "index.html").unlink()
        assert not is_current(made)

    def test_another_report_was_made_there(self, made: Path) -> None:
        forget_stamp(made / "report")
        assert not is_current(made)
