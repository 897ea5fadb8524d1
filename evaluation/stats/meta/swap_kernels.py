"""Correlations of long vectors whose entries are swapped at random between two metrics.

A mixture takes each cell's score from the one metric or the other. Whether a pair of cells is
concordant depends on two swaps, so the sum over pairs is a quadratic form in the swaps v (0 or 1):

    S(v) = s + l'v + v'Qv,  Q = (P00 + P11) / 2 - P10

with P_ab the sign of the difference of cells a and b, each from the metric its index names, times
the people's verdict on the pair. The complementary mixture has the same Q. So a permutation costs
one matrix product where it would cost a sort. Spearman's numerator is such a sum too, with the
difference of ranks as the verdict; its denominator is fixed if no mixture has ties.
"""

from collections.abc import Callable

import numpy as np

from evaluation.stats.intervals import ratio
from evaluation.stats.meta.coefficients import Kind, midranks, tau_b

CELLS = 2**21  # numbers in one block of pairs of cells
ROUNDING = 1e-12  # a variance below it, of values about 1 apart, is none

Pairwise = Callable[[np.ndarray, np.ndarray], np.ndarray]  # differences, verdicts -> terms


def swapped_correlation(
    swap: np.ndarray, one: np.ndarray, other: np.ndarray, human: np.ndarray, kind: Kind
) -> tuple[np.ndarray, np.ndarray]:
    """Return the correlation with people of each mixture and of its complement, both (draws,).

    swap: float (draws, cells), 0 = the first mixture takes `one`, 1 = it takes `other`.
    one, other, human: float (cells,), all present.
    kind: "kendall_b", or "spearman" where the two metrics are `untied`.

    NaN where people or the mixture do not vary.
    """
    cells = len(human)
    # Spearman: sums of differences of ranks.
    if kind == "spearman":
        rank = midranks(human, np.ones(cells))
        sums = _sums(swap, one, other, rank[:, None] - rank, _signed)
        squares = ((rank - rank.mean()) ** 2).sum()
        spread = 2 * np.sqrt(squares * (cells**3 - cells) / 12)
        return ratio(sums[0], spread), ratio(sums[1], spread)
    # Kendall: signs of pairs; only pairs that are apart count in tau-b.
    verdict = np.sign(human[:, None] - human)
    sums, apart_human = _sums(swap, one, other, verdict, _signed), np.abs(verdict).sum() / 2
    if untied(one, other):
        apart = np.full((2, len(swap)), cells * (cells - 1) / 2)
    else:
        apart = np.stack(_sums(swap, one, other, 1.0 - np.eye(cells), _unsigned))
    return tau_b(sums[0], apart[0], apart_human), tau_b(sums[1], apart[1], apart_human)


def swapped_pearson(
    swap: np.ndarray, one: np.ndarray, other: np.ndarray, human: np.ndarray, *, whole: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return Pearson's correlations of each mixture and of its complement, both (draws, vectors).

    swap: float (systems, draws, items), 0 = the first mixture takes `one`, 1 = it takes `other`.
    one, other, human: float (systems, items), standardized, NaN = missing in all three.
    whole: one vector of all cells; else one for each system.

    Sums of x, x^2 and xy move linearly with the swaps. NaN where people or the mixture do not vary.
    """
    # Sums of x, x^2 and xy of the pure metrics, and what the swaps move them by.
    there = np.isfinite(human)
    y = np.where(there, human - (human[there].mean() if there.any() else 0.0), 0.0)
    start, end = (
        np.stack([x, x**2, x * y], axis=-1)
        for x in (np.where(there, each, 0.0) for each in (one, other))
    )  # (systems, items, 3)
    moved = np.stack([mixed @ gap for mixed, gap in zip(swap, end - start, strict=True)])
    sums = start.sum(axis=1)[:, None] + moved, end.sum(axis=1)[:, None] - moved

    # The same of people; one vector of all cells adds the systems up.
    of_people = np.stack([there, y, y**2], axis=-1).sum(axis=1)  # (systems, 3)
    if whole:
        sums = sums[0].sum(axis=0, keepdims=True), sums[1].sum(axis=0, keepdims=True)
        of_people, human = of_people.sum(axis=0, keepdims=True), human.reshape(1, -1)
    varies = np.nanmax(human, axis=1, initial=-np.inf) > np.nanmin(human, axis=1, initial=np.inf)
    first, second = (_pearson_of_sums(side, of_people, varies) for side in sums)
    return first, second


def _pearson_of_sums(sums: np.ndarray, of_people: np.ndarray, varies: np.ndarray) -> np.ndarray:
    """Return correlations (draws, vectors) of sums (vectors, draws, 3); people's (vectors, 3)."""
    count = np.maximum(of_people[:, 0], 1)[:, None]
    mean, squares = (of_people[:, k][:, None] / count for k in (1, 2))
    x, x_squares, products = (part / count for part in np.moveaxis(sums, -1, 0))
    spread = x_squares - x**2
    there = varies[:, None] & (spread > ROUNDING)
    below = np.where(there, np.sqrt(np.abs(spread * (squares - mean**2))), 0.0)
    return ratio(products - x * mean, below).T


def untied(one: np.ndarray, other: np.ndarray) -> bool:
    """Return whether no mixture can have two equal scores (all scores of both differ)."""
    return len(np.unique(np.concatenate([one, other]))) == len(one) + len(other)


def _signed(gap: np.ndarray, verdict: np.ndarray) -> np.ndarray:
    return np.sign(gap) * verdict


def _unsigned(gap: np.ndarray, verdict: np.ndarray) -> np.ndarray:
    return (gap != 0) * verdict


def _sums(
    swap: np.ndarray, one: np.ndarray, other: np.ndarray, verdict: np.ndarray, terms: Pairwise
) -> tuple[np.ndarray, np.ndarray]:
    """Return the sums over unordered pairs for the mixture and for its complement."""
    first, second, both = np.zeros((3, len(swap)))
    width = max(1, CELLS // len(one))
    for start in range(0, len(one), width):
        part = slice(start, start + width)

        # Signs of pairs whose cells are from the metrics that the indices name.
        p_00 = terms(one[:, None] - one[part], verdict[:, part])
        p_11 = terms(other[:, None] - other[part], verdict[:, part])
        p_10 = terms(other[:, None] - one[part], verdict[:, part])

        # S(v) = s + l'v + v'Qv, and that of the complement.
        quadratic = (p_00 + p_11) / 2 - p_10
        both += np.einsum("dc,dc->d", swap @ quadratic, swap[:, part])
        first += p_00.sum() / 2 + swap @ (p_10 - p_00).sum(axis=1)
        second += p_11.sum() / 2 - swap @ p_11.sum(axis=1) + swap[:, part] @ p_10.sum(axis=0)
    return first + both, second + both
