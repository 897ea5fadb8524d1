"""Success rates: shares of edits, or of votes, that are good enough on every question.

Item level: an edit by a method succeeds if the mean of its votes is above the threshold on all
questions. Vote level: a rater's answers about an edit succeed if all of them are. The two differ;
the item's mean hides raters who disagree. Every item, or every rater's set of answers, counts once.

Intervals are those of Korn & Graubard (Survey Methodology 24 (1998)) for shares in clustered
samples: the exact binomial interval (Clopper & Pearson 1934) at the effective sample size
p (1 - p) / V, corrected for the degrees of freedom. At vote level V is clustered by rater and by
source (see `two_way_cluster`). At item level, where a success hangs on a mean of few votes,

    V = V_source + max(V_rater - V_both, 0)

V_source clustered by source; V_rater by the jackknife, that of the share without each rater, V_both
without each rater's answers about one source, which V_source holds already (Efron & Tibshirani, An
Introduction to the Bootstrap (1993), chapter 11). Its degrees of freedom are those of Satterthwaite
(Biometrics Bulletin 2 (1946)), at most sources - 1. A share of 0 or 1 has no variance to go by: its
effective size is then the number of sources (of raters, if those are fewer, at vote level).
`benchmarks/README.md` has the measured coverage.
"""

from typing import NamedTuple

import numpy as np
from scipy import stats as distributions

from evaluation.stats.intervals import ratio
from evaluation.stats.ratings.votes import Ratings, Votes
from evaluation.stats.two_way_cluster import two_way_variance


class SuccessRate(NamedTuple):
    """Shares of success, arrays (methods,); NaN for a method that has nothing to count."""

    share: np.ndarray
    low: np.ndarray
    high: np.ndarray
    counted: np.ndarray  # items, or answers of a rater about an item
    incomplete: np.ndarray  # left out: a question has no vote
    clusters: np.ndarray  # sources, or the fewer of raters and sources, among those counted


class Success(NamedTuple):
    """Success at both levels, for one threshold."""

    threshold: float
    items: SuccessRate
    votes: SuccessRate


def success(
    ratings: Ratings, threshold: float | None = None, *, confidence: float = 0.95
) -> Success:
    """Return the methods' success rates at item and at vote level, with intervals.

    threshold: in points of the scale; success is strictly above it on all questions. Left out, that
    of the ratings.
    confidence: of the intervals.

    With one source (or rater, at vote level) the ends are NaN.
    """
    threshold = ratings.threshold if threshold is None else threshold
    answers = _answers(ratings)
    items = _item_means(answers, len(ratings.edits) * len(ratings.methods))
    influence = _influence(ratings, answers, threshold)
    return Success(
        threshold,
        _rates(ratings, items, threshold, confidence, influence),
        _rates(ratings, answers, threshold, confidence, None),
    )


def item_success(ratings: Ratings, threshold: float | None = None) -> np.ndarray:
    """Return 1 for success, 0 for none, NaN without votes on all questions: (methods, edits)."""
    threshold = ratings.threshold if threshold is None else threshold
    items = _item_means(_answers(ratings), len(ratings.edits) * len(ratings.methods))
    edit, method = np.divmod(items.item, len(ratings.methods))
    complete = np.isfinite(items.value).all(axis=1)
    good = np.full((len(ratings.methods), len(ratings.edits)), np.nan)
    good[method, edit] = np.where(complete, (items.value > threshold).all(axis=1), np.nan)
    return good


def success_votes(ratings: Ratings, threshold: float | None = None) -> Votes:
    """Return each rater's answers about an item as one vote: 1 if all of them succeed, else 0.

    Answers that lack a question are left out. Means of these votes are success rates at vote level.
    """
    threshold = ratings.threshold if threshold is None else threshold
    answers = _answers(ratings)
    at = np.flatnonzero(np.isfinite(answers.value).all(axis=1))
    edit, method = np.divmod(answers.item[at], len(ratings.methods))
    return Votes(
        answers.rater[at],
        ratings.source[edit],
        edit,
        method,
        np.asarray((answers.value[at] > threshold).all(axis=1), dtype=np.float64),
        len(ratings.raters),
        len(ratings.sources),
        len(ratings.edits),
        len(ratings.methods),
    )


