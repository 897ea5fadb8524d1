"""Reliability: of votes and their means (ICC), and of raters who saw the same clip twice (retest).

Intraclass correlations, also with gaps, from the components of vote = mean + item + rater + answer
(by REML, see `ratings.components`):

    single  = item / (item + rater + answer)             ICC(2,1), absolute agreement
    average = item / (item + (rater + answer) / k)       ICC(2,k)

(Shrout & Fleiss, Psychological Bulletin 86 (1979); McGraw & Wong, Psychological Methods 1 (1996)).
The rater term is error: a rater's bias counts against reliability, as it does where items are rated
by different raters. The square root of `average` is the most that a perfect predictor of the items
can correlate with their MOS.

Retest: the votes on hidden repeats against the first ones. Cohen's kappa corrects for agreement by
chance; with quadratic weights a miss by two grades counts four times one by one (Cohen,
Psychological Bulletin 70 (1968)).
"""

from typing import NamedTuple

import numpy as np

from evaluation.stats.ratings import variance_components


class Icc(NamedTuple):
    """0 to 1; NaN where votes do not vary or no component can be told."""

    single: float
    average: float
    k: float  # votes an item of which `average` speaks
    item: float  # variances, squared points
    rater: float
    answer: float


def intraclass_correlation(
    value: np.ndarray, item: np.ndarray, rater: np.ndarray, *, k: float | None = None
) -> Icc:
    """Return the ICC of single votes and of means of k votes.

    value: float (votes,). item, rater: int (votes,). k: None takes the harmonic mean of the items'
    numbers of votes, at which the mean error variance is that of the study.

    One rater or one item, or a single vote an item, gives NaN: nothing to agree with.
    """
    counts = np.bincount(item)
    k = float(1 / np.mean(1 / counts[counts > 0])) if k is None else float(k)
    found = variance_components(value, np.zeros(len(value), int), {"item": item, "rater": rater})
    parts = (*found.variance.tolist(), found.answer)
    total = sum(parts)
    if not total > 0:  # also NaN
        return Icc(np.nan, np.nan, k, *parts)
    single, average = parts[0] / total, parts[0] / (parts[0] + (total - parts[0]) / k)
    return Icc(single, average, k, *parts)


class Retest(NamedTuple):
    """Agreement of first and second votes; NaN where nothing can be said."""

    pairs: int
    exact: float  # share, 0 to 1
    within_one: float  # share at most one point apart
    kappa: float  # quadratically weighted, at most 1
    mean_change: float  # second - first, in points
    deviation: float  # of the changes (ddof 1), in points
    answer_deviation: float  # deviation / sqrt 2: of a single vote about a rater's own mean


def retest_agreement(first: np.ndarray, second: np.ndarray) -> Retest:
    """Return how well raters repeat themselves. first, second: float (pairs,), on one scale.

    kappa is NaN if all votes are the same grade; deviations of a single pair are NaN.

    Raises:
        ValueError: for lengths that differ, or votes that are not finite.
    """
    first, second = (np.asarray(votes, dtype=np.float64) for votes in (first, second))
    if first.shape != second.shape or not np.isfinite([first, second]).all():
        raise ValueError(f"need pairs of votes, got {first.shape} and {second.shape}")
    if not len(first):
        return Retest(0, *[np.nan] * 6)
    # Agreement of both votes, and the change between them.
    change = second - first
    deviation = float(change.std(ddof=1)) if len(change) > 1 else np.nan
    return Retest(
        len(change),
        float(np.mean(change == 0)),
        float(np.mean(np.abs(change) <= 1)),
        weighted_kappa(first, second),
        float(change.mean()),
        deviation,
        deviation / 2**0.5,
    )


def weighted_kappa(first: np.ndarray, second: np.ndarray) -> float:
    """Return kappa with weights (c - k)^2: 1 - observed / expected disagreement; NaN if 0 / 0.

    Expected is the mean over all pairs of a first with a second vote, of any raters.
    """
    expected = first.var() + second.var() + (first.mean() - second.mean()) ** 2
    return float(1 - np.mean((first - second) ** 2) / expected) if expected > 0 else np.nan
