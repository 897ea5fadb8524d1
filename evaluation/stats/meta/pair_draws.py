"""acc_eq and SPA under draws of items, systems and raters, for intervals of `bootstrap`.

A pair of systems counts as often as both were drawn; a system and its own copy are no pair. With
raters drawn, an item's rating is the mean of the drawn votes; one that loses all is missing there.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from evaluation.stats.intervals import ratio
from evaluation.stats.meta.data import NEAR
from evaluation.stats.meta.soft_pairwise import sign_p

BLOCK = 2**21  # numbers in one block of draws


class Draws(NamedTuple):
    """How often everything counts in each draw; None = once, in all of them."""

    items: np.ndarray | None  # float (draws, items)
    systems: np.ndarray | None  # float (draws, systems)
    raters: np.ndarray | None  # float (draws, raters)

    @property
    def many(self) -> int:
        """Number of draws."""
        return len(next(each for each in self if each is not None))

    def part(self, rows: slice) -> "Draws":
        """Return some of the draws."""
        return Draws(*(None if each is None else each[rows] for each in self))

    def blocks(self, size: int) -> Iterator["Draws"]:
        """Yield the draws in blocks such that `size` numbers a draw stay bounded."""
        rows = max(1, BLOCK // max(size, 1))
        for start in range(0, self.many, rows):
            yield self.part(slice(start, start + rows))


def drawn_means(votes: np.ndarray, raters: np.ndarray) -> np.ndarray:
    """Return mean ratings (draws, systems, items) of votes (systems, items, raters) as drawn."""
    there = np.isfinite(votes)
    count = np.einsum("sir,dr->dsi", there.astype(float), raters)
    return ratio(np.einsum("sir,dr->dsi", np.where(there, votes, 0.0), raters), count)


def accuracy_draws(
    metric: np.ndarray, human: np.ndarray, votes: np.ndarray | None, draws: Draws, epsilon: float
) -> np.ndarray:
    """Return acc_eq of each draw (draws,), epsilon kept; NaN for a draw without a pair.

    metric, human: float (systems, items). votes: (systems, items, raters), where raters are drawn.
    """
    systems, items = metric.shape
    size = items * (systems**2 + (votes.shape[2] if votes is not None else 0))
    return np.concatenate(
        [_accuracy(metric, human, votes, part, epsilon) for part in draws.blocks(size)]
    )


def _accuracy(
    metric: np.ndarray, human: np.ndarray, votes: np.ndarray | None, draws: Draws, epsilon: float
) -> np.ndarray:
    # What metric and people say of each pair of systems: better, worse or tied.
    people = _people(metric, human, votes, draws)
    a, b = np.triu_indices(len(metric), 1)
    gap, wanted = metric[a] - metric[b], people[:, a] - people[:, b]
    said = np.where(np.abs(gap) <= epsilon, 0.0, np.sign(gap))
    meant = np.where(np.abs(wanted) <= _rounding(people), 0.0, np.sign(wanted))

    # Share of right verdicts in each item, pairs counted as drawn; then over items.
    there = np.isfinite(gap) & np.isfinite(wanted)
    weight = _pair_weights(draws, len(metric))[:, :, None] * there
    of_item = ratio((weight * (said == meant)).sum(axis=1), weight.sum(axis=1))
    counts = 1.0 if draws.items is None else draws.items
    known = np.isfinite(of_item) * counts
    return ratio((np.nan_to_num(of_item) * known).sum(axis=1), known.sum(axis=1))


def soft_pairwise_draws(
    metric: np.ndarray,
    human: np.ndarray,
    votes: np.ndarray | None,
    member: np.ndarray,
    draws: Draws,
    matrix: np.ndarray,
) -> np.ndarray:
    """Return SPA of each draw (draws,), sources changing sign together; NaN without a pair.

    member: int (items,), the source of each item. matrix: signs (permutations, sources). Other
    arguments as `accuracy_draws`.
    """
    size = len(matrix) * len(metric) ** 2 + (votes.size if votes is not None else 0)
    return np.concatenate(
        [_soft(metric, human, votes, member, part, matrix) for part in draws.blocks(size)]
    )


def _soft(
    metric: np.ndarray,
    human: np.ndarray,
    votes: np.ndarray | None,
    member: np.ndarray,
    draws: Draws,
    matrix: np.ndarray,
) -> np.ndarray:
    # Gaps of each pair of systems where both have both values.
    people = _people(metric, human, votes, draws)
    a, b = np.triu_indices(len(metric), 1)
    wanted = people[:, a] - people[:, b]
    gap = np.broadcast_to(metric[a] - metric[b], wanted.shape)
    there = np.isfinite(gap) & np.isfinite(wanted)

    # How sure metric and people are of each pair, sources changing sign together.
    counts = np.ones((1, metric.shape[1])) if draws.items is None else draws.items
    weight = counts[:, None] * there
    units = (member[:, None] == np.arange(matrix.shape[1])).astype(float)
    p = [
        sign_p(np.swapaxes((np.nan_to_num(side) * weight) @ units, 1, 2), matrix)
        for side in (gap, wanted)
    ]

    # SPA over pairs as drawn.
    pairs = _pair_weights(draws, len(metric)) * (weight.sum(axis=2) > 0)
    return ratio(((1 - np.abs(p[0] - p[1])) * pairs).sum(axis=1), pairs.sum(axis=1))


def _people(
    metric: np.ndarray, human: np.ndarray, votes: np.ndarray | None, draws: Draws
) -> np.ndarray:
    """Return ratings (draws, systems, items), NaN where metric or people have none."""
    if votes is None or draws.raters is None:
        return np.broadcast_to(human, (draws.many, *human.shape))
    means = drawn_means(votes, draws.raters)
    return np.where(np.isfinite(metric), means, np.nan)


def _pair_weights(draws: Draws, systems: int) -> np.ndarray:
    """Return how often each pair a < b counts in each draw: float (draws, pairs)."""
    a, b = np.triu_indices(systems, 1)
    if draws.systems is None:
        return np.ones((draws.many, len(a)))
    return np.asarray(draws.systems[:, a] * draws.systems[:, b])


def _rounding(people: np.ndarray) -> float:
    """Return up to which difference two mean ratings are equal but for rounding."""
    return NEAR * float(np.nanmax(np.abs(people), initial=0.0))
