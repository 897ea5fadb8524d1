"""Correlation coefficients of one pair of vectors under many sets of replication weights.

That is a bootstrap of all cells: x and y stay, only how often each point counts changes. Sums over
pairs of points are quadratic forms in the weights, sums over ties are sums over groups, so
everything is matrix products on the weights.
"""

import numpy as np

from evaluation.stats.intervals import ratio

CELLS = 2**21  # numbers in one block of pairs of points
SLIGHT = 1e-4  # a variance this small beside its sum of squares is computed again, with care


class Groups:
    """Points of equal value, in rising order."""

    def __init__(self, values: np.ndarray, weight: np.ndarray) -> None:
        self.levels, self.member = np.unique(values, return_inverse=True)
        order = np.argsort(self.member, kind="stable")
        starts = np.searchsorted(self.member[order], np.arange(len(self.levels)))
        self.sums = np.add.reduceat(weight[:, order], starts, axis=1)  # (draws, levels)

    def midranks(self) -> np.ndarray:
        """Return the mid-rank of each value less the mean rank, exact: (draws, levels)."""
        upto = np.cumsum(self.sums, axis=1)
        return upto - (self.sums + upto[:, -1:]) / 2

    def apart(self) -> np.ndarray:
        """Return the number of pairs of different value: (draws,)."""
        total = self.sums.sum(axis=1)
        return (total**2 - np.einsum("dl,dl->d", self.sums, self.sums)) / 2

    def distinct(self) -> np.ndarray:
        """Return how many different values are drawn: (draws,)."""
        return (self.sums > 0).sum(axis=1)


def resampled(x: np.ndarray, y: np.ndarray, kind: str, weight: np.ndarray) -> np.ndarray:
    """Return the correlation of x and y (points,) under each row of weights (draws, points).

    kind: "pearson", "spearman", "kendall_b" or "kendall_c". NaN where x or y does not vary.
    """
    if kind == "pearson":
        return _moments(x, y, weight)
    one, other = Groups(x, weight), Groups(y, weight)
    if kind == "spearman":
        return _ranks(one, other, weight)
    agree = _agreement(x, y, weight)
    if kind == "kendall_b":
        return tau_b(agree, one.apart(), other.apart())
    return tau_c(agree, weight.sum(axis=1), one.distinct(), other.distinct())


def _moments(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return Pearson from sums of squares, and again with care where they nearly cancel."""
    used = weight.sum(axis=0)
    x, y = (each - used @ each / max(used.sum(), 1) for each in (x, y))
    columns = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)
    n, sum_x, sum_y, xx, yy, xy = (weight @ columns).T
    var_x, var_y = xx - ratio(sum_x**2, n), yy - ratio(sum_y**2, n)
    sure = (var_x > SLIGHT * xx) & (var_y > SLIGHT * yy)
    spread = np.sqrt(np.where(sure, var_x, 1)) * np.sqrt(np.where(sure, var_y, 1))
    found = np.clip((xy - ratio(sum_x * sum_y, n)) / spread, -1, 1)
    found[~sure] = weighted_pearson(x, y, weight[~sure])
    return found


def _ranks(one: Groups, other: Groups, weight: np.ndarray) -> np.ndarray:
    ranks = one.midranks(), other.midranks()
    spread = [
        np.einsum("dl,dl->d", group.sums, rank**2)
        for group, rank in zip((one, other), ranks, strict=True)
    ]
    between = weight * ranks[0][:, one.member]
    between = np.einsum("dp,dp->d", between, ranks[1][:, other.member])
    return np.clip(ratio(between, np.sqrt(spread[0]) * np.sqrt(spread[1])), -1, 1)


def _agreement(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return concordant less discordant pairs: w'Aw / 2, A the products of signs, by columns."""
    total = np.zeros(len(weight))
    width = max(1, CELLS // len(x))
    for start in range(0, len(x), width):
        part = slice(start, start + width)
        matrix = np.sign(x[:, None] - x[part]) * np.sign(y[:, None] - y[part])
        total += np.einsum("dp,dp->d", weight @ matrix, weight[:, part]) / 2
    return total


def tau_b(agree: np.ndarray, apart_x: np.ndarray, apart_y: np.ndarray) -> np.ndarray:
    """Return tau-b of concordant less discordant pairs and the pairs apart in x and in y."""
    return ratio(agree, np.sqrt(apart_x) * np.sqrt(apart_y))


def tau_c(
    agree: np.ndarray, points: np.ndarray, values_x: np.ndarray, values_y: np.ndarray
) -> np.ndarray:
    """Return tau-c, 2 m (C - D) / (n^2 (m - 1)), m the smaller number of different values."""
    values = np.minimum(values_x, values_y)
    return ratio(2 * agree * values, points**2 * np.maximum(values - 1, 0))


def weighted_pearson(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return Pearson of x and y (..., points), centred on each row's own weighted means."""
    vary = varies(x, weight) & varies(y, weight)
    total = np.where(vary, weight.sum(axis=-1), 1.0)[..., None]
    x = x - (weight * x).sum(axis=-1, keepdims=True) / total
    y = y - (weight * y).sum(axis=-1, keepdims=True) / total
    between = (weight * x * y).sum(axis=-1)
    spread = np.sqrt((weight * x * x).sum(axis=-1)) * np.sqrt((weight * y * y).sum(axis=-1))
    return np.clip(ratio(between, np.where(vary, spread, 0.0)), -1, 1)


def varies(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return whether two points of positive weight differ: exact, whatever rounding does."""
    present = weight > 0
    top = np.where(present, values, -np.inf).max(axis=-1)
    return top > np.where(present, values, np.inf).min(axis=-1)
