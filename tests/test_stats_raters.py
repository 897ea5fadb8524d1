"""The rater model and the screening rules: against sureal, hand counts and simulated truth."""

import contextlib
import io

import numpy as np
import pytest
import scipy.stats
import sureal
from sureal.dataset_reader import RawDatasetReader
from sureal.tools.misc import empty_object

from evaluation.stats.agreement import bt500, leave_one_out, p913, straight_line
from evaluation.stats.ratings import rater_model


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def long(table: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return value, item and rater of a table (items, raters) with NaN where there is no vote."""
    item, rater = np.nonzero(np.isfinite(table))
    return table[item, rater], item, rater


def study(
    items: int, raters: int, share: float, seed: int, careless: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return votes (items, raters) on 1 to 5 with gaps, and the truth: quality, bias, deviation."""
    draw = rng(seed)
    quality, bias = draw.uniform(1.5, 4.5, items), draw.normal(0, 0.3, raters)
    deviation = draw.uniform(0.4, 0.9, raters)
    votes = quality[:, None] + bias + deviation * draw.normal(size=(items, raters))
    lazy = draw.random(raters) < careless
    votes[:, lazy] = draw.uniform(0.5, 5.5, (items, raters))[:, lazy]
    votes = np.clip(np.rint(votes), 1, 5)
    votes[draw.random(votes.shape) > share] = np.nan
    return votes, quality, bias - bias.mean(), deviation


def by_sureal(model: type, table: np.ndarray) -> dict:  # type: ignore[type-arg]
    """Return what sureal 0.9.0 makes of votes (items, raters); it prints every step."""
    dataset = empty_object()
    dataset.ref_videos = [{"content_id": 0, "path": "", "content_name": "a"}]
    dataset.dis_videos = [
        {
            "content_id": 0,
            "asset_id": at,
            "path": "",
            "os": {f"{i:03d}": float(vote) for i, vote in enumerate(row) if np.isfinite(vote)},
        }
        for at, row in enumerate(table)
    ]
    with contextlib.redirect_stdout(io.StringIO()), np.errstate(invalid="ignore"):
        reader = RawDatasetReader(dataset)
        return dict(model(reader).run_modeling())  # type: ignore[attr-defined]


@pytest.mark.parametrize("share", [1.0, 0.6])
def test_plain_p910_agrees_with_sureal(share: float) -> None:
    """sureal 0.9.0 `P910AnnexEModel`, complete and incomplete votes, to 1e-9."""
    table, *_ = study(40, 10, share, seed=1)
    reference = by_sureal(sureal.P910AnnexEModel, table)
    found = rater_model(*long(table), shrinkage=0)
    assert found.converged and found.steps == reference["num_iter"]
    assert found.quality == pytest.approx(reference["quality_scores"], abs=1e-9)
    assert found.bias == pytest.approx(reference["observer_bias"], abs=1e-9)
    assert found.inconsistency == pytest.approx(reference["observer_inconsistency"], abs=1e-9)


def test_shrinkage_by_hand() -> None:
    """Two raters, one a step above the other on two items of which they agree: residuals are 0, so
    bias is -+1/2, nu 0, items 2.5 and 3.5. A third vote apart gives SS, pooled and nu by hand:
    see the lines below.
    """
    table = np.array([[2.0, 3.0], [3.0, 4.0]])
    found = rater_model(*long(table))
    assert found.bias.tolist() == [-0.5, 0.5] and found.quality.tolist() == [2.5, 3.5]
    assert found.inconsistency.tolist() == [0, 0]
    # One rater alone: the items are the votes, and there is no residual to judge by.
    alone = rater_model(np.array([1.0, 5]), np.array([0, 1]), np.array([0, 0]))
    assert alone.quality.tolist() == [1, 5] and alone.bias.tolist() == [0]
    # Much shrinkage: all weights equal, variances all the pooled one. Two-way additive fit of a
    # balanced table: residual = vote - row mean - column mean + mean.
    table, *_ = study(12, 5, 1.0, seed=2)
    found = rater_model(*long(table), shrinkage=1e9)
    rows, columns = table.mean(axis=1, keepdims=True), table.mean(axis=0, keepdims=True)
    residual = table - rows - columns + table.mean()
    assert found.quality == pytest.approx(rows[:, 0], abs=1e-6)
    assert found.bias == pytest.approx(columns[0] - table.mean(), abs=1e-6)
    assert found.inconsistency == pytest.approx(np.full(5, residual.std()), abs=1e-6)


def test_known_raters_are_recovered() -> None:
    """200 items x 30 raters: biases and deviations within their sampling error. A bias is known to
    about .7 / sqrt(200) = .05; a deviation is found with correlation > .9; rounding to grades adds
    variance 1/12, so deviations are compared after it.
    """
    table, quality, bias, deviation = study(200, 30, 1.0, seed=3)
    found = rater_model(*long(table))
    assert np.abs(found.bias - bias).max() < 0.2
    assert np.corrcoef(found.bias, bias)[0, 1] > 0.95
    assert np.corrcoef(found.inconsistency, deviation)[0, 1] > 0.9
    assert np.corrcoef(found.quality, quality)[0, 1] > 0.98
    assert not found.few_votes.any()


@pytest.mark.slow
def test_shrinkage_mends_what_plain_p910_spoils() -> None:
    """60 items, 10 votes each, 6 votes a rater (100 raters), 15% careless, 20 studies: plain P.910
    correlates less with the truth than the plain mean, the shrunk model more than both.
    """
    scores = []
    for seed in range(20):
        draw = rng(100 + seed)
        quality, bias = draw.uniform(1.5, 4.5, 60), draw.normal(0, 0.4, 100)
        deviation = draw.uniform(0.5, 1.0, 100)
        item = np.concatenate([draw.permutation(60) for _ in range(10)])
        rater = np.arange(600) // 6
        value = quality[item] + bias[rater] + deviation[rater] * draw.normal(size=600)
        lazy = (draw.random(100) < 0.15)[rater]
        value = np.clip(np.rint(np.where(lazy, draw.uniform(0.5, 5.5, 600), value)), 1, 5)
        mean = np.bincount(item, value) / 10
        plain, shrunk = (rater_model(value, item, rater, shrinkage=k) for k in (0, 5))
        scores.append(
            [np.corrcoef(s, quality)[0, 1] for s in (mean, plain.quality, shrunk.quality)]
        )
        assert plain.few_votes.all()
    mean, plain, shrunk = np.mean(scores, axis=0)
    assert plain < mean - 0.01 and shrunk > mean + 0.01


def test_wrong_votes_raise() -> None:
    with pytest.raises(ValueError, match="need as many items"):
        rater_model(np.zeros(0), np.zeros(0, int), np.zeros(0, int))
    with pytest.raises(ValueError, match="shrinkage"):
        rater_model(np.ones(1), np.zeros(1, int), np.zeros(1, int), shrinkage=-1)
    with pytest.raises(ValueError, match="finite"):
        rater_model(np.array([np.nan]), np.zeros(1, int), np.zeros(1, int))


def test_bt500_agrees_with_sureal() -> None:
    """sureal 0.9.0 `BT500Model`, which divides by N, on complete votes without an item of equal
    ones; some raters careless, so that one is flagged.
    """
    table, *_ = study(60, 16, 1.0, seed=4, careless=0.15)
    assert (table.std(axis=1) > 0).all()
    reference = by_sureal(sureal.BT500Model, table)
    found = bt500(*long(table), divisor="N")
    assert found.flagged.tolist() == reference["observer_rejected"]
    assert 0 < found.flagged.sum() < 16
    assert found.share == pytest.approx(reference["observer_rejected_1st_stats"], abs=1e-12)
    second = np.array(reference["observer_rejected_2nd_stats"])
    assert found.imbalance == pytest.approx(second, abs=1e-12, nan_ok=True)


def test_bt500_takes_the_deviation_that_the_recommendation_defines() -> None:
    """Five raters, votes 1, 3, 3, 3, 5 on items 0 to 29: mean 3, sum of squares 8, kurtosis
    (32 / 5) / (8 / 5)^2 = 2.5, so limits are 3 -+ 2 s. With N: s = 1.265, limit 2.530; with N - 1:
    s = 1.414, limit 2.828; the first and last vote lie 2 away, inside both. With votes 0, 3, 3, 3,
    3, 3, 3, 6: squares 18, kurtosis (162 / 8) / (18 / 8)^2 = 4, limit with N 2 x 1.5 = 3 is
    reached, with N - 1 2 x 1.604 = 3.207 is not.
    """
    table = np.tile([0.0, 3, 3, 3, 3, 3, 3, 6], (30, 1))
    table[::2] = table[::2, ::-1]
    by_n = bt500(*long(table), divisor="N")
    assert by_n.share.tolist() == [1, 0, 0, 0, 0, 0, 0, 1]
    assert by_n.flagged.tolist() == [True, *[False] * 6, True]
    defined = bt500(*long(table))
    assert defined.share.tolist() == [0] * 8 and not defined.flagged.any()
    five = np.tile([1.0, 3, 3, 3, 5], (30, 1))
    assert not bt500(*long(five)).share.any() and not bt500(*long(five), divisor="N").share.any()


def test_bt500_says_nothing_where_all_agree() -> None:
    """Every vote would be at both of the limits of an item without variance."""
    found = bt500(*long(np.full((10, 4), 3.0)))
    assert not found.flagged.any() and found.share.tolist() == [0] * 4
    assert np.isnan(found.imbalance).all()


def test_p913_flags_the_rater_who_votes_against_the_others() -> None:
    """Raters 0 to 3 agree up to noise, rater 4 turns the scale round: r1 near -1, others stay once
    the rater is out. r1 by numpy: correlation with the mean of the other columns.
    """
    table, *_ = study(30, 5, 1.0, seed=5)
    table[:, 4] = 6 - table[:, 0]
    method = np.arange(30) % 3
    value, item, rater = long(table)
    found = p913(value, item, rater, method[item], r1=0.6)
    assert found.flagged.tolist() == [False] * 4 + [True] and found.order.tolist() == [0] * 4 + [1]
    expected = np.corrcoef(table[:, 4], table[:, :4].mean(axis=1))[0, 1]
    assert found.r1[4] == pytest.approx(expected, abs=1e-12)
    kept = np.corrcoef(table[:, 0], table[:, 1:4].mean(axis=1))[0, 1]  # without rater 4
    assert found.r1[0] == pytest.approx(kept, abs=1e-12)
    means = np.stack([table[method == m].mean(axis=0) for m in range(3)])
    expected = np.corrcoef(means[:, 4], means[:, :4].mean(axis=1))[0, 1]
    assert found.r2[4] == pytest.approx(expected, abs=1e-12)


def test_p913_thresholds_are_settings_and_flags_follow_one_another() -> None:
    table, *_ = study(40, 8, 0.8, seed=6, careless=0.3)
    value, item, rater = long(table)
    nobody = p913(value, item, rater, item % 4, r1=-1.1, r2=-1.1)
    assert not nobody.flagged.any()
    some = p913(value, item, rater, item % 4)
    flagged = int(some.flagged.sum())
    assert sorted(some.order[some.flagged]) == list(range(1, flagged + 1)) and flagged >= 2


def against_others(table: np.ndarray, unit: np.ndarray, rater: int) -> float:
    """Correlate a rater's mean of each unit of items with the mean of all others' votes on it."""
    own, rest = table[:, rater], np.delete(table, rater, axis=1)
    pairs = [
        (own[unit == u][np.isfinite(own[unit == u])], rest[unit == u][np.isfinite(rest[unit == u])])
        for u in np.unique(unit)
    ]
    means = np.array([(a.mean(), b.mean()) for a, b in pairs if len(a) and len(b)]).reshape(-1, 2)
    if len(means) < 2 or min(np.ptp(means, axis=0)) < 1e-9:
        return np.nan
    return float(np.corrcoef(means.T)[0, 1])


@pytest.mark.parametrize("seed", range(4))
def test_p913_finds_what_starting_anew_after_each_flag_finds(seed: int) -> None:
    """Flags, their order and both correlations by loops over a table with gaps, to 1e-9; rater 0
    gives one grade only, 40% are careless.
    """
    table, *_ = study(24, 12, 0.3 + 0.2 * seed, seed=20 + seed, careless=0.4)
    table[np.isfinite(table[:, 0]), 0] = 3
    value, item, rater = long(table)
    found = p913(value, item, rater, item % 4)
    numbers, order, left = np.full((2, 12), np.nan), np.zeros(12, int), table.copy()
    while True:
        still = np.flatnonzero(order == 0)
        for row, unit in enumerate((np.arange(24), np.arange(24) % 4)):
            numbers[row, still] = [against_others(left, unit, r) for r in still]
        low = (numbers[0] < 0.75) & ~(numbers[1] >= 0.8) & (order == 0)
        if not low.any():
            break
        means = np.where(np.isnan(numbers[1]), numbers[0], numbers.mean(axis=0))
        worst = int(np.argmin(np.where(low, means, np.inf)))
        order[worst], left[:, worst] = order.max() + 1, np.nan
    assert found.order.tolist() == order.tolist() and order.max() >= 2 and order[0] == 0
    assert found.r1 == pytest.approx(numbers[0], abs=1e-9, nan_ok=True)
    assert found.r2 == pytest.approx(numbers[1], abs=1e-9, nan_ok=True)


def test_straight_line_by_hand() -> None:
    """Votes 3, 3, 3, 3: variance 0; 3, 3, 3, 4: 3/16 = .1875; a single vote has none."""
    value = np.array([3.0, 3, 3, 3, 3, 3, 3, 4, 5])
    rater = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2])
    found = straight_line(value, rater)
    assert found.flagged.tolist() == [True, False, False]
    assert found.variance[:2].tolist() == [0, 0.1875] and np.isnan(found.variance[2])
    assert straight_line(value, rater, least=0.2).flagged.tolist() == [True, True, False]


