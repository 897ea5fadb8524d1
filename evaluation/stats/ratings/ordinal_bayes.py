"""Bayesian cumulative probit model with crossed random effects, by Gibbs sampling.

    z = beta_method + sum over terms of u_term + e,   e ~ N(0, 1),   vote <= k where z <= theta_k
    beta ~ N(0, 5^2),   u_term ~ N(0, sigma_term^2),   sigma_term ~ half-t(3 degrees, scale 1),
    thresholds: theta_0 = 0, the others flat over rising values

(Albert & Chib, Journal of the American Statistical Association 88 (1993)). One round draws the
thresholds with z integrated out (Cowles, Statistics and Computing 6 (1996)), then z, then all
effects at once from their joint normal distribution, then the variances by the mixture that makes
the half-t prior conjugate (Huang & Wand, Bayesian Analysis 8 (2013)), and last it stretches z,
effects and thresholds by a common factor (Liu & Sabatti, Biometrika 87 (2000)), without which the
chains hardly move along their scale. In this link the mean vote of a new rater on a new source has
a closed form, so that differences are in points of the scale:

    P(vote <= k) = Phi((theta_k - beta_method) / sqrt(1 + sum sigma^2))

All priors are ours.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy import linalg, sparse, special

from dreamix.core.progress import Progress
from evaluation.stats.ratings.components import TERMS, coded, indicator, term_levels, told_apart
from evaluation.stats.ratings.link import likelihood
from evaluation.stats.ratings.mcmc_diagnostics import Mixing, mixing
from evaluation.stats.ratings.votes import Votes

WIDE = 5.0  # standard deviation of beta's prior
FREEDOM = 3.0  # of the half-t prior of sigma
WANTED = 0.3  # share of proposals to accept while the step is being set


class Posterior(NamedTuple):
    """Draws, chain after chain."""

    methods: np.ndarray  # int, those with votes
    score: np.ndarray  # float (chains, draws, methods): mean vote, new rater, new source
    spread: dict[str, np.ndarray]  # sigma of each term, (chains, draws)
    mixing: Mixing  # of the scores


class PosteriorDifference(NamedTuple):
    """b - a in points of the scale."""

    a: int
    b: int
    mean: float
    low: float
    high: float  # ends of the central credible interval
    better: float  # posterior probability that b's mean vote is above a's


class Rounds(NamedTuple):
    """How long a chain runs."""

    draws: int  # kept
    warm_up: int  # before them, left out


class ChainDraws(NamedTuple):
    """What one chain drew: arrays whose first axis is the draw."""

    effect: np.ndarray  # beta
    cuts: np.ndarray
    sigma: np.ndarray


def posterior(
    votes: Votes,
    rngs: Sequence[np.random.Generator],
    *,
    draws: int = 1000,
    warm_up: int = 500,
    terms: Sequence[str] = TERMS,
    progress: Progress = lambda done, total: None,
) -> Posterior:
    """Return draws of the methods' mean votes on one question.

    rngs:  one generator a chain, at least two.
    progress: called with (rounds done, rounds in all).

    A method whose votes are all alike is held by the prior.

    Raises:
        ValueError: for fewer than two grades.
    """
    grades, grade = np.unique(votes.value, return_inverse=True)
    methods, place = np.unique(votes.method, return_inverse=True)
    if len(grades) < 2:
        raise ValueError("all votes are alike: no thresholds can be told")
    factors = term_levels(votes, terms)
    rounds = Rounds(draws, warm_up)
    chains = [
        gibbs_chain(
            grade, place, factors, rng, rounds, _counted(progress, i, sum(rounds), len(rngs))
        )
        for i, rng in enumerate(rngs)
    ]
    score = np.stack([_scores(one, grades) for one in chains])
    names = told_apart(coded(factors), place)
    spread = {name: np.stack([c.sigma[:, t] for c in chains]) for t, name in enumerate(names)}
    return Posterior(methods, score, spread, mixing(score))


def posterior_differences(
    found: Posterior, *, confidence: float = 0.95
) -> list[PosteriorDifference]:
    """Return every pair of methods."""
    tail, made = (1 - confidence) / 2, []
    for i, j in combinations(range(len(found.methods)), 2):
        gap = (found.score[..., j] - found.score[..., i]).ravel()
        low, high = np.quantile(gap, [tail, 1 - tail])
        a, b = int(found.methods[i]), int(found.methods[j])
        made.append(
            PosteriorDifference(a, b, float(gap.mean()), low, high, float(np.mean(gap > 0)))
        )
    return made


def gibbs_chain(
    grade: np.ndarray,
    fixed: np.ndarray,
    factors: Mapping[str, np.ndarray],
    rng: np.random.Generator,
    rounds: Rounds,
    progress: Progress = lambda done, total: None,
) -> ChainDraws:
    """Return one chain. grade, fixed: int (votes,); factors: by name, the level of each vote."""
    codes = coded({"fixed": fixed, **factors})
    group = codes.pop("fixed")
    chain = _Chain(grade, group, [codes[name] for name in told_apart(codes, group)], rng)
    kept: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for i in range(sum(rounds)):
        chain.round(adapting=i < rounds.warm_up)
        progress(i + 1, sum(rounds))
        if i >= rounds.warm_up:
            kept.append((chain.effect[: chain.groups].copy(), chain.cuts.copy(), chain.sigma()))
    return ChainDraws(*(np.stack(part) for part in zip(*kept, strict=True)))


class _Chain:
    """The state of a chain, and its steps."""

    def __init__(
        self,
        grade: np.ndarray,
        fixed: np.ndarray,
        codes: list[np.ndarray],
        rng: np.random.Generator,
    ) -> None:
        self.grade, self.rng = grade, rng
        # Design: indicators of the fixed groups, then of each random term.
        blocks = [indicator(code) for code in (fixed, *codes)]
        self.design = sparse.hstack(blocks).tocsr()
        self.cross = (self.design.T @ self.design).toarray()
        self.groups = blocks[0].shape[1]
        sizes = [block.shape[1] for block in blocks[1:]]
        self.term, self.sizes = np.repeat(np.arange(len(codes)), sizes), np.array(sizes)
        # Start: cuts from the marginal shares, effects and variances drawn.
        share = np.cumsum(np.bincount(grade))[:-1] / len(grade)
        cuts = special.ndtri(share)
        self.cuts = cuts - cuts[0]
        self.effect = np.zeros(self.design.shape[1])
        self.effect[: self.groups] = -cuts[0] + rng.normal(0, 0.5, self.groups)
        self.variance = np.exp(rng.normal(-1, 0.5, len(codes)))
        self.mixer = np.ones(len(codes))
        self.step = 0.1

    def sigma(self) -> np.ndarray:
        """Return the standard deviation of each term."""
        return np.sqrt(self.variance)

    def round(self, *, adapting: bool) -> None:
        """Draw everything once."""
        mean = self.design @ self.effect
        self._draw_cuts(mean, adapting)
        z = self._latent(mean)
        self._draw_effects(z)
        self._draw_variances()
        self._stretch(z)

    def _draw_cuts(self, mean: np.ndarray, adapting: bool) -> None:
        """Draw thresholds by a random walk of the logarithms of their gaps, z integrated out."""
        gaps = np.diff(self.cuts)
        if not len(gaps):
            return
        moved = gaps * np.exp(self.step * self.rng.normal(size=len(gaps)))
        cuts = np.concatenate([[0.0], np.cumsum(moved)])
        gain = self._fit(cuts, mean) - self._fit(self.cuts, mean) + np.log(moved / gaps).sum()
        accepted = bool(np.log(self.rng.random()) < gain)
        if accepted:
            self.cuts = cuts
        if adapting:
            self.step *= np.exp(0.05 * (accepted - WANTED))

    def _fit(self, cuts: np.ndarray, mean: np.ndarray) -> float:
        return float(likelihood(self.grade, cuts, mean, "probit").value.sum())

    def _latent(self, mean: np.ndarray) -> np.ndarray:
        """Draw z: normal about its mean, between the thresholds of the vote."""
        edges = np.concatenate([[-np.inf], self.cuts, [np.inf]])
        low, high = edges[self.grade] - mean, edges[self.grade + 1] - mean
        flip = low > 0  # in the tail where digits are kept
        low, high = np.where(flip, -high, low), np.where(flip, -low, high)
        below, above = special.ndtr(low), special.ndtr(high)
        share = below + self.rng.random(len(mean)) * (above - below)
        drawn = np.clip(special.ndtri(np.clip(share, 1e-300, 1 - 1e-16)), low, high)
        return mean + np.where(flip, -drawn, drawn)

    def _draw_effects(self, z: np.ndarray) -> None:
        """Draw all effects from their joint normal distribution."""
        weight = np.concatenate([np.full(self.groups, WIDE**-2), 1 / self.variance[self.term]])
        factor = linalg.cholesky(self.cross + np.diag(weight), lower=True)
        half = linalg.solve_triangular(factor, self.design.T @ z, lower=True)
        half += self.rng.normal(size=len(half))
        self.effect = linalg.solve_triangular(factor.T, half, lower=False)

    def _draw_variances(self) -> None:
        """Draw sigma^2 and the mixing variables of its half-t prior: inverse gammas."""
        squares = np.bincount(self.term, self.effect[self.groups :] ** 2, len(self.sizes))
        rate = FREEDOM / self.mixer + squares / 2
        self.variance = rate / self.rng.gamma((FREEDOM + self.sizes) / 2)
        self.mixer = (FREEDOM / self.variance + 1) / self.rng.gamma(
            (FREEDOM + 1) / 2, size=len(rate)
        )

    def _stretch(self, z: np.ndarray) -> None:
        """Multiply z, effects and thresholds by one factor, accepted by the posterior's ratio.

        Variances are stretched with their effects. The measure of the group is ds / s.
        """
        # A factor about 1.
        s = float(np.exp(2.4 / np.sqrt(2 * len(z)) * self.rng.normal()))

        # Likelihood of z given effects, exp(-|r|^2 / 2); its N and the thresholds' K - 2 Jacobians.
        residual = z - self.design @ self.effect
        powers = len(z) + len(self.cuts) - 1 + self.groups
        gain = -(s**2 - 1) * float(residual @ residual) / 2 + powers * np.log(s)

        # Priors of the effects and of the variances.
        gain -= (
            (s**2 - 1)
            * float(self.effect[: self.groups] @ self.effect[: self.groups])
            / (2 * WIDE**2)
        )
        gain += self._prior(self.variance * s**2) - self._prior(self.variance)
        gain += 2 * len(self.sizes) * np.log(s)

        # Accepted or not.
        if np.log(self.rng.random()) < gain:
            self.effect, self.cuts = self.effect * s, self.cuts * s
            self.variance = self.variance * s**2

    def _prior(self, variance: np.ndarray) -> float:
        """Return the log-density of the variances given the mixing variables, up to a constant."""
        shape = FREEDOM / 2
        return float((-(shape + 1) * np.log(variance) - FREEDOM / self.mixer / variance).sum())


def _scores(chain: ChainDraws, grades: np.ndarray) -> np.ndarray:
    """Return the mean votes (draws, groups)."""
    spread = np.sqrt(1 + (chain.sigma**2).sum(axis=1))[:, None, None]
    above = special.ndtr((chain.effect[:, :, None] - chain.cuts[:, None, :]) / spread)
    return np.asarray(grades[0] + above @ np.diff(grades))


def _counted(progress: Progress, chain: int, rounds: int, chains: int) -> Progress:
    """Return a callback for one chain that reports rounds of all chains."""
    return lambda done, _: progress(chain * rounds + done, chains * rounds)
