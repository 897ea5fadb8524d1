"""Cumulative link likelihoods: a grade is a latent value cut at thresholds.

    P(grade <= k) = F(theta_k - eta),   k = 0 .. K - 2

with F the logistic or the standard normal distribution (McCullagh, Regression models for ordinal
data, Journal of the Royal Statistical Society B 42 (1980)). A higher eta is a higher grade.
"""

from typing import NamedTuple

import numpy as np
from scipy import special

LINKS = ("logit", "probit")
TINY = 1e-300  # a probability below it is taken for it, so that its logarithm is finite


class Likelihood(NamedTuple):
    """Of every grade, as arrays (votes,): its log-probability and two derivatives by eta."""

    value: np.ndarray
    slope: np.ndarray
    curvature: np.ndarray  # minus the second derivative, >= 0: both links are log-concave


def likelihood(grade: np.ndarray, cuts: np.ndarray, eta: np.ndarray, link: str) -> Likelihood:
    """Return the log-probabilities of grades.

    grade: int (votes,), 0 .. K - 1. cuts: float (K - 1,), rising. eta: float (votes,).
    """
    edges = np.concatenate([[-np.inf], cuts, [np.inf]])
    upper, lower = edges[grade + 1] - eta, edges[grade] - eta
    chance = np.maximum(_between(lower, upper, link), TINY)
    (dense_up, bend_up), (dense_low, bend_low) = _densities(upper, link), _densities(lower, link)
    slope = -(dense_up - dense_low) / chance
    curvature = slope**2 - (bend_up - bend_low) / chance
    return Likelihood(np.log(chance), slope, np.maximum(curvature, 0.0))


def cumulative(value: np.ndarray, link: str) -> np.ndarray:
    """Return F of values."""
    return np.asarray(special.expit(value) if link == "logit" else special.ndtr(value))


def _between(lower: np.ndarray, upper: np.ndarray, link: str) -> np.ndarray:
    """Return F(upper) - F(lower), in the tail that keeps the digits."""
    flip = lower > 0
    low, high = np.where(flip, -upper, lower), np.where(flip, -lower, upper)
    return cumulative(high, link) - cumulative(low, link)


def _densities(value: np.ndarray, link: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the density of F and its derivative; 0 at infinity."""
    if link == "logit":
        share = special.expit(value)
        dense = share * (1 - share)
        return dense, dense * (1 - 2 * share)
    finite = np.where(np.isfinite(value), value, 0.0)
    dense = np.where(np.isfinite(value), np.exp(-(finite**2) / 2) / np.sqrt(2 * np.pi), 0.0)
    return dense, -finite * dense
