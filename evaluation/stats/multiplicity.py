"""p-values adjusted for having looked at many.

Holm controls the chance of any false claim; Benjamini-Hochberg the expected share of false claims
among those made; Bonferroni (ITU-T P.1401, 7.6.5) is Holm with less power. NaN, a test that could
not be made, stays NaN and does not count as a test.

Sources: Holm, Scandinavian Journal of Statistics 6 (1979); Benjamini & Hochberg, JRSS B 57 (1995).
"""

from collections.abc import Callable
from typing import Literal

import numpy as np

Rule = Literal["all", "any"]


def bonferroni(p: np.ndarray) -> np.ndarray:
    """Return p times the number of tests, at most 1: float, of the shape of `p`."""
    p = _checked(p)
    return np.minimum(p * np.isfinite(p).sum(), 1.0)


def holm(p: np.ndarray) -> np.ndarray:
    """Return Holm's step-down adjusted p-values: float, of the shape of `p`, in [0, 1]."""
    return _stepwise(p, lambda ordered: np.maximum.accumulate(ordered * _left(len(ordered))))


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Return Benjamini-Hochberg adjusted p-values (q-values): float, of the shape of `p`."""
    return _stepwise(
        p,
        lambda ordered: np.minimum.accumulate(
            (ordered * len(ordered) / np.arange(1, len(ordered) + 1))[::-1]
        )[::-1],
    )


def significance_clusters(p: np.ndarray, alpha: float = 0.05, rule: Rule = "all") -> list[int]:
    """Return the cluster of each metric, 1 first, from one-sided p-values in table order.

    p:    float (metrics, metrics); p[i, j], i < j, that metric i is better than metric j.
    rule: "all": a cluster begins with a metric worse than all above it (WMT); "any": worse than
          any of the current cluster (mt-metrics-eval). A NaN is not significant.
    """
    clusters: list[int] = []
    start = 0
    for place in range(len(p)):
        above = p[:place, place] if rule == "all" else p[start:place, place]
        worse = above < alpha
        if place and (worse.all() if rule == "all" else worse.any()):
            start = place
        clusters.append(clusters[-1] + (start == place) if clusters else 1)
    return clusters


def _stepwise(p: np.ndarray, adjust: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    p = _checked(p)
    tested = np.flatnonzero(np.isfinite(p))
    order = tested[np.argsort(p.flat[tested], kind="stable")]
    adjusted = np.full(p.shape, np.nan)
    adjusted.flat[order] = np.minimum(adjust(p.flat[order]), 1.0)
    return adjusted


def _left(tests: int) -> np.ndarray:
    """Return tests, tests - 1, ..., 1."""
    return np.arange(tests, 0, -1)


def _checked(p: np.ndarray) -> np.ndarray:
    p = np.asarray(p, dtype=np.float64)
    if ((p < 0) | (p > 1)).any():
        raise ValueError("p-values lie between 0 and 1")
    return p
