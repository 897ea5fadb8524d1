"""Intraclass correlations, also with gaps: how reliable votes, and means of votes, are.

From the components of vote = mean + item + rater + answer (by REML, see `components`):

    single  = item / (item + rater + answer)             ICC(2,1), absolute agreement
    average = item / (item + (rater + answer) / k)       ICC(2,k)

(Shrout & Fleiss, Psychological Bulletin 86 (1979); McGraw & Wong, Psychological Methods 1 (1996)).
The rater term is error: a rater's bias counts against reliability, as it does where items are rated
by different raters. The square root of `average` is the most that a perfect predictor of the items
can correlate with their MOS.
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
