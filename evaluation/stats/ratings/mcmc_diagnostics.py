"""Whether Markov chains have met, and how many independent draws they are worth.

Split R-hat and the effective sample size of Gelman et al., Bayesian Data Analysis (3rd edition,
2013), section 11.4-11.5, on rank-normalised draws (Vehtari, Gelman, Simpson, Carpenter & Buerkner,
Bayesian Analysis 16 (2021)), the sum of autocorrelations cut by Geyer's initial positive sequence.
"""

from typing import NamedTuple

import numpy as np
from scipy import special, stats

MET = 1.01  # R-hat above it: not yet
ENOUGH = 400  # effective draws below it: intervals' ends are rough


class Mixing(NamedTuple):
    """How well chains mixed, for the worst of several quantities."""

    rhat: float
    draws: float  # effective sample size
    met: bool


def mixing(chains: np.ndarray) -> Mixing:
    """Return the worst R-hat and effective sample size of draws.

    chains: float (chains, draws, quantities), at least 4 draws a chain.
    """
    found = [(rhat(one), effective_draws(one)) for one in np.moveaxis(chains, -1, 0)]
    worst, fewest = max(r for r, _ in found), min(n for _, n in found)
    return Mixing(worst, fewest, worst <= MET and fewest >= ENOUGH)


def rhat(chains: np.ndarray) -> float:
    """Return split R-hat of (chains, draws), rank-normalised; 1 for draws that are all alike."""
    halves = _normal_scores(_split(chains))
    count = halves.shape[1]
    within = float(halves.var(axis=1, ddof=1).mean())
    between = float(count * halves.mean(axis=1).var(ddof=1))
    return float(np.sqrt((count - 1) / count + between / within / count)) if within else 1.0


def effective_draws(chains: np.ndarray) -> float:
    """Return the effective sample size of (chains, draws), rank-normalised."""
    halves = _normal_scores(_split(chains))
    count = halves.shape[1]
    within = halves.var(axis=1, ddof=1).mean()
    if within == 0:
        return float(halves.size)
    total = within * (count - 1) / count + halves.mean(axis=1).var(ddof=1)

    # Autocorrelations, averaged over half chains.
    lags = np.mean([_autocovariance(half) for half in halves], axis=0)
    rho = 1 - (within - lags * count / (count - 1)) / total
    rho[0] = 1.0

    # Geyer: sums of pairs, as long as they are positive and fall.
    pairs = rho[: count // 2 * 2].reshape(-1, 2).sum(axis=1)
    ended = np.flatnonzero(pairs < 0)
    kept = np.minimum.accumulate(pairs[: ended[0] if len(ended) else len(pairs)])
    return float(min(halves.size / max(2 * kept.sum() - 1, 1 / np.log10(halves.size)), 1e9))


def _split(chains: np.ndarray) -> np.ndarray:
    """Return every chain's two halves as chains."""
    half = chains.shape[1] // 2
    return np.concatenate([chains[:, :half], chains[:, -half:]])


def _normal_scores(chains: np.ndarray) -> np.ndarray:
    """Return draws in the places of a normal distribution that their ranks have."""
    ranks = stats.rankdata(chains).reshape(chains.shape)
    return np.asarray(special.ndtri((ranks - 0.375) / (chains.size + 0.25)))


def _autocovariance(series: np.ndarray) -> np.ndarray:
    """Return autocovariances at lags 0, 1, ... by the Fourier transform."""
    centred, count = series - series.mean(), len(series)
    power = np.abs(np.fft.rfft(centred, 2 * count)) ** 2
    return np.asarray(np.fft.irfft(power)[:count] / count)
