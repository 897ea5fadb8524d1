"""P(B > A) + P(tie) / 2: how often a vote on B beats a vote on A on the same edit.

An effect size that needs no distance between grades (Vargha & Delaney, Journal of Educational and
Behavioral Statistics 25 (2000)). The mean over sources of the mean over a source's edits of the
mean over an edit's pairs of votes. What a pair is makes two kinds, which must not be compared:

within  the two votes of one rater on one edit;
across  votes of two different raters on one edit. It counts the raters' disagreement too and so
        lies nearer to one half.

Within, the variance is two-way clustered (see `two_way_cluster`). Across, a pair belongs to two
raters: the variance is the clustered one by source, and adds the covariances of pairs on different
sources that share either rater (Fafchamps & Gubert, Journal of Development Economics 83 (2007)):

    V = V_rater + V_source - k V_both

V_rater sums the squared scores of raters, each times the factor of its share of either method's
votes (see `leverage`); a vote's own noise stands in it, in V_source, and twice or less in V_both,
the squared scores of a rater on a source. k is what makes V right for votes that are noise alone.
"""

from typing import Literal, NamedTuple

import numpy as np

from evaluation.stats.leverage import leverage
from evaluation.stats.ratings.mos import source_weights
from evaluation.stats.ratings.votes import Votes, common_votes
from evaluation.stats.two_way_cluster import (
    NOTHING,
    ClusteredEstimate,
    Raters,
    Variance,
    clustered_estimate,
    one_way_variance,
    satterthwaite,
    two_way_variance,
)

Kind = Literal["within", "across"]
FEWEST = 6  # raters for an interval across


class Superiority(NamedTuple):
    """P(B > A) + P(tie) / 2 with its interval; p is of it being one half."""

    found: ClusteredEstimate
    kind: Kind
    pairs: int
    edits: int  # that have a pair


def superiority(
    votes: Votes,
    a: int,
    b: int,
    *,
    kind: Kind | None = None,
    confidence: float = 0.95,
    raters: Raters = "random",
) -> Superiority:
    """Return P(B > A) + P(tie) / 2 with its interval, 0 to 1; the ends may pass 0 and 1.

    kind: None is "within" if every source with common edits has a rater who rated both methods of
          one of its edits, else "across".
    raters: "random", of others like these; "fixed", of these alone, clustered by source only.

    Without a pair everything is NaN and the counts are 0. Across fewer than six raters the share
    has no interval (NaN).
    """
    common = common_votes(votes, a, b)
    within = _pairs_within(common, a, b)
    if kind is None:
        kind = "within" if set(common.source) == set(within.source) else "across"
    if kind == "within":
        return _superiority_within(within, confidence, raters)
    return _superiority_across(common, b, confidence, raters)


def _pairs_within(common: Votes, a: int, b: int) -> Votes:
    """Return votes whose value is 1, 1/2 or 0: whether a rater's vote on b beats that on a."""
    first, second = (common.where(common.method == method) for method in (a, b))
    at_first, at_second = _same_rater_and_edit(first, second)
    gain = second.value[at_second] - first.value[at_first]
    return second.where(at_second)._replace(value=(np.sign(gain) + 1) / 2)


def _superiority_within(pairs: Votes, confidence: float, raters: Raters) -> Superiority:
    if not len(pairs.value):
        return Superiority(NOTHING, "within", 0, 0)
    weight = source_weights(pairs)
    mid = float(weight @ pairs.value)
    score = weight * (pairs.value - mid)
    if raters == "fixed":
        variance = one_way_variance(score, pairs.source, len(np.unique(pairs.rater)))
    else:
        variance = two_way_variance(score, pairs.rater, pairs.source, weight)
    found = clustered_estimate(mid, variance, confidence=confidence, null=0.5, raters=raters)
    return Superiority(found, "within", len(pairs.value), len(np.unique(pairs.edit)))


