"""A ranking of metrics on one axis of human ratings: value, interval, significance, clusters.

Rows are ordered by value. A new cluster begins where a metric is significantly worse than every
metric above it, as in the ranking tables of the Conference on Machine Translation (WMT);
mt-metrics-eval begins one where it is worse than any metric of the current cluster (rule "any").

p-values are two-sided and adjusted by the greatest difference of each permutation (see
`metric_pairs`), so they hold though the best, and the order, are chosen by the same data: those
against the best over all claims that a metric is not the best, those of any two metrics over all
pairs. Clusters are made of both. Items of a source swap, flip and are drawn together.
"""

from typing import NamedTuple

import numpy as np

from dreamix.core.wording import plural
from evaluation.stats.meta.bootstrap import (
    MetaInterval,
    bootstrap_accuracy,
    bootstrap_correlation,
    bootstrap_soft_pairwise,
)
from evaluation.stats.meta.correlation import correlate, system_note
from evaluation.stats.meta.data import mean_votes, sources_of, why_no_value
from evaluation.stats.meta.metric_pairs import SPA_DRAWS, PairTests, compare_metrics
from evaluation.stats.meta.noise_ceiling import LeaveOneOut, leave_one_rater_out
from evaluation.stats.meta.soft_pairwise import soft_pairwise_accuracies
from evaluation.stats.meta.statistic import ACC_EQ, Statistic, check_statistic, statistic_value
from evaluation.stats.meta.ties import out_of_sample_accuracy, tie_calibrated_accuracy
from evaluation.stats.multiplicity import significance_clusters
from evaluation.stats.resampling import Resampling

NO_PAIR = "no item has both values for two systems"


class RankedMetric(NamedTuple):
    """One metric of a ranking."""

    name: str
    value: float  # on all cells that the metric and people have
    low: float  # 95% interval over sources; acc_eq keeps its epsilon
    high: float
    missing: int  # cells without a value of the metric or of people
    constant: int = 0  # correlation: vectors whose values are all equal
    epsilon: float = float("nan")  # acc_eq: up to this difference the metric calls a tie
    out_of_sample: float = float("nan")  # acc_eq with epsilon from the other sources
    p_best: float = float("nan")  # that it is not the best; adjusted; NaN for the best
    cluster: int = 0  # 1 = the best; 0 = no value, not ranked
    why_not: str = ""  # no value, or one that means nothing: what is missing or does not vary


class MetricRanking(NamedTuple):
    """A table of metrics, best first, with what has to be said beside it."""

    rows: tuple[RankedMetric, ...]
    p: np.ndarray  # float (metrics, metrics): row above is better than column below, adjusted; the
    # first row over claims of not being the best, others over all pairs; else NaN
    p_alone: np.ndarray  # the same of two metrics that were named before looking: not adjusted
    statistic: Statistic
    systems: int
    items: int
    sources: int
    people: LeaveOneOut | None  # single raters as metrics of the others; needs votes
    notes: tuple[str, ...]


def metric_ranking(
    metrics: np.ndarray,
    human: np.ndarray,
    *,
    names: list[str],
    resampling: Resampling,
    statistic: Statistic = ACC_EQ,
    sources: np.ndarray | None = None,
) -> MetricRanking:
    """Return the ranking of metrics on one axis.

    metrics:   float (metrics, systems, items), each higher is better; NaN = missing.
    human:     float (systems, items) or votes (systems, items, raters).
    statistic: acc_eq (default), SPA, or a correlation at some level.
    sources:   (items,) label of the source video; left out, each item is its own.

    Two metrics are compared on the cells that both have; the p-values of a ranking hold for any
    false claim in it, not for several rankings. Clusters are those of p < .05 and of the rule "all"
    (see `significance_clusters`, which makes others from `p`). For SPA at most 1,000 swaps, sign
    vectors and resamples are drawn: each swap is a permutation test of its own. Metrics without a
    value come last, unranked.

    Raises:
        ValueError: for numbers of names and metrics that differ.
    """
    metrics = np.asarray(metrics, dtype=np.float64)
    if metrics.ndim != 3 or len(names) != len(metrics):
        raise ValueError(f"need (metrics, systems, items) and a name each: {metrics.shape}")
    check_statistic(statistic)
    people, source = mean_votes(human), sources_of(metrics.shape[2], sources)

    # Rows by value, metrics without one last.
    rows = _rows(metrics, people, names, statistic, source.member, resampling)
    order = _best_first(rows)
    ranked = [k for k in order if np.isfinite(rows[k].value)]

    # All pairs tested at once; the first row is the smaller question: which are not the best.
    tests = compare_metrics(metrics[ranked], people, statistic, resampling, sources=source.member)
    p, p_alone = _that_above_is_better(tests, len(rows))
    if len(ranked) > 1:
        p[0, 1 : len(ranked)] = _worse_than_the_first(tests)

    # Single raters in the place of a metric.
    votes = np.asarray(human, dtype=np.float64)
    raters = _raters(votes, statistic, source.member, resampling.rng)
    return MetricRanking(
        _compared([rows[k] for k in order], p, len(ranked)),
        p,
        p_alone,
        statistic,
        metrics.shape[1],
        metrics.shape[2],
        len(source.labels),
        raters,
        _notes(statistic, people, len(source.labels)),
    )


