"""Methods compared in pairs on the edits that both have votes on.

The difference B - A is the mean over sources of the mean over a source's common edits of the
difference of the two items' MOS. Its standard error is that of a regression of the votes on method
and source (fixed effects) with the weights that give this mean, clustered by rater and by source
(see `two_way_cluster`). Where raters rate both methods of a source this is the paired comparison.
Where they do not, effects of sources still cancel and biases of raters count as the error that they
are.

Measured at a nominal 5%, no difference between methods, votes on 1 to 5 (1,500 studies each, 800
for the second; deviations of method x rater 0.25, of method x source 0.1 to 0.35, of answers 0.8):
24 raters x 30 sources 5.0%; 100 x 30 5.0 to 5.3%; 12 raters x 29 sources x 127 edits with 1 to 3
votes an item, no rater seeing an edit twice, 4.3 to 5.5%. Residuals about the method alone are as
right where raters see both methods, and give 2.5 to 4.8% in the last design; residuals about the
edit fit its few votes too closely there, and give 6.3 to 8.3%.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from evaluation.stats.leverage import same_raters
from evaluation.stats.multiplicity import holm_adjusted
from evaluation.stats.ratings.mos import ScoredMean, source_weights
from evaluation.stats.ratings.probability_of_superiority import Kind, Superiority, superiority
from evaluation.stats.ratings.votes import Ratings, Votes, common_votes, votes_on
from evaluation.stats.resampling import Resampling, percentile_interval
from evaluation.stats.two_way_cluster import (
    NOTHING,
    ClusteredEstimate,
    ItemTotals,
    Raters,
    clustered_estimate,
    mean_of_source_means,
    one_way_variance,
    two_way_variance,
    two_way_weights,
    without_interval,
)


class Comparison(NamedTuple):
    """One pair of methods on one question: B - A in points of the scale."""

    question: str
    a: str
    b: str
    difference: ClusteredEstimate
    p_holm: float  # adjusted over all comparisons of a call
    boot_low: float  # two-way bootstrap; NaN where none was asked for
    boot_high: float
    superiority: Superiority
    edits: int  # common

    @property
    def p(self) -> float:
        """The p of the difference, not adjusted."""
        return self.difference.p


def compare_methods(
    ratings: Ratings,
    *,
    confidence: float = 0.95,
    kind: Kind | None = None,
    resampling: Resampling | None = None,
    raters: Raters = "random",
) -> list[Comparison]:
    """Return every pair of methods on every question, p-values adjusted by Holm over all of them.

    confidence: of the clustered intervals, which are not adjusted.
    kind:   of the pairs for P(B > A), see `superiority`; None lets each comparison choose.
    resampling: of the two-way bootstrap, shared by the pairs of a question; None leaves it out.
    raters: "random": claims are about raters like these; "fixed": about these raters on videos
            like these, clustered by source alone with sources - 1 degrees of freedom, and without
            a bootstrap. Three raters leave two degrees of freedom to a claim about others, which
            hardly anything can pass; a claim about themselves does not need more of them.

    A single method gives an empty list. Methods without a common edit give NaN, which counts as one
    of the tests all the same: a test that was wanted is not free because it failed.
    """
    pairs = list(combinations(range(len(ratings.methods)), 2))
    found = [
        one._replace(question=question, a=ratings.methods[a], b=ratings.methods[b])
        for question in ratings.questions
        for (a, b), one in zip(
            pairs,
            _comparisons(votes_on(ratings, question), pairs, confidence, kind, resampling, raters),
            strict=True,
        )
    ]
    return holm_adjusted(found)


def mos_difference(
    votes: Votes, a: int, b: int, *, confidence: float = 0.95, raters: Raters = "random"
) -> ClusteredEstimate:
    """Return MOS of b - MOS of a over common edits, two-way clustered; NaN without common edits.

    raters: as `compare_methods`. "fixed" gives no interval where the two methods were not rated by
    the same raters, each to the same share: then their difference is one of raters as well.
    """
    common = common_votes(votes, a, b)
    if not len(common.value):
        return NOTHING
    mid, variance, _ = scored_difference(common, b, raters)
    return clustered_estimate(mid, variance, confidence=confidence, raters=raters)


def scored_difference(common: Votes, b: int, raters: Raters) -> ScoredMean:
    """Return MOS of b - MOS of the other method of these votes, all of edits that both have."""
    score, weight, mid = _difference_scores(common, b)
    arm = (common.method == b).astype(np.int64)
    if raters == "random":
        variance = two_way_variance(score, common.rater, common.source, weight, arm)
        return ScoredMean(mid, variance, score)
    variance = one_way_variance(score, common.source, len(np.unique(common.rater)))
    if not same_raters(common.rater, weight, arm):
        variance = variance._replace(total=np.nan)
    return ScoredMean(mid, variance, score)


def bootstrap_differences(
    votes: Votes, pairs: Sequence[tuple[int, int]], resampling: Resampling
) -> np.ndarray:
    """Return b - a of each pair (a, b) in the same resamples, float (resamples, pairs)."""
    totals = ItemTotals(votes.value, votes.item, votes.rater, votes.raters)
    source = np.zeros(votes.edits, np.int64)
    source[votes.edit] = votes.source
    common = [_common_items(totals.items, votes.methods, a, b) for a, b in pairs]
    parts = []
    for raters, sources in two_way_weights(votes.raters, votes.sources, resampling):
        # Differences of common items, averaged by source, then over sources.
        means = totals.means(raters)
        columns = [
            mean_of_source_means(means[second] - means[first], source[edit], sources, votes.sources)
            for edit, first, second in common
        ]
        parts.append(np.stack(columns, axis=1))
    return np.concatenate(parts)


def _common_items(
    items: np.ndarray, methods: int, a: int, b: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the edits that both methods have, and where a's and b's items of them are."""
    edit, method = np.divmod(items, methods)
    at = [np.flatnonzero(method == side) for side in (a, b)]
    edits, first, second = np.intersect1d(edit[at[0]], edit[at[1]], return_indices=True)
    return edits, at[0][first], at[1][second]


