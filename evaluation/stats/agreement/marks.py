"""Where edits are broken, as raters marked it: how often, when, and how far raters agree.

A viewing is one rater who watched one edit by one method; what they marked is a set of boxes in
time and picture, in shares of the clip's length, width and height, possibly none. Two sets agree by
their overlap: the volume of what both cover over that of what either covers (intersection over
union, or Jaccard's index), in time alone or in time and place.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from evaluation.stats.intervals import Interval, cluster_bootstrap
from evaluation.stats.resampling import Resampling

TIME, TIME_AND_PLACE = 1, 3  # dimensions that count
PAIRS = 20_000  # of viewings of different clips, for what chance gives


class Viewings(NamedTuple):
    """Arrays (viewings,), and the boxes of each.

    boxes: float (marks, 3, 2): from and to in time, across and down, in shares from 0 to 1.
    """

    rater: np.ndarray
    source: np.ndarray
    item: np.ndarray  # the edit by the method
    boxes: Sequence[np.ndarray]


class MarkAgreement(NamedTuple):
    """How far marks of different raters overlap, where at least one of two marked something."""

    overlap: Interval  # of two raters on one clip; clips alike, resampled by source
    chance: float  # of two raters on two different clips
    pairs: int  # of raters on one clip
    clips: int


def volume(boxes: np.ndarray) -> float:
    """Return the volume of the union of boxes, float (boxes, dimensions, 2).

    The edges of all boxes cut space into cells, each of which is in a box wholly or not at all.
    """
    if not len(boxes):
        return 0.0
    edges = [np.unique(boxes[:, axis]) for axis in range(boxes.shape[1])]
    inside = np.zeros([max(len(one) - 1, 0) for one in edges], bool)
    for box in boxes:
        ends = [np.searchsorted(one, box[axis]) for axis, one in enumerate(edges)]
        inside[tuple(slice(*pair) for pair in ends)] = True
    for axis, one in enumerate(edges):
        shape = [-1 if other == axis else 1 for other in range(len(edges))]
        inside = inside * np.diff(one).reshape(shape)
    return float(inside.sum())


def overlap(a: np.ndarray, b: np.ndarray, dimensions: int = TIME_AND_PLACE) -> float:
    """Return what two sets of boxes both cover over what either covers, 0 to 1.

    NaN if neither covers anything. By inclusion and exclusion, both = a + b - either.
    """
    a, b = a[:, :dimensions], b[:, :dimensions]
    either = volume(np.concatenate([a, b]))
    both = volume(a) + volume(b) - either
    return min(1.0, max(0.0, both / either)) if either else np.nan


def mark_agreement(
    viewings: Viewings,
    dimensions: int,
    resampling: Resampling,
) -> MarkAgreement:
    """Return how far raters agree on where edits are broken.

    A pair of raters of whom neither marked anything does not count: it would agree on nothing. One
    who marked and one who did not have no overlap, 0. A clip counts by the mean of its pairs.
    """
    items = _by_item(viewings)
    of_item = [_pairs_of(viewings, rows, dimensions) for rows in items]
    means = np.array([np.mean(found) if found else np.nan for found in of_item])
    sources = np.array([viewings.source[rows[0]] for rows in items])
    there = np.isfinite(means)
    interval = Interval(np.nan, np.nan, np.nan)
    if there.any():
        kept = means[there], sources[there]
        interval = cluster_bootstrap(*kept, resampling)
    chance = _by_chance(viewings, dimensions, resampling.rng)
    return MarkAgreement(interval, chance, sum(map(len, of_item)), int(there.sum()))


def timeline(boxes: Sequence[np.ndarray], bins: int) -> np.ndarray:
    """Return the share of viewings that marked each moment, float (bins,), at their middles."""
    at = (np.arange(bins) + 0.5) / bins
    marked = [((one[:, 0, :1] <= at) & (at <= one[:, 0, 1:])).any(axis=0) for one in boxes]
    return np.mean(marked, axis=0) if marked else np.full(bins, np.nan)


def _by_item(viewings: Viewings) -> list[np.ndarray]:
    return [np.flatnonzero(viewings.item == item) for item in np.unique(viewings.item)]


def _pairs_of(viewings: Viewings, rows: np.ndarray, dimensions: int) -> list[float]:
    """Return the overlaps of all pairs of raters on one clip of whom one marked something."""
    pairs = combinations(rows.tolist(), 2)
    found = [overlap(viewings.boxes[a], viewings.boxes[b], dimensions) for a, b in pairs]
    return [value for value in found if np.isfinite(value)]


def _by_chance(viewings: Viewings, dimensions: int, rng: np.random.Generator) -> float:
    """Return the mean overlap of marks of two raters on two clips: they may not agree on them."""
    found = [
        overlap(viewings.boxes[a], viewings.boxes[b], dimensions)
        for a, b in _strangers(viewings, rng)
    ]
    known = [value for value in found if np.isfinite(value)]
    return float(np.mean(known)) if known else np.nan


def _strangers(viewings: Viewings, rng: np.random.Generator) -> Iterator[tuple[int, int]]:
    """Yield viewings of different clips by different raters: all there are, or a sample."""
    many = len(viewings.item)
    order = np.lexsort((viewings.rater, viewings.item))  # the sample hangs on no other order
    if many * (many - 1) // 2 <= PAIRS:
        pairs = np.array(np.triu_indices(many, 1)).T
    else:
        pairs = rng.integers(many, size=(PAIRS, 2))
    for a, b in order[pairs].tolist():
        if viewings.item[a] != viewings.item[b] and viewings.rater[a] != viewings.rater[b]:
            yield a, b
