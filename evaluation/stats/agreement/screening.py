"""Screening of raters as flags with the statistic behind each; nobody is dropped here.

Flags are for counting, and for results with and without those who carry them. Rules of BT.500 and
P.913 were made for codecs, where raters agree far more than about edits, and for many votes an
item: with five votes an item BT.500 hardly ever flags, and a correlation of 0.75 flags most.
"""

from typing import Literal, NamedTuple

import numpy as np

from evaluation.stats.agreement.leave_one_out_corr import RemainingRaters, cells_of
from evaluation.stats.intervals import ratio

Divisor = Literal["N - 1", "N"]


class Bt500(NamedTuple):
    """Arrays (raters,); NaN where a rater has no vote far from the mean."""

    flagged: np.ndarray  # bool: share > 0.05 and imbalance < 0.3
    share: np.ndarray  # (P + Q) / N: votes far from the item's mean
    imbalance: np.ndarray  # |P - Q| / (P + Q): 0 above as often as below, 1 always on one side


class P913(NamedTuple):
    """Arrays (raters,); NaN where there is no correlation to give."""

    flagged: np.ndarray  # bool
    r1: np.ndarray  # with the mean of the other raters, per item
    r2: np.ndarray  # the same, per method (ITU: per condition)
    order: np.ndarray  # int, 1 for the rater flagged first; 0 for those who are not


class StraightLine(NamedTuple):
    """Arrays (raters,); NaN where a rater has fewer than two votes."""

    flagged: np.ndarray  # bool: variance below the threshold
    variance: np.ndarray  # of the rater's votes (ddof 0)


def bt500(
    value: np.ndarray, item: np.ndarray, rater: np.ndarray, *, divisor: Divisor = "N - 1"
) -> Bt500:
    """Return the flags of ITU-R BT.500-15, annex 1, A1-2.3.1.

    value: float (votes,). item, rater: int (votes,), >= 0; arrays come back by index of rater.
    divisor: of the squares in the deviation of an item's N votes: "N - 1", as the recommendation
             defines S (A1-2.2.1) and NTIA's program takes it, or "N", as the package sureal does.

    An item's limits are its mean -+ c s, with s its votes' deviation and c = 2 where their kurtosis
    m4 / m2^2 (moments over N) is from 2 to 4 (near normal), else sqrt(20). P counts a rater's votes
    at or above the upper limit, Q those at or below the lower one. Items whose votes are all alike
    count among the rater's votes and in neither P nor Q.
    """
    # Limits of each item: its mean -+ 2 or sqrt(20) deviations, by its kurtosis.
    count, raters = np.bincount(item), int(rater.max(initial=-1)) + 1
    centred = value - ratio(np.bincount(item, value), count)[item]
    second, fourth = (ratio(np.bincount(item, centred**power), count) for power in (2, 4))
    kurtosis = ratio(fourth, second**2)
    left = count - 1 if divisor == "N - 1" else count
    deviation = np.sqrt(ratio(second * count, np.maximum(left, 0)))
    limit = np.where((kurtosis >= 2) & (kurtosis <= 4), 2.0, 20**0.5) * deviation

    # Each rater's votes beyond them, above and below.
    varied = second[item] > 1e-12
    p, q = (
        np.bincount(rater, varied & (side >= limit[item]), raters) for side in (centred, -centred)
    )
    share = ratio(p + q, np.bincount(rater, minlength=raters))
    imbalance = ratio(np.abs(p - q), p + q)
    return Bt500((share > 0.05) & (imbalance < 0.3), share, imbalance)


def p913(
    value: np.ndarray,
    item: np.ndarray,
    rater: np.ndarray,
    method: np.ndarray,
    *,
    r1: float = 0.75,
    r2: float = 0.8,
) -> P913:
    """Return the flags of ITU-T P.913 Annex A: raters who correlate too little with the others.

    value: float (votes,). item, rater, method: int (votes,), >= 0.
    r1, r2: thresholds; a rater is flagged where both their Pearson correlations are below.

    The worst rater (least mean of r1 and r2) of those is flagged first and taken out of the means
    of the others, then all correlations are found again, until nobody falls below both. A flagged
    rater's numbers are those at which they were flagged. A rater whose votes, or whose companions'
    means, do not vary has no r1 and is not flagged here (`straight_line` sees them). With two
    methods r2 is 1 or -1, with one there is none and r1 decides.
    """
    raters = int(rater.max(initial=-1)) + 1
    numbers, order = np.full((2, raters), np.nan), np.zeros(raters, np.int64)
    tables = [RemainingRaters(cells_of(value, rater, unit), raters) for unit in (item, method)]
    while True:
        # Correlation of each rater with the mean of those who remain.
        found = np.stack([table.pearson() for table in tables])
        numbers = np.where(order > 0, numbers, found)
        low = (found[0] < r1) & ~(found[1] >= r2) & (order == 0)
        if not low.any():
            return P913(order > 0, numbers[0], numbers[1], order)
        # Reject the one who agrees least, and look again.
        means = np.where(np.isnan(found[1]), found[0], found.mean(axis=0))
        worst = int(np.argmin(np.where(low, means, np.inf)))
        order[worst] = order.max() + 1
        for table in tables:
            table.take_out(worst)


def straight_line(value: np.ndarray, rater: np.ndarray, *, least: float = 0.15) -> StraightLine:
    """Return who gives nearly the same vote always: variance of their votes < `least`.

    value: float (votes,). rater: int (votes,), >= 0. least: in squared points of the scale; 0.15
    is what the crowd-sourcing toolkit of P.910 uses on 1 to 5.
    """
    raters = int(rater.max(initial=-1)) + 1
    count = np.bincount(rater, minlength=raters)
    mean = ratio(np.bincount(rater, value, raters), count)
    variance = ratio(np.bincount(rater, (value - mean[rater]) ** 2, raters), count)
    variance = np.where(count > 1, variance, np.nan)
    return StraightLine(variance < least, variance)
