"""How chance enters: what is drawn by which generator, and how sure an interval is to be.

Percentile intervals: Davison & Hinkley, Bootstrap Methods and their Application (1997), 5.3.
"""

from typing import NamedTuple

import numpy as np
from scipy import stats as distributions


class Resampling(NamedTuple):
    """Everything that intervals and tests need to know of chance."""

    rng: np.random.Generator
    resamples: int = 2000  # of the bootstrap
    confidence: float = 0.95  # of its intervals, 0 to 1
    permutations: int = 10_000  # of the tests beside them


def cluster_counts(clusters: int, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Return how often each cluster is drawn in each resample: float (resamples, clusters)."""
    if resamples < 1:
        raise ValueError(f"need at least one resample, got {resamples}")
    if not clusters:
        return np.zeros((resamples, 0))
    return rng.multinomial(clusters, np.full(clusters, 1 / clusters), size=resamples).astype(float)


def percentile_interval(draws: np.ndarray, confidence: float) -> tuple[float, float]:
    """Return the ends of the central `confidence` of estimates (n,), NaN left out."""
    kept = draws[np.isfinite(draws)]
    if not len(kept):
        return np.nan, np.nan
    low, high = percentiles(kept, confidence)
    return float(low), float(high)


def percentiles(means: np.ndarray, confidence: float) -> np.ndarray:
    """Return (2, columns): the ends of the central `confidence` of each column, NaN left out."""
    ends = [(1 - confidence) / 2, (1 + confidence) / 2]
    if not np.isnan(means).any():
        return np.quantile(means, ends, axis=0)
    return np.nanquantile(means, ends, axis=0)


def expanded(confidence: float, clusters: int) -> float:
    """Return the share of draws to keep so that the interval is as wide as one of Student's t.

    Plain percentiles are those of a normal whose deviation is too small by sqrt((n - 1) / n), n the
    number of clusters drawn from. Source: Hesterberg, What Teachers Should Know About the
    Bootstrap, The American Statistician 69 (2015), section 4 ("expanded percentile"). Fewer than
    two clusters leave the confidence as it is.
    """
    if clusters < 2:
        return confidence
    t = distributions.t.ppf((1 + confidence) / 2, clusters - 1) * (clusters / (clusters - 1)) ** 0.5
    return float(1 - 2 * distributions.norm.sf(t))
