"""p-values adjusted for having looked at many.

Holm controls the chance of any false claim; Bonferroni (ITU-T P.1401, 7.6.5) is Holm with less
power. NaN, a test that could not be made, stays NaN and does not count as a test.

`max_step_down` controls any false claim too, and knows how the tests hang together: it needs draws
of all statistics under one permutation after another. Over all pairs of several things it holds
whichever of them the data put first.

Sources: Holm, Scandinavian Journal of Statistics 6 (1979); Westfall & Young, Resampling-Based
Multiple Testing (1993), algorithm 4.1 (step-down max T).
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol, Self, TypeVar

import numpy as np

Rule = Literal["all", "any"]
NEAR = 1e-9  # share of a statistic within which two are equal
CHUNK = 2**21  # numbers compared at a time


class Tested(Protocol):
    """One of several tests: a NamedTuple with a p-value and a field for the adjusted one."""

    @property
    def p(self) -> float:
        """The p-value of the test alone."""

    def _replace(self, *, p_holm: float) -> Self: ...


Test = TypeVar("Test", bound=Tested)


class Permuted(NamedTuple):
    """Two-sided p-values (tests,) from permutations of all tests together."""

    alone: np.ndarray  # each as if it were the only one
    adjusted: np.ndarray  # for any false claim among them; never below `alone`


# Own, for SciPy has no Holm, and statsmodels, which has, knows no NaN and is no runtime dependency.


def bonferroni(p: np.ndarray, tests: float | None = None) -> np.ndarray:
    """Return p times the number of tests, at most 1: float, of the shape of `p`.

    tests: how many there are, where `p` holds some of them; left out, those that were made.
    """
    p = _checked(p)
    return np.minimum(p * (np.isfinite(p).sum() if tests is None else tests), 1.0)


def holm(p: np.ndarray) -> np.ndarray:
    """Return Holm's step-down adjusted p-values: float, of the shape of `p`, in [0, 1]."""
    p = _checked(p)
    tested = np.flatnonzero(np.isfinite(p))
    order = tested[np.argsort(p.flat[tested], kind="stable")]
    left = np.arange(len(order), 0, -1)  # tests not yet judged
    adjusted = np.full(p.shape, np.nan)
    adjusted.flat[order] = np.minimum(np.maximum.accumulate(p.flat[order] * left), 1.0)
    return adjusted


def holm_of(p: Sequence[float]) -> np.ndarray:
    """Return Holm's adjusted p-values; one that is unknown (NaN) stays so and counts as a test."""
    given = np.array(p, np.float64)
    unknown = np.isnan(given)
    return np.where(unknown, np.nan, holm(np.where(unknown, 1.0, given)))


def holm_adjusted(tests: Sequence[Test]) -> list[Test]:
    """Return tests with their p adjusted by Holm over all of them, as `holm_of`, in `p_holm`."""
    adjusted = holm_of([one.p for one in tests])
    return [one._replace(p_holm=float(p)) for one, p in zip(tests, adjusted, strict=True)]


