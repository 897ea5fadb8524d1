"""Metrics ranked by how they follow raters: numbers of the stats functions, words that fit them."""

from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from fabricated_joint import METRICS, Meant, fabricate_joint

from evaluation.stats.meta import out_of_sample_accuracy, tie_calibrated_accuracy
from reports.figures.style import SETTINGS, save
from reports.page.files import markdown
from reports.page.latex import latex
from reports.page.paper import cited
from reports.parts import WARNING, ReportPart, stamped
from reports.people.agreement import agreement, best_of, guessing, headline
from reports.people.cost import cost_part
from reports.people.joint import Joint, join
from reports.people.league import league_part
from reports.people.league_words import found_sentence
from reports.people.metric_categories import category_part
from reports.people.scatter import scatter_part
from reports.tables import APART, NOTHING

PARTS = (league_part, scatter_part, category_part, cost_part)


@pytest.fixture(scope="module")
def joint() -> Joint:
    return fabricate_joint()


@pytest.fixture(scope="module")
def part(joint: Joint) -> ReportPart:
    found = league_part(joint)
    assert found
    return found


def test_the_table_holds_the_numbers_of_the_stats_functions(joint: Joint, part: ReportPart) -> None:
    table = next(t for t in part.tables if t.name == "league_alignment")
    row = next(row for row in table.rows if row.label == "good_a")
    metric, human = joint.metrics[joint.names.index("good_a")], joint.mean_votes("alignment")
    inside = tie_calibrated_accuracy(metric, human)
    outside = out_of_sample_accuracy(metric, human, joint.sources)
    cells = dict(zip((head.text for head in table.head), row.cells, strict=True))
    assert cells["acc_eq"].main == f"{inside.value:.3f}"
    assert cells["out of sample"].main == f"{outside.value:.3f}"
    assert cells["epsilon"].main == f"{inside.epsilon:.2g}"
    assert cells["meant for"].main == "alignment" and cells["meant for"].best
    assert cells["cluster"].main == "1"


def test_metrics_of_other_axes_are_ranked_too_and_people_stand_below(part: ReportPart) -> None:
    for table in part.tables:
        labels = [row.label for row in table.rows]
        assert set(labels[:4]) == set(METRICS)
        assert labels[4:] == [
            "half of the raters",
            "one vote an edit",
            "single raters (6)",
            "method alone",
        ]
        assert all(len(row.cells) == len(table.head) for row in table.rows)


def test_the_sentence_names_the_metric_that_knows_the_truth(part: ReportPart) -> None:
    """good_a is the truth with noise of 0.3, every other metric knows nothing of alignment."""
    assert part.found[0].startswith("Metrics and alignment: good_a has the highest acc_eq")
    assert "significantly better than every other metric" in part.found[0]


def test_a_metric_that_cannot_be_held_against_raters_says_what_does_not_vary() -> None:
    """A metric of one value: every correlation lacks a value, and the cell says why."""
    joint = fabricate_joint()
    joint.metrics[joint.names.index("poor_a")] = 2.5
    found = league_part(joint)
    assert found
    (row,) = (row for row in found.folded[0].rows if row.label == "poor_a")
    hints = {cell.hint for cell in row.cells[1:-1]}
    assert hints == {"the metric is 2.5 on all cells"}
    frame = dict(found.frames)["metric_league"]
    said = frame[frame["name"] == "poor_a"]["why_not"]
    assert set(said) == {"the metric is 2.5 on all cells"}


def test_a_metric_of_another_axis_that_follows_better_is_a_finding() -> None:
    metrics = {
        "weak": Meant("alignment", "alignment", 4.0),
        "intruder": Meant("fidelity", "alignment", 0.1),
    }
    found = league_part(fabricate_joint(metrics=metrics, sources=20))
    assert found
    assert "intruder has the highest acc_eq" in found.found[0]
    assert "intruder is not meant for alignment; the best that is, weak, reaches" in found.found[0]


