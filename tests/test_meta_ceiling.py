"""How well people agree with people: split halves and raters as metrics."""

import numpy as np
import pytest

from evaluation.stats.meta import (
    KINDS,
    LEVELS,
    Kind,
    Level,
    correlate,
    leave_one_rater_out,
    mean_votes,
    spearman_brown,
    split_half,
    tie_calibrated_accuracy,
)

NAN = np.nan


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def panel(seed: int, raters: int, items: int = 60, noise: float = 1.0) -> np.ndarray:
    """Votes of parallel raters: a true value of variance 1 plus each rater's own noise."""
    draw = rng(seed)
    truth = draw.normal(size=(4, items, 1))
    return truth + noise * draw.normal(size=(4, items, raters))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", KINDS)
def test_two_raters_have_one_split(level: Level, kind: Kind) -> None:
    """The halves are the two raters: plain correlation of the one with the other."""
    votes = np.round(panel(1, 2, items=12))
    votes[0, 3, 1] = votes[2, 5, 0] = NAN
    found = split_half(votes, level=level, kind=kind, rng=rng(), splits=5)
    expected = correlate(votes[:, :, 0], votes[:, :, 1], level=level, kind=kind).value
    assert found[:3] == pytest.approx((expected, expected, expected), abs=1e-12)
    assert (found.splits, found.raters, found.missing) == (5, 1, 2)


def test_splits_of_four_raters_are_the_three_there_are() -> None:
    """{01|23}, {02|13}, {03|12}, equally likely: the mean of many splits is near their mean."""
    votes = panel(2, 4, items=15)
    halves = ([0, 1], [0, 2], [0, 3])
    values = [
        correlate(
            votes[:, :, half].mean(axis=2), np.delete(votes, half, axis=2).mean(axis=2),
            level="global",
        ).value
        for half in halves
    ]  # fmt: skip
    found = split_half(votes, level="global", rng=rng(), splits=3000)
    assert found.mean == pytest.approx(np.mean(values), abs=4 * np.std(values) / 3000**0.5)
    assert (found.low, found.high) == pytest.approx((min(values), max(values)))


def test_reliability_and_ceiling_of_parallel_raters() -> None:
    """Variance 1 of truth, 1 of a vote's noise: the mean of 8 raters has reliability
    1 / (1 + 1/8) = 8/9, and correlates with the truth by its root, 0.943."""
    found = split_half(panel(3, 8, items=2000), level="global", rng=rng(), splits=50)
    assert found.ceiling == pytest.approx((8 / 9) ** 0.5, abs=0.006)
    assert found.mean == pytest.approx(1 / (1 + 1 / 4), abs=0.015)


def test_of_an_odd_panel_one_rater_sits_out() -> None:
    found = split_half(panel(4, 7), level="global", rng=rng(), splits=20)
    assert found.raters == 3
    # Halves of three: 1 / (1 + 1/3); of 3 and 4 the correlation would be higher.
    assert found.mean == pytest.approx(3 / 4, abs=0.05)


def test_spearman_brown_by_hand() -> None:
    assert spearman_brown(0.6) == pytest.approx(0.75)
    assert spearman_brown(0.5, times=4) == pytest.approx(0.8)
    assert spearman_brown(0) == 0
    assert np.isnan(spearman_brown(-0.1))


def test_rank_coefficients_get_no_reliability() -> None:
    found = split_half(panel(5, 6), level="item", kind="kendall_b", rng=rng(), splits=5)
    assert np.isfinite(found.mean)
    assert np.isnan(found.ceiling)


@pytest.mark.parametrize("raters", [0, 1])
def test_fewer_than_two_raters_have_no_halves(raters: int) -> None:
    found = split_half(np.ones((3, 4, raters)), level="item", rng=rng())
    assert np.isnan(found.mean) and np.isnan(found.ceiling) and found.splits == 0


def test_raters_who_never_met_share_no_cell() -> None:
    votes = np.full((2, 4, 2), NAN)
    votes[:, :2, 0], votes[:, 2:, 1] = 3, 4
    found = split_half(votes, level="global", rng=rng(), splits=3)
    assert np.isnan(found.mean) and found.splits == 0 and found.missing == 8


def test_equal_votes_have_no_correlation() -> None:
    found = split_half(np.full((3, 4, 4), 2.0), level="item", rng=rng(), splits=4)
    assert np.isnan(found.mean)
    zero = split_half(np.full((3, 4, 4), 2.0), level="item", constants="zero", rng=rng(), splits=4)
    assert zero.mean == 0


def test_each_rater_is_compared_with_the_others_only() -> None:
    """Three raters: (1, 2, 3), (1, 2, 3) and (3, 2, 1) on three systems of one item.

    Rater 0 against the mean of 1 and 2, (2, 2, 2): none. Rater 2 against (1, 2, 3): -1.
    """
    votes = np.array([[1.0, 2, 3], [1, 2, 3], [3, 2, 1]]).T[:, None, :]
    found = leave_one_rater_out(votes, lambda m, h: correlate(m, h, level="item").value)
    assert found.values == pytest.approx([NAN, NAN, -1], nan_ok=True)
    assert (found.mean, found.low, found.high, found.raters) == pytest.approx((-1, -1, -1, 1))
    assert list(found.votes) == [3, 3, 3]


def test_a_rater_gets_the_number_a_metric_would_get() -> None:
    votes = np.round(panel(6, 4, items=10))
    votes[rng(1).random(votes.shape) < 0.3] = NAN
    found = leave_one_rater_out(votes, lambda m, h: tie_calibrated_accuracy(m, h).value)
    expected = [
        tie_calibrated_accuracy(votes[:, :, r], mean_votes(np.delete(votes, r, axis=2))).value
        for r in range(4)
    ]
    assert found.values == pytest.approx(expected, abs=0)
    assert found.mean == pytest.approx(np.mean(expected))


def test_one_rater_has_nobody_to_agree_with() -> None:
    found = leave_one_rater_out(
        np.ones((3, 4, 1)), lambda m, h: correlate(m, h, level="item").value
    )
    assert np.isnan(found.mean) and found.raters == 0 and list(found.votes) == [12]


def test_means_are_not_votes() -> None:
    with pytest.raises(ValueError, match="systems, items, raters"):
        split_half(np.ones((3, 4)), level="item", rng=rng())
    with pytest.raises(ValueError, match="systems, items, raters"):
        leave_one_rater_out(np.ones((3, 4)), lambda m, h: 0.0)
