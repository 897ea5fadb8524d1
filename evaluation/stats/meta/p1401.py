"""ITU-T P.1401: how far a metric predicts mean opinion scores, after a monotonic mapping.

The metric is mapped to the rating scale by a non-decreasing polynomial of first or third order,
fitted by least squares for this experiment. Then, with e = MOS - predicted MOS, N samples and d
free parameters of the mapping (1 without one, 2 first order, 4 third order):

    rmse  = sqrt(sum e^2 / (N - d))                                   7.5.1
    OR    = share of samples with |e| > ci95, sd sqrt(OR (1 - OR) / N) 7.5.2
    rmse* = sqrt(sum max(0, |e| - ci95)^2 / (N - d))                   7.7

Source: Rec. ITU-T P.1401 (01/2020). The text is sold, so clause numbers are from its public table
of contents and formulas from published uses of it; NISQA counts d = 1 for first order too.

The third-order fit is exact. The derivative is a quadratic that must not be negative on the data's
range; such quadratics form a convex cone whose faces are few: all of it, those zero at one end or
at both, the squares (t - t0)^2, and zero. The optimum is the best feasible one among the
unconstrained fits on the spans of these faces.

The Recommendation's tests of two metrics (correlations, outlier ratios, prediction errors) take the
two numbers as from independent samples. Two metrics on the same clips are not independent, so they
are there to compare with published numbers; `compare_metrics` uses the pairing. For many
comparisons see `bonferroni` (7.6.5) and `holm`.
"""

from typing import NamedTuple

import numpy as np
import scipy.stats
from numpy.polynomial import Polynomial

from evaluation.stats.meta.coefficients import coefficient

FREE = {0: 1, 1: 2, 3: 4}  # order of the mapping -> d
SLACK = 1e-9  # a derivative this little below zero, against its size, is zero


class Mapping(NamedTuple):
    """A non-decreasing polynomial of the metric on [low, high], the range it was fitted on.

    `Polynomial(coefficients, [low, high])` of numpy evaluates it; `.convert().coef` are the
    coefficients of the metric itself.
    """

    order: int
    coefficients: np.ndarray  # float (order + 1,), rising powers of the metric mapped to [-1, 1]
    low: float
    high: float
    bound: bool  # the constraint mattered: the free fit would fall somewhere


class Prediction(NamedTuple):
    """P.1401's numbers of one metric on one experiment; NaN where undefined (N <= d, no ci95)."""

    mapping: Mapping
    rmse: float  # points of the rating scale
    rmse_star: float
    outlier_ratio: float
    outlier_sd: float
    pearson: float  # of predicted and observed MOS
    n: int  # samples
    d: int  # free parameters of the mapping
    n_ci: int  # samples with a ci95 and a prediction: what rmse_star and outlier_ratio rest on
    missing: int  # samples without a metric value or without a MOS


def evaluate_prediction(
    metric: np.ndarray, mos: np.ndarray, ci95: np.ndarray | None = None, *, order: int = 1
) -> Prediction:
    """Return the prediction error of a metric after a monotonic mapping to the rating scale.

    metric: float (samples,), higher is better; samples are files (cells) or conditions (systems).
    mos:    float (samples,); ci95: float (samples,), half width of each MOS's 95% interval.
    order:  0 (the metric is on the scale already), 1 or 3.

    Raises:
        ValueError: for another order.
    """
    metric, mos = np.asarray(metric, dtype=np.float64), np.asarray(mos, dtype=np.float64)
    half = np.full(mos.shape, np.nan) if ci95 is None else np.asarray(ci95, dtype=np.float64)
    if not metric.shape == mos.shape == half.shape or metric.ndim != 1:
        raise ValueError(f"need vectors of one length: {metric.shape}, {mos.shape}, {half.shape}")
    # Map the metric to the scale of the votes.
    both = np.isfinite(metric) & np.isfinite(mos)
    mapping = fit_mapping(metric, mos, order)
    predicted = predict(mapping, metric[both])
    # Errors, and those beyond the interval of the votes.
    error, half = np.abs(mos[both] - predicted), half[both]
    sure = np.isfinite(half) & np.isfinite(error)  # without a mapping there is no error
    n, d, n_ci = int(both.sum()), FREE[order], int(sure.sum())
    outliers = float((error[sure] > half[sure]).mean()) if n_ci else float("nan")
    return Prediction(
        mapping=mapping,
        rmse=_root_mean(error, d),
        rmse_star=_root_mean(np.maximum(0.0, error[sure] - half[sure]), d),
        outlier_ratio=outliers,
        outlier_sd=float(np.sqrt(outliers * (1 - outliers) / n_ci)) if n_ci else float("nan"),
        pearson=float(coefficient(predicted, mos[both])),
        n=n,
        d=d,
        n_ci=n_ci,
        missing=int((~both).sum()),
    )


