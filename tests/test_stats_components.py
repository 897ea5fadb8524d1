"""Variance components, ICC and power: against statsmodels, published tables, simulation."""

import math
import warnings

import numpy as np
import pytest
import scipy.stats
import simulated_ratings as simulated
import statsmodels.formula.api as smf
from simulated_ratings import votes_of

from dreamix.core.errors import UserError
from evaluation.stats.agreement import intraclass_correlation
from evaluation.stats.ratings import (
    Deviations,
    Votes,
    detectable_difference,
    deviations_of,
    difference_error,
    mos_difference,
    raters_needed,
    read_ratings,
    variance_components,
    vote_components,
    votes_on,
)
from evaluation.stats.ratings import components as module

# Six targets by four judges: Shrout & Fleiss (1979), table 2. Their table 3 gives the mean squares
# between targets 11.24, between judges 32.49, error 1.02; table 4 gives ICC(2,1) .29, ICC(2,4) .62.
SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def deviance(votes: Votes, variance: np.ndarray, answer: float) -> float:
    """-2 log restricted likelihood by its definition, with the whole covariance matrix."""
    design = np.eye(votes.methods)[votes.method]
    levels = [
        votes.rater,
        votes.source,
        votes.edit,
        votes.rater * votes.methods + votes.method,
        votes.source * votes.methods + votes.method,
    ]
    cov = answer * np.eye(len(votes.value))
    for each, level in zip(variance, levels, strict=True):
        cov += each * (level[:, None] == level)
    inverse = np.linalg.inv(cov)
    precision = design.T @ inverse @ design
    project = inverse - inverse @ design @ np.linalg.solve(precision, design.T @ inverse)
    logs = np.linalg.slogdet(cov)[1] + np.linalg.slogdet(precision)[1]
    return float(logs + votes.value @ project @ votes.value)


def test_an_incomplete_design_agrees_with_a_mixed_model_package() -> None:
    """statsmodels 0.15.0 MixedLM (REML), five crossed and nested terms, a third of the votes of 12
    raters x 10 sources x 2 edits x 3 methods. Its search stops at about 1e-4; ours is no worse by
    the likelihood's definition, and no change of a component by 1% is better.
    """
    design = simulated.some_of(simulated.complete(12, 10, 3, edits_each=2), 0.35, rng(1))
    table = simulated.long_table(
        design, q=simulated.values(design, np.array([0.0, 0.3, 0.6]), rng(2))
    )
    votes = votes_on(read_ratings(table), "q")
    found = vote_components(votes)
    table["all"], table["rm"] = 1, table["rater"] + table["method"]
    table["sm"] = table["source"] + table["method"]
    names = ("rater", "source", "edit", "rm", "sm")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = smf.mixedlm(
            "value ~ C(method)",
            table,
            groups="all",
            re_formula="0",
            vc_formula={name: f"0 + C({name})" for name in names},
        ).fit(reml=True, method=["lbfgs"])
    by_name = dict(zip(fit.model.exog_vc.names, fit.vcomp, strict=True))
    theirs = np.array([by_name[name] for name in names])
    assert found.estimate == "reml" and found.converged
    assert found.variance == pytest.approx(theirs, rel=1e-3, abs=1e-4)
    assert found.answer == pytest.approx(fit.scale, rel=1e-4)
    least = deviance(votes, found.variance, found.answer)
    assert least <= deviance(votes, theirs, fit.scale) + 1e-9
    for at in range(5):
        for factor in (0.99, 1.01):
            moved = found.variance.copy()
            moved[at] = moved[at] * factor if moved[at] else 0.01
            assert deviance(votes, moved, found.answer) > least


def test_a_complete_table_gives_the_analysis_of_variance() -> None:
    """REML and moments both: from the mean squares B between targets, J between judges, E error,
    answer E, judges (J - E) / 6, targets (B - E) / 4; to 1e-6 and 1e-9.
    """
    table = SHROUT_FLEISS
    rows, columns = table.mean(axis=1), table.mean(axis=0)
    between, judges = 4 * rows.var(ddof=1), 6 * columns.var(ddof=1)
    residual = table - rows[:, None] - columns + table.mean()
    error = (residual**2).sum() / 15
    assert (between, judges, error) == pytest.approx((11.24, 32.49, 1.02), abs=0.005)
    expected = [(between - error) / 4, (judges - error) / 6]
    item, rater = (axis.ravel() for axis in np.indices(table.shape))
    factors = {"item": item, "rater": rater}
    reml = variance_components(table.ravel(), np.zeros(24, int), factors)
    assert [*reml.variance, reml.answer] == pytest.approx([*expected, error], rel=1e-6)
    model = module._Model(table.ravel(), np.zeros(24, int), [item, rater])
    found, answer = model.moments()
    assert [*found, answer] == pytest.approx([*expected, error], rel=1e-9)


