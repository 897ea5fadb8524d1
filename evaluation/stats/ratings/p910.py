"""Quality, rater bias and rater inconsistency: the model of ITU-T P.910 (Annex E) and P.913 (12.6).

    u_ij = psi_j + Delta_i + nu_i X,   X standard normal

with item j's quality psi, rater i's bias Delta and inconsistency nu. Maximum likelihood by
alternating projection (Li, Bampis, Janowski & Katsavounidis, A simple model for subject
behavior in subjective experiments, Human Vision and Electronic Imaging 2020): residual deviation of
each rater, items as means of debiased votes weighted by 1 / nu^2, biases as mean residuals, until
the items move by less than 1e-8. Biases are then centred at 0.

The likelihood has no maximum where some nu_i can go to 0, and with few votes a rater it does: the
rater who happens to lie closest to the items is given all the weight. With 6 votes a rater the
result is worse than a plain mean. So by default variances are shrunk:

    nu_i^2 = (SS_i + k pooled) / (n_i + k)

SS_i the rater's sum of squared residuals, n_i their votes, pooled = sum SS / sum n, and k = 5:
the posterior scale of a scaled inverse chi-square prior with k degrees of freedom at the pooled
variance (Gelman et al., Bayesian Data Analysis, section 2.6). k = 0 is plain P.910.

`debiased_mos` is the MOS of methods by this model: plain MOS with raters' biases out and noisy
raters down.
"""

from typing import NamedTuple

import numpy as np

from evaluation.stats.intervals import ratio
from evaluation.stats.ratings.votes import Votes
from evaluation.stats.two_way_cluster import mean_of_source_means

FEW_VOTES = 30  # of a rater: below, bias and inconsistency are mostly noise
GUARD = 1e-8  # added to variances where they divide, as the reference implementation does
TOLERANCE = 1e-8  # of the norm of the change of all items
STEPS = 1000


class RaterModel(NamedTuple):
    """Arrays (items,) and (raters,), in points of the scale; NaN for what has no votes."""

    quality: np.ndarray  # psi
    bias: np.ndarray  # Delta; their mean over raters is 0
    inconsistency: np.ndarray  # nu
    votes: np.ndarray  # int (raters,)
    few_votes: np.ndarray  # bool (raters,): fewer than 30, not to be judged by these numbers
    steps: int
    converged: bool


def rater_model(
    value: np.ndarray, item: np.ndarray, rater: np.ndarray, *, shrinkage: float = 5.0
) -> RaterModel:
    """Return the qualities of items and the biases and inconsistencies of raters.

    value:     float (votes,). item, rater: int (votes,), >= 0; arrays come back by these indices.
    shrinkage: k >= 0, pseudo-votes at the pooled variance; 0 is plain P.910.

    Where raters and items fall apart into groups that share no vote, biases of groups cannot be
    told from qualities; the plain mean starts the search and decides.

    Raises:
        ValueError: without a vote.
    """
    _check(value, item, rater, shrinkage)
    table = _VoteTable(value, item, rater)

    # Start at plain means.
    quality = table.over_items(value)
    bias = table.over_raters(value - quality[item])

    # Weights by residuals, items by weights, biases by items, until items stand still.
    steps, change = 0, np.inf
    while change >= TOLERANCE and steps < STEPS:
        variance = _variance(table, value - quality[item] - bias[rater], shrinkage)
        before, weight = quality, 1 / (variance[rater] + GUARD)
        quality = table.over_items(value - bias[rater], weight)
        bias = table.over_raters(value - quality[item])
        change = float(np.sqrt(np.nansum((before - quality) ** 2)))
        steps += 1

    # Biases centred at 0.
    shift = float(np.nanmean(bias))
    return RaterModel(
        quality + shift,
        bias - shift,
        np.sqrt(variance),
        table.votes,
        (table.votes > 0) & (table.votes < FEW_VOTES),
        steps,
        change < TOLERANCE,
    )


class _VoteTable:
    """Means of votes by item and by rater."""

    def __init__(self, value: np.ndarray, item: np.ndarray, rater: np.ndarray) -> None:
        self.item, self.rater = item, rater
        self.items, self.raters = int(item.max()) + 1, int(rater.max()) + 1
        self.votes = np.bincount(rater, minlength=self.raters)

    def over_items(self, value: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
        weight = np.ones(len(value)) if weight is None else weight
        sums = np.bincount(self.item, weight * value, self.items)
        return ratio(sums, np.bincount(self.item, weight, self.items))

    def over_raters(self, value: np.ndarray) -> np.ndarray:
        return ratio(np.bincount(self.rater, value, self.raters), self.votes)


def _variance(table: _VoteTable, residual: np.ndarray, shrinkage: float) -> np.ndarray:
    """Return each rater's variance of residuals about their mean, shrunk to the pooled one."""
    centred = residual - table.over_raters(residual)[table.rater]
    squares = np.bincount(table.rater, centred**2, table.raters)
    pooled = squares.sum() / table.votes.sum()
    shrunk = ratio(squares + shrinkage * pooled, table.votes + shrinkage)
    return np.where(table.votes > 0, shrunk, np.nan)


def _check(value: np.ndarray, item: np.ndarray, rater: np.ndarray, shrinkage: float) -> None:
    if not len(value) or not len(value) == len(item) == len(rater):
        raise ValueError(f"need as many items and raters as votes, got {len(value)} votes")
    if shrinkage < 0:
        raise ValueError(f"need shrinkage >= 0, got {shrinkage}")
    if not np.isfinite(value).all():
        raise ValueError("votes must be finite")


def debiased_mos(votes: Votes, model: RaterModel) -> np.ndarray:
    """Return each method's mean of source means of its items' qualities, float (methods,).

    model: of these votes, by `votes.item` and `votes.rater`. NaN for a method without votes.
    """
    source = np.zeros(votes.edits, np.int64)
    source[votes.edit] = votes.source
    quality = np.full(votes.edits * votes.methods, np.nan)
    quality[: len(model.quality)] = model.quality
    alike = np.ones((votes.sources, 1))
    found = [
        mean_of_source_means(column[:, None], source, alike, votes.sources)[0]
        for column in quality.reshape(votes.edits, votes.methods).T
    ]
    return np.array(found)
