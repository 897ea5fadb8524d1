"""Ridge regression whose weights are not negative: the model of a composite metric.

With n cells, votes y and metrics z, standardized and turned so that more is better,

    minimize  1/n sum_i (y_i - b - sum_j w_j z_ij)^2 + penalty sum_j w_j^2   over b and w >= 0.

Without the bound that is ridge, w = (Z'Z/n + penalty I)^-1 Z'(y - b)/n (Hoerl & Kennard,
Technometrics 12 (1970), equation 2.1). With it, L being the Cholesky factor of the same matrix, it
is non-negative least squares |L'w - L^-1 Z'(y - b)/n| (Lawson & Hanson, Solving Least Squares
Problems (1974), chapter 23). The bound keeps a metric from counting against its own direction, and
regularizes by itself (Slawski & Hein, Electronic Journal of Statistics 7 (2013)).

Why this model: correlation within an edit with votes on 60 new sources, mean of 20 simulated sets
of 24 metrics in 6 families, learned from 10 sources x 2 edits x 3 methods | 29 x 4 x 5
(tests/test_composite_evidence.py):

    what knows the truth         bounded ridge    ridge        least squares   best metric
    16 metrics, a little each     .52 | .62      .51 | .62      .37 | .61      .24 | .30
    one metric                    .50 | .58      .42 | .59      .39 | .59      .52 | .59
    two metrics                   .48 | .57      .44 | .58      .40 | .58      .37 | .46
    12, once a fault is deducted  .31 | .38      .44 | .63      .43 | .63      .24 | .31

The last line is the price: a metric of nothing but the others' common fault is not deducted.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import nnls

PENALTIES = 10.0 ** np.arange(-3, 2.5, 0.5)  # in units of a standardized metric's variance, 1
EQUAL = 1e-9  # relative: errors nearer than this are equal, and the larger penalty is taken
TRACE = 1e-9  # share of the largest weight below which a weight is rounding
CONSTANT = 1e-12  # a deviation this small against the values is rounding


class Linear(NamedTuple):
    """Predicted mean vote = intercept + sum of weights (x - means) / scales; arrays (metrics,)."""

    means: np.ndarray
    scales: np.ndarray  # standard deviations; 0 where a metric is constant, whose weight is 0
    weights: np.ndarray  # >= 0, points of the rating scale per standard deviation
    intercept: float  # the mean vote
    penalty: float


class Moments(NamedTuple):
    """All that the fit needs of the data."""

    means: np.ndarray  # (metrics,)
    scales: np.ndarray  # (metrics,)
    intercept: float
    products: np.ndarray  # (metrics, metrics): Z'Z / n
    cross: np.ndarray  # (metrics,): Z'(y - b) / n


def fit(values: np.ndarray, votes: np.ndarray, penalty: float) -> Linear:
    """Return the model of one penalty.

    values: float (cells, metrics), more is better; a missing one (NaN) stands at its metric's mean.
    votes:  float (cells,), all present.
    """
    found = moments(values, votes)
    weights = solve(found, np.array([penalty]))[0]
    return Linear(found.means, found.scales, weights, found.intercept, penalty)


def learn(values: np.ndarray, votes: np.ndarray, groups: np.ndarray) -> Linear:
    """Return the model whose penalty predicts best what it has not seen; arguments as its parts."""
    return fit(values, votes, choose_penalty(values, votes, groups))


def choose_penalty(values: np.ndarray, votes: np.ndarray, groups: np.ndarray) -> float:
    """Return the penalty of least squared error over cells of groups that are left out in turn.

    groups: (cells,) labels, the source videos. With a single group there is nothing to choose by:
    the largest penalty.
    """
    labels = np.unique(groups)
    if len(labels) < 2:
        return float(PENALTIES[-1])
    errors = sum(_errors(values, votes, groups == label) for label in labels)
    near = np.flatnonzero(errors <= np.min(errors) * (1 + EQUAL))
    return float(PENALTIES[near[-1]])


def moments(values: np.ndarray, votes: np.ndarray) -> Moments:
    """Return the moments of standardized values (cells, metrics) and votes (cells,)."""
    # Means and deviations of each metric where it has values.
    there = np.isfinite(values)
    count = np.maximum(there.sum(axis=0), 1)
    means = np.where(there, values, 0.0).sum(axis=0) / count
    off = np.where(there, values - means, 0.0)
    scales = np.sqrt((off**2).sum(axis=0) / count)
    size = np.abs(np.where(there, values, 0.0)).max(axis=0, initial=0.0)
    scales = np.where(scales > CONSTANT * size, scales, 0.0)

    # Products of standardized values, gaps at the mean.
    z = standardized(values, means, scales)
    intercept = float(votes.mean())
    return Moments(
        means, scales, intercept, z.T @ z / len(votes), z.T @ (votes - intercept) / len(votes)
    )


def solve(found: Moments, penalties: np.ndarray) -> np.ndarray:
    """Return the weights of each penalty > 0: (penalties,) -> (penalties, metrics)."""
    factors = np.linalg.cholesky(
        found.products + penalties[:, None, None] * np.eye(len(found.cross))
    )
    rights = np.linalg.solve(factors, found.cross[:, None])[..., 0]
    weights = np.stack([nnls(f.T, right)[0] for f, right in zip(factors, rights, strict=True)])
    return np.where(weights > TRACE * weights.max(axis=1, keepdims=True), weights, 0.0)


def standardized(values: np.ndarray, means: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Return (values - means) / scales, 0 where a value is missing or its metric constant."""
    usable = np.isfinite(values) & (scales > 0)
    return np.where(usable, (values - means) / np.where(scales > 0, scales, 1.0), 0.0)


def weighted(model: Linear, values: np.ndarray, means: np.ndarray | None = None) -> np.ndarray:
    """Return the weighted sum of standardized metrics, the prediction less its intercept.

    values: float (..., metrics). NaN where a metric that has weight is missing.
    means:  what to take from each metric instead of the model's own means.
    """
    z = standardized(values, model.means if means is None else means, model.scales)
    lacks = (~np.isfinite(values) & (model.weights > 0)).any(axis=-1)
    return np.where(lacks, np.nan, z @ model.weights)


def _errors(values: np.ndarray, votes: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Return the summed squared error on the cells `out` of each penalty, fitted on the others."""
    found = moments(values[~out], votes[~out])
    z = standardized(values[out], found.means, found.scales)
    off = votes[out] - found.intercept
    return ((off - solve(found, PENALTIES) @ z.T) ** 2).sum(axis=1)
