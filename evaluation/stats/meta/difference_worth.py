"""What a difference in a metric is worth: how probably people prefer the edit that is ahead.

Of two methods on one edit a metric is d apart, and raters prefer one, or neither, which counts
half. The preference is modelled as a logistic curve through one half at d = 0,

    P(prefer the one ahead) = 1 / (1 + exp(-slope d))

so that it does not matter which of the two is named first. The slope is the maximum of the
likelihood in which every source counts alike, with one pair more that is a standard deviation apart
and a tie (the log-F prior of Greenland & Mansournia, Statistics in Medicine 34 (2015) 3133), which
keeps it finite where people always agree with the metric. Intervals resample sources and raters.
The shares of slices of d stand beside the curve: they show whether it fits.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np

from evaluation.stats.intervals import ratio
from evaluation.stats.meta.data import Sources, sources_of
from evaluation.stats.resampling import Resampling, percentile_interval
from evaluation.stats.two_way_cluster import two_way_weights

SLICES = 6
STEPS = 60  # of Newton's method, at most


class Slice(NamedTuple):
    """Pairs that are about as far apart."""

    difference: float  # mean
    share: float  # preferring the one ahead, ties half
    pairs: int


class Worth(NamedTuple):
    """What differences in a metric are worth; NaN where nothing can be said."""

    slope: float  # log odds per unit of the metric
    low: float
    high: float
    deviation: float  # root mean square difference of two methods on an edit
    pairs: int
    sources: int
    slices: tuple[Slice, ...]
    most: float = np.inf  # largest difference there was; beyond it the curve is a guess

    def probability(self, difference: float) -> tuple[float, float, float]:
        """Return low end, value and high end of the probability to be preferred so far ahead."""
        low, mid, high = (1 / (1 + np.exp(-np.clip(s * difference, -500, 500)))
                          for s in (self.low, self.slope, self.high))  # fmt: skip
        return float(low), float(mid), float(high)

    def difference(self, probability: float) -> tuple[float, float, float]:
        """Return the least, likeliest and greatest difference at which that share prefers it.

        probability: over one half. Infinite where the slope may be zero or less.
        """
        odds = np.log(probability / (1 - probability))
        found = [odds / s if s > 0 else np.inf for s in (self.high, self.slope, self.low)]
        return float(found[0]), float(found[1]), float(found[2])


NO_WORTH = Worth(np.nan, np.nan, np.nan, np.nan, 0, 0, ())


class _Pairs(NamedTuple):
    difference: np.ndarray  # float (pairs,)
    source: np.ndarray  # int (pairs,)
    prefer: np.ndarray  # float (pairs, raters): 1, .5 or 0 for the first; NaN where not known


def difference_worth(
    metric: np.ndarray,
    votes: np.ndarray,
    *,
    sources: np.ndarray | None = None,
    resampling: Resampling,
) -> Worth:
    """Return what differences in a metric are worth.

    metric: float (systems, items), more is better; NaN without a value.
    votes:  float (systems, items, raters), NaN without a vote, or means (systems, items). Where no
            rater saw two systems of an item, votes of different raters are compared, and raters
            are taken as they are.
    sources: (items,) labels; left out, each item is its own.
    """
    votes = votes[..., None] if votes.ndim == 2 else votes
    of = sources_of(votes.shape[1], sources)
    pairs = _pairs(metric, votes, of)
    if not len(pairs.difference) or not pairs.difference.any():
        return NO_WORTH
    one = np.ones((votes.shape[2], 1)) if pairs.prefer.shape[1] > 1 else np.ones((1, 1))
    slope = float(_slopes(pairs, one, np.ones((len(of.labels), 1)))[0])
    drawn = np.concatenate([_slopes(pairs, *weights) for weights in _draws(pairs, of, resampling)])
    there = len(np.unique(pairs.source))
    low, high = percentile_interval(drawn, resampling.confidence) if there > 1 else (np.nan, np.nan)
    deviation = float(np.sqrt(np.mean(pairs.difference**2)))
    counts = len(pairs.difference), there
    most = float(np.abs(pairs.difference).max())
    return Worth(slope, low, high, deviation, *counts, tuple(_slices(pairs)), most)


def _pairs(metric: np.ndarray, votes: np.ndarray, of: Sources) -> _Pairs:
    found = [_of_two(metric[[a, b]], votes[[a, b]], of.member)
             for a, b in combinations(range(len(metric)), 2)]  # fmt: skip
    kept = [one for one in found if len(one.difference)]
    if not kept:
        return _Pairs(np.zeros(0), np.zeros(0, np.int64), np.zeros((0, 1)))
    same = any(one.prefer.shape[1] > 1 for one in kept)
    kept = [one for one in kept if not same or one.prefer.shape[1] > 1]
    return _Pairs(*(np.concatenate(parts) for parts in zip(*kept, strict=True)))


def _of_two(metric: np.ndarray, votes: np.ndarray, member: np.ndarray) -> _Pairs:
    """Return the pairs of two systems, by the raters who saw both, or by all votes."""
    difference, there = metric[0] - metric[1], np.isfinite(votes)
    both = there.all(axis=0)
    if both.any() and votes.shape[2] > 1:
        prefer = np.where(both, 0.5 + 0.5 * np.sign(votes[0] - votes[1]), np.nan)
    else:
        first, second = votes[0][:, :, None], votes[1][:, None, :]
        signs = np.where(
            there[0][:, :, None] & there[1][:, None, :], np.sign(first - second), np.nan
        )
        counts = np.isfinite(signs).sum(axis=(1, 2))
        prefer = (0.5 + 0.5 * ratio(np.nansum(signs, axis=(1, 2)), counts))[:, None]
    keep = np.isfinite(difference) & np.isfinite(prefer).any(axis=1)
    return _Pairs(difference[keep], member[keep], prefer[keep])


def _draws(
    pairs: _Pairs, of: Sources, resampling: Resampling
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for raters, sources in two_way_weights(pairs.prefer.shape[1], len(of.labels), resampling):
        yield (raters if pairs.prefer.shape[1] > 1 else np.ones_like(raters)), sources


def _slopes(pairs: _Pairs, raters: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """Return the slope under weights of raters (raters, n) and of sources (sources, n): (n,)."""
    known = np.isfinite(pairs.prefer)
    counts = known.astype(np.float64) @ raters
    prefer = ratio(np.where(known, pairs.prefer, 0.0) @ raters, counts)
    _, member, size = np.unique(pairs.source, return_inverse=True, return_counts=True)
    # Every source counts alike; all together count as many as there are pairs.
    weight = (len(member) / len(size) / size[member])[:, None] * sources[pairs.source]
    weight = np.where(counts > 0, weight, 0.0)
    prefer = np.where(counts > 0, prefer, 0.5)
    scale = np.sqrt(np.mean(pairs.difference**2))
    return _newton(pairs.difference / scale, prefer, weight) / scale


def _newton(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the maxima of the penalised likelihoods, one a column; x has a mean square of one."""
    x = np.append(x, 1.0)[:, None]
    y = np.concatenate([y, np.full((1, y.shape[1]), 0.5)])
    weight = np.concatenate([weight, np.ones((1, weight.shape[1]))])
    slope = np.zeros(y.shape[1])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(x * slope, -500, 500)))
        gradient = (weight * (y - p) * x).sum(axis=0)
        step = gradient / np.maximum((weight * p * (1 - p) * x**2).sum(axis=0), 1e-9)
        slope += np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-10:
            break
    return slope


def _slices(pairs: _Pairs) -> Iterator[Slice]:
    """Yield shares of pairs by how far apart they are, about as many in each slice."""
    ahead = pairs.difference != 0
    size = np.abs(pairs.difference[ahead])
    toward = pairs.difference[ahead] > 0
    prefer = np.nanmean(pairs.prefer[ahead], axis=1)
    prefer = np.where(toward, prefer, 1 - prefer)
    order = np.argsort(size, kind="stable")
    for part in np.array_split(order, min(SLICES, max(1, len(order) // 10))):
        if len(part):
            yield Slice(float(size[part].mean()), float(prefer[part].mean()), len(part))