def test_many_levels_are_estimated_by_moments_and_recovered() -> None:
    """400 raters x 60 sources x 2 edits x 4 methods, 15% of the votes: 2,400 levels. Deviations
    .4, .6, .4, .25, .35, .8 squared; rater terms have 400 and more levels and are known to about
    7%, source terms 60 and 240 levels: to about 18% and 9%; three times that is allowed.
    """
    design = simulated.some_of(simulated.complete(400, 60, 4, edits_each=2), 0.15, rng(3))
    value = simulated.values(design, np.zeros(4), rng(4), rounded=False)
    sizes = (400, 60, 120, 4)
    votes = Votes(*(design[a] for a in ("rater", "source", "edit", "method")), value, *sizes)
    found = vote_components(votes)
    assert found.estimate == "moments" and found.levels.sum() > module.MOST_LEVELS
    truth = np.array([0.16, 0.36, 0.16, 0.0625, 0.1225])
    error = np.abs(found.variance / truth - 1)
    assert (error < [0.25, 0.55, 0.45, 0.25, 0.3]).all()
    assert found.answer == pytest.approx(0.64, rel=0.03)


def test_what_cannot_be_told_apart_is_nan() -> None:
    """One edit a source: the edit is the source. One method: rater by method is the rater.
    One rater has no deviation, and rater by method is the method.
    """
    design = simulated.complete(8, 6, 2)
    found = vote_components(votes_of(design, simulated.values(design, np.zeros(2), rng(5))))
    assert np.isnan(found.variance).tolist() == [False, False, True, False, False]
    assert found.of("edit") == 0 and found.of("moon") == 0
    design = simulated.complete(8, 6, 1, edits_each=2)
    found = vote_components(votes_of(design, simulated.values(design, np.zeros(1), rng(6))))
    assert np.isnan(found.variance).tolist() == [False, False, False, True, True]
    design = simulated.complete(1, 6, 2, edits_each=2)
    found = vote_components(votes_of(design, simulated.values(design, np.zeros(2), rng(7))))
    assert np.isnan(found.variance).tolist() == [True, False, False, True, False]


def test_equal_votes_have_no_variance_and_two_votes_no_answer() -> None:
    design = simulated.complete(4, 4, 2)
    flat = vote_components(votes_of(design, 2.0 + design["method"]))
    assert flat.answer == 0 and np.nan_to_num(flat.variance).tolist() == [0] * 5
    design = simulated.complete(1, 1, 2)
    bare = vote_components(votes_of(design, np.array([1.0, 2])))
    assert np.isnan(bare.answer)
    with pytest.raises(UserError, match="too few votes"):
        deviations_of(bare)
    with pytest.raises(ValueError, match="need votes"):
        variance_components(np.zeros(0), np.zeros(0, int), {})


def test_icc_is_the_published_one() -> None:
    """Shrout & Fleiss (1979), table 4: ICC(2,1) = .29, ICC(2,4) = .62; to more digits from the mean
    squares, (B - E) / (B + 3 E + 4 (J - E) / 6) and (B - E) / (B + (J - E) / 6).
    """
    item, rater = (axis.ravel() for axis in np.indices(SHROUT_FLEISS.shape))
    found = intraclass_correlation(SHROUT_FLEISS.ravel(), item, rater)
    b, j, e = 11.0 + 29 / 120, 32.0 + 35 / 72, 1.0 + 7 / 360  # 11.24167, 32.48611, 1.01944
    assert found.k == 4
    assert found.single == pytest.approx((b - e) / (b + 3 * e + 4 * (j - e) / 6), rel=1e-6)
    assert found.average == pytest.approx((b - e) / (b + (j - e) / 6), rel=1e-6)
    assert (round(found.single, 2), round(found.average, 2)) == (0.29, 0.62)
    one = intraclass_correlation(SHROUT_FLEISS.ravel(), item, rater, k=1)
    assert one.average == one.single


