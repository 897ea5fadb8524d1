"""Correlation coefficients of many pairs of vectors at once, with replication weights.

A weight says how often a point counts, so a bootstrap resample is the sample with other weights:
no data is copied, and a thousand resamples are a few matrix products. Points with a missing value
in either vector have weight zero.

Sources: Kendall, Rank Correlation Methods (1970), chapter 3 (tau-b); Stuart, Biometrika 40 (1953)
(tau-c); Spearman is Pearson of mid-ranks.

One pair of vectors under many sets of weights is a bootstrap of all cells: x and y stay, only how
often each point counts changes. Sums over pairs of points are quadratic forms in the weights, sums
over ties are sums over groups, so everything is matrix products on the weights.
"""

from typing import Literal, get_args

import numpy as np
import scipy.stats

from evaluation.stats.intervals import ratio

Kind = Literal["pearson", "spearman", "kendall_b", "kendall_c"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FEW = 40  # up to here all pairs of points fit in memory for every vector
MANY = 4000  # beyond, sorting each vector beats the matrix of all pairs of points
CELLS = 2**21  # numbers in one block of pairs of points
SLIGHT = 1e-4  # a variance this small beside its sum of squares is computed again, with care


def coefficient(
    x: np.ndarray, y: np.ndarray, kind: Kind = "pearson", weights: np.ndarray | None = None
) -> np.ndarray:
    """Return the correlation of x and y along the last axis, in [-1, 1]; NaN where there is none.

    x, y:    float (..., points), broadcast against each other; not finite = missing, left out.
    weights: float (..., points), whole numbers >= 0: how often a point counts; left out, once.

    There is none with fewer than two points (copies count) or where x or y is constant.

    Raises:
        ValueError: for an unknown kind.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown coefficient {kind!r}; one of {', '.join(KINDS)}")
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    # A missing value has no weight.
    present = np.isfinite(x) & np.isfinite(y)
    weight = present * (1.0 if weights is None else np.asarray(weights, dtype=np.float64))
    if not weight.shape[-1]:
        return np.full(weight.shape[:-1], np.nan)
    x, y = np.where(np.isfinite(x), x, 0.0), np.where(np.isfinite(y), y, 0.0)
    # Two vectors under many rows of weights have a faster way.
    if x.ndim == y.ndim == 1 and (len(x) <= MANY or not kind.startswith("kendall")):
        return resampled(x, y, kind, np.atleast_2d(weight)).reshape(weight.shape[:-1])
    if kind == "pearson":
        return weighted_pearson(x, y, weight)
    if kind == "spearman":
        return weighted_pearson(midranks(x, weight), midranks(y, weight), weight)
    return _kendall(x, y, weight, kind)


def midranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the ranks, from 1, of `values` repeated `weights` times; equal values share the mean.

    Both (..., points) and broadcast; the rank of a point of weight zero has no meaning.
    """
    shape = np.broadcast_shapes(values.shape, weights.shape)

    # Sorted, with the ends of runs of equal values.
    order = np.argsort(values, axis=-1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=-1)
    first, last = _ends_of_ties(ordered)

    # Weights below and through each run; its rank is their middle.
    order = np.broadcast_to(order, shape)
    weight = np.take_along_axis(np.broadcast_to(weights, shape), order, axis=-1)
    upto = np.cumsum(weight, axis=-1)
    below = np.maximum.accumulate(np.where(first, upto - weight, 0.0), axis=-1)
    through = np.where(last, upto, np.inf)[..., ::-1]
    through = np.minimum.accumulate(through, axis=-1)[..., ::-1]
    ranks = np.empty(shape)
    np.put_along_axis(ranks, order, (below + through + 1) / 2, axis=-1)
    return ranks


def _ends_of_ties(ordered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two bool arrays: where a run of equal values begins, and where it ends."""
    step = ordered[..., 1:] != ordered[..., :-1]
    edge = np.ones((*ordered.shape[:-1], 1), dtype=bool)
    return np.concatenate([edge, step], axis=-1), np.concatenate([step, edge], axis=-1)


def _kendall(x: np.ndarray, y: np.ndarray, weight: np.ndarray, kind: Kind) -> np.ndarray:
    if weight.shape[-1] > FEW:
        return _row_by_row(x, y, weight, kind)
    agree, apart_x, apart_y = _all_pairs(x, y, weight)
    if kind == "kendall_b":
        return tau_b(agree, apart_x, apart_y)
    return tau_c(agree, weight.sum(axis=-1), _distinct(x, weight), _distinct(y, weight))


def _all_pairs(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    one, other = np.triu_indices(weight.shape[-1], 1)
    sign_x = np.sign(x[..., one] - x[..., other])
    sign_y = np.sign(y[..., one] - y[..., other])
    pair = weight[..., one] * weight[..., other]
    agree = (pair * (sign_x * sign_y)).sum(axis=-1)
    return agree, (pair * abs(sign_x)).sum(axis=-1), (pair * abs(sign_y)).sum(axis=-1)


def _distinct(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return how many different values have positive weight."""
    ordered = np.sort(np.where(weight > 0, values, np.inf), axis=-1)
    first, _ = _ends_of_ties(ordered)
    return (first & np.isfinite(ordered)).sum(axis=-1)


def _row_by_row(x: np.ndarray, y: np.ndarray, weight: np.ndarray, kind: Kind) -> np.ndarray:
    """Return tau of long vectors that all differ: sorting beats all pairs there."""
    shape = np.broadcast_shapes(x.shape, y.shape, weight.shape)
    rows = [np.broadcast_to(a, shape).reshape(-1, shape[-1]) for a in (x, y, weight)]
    found = [
        float(
            scipy.stats.kendalltau(
                np.repeat(a, w), np.repeat(b, w), variant=kind[-1], method="asymptotic"
            ).statistic
        )
        if w.sum() > 1 and varies(a, w) and varies(b, w)
        else np.nan
        for a, b, w in zip(rows[0], rows[1], rows[2].astype(np.int64), strict=True)
    ]
    return np.array(found).reshape(shape[:-1])


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
