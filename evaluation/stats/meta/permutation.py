"""Permutation tests: what swapped verdicts do to a difference of acc_eq, and how often that counts.

The test of mt-metrics-eval for tie-calibrated accuracy (PairwisePermutationSigDiff): verdicts on
pairs of systems are swapped between two metrics, so each keeps its epsilon and nothing is
calibrated anew. The difference is then linear in the swaps. That of correlations, whose scores are
swapped, is in score_swaps.py.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from evaluation.stats.meta.data import cells, common
from evaluation.stats.meta.ties import correct, pairs_of, tie_calibrated_accuracy

EQUAL_GAP = 1e-10  # differences of two correlations nearer than this are equal


class Tally(NamedTuple):
    """How often a permuted difference was at least the observed one, each (tests,)."""

    greater: np.ndarray
    two_sided: np.ndarray
    draws: int


def sign_tally(gaps: np.ndarray, drawn: Iterator[np.ndarray]) -> Tally:
    """Return `count_passed` of differences that are sums over units: gaps float (units, tests)."""
    return count_passed((block @ gaps for block in drawn), gaps.sum(axis=0))


def count_passed(permuted: Iterator[np.ndarray], seen: np.ndarray) -> Tally:
    """Return how often permuted differences (draws, tests), in blocks, reach the observed ones."""
    greater, two_sided, draws = np.zeros(len(seen)), np.zeros(len(seen)), 0
    for block in permuted:  # (draws, tests)
        # A draw without a value counts against the claim: it is not below the observed one.
        greater += (~(block < seen - EQUAL_GAP)).sum(axis=0)
        two_sided += (~(np.abs(block) < np.abs(seen) - EQUAL_GAP)).sum(axis=0)
        draws += len(block)
    return Tally(greater, two_sided, draws)


def outcome_gaps(
    first: np.ndarray,
    second: np.ndarray,
    human: np.ndarray,
    epsilons: tuple[float, float] | None = None,
) -> tuple[np.ndarray, tuple[float, float], int]:
    """Return what each pair of systems on each item adds to acc_eq(first) - acc_eq(second).

    Also the two accuracies, and the cells left out. Gaps: float (system pairs, items), 0 where a
    pair is missing or both metrics give the same verdict.
    """
    one, other, people, missing = common(first, second, human)
    chosen = epsilons or tuple(
        tie_calibrated_accuracy(metric, people).epsilon for metric in (one, other)
    )
    # Which pairs each metric orders as people do.
    sides = [pairs_of(cells(metric, people)) for metric in (one, other)]
    right = [correct(side, epsilon) for side, epsilon in zip(sides, chosen, strict=True)]
    # Place the weighted difference of both in the table of pairs.
    pairs = sides[0]
    gaps = np.zeros((len(one) * (len(one) - 1) // 2, one.shape[1]))
    if not pairs.items:
        return gaps, (float("nan"), float("nan")), missing
    share = pairs.share / pairs.items
    gaps.flat[pairs.place] = share * (right[0].astype(np.float64) - right[1])
    return gaps, (float(share @ right[0]), float(share @ right[1])), missing
