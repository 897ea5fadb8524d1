"""Ranks as intervals: which places a method can have, given which others it differs from.

A method that k others are shown to be better than is at best at place k + 1; one that is shown to
be better than k of n is at worst at place n - k. Where the tests control the chance of any false
claim among all pairs (Holm's p-values do), all intervals of a table hold the true ranks together
with that confidence, and so do those among any part of the methods.

Source: Mogstad, Romano, Shaikh & Wilhelm, Inference for Ranks with Applications to Mobility across
Neighbourhoods and Academic Achievement across Countries, Review of Economic Studies 91 (2024),
section 3.
"""

from typing import NamedTuple

import numpy as np


class RankIntervals(NamedTuple):
    """The best and the worst place of each method, int (methods,); 0 for one that is not ranked."""

    best: np.ndarray
    worst: np.ndarray


def rank_intervals(ahead: np.ndarray, ranked: np.ndarray | None = None) -> RankIntervals:
    """Return the places that methods can have among those that are ranked.

    ahead:  bool (methods, methods): the method of the row is shown to be better than that of the
            column; never both ways.
    ranked: bool (methods,): which compete; left out, all.
    """
    ahead = np.asarray(ahead, bool)
    if ahead.ndim != 2 or ahead.shape[0] != ahead.shape[1] or (ahead & ahead.T).any():
        raise ValueError("of two methods one at most is shown to be better")
    ranked = np.ones(len(ahead), bool) if ranked is None else np.asarray(ranked, bool)
    among = ahead & ranked & ranked[:, None]
    best, worst = 1 + among.sum(axis=0), ranked.sum() - among.sum(axis=1)
    return RankIntervals(np.where(ranked, best, 0), np.where(ranked, worst, 0))
