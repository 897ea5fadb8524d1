"""Metrics as predictors of votes, by category and beside cost: numbers by hand and words."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
from fabricated_joint import HOW, METRICS, Meant, fabricate_joint
from numpy.polynomial import Polynomial

from evaluation.stats.meta import evaluate_prediction
from reports.figures.heatmap import ALL
from reports.people.cost import cost_of, cost_part
from reports.people.joint import FEW_VIDEOS, join
from reports.people.metric_categories import category_part, grid
from reports.people.outcome import people_of
from reports.people.prediction import half_widths, predictions
from reports.people.scatter import method_means, scatter_part
from reports.tables import APART, NOTHING


def test_half_the_interval_of_a_mean_vote_is_students() -> None:
    """t(0.975; 5) s / sqrt(6) of the six votes of a cell, s with ddof 1."""
    joint = fabricate_joint()
    votes = joint.votes["fidelity"][1, 4]
    expected = 2.5705818366 * votes.std(ddof=1) / np.sqrt(6)
    assert half_widths(joint, "fidelity")[1, 4] == pytest.approx(expected)


def test_prediction_is_that_of_p1401_on_all_cells() -> None:
    joint = fabricate_joint()
    found = predictions(joint, "fidelity")
    metric, mos = joint.metrics[joint.names.index("good_f")], joint.mean_votes("fidelity")
    half = half_widths(joint, "fidelity")
    expected = evaluate_prediction(metric.ravel(), mos.ravel(), half.ravel(), order=3)
    assert found.metrics[0].values[1:] == expected[1:]
    assert found.metrics[0].pearson.value == pytest.approx(expected.pearson)


def test_a_metric_that_is_the_mean_vote_predicts_it_exactly() -> None:
    joint = fabricate_joint()
    joint.metrics[0] = joint.mean_votes("alignment")
    best = predictions(joint, "alignment").metrics[0]
    assert best.name == "good_a"
    assert best.values.rmse == pytest.approx(0, abs=1e-9)
    assert best.pearson.value == pytest.approx(1)


def test_two_different_values_are_mapped_by_a_line() -> None:
    """The line through two group means: r is the point-biserial correlation of scipy."""
    joint = fabricate_joint(metrics={"coin": Meant("quality", "quality")})
    joint.metrics[0] = joint.metrics[0] > 3
    found = predictions(joint, "quality").metrics[0]
    mos = joint.mean_votes("quality").ravel()
    expected = scipy.stats.pointbiserialr(joint.metrics[0].ravel() > 0, mos).statistic
    assert found.values.mapping.order == 1
    assert found.pearson.value == pytest.approx(expected)


def test_the_reader_is_told_that_the_metric_was_chosen_on_the_same_votes() -> None:
    part = scatter_part(fabricate_joint())
    assert part
    assert part.found[0].endswith(
        "Each was chosen as the best of its axis by these votes, which flatters it."
    )
    assert any("its numbers are optimistic" in note for note in part.notes)
    assert [table.name for table in part.folded] == [
        f"metric_prediction_{question}" for question in ("alignment", "fidelity", "quality")
    ]


def test_a_metric_that_fails_in_a_category_is_named() -> None:
    """The metric is the mean vote of motion edits and noise on style edits."""
    joint = fabricate_joint(sources=24, metrics={"judge": Meant("alignment", "alignment", 0.1)})
    style = joint.categories == "style"
    noise = np.random.default_rng(5).normal(size=joint.metrics[0].shape)
    joint.metrics[0][:, style] = noise[:, style]
    part = category_part(joint)
    assert part
    assert (
        "judge beats guessing on alignment overall but is not shown to for style edits"
    ) in part.found[0]


def test_a_category_of_one_method_has_no_guess() -> None:
    """Raters saw style of the first method alone: no two methods, nothing to compare or guess."""
    joint = fabricate_joint(metrics={"good_a": Meant("alignment", "alignment")})
    votes = joint.votes["alignment"].copy()
    votes[1:, joint.categories == "style"] = np.nan
    part = category_part(joint._replace(votes={"alignment": votes}))
    assert part
    (table,) = part.folded
    at = [head.text for head in table.head].index("style")
    assert [row.cells[at].main for row in table.rows] == [NOTHING, NOTHING]


def test_few_videos_are_shown_and_not_judged() -> None:
    joint = fabricate_joint(sources=FEW_VIDEOS - 1)
    spots = grid(joint, "alignment").spots
    assert spots["good_a", "style"].few and spots["good_a", "style"].edits == FEW_VIDEOS - 1
    assert spots["good_a", ALL].edits == 2 * (FEW_VIDEOS - 1)
    part = category_part(joint)
    assert part and "Every category has too few source videos" in part.found[0]


def test_cost_counts_finetuning_apart() -> None:
    """The fabricated first method takes 1 s an edit, the second 2 s and 30 s of finetuning."""
    joint = fabricate_joint()
    first, second = (cost_of(joint.run, label) for label in joint.systems[:2])
    assert (first.editing, first.finetuning, first.total) == (1, 0, 1)
    assert (second.editing, second.low, second.high) == (2, 2, 2)
    assert (second.finetuning, second.total) == (30, 32)
    part = cost_part(joint)
    assert part and "method-0 1.00, method-1 32.0 and method-2 33.0." in part.found[0]


def test_a_method_that_is_slower_and_lower_everywhere_is_named() -> None:
    joint = fabricate_joint()
    for scores in joint.people.kept.scores.values():
        scores.mos[:] = (4, 3, 2)
    part = cost_part(joint)
    assert part and ". method-1 is slower than method-0 and below it on" in part.found[0]
    assert "; method-2 is slower than method-0 and below it on every" in part.found[0]


def test_times_that_round_to_the_same_are_no_order() -> None:
    """0.1 ms and 4 ms, of finding finished files, both are 0.00 s an edit; 40 ms is slower."""
    joint = fabricate_joint()
    for scores in joint.people.kept.scores.values():
        scores.mos[:] = (4, 3, 2)
    for label, seconds in zip(joint.systems, (1e-4, 4e-3, 0.04), strict=True):
        for cell, clip in joint.run.clips.items():
            if cell[0] == label:
                joint.run.clips[cell] = replace(clip, seconds=seconds, facts={})
    part = cost_part(joint)
    assert part and "0.00, method-1 0.00 and method-2 0.04." in part.found[0]
    assert part.found[0].endswith(
        " 0.04. method-2 is slower than method-0 and below it on every question."
    )


def test_clips_that_tell_no_seconds_make_no_cost() -> None:
    joint = fabricate_joint()
    joint.run.clips.clear()
    assert cost_part(joint) is None


def test_large_marks_of_the_scatter_are_means_of_the_edits_that_all_have() -> None:
    """Sources v0 (edits 0, 1) and v1 (2, 3). a: 1 2 3 4 with votes 1 2 3 5; b: 5 on edits 1 to 3
    only, votes 2 2 4. On the common 1 to 3: a (2 + 3 + 4) / 3 = 3 and ((2) + (3 + 5) / 2) / 2 = 3;
    b 5 and (2 + (2 + 4) / 2) / 2 = 2.5. c has edit 0 alone: with it nothing would be common."""
    joint = fabricate_joint(sources=2)
    found = predictions(joint, "alignment")
    nan = np.nan
    mos = np.array([[1.0, 2, 3, 5], [1, 2, 2, 4], [4, 4, 4, 4]])
    joint.metrics[joint.names.index(found.metrics[0].name)] = [
        [1, 2, 3, 4], [nan, 5, 5, 5], [9, nan, nan, nan]
    ]  # fmt: skip
    means = method_means(joint, found._replace(mos=mos))
    assert means == [
        ("method-0", (3.0, 3.0), True), ("method-1", (5.0, 2.5), True),
        ("method-2", (9.0, 4.0), False),
    ]  # fmt: skip


def test_a_score_on_own_edits_is_marked_beside_the_cost() -> None:
    """method-2 has votes on one of 24 edits: with it the others would keep one instead of 24."""
    joint = fabricate_joint(edits=2)
    long = joint.people.export.long
    kept = long[(long["method"] != "method-2") | (long["edit"] == "v00_0")]
    people = people_of(replace(joint.people.export, long=kept), HOW)
    part = cost_part(join(joint.run, people))
    assert part
    shown = {row.label: row.cells[3].main for row in part.tables[0].rows}
    assert [APART in text for text in shown.values()] == [False, False, True]
    assert APART in part.tables[0].caption
    assert not any(APART in c.main for r in cost_part(joint).tables[0].rows for c in r.cells)


@pytest.mark.slow
def test_the_mapping_of_a_file_is_of_the_metric_as_it_is() -> None:
    """`good_f` is better when lower: at a clip's own value the polynomial gives its prediction.

    The RMSE of these predictions is that of the table, with P.1401's divisor N - 4.
    """
    joint = fabricate_joint(metrics={"good_f": METRICS["good_f"]})
    part = scatter_part(joint)
    assert part
    row = dict(part.frames)["metric_prediction"].query("question == 'fidelity'").iloc[0]
    values, mos = -joint.metrics[0].ravel(), joint.mean_votes("fidelity").ravel()
    assert (row["mapped_from"], row["mapped_to"]) == (values.min(), values.max())
    coefficients = [float(c) for c in row["coefficients"].split()]
    predicted = Polynomial(coefficients, [row["mapped_from"], row["mapped_to"]])(values)
    error = np.sqrt(((predicted - mos) ** 2).sum() / (len(mos) - 4))
    assert row["rmse"] == pytest.approx(error)


def test_a_metric_that_goes_against_raters_predicts_the_same_for_all() -> None:
    """Turned values leave the non-decreasing mapping flat: the mean, and a correlation of nothing.

    The error of the mean is the deviation of mean votes, to a decimal: P.1401 divides by N - 4.
    """
    joint = fabricate_joint(metrics={"good_a": Meant("alignment", "alignment")})
    joint = joint._replace(metrics=-joint.metrics)
    part = scatter_part(joint)
    assert part
    error = np.std(joint.mean_votes("alignment"), ddof=1)
    clause = "good_a predicts the same alignment for every clip, with an error (RMSE) of "
    clause += f"{error:.1f}"
    assert clause in part.found[0] and "r = \N{EN DASH}" not in part.found[0]
    shown = [text.get_text() for axes in part.drawings[0].figure.axes for text in axes.texts]
    assert any(text.startswith("no r") for text in shown) and "nan" not in "".join(shown)
