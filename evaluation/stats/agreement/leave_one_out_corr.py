"""Each rater against the mean of all other raters, on what both have rated.

The rater's own votes are not in the mean they are held against, so the correlation is not inflated
by them. Means of few others are noisy and hold the correlation down; numbers of studies with
different numbers of votes an item must not be compared.

`RemainingRaters` keeps the correlations up to date as raters are taken out. Taking one out changes
the means of the units they rated and no other: the sums behind each correlation move by what the
cells of those units add now less what they added before. That is `leave_one_out` of the raters who
are left, up to rounding, at a fraction of the cost.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy import stats as distributions

from evaluation.stats.intervals import ratio

ALIKE = 1e-12  # a sum of squares that small is of values that do not vary
ROUNDED = 1e-9  # the same of a sum that raters were taken out of


class OneOut(NamedTuple):
    """Arrays (raters,); NaN for a rater with fewer than two shared items or votes all alike."""

    pearson: np.ndarray
    spearman: np.ndarray  # ties at their mean rank
    items: np.ndarray  # int: rated by the rater and by another
    mean_pearson: float  # over raters that have one
    mean_spearman: float


class RaterCells(NamedTuple):
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


def cells_of(value: np.ndarray, rater: np.ndarray, unit: np.ndarray) -> RaterCells:
    """Return the votes added up by rater and unit, sorted by rater."""
    units = int(unit.max(initial=-1)) + 1
    keys, cell = np.unique(rater * units + unit, return_inverse=True)
    return RaterCells(keys // units, keys % units, np.bincount(cell, value), np.bincount(cell))


def held_against_others(
    cells: RaterCells, kept: np.ndarray
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


class RemainingRaters:
    """Raters' cells against the means of the other raters who are still in."""

    def __init__(self, cells: RaterCells, raters: int) -> None:
        """Take the cells with every rater in."""
        order = np.argsort(cells.unit, kind="stable")  # a unit's cells lie together in memory
        self.cells, self.raters = RaterCells(*(each[order] for each in cells)), raters
        rater, unit, total, votes = self.cells
        # Own means, centred by rater; totals of each unit.
        own = total / votes
        mean = ratio(np.bincount(rater, own, raters), np.bincount(rater, minlength=raters))
        self.own = own - mean[rater]
        self.centre = total.sum() / max(votes.sum(), 1)
        self.total, self.votes = np.bincount(unit, total), np.bincount(unit, votes)
        self.ends = np.searchsorted(unit, np.arange(len(self.total) + 1))
        # Sums from which Pearson's r of every rater follows.
        self.kept = np.ones(len(own), bool)
        self.sums = np.zeros((6, raters))  # of 1, x, y, xx, yy, xy: own mean x, that of others y
        at = np.arange(len(own))
        self._move(at, np.full(len(own), np.nan), self._mean_of_others(at))

    def pearson(self) -> np.ndarray:
        """Return each rater's correlation (raters,); NaN for one taken out or where none is.

        There is none where a rater's own votes, or the means of the others, are all alike.
        """
        n, x, y, xx, yy, xy = self.sums
        mean_x, mean_y = ratio(x, n), ratio(y, n)
        xx, yy, xy = xx - x * mean_x, yy - y * mean_y, xy - x * mean_y
        varied = (xx > ROUNDED) & (yy > ROUNDED)
        return np.where(varied, ratio(xy, np.sqrt(np.where(varied, xx * yy, 1.0))), np.nan)

    def take_out(self, rater: int) -> None:
        """Leave this rater out of all means, and do not hold them against others any more."""
        # The rater's own cells go.
        gone = np.flatnonzero(self.cells.rater == rater)
        self.kept[gone] = False
        self.sums[:, rater] = 0

        # Cells of others on the same units have another mean now.
        units = self.cells.unit[gone]
        touched = [np.arange(self.ends[unit], self.ends[unit + 1]) for unit in units]
        at = np.concatenate([np.zeros(0, np.int64), *touched])
        at = at[self.kept[at]]
        before = self._mean_of_others(at)
        self.total[units] -= self.cells.total[gone]
        self.votes[units] -= self.cells.votes[gone]
        self._move(at, before, self._mean_of_others(at))

    def _mean_of_others(self, at: np.ndarray) -> np.ndarray:
        """Return the mean of all others' votes on the unit of each cell; NaN without another."""
        unit = self.cells.unit[at]
        others = self.votes[unit] - self.cells.votes[at]
        total = self.total[unit] - self.cells.total[at]
        return np.where(others > 0, total / np.maximum(others, 1) - self.centre, np.nan)

    def _move(self, at: np.ndarray, before: np.ndarray, after: np.ndarray) -> None:
        """Let the sums of raters say what these cells add with other means than before."""
        rater, x = self.cells.rater[at], self.own[at]
        there, was = np.isfinite(after), np.isfinite(before)
        if not np.array_equal(there, was):
            change = there.astype(np.float64) - was
            for row, adds in ((0, change), (1, change * x), (3, change * x * x)):
                self.sums[row] += np.bincount(rater, adds, self.raters)
            before, after = np.where(was, before, 0.0), np.where(there, after, 0.0)
        change = after - before
        for row, adds in ((2, change), (4, change * (after + before)), (5, change * x)):
            self.sums[row] += np.bincount(rater, adds, self.raters)
