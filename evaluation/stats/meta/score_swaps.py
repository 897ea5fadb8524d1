"""Random swaps of two metrics' scores, and what they do to the difference of two correlations.

The swaps are drawn once for any number of pairs of metrics. Short cuts of the same computation: at
item level with few systems each item has only 2**systems mixtures, so all their correlations are
tabulated and a permutation is a look-up; a system mean, and the moments of Pearson's correlation,
are linear in the swaps; sums over pairs of cells are quadratic forms in them (swapped.py). All else
is computed anew for each draw.
"""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from evaluation.stats.intervals import ratio
from evaluation.stats.meta.coefficients import Kind, coefficient
from evaluation.stats.meta.correlation import (
    Constants,
    Level,
    Vectors,
    level_vectors,
    mean_of,
    system_means,
)
from evaluation.stats.meta.data import common, merged, sources_of
from evaluation.stats.meta.soft_pairwise import all_draws, differences, sign_p
from evaluation.stats.meta.swap_kernels import swapped_correlation, swapped_pearson, untied

BLOCK = 2**20  # cells in one block of swaps
PATTERNS = 8  # up to so many systems all 2**n swaps of an item are tabulated

Swap = Literal["cells", "sources"]


class Swaps:
    """A block of random swaps: `cells` (draws, systems, items), bool, True = swapped.

    Where sources swap as blocks, `sources` is (draws, sources), bool, else None.
    """

    def __init__(self, cells: np.ndarray, sources: np.ndarray | None = None) -> None:
        self.cells = cells
        self.sources = sources

    @cached_property
    def numbers(self) -> np.ndarray:
        """Swaps as 0.0 and 1.0, systems first: (systems, draws, items)."""
        return np.ascontiguousarray(self.cells.transpose(1, 0, 2), dtype=np.float64)

    @cached_property
    def patterns(self) -> np.ndarray:
        """Place in a table (items x 2**systems) of each item's swap: int (draws, items)."""
        systems, _, items = self.numbers.shape
        bits = np.tensordot(2.0 ** np.arange(systems), self.numbers, axes=1)
        return bits.astype(np.int64) + np.arange(items) * 2**systems


Delta = Callable[[Swaps], np.ndarray]  # -> (draws,)


class Contest(NamedTuple):
    """One pair of metrics, ready to be permuted."""

    first: float
    second: float
    missing: int
    delta: Delta


