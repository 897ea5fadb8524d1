"""A scoring that had nothing to do is not looked at again, unless something has changed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from small_suites import bring, put_clip, small_suite

from dreamix.core.records import read_json, write_json
from evaluation.run.folder import RunFolder
from evaluation.schema import Cell
from evaluation.score import scoring
from evaluation.score.scoring import Summary, score_run
from evaluation.settings import ModelSettings

NAMES = ["flicker", "motion_mag"]
KEPT = ".settled.json"


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """Two clips that were scored, and one that is not there: its scores failed for good."""
    suite = small_suite(tmp_path, ("duck_00", "duck_01", "duck_02"))
    for number in range(2):
        put_clip(tmp_path / f"o/ours/duck_0{number}.mp4", number + 1)
    run = bring(suite, tmp_path / "run", f"external:{tmp_path}/o/*")
    score_run(run.path, NAMES, ModelSettings())
    return run


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files of scores that were read."""
    read, found = scoring.read_scores, list[Path]()
    monkeypatch.setattr(scoring, "read_scores", lambda path: found.append(path) or read(path))
    return found


def again(run: RunFolder, names: list[str] = NAMES, **asked: float) -> Summary:
    return score_run(run.path, names, ModelSettings(), **asked)  # type: ignore[arg-type]


def test_the_same_call_reads_no_scores_and_says_the_same(
    run: RunFolder, looked: list[Path]
) -> None:
    known = again(run)
    assert looked == []
    (run.path / KEPT).unlink()
    assert again(run) == known
    assert looked == [run.scores]
    assert known.computed == 0
    assert known.counts == {"ok": 4, "failed": 2}


def a_score(run: RunFolder) -> None:
    lines = run.scores.read_text().splitlines(keepends=True)
    run.scores.write_text("".join(lines[1:]))


def a_clip(run: RunFolder) -> None:
    path = run.sidecar(Cell("ours", "duck_00", 0))
    write_json(path, {**read_json(path), "sha256": "0" * 64})


def what_stands_in_run_json(run: RunFolder) -> None:
    run.change(least_share=0.5)


def the_table(run: RunFolder) -> None:
    run.scores.with_suffix(".parquet").unlink()


@pytest.mark.slow
@pytest.mark.parametrize("change", [a_score, a_clip, what_stands_in_run_json, the_table])
def test_what_has_changed_is_looked_at(
    run: RunFolder, looked: list[Path], change: Callable[[RunFolder], None]
) -> None:
    change(RunFolder(run.path))
    again(run)
    assert looked == [run.scores]


def test_another_question_is_looked_at(run: RunFolder, looked: list[Path]) -> None:
    assert again(run, ["flicker"]).counts == {"ok": 2, "failed": 1}
    again(run, least_share=0.2)
    assert len(looked) == 2


def test_other_code_looks_again(
    run: RunFolder, looked: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evaluation.score.settled.state_of_code", lambda: ["another"])
    again(run)
    assert looked


@pytest.mark.slow
@pytest.mark.parametrize("text", ["", "{", "[]", '{"digest": 1}', "[" * 5000])
def test_a_damaged_file_costs_time_alone(run: RunFolder, looked: list[Path], text: str) -> None:
    (run.path / KEPT).write_text(text)
    assert again(run).counts == {"ok": 4, "failed": 2}
    assert looked


def test_what_may_still_be_computed_is_not_settled(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A score that failed by itself is tried again by every call."""
    rows = [json.loads(line) for line in run.scores.read_text().splitlines()]
    rows[0] |= {"status": "failed", "value": None, "reason": "the disk was full"}
    run.scores.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert again(run).computed == 1
    assert again(run).computed == 0
