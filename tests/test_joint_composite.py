"""The composite in a report: its numbers, its file, and its words where there can be none."""

import json
from pathlib import Path

import numpy as np
import pytest
from fabricated_joint import Meant, fabricate_joint

from evaluation.score.composite_file import read_composites
from evaluation.stats.composite import learn_composite
from evaluation.stats.resampling import Resampling
from reports.page.files import markdown
from reports.page.latex import latex
from reports.page.paper import cited
from reports.parts import ReportPart, stamped
from reports.people.composite import composite_part
from reports.people.joint import Joint

METRICS = {
    "half_a": Meant("alignment", "alignment", 0.9),
    "other_half": Meant("alignment", "alignment", 0.9),
    "reversed": Meant("quality", "quality", 0.5, "lower"),
}


@pytest.fixture(scope="module")
def joint() -> Joint:
    return fabricate_joint(metrics=METRICS, sources=14)


@pytest.fixture(scope="module")
def part(joint: Joint) -> ReportPart:
    found = composite_part(joint)
    assert found
    return found


@pytest.mark.slow
def test_the_table_holds_the_numbers_of_the_stats_function(joint: Joint, part: ReportPart) -> None:
    expected = learn_composite(
        joint.metrics,
        joint.votes["alignment"],
        names=list(joint.names),
        sources=joint.sources,
        axis="alignment",
        resampling=Resampling(joint.people.rng("composite", "alignment"), 120),
    )
    table = next(t for t in part.tables if t.name == "composite_alignment")
    gain = expected.gains[0]
    row = table.rows[0]
    assert row.label == "Pearson, within edits"
    assert row.cells[0].main == f"{gain.composite:.2f}"
    assert row.cells[1].main == f"{gain.single:.2f}"
    assert row.cells[3].main == ("<0.001" if gain.p < 0.001 else f"{gain.p:.3f}")
    weights = next(t for t in part.folded if t.name == "composite_weights_alignment")
    assert {row.label for row in weights.rows} >= {"half_a", "other_half"}


@pytest.mark.slow
def test_metrics_that_tie_are_the_best_together() -> None:
    """A copy of the only metric of the axis is as good as it: neither is *the* best single one."""
    metrics = {name: Meant("alignment", "alignment") for name in ("ours", "copy")}
    joint = fabricate_joint(metrics=metrics, sources=8)
    joint.metrics[1] = 3 * joint.metrics[0]
    found = composite_part(joint)
    assert found
    assert "; the best single metrics, copy and ours, reach " in found.found[0]
    assert "Compared with the best in hindsight, copy and ours with " in found.found[0]
    caption = next(t for t in found.tables if t.name == "composite_alignment").caption
    assert "metric there is copy and ours; in hindsight copy and ours." in caption


@pytest.mark.slow
def test_the_file_is_one_that_bench_score_reads(
    joint: Joint, part: ReportPart, tmp_path: Path
) -> None:
    ((name, text),) = part.files
    assert name == "composite.json"
    (tmp_path / name).write_text(text)
    found = {one.axis: one for one in read_composites(tmp_path / name)}
    assert not found["alignment"].simulated
    quality = {term.metric: term for term in found["quality"].terms}
    assert quality["reversed"].better == "lower"
    facts = joint.metrics[joint.names.index("reversed")]
    assert quality["reversed"].mean == pytest.approx(-np.mean(facts))  # in its own unit again


@pytest.mark.slow
def test_simulated_raters_show_in_the_name_the_file_and_the_words() -> None:
    found = composite_part(fabricate_joint(metrics=METRICS, sources=14, simulated=True))
    assert found
    marked = stamped(found)
    ((name, text),) = marked.files
    assert name == "simulated_composite.json" and json.loads(text)["simulated"] is True
    assert marked.found[0].startswith("Composite of alignment (simulated raters): On held-out ")
    assert "follows simulated raters" in marked.found[0] and "SIMULATED" not in marked.found[0]
    assert any("simulated_composite.json" in note for note in marked.notes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sources": 3}, "There is none. No composite of alignment can be learned"),
        ({"equal": "alignment", "sources": 14}, "all mean votes are 3.00"),
        ({"methods": 1, "sources": 24, "metrics": METRICS}, "within a method"),
    ],
    ids=["few videos", "equal votes", "one method"],
)
def test_what_cannot_be_learned_is_said(options: dict[str, object], words: str) -> None:
    found = composite_part(fabricate_joint(**options))  # type: ignore[arg-type]
    assert found
    assert words in found.found[0]
    for table in (*found.tables, *found.folded):
        assert "nan" not in markdown(table) and r"\toprule" in latex(table)


def test_words_are_sentences_with_known_citations(part: ReportPart) -> None:
    assert {entry.key for entry in cited(list(part.done))} == {
        "deutsch2021resampling", "hoerl1970", "nadeau2003", "slawski2013",
    }  # fmt: skip
    for text in (*part.found, *part.notes, *part.done):
        assert text.endswith(".") and "nan" not in text.split()


def test_a_run_without_metrics_has_no_composite() -> None:
    assert composite_part(fabricate_joint(metrics={})) is None
