"""Each rater against the mean of all other raters, on what both have rated.

The rater's own votes are not in the mean they are held against, so the correlation is not inflated
by them. Means of few others are noisy and hold the correlation down; numbers of studies with
different numbers of votes an item must not be compared.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy import stats as distributions

from evaluation.stats.intervals import ratio

ALIKE = 1e-12  # values that differ by less do not vary


class OneOut(NamedTuple):
    """Arrays (raters,); NaN for a rater with fewer than two shared items or votes all alike."""

    pearson: np.ndarray
    spearman: np.ndarray  # ties at their mean rank
    items: np.ndarray  # int: rated by the rater and by another
    mean_pearson: float  # over raters that have one
    mean_spearman: float


class Cells(NamedTuple):
    """What each rater gave each unit (item or method): arrays (cells,), one cell a pair."""

    rater: np.ndarray  # int
    unit: np.ndarray  # int
    total: np.ndarray  # sum of the votes
    votes: np.ndarray  # int, number of them


def leave_one_out(value: np.ndarray, item: np.ndarray, rater: np.ndarray) -> OneOut:
    """Return each rater's correlations with the mean of the others, over items.

    value: float (votes,). item, rater: int (votes,), >= 0; arrays come back by index of rater.
    """
    raters = int(rater.max(initial=-1)) + 1
    own, others, who = held_against_others(cells_of(value, rater, item), np.ones(raters, bool))
    pearson = grouped_pearson(own, others, who, raters)
    ranked = (_ranks(own, who, raters), _ranks(others, who, raters))
    spearman = grouped_pearson(ranked[0], ranked[1], who, raters)
    items = np.bincount(who, minlength=raters)
    return OneOut(pearson, spearman, items, _mean(pearson), _mean(spearman))


def cells_of(value: np.ndarray, rater: np.ndarray, unit: np.ndarray) -> Cells:
    """Return the votes added up by rater and unit, sorted by rater."""
    units = int(unit.max(initial=-1)) + 1
    keys, cell = np.unique(rater * units + unit, return_inverse=True)
    return Cells(keys // units, keys % units, np.bincount(cell, value), np.bincount(cell))


def held_against_others(
    cells: Cells, kept: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a rater's mean of a unit, the mean of all others' votes on it, and the rater.

    kept: bool (raters,): only these rate and are rated against. Units without another are left out.
    """
    rater, unit, total, count = (array[kept[cells.rater]] for array in cells)
    sums, counts = np.bincount(unit, total), np.bincount(unit, count)
    others = ratio(sums[unit] - total, counts[unit] - count)
    shared = np.isfinite(others)
    return (total / count)[shared], others[shared], rater[shared]


def grouped_pearson(x: np.ndarray, y: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """Return Pearson's correlation in each group, float (groups,); NaN where x or y is constant."""
    count = np.bincount(group, minlength=groups)
    x, y = (side - ratio(np.bincount(group, side, groups), count)[group] for side in (x, y))
    xx, yy, xy = (np.bincount(group, product, groups) for product in (x * x, y * y, x * y))
    varied = (xx > ALIKE) & (yy > ALIKE)
    return np.where(varied, ratio(xy, np.sqrt(xx * yy)), np.nan)


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else np.nan


def _ranks(side: np.ndarray, who: np.ndarray, raters: int) -> np.ndarray:
    """Return ranks within each rater. `who` is sorted; means that differ by rounding are ties."""
    ends = np.searchsorted(who, np.arange(raters + 1))
    parts = [distributions.rankdata(np.round(side[start:end], 9)) for start, end in pairwise(ends)]
    return np.concatenate(parts) if parts else np.zeros(0)
