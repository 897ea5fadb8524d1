"""Success rates of methods compared in pairs, edit by edit.

Of the edits that both methods have and that have votes on every question, the difference B - A is
the share on which B succeeds less the share on which A does: (B alone - A alone) / edits, the
discordant pairs of McNemar's test. Raters and source videos are both samples:

    V = V_source + max(V_rater - V_both, 0)

V_source is clustered by source, G / (G - 1) sum over sources (sum of (d - mean of d) / edits)^2
with d in -1, 0, 1 and G sources: what statsmodels' OLS of d on a constant gives with
`cov_type="cluster"`. A success hangs on a mean of few votes, so raters come in by the jackknife
(Efron & Tibshirani, An Introduction to the Bootstrap (1993), chapter 11): V_rater is that of the
difference without each rater, V_both that without each rater's answers about one source, which is
the noise of answers that V_source holds already. t has min(raters, sources) - 1 degrees of freedom.
With one vote an item nothing shows how much raters matter, and V is V_source.

Where d is the same on every edit there is no variance to go by: no interval is given, and if one
method alone succeeds on all, p is that of the sign test over sources, 2^(1 - G).

Measured at a nominal 5%, no difference between methods (1,000 studies each, votes as in `crossed`,
no rater seeing an edit twice), in brackets by V_source and t on G - 1 alone:
24 raters x 30 sources x 60 edits x 3 votes an item 3.2% (4.9%); 100 x 29 x 127 x 3 4.2% (5.0%);
12 x 29 x 127 x 2 5.7% (9.9%); 12 x 29 x 127 x 3 5.8% (10.7%); 12 x 10 x 20 x 3 4.6% (5.8%).
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy import stats as distributions

from evaluation.stats.crossed import p_value
from evaluation.stats.multiplicity import holm
from evaluation.stats.ratings import Ratings
from evaluation.stats.success import (
    THRESHOLD,
    Influence,
    answer_influence,
    item_success,
    rater_variance,
)


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
    raters: int  # who answered about them
    sources: int
    only_a: int  # edits on which a succeeds and b does not
    only_b: int


class _Pair(NamedTuple):
    """Two methods on their common edits."""

    gain: np.ndarray  # float (edits,), -1, 0, 1
    source: np.ndarray  # int (edits,)
    change: np.ndarray  # float (answers,), of the difference without the answer
    rater: np.ndarray  # int (answers,)
    at: np.ndarray  # int (answers,): the source


def compare_success(
    ratings: Ratings, threshold: float = THRESHOLD, *, level: float = 0.95
) -> list[SuccessGap]:
    """Return every pair of methods, p-values adjusted by Holm over the pairs.

    level: of the intervals, which are not adjusted.

    Methods without a common edit give NaN, as do one rater and one source; they count as tests all
    the same.
    """
    good, influence = item_success(ratings, threshold), answer_influence(ratings, threshold)
    pairs = combinations(range(len(ratings.methods)), 2)
    found = [_gap(ratings, a, b, _pair(ratings, good, influence, a, b), level) for a, b in pairs]
    p = np.array([one.p for one in found])
    adjusted = np.where(np.isnan(p), np.nan, holm(np.where(np.isnan(p), 1.0, p)))
    return [one._replace(p_holm=float(p)) for one, p in zip(found, adjusted, strict=True)]


def _pair(ratings: Ratings, good: np.ndarray, influence: Influence, a: int, b: int) -> _Pair:
    gain = good[b] - good[a]
    common = np.isfinite(gain)
    keep = common[influence.edit] & np.isin(influence.method, (a, b))
    sign = np.where(influence.method[keep] == b, 1.0, -1.0)
    return _Pair(
        gain[common],
        ratings.source[common],
        sign * influence.change[keep] / max(common.sum(), 1),
        influence.rater[keep],
        ratings.source[influence.edit[keep]],
    )


def _gap(ratings: Ratings, a: int, b: int, pair: _Pair, level: float) -> SuccessGap:
    raters, sources = len(np.unique(pair.rater)), len(np.unique(pair.source))
    low, mid, high, p = _ends(pair, min(raters, sources) - 1, sources, level)
    alone = (int((pair.gain < 0).sum()), int((pair.gain > 0).sum()))
    names = ratings.methods[a], ratings.methods[b]
    return SuccessGap(*names, low, mid, high, p, np.nan, len(pair.gain), raters, sources, *alone)


def _ends(
    pair: _Pair, freedom: int, sources: int, level: float
) -> tuple[float, float, float, float]:
    """Return low, mid and high of the mean gain, and its p."""
    if not len(pair.gain):
        return np.nan, np.nan, np.nan, np.nan
    mid = float(pair.gain.mean())
    if freedom < 1:
        return np.nan, mid, np.nan, np.nan
    if np.ptp(pair.gain) == 0:
        return np.nan, mid, np.nan, 2.0 ** (1 - sources) if mid else 1.0
    of_raters = rater_variance(pair.change, pair.rater, pair.at)
    error = float(np.sqrt(_source_variance(pair) + of_raters))
    half = float(distributions.t.ppf((1 + level) / 2, freedom)) * error
    return mid - half, mid, mid + half, p_value(mid, error, freedom)


def _source_variance(pair: _Pair) -> float:
    _, member = np.unique(pair.source, return_inverse=True)
    sums = np.bincount(member, (pair.gain - pair.gain.mean()) / len(pair.gain))
    return float(sums @ sums) * len(sums) / (len(sums) - 1)
