"""Soft pairwise accuracy (SPA): does the metric rank systems with the confidence people have?

    SPA = mean over pairs a < b of 1 - |p_h(a, b) - p_m(a, b)|

p is the one-sided p-value that a is better than b, of a paired permutation test over items: each
item's difference changes sign with probability 1/2, one matrix of signs for all pairs, people and
metrics. It uses how sure a ranking is, so it says something with as few as 3 to 6 systems.

Source: Thompson, Mathur, Deutsch & Khayrallah, Improving Statistical Significance in Human
Evaluation of Automatic Metrics via Soft Pairwise Accuracy, WMT 2024 (arXiv 2409.09598). As there, p
is the share of permutations at least as large as what was seen, without the +1 of a test.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from evaluation.stats.intervals import ratio
from evaluation.stats.meta.data import cells, sources_of

BLOCK = 2**22  # numbers in one block of permuted differences
EXACT = 20  # the most units whose 2**n signs are listed
NEAR = 1e-10  # share of a sum of absolute differences within which two sums are equal


class SoftPairwise(NamedTuple):
    """SPA in [0, 1], NaN without a pair; p-values that system a (row) beats system b (column)."""

    value: float
    metric_p: np.ndarray  # float (systems, systems), upper triangle; NaN elsewhere
    human_p: np.ndarray  # likewise
    pairs: int  # pairs of systems with an item in common
    missing: int  # cells without a metric value or without a human one


class Differences(NamedTuple):
    """Differences of pairs of systems, summed over each unit that changes sign as one."""

    metric: np.ndarray  # float (units, pairs)
    human: np.ndarray
    common: np.ndarray  # float (units, pairs): items on which both systems have both values
    missing: int


def soft_pairwise_accuracy(
    metric: np.ndarray,
    human: np.ndarray,
    *,
    rng: np.random.Generator | None = None,
    permutations: int = 1000,
    sources: np.ndarray | None = None,
    exact: bool = False,
) -> SoftPairwise:
    """Return the soft pairwise accuracy of one metric, and the p-values it compares.

    metric:  float (systems, items), higher is better; NaN = missing.
    human:   float (systems, items) or (systems, items, raters).
    sources: (items,) labels; given, the items of a source change sign together.
    exact:   list all 2**n signs of the n units instead of drawing (n <= 20; needs no rng).

    A pair of systems is compared on the items where both have both values. One system, or no
    item in common, leaves no pair: NaN.

    Raises:
        ValueError: for an argument out of its range.
    """
    found = soft_pairwise_accuracies(
        np.asarray(metric)[None], human, rng=rng, permutations=permutations, sources=sources,
        exact=exact,
    )  # fmt: skip
    return found[0]


def soft_pairwise_accuracies(
    metrics: np.ndarray,
    human: np.ndarray,
    *,
    rng: np.random.Generator | None = None,
    permutations: int = 1000,
    sources: np.ndarray | None = None,
    exact: bool = False,
) -> list[SoftPairwise]:
    """Return `soft_pairwise_accuracy` of each metric (metrics, systems, items), on shared signs."""
    parts = [differences(metric, human, sources) for metric in metrics]
    columns = np.hstack([part for each in parts for part in (each.metric, each.human)])
    p = one_sided_p(columns, signs(len(columns), columns.shape[1], rng, permutations, exact))
    values = p.reshape(len(parts), 2, -1)
    return [
        _result(part, p_m, p_h, len(metrics[0]))
        for part, (p_m, p_h) in zip(parts, values, strict=True)
    ]


def differences(
    metric: np.ndarray, human: np.ndarray, sources: np.ndarray | None = None
) -> Differences:
    """Return what every pair of systems a < b differs by, unit by unit (an item or a source)."""
    data = cells(metric, human)
    unit = sources_of(data.metric.shape[1], sources)
    one, other = np.triu_indices(len(data.metric), 1)
    metric_gap = data.metric[one] - data.metric[other]
    human_gap = data.human[one] - data.human[other]
    common = np.isfinite(metric_gap)
    sums = [unit.totals(np.where(common, gap, 0.0)).T for gap in (metric_gap, human_gap)]
    return Differences(sums[0], sums[1], unit.totals(common.astype(np.float64)).T, data.missing)


def one_sided_p(columns: np.ndarray, drawn: Iterator[np.ndarray]) -> np.ndarray:
    """Return the share of sign changes whose sum is at least the observed one, for each column.

    columns: float (units, columns). drawn: blocks (draws, units) of +1 and -1.
    Sums that differ by rounding alone are equal.
    """
    seen = columns.sum(axis=0) - NEAR * np.abs(columns).sum(axis=0)
    count, draws = np.zeros(columns.shape[1]), 0
    for block in drawn:
        count += (block @ columns >= seen).sum(axis=0)
        draws += len(block)
    return count / draws


def signs(
    units: int,
    columns: int,
    rng: np.random.Generator | None,
    permutations: int,
    exact: bool,
) -> Iterator[np.ndarray]:
    """Yield blocks (draws, units) of +1 and -1, sized so that draws x columns stays bounded.

    The draws do not depend on the size of the blocks.
    """
    rows = max(1, BLOCK // max(units, columns, 1))
    total = all_draws(units, rng, permutations, exact)
    for start in range(0, total, rows):
        stop = min(start + rows, total)
        if exact:
            bits = np.arange(start, stop)[:, None] >> np.arange(units) & 1
            yield 1.0 - 2.0 * bits
        else:
            assert rng is not None
            yield np.where(rng.random((stop - start, units)) < 0.5, 1.0, -1.0)


def sign_matrix(units: int, rng: np.random.Generator, permutations: int) -> np.ndarray:
    """Return that many random signs (permutations, units), or all 2**units if they are fewer."""
    listed = 2**units <= permutations
    return np.concatenate(list(signs(units, 1, rng, permutations, listed)))


def all_draws(units: int, rng: np.random.Generator | None, permutations: int, exact: bool) -> int:
    """Return how many sign vectors there will be; ValueError where the request makes no sense."""
    if exact:
        if units > EXACT:
            raise ValueError(f"2**{units} sign vectors are too many to list; draw them")
        return 2**units
    if rng is None or permutations < 1:
        raise ValueError("drawing needs an rng and at least one permutation")
    return permutations


def weighted_soft_pairwise(
    gaps: Differences, weights: np.ndarray, matrix: np.ndarray
) -> np.ndarray:
    """Return SPA with units counted as each row of weights (draws, units) says: (draws,).

    matrix: signs (permutations, units), the same for every draw. Copies of a unit change sign
    together. A pair whose units are not drawn is left out of that draw.
    """
    # How sure metric and people are of each pair, in each draw.
    both = weights[:, :, None] * np.hstack([gaps.metric, gaps.human])
    p_metric, p_human = np.split(sign_p(both, matrix), 2, axis=-1)

    # SPA over the pairs that have units in the draw.
    counted = weights @ gaps.common > 0
    near = (1 - np.abs(p_metric - p_human)) * counted
    return ratio(near.sum(axis=-1), counted.sum(axis=-1))


def sign_p(gaps: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return one-sided p-values (draws, pairs) of gaps (draws, units, pairs) by one sign matrix."""
    flat = np.swapaxes(gaps, -1, -2).reshape(-1, gaps.shape[-2])  # one long matrix product
    seen = flat.sum(axis=1) - NEAR * np.abs(flat).sum(axis=1)
    rows, p = max(1, BLOCK // max(len(matrix), 1)), np.zeros(len(flat))
    for start in range(0, len(flat), rows):
        part = slice(start, start + rows)
        p[part] = np.count_nonzero(flat[part] @ matrix.T >= seen[part, None], axis=1) / len(matrix)
    return p.reshape(gaps.shape[0], gaps.shape[-1])


def _result(
    part: Differences, metric_p: np.ndarray, human_p: np.ndarray, systems: int
) -> SoftPairwise:
    compared = part.common.sum(axis=0) > 0
    near = 1 - np.abs(metric_p - human_p)[compared]
    squares = np.full((2, systems, systems), np.nan)
    for square, p in zip(squares, (metric_p, human_p), strict=True):
        square[np.triu_indices(systems, 1)] = np.where(compared, p, np.nan)
    value = float(ratio(near.sum(), compared.sum()))
    return SoftPairwise(value, squares[0], squares[1], int(compared.sum()), part.missing)
