"""P(B > A) + P(tie) / 2: how often a vote on B beats a vote on A on the same edit.

An effect size that needs no distance between grades (Vargha & Delaney, Journal of Educational and
Behavioral Statistics 25 (2000)). The mean over sources of the mean over a source's edits of the
mean over an edit's pairs of votes. What a pair is makes two kinds, which must not be compared:

within  the two votes of one rater on one edit;
across  votes of two different raters on one edit. It counts the raters' disagreement too and so
        lies nearer to one half.

Within, the variance is two-way clustered (see `crossed`). Across, a pair belongs to two raters:
the variance is the clustered one by source, and adds the covariances of pairs on different sources
that share either rater (Fafchamps & Gubert, Journal of Development Economics 83 (2007)). Scores
are about the estimate, not the truth, which takes away 4 / I + 1 / J of the variance (each of the I
raters stands in 2 / I of all pairs); it is divided by what is left. Pairs that share both their
raters are added twice. Measured at a nominal 5% (2,500 studies each, 29 sources, votes of
an edit by different raters): 12 raters x 60 edits x 3 votes an item 5.4%, x 127 x 2 4.2%, x 127 x 1
3.2%; 24 raters x 127 x 3 4.7%; 100 raters 4.5%; 6 raters x 127 x 1 2.7%.
"""

from typing import Literal, NamedTuple

import numpy as np

from evaluation.stats.crossed import NOTHING, Crossed, Variance, crossed, two_way_variance
from evaluation.stats.mos import source_weights
from evaluation.stats.ratings import Votes, common_votes

Kind = Literal["within", "across"]
FEWEST = 6  # raters for an interval across


class Superiority(NamedTuple):
    """P(B > A) + P(tie) / 2 with its interval; p is of it being one half."""

    found: Crossed
    kind: Kind
    pairs: int
    edits: int  # that have a pair


def superiority(
    votes: Votes, a: int, b: int, *, kind: Kind | None = None, level: float = 0.95
) -> Superiority:
    """Return P(B > A) + P(tie) / 2 with its interval, 0 to 1; the ends may pass 0 and 1.

    kind: None is "within" if every source with common edits has a rater who rated both methods of
          one of its edits, else "across".

    Without a pair everything is NaN and the counts are 0. Across fewer than six raters the share
    has no interval (NaN).
    """
    common = common_votes(votes, a, b)
    within = _pairs_within(common, a, b)
    if kind is None:
        kind = "within" if set(common.source) == set(within.source) else "across"
    if kind == "within":
        return _superiority_within(within, level)
    return _superiority_across(common, b, level)


def _pairs_within(common: Votes, a: int, b: int) -> Votes:
    """Return votes whose value is 1, 1/2 or 0: whether a rater's vote on b beats that on a."""
    first, second = (common.where(common.method == method) for method in (a, b))
    at_first, at_second = _same_rater_and_edit(first, second)
    gain = second.value[at_second] - first.value[at_first]
    return second.where(at_second)._replace(value=(np.sign(gain) + 1) / 2)


def _superiority_within(pairs: Votes, level: float) -> Superiority:
    if not len(pairs.value):
        return Superiority(NOTHING, "within", 0, 0)
    weight = source_weights(pairs)
    mid = float(weight @ pairs.value)
    variance = two_way_variance(weight * (pairs.value - mid), pairs.rater, pairs.source)
    found = crossed(mid, variance, level=level, null=0.5)
    return Superiority(found, "within", len(pairs.value), len(np.unique(pairs.edit)))


def _superiority_across(common: Votes, b: int, level: float) -> Superiority:
    won, pairs = _against_others(common, b)
    keep = _of_edit(common, pairs)[common.edit] > 0
    common, won, pairs = common.where(keep), won[keep], pairs[keep]
    if not len(won):
        return Superiority(NOTHING, "across", 0, 0)
    of_edit = _of_edit(common, pairs) / 2  # each pair stands at two votes
    weight = _edit_weights(common)[common.edit] / of_edit[common.edit]
    mid = float(weight @ won) / 2
    variance = _across_variance(weight * (won - mid * pairs), common)
    found = crossed(mid, variance, level=level, null=0.5)
    return Superiority(found, "across", int(pairs.sum()) // 2, int((of_edit > 0).sum()))


def _across_variance(score: np.ndarray, common: Votes) -> Variance:
    """Return the variance of sums over pairs; a vote's score is the sum of its pairs' scores."""
    found = two_way_variance(score, common.rater, common.source)
    raters, sources = found.raters, found.sources
    by_source = found.source / 4  # each pair stands at two votes of its source
    left = 1 - 4 / raters - 1 / sources if raters else 0.0
    if raters < FEWEST or sources < 2 or left <= 0:
        return found._replace(source=by_source, total=np.nan)
    by_rater = found.rater * (raters - 1) / raters
    total = (by_source * (sources - 1) / sources + by_rater - found.both) / left
    return found._replace(source=by_source, total=max(total, by_source, found.rater / 2))


def _against_others(common: Votes, b: int) -> tuple[np.ndarray, np.ndarray]:
    """Return for each vote the sum of P(B > A) + P(tie) / 2 over its pairs, and their number.

    A vote's pairs are with the votes of other raters on the other method of the same edit.
    """
    levels, grade = np.unique(common.value, return_inverse=True)
    second = (common.method == b).astype(np.int64)
    counts = np.zeros((2, common.edits, len(levels)))
    np.add.at(counts, (second, common.edit, grade), 1)
    below = counts.cumsum(axis=2) - counts / 2  # ties half
    other = 1 - second
    pairs = counts.sum(axis=2)[other, common.edit]
    won = below[other, common.edit, grade]
    own, gain = _own_pairs(common, b)
    won = np.where(second == 1, won, pairs - won) - np.where(own, (np.sign(gain) + 1) / 2, 0.0)
    return won, pairs - own


def _own_pairs(common: Votes, b: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which votes have their own rater's vote on the other method, and by how much B wins.

    Both arrays are (votes,): bool, and float with 0 where there is none.
    """
    at = [np.flatnonzero(common.method != b), np.flatnonzero(common.method == b)]
    first, second = _same_rater_and_edit(common.where(at[0]), common.where(at[1]))
    own, gain = np.zeros(len(common.value), bool), np.zeros(len(common.value))
    for side, place in zip(at, (first, second), strict=True):
        own[side[place]] = True
        gain[side[place]] = common.value[at[1][second]] - common.value[at[0][first]]
    return own, gain


def _same_rater_and_edit(first: Votes, second: Votes) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of votes of one rater on one edit, in `first` and in `second`."""
    left, right = (side.rater * side.edits + side.edit for side in (first, second))
    _, at_left, at_right = np.intersect1d(left, right, assume_unique=True, return_indices=True)
    return at_left, at_right


def _of_edit(common: Votes, values: np.ndarray) -> np.ndarray:
    return np.bincount(common.edit, values, minlength=common.edits)


def _edit_weights(common: Votes) -> np.ndarray:
    """Return each edit's weight in the mean of source means, float (edits,)."""
    edits, first = np.unique(common.edit, return_index=True)
    _, source = np.unique(common.source[first], return_inverse=True)
    of_source = np.bincount(source)
    weight = np.zeros(common.edits)
    weight[edits] = 1 / (len(of_source) * of_source[source])
    return weight
