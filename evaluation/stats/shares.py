"""Shares of few independent units, and their intervals: no more than a count is known.

Wilson's score interval: Wilson, JASA 22 (1927); recommended for small n by Brown, Cai and DasGupta,
Statistical Science 16 (2001). Differences of two shares of the same units: Newcombe, Statistics in
Medicine 17 (1998) 2635, method 10, which has an interval even where nothing ever happened.
"""

from typing import NamedTuple

import numpy as np
from scipy import stats as distributions


class ShareInterval(NamedTuple):
    """A share or a difference of shares, with its interval; NaN where there are no units."""

    value: float
    low: float
    high: float


def wilson(values: np.ndarray, confidence: float = 0.95) -> ShareInterval:
    """Return the mean of values from 0 to 1, one a unit, and its score interval.

    values: float (units,), NaN where a unit has none. Between 0 and 1 (a tie is a half) the mean
    stands in the place of a share, as in Agresti and Kateri's mid-ranks; the variance of a share
    is then the most it can be.
    """
    kept = values[np.isfinite(values)]
    if not len(kept):
        return ShareInterval(np.nan, np.nan, np.nan)
    n, share = len(kept), float(kept.mean())
    z2 = float(distributions.norm.ppf((1 + confidence) / 2)) ** 2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = (z2 * (share * (1 - share) / n + z2 / (4 * n * n))) ** 0.5 / (1 + z2 / n)
    low, high = min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half))
    return ShareInterval(share, low, high)  # of all or none, an end is the share to the last digit


def paired_share_difference(
    first: np.ndarray, second: np.ndarray, confidence: float = 0.95
) -> ShareInterval:
    """Return the share of `first` less that of `second`, of the same units.

    first, second: float (units,) of 0 and 1; units with a NaN in either are left out.
    """
    both = np.isfinite(first) & np.isfinite(second)
    a, b = first[both], second[both]
    if not len(a):
        return ShareInterval(np.nan, np.nan, np.nan)
    one, two = wilson(a, confidence), wilson(b, confidence)
    phi = _phi(a, b)
    down = one.value - one.low, two.high - two.value
    up = one.high - one.value, two.value - two.low
    difference = one.value - two.value
    ends = [float(np.sqrt(max(0.0, p * p - 2 * phi * p * q + q * q))) for p, q in (down, up)]
    return ShareInterval(
        difference, max(-1.0, difference - ends[0]), min(1.0, difference + ends[1])
    )


def _phi(first: np.ndarray, second: np.ndarray) -> float:
    """Return the correlation of two columns of 0 and 1, shrunk as Newcombe's method 10 does."""
    n = len(first)
    both, none = float((first * second).sum()), float(((1 - first) * (1 - second)).sum())
    one, two = float((first * (1 - second)).sum()), float(((1 - first) * second).sum())
    margins = (both + one) * (two + none) * (both + two) * (one + none)
    if not margins:
        return 0.0
    product = both * none - one * two
    if product > 0:
        product = max(product - n / 2, 0.0)
    return product / margins**0.5
