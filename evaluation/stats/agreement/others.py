"""Correlations of raters with the mean of all others, kept up to date as raters are taken out.

Taking a rater out changes the means of the units they rated and no other: the sums behind each
correlation move by what the cells of those units add now less what they added before. That is
`leave_one_out` of the raters who are left, up to rounding, at a fraction of the cost.
"""

import numpy as np

from evaluation.stats.agreement.leave_one_out_corr import Cells
from evaluation.stats.intervals import ratio

ALIKE = 1e-9  # a sum of squares that small is rounding, not variation


class Others:
    """Raters' cells against the means of the other raters who are still in."""

    def __init__(self, cells: Cells, raters: int) -> None:
        """Take the cells with every rater in."""
        order = np.argsort(cells.unit, kind="stable")  # a unit's cells lie together in memory
        self.cells, self.raters = Cells(*(each[order] for each in cells)), raters
        rater, unit, total, votes = self.cells
        own = total / votes
        mean = ratio(np.bincount(rater, own, raters), np.bincount(rater, minlength=raters))
        self.own = own - mean[rater]
        self.centre = total.sum() / max(votes.sum(), 1)
        self.total, self.votes = np.bincount(unit, total), np.bincount(unit, votes)
        self.ends = np.searchsorted(unit, np.arange(len(self.total) + 1))
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
        varied = (xx > ALIKE) & (yy > ALIKE)
        return np.where(varied, ratio(xy, np.sqrt(np.where(varied, xx * yy, 1.0))), np.nan)

    def take_out(self, rater: int) -> None:
        """Leave this rater out of all means, and do not hold them against others any more."""
        gone = np.flatnonzero(self.cells.rater == rater)
        self.kept[gone] = False
        self.sums[:, rater] = 0
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
