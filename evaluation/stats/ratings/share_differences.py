"""The difference of two shares on the same edits, some of them of one source: its p and interval.

Gains d of -1, 0 or 1 (one method alone succeeds, neither or both, the other alone) are summed over
the edits of a source, D_s. The test asks for the chance of a sum as large if every source's sign
were tossed, raters adding to it a t-distributed part of their own variance V_rater:

    p = 2 P(sum of +-D_s + n sqrt(V_rater) t >= |sum of D_s| - 1/2),   t on raters - 1

over all 2^sources signs, counted exactly, and never less than without the raters. With
V_rater = 0 that is the sign-flip test, for one edit a source McNemar's exact test. More gain on any
source never makes p larger, and a variance that vanishes changes nothing in kind.

The interval is Tango's score interval for paired shares (Statistics in Medicine 17 (1998)) with
sources and raters: of all differences delta in -1 to 1 those for which a deviation like that seen
of

    z sqrt(V(delta) D(delta)) + t sqrt(V_rater),   z normal, t on raters - 1

is no rarer than the confidence allows. V(delta) is the variance of a mean of independent gains if
the difference were delta, and D(delta) = sum over sources of (D_s - n_s delta)^2 / sum over edits
of (d - delta)^2 the design effect of sources, at least 1. So the interval has a width where all
edits are alike. Where test and interval disagree about 0, the test has it.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import optimize
from scipy import stats as distributions

TINY = 1e-9
GRID = 400  # values of t of equal chance


class PairedShares(NamedTuple):
    """A difference of shares, -1 to 1, its interval, and the p of its being 0."""

    low: float
    mid: float
    high: float
    p: float


class Gains(NamedTuple):
    """Gains of edits, and of the sources they are of."""

    edit: np.ndarray  # (edits,), -1, 0, 1
    source: np.ndarray  # (sources,), sums
    edits: np.ndarray  # (sources,), counts


def paired_shares(
    gain: np.ndarray,
    source: np.ndarray,
    of_raters: float,
    raters: float,
    *,
    confidence: float = 0.95,
) -> PairedShares:
    """Return the mean gain with its interval and p.

    gain:      float (edits,), -1, 0 or 1. source: int (edits,), >= 0.
    of_raters: variance of the mean that raters share over sources; 0 for these raters alone.
    raters:    how many they count for, degrees of freedom plus 1; above 1 if `of_raters` is not 0.

    No edit gives NaN; edits of a single source a mean and no more.
    """
    if not len(gain):
        return PairedShares(np.nan, np.nan, np.nan, np.nan)
    _, member = np.unique(source, return_inverse=True)
    gains = Gains(gain, np.bincount(member, gain), np.bincount(member).astype(np.float64))
    mid = float(gain.mean())
    if len(gains.source) < 2:
        return PairedShares(np.nan, mid, np.nan, np.nan)
    p = flip_p(gains.source, np.sqrt(of_raters) * len(gain), raters - 1)
    low, high = _score_interval(gains, of_raters, raters - 1, confidence)
    return PairedShares(*_agreeing(low, mid, high, p, 1 - confidence), p)


def flip_p(sums: np.ndarray, error: float, freedom: float) -> float:
    """Return the two-sided p of a sum of whole numbers (sources,) whose signs are tossed.

    error, freedom: of the t-distributed part that raters add to the sum.
    """
    seen = abs(float(sums.sum()))
    at, chance = _tossed(np.abs(np.rint(sums)).astype(np.int64))
    tail = float(chance @ (at >= seen - 0.5))
    if error > TINY:  # raters never make a difference surer
        tail = max(tail, float(chance @ distributions.t.sf((seen - 0.5 - at) / error, freedom)))
    return min(1.0, 2 * tail)


def _tossed(sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the values that a sum of sizes with random signs can have, and their chances."""
    total = int(sizes.sum())
    chance = np.zeros(2 * total + 1)
    chance[total] = 1.0
    for size in sizes[sizes > 0]:
        chance = (np.roll(chance, size) + np.roll(chance, -size)) / 2
    return np.arange(-total, total + 1), chance


def _score_interval(
    gains: Gains, of_raters: float, freedom: float, confidence: float
) -> tuple[float, float]:
    mid, tail = float(gains.edit.mean()), (1 - confidence) / 2
    drawn = np.zeros(1)
    if of_raters > 0:
        drawn = np.sqrt(of_raters) * distributions.t.ppf((np.arange(GRID) + 0.5) / GRID, freedom)

    def over(delta: float) -> float:
        """Return how much rarer than allowed the deviation is; negative where it is not."""
        own = _variance(gains.edit, delta) * _design_effect(gains, delta)
        far = (abs(mid - delta) - drawn) / np.sqrt(max(own, TINY**2))
        return tail - float(distributions.norm.sf(far).mean())

    return _end(over, mid, -1.0), _end(over, mid, 1.0)


def _end(over: Callable[[float], float], mid: float, limit: float) -> float:
    """Return where `over` changes its sign between mid and the limit, or the limit."""
    if abs(limit - mid) < TINY or over(limit) <= 0:
        return limit
    start = mid + np.sign(limit - mid) * TINY
    return float(optimize.brentq(over, start, limit)) if over(start) < 0 else mid


def _variance(gain: np.ndarray, delta: float) -> float:
    """Return the variance of the mean of independent gains whose mean is delta (Tango 1998)."""
    # The least chance of a discordant pair, a root of a q^2 + b q + c.
    n, up, down = len(gain), float((gain > 0).sum()), float((gain < 0).sum())
    a, b = 2.0 * n, -up - down + (2 * n - up + down) * delta
    c = -down * delta * (1 - delta)
    least = (np.sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    return max(float(2 * least + delta * (1 - delta)), 0.0) / n


def _design_effect(gains: Gains, delta: float) -> float:
    """Return how much sources add to the variance, at least 1; sources alone if all are alike."""
    alone = float(((gains.edit - delta) ** 2).sum())
    if alone < TINY:
        return float(gains.edits @ gains.edits / gains.edits.sum())
    return max(float(((gains.source - gains.edits * delta) ** 2).sum()) / alone, 1.0)


def _agreeing(
    low: float, mid: float, high: float, p: float, alpha: float
) -> tuple[float, float, float]:
    """Return the interval with 0 outside exactly if p is below alpha."""
    if p >= alpha:
        return min(low, 0.0), mid, max(high, 0.0)
    edge = float(np.finfo(np.float64).tiny)
    return (max(low, edge), mid, high) if mid > 0 else (low, mid, min(high, -edge))