class Influence(NamedTuple):
    """What each rater's answers about an item do to its success, arrays (answers,)."""

    rater: np.ndarray  # int
    edit: np.ndarray
    method: np.ndarray
    change: np.ndarray  # -1, 0, 1: success without them less success; 0 where nobody else voted


def answer_influence(ratings: Ratings, threshold: float | None = None) -> Influence:
    """Return the change of an item's success if one rater's answers about it are taken out."""
    threshold = ratings.threshold if threshold is None else threshold
    return _influence(ratings, _answers(ratings), threshold)


def _rater_variance(change: np.ndarray, rater: np.ndarray, source: np.ndarray) -> float:
    """Return the variance that raters share over sources, by the jackknife.

    change: float (answers,), of the statistic without the answer. rater, source: of the answer.
    """
    by_rater = _sums(rater, change)
    both = _sums(rater * (int(source.max(initial=0)) + 1) + source, change)
    if len(by_rater) < 2:
        return 0.0
    by_rater -= by_rater.mean()
    of_raters = float(by_rater @ by_rater) * (len(by_rater) - 1) / len(by_rater)
    return max(of_raters - float(both @ both), 0.0)


def _sums(cluster: np.ndarray, values: np.ndarray) -> np.ndarray:
    _, member = np.unique(cluster, return_inverse=True)
    return np.bincount(member, values)


def _influence(ratings: Ratings, answers: "_AnswerTable", threshold: float) -> Influence:
    # Sums and counts of every item, question by question.
    known, value = np.isfinite(answers.value).astype(np.float64), np.nan_to_num(answers.value)
    many = len(ratings.edits) * len(ratings.methods)
    counts, sums = (
        np.stack([np.bincount(answers.item, column, many) for column in table.T], axis=1)
        for table in (known, value)
    )

    # Success without an answer less success with it.
    left = counts[answers.item] - known
    without = (ratio(sums[answers.item] - value, left) > threshold).all(axis=1)
    full = np.asarray((ratio(sums, counts) > threshold).all(axis=1))[answers.item]
    change = np.where((left > 0).all(axis=1), without.astype(np.float64) - full, 0.0)
    edit, method = np.divmod(answers.item, len(ratings.methods))
    return Influence(answers.rater, edit, method, change)


def success_sweep(
    ratings: Ratings, thresholds: np.ndarray, *, confidence: float = 0.95
) -> list[Success]:
    """Return `success` at each threshold; shares never rise with the threshold."""
    return [success(ratings, float(threshold), confidence=confidence) for threshold in thresholds]


class _AnswerTable(NamedTuple):
    """Values (rows, questions), NaN where there is no vote; the rater and item of each row."""

    rater: np.ndarray
    item: np.ndarray
    value: np.ndarray