def _comparisons(
    votes: Votes,
    pairs: Sequence[tuple[int, int]],
    confidence: float,
    kind: Kind | None,
    resampling: Resampling | None,
    raters: Raters,
) -> list[Comparison]:
    """Return comparisons without the names and the adjusted p."""
    draws, found = np.full((1, len(pairs)), np.nan), []
    if resampling is not None and pairs and raters == "random":
        draws = bootstrap_differences(votes, pairs, resampling)
    for (a, b), column in zip(pairs, draws.T, strict=True):
        common = common_votes(votes, a, b)
        gap = mos_difference(common, a, b, confidence=confidence, raters=raters)
        ends = (np.nan, np.nan)
        if resampling is not None and gap.freedom:
            ends = percentile_interval(column, resampling.confidence)
        share = superiority(common, a, b, kind=kind, confidence=confidence, raters=raters)
        if raters == "fixed" and not gap.freedom:
            share = share._replace(found=without_interval(share.found))
        edits = len(np.unique(common.edit))
        found.append(Comparison("", "", "", gap, np.nan, *ends, share, edits))
    return found


def _difference_scores(common: Votes, b: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Return each vote's score and weight, and the difference.

    Residuals are about source and method.
    """
    # Each vote weighs as in the mean of source means of its method.
    weight = np.zeros(len(common.value))
    for side in (common.method == b, common.method != b):
        weight[side] = source_weights(common.where(side))
    sign = np.where(common.method == b, 1.0, -1.0)
    mid = float((sign * weight) @ common.value)

    # Residuals about the source's mean and half the difference.
    total = np.bincount(common.source, weight)
    of_source = np.bincount(common.source, weight * common.value) / np.where(total > 0, total, 1)
    residual = common.value - of_source[common.source] - sign * mid / 2
    return sign * weight * residual, weight, mid
