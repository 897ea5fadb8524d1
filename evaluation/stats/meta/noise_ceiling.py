"""How well people agree with people: the mark an automatic metric is measured against.

split_half: two halves of the panel, correlated as if one were the metric. Spearman-Brown gives the
reliability of the whole panel's means, 2r / (1 + r), and its square root is the greatest Pearson
correlation that a metric which knew the true means could reach (correction for attenuation).

leave_one_rater_out: each rater in turn plays the metric against the mean of all others, with any
statistic a metric gets. That is one person, so a good metric can beat it.

Sources: Spearman, British Journal of Psychology 3 (1910); Brown, ibid.; Lord & Novick, Statistical
Theories of Mental Test Scores (1968), chapter 3.
"""

from typing import NamedTuple

import numpy as np

from evaluation.stats.intervals import ratio
from evaluation.stats.meta.coefficients import Kind
from evaluation.stats.meta.correlation import Constants, Level, level_vectors, mean_of
from evaluation.stats.meta.data import PairStatistic, mean_votes
from evaluation.stats.resampling import percentile_interval


class SplitHalf(NamedTuple):
    """Agreement of two halves of a panel, over random splits; NaN with fewer than two raters."""

    mean: float  # mean correlation of the halves
    low: float  # ends of the middle 95% of the splits: how much the split matters, no more
    high: float
    ceiling: float  # root of Spearman-Brown of the mean; Pearson only, NaN if the mean is negative
    splits: int  # splits with a correlation
    raters: int  # raters in each half
    missing: float  # mean number of cells without a vote in one of the halves


class LeaveOneOut(NamedTuple):
    """A statistic of single raters against all others; NaN where there is none."""

    mean: float  # over the raters that have a value
    low: float  # the lowest rater
    high: float  # the highest rater
    values: np.ndarray  # float (raters,)
    votes: np.ndarray  # int (raters,): votes each rater gave
    raters: int  # raters that have a value


def split_half(
    votes: np.ndarray,
    *,
    level: Level,
    kind: Kind = "pearson",
    constants: Constants = "omit",
    rng: np.random.Generator,
    splits: int = 200,
) -> SplitHalf:
    """Return how well the means of two random halves of the raters correlate.

    votes: float (systems, items, raters), NaN where a rater did not see a cell.
    level, kind, constants: as `correlate`.

    Both halves have as many raters; of an odd panel one rater sits out, another in each split.
    Spearman-Brown is exact for parallel halves: for means over items of correlations ("item",
    "edits") take it as an approximation. In a sparse design the halves share few cells; see
    `missing`.
    """
    votes = _checked(votes)
    raters, size = votes.shape[2], votes.shape[2] // 2
    if not size or splits < 1:
        nan = float("nan")
        return SplitHalf(nan, nan, nan, nan, 0, size, nan)

    # Two halves of the raters, on the cells that both have votes on.
    order = np.argsort(rng.random((splits, raters)), axis=1)
    one, other = _panel(votes, order < size), _panel(votes, (order >= size) & (order < 2 * size))
    both = np.isfinite(one) & np.isfinite(other)
    one, other = np.where(both, one, np.nan), np.where(both, other, np.nan)

    # Their correlation over the splits, and Spearman-Brown of its mean.
    found = mean_of(level_vectors(one, other, level, kind), constants)
    defined = found[np.isfinite(found)]
    mean = float(ratio(defined.sum(), np.array(len(defined))))
    low, high = percentile_interval(defined, 0.95)
    whole = spearman_brown(mean) if kind == "pearson" else float("nan")
    missing = float((~both).sum(axis=(1, 2)).mean())
    return SplitHalf(mean, low, high, whole**0.5, len(defined), size, missing)


def spearman_brown(half: float, times: float = 2.0) -> float:
    """Return the reliability of a panel `times` as large: times r / (1 + (times - 1) r).

    NaN for a negative correlation, which no reliability explains.
    """
    return times * half / (1 + (times - 1) * half) if half >= 0 else float("nan")


def leave_one_rater_out(votes: np.ndarray, statistic: PairStatistic) -> LeaveOneOut:
    """Return what `statistic` says of each rater as a metric of the mean of the other raters.

    votes:     float (systems, items, raters), NaN where a rater did not see a cell.
    statistic: called with the rater's votes and the others' means, both (systems, items); cells
               that either lacks are NaN.
    """
    votes = _checked(votes)
    raters = votes.shape[2]
    others = (mean_votes(np.delete(votes, rater, axis=2)) for rater in range(raters))
    values = np.array(
        [statistic(votes[:, :, rater], rest) for rater, rest in enumerate(others)], dtype=np.float64
    )
    defined = values[np.isfinite(values)]
    given = np.isfinite(votes).sum(axis=(0, 1))
    if not len(defined):
        return LeaveOneOut(float("nan"), float("nan"), float("nan"), values, given, 0)
    return LeaveOneOut(
        float(defined.mean()),
        float(defined.min()),
        float(defined.max()),
        values,
        given,
        len(defined),
    )


def _panel(votes: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return the mean votes of the chosen raters (splits, raters): (splits, systems, items)."""
    there = np.isfinite(votes)
    count = np.tensordot(chosen.astype(np.float64), there.astype(np.float64), axes=(1, 2))
    total = np.tensordot(chosen.astype(np.float64), np.where(there, votes, 0.0), axes=(1, 2))
    return ratio(total, count)


def _checked(votes: np.ndarray) -> np.ndarray:
    votes = np.asarray(votes, dtype=np.float64)
    if votes.ndim != 3:
        raise ValueError(f"votes need (systems, items, raters), not {votes.shape}")
    return votes