def _superiority_across(common: Votes, b: int, confidence: float, raters: Raters) -> Superiority:
    won, pairs = _against_others(common, b)
    keep = _of_edit(common, pairs)[common.edit] > 0
    common, won, pairs = common.where(keep), won[keep], pairs[keep]
    if not len(won):
        return Superiority(NOTHING, "across", 0, 0)
    of_edit = _of_edit(common, pairs) / 2  # each pair stands at two votes
    weight = _edit_weights(common)[common.edit] / of_edit[common.edit]
    mid = float(weight @ won) / 2
    score = weight * (won - mid * pairs)
    if raters == "fixed":
        variance = one_way_variance(score / 2, common.source, len(np.unique(common.rater)))
    else:
        variance = _across_variance(score, weight, pairs, common, b)
    found = clustered_estimate(mid, variance, confidence=confidence, null=0.5, raters=raters)
    return Superiority(found, "across", int(pairs.sum()) // 2, int((of_edit > 0).sum()))


def _across_variance(
    score: np.ndarray, weight: np.ndarray, pairs: np.ndarray, common: Votes, b: int
) -> Variance:
    """Return the variance of sums over pairs; a vote's score is the sum of its pairs' scores.

    weight: of each of a vote's pairs. pairs: how many it has.
    """
    arm = (common.method == b).astype(np.int64)
    _, rater = np.unique(common.rater, return_inverse=True)
    found = leverage(rater, weight * pairs, arm)

    # By source; too few clusters leave nothing to tell by.
    by_source = two_way_variance(score / 2, common.rater, common.source).source
    raters, sources = len(found.factor), len(np.unique(common.source))
    if raters < FEWEST or sources < 2 or not found.freedom:
        return Variance(np.nan, 0.0, by_source, 0.0, raters, sources, np.nan, found.fewest)

    # By rater, and the noise that both hold: k makes it right for noise alone.
    noise = _Noise(weight, pairs, arm, common.edit)
    cell = rater * (int(common.source.max()) + 1) + common.source
    by_rater = float(found.factor @ np.bincount(rater, score) ** 2)
    both = float((np.bincount(cell, score) ** 2).sum())
    expected = float(found.factor @ noise.squares(rater)), float(noise.squares(cell).sum())
    both *= expected[0] / expected[1]

    # V, and its degrees of freedom.
    total = max(by_rater + by_source - both, by_source, by_rater / 2)
    freedom = satterthwaite(total, min(by_rater, total), found.freedom, sources - 1)
    return Variance(total, by_rater, by_source, both, raters, sources, freedom, found.fewest)


class _Noise:
    """What squared sums of scores are expected to be if votes are independent, of variance 1.

    To first order a pair's score is the difference of its two votes: a vote's score holds its own
    noise once for each of its pairs, and that of the other vote of each.
    """

    def __init__(
        self, weight: np.ndarray, pairs: np.ndarray, arm: np.ndarray, edit: np.ndarray
    ) -> None:
        own = weight * pairs
        self.alone = weight**2 * (pairs**2 + pairs)
        other = np.bincount(edit * 2 + arm, own, 2 * int(edit.max()) + 2)[edit * 2 + 1 - arm]
        self.shared = own**2 + weight * other  # covariance with the estimate
        self.share, self.total = own, float(own @ own)

    def squares(self, cluster: np.ndarray) -> np.ndarray:
        """Return the expected squared sum of every cluster's scores about the estimate."""
        _, member = np.unique(cluster, return_inverse=True)
        share, alone, shared = (
            np.bincount(member, values) for values in (self.share, self.alone, self.shared)
        )
        return np.asarray(alone - 2 * share * shared + share**2 * self.total)


def _against_others(common: Votes, b: int) -> tuple[np.ndarray, np.ndarray]:
    """Return for each vote the sum of P(B > A) + P(tie) / 2 over its pairs, and their number.

    A vote's pairs are with the votes of other raters on the other method of the same edit.
    """
    # Votes of each grade on each edit, by method.
    levels, grade = np.unique(common.value, return_inverse=True)
    second = (common.method == b).astype(np.int64)
    counts = np.zeros((2, common.edits, len(levels)))
    np.add.at(counts, (second, common.edit, grade), 1)
    below = counts.cumsum(axis=2) - counts / 2  # ties half

    # All pairs with votes on the other method.
    other = 1 - second
    pairs = counts.sum(axis=2)[other, common.edit]
    won = below[other, common.edit, grade]

    # Less those with the rater's own vote.
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
