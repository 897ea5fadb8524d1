"""People in the place of a metric: what halves of a panel and single votes reach."""

import numpy as np
import pytest

from evaluation.stats.meta import (
    correlate,
    half_panels,
    one_vote,
    split_half,
    systems_alone,
    tie_calibrated_accuracy,
)


def accuracy(one: np.ndarray, rest: np.ndarray) -> float:
    return tie_calibrated_accuracy(one, rest).value


def pearson(one: np.ndarray, rest: np.ndarray) -> float:
    return correlate(one, rest, level="global").value


def votes(seed: int = 0, noise: float = 1.0) -> np.ndarray:
    """Six raters on three systems and forty items, truth of deviation 1, answers of `noise`."""
    draw = np.random.default_rng(seed)
    truth = draw.normal(size=(3, 40, 1))
    return truth + noise * draw.normal(size=(3, 40, 6))


def test_raters_who_agree_fully_reach_the_most_there_is() -> None:
    alike = np.repeat(votes(noise=0)[:, :, :1], 6, axis=2)
    for make in (half_panels, one_vote):
        found = make(alike, accuracy, rng=np.random.default_rng(0), draws=20)
        assert (found.mean, found.low, found.high, found.draws) == (1, 1, 1, 20)


def test_half_panels_are_the_split_halves_of_the_ceiling() -> None:
    """Two ways to the same mean over 400 random splits; a split's deviation is near 0.03, so two
    means differ by less than 4 * 0.03 * sqrt(2 / 400) = 0.009."""
    data = votes()
    found = half_panels(data, pearson, rng=np.random.default_rng(1), draws=400)
    expected = split_half(data, level="global", rng=np.random.default_rng(2), splits=400)
    assert found.mean == pytest.approx(expected.mean, abs=0.009)
    assert found.votes == 3


def test_one_vote_follows_the_others_as_the_variances_say() -> None:
    """Vote: variance 1 + 1. Mean of the five others: 1 + 1 / 5. Covariance 1. So the correlation
    is 1 / sqrt(2 * 1.2) = 0.645; standard error of 120 cells (1 - r^2) / sqrt(120) = 0.053."""
    found = one_vote(votes(), pearson, rng=np.random.default_rng(1))
    assert found.mean == pytest.approx(0.645, abs=0.16)
    assert found.votes == 1


def test_one_vote_is_there_where_no_rater_sees_two_systems() -> None:
    """Raters 0 and 1 see system 0 only, 2 and 3 system 1, 4 and 5 system 2."""
    data = votes(noise=0)
    for rater in range(6):
        data[np.arange(3) != rater // 2, :, rater] = np.nan
    found = one_vote(data, accuracy, rng=np.random.default_rng(0), draws=10)
    assert found.mean == 1


def test_too_few_votes_give_no_value() -> None:
    data = votes()[:, :, :1]
    for make in (half_panels, one_vote):
        found = make(data, accuracy, rng=np.random.default_rng(0), draws=5)
        assert found.draws == 0 and np.isnan([found.mean, found.low, found.votes]).all()


def test_systems_alone_are_their_means_on_the_other_sources() -> None:
    """By hand: two systems, sources (0, 0, 1). On source 0 the values of item 2, on source 1 the
    means of items 0 and 1; the missing cell is not counted."""
    human = np.array([[1.0, 3, 5], [2, np.nan, 4]])
    found = systems_alone(human, np.array([0, 0, 1]))
    assert found == pytest.approx(np.array([[5.0, 5, 2], [4, 4, 2]]))
    assert np.isnan(systems_alone(human, np.zeros(3))).all()
