"""Tests and intervals that papers use and that do not fit crossed raters and sources.

They are here to be measured beside the default ones, not to be used.
"""

import warnings

import numpy as np
import scipy.stats

from evaluation.stats.meta import (
    Kind,
    Level,
    correlation_contest,
    count_passed,
    outcome_gaps,
    sign_tally,
    signs,
    swaps,
)
from evaluation.stats.ratings import Votes


def p_values(votes: Votes, a: int, b: int) -> dict[str, float]:
    """Return p of b = a by name; the signed rank test only where raters rate both of an edit."""
    first, second = (votes.where(votes.method == m) for m in (a, b))
    found = {
        "pooled votes, t": scipy.stats.ttest_ind(first.value, second.value).pvalue,
        "pooled votes, Mann-Whitney": scipy.stats.mannwhitneyu(first.value, second.value).pvalue,
        "by rater only, t": scipy.stats.ttest_1samp(_gaps(first, second, "rater"), 0).pvalue,
        "by source only, t": scipy.stats.ttest_1samp(_gaps(first, second, "source"), 0).pvalue,
    }
    own = [side.rater * votes.edits + side.edit for side in (first, second)]
    _, left, right = np.intersect1d(*own, return_indices=True)
    if len(left):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # zeros and ties
            found["pairs of votes, Wilcoxon"] = scipy.stats.wilcoxon(
                second.value[right] - first.value[left]
            ).pvalue
    return {name: float(p) for name, p in found.items()}


def intervals(votes: Votes, method: int) -> dict[str, tuple[float, float, float]]:
    """Return (low, mean, high) of a method's MOS by name, nominally 95%."""
    own = votes.where(votes.method == method)
    spread = 1.96 * own.value.std(ddof=1) / len(own.value) ** 0.5
    found = {"pooled votes, 1.96 s / sqrt N": (own.value.mean(), spread)}
    for axis in ("rater", "source"):
        means = _means(own, axis)
        error = means.std(ddof=1) / len(means) ** 0.5
        found[f"by {axis} only, t"] = (
            means.mean(),
            scipy.stats.t.ppf(0.975, len(means) - 1) * error,
        )
    return {name: (mid - half, mid, mid + half) for name, (mid, half) in found.items()}


def _means(votes: Votes, axis: str) -> np.ndarray:
    code = getattr(votes, axis)
    count = np.bincount(code)
    return np.asarray((np.bincount(code, votes.value) / np.maximum(count, 1))[count > 0])


def _gaps(first: Votes, second: Votes, axis: str) -> np.ndarray:
    """Return what the means of the two methods differ by, for each rater or source with both."""
    size = max(getattr(side, axis).max() for side in (first, second)) + 1
    counts = [np.bincount(getattr(side, axis), minlength=size) for side in (first, second)]
    sums = [np.bincount(getattr(side, axis), side.value, size) for side in (first, second)]
    both = (counts[0] > 0) & (counts[1] > 0)
    return np.asarray(sums[1][both] / counts[1][both] - sums[0][both] / counts[0][both])


def swapped_cells(
    metrics: tuple[np.ndarray, np.ndarray],
    human: np.ndarray,
    level: Level,
    kind: Kind,
    rng: np.random.Generator,
    permutations: int,
) -> float:
    """Return the two-sided p of two metrics' correlations, scores swapped cell by cell."""
    contest = correlation_contest(*metrics, human, level, kind, "omit")
    drawn = swaps(human.shape, "cells", None, rng, permutations, False)
    permuted = (contest.delta(block)[:, None] for block in drawn)
    counted = count_passed(permuted, np.array([contest.first - contest.second]))
    return float((counted.two_sided[0] + 1) / (counted.draws + 1))


def swapped_verdicts(
    metrics: tuple[np.ndarray, np.ndarray],
    human: np.ndarray,
    rng: np.random.Generator,
    permutations: int,
) -> float:
    """Return the two-sided p of two metrics' acc_eq, verdicts swapped pair by pair of systems."""
    gaps = outcome_gaps(*metrics, human)[0]
    units = gaps[gaps != 0]  # equal verdicts are the same after a swap
    counted = sign_tally(units[:, None], signs(len(units), 1, rng, permutations, False))
    return float((counted.two_sided[0] + 1) / (counted.draws + 1))