def _best_first(rows: list[RankedMetric]) -> list[int]:
    """Return the places of rows by value, equal ones by name; rows without a value are last."""

    def key(k: int) -> tuple[float, str]:
        return -np.nan_to_num(round(rows[k].value, 9), nan=-9), rows[k].name

    return sorted(range(len(rows)), key=key)


def _that_above_is_better(tests: PairTests, rows: int) -> np.ndarray:
    """Return p-values (2, rows, rows), adjusted and not, for the claim that goes with the order.

    Where a metric leads on all of its cells and not on those that both have, p is 1.
    """
    p = np.full((2, rows, rows), np.nan)
    ranked = len(tests.delta)
    for square, given in zip(p, (tests.adjusted, tests.alone), strict=True):
        square[:ranked, :ranked] = np.where(tests.delta < 0, 1.0, given)
    return p


def _worse_than_the_first(tests: PairTests) -> np.ndarray:
    """Return p (metrics - 1,) that each is not the best, never below that of the first's own lead.

    With gaps another may lead more, on other cells: it shows nothing of the first row.
    """
    p = np.maximum(tests.not_best[1:], tests.alone[0, 1:])
    return np.where(tests.delta[0, 1:] < 0, 1.0, p)


def _compared(rows: list[RankedMetric], p: np.ndarray, ranked: int) -> tuple[RankedMetric, ...]:
    """Return the rows, best first, with their cluster and their p against the best."""
    clusters = significance_clusters(p[:ranked, :ranked])
    clusters += [0] * (len(rows) - ranked)
    return tuple(
        row._replace(p_best=float(p[0, place]), cluster=clusters[place])
        for place, row in enumerate(rows)
    )


def _raters(
    votes: np.ndarray, statistic: Statistic, sources: np.ndarray, rng: np.random.Generator
) -> LeaveOneOut | None:
    """Return the row of single raters, which needs votes (systems, items, raters)."""
    if votes.ndim != 3:
        return None
    return leave_one_rater_out(
        votes, lambda one, rest: statistic_value(one, rest, statistic, rng, sources)
    )


def _rows(
    metrics: np.ndarray,
    people: np.ndarray,
    names: list[str],
    statistic: Statistic,
    sources: np.ndarray,
    resampling: Resampling,
) -> list[RankedMetric]:
    """Return the rows in the order given, before they are compared."""
    ends = _intervals(metrics, people, statistic, sources, resampling)
    rows = []
    for name, metric, (low, value, high, _) in zip(names, metrics, ends, strict=True):
        counts = correlate(metric, people, level=statistic.level, constants=statistic.constants)
        why = why_no_value(metric, people) or ("" if np.isfinite(value) else counts.why_not)
        why = why or ("" if np.isfinite(value) else NO_PAIR)
        row = RankedMetric(name, value, low, high, missing=counts.missing, why_not=why)
        if statistic.name == "correlation":
            row = row._replace(constant=counts.constant)
        if statistic.name == "acc_eq":
            outside = out_of_sample_accuracy(metric, people, sources).value
            epsilon = tie_calibrated_accuracy(metric, people).epsilon
            row = row._replace(epsilon=epsilon, out_of_sample=outside)
        rows.append(row)
    return rows


def _intervals(
    metrics: np.ndarray,
    people: np.ndarray,
    statistic: Statistic,
    sources: np.ndarray,
    resampling: Resampling,
) -> list[MetaInterval]:
    """Return the interval of every metric, all on the same resamples."""
    if statistic.name == "spa":
        return _soft_intervals(metrics, people, sources, resampling)
    seed, found = resampling.rng.integers(2**63), []
    for metric in metrics:
        again = resampling._replace(rng=np.random.default_rng(seed))
        if statistic.name == "acc_eq":
            found.append(bootstrap_accuracy(metric, people, again, sources=sources))
        else:
            found.append(bootstrap_correlation(metric, people, statistic, again, sources=sources))
    return found


def _soft_intervals(
    metrics: np.ndarray, people: np.ndarray, sources: np.ndarray, resampling: Resampling
) -> list[MetaInterval]:
    """Return intervals of SPA, its values by ten times as many signs where not all are listed."""
    few = resampling._replace(resamples=min(resampling.resamples, SPA_DRAWS))
    ends = bootstrap_soft_pairwise(metrics, people, few, sources=sources)
    if 2 ** len(np.unique(sources)) <= SPA_DRAWS:
        return ends
    values = soft_pairwise_accuracies(
        metrics, people, sources=sources, rng=resampling.rng, permutations=10 * SPA_DRAWS
    )
    return [each._replace(value=v.value) for each, v in zip(ends, values, strict=True)]


def _notes(statistic: Statistic, people: np.ndarray, sources: int) -> tuple[str, ...]:
    notes, systems = [], len(people)
    if reason := why_no_value(np.arange(people.size).reshape(people.shape), people):
        notes.append(f"No metric can be held against people here: {reason}.")
    if statistic.name == "correlation" and statistic.level == "system":
        notes.append(system_note(systems))
    if statistic.name == "spa":
        notes.append(
            f"SPA compares {plural(systems * (systems - 1) // 2, 'pair')} of these {systems} "
            "systems: its interval is about other videos, not about other systems."
        )
    if sources < 10:
        notes.append(
            f"{plural(sources, 'source video')}: a percentile interval from so few is too narrow "
            "or absent."
        )
    return tuple(note for note in notes if note)
