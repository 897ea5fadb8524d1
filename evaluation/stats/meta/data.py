"""The data of a meta-evaluation: an automatic metric and human ratings on the same cells.

metric: float (systems, items); human: float (systems, items) or votes (systems, items, raters).
An item is one edit of one source video, seen for every system. Every metric here is "higher is
better": turn the sign of one that is not. A value that is not finite is missing, infinity too
(say so in the metric's own unit, or cap it, if infinity means "best").
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from evaluation.stats.intervals import ratio
from evaluation.stats.long_table import column_of, distinct

NEAR = 1e-12  # share of the largest value within which two means are equal

PairStatistic = Callable[[np.ndarray, np.ndarray], float]  # metric, human -> value


class Cells(NamedTuple):
    """Metric and human values on the cells that have both; NaN on all others."""

    metric: np.ndarray  # float (systems, items)
    human: np.ndarray  # float (systems, items)
    missing: int  # cells left out because one of the two values is missing


class Sources(NamedTuple):
    """Which source video each item belongs to."""

    labels: np.ndarray  # the distinct labels, sorted
    member: np.ndarray  # int (items,): index into labels

    def totals(self, values: np.ndarray) -> np.ndarray:
        """Return sums over the items of each source: (..., items) -> (..., sources)."""
        return values @ (self.member[:, None] == np.arange(len(self.labels))).astype(np.float64)


def cells(metric: np.ndarray, human: np.ndarray) -> Cells:
    """Return the two as matrices with the same missing cells, votes averaged over raters.

    Raises:
        ValueError: for shapes that do not fit.
    """
    metric = np.asarray(metric, dtype=np.float64)
    human = mean_votes(human)
    if metric.ndim != 2 or metric.shape != human.shape:
        raise ValueError(f"metric {metric.shape} and human {human.shape} need the same cells")
    both = np.isfinite(metric) & np.isfinite(human)
    values = np.where(both, metric, np.nan), np.where(both, human, np.nan)
    return Cells(*values, missing=int((~both).sum()))


def why_no_value(metric: np.ndarray, human: np.ndarray) -> str:
    """Return why a metric cannot be held against people, "" if nothing speaks against it.

    metric, human: as `cells`. Constants are looked for over all cells that have both: a statistic
    within items or systems may have no value for want of variation there.
    """
    data = cells(metric, human)
    values, people = (side[np.isfinite(side)] for side in (data.metric, data.human))
    if not np.isfinite(np.asarray(metric, dtype=np.float64)).any():
        return "the metric has no value"
    if not np.isfinite(mean_votes(human)).any():
        return "people rated nothing"
    if not len(people):
        return "no cell has both a value of the metric and a rating"
    flat = [np.ptp(merged(side[None])) == 0 for side in (people, values)]
    if all(flat):
        return f"people rated all cells {people[0]:.4g}, and the metric is {values[0]:.4g} on all"
    if flat[0]:
        return f"people rated all cells {people[0]:.4g}: there is nothing to follow"
    return f"the metric is {values[0]:.4g} on all cells" if flat[1] else ""


def mean_votes(human: np.ndarray) -> np.ndarray:
    """Return mean ratings (systems, items) of votes (systems, items, raters); means pass through.

    A cell without a vote is NaN.
    """
    human = np.asarray(human, dtype=np.float64)
    if human.ndim == 2:
        return human
    if human.ndim != 3:
        raise ValueError(f"human needs (systems, items) or (systems, items, raters): {human.shape}")
    voted = np.isfinite(human)
    return ratio(np.where(voted, human, 0.0).sum(axis=-1), voted.sum(axis=-1))


def sources_of(items: int, sources: np.ndarray | None) -> Sources:
    """Return the source of each item; without labels each item is its own.

    Raises:
        ValueError: for a number of labels that is not the number of items.
        UserError: for a missing label.
    """
    given = np.arange(items) if sources is None else column_of(sources)
    if given.shape != (items,):
        raise ValueError(f"need one source an item: {items} items, sources {given.shape}")
    return Sources(*distinct(given, "source", "item"))


def merged(values: np.ndarray) -> np.ndarray:
    """Return `values` (..., n) where those equal but for rounding are made equal to the smallest.

    Rounding of a mean (relative 1e-16 a term) otherwise makes ties differ and constants vary.
    Nearer than 1e-12 of the largest of the n counts as equal; all other values are untouched.
    """
    if not values.shape[-1]:
        return values

    # Where, in order, a value is more than rounding above the one before.
    order = np.argsort(values, axis=-1)
    ordered = np.take_along_axis(values, order, axis=-1)
    size = np.abs(np.where(np.isfinite(ordered), ordered, 0.0)).max(axis=-1, keepdims=True)
    apart = ~(np.diff(ordered, axis=-1) <= NEAR * size)  # also at a NaN, which is sorted last

    # Each value becomes the first of its run, and goes back to its place.
    edge = np.zeros((*ordered.shape[:-1], 1), dtype=np.int64)
    starts = np.where(apart, np.arange(1, values.shape[-1]), 0)
    first = np.maximum.accumulate(np.concatenate([edge, starts], axis=-1), axis=-1)
    result = np.empty_like(values)
    np.put_along_axis(result, order, np.take_along_axis(ordered, first, axis=-1), axis=-1)
    return result


def common(
    first: np.ndarray, second: np.ndarray, human: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Return both metrics and people on the cells that all three have, and the cells left out."""
    people = mean_votes(human)
    one, other = cells(first, people).metric, cells(second, people).metric
    all_three = np.isfinite(one) & np.isfinite(other)
    kept = [np.where(all_three, values, np.nan) for values in (one, other, people)]
    return kept[0], kept[1], kept[2], int((~all_three).sum())