def test_icc_of_the_average_predicts_the_correlation_with_the_truth() -> None:
    """sqrt(average) is the correlation of MOS and true quality: incomplete design, 400 items of 8
    votes by 60 raters, one study, correlation known to about 1%.
    """
    draw = rng(8)
    quality, bias = draw.normal(3, 0.7, 400), draw.normal(0, 0.3, 60)
    rater = np.argsort(draw.random((400, 60)), axis=1)[:, :8].ravel()
    item = np.repeat(np.arange(400), 8)
    value = quality[item] + bias[rater] + draw.normal(0, 0.8, 3200)
    found = intraclass_correlation(value, item, rater)
    mos = np.bincount(item, value) / 8
    assert found.average**0.5 == pytest.approx(np.corrcoef(mos, quality)[0, 1], abs=0.02)
    assert found.rater == pytest.approx(0.09, rel=0.5) and found.answer == pytest.approx(
        0.64, rel=0.1
    )


@pytest.mark.parametrize(("raters", "items"), [(1, 5), (5, 1)])
def test_icc_has_no_answer_for_one_rater_or_one_item(raters: int, items: int) -> None:
    item, rater = (axis.ravel() for axis in np.indices((items, raters)))
    found = intraclass_correlation(rng(9).normal(size=len(item)), item, rater)
    assert np.isnan([found.single, found.average]).all()


def test_power_by_hand() -> None:
    """V = 2 (.0625/24 + .1225/30 + .64/360) = .0169305...; t(.975, 23) = 2.0687, t(.8, 23) = .8583:
    difference 2.9270 * .130117 = .38085.
    """
    found = detectable_difference(Deviations(0.25, 0.35, 0.8), 24, 30, 360)
    assert found.error == pytest.approx(0.130117, abs=1e-5)
    assert found.difference == pytest.approx(0.3808, abs=1e-3)
    assert found.freedom == 23


def test_power_at_another_level_is_the_equation_written_out() -> None:
    """(t_.995 + t_.9) sqrt(2 (.2^2 / I + .4^2 / J + .9^2 / N)), t of scipy; to 1e-12."""
    for raters, sources, ratings in ((24, 30, 360), (100, 30, 1500), (12, 29, 127)):
        freedom = min(raters, sources) - 1
        times = scipy.stats.t.ppf(0.995, freedom) + scipy.stats.t.ppf(0.9, freedom)
        planned = times * np.sqrt(2 * (0.04 / raters + 0.16 / sources + 0.81 / ratings))
        size = (raters, sources, ratings)
        found = detectable_difference(Deviations(0.2, 0.4, 0.9), *size, alpha=0.01, power=0.9)
        assert found.difference == pytest.approx(planned, abs=1e-12)


def test_the_fewest_raters_are_the_fewest() -> None:
    parts = Deviations(0.25, 0.35, 0.8)
    found = raters_needed(parts, 0.35, 40, 10)
    assert found.difference <= 0.35 and found.ratings == 10 * found.raters
    fewer = detectable_difference(parts, found.raters - 1, 40, 10 * (found.raters - 1))
    assert fewer.difference > 0.35


def test_what_no_study_finds_is_said() -> None:
    """Sources alone leave an error of sqrt(2 .1225 / 10) = .157."""
    parts = Deviations(0.25, 0.35, 0.8)
    with pytest.raises(UserError, match=r"no number of raters finds 0\.2 in 10 sources"):
        raters_needed(parts, 0.2, 10, 5)
    assert math.isinf(detectable_difference(parts, 1, 30, 30).difference)
    with pytest.raises(ValueError, match="counts >= 1"):
        detectable_difference(parts, 0, 30, 30)
    with pytest.raises(ValueError, match="above 0"):
        raters_needed(parts, 0, 30, 30)


@pytest.mark.slow
def test_a_pilot_predicts_the_error_of_a_study() -> None:
    """Pilots of 24 raters x 30 sources, half of the sources a rater, both methods: the error they
    predict for that size, averaged over 40 pilots (root mean square), within 10% of the deviation
    of the difference over 1,500 studies (known to 1.8%).
    """
    draw = rng(10)
    design = simulated.complete(24, 30, 2)
    order = np.argsort(draw.random((24, 30)), axis=1) < 15
    keep = order[design["rater"], design["edit"]]
    design = {axis: codes[keep] for axis, codes in design.items()}
    raw = votes_of(design, np.ones(len(design["rater"])))
    effects, squares = [], []
    for number in range(1500):
        value = simulated.values(design, np.zeros(2), draw, rounded=False)
        votes = raw._replace(value=value)
        effects.append(mos_difference(votes, 0, 1).mid)
        if number < 40:
            parts = deviations_of(vote_components(votes))
            squares.append(difference_error(parts, 24, 30, 360) ** 2)
    assert math.sqrt(np.mean(squares)) == pytest.approx(np.std(effects), rel=0.1)
