"""Mean opinion scores: of items, and of methods as the mean of source means.

A source counts once in a method's score, however many edits it has and votes it got: the item's
score is the mean of its votes, a source's the mean of its items' scores, the method's the mean of
its sources' scores. Intervals of methods are two-way clustered (see `two_way_cluster`); intervals
of a single item speak of other raters on that very item.
"""

from typing import NamedTuple

import numpy as np
from scipy import stats as distributions

from evaluation.stats.ratings.votes import Votes
from evaluation.stats.resampling import Resampling, expanded, percentile_interval
from evaluation.stats.two_way_cluster import (
    ItemTotals,
    Raters,
    Variance,
    clustered_estimate,
    mean_of_source_means,
    one_way_variance,
    two_way_variance,
    two_way_weights,
)


class ItemScores(NamedTuple):
    """Arrays (items,), items that have votes only, by edit and then method."""

    edit: np.ndarray
    method: np.ndarray
    source: np.ndarray
    mos: np.ndarray
    deviation: np.ndarray  # of votes (ddof 1); NaN for one vote
    votes: np.ndarray
    low: np.ndarray  # t interval over raters; NaN for one vote, no width for equal votes
    high: np.ndarray


class MethodScores(NamedTuple):
    """Arrays (methods,); NaN for a method without votes."""

    mos: np.ndarray
    error: np.ndarray  # two-way clustered standard error
    low: np.ndarray  # t interval with at most min(raters, sources) - 1 degrees of freedom
    high: np.ndarray
    boot_low: np.ndarray  # two-way bootstrap; NaN where none was asked for
    boot_high: np.ndarray
    freedom: np.ndarray
    raters: np.ndarray
    sources: np.ndarray
    items: np.ndarray
    votes: np.ndarray


class ScoredMean(NamedTuple):
    """A mean of votes or a difference of two, its variance, and each vote's score (votes,)."""

    mid: float
    variance: Variance
    score: np.ndarray


def item_scores(votes: Votes, *, confidence: float = 0.95) -> ItemScores:
    """Return the MOS of every item, with Student's t interval over its raters.

    The interval takes the item as given: it says nothing about other sources. It is in points of
    the scale and not cut at the scale's ends.
    """
    items, first, member = np.unique(votes.item, return_index=True, return_inverse=True)
    # Mean and standard deviation of each item.
    count = np.bincount(member, minlength=len(items))
    mos = np.bincount(member, votes.value) / count
    squares = np.bincount(member, (votes.value - mos[member]) ** 2)
    freedom = np.where(count > 1, count - 1, 1)
    deviation = np.where(count > 1, np.sqrt(squares / freedom), np.nan)
    # Student's interval.
    half = distributions.t.ppf((1 + confidence) / 2, freedom) * deviation / np.sqrt(count)
    return ItemScores(
        votes.edit[first],
        votes.method[first],
        votes.source[first],
        mos,
        deviation,
        count,
        mos - half,
        mos + half,
    )


def method_scores(
    votes: Votes,
    *,
    confidence: float = 0.95,
    resampling: Resampling | None = None,
    raters: Raters = "random",
) -> MethodScores:
    """Return the MOS of every method with two-way clustered and, if asked, bootstrap intervals.

    confidence: of the clustered intervals.
    resampling: of the two-way bootstrap, shared by the methods; its percentiles are expanded for
    the fewer of raters and sources (see `resampling.expanded`). None leaves it out.
    raters: "random": intervals are about raters like these; "fixed": about these raters, clustered
    by source alone, and without a bootstrap.

    With one rater or one source there is a mean and no interval (NaN). A resample in which a method
    has no votes does not count for that method.
    """
    rows = [
        _method_row(votes.where(votes.method == m), confidence, raters)
        for m in range(votes.methods)
    ]
    mos, error, low, high, freedom, who, sources, items, count = np.array(rows).T
    boot_low, boot_high = np.full((2, votes.methods), np.nan)
    # Bootstrap intervals, widened for few clusters.
    if resampling is not None and raters == "random":
        draws = bootstrap_scores(votes, resampling)
        kept = [
            expanded(resampling.confidence, int(clusters)) for clusters in np.minimum(who, sources)
        ]
        ends = [percentile_interval(*pair) for pair in zip(draws.T, kept, strict=True)]
        boot_low, boot_high = np.array(ends).reshape(-1, 2).T
    # One rater or one source says nothing of others.
    alone = np.minimum(who, sources) < 2
    boot_low, boot_high = (np.where(alone, np.nan, end) for end in (boot_low, boot_high))
    counts = (array.astype(np.int64) for array in (who, sources, items, count))
    return MethodScores(mos, error, low, high, boot_low, boot_high, freedom, *counts)


def bootstrap_scores(votes: Votes, resampling: Resampling) -> np.ndarray:
    """Return the methods' MOS in resamples of raters and sources, float (resamples, methods)."""
    totals = ItemTotals(votes.value, votes.item, votes.rater, votes.raters)
    source_of_edit = np.zeros(votes.edits, np.int64)
    source_of_edit[votes.edit] = votes.source
    edit, method = np.divmod(totals.items, votes.methods)
    parts = []
    for raters, sources in two_way_weights(votes.raters, votes.sources, resampling):
        # Means of items under these raters, averaged by source, then over sources.
        means = totals.means(raters)
        columns = [
            mean_of_source_means(
                means[method == m], source_of_edit[edit[method == m]], sources, votes.sources
            )
            for m in range(votes.methods)
        ]
        parts.append(np.stack(columns, axis=1))
    return np.concatenate(parts)


def source_weights(votes: Votes) -> np.ndarray:
    """Return each vote's weight in the mean of source means of these votes, float (votes,).

    A vote weighs 1 / (sources x edits of its source x votes of its edit); the weights sum to 1.
    The votes must be of one method.
    """
    edits, first, member = np.unique(votes.edit, return_index=True, return_inverse=True)
    of_edit = np.bincount(member, minlength=len(edits))
    _, source = np.unique(votes.source[first], return_inverse=True)
    of_source = np.bincount(source)
    return 1 / (len(of_source) * of_source[source[member]] * of_edit[member])


def scored_mean(votes: Votes, raters: Raters) -> ScoredMean:
    """Return the mean of source means of votes on one method."""
    weight = source_weights(votes)
    mos = float(weight @ votes.value)
    score = weight * (votes.value - mos)
    if raters == "fixed":
        variance = one_way_variance(score, votes.source, len(np.unique(votes.rater)))
    else:
        variance = two_way_variance(score, votes.rater, votes.source, weight)
    return ScoredMean(mos, variance, score)


def _method_row(votes: Votes, confidence: float, raters: Raters) -> tuple[float, ...]:
    if not len(votes.value):
        return (np.nan,) * 4 + (0,) * 5
    mos, variance, _ = scored_mean(votes, raters)
    found = clustered_estimate(mos, variance, confidence=confidence, raters=raters)
    items = len(np.unique(votes.edit))
    spread = (found.error, found.low, found.high, found.freedom)
    return mos, *spread, found.raters, found.sources, items, len(votes.value)