def _answers(ratings: Ratings) -> _AnswerTable:
    """Return one row for each rater and item."""
    item = ratings.edit * len(ratings.methods) + ratings.method
    many = len(ratings.edits) * len(ratings.methods)
    keys, row = np.unique(ratings.rater * many + item, return_inverse=True)
    value = np.full((len(keys), len(ratings.questions)), np.nan)
    value[row, ratings.question] = ratings.value
    return _AnswerTable(keys // many, keys % many, value)


def _item_means(answers: _AnswerTable, many: int) -> _AnswerTable:
    """Return one row for each item that has a vote: the means over all raters who answered."""
    sums, counts = (
        np.stack([np.bincount(answers.item, column, many) for column in table.T], axis=1)
        for table in (np.nan_to_num(answers.value), np.isfinite(answers.value).astype(float))
    )
    items = np.flatnonzero(counts.any(axis=1))
    return _AnswerTable(np.zeros(len(items), np.int64), items, ratio(sums, counts)[items])


def _rates(
    ratings: Ratings,
    table: _AnswerTable,
    threshold: float,
    confidence: float,
    influence: Influence | None,
) -> SuccessRate:
    """Return rates of items, whose raters come in by their influence, or (None) of answers."""
    edit, method = np.divmod(table.item, len(ratings.methods))
    complete = np.asarray(np.isfinite(table.value).all(axis=1))
    good = np.asarray((table.value > threshold).all(axis=1), dtype=np.float64)
    # Share and interval of each method, of its complete items.
    rows = []
    for m in range(len(ratings.methods)):
        at = np.flatnonzero(complete & (method == m))
        source = ratings.source[edit[at]]
        if influence is None:
            found = _share_of_answers(good[at], table.rater[at], source, confidence)
        else:
            found = _share_of_items(good[at], source, confidence, _of_method(ratings, influence, m))
        missing = int((~complete & (method == m)).sum())
        rows.append((*found[:3], len(at), missing, found[3]))
    share, low, high, *counts = np.array(rows).T
    counted, incomplete, clusters = (array.astype(np.int64) for array in counts)
    return SuccessRate(share, low, high, counted, incomplete, clusters)


def _of_method(
    ratings: Ratings, influence: Influence, method: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return change, rater and source of the answers about a method."""
    at = np.flatnonzero(influence.method == method)
    return influence.change[at], influence.rater[at], ratings.source[influence.edit[at]]


def _share_of_answers(
    good: np.ndarray, rater: np.ndarray, source: np.ndarray, confidence: float
) -> tuple[float, float, float, int]:
    """Return the share of successes, the ends of its interval and the number of clusters."""
    if not len(good):
        return np.nan, np.nan, np.nan, 0
    share = float(good.mean())
    variance = two_way_variance((good - share) / len(good), rater, source)
    clusters = min(variance.raters, variance.sources)
    if clusters < 2:
        return share, np.nan, np.nan, clusters
    return (
        share,
        *korn_graubard(share, variance.total, len(good), clusters, confidence=confidence),
        clusters,
    )


def _share_of_items(
    good: np.ndarray,
    source: np.ndarray,
    confidence: float,
    answers: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> tuple[float, float, float, int]:
    """Return the same of items; answers: change of their success, rater and source."""
    if not len(good):
        return np.nan, np.nan, np.nan, 0
    share, (change, rater, at) = float(good.mean()), answers
    by_source = two_way_variance((good - share) / len(good), np.arange(len(good)), source)
    sources, raters = by_source.sources, len(np.unique(rater))
    if sources < 2:
        return share, np.nan, np.nan, sources
    # Variance between sources, and through raters.
    parts = np.array([by_source.source, _rater_variance(change / len(good), rater, at)])
    variance, freedom = float(parts.sum()), float(sources - 1)
    # Satterthwaite's degrees of freedom, never more than sources allow.
    if parts[1] > 0:
        freedom = min(variance**2 / float(parts**2 @ [1 / freedom, 1 / (raters - 1)]), freedom)
    ends = korn_graubard(share, variance, len(good), freedom + 1, confidence=confidence)
    return share, *ends, sources


def korn_graubard(
    share: float, variance: float, count: int, clusters: float, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Return the ends of the interval of a share from clustered data, 0 to 1.

    variance: of the share, clustered; 0 where all counted are alike.
    count:    how many the share is of. clusters: at least 2; degrees of freedom plus 1.
    """
    tail = (1 - confidence) / 2
    if variance > 0:
        t = [float(distributions.t.isf(tail, freedom)) for freedom in (count - 1, clusters - 1)]
        size = min(share * (1 - share) / variance * (t[0] / t[1]) ** 2, count)
    else:
        size = float(clusters)
    hits = share * size
    low = distributions.beta.ppf(tail, hits, size - hits + 1) if share > 0 else 0.0
    high = distributions.beta.isf(tail, hits + 1, size - hits) if share < 1 else 1.0
    return float(low), float(high)
