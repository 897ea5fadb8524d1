"""Success rates of methods compared in pairs, edit by edit.

Of the edits that both methods have and that have votes on every question, the difference B - A is
the share on which B succeeds less the share on which A does: (B alone - A alone) / edits, the
discordant pairs of McNemar's test. Raters and source videos are both samples:

    V_rater = max(J_rater - J_both, J_both / (raters - 1))

A success hangs on a mean of few votes, so raters come in by the jackknife (Efron & Tibshirani, An
Introduction to the Bootstrap (1993), chapter 11): J_rater of the difference without each rater,
less J_both without each rater's answers about one source, which is the noise of answers that
sources show already. Few raters may agree by chance, hence the least it can be. With one vote an
item nothing shows how much raters matter, and V_rater is 0. Test and interval are those of
`paired_shares`. `benchmarks/README.md` has the measured rates; three raters get intervals that are
wider than they need be.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np

from evaluation.stats.crossed import Raters
from evaluation.stats.leverage import same_raters
from evaluation.stats.multiplicity import holm
from evaluation.stats.paired_shares import paired_shares
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
    arm: np.ndarray  # int (answers,): 0 about a, 1 about b


def compare_success(
    ratings: Ratings,
    threshold: float = THRESHOLD,
    *,
    level: float = 0.95,
    raters: Raters = "random",
) -> list[SuccessGap]:
    """Return every pair of methods, p-values adjusted by Holm over the pairs.

    level:  of the intervals, which are not adjusted.
    raters: "random": claims are about raters like these; "fixed": about these raters alone, where
            the same raters saw both methods.

    Methods without a common edit give NaN, as do one rater and one source; they count as tests all
    the same.
    """
    good, influence = item_success(ratings, threshold), answer_influence(ratings, threshold)
    pairs = combinations(range(len(ratings.methods)), 2)
    found = [
        _gap(ratings, a, b, _pair(ratings, good, influence, a, b), level, raters) for a, b in pairs
    ]
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
        (influence.method[keep] == b).astype(np.int64),
    )


def _gap(ratings: Ratings, a: int, b: int, pair: _Pair, level: float, raters: Raters) -> SuccessGap:
    many, sources = len(np.unique(pair.rater)), len(np.unique(pair.source))
    of_raters = 0.0
    if raters == "random":
        of_raters = rater_variance(pair.change, pair.rater, pair.at, least=1 / max(many - 1, 1))
    found = paired_shares(pair.gain, pair.source, of_raters, many, level=level)
    even = raters == "random" or same_raters(pair.rater, np.ones(len(pair.rater)), pair.arm)
    if (raters == "random" and many < 2) or not even:
        found = found._replace(low=np.nan, high=np.nan, p=np.nan)
    alone = (int((pair.gain < 0).sum()), int((pair.gain > 0).sum()))
    names = ratings.methods[a], ratings.methods[b]
    return SuccessGap(*names, *found, np.nan, len(pair.gain), many, sources, *alone)