def fit_mapping(metric: np.ndarray, mos: np.ndarray, order: int) -> Mapping:
    """Return the least-squares non-decreasing polynomial of order 0 (identity), 1 or 3.

    Its coefficients are NaN where the data do not determine it: fewer distinct metric values than
    parameters. A constant metric has the constant mean as its first-order mapping.
    """
    if order not in FREE:
        raise ValueError(f"order must be 0, 1 or 3, not {order!r}")
    both = np.isfinite(metric) & np.isfinite(mos)
    x, y = metric[both], mos[both]
    if order == 0 or not len(x):
        empty = np.zeros(0) if order == 0 else np.full(order + 1, np.nan)
        return Mapping(order, empty, float("nan"), float("nan"), False)
    # Too few distinct values for a mapping of this order.
    low, high = float(x.min()), float(x.max())
    distinct = len(np.unique(x))
    if distinct == 1 and order == 1:
        return Mapping(1, np.array([y.mean(), 0.0]), low, high, False)
    if distinct < order + 1:
        return Mapping(order, np.full(order + 1, np.nan), low, high, False)
    # Fit on [-1, 1], where powers are well conditioned.
    t = (2 * x - low - high) / (high - low)
    best, bound = _first_order(t, y) if order == 1 else _third_order(t, y)
    coefficients = np.zeros(order + 1)
    coefficients[: len(best.coef)] = best.coef
    return Mapping(order, coefficients, low, high, bound)


def predict(mapping: Mapping, metric: np.ndarray) -> np.ndarray:
    """Return the predicted MOS; values outside the fitted range are taken to its nearer end.

    A cubic may fall beyond the data, and the mapping promises to be monotonic.
    """
    if mapping.order == 0:
        return metric
    if mapping.low == mapping.high:
        return np.full(metric.shape, mapping.coefficients[0])
    inside = np.clip(metric, mapping.low, mapping.high)
    domain = [mapping.low, mapping.high]
    return np.asarray(Polynomial(mapping.coefficients, domain)(inside))


def cross_validated_rmse(
    metric: np.ndarray, mos: np.ndarray, sources: np.ndarray, *, order: int = 1
) -> float:
    """Return the root mean square error where each source's mapping is fitted on the others.

    sources: (samples,) label of the source video. Divided by the number of samples predicted, as
    no parameter was fitted on them. NaN with one source.
    """
    errors = []
    for label in np.unique(sources):
        held = np.asarray(sources) == label
        mapping = fit_mapping(metric[~held], mos[~held], order)
        errors.append(mos[held] - predict(mapping, metric[held]))
    error = np.concatenate(errors)
    return _root_mean(error[np.isfinite(error)], 0)


def _root_mean(error: np.ndarray, d: int) -> float:
    """Return sqrt(sum of squares / (N - d)), NaN where N <= d or a value is missing."""
    if len(error) <= d:
        return float("nan")
    return float(np.sqrt((error**2).sum() / (len(error) - d)))


def _first_order(t: np.ndarray, y: np.ndarray) -> tuple[Polynomial, bool]:
    line = _fit(t, y, [Polynomial([1.0])])
    if line.coef[-1] < 0:
        return Polynomial([y.mean()]), True
    return line, False


def _third_order(t: np.ndarray, y: np.ndarray) -> tuple[Polynomial, bool]:
    """Return the best monotonic cubic of t in [-1, 1], and whether it differs from the free fit."""
    one, both = Polynomial([1.0]), Polynomial([1.0, 0.0, -1.0])
    rise, fall = Polynomial([1.0, 1.0]), Polynomial([1.0, -1.0])
    variable = Polynomial([0.0, 1.0])

    # The free cubic, if it rises everywhere.
    free = _fit(t, y, [one, variable, variable**2])
    if _rises(free):
        return free, False

    # Else the best rising one whose derivative lies on a face of the cone.
    spans = [[rise, rise * variable], [fall, fall * variable], [both], []]
    spans += [[Polynomial([-root, 1.0]) ** 2] for root in _double_roots(t, y)]
    fits = [fit for span in spans if _rises(fit := _fit(t, y, span))]
    return min(fits, key=lambda fit: float(((y - fit(t)) ** 2).sum())), True