def swaps(
    shape: tuple[int, int],
    swap: Swap,
    sources: np.ndarray | None,
    rng: np.random.Generator | None,
    permutations: int,
    exact: bool,
) -> Iterator[Swaps]:
    """Yield blocks of swaps (draws, systems, items), bool; the draws do not depend on the blocks.

    Listed swaps start with none, drawn ones are all random.
    """
    if swap not in ("cells", "sources"):
        raise ValueError(f"swap must be 'cells' or 'sources', not {swap!r}")
    source = sources_of(shape[1], sources)
    units = shape[0] * shape[1] if swap == "cells" else len(source.labels)
    # Draw in blocks of bounded memory.
    total = all_draws(units, rng, permutations, exact)
    rows = max(1, BLOCK // max(shape[0] * shape[1], 1))
    for start in range(0, total, rows):
        stop = min(start + rows, total)
        if exact:
            # All subsets, by the bits of their number.
            drawn = (np.arange(start, stop)[:, None] >> np.arange(units) & 1) > 0
        else:
            assert rng is not None
            drawn = rng.random((stop - start, units)) < 0.5
        whole = (stop - start, *shape)
        if swap == "cells":
            yield Swaps(drawn.reshape(whole))
        else:
            yield Swaps(np.broadcast_to(drawn[:, None, source.member], whole), drawn)


def correlation_contest(
    first: np.ndarray,
    second: np.ndarray,
    human: np.ndarray,
    level: Level,
    kind: Kind,
    constants: Constants,
) -> Contest:
    """Return two metrics on their common cells, standardized, with their permuted difference."""
    one, other, people, missing = common(first, second, human)
    one, other = standardized(one), standardized(other)

    def value(metric: np.ndarray) -> np.ndarray:
        return mean_of(level_vectors(metric, people, level, kind), constants)

    def recomputed(swaps: Swaps) -> np.ndarray:
        swap = swaps.cells
        return value(np.where(swap, other, one)) - value(np.where(swap, one, other))

    delta: Delta = recomputed
    if level == "item" and len(one) <= PATTERNS:
        delta = _tabulated(one, other, people, kind, constants)
    elif level == "system":
        delta = _linear(one, other, people, kind, constants)
    elif level != "item" and kind == "pearson":
        delta = _moments(one, other, people, level, constants)
    elif level != "item" and _has_form(one, other, kind):
        delta = _quadratic(one, other, people, level, kind, constants)
    return Contest(float(value(one)), float(value(other)), missing, delta)


def soft_pairwise_contest(
    first: np.ndarray,
    second: np.ndarray,
    human: np.ndarray,
    sources: np.ndarray | None,
    matrix: np.ndarray,
) -> Contest:
    """Return two metrics' SPA, and its difference under swaps; p-values by the signs `matrix`.

    matrix: (permutations, sources) of +1 and -1, the same for all draws.
    """
    one, other, people, missing = common(first, second, human)
    one, other = standardized(one), standardized(other)

    # How sure people are of each pair of systems.
    gaps = differences(one, people, sources)
    source = sources_of(one.shape[1], sources)
    human_p = sign_p(gaps.human[None], matrix)[0]
    counted = gaps.common.sum(axis=0) > 0

    # How sure a mixture is, from its gaps summed over sources.
    left, right = np.triu_indices(len(one), 1)
    both = np.isfinite(one[left]) & np.isfinite(one[right])

    def units(metric: np.ndarray) -> np.ndarray:
        """Return the gaps of each pair summed over sources: (..., sources, pairs)."""
        apart = metric[..., left, :] - metric[..., right, :]
        return np.swapaxes(source.totals(np.where(both, apart, 0.0)), -1, -2)

    def value(gaps_of: np.ndarray) -> np.ndarray:
        near = (1 - np.abs(sign_p(gaps_of, matrix) - human_p)) * counted
        return ratio(near.sum(axis=-1), counted.sum())

    # Whole sources swap by their sums; single cells are mixed and summed anew.
    pure = units(one), units(other)

    def delta(swaps: Swaps) -> np.ndarray:
        if swaps.sources is not None:
            swap = swaps.sources[:, :, None]
            return value(np.where(swap, pure[1], pure[0])) - value(np.where(swap, *pure))
        swap = swaps.cells
        mixed = np.where(swap, other, one), np.where(swap, one, other)
        return value(units(mixed[0])) - value(units(mixed[1]))

    first_value, second_value = (float(value(each[None])[0]) for each in pure)
    return Contest(first_value, second_value, missing, delta)


def _linear(
    one: np.ndarray, other: np.ndarray, people: np.ndarray, kind: Kind, constants: Constants
) -> Delta:
    """Return the system-level difference: each mean moves by the sum of what is swapped into it."""
    # Each system mean, and what it moves by if an item is swapped.
    present = np.isfinite(people)
    count = np.maximum(present.sum(axis=1), 1)
    gap = np.where(present, other - one, 0.0) / count[:, None]
    means = [
        ratio(np.where(present, metric, 0.0).sum(axis=1), present.sum(axis=1))
        for metric in (one, other)
    ]
    human = system_means(people)

    def delta(swaps: Swaps) -> np.ndarray:
        moved = np.stack(
            [numbers @ row for numbers, row in zip(swaps.numbers, gap, strict=True)], axis=-1
        )
        sides = [
            coefficient(merged(mean), human, kind) for mean in (means[0] + moved, means[1] - moved)
        ]
        if constants == "zero":
            sides = [np.nan_to_num(side) for side in sides]
        return sides[0] - sides[1]

    return delta


def _moments(
    one: np.ndarray, other: np.ndarray, people: np.ndarray, level: Level, constants: Constants
) -> Delta:
    """Return Pearson's difference over all cells, or within systems, from its sums."""
    whole, counts = level == "global", np.isfinite(people).sum(axis=1)
    enough = (counts.sum(keepdims=True) if whole else counts) > 1

    def delta(swaps: Swaps) -> np.ndarray:
        sides = swapped_pearson(swaps.numbers, one, other, people, whole=whole)
        means = [mean_of(Vectors(values, enough), constants) for values in sides]
        return means[0] - means[1]

    return delta


def _has_form(one: np.ndarray, other: np.ndarray, kind: Kind) -> bool:
    """Return whether sums over pairs are quadratic forms with known denominators."""
    there = np.isfinite(one)
    return kind == "kendall_b" or (kind == "spearman" and untied(one[there], other[there]))


def _quadratic(
    one: np.ndarray,
    other: np.ndarray,
    people: np.ndarray,
    level: Level,
    kind: Kind,
    constants: Constants,
) -> Delta:
    """Return the difference over all cells, or within systems, by quadratic forms of the swaps."""
    shape = (1, -1) if level == "global" else one.shape
    vectors = [each.reshape(shape) for each in (one, other, people)]
    there = np.isfinite(vectors[2])
    enough = there.sum(axis=1) > 1

    def delta(swaps: Swaps) -> np.ndarray:
        swap = swaps.cells.reshape(len(swaps.cells), *there.shape)
        values = np.full((2, len(swap), len(there)), np.nan)
        for row in np.flatnonzero(enough):
            # Swap within the row, and correlate both mixtures.
            kept = there[row]
            first, second, human = (each[row, kept] for each in vectors)
            mixed = swap[:, row, kept].astype(np.float64)
            values[:, :, row] = swapped_correlation(mixed, first, second, human, kind)
        means = mean_of(Vectors(values, enough), constants)
        return means[0] - means[1]

    return delta


def _tabulated(
    one: np.ndarray, other: np.ndarray, people: np.ndarray, kind: Kind, constants: Constants
) -> Delta:
    """Return the item-level difference by looking up each item's swap among all 2**systems."""
    systems = len(one)

    # All mixtures of an item, and their correlations: a swap will be a look-up.
    bits = (np.arange(2**systems)[:, None] >> np.arange(systems) & 1).astype(bool)
    mixed = np.where(bits, other.T[:, None, :], one.T[:, None, :])  # (items, patterns, systems)
    values = coefficient(mixed, people.T[:, None, :], kind)

    # Which of them count in the mean over items.
    enough = np.broadcast_to((np.isfinite(people).sum(axis=0) > 1)[:, None], values.shape)
    counted = enough & (np.isfinite(values) | (constants == "zero"))
    filled = np.where(np.isfinite(values), values, 0.0)

    # No mixture is left out: one table of differences will do.
    if (counted == enough).all():
        table = ((filled - filled[:, ::-1]) / max(enough[:, 0].sum(), 1)).ravel()

        def look_up(swaps: Swaps) -> np.ndarray:
            return table[swaps.patterns].sum(axis=1)

        return look_up

    # Some are: sums and counts of both sides are looked up apart.
    tables = np.stack([filled, counted, filled[:, ::-1], counted[:, ::-1]], axis=-1).reshape(-1, 4)

    def delta(swaps: Swaps) -> np.ndarray:
        sums = tables[swaps.patterns].sum(axis=1)
        return ratio(sums[:, 0], sums[:, 1]) - ratio(sums[:, 2], sums[:, 3])

    return delta


def standardized(values: np.ndarray) -> np.ndarray:
    """Return (values - mean) / sd over all present cells; zeros where all are equal."""
    present = np.isfinite(values)
    if not present.any() or values[present].min() == values[present].max():
        return np.where(present, 0.0, np.nan)
    return (values - values[present].mean()) / values[present].std()
