"""Nothing that a run lacks is hidden by its report: every gap has a row and a reason."""

import json
from pathlib import Path

import pytest
from fabricated_run import ERROR, fabricate

from dreamix.core.records import append_lines, write_json
from reports.build import build_report
from reports.loading import load_run
from reports.metrics.results import axis_table
from reports.metrics.sentences import summary_sentences
from reports.page.files import markdown
from reports.summary import IntervalSettings, RunSummary, gaps


def test_every_gap_has_its_reason(summary: RunSummary) -> None:
    found = gaps(summary.run)
    assert [(gap.status, gap.clips) for gap in found] == [("failed", 1), ("n/a", 24)]
    assert found[0].reason == f"no clip: {ERROR}"
    assert found[0].methods == ("be_ta",)
    assert found[0].metrics == tuple(summary.run.metrics)
    assert found[0].example == "be_ta/va_style/0"


def test_clips_and_scores_that_were_never_made_are_rows_too(tmp_path: Path) -> None:
    folder = fabricate(tmp_path)
    (folder / "clips/alpha/va_motion/0.json").unlink()
    lines = (folder / "scores.jsonl").read_text().splitlines(keepends=True)
    kept = [line for line in lines if '"alpha","edit":"vb' not in line.replace(" ", "")]
    kept = [line for line in kept if not ('"alpha"' in line and '"vb_style"' in line)]
    (folder / "scores.jsonl").write_text("".join(kept))
    run = load_run(folder)
    missing = run.scores[run.scores["status"] == "missing"]
    assert set(zip(missing["method"], missing["edit"], strict=True)) == {
        ("alpha", "va_motion"),
        ("alpha", "vb_style"),
    }
    assert {gap.reason.split(":")[0] for gap in gaps(run)} >= {"no clip yet", "not scored yet"}


def test_a_score_of_another_definition_or_clip_is_not_shown(tmp_path: Path) -> None:
    folder = fabricate(tmp_path)
    info = json.loads((folder / "run.json").read_text())
    info["metrics"]["brisque"]["definition_id"] = "newer"
    write_json(folder / "run.json", info)
    scores = load_run(folder).scores
    old = scores[(scores["metric"] == "brisque") & (scores["edit"] == "vb_style")]
    assert set(old["status"]) == {"missing"}
    assert old["value"].isna().all()
    assert old["reason"].str.contains("another clip or definition").all()


def test_of_several_lines_on_one_score_the_last_counts(tmp_path: Path) -> None:
    folder = fabricate(tmp_path)
    first = json.loads((folder / "scores.jsonl").read_text().splitlines()[0])
    append_lines(folder / "scores.jsonl", [first | {"value": 9.0}])
    scores = load_run(folder).scores
    row = scores[(scores["method"] == first["method"]) & (scores["edit"] == first["edit"])]
    assert row[row["metric"] == first["metric"]]["value"].item() == 9.0


@pytest.mark.slow
def test_a_run_of_one_video_has_no_intervals_and_says_so(tmp_path: Path) -> None:
    out = tmp_path / "out"
    folder = fabricate(tmp_path / "run", videos=("va",))
    done = build_report(folder, out, IntervalSettings(resamples=100), media=False)
    shown = markdown(axis_table(done.summary, "alignment"))  # be_ta lacks one edit of three
    assert "**0.300** [one video]; own 0.301 n=3" in shown
    assert "no interval can be given" in done.page.read_text()
    assert not any("Edit by edit" in sentence for sentence in summary_sentences(done.summary))


@pytest.mark.slow
def test_a_metric_without_any_value_still_has_its_column(tmp_path: Path) -> None:
    folder = fabricate(tmp_path / "run")
    rows = [json.loads(line) for line in (folder / "scores.jsonl").read_text().splitlines()]
    (folder / "scores.jsonl").unlink()
    for row in rows:
        if row["metric"] == "brisque" and row["status"] == "ok":
            row.pop("value"), row.pop("delta")
            row |= {"status": "failed", "reason": "ValueError: too small"}
    append_lines(folder / "scores.jsonl", rows)
    done = build_report(folder, tmp_path / "out", IntervalSettings(resamples=100), media=False)
    assert "\N{EN DASH} failed" in markdown(axis_table(done.summary, "quality"))
    assert done.summary.headline("quality") is None
    assert "ValueError: too small" in done.page.read_text()


def test_methods_stand_in_the_order_they_were_asked_for(tmp_path: Path) -> None:
    """Contestants first, then anchors; runs without places are in the order of the labels."""
    folder = fabricate(tmp_path)
    info = json.loads((folder / "run.json").read_text())
    for place, label in enumerate(("unedited", "gamma", "alpha", "frozen-frame", "be_ta")):
        info["methods"][label]["place"] = place
    write_json(folder / "run.json", info)
    assert [*load_run(folder).methods] == ["gamma", "alpha", "be_ta", "unedited", "frozen-frame"]