def _fit(t: np.ndarray, y: np.ndarray, derivatives: list[Polynomial]) -> Polynomial:
    """Return the least-squares polynomial whose derivative lies in the span of `derivatives`."""
    basis = [Polynomial([1.0]), *(each.integ() for each in derivatives)]
    matrix = np.stack([each(t) for each in basis], axis=1)
    weights = np.linalg.lstsq(matrix, y, rcond=None)[0]
    return sum((w * each for w, each in zip(weights, basis, strict=True)), Polynomial([0.0]))


def _rises(cubic: Polynomial) -> bool:
    """Return whether the derivative is nowhere negative on [-1, 1]."""
    slope = cubic.deriv()
    turn = np.real(slope.deriv().roots())
    where = np.array([-1.0, 1.0, *np.clip(turn, -1, 1)])
    return bool(slope(where).min() >= -SLACK * np.abs(slope.coef).sum())


def _double_roots(t: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return every t0 in [-1, 1] at which the fit of c + b (t - t0)^3 can be the best one.

    Its explained sum of squares is n(t0)^2 / v(t0), n the covariance of y and (t - t0)^3 and v the
    variance of the latter, polynomials in t0: the extremes solve 2 n' v = n v'.
    """
    # (t - t0)^3 as a polynomial in t0, centred.
    powers = np.stack([-3 * t**0, 3 * t, -3 * t**2, t**3], axis=0)  # of t0^3, t0^2, t0, 1
    powers[0] = -1.0
    powers = (powers - powers.mean(axis=1, keepdims=True))[::-1]  # rising powers of t0

    # Covariance n with y and variance v; the extremes of n^2 / v.
    n = Polynomial(powers @ (y - y.mean()))
    v = Polynomial([0.0])
    for i, row in enumerate(powers @ powers.T):
        for j, value in enumerate(row):
            v += Polynomial.basis(i + j) * value
    roots = (2 * n.deriv() * v - n * v.deriv()).roots()
    real = np.real(roots[np.abs(np.imag(roots)) < 1e-6])
    return np.concatenate([[-1.0, 1.0], real[np.abs(real) <= 1]])


class Significance(NamedTuple):
    """A test statistic with its p-values; NaN where the samples are too small."""

    statistic: float
    p_two_sided: float
    p_one_sided: float  # in the direction that was seen
    n_first: int
    n_second: int


def correlation_test(first: float, n_first: int, second: float, n_second: int) -> Significance:
    """Return the test that two Pearson correlations differ, by Fisher's z (7.6.1).

    z = (atanh r1 - atanh r2) / sqrt(1 / (N1 - 3) + 1 / (N2 - 3)), normal. NaN if N <= 3.
    """
    if min(n_first, n_second) <= 3:
        return _normal(float("nan"), n_first, n_second)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.arctanh(first) - np.arctanh(second)
    return _normal(
        float(apart / np.sqrt(1 / (n_first - 3) + 1 / (n_second - 3))), n_first, n_second
    )


def outlier_test(first: float, n_first: int, second: float, n_second: int) -> Significance:
    """Return the test that two outlier ratios differ (7.6.2): two binomial shares, pooled.

    z = (OR1 - OR2) / sqrt(p (1 - p) (1 / N1 + 1 / N2)), p the share in both samples together. NaN
    if no sample or every sample is an outlier.
    """
    if min(n_first, n_second) < 1:
        return _normal(float("nan"), n_first, n_second)
    p = (first * n_first + second * n_second) / (n_first + n_second)
    spread = np.sqrt(p * (1 - p) * (1 / n_first + 1 / n_second))
    return _normal(float((first - second) / spread) if spread else float("nan"), n_first, n_second)


def rmse_test(
    first: float, n_first: int, second: float, n_second: int, *, d_first: int, d_second: int
) -> Significance:
    """Return the F test that two rmse (or rmse*) differ (7.6.4).

    F = (larger / smaller)^2 with N - d degrees of freedom each. P.1401 compares it with F(0.05),
    which is the one-sided p. d: free parameters of each mapping.
    """
    sides = sorted([(first, n_first - d_first), (second, n_second - d_second)])
    (small, under), (large, above) = sides
    if not (np.isfinite(first) and np.isfinite(second)) or min(under, above) < 1 or not large > 0:
        nan = float("nan")
        return Significance(nan, nan, nan, n_first, n_second)
    statistic = (large / small) ** 2 if small else float("inf")
    p = float(scipy.stats.f.sf(statistic, above, under))
    return Significance(statistic, min(1.0, 2 * p), p, n_first, n_second)


def _normal(z: float, n_first: int, n_second: int) -> Significance:
    p = float(scipy.stats.norm.sf(abs(z)))
    return Significance(z, 2 * p, p, n_first, n_second)
