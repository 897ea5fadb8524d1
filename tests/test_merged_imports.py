"""Scores from elsewhere survive a merge: values and reasons are those of the parts' tables."""

from pathlib import Path

import pytest
from small_suites import bring, put_clip, small_suite

from dreamix.core.errors import Mistakes
from evaluation.run.folder import RunFolder
from evaluation.run.merging import merge_runs
from evaluation.schema import Cell
from evaluation.score.imported_scores import import_scores
from evaluation.score.merged_imports import NOBODYS, imports_of
from evaluation.score.scoring import score_run
from evaluation.score.table import read_scores
from evaluation.settings import ModelSettings

HEAD = "edit,method,metric,value,direction,source\n"
EDITS = ("e-1", "e-2")


@pytest.fixture
def bare(tmp_path: Path) -> list[Path]:
    """Two methods, each in a run of its own."""
    suite = small_suite(tmp_path, EDITS)
    runs = []
    for number, method in enumerate("ab"):
        for k, edit in enumerate(EDITS):
            put_clip(tmp_path / "o" / method / f"{edit}.mp4", 10 * number + k)
        run = tmp_path / f"run-{method}"
        bring(suite, run, f"{method}=external:{tmp_path}/o/{method}")
        runs.append(run)
    return runs


@pytest.fixture
def parts(bare: list[Path]) -> list[Path]:
    """Each of them with a table of its own; one value is missing."""
    told(bare[0], "e-1,a,vq,0.5,higher,VBench 1", "e-2,a,vq,0.75,higher,VBench 1")
    told(bare[1], "e-1,b,vq,0.25,higher,VBench 1", "e-2,b,vq,nan,higher,VBench 1")
    return bare


def told(run: Path, *lines: str, name: str = "") -> None:
    table = run.parent / (name or f"{run.name}.csv")
    table.write_text(HEAD + "".join(f"{line}\n" for line in lines))
    import_scores(run, table, replace_others=True)


def merged(out: Path, parts: list[Path]) -> RunFolder:
    return merge_runs(out, parts, also=imports_of)


def values(run: RunFolder, metric: str = "vq") -> dict[Cell, float | str | None]:
    found = read_scores(run.scores).values()
    of_metric = [row for row in found if row.metric == metric]
    assert {row.definition for row in of_metric} == {run.info.metrics[metric].definition_id}
    return {row.cell: row.reason if row.value is None else row.value for row in of_metric}


def test_all_values_and_reasons_of_the_parts_are_in_the_whole(
    parts: list[Path], tmp_path: Path
) -> None:
    run = merged(tmp_path / "whole", parts)
    expected = {
        Cell("a", "e-1", 0): 0.5, Cell("a", "e-2", 0): 0.75, Cell("b", "e-1", 0): 0.25,
        Cell("b", "e-2", 0): "no score in line 3 of run-b.csv",
    }  # fmt: skip
    assert values(run) == expected
    kept = run.info.metrics["vq"].imported
    assert kept is not None and (kept.source, kept.file) == ("VBench 1", "run-a.csv; run-b.csv")
    files = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    assert merged(run.path, parts).path == run.path
    assert {path: path.read_bytes() for path in files} == files, "again changes nothing"
    other = merged(tmp_path / "turned", parts[::-1])
    assert other.info.metrics["vq"].definition_id == run.info.metrics["vq"].definition_id
    score_run(run.path, ["psnr"], ModelSettings())
    assert values(RunFolder(run.path)) == expected, "and later scoring leaves them"


def test_a_part_without_the_metric_has_the_reason(bare: list[Path], tmp_path: Path) -> None:
    told(bare[0], "e-1,a,vq,0.5,higher,VBench 1")
    told(bare[1], "e-1,b,more,1,neither,X 2", "e-2,b,more,2,neither,X 2")
    run = merged(tmp_path / "whole", bare)
    assert values(run)[Cell("b", "e-1", 0)] == NOBODYS
    assert values(run, "more") == {
        Cell("a", "e-1", 0): NOBODYS, Cell("a", "e-2", 0): NOBODYS,
        Cell("b", "e-1", 0): 1.0, Cell("b", "e-2", 0): 2.0,
    }  # fmt: skip


def test_contradictions_are_told_at_once_and_nothing_is_written(
    parts: list[Path], tmp_path: Path
) -> None:
    """Another source and direction of one metric, another value of one clip."""
    told(parts[1], "e-1,b,vq,0.25,lower,VBench 2", "e-2,b,vq,0.5,lower,VBench 2")
    whole = merge_runs(tmp_path / "copy", parts[:1]).path
    told(whole, "e-1,a,vq,0.5,higher,VBench 1", "e-2,a,vq,0.125,higher,VBench 1", name="c.csv")
    with pytest.raises(Mistakes) as caught:
        merged(tmp_path / "whole", [*parts, whole])
    said = "\n".join(caught.value.lines)
    assert "direction of vq is 'lower' here and 'higher' in" in said
    assert "source of vq is 'VBench 2' here and 'VBench 1' in" in said
    assert "vq of a, e-2, seed 0 is 0.125 here and 0.75 in" in said
    assert len(caught.value.lines) == 3 and not (tmp_path / "whole").exists()


def test_a_name_that_is_another_metric_elsewhere_is_refused(
    bare: list[Path], tmp_path: Path
) -> None:
    told(bare[0], "e-1,a,vq,0.5,higher,VBench 1")
    told(bare[1], "e-1,b,VQ,0.25,higher,VBench 1")
    with pytest.raises(Mistakes, match="VQ is another metric than vq"):
        merged(tmp_path / "whole", bare)


def test_scores_of_a_clip_that_was_not_taken_are_left_out(
    parts: list[Path], tmp_path: Path
) -> None:
    """The row tells the clip's hash; the merged run has that of the sidecar."""
    scores = parts[0] / "scores.jsonl"
    clip = RunFolder(parts[0]).clip_row(Cell("a", "e-2", 0))
    assert clip is not None and clip.sha256 is not None
    scores.write_text(scores.read_text().replace(clip.sha256, "0" * 64))
    run = merged(tmp_path / "whole", parts)
    assert values(run)[Cell("a", "e-2", 0)] == NOBODYS
    assert values(run)[Cell("a", "e-1", 0)] == 0.5
