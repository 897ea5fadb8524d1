"""Percentile intervals of a mean by the cluster bootstrap.

Edits of one source video are not independent: a hard clip is hard for every prompt. So a resample
draws whole clusters (videos), with replacement, each with all of its items (edits).

The estimand is the mean over items. A resample's mean is therefore a ratio: the drawn items' sum
over the drawn items' count, both of which vary from draw to draw when clusters differ in size.
One matrix of multinomial cluster counts serves every column, so columns (methods, metrics) are
resampled together and differences between them are paired.

Source: Davison & Hinkley, Bootstrap Methods and their Application (1997), sections 3.8 and 5.3.
A percentile interval from few clusters is too narrow. Measured share of nominal 95% intervals that
hold the true mean (20,000 sets of 4 normal items a cluster, half of the variance between clusters,
1,000 resamples): 2 clusters 50%, 5: 83%, 10: 90%, 29: 94%, 100: 94%.
"""

from typing import NamedTuple

import numpy as np

from evaluation.stats.long_table import distinct
from evaluation.stats.resampling import Resampling, percentiles


class Interval(NamedTuple):
    """A mean and the ends of its interval; the ends are NaN where there is none to give."""

    low: float
    mid: float
    high: float


class Intervals(NamedTuple):
    """One interval a column: float64 arrays (columns,), and how many clusters each rests on."""

    low: np.ndarray
    mid: np.ndarray
    high: np.ndarray
    clusters: np.ndarray  # int (columns,): clusters with at least one value


def cluster_bootstrap(
    values: np.ndarray,
    clusters: np.ndarray,
    resampling: Resampling,
    *,
    weights: np.ndarray | None = None,
) -> Interval:
    """Return the mean of `values` and its percentile interval over resampled clusters.

    values:   float (items,); NaN where an item has no value.
    clusters: (items,) label of the cluster each item belongs to, of any type that sorts.
    weights:  float (items,), >= 0: how much each item counts in the mean; left out, all alike.

    With values in a single cluster the ends are NaN: one video says nothing about other videos.
    With no value at all everything is NaN.

    Raises:
        ValueError: for lengths that differ.
    """
    column = np.asarray(values, dtype=np.float64)[:, None]
    found = cluster_intervals(column, clusters, resampling, weights=weights)
    return Interval(float(found.low[0]), float(found.mid[0]), float(found.high[0]))


def cluster_intervals(
    values: np.ndarray,
    clusters: np.ndarray,
    resampling: Resampling,
    *,
    weights: np.ndarray | None = None,
) -> Intervals:
    """Return `cluster_bootstrap` of every column of `values` (items, columns), on the same draws.

    A draw that holds none of a column's clusters has no mean and does not count for that column.
    """
    values = np.asarray(values, dtype=np.float64)
    rng, resamples, confidence, _ = resampling
    _check(values, clusters, resampling)
    sums, counts = _cluster_totals(values, clusters, weights)
    draws = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=resamples)
    present = (counts > 0).sum(axis=0)
    low, high = np.full((2, values.shape[1]), np.nan)
    many = np.flatnonzero(present > 1)
    means = ratio(draws @ sums[:, many], draws @ counts[:, many])
    low[many], high[many] = percentiles(means, confidence)
    return Intervals(low, ratio(sums.sum(axis=0), counts.sum(axis=0)), high, present)


def _check(values: np.ndarray, clusters: np.ndarray, resampling: Resampling) -> None:
    if values.ndim != 2 or len(values) != len(clusters) or not len(values):
        raise ValueError(f"values {values.shape} need one cluster an item, got {len(clusters)}")
    _, resamples, confidence, _ = resampling
    if not (0 < confidence < 1 and resamples >= 1):
        raise ValueError(
            f"need 0 < confidence < 1 and resamples >= 1, got {confidence} and {resamples}"
        )


def _cluster_totals(
    values: np.ndarray, clusters: np.ndarray, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return weighted sums and counts of the values in each cluster, both (clusters, columns)."""
    labels, member = distinct(clusters, "cluster", "item")
    weight = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=np.float64)
    belongs = (member == np.arange(len(labels))[:, None]) * weight  # (clusters, items)
    present = np.isfinite(values)
    return belongs @ np.where(present, values, 0.0), belongs @ present


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Return above / below, NaN where below is zero; shapes broadcast."""
    above, below = np.broadcast_arrays(above, below)
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
