"""What a difference in a metric is worth: the curve by statsmodels, its interval by simulation."""

import numpy as np
import pytest
import statsmodels.api as sm

from evaluation.stats.meta import Worth, difference_worth
from evaluation.stats.resampling import Resampling


def drawn(
    seed: int, slope: float = 1.0, sources: int = 20, raters: int = 5
) -> tuple[np.ndarray, ...]:
    """Three systems on three edits a source; raters prefer by a logistic curve, never tie."""
    rng = np.random.default_rng(seed)
    metric = rng.normal(size=(3, 3 * sources))
    # Votes whose differences are logistic: a Gumbel draw on top of the merit (Luce's choice).
    votes = slope * metric[:, :, None] + rng.gumbel(size=(*metric.shape, raters))
    return metric, votes, np.repeat(np.arange(sources), 3)


def worth(metric: np.ndarray, votes: np.ndarray, sources: np.ndarray, **more: int) -> Worth:
    how = Resampling(np.random.default_rng(more.get("seed", 0)), more.get("resamples", 60))
    return difference_worth(metric, votes, sources=sources, resampling=how)


def test_the_slope_is_that_of_statsmodels() -> None:
    """All pairs of systems, shares of raters as outcomes, every source alike, and one tie more."""
    metric, votes, sources = drawn(1)
    found = worth(metric, votes, sources)
    x, y = [], []
    for a, b in ((0, 1), (0, 2), (1, 2)):
        x.append(metric[a] - metric[b])
        y.append((votes[a] > votes[b]).mean(axis=1))
    deviation = np.sqrt(np.mean(np.concatenate(x) ** 2))
    model = sm.GLM(
        np.append(np.concatenate(y), 0.5), np.append(np.concatenate(x), deviation),
        family=sm.families.Binomial(),
    )  # fmt: skip
    assert found.slope == pytest.approx(model.fit().params[0], rel=1e-8)
    assert found.deviation == pytest.approx(deviation)
    assert (found.pairs, found.sources) == (180, 20)


def test_sources_count_alike_whatever_their_edits() -> None:
    """A source that stands twice with the same edits weighs as before."""
    metric, votes, sources = drawn(2)
    again = sources == 4
    doubled = [np.concatenate([each, each[:, again]], axis=1) for each in (metric, votes)]
    twice = worth(*doubled, np.concatenate([sources, sources[again]]))
    # More pairs in all, so that the one tie more weighs a little less.
    assert twice.slope == pytest.approx(worth(metric, votes, sources).slope, rel=0.01)


def test_which_system_is_named_first_does_not_matter() -> None:
    metric, votes, sources = drawn(3)
    first, turned = worth(metric, votes, sources), worth(metric[::-1], votes[::-1], sources)
    assert turned.slope == pytest.approx(first.slope, rel=1e-9)
    assert [one.share for one in turned.slices] == pytest.approx([o.share for o in first.slices])


def test_the_curve_goes_both_ways() -> None:
    one = Worth(2.0, 1.0, 3.0, 0.5, 10, 10, ())
    assert one.probability(0.0) == (0.5, 0.5, 0.5)
    assert one.probability(np.log(3) / 2)[1] == pytest.approx(0.75)
    assert one.difference(0.75) == pytest.approx((np.log(3) / 3, np.log(3) / 2, np.log(3)))
    assert one._replace(low=-0.1).difference(0.75)[2] == np.inf


def test_people_who_always_agree_with_the_metric_give_a_slope_that_is_finite() -> None:
    metric, _, sources = drawn(4)
    found = worth(metric, np.repeat(metric[:, :, None], 3, axis=2), sources)
    assert np.isfinite(found.slope) and found.probability(found.deviation)[1] > 0.95
    assert {one.share for one in found.slices} == {1.0}


def test_ties_count_half_and_means_will_do() -> None:
    metric, votes, sources = drawn(5)
    assert worth(metric, 0 * votes, sources).slope == pytest.approx(0, abs=1e-12)
    means = worth(metric, votes.mean(axis=2), sources)
    assert means.pairs == 180 and means.slope > 0


def test_votes_of_different_raters_are_compared_where_nobody_saw_both() -> None:
    """Rater 0 saw system 0 only, rater 1 system 1 only: one pair of votes an item, by hand."""
    metric = np.array([[1.0, 0.0], [0.0, 1.0]])
    votes = np.full((2, 2, 2), np.nan)
    votes[0, :, 0], votes[1, :, 1] = [5, 5], [3, 5]
    found = worth(metric, votes, np.arange(2))
    # Item 0: ahead by 1 and preferred; item 1: behind by 1 and a tie.
    assert [(one.share, one.pairs) for one in found.slices] == [(0.75, 2)]


def test_a_metric_that_never_differs_is_worth_nothing_that_is_known() -> None:
    metric, votes, sources = drawn(6)
    assert np.isnan(worth(0 * metric, votes, sources).slope)
    assert np.isnan(worth(np.full_like(metric, np.nan), votes, sources).slope)


@pytest.mark.slow
def test_intervals_hold_the_slope_that_is_true() -> None:
    """Luce's choice: the slope of merits with Gumbel noise is the log odds. 200 studies."""
    held = [
        one.low <= 0.8 <= one.high
        for one in (
            worth(*drawn(seed, 0.8, raters=8), seed=seed, resamples=200) for seed in range(200)
        )
    ]
    assert 0.9 < np.mean(held) <= 1
