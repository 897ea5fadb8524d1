"""Success rates of methods compared in pairs, edit by edit.

Of the edits that both methods have and that have votes on every question, the difference B - A is
the share on which B succeeds less the share on which A does: (B alone - A alone) / edits, the
discordant pairs of McNemar's test. Its variance is clustered by source video,

    V = G / (G - 1) sum over sources (sum of (d - mean of d) / edits)^2,   d in -1, 0, 1

with t on G - 1 degrees of freedom, G sources: what statsmodels' OLS of d on a constant gives with
`cov_type="cluster"`. Like the success rate at item level it takes the raters as given. Where d is
the same on every edit there is no variance to go by: no interval is given, and if one method alone
succeeds on all, p is that of the sign test over sources, 2^(1 - G).

Measured at a nominal 5%, no difference between methods (1,000 studies each, votes as in `crossed`,
no rater seeing an edit twice; in brackets without deviations of method x rater, 500 studies):
24 raters x 30 sources x 60 edits x 3 votes an item 4.9% (3.4%); 100 x 29 x 127 x 3 5.0% (5.6%);
12 x 10 x 20 x 3 5.8% (3.2%); 12 x 29 x 127 x 2 9.9% (5.2%). So where a dozen raters differ in which
method they favour, a significant difference speaks of those raters and not of others.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy import stats as distributions

from evaluation.stats.crossed import p_value
from evaluation.stats.multiplicity import holm
from evaluation.stats.ratings import Ratings
from evaluation.stats.success import THRESHOLD, item_success


class SuccessGap(NamedTuple):
    """Share of success of b less that of a, -1 to 1; NaN where nothing can be said."""

    a: str
    b: str
    low: float
    mid: float
    high: float
    p: float
    p_holm: float  # adjusted over all pairs of a call
    edits: int  # common, with votes on every question
    sources: int
    only_a: int  # edits on which a succeeds and b does not
    only_b: int


def compare_success(
    ratings: Ratings, threshold: float = THRESHOLD, *, level: float = 0.95
) -> list[SuccessGap]:
    """Return every pair of methods, p-values adjusted by Holm over the pairs.

    level: of the intervals, which are not adjusted.

    Methods without a common edit give NaN, which counts as one of the tests all the same.
    """
    good = item_success(ratings, threshold)
    found = [
        _gap(ratings.methods[a], ratings.methods[b], good[b] - good[a], ratings.source, level)
        for a, b in combinations(range(len(ratings.methods)), 2)
    ]
    p = np.array([one.p for one in found])
    adjusted = np.where(np.isnan(p), np.nan, holm(np.where(np.isnan(p), 1.0, p)))
    return [one._replace(p_holm=float(p)) for one, p in zip(found, adjusted, strict=True)]


def _gap(a: str, b: str, gain: np.ndarray, source: np.ndarray, level: float) -> SuccessGap:
    """Return the pair whose gains on all edits are given; NaN for one that is not common."""
    common = np.isfinite(gain)
    gain, (names, member) = gain[common], np.unique(source[common], return_inverse=True)
    sources, nothing = len(names), (np.nan, np.nan, np.nan, np.nan)
    low, mid, high, p = _ends(gain, member, sources, level) if len(gain) else nothing
    alone = (int((gain < 0).sum()), int((gain > 0).sum()))
    return SuccessGap(a, b, low, mid, high, p, np.nan, len(gain), sources, *alone)


def _ends(
    gain: np.ndarray, member: np.ndarray, sources: int, level: float
) -> tuple[float, float, float, float]:
    """Return low, mid and high of the mean gain, and its p."""
    mid = float(gain.mean())
    if sources < 2:
        return np.nan, mid, np.nan, np.nan
    if np.ptp(gain) == 0:
        return np.nan, mid, np.nan, 2.0 ** (1 - sources) if mid else 1.0
    sums = np.bincount(member, (gain - mid) / len(gain))
    error = float(np.sqrt(sums @ sums * sources / (sources - 1)))
    half = float(distributions.t.ppf((1 + level) / 2, sources - 1)) * error
    return mid - half, mid, mid + half, p_value(mid, error, sources - 1)
