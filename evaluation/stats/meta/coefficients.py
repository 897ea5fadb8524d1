"""Correlation coefficients of many pairs of vectors at once, with replication weights.

A weight says how often a point counts, so a bootstrap resample is the sample with other weights:
no data is copied, and a thousand resamples are a few matrix products. Points with a missing value
in either vector have weight zero.

Sources: Kendall, Rank Correlation Methods (1970), chapter 3 (tau-b); Stuart, Biometrika 40 (1953)
(tau-c); Spearman is Pearson of mid-ranks.
"""

from typing import Literal, get_args

import numpy as np
import scipy.stats

from evaluation.stats.meta.weighted_coefficients import (
    resampled,
    tau_b,
    tau_c,
    varies,
    weighted_pearson,
)

Kind = Literal["pearson", "spearman", "kendall_b", "kendall_c"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FEW = 40  # up to here all pairs of points fit in memory for every vector
MANY = 4000  # beyond, sorting each vector beats the matrix of all pairs of points


def coefficient(
    x: np.ndarray, y: np.ndarray, kind: Kind = "pearson", weights: np.ndarray | None = None
) -> np.ndarray:
    """Return the correlation of x and y along the last axis, in [-1, 1]; NaN where there is none.

    x, y:    float (..., points), broadcast against each other; not finite = missing, left out.
    weights: float (..., points), whole numbers >= 0: how often a point counts; left out, once.

    There is none with fewer than two points (copies count) or where x or y is constant. An
    unknown kind raises ValueError.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown coefficient {kind!r}; one of {', '.join(KINDS)}")
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    present = np.isfinite(x) & np.isfinite(y)
    weight = present * (1.0 if weights is None else np.asarray(weights, dtype=np.float64))
    if not weight.shape[-1]:
        return np.full(weight.shape[:-1], np.nan)
    x, y = np.where(np.isfinite(x), x, 0.0), np.where(np.isfinite(y), y, 0.0)
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
    order = np.argsort(values, axis=-1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=-1)
    first, last = _ends_of_ties(ordered)
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