def test_leaders_that_tie_are_none_of_them_meant_and_all_named() -> None:
    """Twins are copies: the order of two methods on an edit, all that acc_eq sees, is the same."""
    metrics = {
        "weak": Meant("alignment", "alignment", 4.0),
        "weak_twin": Meant("alignment", "alignment", 4.0),
        "intruder": Meant("fidelity", "alignment", 0.1),
        "intruder_twin": Meant("fidelity", "alignment", 0.1),
    }
    joint = fabricate_joint(metrics=metrics, sources=12)
    joint.metrics[[1, 3]] = joint.metrics[[0, 2]]
    said = found_sentence(agreement(joint, "alignment"))
    assert "intruder and intruder_twin share the highest acc_eq" in said
    assert (
        "None of the best is meant for alignment; the best that are, weak and weak_twin, " in said
    )


def test_telling_methods_apart_is_not_knowing_an_edit() -> None:
    """Votes and metric are 4 and 2 for the two methods, with noise that they do not share."""
    joint = fabricate_joint(methods=2, metrics={"name_tag": Meant("quality", "quality")})
    draw = np.random.default_rng(2)
    level = np.array([4.0, 2.0])[:, None, None]
    joint.votes["quality"][:] = np.rint(level + draw.normal(0, 1.2, joint.votes["quality"].shape))
    joint.metrics[0] = level[:, :, 0] + draw.normal(0, 1.2, joint.metrics[0].shape)
    found = agreement(joint, "quality")
    assert found.method > found.guess
    part = league_part(joint)
    assert part
    assert "not shown to know more about an edit than which method made it" in part.found[2]


def test_noise_is_not_shown_to_follow_anybody() -> None:
    found = league_part(fabricate_joint(metrics={"noise": Meant("alignment", "fidelity", 9.0)}))
    assert found
    assert "noise, the only metric with values" in found.found[0]
    assert "no metric is shown to follow raters" in found.found[0]


def test_guessing_is_half_of_what_people_do_not_tie_or_all_that_they_do() -> None:
    """Two methods on four edits. One tie in four: a coin is right on half of three quarters, 3/8,
    calling all pairs tied on 1/4. Three ties in four: 1/8 against 3/4."""
    human = np.array([[1.0, 2, 3, 4], [1, 3, 4, 5]])
    joint = fabricate_joint()
    assert guessing(human, headline(joint)) == (0.25, 0.375)
    human[1] = [1, 2, 3, 5]
    assert guessing(human, headline(joint)) == (0.75, 0.75)


def test_the_best_of_an_axis_is_that_of_the_league(joint: Joint) -> None:
    for question in joint.votes:
        ranked = [row.name for row in agreement(joint, question).ranked]
        order = best_of(joint, question, list(range(len(joint.names))))
        assert [joint.names[k] for k in order] == ranked


def test_raters_who_saw_one_method_each_are_not_ranked_but_votes_are() -> None:
    found = league_part(fabricate_joint(both=False))
    assert found
    assert any("No rater saw two methods on the same edit" in note for note in found.notes)
    rows = {row.label: row for row in found.tables[0].rows}
    assert rows["single raters"].cells[1].main == "\N{EN DASH}"
    assert float(rows["one vote an edit"].cells[1].main) > 0


def test_few_methods_support_no_claim_at_system_level(part: ReportPart) -> None:
    """1 / 3! = 0.167: the share of the six orders that agree fully."""
    assert any("p = 1/3! = 0.167" in note for note in part.notes)
    five = league_part(fabricate_joint(methods=5, sources=10))
    assert five
    assert not any("system level" in note for note in five.notes)


def test_a_metric_without_values_is_listed_last_and_unranked() -> None:
    joint = fabricate_joint()
    joint.metrics[joint.names.index("poor_a")] = np.nan
    found = league_part(joint)
    assert found
    last = found.tables[0].rows[3]
    assert last.label == "poor_a" and last.cells[-1].main == "72"
    assert [cell.main for cell in last.cells[1:-1]] == ["\N{EN DASH}"] * 5