def step_down_of_groups(
    seen: np.ndarray, draws: np.ndarray, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the greatest statistic of each group, and its one-sided p for any false claim.

    seen:   float (tests,), as `max_step_down` takes it. draws: float (permutations, tests).
    groups: float (groups, tests): 1 where a test speaks against the group as it is, -1 where its
            opposite does, 0 where it has no bearing.

    The group with the greatest statistic is held against the greatest of all groups in each
    permutation, the next against that of the groups not yet judged, and so on.
    """
    # The greatest statistic of each group, the greatest group first.
    scale = _scales(seen, draws)
    size = np.array([_greatest(seen[None] / scale, group)[0] for group in groups])
    order = np.argsort(-size, kind="stable")

    # How often the groups that are left reach it in a permutation.
    counts = np.zeros(len(groups))
    rows = max(1, CHUNK // max(len(seen), 1))
    for start in range(0, len(draws), rows):
        block = draws[start : start + rows] / scale
        found = np.stack([_greatest(block, groups[k]) for k in order], axis=1)
        rest = np.maximum.accumulate(found[:, ::-1], axis=1)[:, ::-1]
        least = size[order]
        counts += (rest >= least - NEAR * np.abs(least)).sum(axis=0)
    p = np.empty(len(groups))
    p[order] = np.maximum.accumulate((counts + 1) / (len(draws) + 1))
    return size, p


def _greatest(block: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return the greatest of a group's statistics in each row; a missing draw is infinite."""
    bears = group != 0
    values = block[:, bears] * group[bears]
    return np.asarray(np.where(np.isnan(values), np.inf, values).max(axis=1, initial=-np.inf))


def _scales(seen: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Return the root mean square of each test over what was seen and the permutations.

    What was seen counts as one of them: of few permutations, a scale without it is too small just
    where the test seen is large, and the greatest of many tests comes out too often. Infinite
    where no permutation moves the test.
    """
    there = np.isfinite(draws)
    squares = (np.where(there, draws, 0.0) ** 2).sum(axis=0)
    scale = np.sqrt((squares + seen**2) / (there.sum(axis=0) + 1))
    return np.where(squares > 0, scale, np.inf)


def max_step_down(seen: np.ndarray, draws: np.ndarray) -> Permuted:
    """Return two-sided p-values of statistics whose mean under permutation is zero.

    seen:  float (tests,), as observed; NaN is a test that could not be made.
    draws: float (permutations, tests), all tests under the same permutation in a row. A draw
           without a value (NaN) counts against every claim.

    Statistics are divided by their root mean square over the permutations (see `_scales`), so that
    a test of small variance weighs as much as one of large. The greatest is held against the
    greatest of all tests in each permutation, the next against the greatest of those not yet
    judged, and so on. p is (1 + count) / (1 + permutations). A statistic that never moves has p 1.
    """
    # Statistics on one scale, the greatest first.
    made = np.flatnonzero(np.isfinite(seen))
    alone, adjusted = np.full((2, len(seen)), np.nan)
    scale = _scales(seen[made], draws[:, made])
    size = np.abs(seen[made]) / scale
    order = np.argsort(-size, kind="stable")
    made, size, scale = made[order], size[order], scale[order]

    # How often a permutation reaches each: by itself, and by the greatest of the rest.
    counts = np.zeros((2, len(made)))
    rows = max(1, CHUNK // max(len(made), 1))
    for start in range(0, len(draws), rows):
        block = np.abs(draws[start : start + rows, made]) / scale
        block[np.isnan(block)] = np.inf
        counts[0] += (block >= size * (1 - NEAR)).sum(axis=0)
        rest = np.maximum.accumulate(block[:, ::-1], axis=1)[:, ::-1]
        counts[1] += (rest >= size * (1 - NEAR)).sum(axis=0)
    p = (counts + 1) / (len(draws) + 1)
    alone[made], adjusted[made] = p[0], np.maximum.accumulate(p[1])
    return Permuted(alone, adjusted)


def significance_clusters(p: np.ndarray, alpha: float = 0.05, rule: Rule = "all") -> list[int]:
    """Return the cluster of each metric, 1 first, from p-values in table order.

    p:    float (metrics, metrics); p[i, j], i < j, that metric i is better than metric j.
    rule: "all": a cluster begins with a metric worse than all above it (WMT); "any": worse than
          any of the current cluster (mt-metrics-eval). A NaN is not significant.
    """
    clusters: list[int] = []
    start = 0
    for place in range(len(p)):
        above = p[:place, place] if rule == "all" else p[start:place, place]
        worse = above < alpha
        if place and (worse.all() if rule == "all" else worse.any()):
            start = place
        clusters.append(clusters[-1] + (start == place) if clusters else 1)
    return clusters


def _checked(p: np.ndarray) -> np.ndarray:
    p = np.asarray(p, dtype=np.float64)
    if ((p < 0) | (p > 1)).any():
        raise ValueError("p-values lie between 0 and 1")
    return p