def test_leave_one_out_agrees_with_scipy() -> None:
    """scipy 1.17 `pearsonr` and `spearmanr` of each rater with the mean of the others' votes on the
    items they share; an incomplete table, to 1e-9.
    """
    table, *_ = study(25, 6, 0.6, seed=7)
    found = leave_one_out(*long(table))
    for rater in range(6):
        rest = np.delete(table, rater, axis=1)
        shared = np.isfinite(table[:, rater]) & np.isfinite(rest).any(axis=1)
        own, others = table[shared, rater], np.nanmean(rest[shared], axis=1)
        assert found.items[rater] == shared.sum()
        assert found.pearson[rater] == pytest.approx(scipy.stats.pearsonr(own, others)[0], abs=1e-9)
        expected = scipy.stats.spearmanr(own, others.round(9))[0]
        assert found.spearman[rater] == pytest.approx(expected, abs=1e-9)
    assert found.mean_pearson == pytest.approx(found.pearson.mean())


def test_leave_one_out_has_no_answer_for_one_rater_or_equal_votes() -> None:
    alone = leave_one_out(np.array([1.0, 2, 3]), np.arange(3), np.zeros(3, int))
    assert np.isnan([alone.pearson[0], alone.mean_spearman]).all() and alone.items.tolist() == [0]
    flat = leave_one_out(*long(np.column_stack([np.full(5, 3.0), np.arange(5.0)])))
    assert np.isnan(flat.pearson).all()
