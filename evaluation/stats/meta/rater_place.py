"""Where a metric would stand among raters, were it one of them.

Each rater in turn leaves the panel; what is left is people. How well the rater follows them, and
how well the metric does on the same cells, is a paired comparison (the alternative annotator test
of Calderon, Reichart & Dror, ACL 2025, arXiv 2501.10970, with a place in the order of raters for
its winning rate). So a metric with place k is as good as the k-th of n raters: k - 1 of them follow
the others better than it does. Place n + 1 is below all of them.

Agreement is Spearman's correlation over all cells that the rater and somebody else voted on. The
interval of the place resamples sources; raters are those there are. Raters of one opinion on every
cell, or of fewer than FEWEST cells, have no place and are not counted.
"""

from typing import NamedTuple

import numpy as np

from evaluation.stats.intervals import ratio
from evaluation.stats.meta.coefficients import coefficient
from evaluation.stats.meta.data import sources_of
from evaluation.stats.resampling import Resampling, cluster_counts, percentile_interval

FEWEST = 20  # cells of a rater
MOST = 60  # raters that a metric is held against: those with the most votes


class RaterPlace(NamedTuple):
    """A metric's place among raters; NaN where it has none."""

    place: float  # 1: no rater follows the others better; raters + 1: all do
    low: float  # ends of its interval
    high: float
    raters: int  # that it was held against
    agreement: float  # mean over raters of the metric's correlation with the others
    of_raters: float  # mean of the raters' own

    @property
    def below_all(self) -> bool:
        """Whether even the best end of the interval is below every rater."""
        return bool(self.raters and self.low > self.raters)


NO_PLACE = RaterPlace(np.nan, np.nan, np.nan, 0, np.nan, np.nan)


def rater_places(
    metrics: np.ndarray,
    votes: np.ndarray,
    *,
    sources: np.ndarray | None = None,
    resampling: Resampling,
) -> list[RaterPlace]:
    """Return the place of each metric among the raters.

    metrics: float (metrics, systems, items), more is better; NaN without a value.
    votes:   float (systems, items, raters), NaN without a vote.
    sources: (items,) labels; left out, each item is its own.
    """
    of = sources_of(votes.shape[1], sources)
    drawn = cluster_counts(len(of.labels), resampling.resamples, resampling.rng)
    counts = np.concatenate([np.ones((1, len(of.labels))), drawn])  # the sample itself first
    weights = np.tile(counts[:, of.member], votes.shape[0])  # (1 + resamples, cells)
    cells = votes.reshape(-1, votes.shape[2])
    found: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in metrics]
    for rater in _counted(cells):
        others = _mean_of_others(cells, rater)
        for k, metric in enumerate(metrics):
            own, its = _agreements(cells[:, rater], metric.ravel(), others, weights)
            if np.isfinite(own[0]) and np.isfinite(its[0]):
                found[k].append((own, its))
    return [_place(several, resampling.confidence, len(of.labels)) for several in found]


def _counted(cells: np.ndarray) -> list[int]:
    """Return the raters with enough votes on what others voted on, at most MOST."""
    there = np.isfinite(cells)
    shared = (there & (there.sum(axis=1, keepdims=True) > 1)).sum(axis=0)
    order = np.argsort(-shared, kind="stable")[:MOST]
    return sorted(int(rater) for rater in order if shared[rater] >= FEWEST)


def _mean_of_others(cells: np.ndarray, rater: int) -> np.ndarray:
    """Return the mean vote of all other raters (cells,), NaN where there is none."""
    rest = np.delete(cells, rater, axis=1)
    there = np.isfinite(rest)
    return ratio(np.where(there, rest, 0.0).sum(axis=1), there.sum(axis=1))


def _agreements(
    rater: np.ndarray, metric: np.ndarray, others: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the correlations of rater and metric with the others on their common cells."""
    keep = np.isfinite(rater) & np.isfinite(metric) & np.isfinite(others)
    if keep.sum() < FEWEST:
        return np.full(1, np.nan), np.full(1, np.nan)
    of = others[keep]
    own, its = (coefficient(one[keep], of, "spearman", weights[:, keep]) for one in (rater, metric))
    return own, np.where(np.isnan(its), 0.0, its)  # a metric that never differs follows nobody


def _place(
    several: list[tuple[np.ndarray, np.ndarray]], confidence: float, sources: int
) -> RaterPlace:
    if not several:
        return NO_PLACE
    own, its = (np.stack(parts) for parts in zip(*several, strict=True))  # (raters, 1 + resamples)
    places = 1 + (own > its + 1e-9).sum(axis=0).astype(np.float64)
    ends = percentile_interval(places[1:], confidence) if sources > 1 else (np.nan, np.nan)
    means = float(its[:, 0].mean()), float(own[:, 0].mean())
    return RaterPlace(float(places[0]), *ends, len(several), *means)