CASES = {
    "one method": {"methods": 1},
    "two methods": {"methods": 2},
    "eight methods": {"methods": 8, "sources": 6},
    "one metric": {"metrics": {"only": Meant("alignment", "alignment")}},
    "no metric": {"metrics": {}},
    "one video": {"sources": 1},
    "two edits": {"sources": 2, "edits": 1},
    "one edit by one method": {"methods": 1, "sources": 1, "edits": 1},
    "equal votes": {"equal": "quality"},
    "one rater": {"raters": 1},
    "raters apart": {"both": False},
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_every_part_has_honest_words_for_any_study(case: str) -> None:
    joint = fabricate_joint(**CASES[case])  # type: ignore[arg-type]
    for make in PARTS:
        part = make(joint)
        if part is None:
            continue
        for text in (*part.found, *part.notes, *part.done):
            assert "nan" not in text.split() and "None" not in text, text
            assert text.endswith("."), text
        assert all(": " in text for text in part.found)
        assert cited(list(part.done)) is not None  # every key has its entry
        for table in (*part.tables, *part.folded):
            assert "nan" not in markdown(table) and r"\toprule" in latex(table)
        for drawing in part.drawings:
            with mpl.rc_context(SETTINGS):
                drawing.figure.draw_without_rendering()


def test_equal_votes_are_said_to_be_nothing_to_follow() -> None:
    joint = fabricate_joint(equal="quality")
    for make in (league_part, scatter_part):
        part = make(joint)
        assert part
        assert "all edits have the same mean vote, 3.00" in part.found[-1]
    assert "quality" not in [t.name.split("_")[-1] for t in part.tables]


@pytest.mark.slow
def test_the_same_study_gives_the_same_bytes_and_is_stamped(tmp_path: Path) -> None:
    written: list[dict[str, bytes]] = []
    for again in ("a", "b"):
        joint = fabricate_joint(simulated=True, sources=10)
        for make in PARTS:
            part = make(joint)
            assert part
            part = stamped(part)
            for drawing in part.drawings[:1]:
                assert drawing.caption.startswith(WARNING)
                save(drawing.figure, tmp_path / again, drawing.name)
        written.append({p.name: p.read_bytes() for p in sorted((tmp_path / again).iterdir())})
    assert written[0] == written[1]
    assert all(name.startswith("simulated_") for name in written[0])


@pytest.mark.slow
def test_the_level_that_was_asked_for_is_that_of_every_interval(joint: Joint) -> None:
    """At 80% the same draws give narrower intervals, and no text speaks of 95% but P.1401's."""
    asked = joint.people._replace(how=joint.people.how._replace(confidence=0.8))
    at_80 = joint._replace(people=asked)
    for one in (made for make in PARTS if (made := make(at_80))):
        tables = [t.caption for t in (*one.tables, *one.folded)]
        texts = [*one.found, *one.notes, *one.done, *(d.caption for d in one.drawings), *tables]
        said = [text for text in texts if "95%" in text]
        assert all("nominal 95%" in text for text in said), said
    wide, narrow = (
        agreement(joint, "alignment"),
        agreement(joint._replace(people=asked), "alignment"),
    )
    for one, other in zip(wide.ranked, narrow.ranked, strict=True):
        assert (one.name, one.value) == (other.name, other.value)
        assert other.high - other.low < one.high - one.low
    assert narrow.halves.high - narrow.halves.low < wide.halves.high - wide.halves.low


def test_a_metric_of_a_few_easy_edits_is_not_the_best() -> None:
    """`rare` has values on 4 of 24 edits, where it orders the methods as raters do: 1.00 there.

    That is less than half of what it applies to: it is not ranked, and the others stand as they
    do in a run that has no `rare` at all.
    """
    metrics = {
        "rare": Meant("alignment", "alignment", 0.6),
        "full": Meant("alignment", "alignment", 0.3),
        "other": Meant("alignment", "alignment", 0.9),
    }
    joint = fabricate_joint(metrics=metrics)
    values, votes = joint.metrics[0], joint.mean_votes("alignment")
    order = np.sign(values[:, None] - values) == np.sign(votes[:, None] - votes)
    right = np.flatnonzero(order.all(axis=(0, 1)))
    values[:, np.setdiff1d(np.arange(24), right[:4])] = np.nan
    part = league_part(joint)
    assert part
    assert part.found[0].startswith("Metrics and alignment: full has the highest acc_eq")
    assert " rare has values for too few clips to be ranked. other is not" in part.found[0]
    rows = {row.label: row.cells for row in part.tables[0].rows}
    assert list(rows)[:3] == ["full", "other", "rare"]
    assert (rows["rare"][1].main, rows["rare"][1].mark) == ("1.000", APART)
    assert not rows["rare"][1].best and rows["rare"][-3].main == NOTHING
    without = joint._replace(names=joint.names[1:], metrics=joint.metrics[1:])
    alone = agreement(without, "alignment").ranked
    assert [row._asdict() for row in agreement(joint, "alignment").ranked] == [
        pytest.approx(row._asdict(), nan_ok=True) for row in alone
    ]
    assert best_of(joint, "alignment", [0, 1, 2]) == [1, 2, 0]


def test_the_best_that_lacks_edits_is_said_to_and_who_reaches_more_on_the_same() -> None:
    """Raters prefer the first method on 15 edits. `gappy` agrees on 9 of the first 10, and has no
    value on the last 5; `whole` agrees on these 10, not on the last 5: 9/10 and 10/15 on their own
    edits, 9/10 and 10/10 where both have values."""
    metrics = {name: Meant("alignment", "alignment") for name in ("gappy", "whole")}
    joint = fabricate_joint(metrics=metrics, methods=2, sources=15, edits=1)
    joint.votes["alignment"][:] = np.array([4.0, 2.0])[:, None, None]
    joint.metrics[:] = np.array([1.0, 0.0])[None, :, None]
    joint.metrics[0, :, 9] = 0.0, 1.0
    joint.metrics[0, :, 10:] = np.nan
    joint.metrics[1, :, 10:] = np.array([0.0, 1.0])[:, None]
    found = agreement(joint, "alignment")
    assert [(row.name, row.value) for row in found.ranked] == [
        ("gappy", 0.9), ("whole", pytest.approx(10 / 15))
    ]  # fmt: skip
    text = found_sentence(found)
    assert (
        " gappy lacks a value for 10 clips that another metric has. Where both have values, "
        in text
    )
    assert "whole reaches more. whole is not significantly worse." in text


def test_a_metric_that_is_not_meant_for_most_edits_is_ranked_by_what_it_is_meant_for() -> None:
    """`poor_a` is without meaning on half of the edits of each of 12 videos, and on one more."""
    joint = fabricate_joint()
    lost = [edit for k, edit in enumerate(joint.edits) if k % 2 or k == 0]
    at = (joint.run.scores["metric"] == "poor_a") & joint.run.scores["edit"].isin(lost)
    for status, aside in (("n/a", ()), ("failed", ("poor_a",))):
        scores = joint.run.scores.copy()
        scores.loc[at, ["status", "value", "delta"]] = [status, np.nan, np.nan]
        found = agreement(join(replace(joint.run, scores=scores), joint.people), "alignment")
        assert found.apart == aside


def test_a_constant_metric_is_said_in_its_own_unit() -> None:
    """`good_f`, of which less is better, is 0.5 everywhere; values are turned to be compared."""
    joint = fabricate_joint()
    joint.metrics[joint.names.index("good_f")] = -0.5
    part = league_part(joint)
    assert part
    hints = [
        cell.hint
        for table in (*part.tables, *part.folded)
        for row in table.rows
        for cell in row.cells
        if row.label == "good_f" and "on all cells" in cell.hint
    ]
    assert hints and set(hints) == {"the metric is 0.5 on all cells"}
    frame = dict(part.frames)["metric_league"]
    assert set(frame.loc[frame["name"] == "good_f", "why_not"]) == {
        "the metric is 0.5 on all cells"
    }
