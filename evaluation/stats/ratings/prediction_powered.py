"""Votes on a part of the edits and a metric on all: valid whatever the metric is worth.

With human values y on labelled edits and the metric's f on all of them (prediction-powered
inference, Angelopoulos et al., Science 382 (2023) 669; power tuning, PPI++, arXiv 2311.01453)

    estimate = mean_labelled(y - slope (f - mean_unlabelled(f)))
    slope    = cov(y, f) / ((1 + n / m) var(f)),  n labelled and m unlabelled edits

For any slope that does not come from the same votes this estimates what votes alone estimate; the
slope decides only how precisely. So it is fitted on other sources (cross-fitting in folds of
sources) and costs one degree of freedom. y and f are those of one method, or differences of two
methods on one edit. The labelled edits must have been chosen without a look at votes or metric.

Each vote on a labelled edit is moved by what the metric explains of it. The moved votes go through
the estimators of votes alone, clustered by source and rater (`mos`, `paired`), and what is not
known of mean_unlabelled(f) joins the sums of sources, so that a source with labelled and unlabelled
edits counts for both. Means are means of source means, as everywhere.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from evaluation.stats.ratings.mos import ScoredMean, scored_mean
from evaluation.stats.ratings.paired import scored_difference
from evaluation.stats.ratings.votes import Votes, common_votes
from evaluation.stats.two_way_cluster import (
    ClusteredEstimate,
    Raters,
    Variance,
    clustered_estimate,
    without_interval,
)

FOLDS = 5
LEAST_SOURCES = 8  # labelled; below, no formula holds its level


class MetricOnEdits(NamedTuple):
    """A metric on all edits, with votes or without."""

    value: np.ndarray  # float (methods, edits), more is better; NaN where it has none
    source: np.ndarray  # int (edits,), those of the votes' sources bear the same numbers
    place: np.ndarray  # int (edits of the votes,): where each of them stands here


class PoweredEstimate(NamedTuple):
    """A mean or a difference by votes alone, and by votes and metric; NaN where neither is."""

    people: ClusteredEstimate
    powered: ClusteredEstimate
    slope: float  # points of a vote per unit of the metric, mean over the folds
    r: float  # correlation of y and f over the labelled edits
    labelled: int  # edits
    unlabelled: int

    @property
    def gain(self) -> float:
        """How many times the labelled edits would be as precise without the metric."""
        if not self.powered.error > 0:
            return np.nan
        return float((self.people.error / self.powered.error) ** 2)

    @property
    def helps(self) -> bool:
        """Whether the metric is used: the rule by which one of the two is reported.

        Its interval has to be the narrower one, and r over 1 / sqrt(n - 2), below which a slope
        that is estimated from n edits loses more than it gains (arXiv 2505.20178).
        """
        widths = [one.high - one.low for one in (self.powered, self.people)]
        enough = self.labelled > 2 and self.r > 1 / (self.labelled - 2) ** 0.5
        return bool(enough and widths[0] < widths[1])

    @property
    def used(self) -> ClusteredEstimate:
        """What to report: with the metric where it helps, else people alone."""
        return self.powered if self.helps else self.people


def powered_difference(
    votes: Votes,
    a: int,
    b: int,
    metric: MetricOnEdits,
    *,
    rng: np.random.Generator,
    confidence: float = 0.95,
    raters: Raters = "random",
) -> PoweredEstimate:
    """Return MOS of b - MOS of a by votes alone and with a metric.

    Edits that both methods have votes on are labelled, all others of the metric are not. A missing
    value of the metric is its mean: any value is valid, leaving the edit out is not.

    rng: of the folds. raters: as `compare_methods`.
    """
    common = common_votes(votes, a, b)
    gap = metric.value[b] - metric.value[a]
    sign = np.where(common.method == b, 0.5, -0.5)

    def scored(moved: Votes) -> ScoredMean:
        return scored_difference(moved, b, raters)

    return _powered(common, sign, gap, metric, scored, rng, confidence, raters)


def powered_mean(
    votes: Votes,
    method: int,
    metric: MetricOnEdits,
    *,
    rng: np.random.Generator,
    confidence: float = 0.95,
    raters: Raters = "random",
) -> PoweredEstimate:
    """Return a method's MOS by votes alone and with a metric; arguments as `powered_difference`."""
    own = votes.where(votes.method == method)

    def scored(moved: Votes) -> ScoredMean:
        return scored_mean(moved, raters)

    return _powered(
        own, np.ones(len(own.value)), metric.value[method], metric, scored, rng, confidence, raters
    )


class _Edits(NamedTuple):
    """Edits of one kind: a value each, its source and its weight in the mean of source means."""

    f: np.ndarray
    source: np.ndarray
    weight: np.ndarray
    y: np.ndarray


