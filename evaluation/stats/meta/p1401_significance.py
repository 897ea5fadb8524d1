"""ITU-T P.1401's tests of two metrics: correlations, outlier ratios, prediction errors.

They take the two numbers as from independent samples. Two metrics on the same clips are not
independent, so these tests are there to compare with published numbers; the permutation tests of
permutation.py use the pairing. For many comparisons see `bonferroni` (7.6.5) and `holm`.
"""

from typing import NamedTuple

import numpy as np
import scipy.stats


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
