"""All pairs of several metrics tested at once, so that the best may be chosen by the same data.

Whichever of many equally good metrics comes first was lucky, and a test of it against the others
that forgets this errs more often the more there are. So every permutation swaps (see `score_swaps`)
all pairs at the same source videos, and a difference is held against the greatest of all
differences under the same permutation: Westfall & Young's step-down (see `max_step_down`). Among
pairs that do not differ the chance of any claim is then that of the level, for every number of
metrics.

Whether a metric is the best is a smaller question than which of all pairs differ: as many claims
as metrics, not as pairs. They are multiple comparisons with the best (Hsu, Annals of Statistics 9
(1981)), step-down: a metric that is the best is led by none, so a lead over it is chance.

That one metric leads every other is a smaller question still: each of its leads has to hold by a
test of its own, two-sided because either of two could have come first, and by no more than that
(Berger, Technometrics 24 (1982); Gutmann & Maymin, Annals of Statistics 15 (1987)). Where they all
hold, no other is the best.

`benchmarks/README.md` has the measured false alarms of all of these together.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np

from evaluation.stats.meta.data import sources_of
from evaluation.stats.meta.permutation import outcome_gaps
from evaluation.stats.meta.score_swaps import (
    Contest,
    correlation_contest,
    soft_pairwise_contest,
    swaps,
)
from evaluation.stats.meta.soft_pairwise import sign_matrix, signs
from evaluation.stats.meta.statistic import Statistic
from evaluation.stats.multiplicity import max_step_down, step_down_of_groups
from evaluation.stats.resampling import Resampling

SPA_DRAWS = 1000  # swaps and sign vectors of SPA, each times each


class PairTests(NamedTuple):
    """Every metric i against every later one j > i: float (metrics, metrics), NaN elsewhere."""

    delta: np.ndarray  # i less j, on the cells that both have
    alone: np.ndarray  # two-sided p of two metrics that were named before looking
    adjusted: np.ndarray  # two-sided p for any false claim among all pairs
    not_best: np.ndarray  # (metrics,): p for any false claim that a metric is not the best


def compare_metrics(
    metrics: np.ndarray,
    people: np.ndarray,
    statistic: Statistic,
    resampling: Resampling,
    *,
    sources: np.ndarray | None = None,
) -> PairTests:
    """Return the differences of all pairs of metrics (metrics, systems, items) and their p-values.

    people: float (systems, items). sources: (items,) labels, whose items swap together. SPA takes
    at most 1,000 swaps.
    """
    metrics = np.asarray(metrics, dtype=np.float64)
    square = np.full((3, len(metrics), len(metrics)), np.nan)
    if len(metrics) > 1:
        # Observed differences of all pairs, and those under every swap.
        if statistic.name == "acc_eq":
            seen, draws = _of_verdicts(metrics, people, sources, resampling)
        else:
            seen, draws = _of_scores(metrics, people, statistic, sources, resampling)
        # Step down over all pairs at once.
        square[:, *np.triu_indices(len(metrics), 1)] = seen, *max_step_down(seen, draws)
        # The leader is best only if each of its leads holds.
        led = _led_by_the_leader(square[0], square[1])
        not_best = np.minimum(_not_best(seen, draws, len(metrics)), led)
        return PairTests(square[0], square[1], square[2], not_best)
    return PairTests(square[0], square[1], square[2], np.ones(len(metrics)))


def _not_best(seen: np.ndarray, draws: np.ndarray, many: int) -> np.ndarray:
    """Return p-values that a metric is not the best: that some other is better than it.

    Of a metric that is the best, no other is better: against it speaks the greatest lead of any
    other. The metric led most is held against the greatest lead of any metric over any other under
    each permutation, the next against that over those not yet judged.
    """
    first, second = np.triu_indices(many, 1)
    made = np.isfinite(seen)
    led = [np.where(second == k, 1.0, np.where(first == k, -1.0, 0.0)) for k in range(many)]
    return step_down_of_groups(seen[made], draws[:, made], np.array(led)[:, made])[1]


def _led_by_the_leader(delta: np.ndarray, alone: np.ndarray) -> np.ndarray:
    """Return (metrics,) p that some one metric is better than every other; 1 for that one itself.

    It is the greatest of the two-sided p of its leads; only that of the first can be below 1.
    """
    # By how much, and how surely, each metric leads each other.
    lead = np.where(np.isnan(delta), -np.nan_to_num(delta.T, nan=0.0), delta)
    p = np.where(np.isnan(alone), alone.T, alone)

    # A metric leads all others as surely as its least sure lead.
    held = np.where((lead > 0) & np.isfinite(p), p, 1.0)
    np.fill_diagonal(held, 0.0)
    leads = held.max(axis=1)
    led = np.full(len(leads), leads.min())
    led[leads.argmin()] = 1.0
    return led


def _of_verdicts(
    metrics: np.ndarray,
    people: np.ndarray,
    sources: np.ndarray | None,
    resampling: Resampling,
) -> tuple[np.ndarray, np.ndarray]:
    """Return differences of acc_eq (pairs,) and under swaps (permutations, pairs)."""
    totals = sources_of(metrics.shape[2], sources).totals
    found = list(_verdict_gaps(metrics, people))
    gaps = np.stack([totals(gap) for gap, _ in found], axis=1)
    made = np.array([valued for _, valued in found])
    rng, permutations = resampling.rng, resampling.permutations
    drawn = signs(gaps.shape[0], gaps.shape[1], rng, permutations, False)
    return np.where(made, gaps.sum(axis=0), np.nan), np.concatenate([each @ gaps for each in drawn])


def _verdict_gaps(metrics: np.ndarray, people: np.ndarray) -> Iterator[tuple[np.ndarray, bool]]:
    """Yield what every item adds to the difference of a pair's acc_eq, and if there is one.

    Metrics that have the same cells need their verdicts once, not once a pair.
    """
    there = np.isfinite(metrics)
    if (there == there[0]).all():
        nothing = np.where(there[0], 0.0, np.nan)  # a metric that calls every pair a tie
        alone = [outcome_gaps(each, nothing, people) for each in metrics]
        share = [(gap.sum(axis=0), bool(np.isfinite(values[0]))) for gap, values, _ in alone]
        for (one, valued), (other, _) in combinations(share, 2):
            yield one - other, valued
        return
    for pair in combinations(metrics, 2):
        gap, values, _ = outcome_gaps(*pair, people)
        yield gap.sum(axis=0), bool(np.isfinite(values).all())


def _of_scores(
    metrics: np.ndarray,
    people: np.ndarray,
    statistic: Statistic,
    sources: np.ndarray | None,
    resampling: Resampling,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the same of SPA and correlations, whose scores are swapped."""
    if statistic.name == "spa":
        few = min(resampling.permutations, SPA_DRAWS)
        resampling = resampling._replace(permutations=few)
    contests = list(_contests(metrics, people, statistic, sources, resampling))
    seen = np.array([each.first - each.second for each in contests])
    rng, permutations = resampling.rng, resampling.permutations
    drawn = swaps(people.shape, "sources", sources, rng, permutations, False)
    blocks = [np.stack([each.delta(block) for each in contests], axis=1) for block in drawn]
    return seen, np.concatenate(blocks)


def _contests(
    metrics: np.ndarray,
    people: np.ndarray,
    statistic: Statistic,
    sources: np.ndarray | None,
    resampling: Resampling,
) -> Iterator[Contest]:
    if statistic.name == "spa":
        units = len(sources_of(metrics.shape[2], sources).labels)
        matrix = sign_matrix(units, resampling.rng, resampling.permutations)
        for pair in combinations(metrics, 2):
            yield soft_pairwise_contest(*pair, people, sources, matrix)
        return
    _, level, kind, constants = statistic
    for pair in combinations(metrics, 2):
        yield correlation_contest(*pair, people, level, kind, constants)