def _powered(
    votes: Votes,
    sign: np.ndarray,
    f: np.ndarray,
    metric: MetricOnEdits,
    scored: Callable[[Votes], ScoredMean],
    rng: np.random.Generator,
    confidence: float,
    raters: Raters,
) -> PoweredEstimate:
    """Return both estimates; sign (votes,): how a vote counts in y, so that f of an edit does."""
    if not len(votes.value):
        raise ValueError("no votes to estimate from")
    known_f = np.isfinite(f)
    f = np.where(known_f, f, f[known_f].mean() if known_f.any() else 0.0)
    alone = scored(votes)
    people = clustered_estimate(alone.mid, alone.variance, confidence=confidence, raters=raters)
    at = metric.place[votes.edit]
    has = np.zeros(len(f), bool)
    has[at] = True
    known = _edits(f, metric.source, has, _human(votes, sign, at, len(f)))
    rest = _edits(f, metric.source, ~has)
    r = _correlation(known)
    counts = len(known.f), len(rest.f)
    if not np.ptp(votes.value):  # votes that are all alike are nothing to judge by
        people = without_interval(people)
        return PoweredEstimate(people, people, 0.0, r, *counts)
    if not len(rest.f) or len(np.unique(known.source)) < LEAST_SOURCES:
        return PoweredEstimate(people, people, 0.0, r, *counts)

    # Move the votes by what other sources say of the metric.
    middle = float(rest.weight @ rest.f)
    slope = _slopes(known, rest, rng)
    shift = np.zeros(len(f))
    shift[np.flatnonzero(has)] = slope * (known.f - middle)
    moved = scored(votes._replace(value=votes.value - sign * shift[at]))

    # What is not known of the mean of the others joins the sums of sources.
    mean = float(known.weight @ slope)
    variance = _with_rest(moved, votes.source, rest, mean * rest.weight * (rest.f - middle))
    powered = clustered_estimate(moved.mid, variance, confidence=confidence, raters=raters)
    return PoweredEstimate(people, powered, mean, r, *counts)


def _human(votes: Votes, sign: np.ndarray, at: np.ndarray, edits: int) -> np.ndarray:
    """Return y of every edit (edits,): its mean vote, or the difference of two; 0 without votes."""
    items, first, member = np.unique(votes.item, return_index=True, return_inverse=True)
    means = np.bincount(member, votes.value) / np.bincount(member, minlength=len(items))
    return np.bincount(at[first], np.sign(sign[first]) * means, edits)


def _edits(
    f: np.ndarray, source: np.ndarray, which: np.ndarray, y: np.ndarray | None = None
) -> _Edits:
    """Return the edits for which `which` (bool) holds; weights sum to 1."""
    _, member = np.unique(source[which], return_inverse=True)
    size = np.bincount(member)
    weight = 1 / (len(size) * size[member]) if len(member) else np.zeros(0)
    return _Edits(f[which], source[which], weight, (f * 0 if y is None else y)[which])


def _slopes(known: _Edits, rest: _Edits, rng: np.random.Generator) -> np.ndarray:
    """Return the slope that each labelled edit is moved by (labelled,), fitted on other folds.

    Below zero the metric, which is said to rise with y, would be turned round: there it is 0.
    """
    sources, member = np.unique(known.source, return_inverse=True)
    fold = rng.permutation(np.arange(len(sources)) % FOLDS)
    found = np.zeros(len(member))
    for k in range(min(FOLDS, len(sources))):
        away = sources[fold == k]
        parts = (_without(known, away), _without(rest, away))
        found[fold[member] == k] = max(_slope(*parts), 0.0)
    return found


def _without(some: _Edits, away: np.ndarray) -> _Edits:
    """Return the edits of other sources, weights as they were: they sum to what is left."""
    keep = ~np.isin(some.source, away)
    return _Edits(*(each[keep] for each in some))


def _slope(known: _Edits, rest: _Edits) -> float:
    """Return the slope with the least variance over sources: cov / ((1 + n / m) var) unclustered.

    Where a fold took a share of the sources away, sums over sources count for the whole.
    """
    sources = np.unique(np.concatenate([known.source, rest.source]))
    y, of_known = (_by_source(known, each, sources) for each in (known.y, known.f))
    of_all = of_known - _by_source(rest, rest.f, sources)
    square = float(of_all @ of_all)
    return float(y @ of_all) / square if square > 0 else 0.0


def _by_source(some: _Edits, values: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """Return the sums over each source of weighted deviations from the mean (sources,).

    They are as large as if the weights summed to 1.
    """
    share = some.weight.sum()
    if not share:
        return np.zeros(len(sources))
    middle = some.weight @ values / share
    at = np.searchsorted(sources, some.source)
    return np.bincount(at, some.weight * (values - middle), len(sources)) / np.sqrt(share)


def _with_rest(moved: ScoredMean, source: np.ndarray, rest: _Edits, score: np.ndarray) -> Variance:
    """Return the variance of both parts of the estimate; score (unlabelled,) is of the second.

    One degree of freedom goes to the slope.
    """
    sources, member = np.unique(np.concatenate([source, rest.source]), return_inverse=True)
    first, second = np.split(member, [len(source)])
    labelled = np.bincount(first, moved.score, len(sources))
    both = labelled + np.bincount(second, score, len(sources))
    many, was = len(sources), moved.variance
    more = many / (many - 1) * float(both @ both - labelled @ labelled)
    by_source = max(was.source + more, 0.0)
    total = max(was.rater + by_source - was.both, was.rater, by_source)
    total = np.nan if np.isnan(was.total) else total
    few = was.sources if was.rater == was.both == 0 else min(was.raters, was.sources)
    freedom = was.freedom if np.isfinite(was.freedom) else few - 1
    return was._replace(total=total, source=by_source, freedom=max(freedom - 1, 0))


def _correlation(known: _Edits) -> float:
    """Return the correlation of y and f over labelled edits; NaN where one is constant."""
    y, f = (each - known.weight @ each for each in (known.y, known.f))
    size = np.sqrt((known.weight @ y**2) * (known.weight @ f**2))
    return float(known.weight @ (y * f) / size) if size > 0 else np.nan
