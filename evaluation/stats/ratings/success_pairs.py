"""Success rates of methods compared in pairs, edit by edit.

Of the edits that both methods have and that have votes on every question, the difference B - A is
the share on which B succeeds less the share on which A does: (B alone - A alone) / edits, the
discordant pairs of McNemar's test. Raters and source videos are both samples:

    V_rater = max(J_rater - J_both, J_both / freedom)

A success hangs on a mean of few votes, so raters come in by the jackknife (Efron & Tibshirani, An
Introduction to the Bootstrap (1993), chapter 11): J_rater of the difference without each rater,
less J_both, what answers add to it of which each stands for itself, as sources show that already:
the sum of J_rater over changes without one rater's answers about one source alone. Changes are
about their mean by method, and each rater's square is divided by the factor of `leverage`, which
has the degrees of freedom too: R raters who saw both methods alike get (R - 1) / R and R - 1, four
on one method and twenty on the other about four. Few raters may agree by chance, hence the least it
can be. One rater on a method leaves no test. With one vote an item nothing shows how much raters
matter, and V_rater is 0. Test and interval are those of `share_differences`. `benchmarks/README.md`
has the measured rates; three raters get intervals that are wider than they need be.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np

from evaluation.stats.leverage import arm_shares, leverage, same_raters
from evaluation.stats.multiplicity import holm_adjusted
from evaluation.stats.ratings.share_differences import paired_shares
from evaluation.stats.ratings.success_rates import (
    Influence,
    answer_influence,
    item_success,
)
from evaluation.stats.ratings.votes import Ratings
from evaluation.stats.two_way_cluster import Raters


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
    fewest: int = 0  # raters who saw the method that the fewest saw


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
    threshold: float | None = None,
    *,
    confidence: float = 0.95,
    raters: Raters = "random",
) -> list[SuccessGap]:
    """Return every pair of methods, p-values adjusted by Holm over the pairs.

    confidence: of the intervals, which are not adjusted.
    raters: "random": claims are about raters like these; "fixed": about these raters alone, where
            the same raters saw both methods.

    Methods without a common edit give NaN, as do one source and, of raters like these, one who
    alone saw a method; they count as tests all the same.
    """
    good, influence = item_success(ratings, threshold), answer_influence(ratings, threshold)
    pairs = combinations(range(len(ratings.methods)), 2)
    found = [
        _gap(ratings, a, b, _pair(ratings, good, influence, a, b), confidence, raters)
        for a, b in pairs
    ]
    return holm_adjusted(found)


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


def _gap(
    ratings: Ratings, a: int, b: int, pair: _Pair, confidence: float, raters: Raters
) -> SuccessGap:
    many, sources = len(np.unique(pair.rater)), len(np.unique(pair.source))
    shared, freedom = _of_raters(pair) if raters == "random" else (0.0, np.inf)
    found = paired_shares(pair.gain, pair.source, shared, freedom + 1, confidence=confidence)
    even = raters == "random" or same_raters(pair.rater, np.ones(len(pair.rater)), pair.arm)
    if not (freedom and even):
        found = found._replace(low=np.nan, high=np.nan, p=np.nan)
    alone = (int((pair.gain < 0).sum()), int((pair.gain > 0).sum()))
    names = ratings.methods[a], ratings.methods[b]
    fewest = min(len(np.unique(pair.rater[pair.arm == arm])) for arm in (0, 1))
    return SuccessGap(*names, *found, np.nan, len(pair.gain), many, sources, *alone, fewest)


def _of_raters(pair: _Pair) -> tuple[float, float]:
    """Return the variance that raters add and its degrees of freedom; 0 and 0 if one has an arm."""
    _, member = np.unique(pair.rater, return_inverse=True)
    alike = np.ones(len(member))
    found = leverage(member, alike, pair.arm)
    if not found.freedom:
        return 0.0, 0.0

    # Each rater's squared sum, less what answers alone add to it.
    shares, factor = arm_shares(member, alike, pair.arm), 1 / found.factor
    by_rater = np.bincount(member, pair.change) - shares.T @ np.bincount(pair.arm, pair.change)
    noise = float(factor @ _noise(pair, member, shares))
    return max(float(factor @ by_rater**2) - noise, noise / found.freedom), found.freedom


def _noise(pair: _Pair, member: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return what answers of one rater about one source alone add to each rater's square."""
    sources = int(pair.at.max()) + 1

    # Sums over a rater's answers about one source, by arm, and their products.
    cells, cell = np.unique(member * sources + pair.at, return_inverse=True)
    sums = np.bincount(2 * cell + pair.arm, pair.change, 2 * len(cells)).reshape(-1, 2)
    products = np.zeros((shares.shape[1], 2, 2))
    np.add.at(products, cells // sources, sums[:, :, None] * sums[:, None, :])

    # What they are expected to add about the mean of each arm.
    own = (products * (1 - shares.T[:, :, None] - shares.T[:, None, :])).sum(axis=(1, 2))
    return np.asarray(own + np.einsum("ag,bg,ab->g", shares, shares, products.sum(axis=0)))
