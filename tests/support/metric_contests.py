"""Two metrics tested on their own: what tests of all pairs at once are held against.

PERM-BOTH: if two metrics are equally good, swapping their (standardized) scores in any cell changes
nothing but noise. Both correlations are recomputed after random swaps, and p is the share of swaps
whose difference is at least the observed one. Swapping all edits of a source video together keeps
their dependence; swapping single cells assumes there is none.

Source: Deutsch, Dror & Roth, A Statistical Analysis of Summarization Evaluation Metrics Using
Resampling Methods, TACL 9 (2021), section 4 (PERM-BOTH; scores standardized first). The package
nlpstats 0.0.1 draws whole rows and whole columns under that name; mt-metrics-eval draws cells, as
here. p is (1 + count) / (1 + permutations): Phipson & Smyth, SAGMB 9 (2010), equation 2.

`swap_accuracies` is the test of mt-metrics-eval for tie-calibrated accuracy
(PairwisePermutationSigDiff): verdicts on pairs of systems are swapped, so each metric keeps its
epsilon and nothing is calibrated anew.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from evaluation.stats.meta import (
    Constants,
    Contest,
    Kind,
    Level,
    Swap,
    Swaps,
    Tally,
    correlation_contest,
    count_passed,
    outcome_gaps,
    sign_tally,
    signs,
    sources_of,
    swaps,
)


class Comparison(NamedTuple):
    """Two metrics against the same ratings; a p is NaN where either metric has no value."""

    first: float
    second: float
    delta: float  # first less second
    p_greater: float  # one-sided: the first is better
    p_two_sided: float
    permutations: int
    missing: int  # cells without a value of either metric or of people, left out for both


def perm_both(
    first: np.ndarray,
    second: np.ndarray,
    human: np.ndarray,
    *,
    level: Level,
    kind: Kind = "pearson",
    constants: Constants = "omit",
    swap: Swap = "sources",
    sources: np.ndarray | None = None,
    rng: np.random.Generator | None = None,
    permutations: int = 10_000,
    exact: bool = False,
) -> Comparison:
    """Return the difference of two metrics' correlations with people, and its p-values.

    first, second: float (systems, items), higher is better; NaN = missing.
    human:   float (systems, items) or (systems, items, raters).
    level, kind, constants: as `correlate`.
    swap:    "sources" swaps all items of a source together, "cells" each cell by itself.
    sources: (items,) labels; left out, each item is its own source.
    exact:   list all swaps instead of drawing (at most 20 cells or sources; needs no rng).
    """
    contest = correlation_contest(first, second, human, level, kind, constants)
    shape = (len(first), len(np.transpose(first)))
    drawn = swaps(shape, swap, sources, rng, permutations, exact)
    counted = tally([contest], drawn)
    return comparisons([(contest.first, contest.second, contest.missing)], counted, exact)[0]


def swap_accuracies(
    first: np.ndarray,
    second: np.ndarray,
    human: np.ndarray,
    *,
    epsilons: tuple[float, float] | None = None,
    swap: Literal["pairs", "sources"] = "sources",
    sources: np.ndarray | None = None,
    rng: np.random.Generator | None = None,
    permutations: int = 10_000,
    exact: bool = False,
) -> Comparison:
    """Return the difference of two metrics' acc_eq, and its p-values, verdicts being swapped.

    epsilons: one for each metric; left out, each is calibrated on the cells that both have.
    swap:     "pairs" swaps each verdict by itself (mt-metrics-eval), "sources" all of a source.
    Other arguments as `perm_both`.
    """
    gaps, values, missing = outcome_gaps(first, second, human, epsilons)
    units = gaps.ravel()
    if swap == "sources":
        units = sources_of(gaps.shape[1], sources).totals(gaps.sum(axis=0))
    elif swap != "pairs":
        raise ValueError(f"swap must be 'pairs' or 'sources', not {swap!r}")
    else:
        units = units[units != 0]  # equal verdicts are the same after a swap
    drawn = signs(len(units), 1, rng, permutations, exact)
    counted = sign_tally(units[:, None], drawn)
    return comparisons([(*values, missing)], counted, exact)[0]


def tally(contests: list[Contest], drawn: Iterator[Swaps]) -> Tally:
    """Return how often each contest's permuted difference is at least the observed one."""
    seen = np.array([contest.first - contest.second for contest in contests])
    permuted = (np.stack([each.delta(block) for each in contests], axis=-1) for block in drawn)
    return count_passed(permuted, seen)


def comparisons(
    results: list[tuple[float, float, int]], counted: Tally, exact: bool
) -> list[Comparison]:
    """Return the p-values of tests with results (first, second, missing).

    Listed permutations hold the observed one already, so they get no +1.
    """
    extra = 0 if exact else 1
    greater = (counted.greater + extra) / (counted.draws + extra)
    two_sided = (counted.two_sided + extra) / (counted.draws + extra)
    nan, found = float("nan"), []
    for (first, second, missing), p_1, p_2 in zip(results, greater, two_sided, strict=True):
        delta = first - second
        p_greater, p_both = (float(p_1), float(p_2)) if np.isfinite(delta) else (nan, nan)
        found.append(Comparison(first, second, delta, p_greater, p_both, counted.draws, missing))
    return found
