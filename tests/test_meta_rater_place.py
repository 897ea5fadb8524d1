"""The place of a metric among raters: by hand, by scipy's correlation, and on simulated panels."""

import numpy as np
import pytest
import scipy.stats

from evaluation.stats.meta import RaterPlace, rater_places
from evaluation.stats.resampling import Resampling

HOW = Resampling(np.random.default_rng(0), 100)


def panel(noise: tuple[float, ...], seed: int = 0, items: int = 40) -> tuple[np.ndarray, ...]:
    """Three systems; rater r sees the truth with noise[r]. Returns truth and votes."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(3, items))
    return truth, truth[..., None] + rng.normal(size=(3, items, len(noise))) * np.array(noise)


def places(metrics: np.ndarray, votes: np.ndarray, **more: np.ndarray) -> list[RaterPlace]:
    return rater_places(
        metrics, votes, resampling=HOW._replace(rng=np.random.default_rng(1)), **more
    )


def test_agreements_are_scipy_s_against_the_mean_of_the_others() -> None:
    truth, votes = panel((0.5, 1.0, 1.5))
    metric = truth + np.random.default_rng(4).normal(size=truth.shape)
    (found,) = places(metric[None], votes)
    own, its = [], []
    for rater in range(3):
        others = np.delete(votes, rater, axis=2).mean(axis=2).ravel()
        own.append(scipy.stats.spearmanr(votes[..., rater].ravel(), others)[0])
        its.append(scipy.stats.spearmanr(metric.ravel(), others)[0])
    assert found.agreement == pytest.approx(np.mean(its)) and found.raters == 3
    assert found.of_raters == pytest.approx(np.mean(own))
    assert found.place == 1 + sum(o > i for o, i in zip(own, its, strict=True))


def test_the_truth_comes_first_and_noise_below_all() -> None:
    truth, votes = panel((0.6, 0.8, 1.0, 1.2))
    noise = np.random.default_rng(9).normal(size=truth.shape)
    first, last = places(np.stack([truth, noise]), votes)
    assert (first.place, first.low, first.high) == (1, 1, 1) and not first.below_all
    assert (last.place, last.low) == (5, 5) and last.below_all


def test_a_metric_like_a_middling_rater_stands_in_the_middle() -> None:
    truth, votes = panel((0.3, 0.5, 2.0, 3.0), items=120)
    metric = truth + np.random.default_rng(2).normal(size=truth.shape)
    (found,) = places(metric[None], votes)
    assert found.place == 3 and found.low >= 2 and found.high <= 4


def test_raters_of_few_cells_or_one_opinion_are_not_counted() -> None:
    truth, votes = panel((0.5, 0.5, 0.5, 0.5))
    votes[..., 2] = 3.0
    votes[:, 6:, 3] = np.nan
    (found,) = places(truth[None], votes)
    assert found.raters == 2


def test_a_rater_who_is_alone_on_every_cell_follows_nobody() -> None:
    truth, votes = panel((0.5,))
    assert places(truth[None], votes)[0].raters == 0
    assert np.isnan(places(truth[None], votes)[0].place)


def test_a_constant_metric_and_one_without_values() -> None:
    truth, votes = panel((0.5, 0.6))
    flat, none = places(np.stack([0 * truth, np.full_like(truth, np.nan)]), votes)
    assert flat.below_all and flat.agreement == 0
    assert none.raters == 0


def test_items_of_one_source_are_drawn_together() -> None:
    """Twenty copies of two items are two sources: the interval is as wide as there are two."""
    truth, votes = panel((0.9, 0.9, 0.9), items=2, seed=3)
    again = np.repeat(votes, 20, axis=1)
    wide = places(np.repeat(truth, 20, axis=1)[None], again, sources=np.repeat([0, 1], 20))[0]
    narrow = places(np.repeat(truth, 20, axis=1)[None], again)[0]
    assert wide.high - wide.low >= narrow.high - narrow.low
