"""Intervals of a metric's agreement with people, by resampling source videos, systems or both.

They are different claims (Deutsch, Dror & Roth, TACL 9 (2021), section 3): over inputs, "on other
videos, for these systems" (BOOT-INPUTS); over systems, "for other systems, on these videos"
(BOOT-SYSTEMS); over both, "for other systems on other videos" (BOOT-BOTH). Edits of one source are
drawn together. Raters can be drawn as well, whole raters with replacement; a cell that loses all
of its votes is missing in that draw.

A draw is a set of weights, so all draws are computed together as matrix products.
Percentile intervals: Davison & Hinkley, Bootstrap Methods and their Application (1997), 5.3. Plain
ones are too narrow from few clusters, so these are expanded (see `expanded` in intervals.py).
"""

from typing import Literal, NamedTuple, get_args

import numpy as np

from evaluation.stats.intervals import expanded, percentile_interval, ratio
from evaluation.stats.meta.coefficients import Kind
from evaluation.stats.meta.correlation import Constants, Level, level_vectors, mean_of
from evaluation.stats.meta.data import Sources, cells, mean_votes, sources_of
from evaluation.stats.meta.pair_draws import Draws, accuracy_draws, drawn_means, soft_pairwise_draws
from evaluation.stats.meta.soft_pairwise import differences, sign_matrix, weighted_soft_pairwise
from evaluation.stats.meta.ties import (
    Curve,
    accuracy_curve,
    best_epsilon,
    epsilons_of_others,
    pairs_of,
    totals_at,
)

Resample = Literal["inputs", "systems", "both"]
Calibration = Literal["kept", "each draw", "other sources"]


class MetaInterval(NamedTuple):
    """A statistic and the ends of its interval; the ends are NaN where there is none to give."""

    low: float
    value: float
    high: float
    draws: np.ndarray  # float (resamples,): the statistic of each draw, NaN where it has none


def bootstrap_correlation(
    metric: np.ndarray,
    human: np.ndarray,
    *,
    level: Level,
    kind: Kind = "pearson",
    constants: Constants = "omit",
    resample: Resample = "inputs",
    raters: bool = False,
    sources: np.ndarray | None = None,
    rng: np.random.Generator,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> MetaInterval:
    """Return the correlation of `correlate` with its percentile interval.

    metric, human, level, kind, constants: as `correlate`.
    resample: which of inputs (sources) and systems are drawn with replacement.
    raters:   draw raters too; needs votes (systems, items, raters), else ValueError.
    sources:  (items,) labels; left out, each item is its own source.

    The ends are NaN where fewer than two sources, systems or raters could be drawn. A draw whose
    correlation is not defined (one system drawn alone, say) does not count for the ends; how many
    there are is in `draws`.
    """
    human = np.asarray(human, dtype=np.float64)
    data = cells(metric, human)
    value = float(mean_of(level_vectors(data.metric, data.human, level, kind), constants))
    votes = human if raters else None
    drawn, drawable = _draw(data.metric.shape, votes, resample, sources, rng, resamples)
    size = data.metric.size * (len(data.metric) if level == "item" else 1)
    found = [
        _values(data.metric, data.human, votes, draws, level, kind, constants)
        for draws in drawn.blocks(size * (human.shape[-1] if raters else 1))
    ]
    return interval(value, np.concatenate(found), confidence, drawable)


def bootstrap_accuracy(
    metric: np.ndarray,
    human: np.ndarray,
    *,
    calibration: Calibration = "kept",
    epsilon: float | None = None,
    resample: Resample = "inputs",
    raters: bool = False,
    sources: np.ndarray | None = None,
    rng: np.random.Generator,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> MetaInterval:
    """Return acc_eq with its percentile interval over resampled sources, systems or both.

    calibration: "kept": epsilon of all sources, in every draw. "each draw": calibrated anew; the
        optimism of calibration then adds to that of the value. "other sources": the value is
        `out_of_sample_accuracy`, each source keeps the epsilon of the others.
    epsilon: one that is known from elsewhere, instead of any calibration.
    Other arguments as `bootstrap_correlation`. Systems and raters are drawn with epsilon kept or
    known only: other calibrations raise ValueError. A pair counts as often as both its systems.

    Measured share of nominal 95% intervals that hold the best accuracy of the population (600 sets
    of 5 systems, 29 sources, 127 edits; benchmarks/meta_coverage.py): "kept" 93.0%, "other sources"
    89.5%, epsilon known 94.8%, each with a Monte Carlo error of about 1. "each draw" adds optimism.
    """
    data = cells(metric, human)
    source = sources_of(data.metric.shape[1], sources)
    curve = accuracy_curve(pairs_of(data), source.member, len(source.labels))
    if resample != "inputs" or raters:
        chosen = _kept_epsilon(curve, calibration, epsilon)
        votes = np.asarray(human, dtype=np.float64) if raters else None
        drawn, drawable = _draw(data.metric.shape, votes, resample, sources, rng, resamples)
        value = float(ratio(*(part.sum() for part in totals_at(curve, chosen))))
        found = accuracy_draws(data.metric, data.human, votes, drawn, float(chosen[0]))
        return interval(min(value, 1.0), found, confidence, drawable)
    totals, items = _accuracy_totals(curve, calibration, epsilon)
    value = np.minimum(ratio(totals.sum(axis=0), items.sum()).max(), 1.0)
    counts = cluster_counts(len(source.labels), resamples, rng)
    found = ratio(counts @ totals, (counts @ items)[:, None]).max(axis=1)
    found = np.minimum(found, 1.0)  # rounding
    return interval(float(value), found, confidence, int((items > 0).sum()))


def _kept_epsilon(curve: Curve, calibration: Calibration, epsilon: float | None) -> np.ndarray:
    """Return the one epsilon that all draws keep, for each source."""
    if epsilon is None and calibration != "kept":
        raise ValueError(f"systems and raters are drawn with epsilon kept, not {calibration!r}")
    if epsilon is None:
        epsilon = best_epsilon(curve.epsilons, curve.totals.sum(axis=0), curve.items.sum())
    return np.full(len(curve.items), epsilon)


def _accuracy_totals(
    curve: Curve, calibration: Calibration, epsilon: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return sums of accuracies (sources, candidates) that a draw may choose from, and items."""
    if calibration not in get_args(Calibration):
        raise ValueError(f"calibration must be one of {get_args(Calibration)}, not {calibration!r}")
    if epsilon is None and calibration == "each draw":
        return curve.totals, curve.items
    if epsilon is None and calibration == "other sources":
        chosen = epsilons_of_others(curve)
    else:
        chosen = _kept_epsilon(curve, "kept", epsilon)
    totals, items = totals_at(curve, chosen)
    return totals[:, None], items


def bootstrap_soft_pairwise(
    metrics: np.ndarray,
    human: np.ndarray,
    *,
    resample: Resample = "inputs",
    raters: bool = False,
    sources: np.ndarray | None = None,
    rng: np.random.Generator,
    resamples: int = 1000,
    permutations: int = 1000,
    confidence: float = 0.95,
) -> list[MetaInterval]:
    """Return the SPA of each metric (metrics, systems, items) with its percentile interval.

    resample, raters: as `bootstrap_correlation`. Within a draw the differences of a source change
    sign together, copies of it too, by one sign matrix for all draws, metrics and people: random,
    or all 2**sources signs where those are no more than `permutations`.
    """
    source = sources_of(np.shape(metrics)[2], sources)
    matrix = sign_matrix(len(source.labels), rng, permutations)
    if resample != "inputs" or raters:
        votes = np.asarray(human, dtype=np.float64) if raters else None
        drawn, drawable = _draw(np.shape(metrics)[1:], votes, resample, sources, rng, resamples)
        people = mean_votes(human)
        return [
            _soft_interval(metric, people, votes, source, drawn, matrix, confidence, drawable)
            for metric in np.asarray(metrics, dtype=np.float64)
        ]
    parts = [differences(metric, human, source.member) for metric in metrics]
    counts = cluster_counts(len(source.labels), resamples, rng)
    weights = np.vstack([np.ones(len(source.labels)), counts])
    found = [weighted_soft_pairwise(part, weights, matrix) for part in parts]
    return [interval(float(each[0]), each[1:], confidence, len(source.labels)) for each in found]


def _soft_interval(
    metric: np.ndarray,
    people: np.ndarray,
    votes: np.ndarray | None,
    source: Sources,
    drawn: Draws,
    matrix: np.ndarray,
    confidence: float,
    drawable: int,
) -> MetaInterval:
    data = cells(metric, people)
    once = np.ones((1, len(source.labels)))
    gaps = differences(data.metric, data.human, source.member)
    value = float(weighted_soft_pairwise(gaps, once, matrix)[0])
    found = soft_pairwise_draws(data.metric, data.human, votes, source.member, drawn, matrix)
    return interval(value, found, confidence, drawable)


def cluster_counts(clusters: int, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Return how often each cluster is drawn in each resample: float (resamples, clusters)."""
    if resamples < 1:
        raise ValueError(f"need at least one resample, got {resamples}")
    if not clusters:
        return np.zeros((resamples, 0))
    return rng.multinomial(clusters, np.full(clusters, 1 / clusters), size=resamples).astype(float)


def interval(value: float, draws: np.ndarray, confidence: float, drawable: int) -> MetaInterval:
    """Return the central `confidence` of the draws; no ends with fewer than two things to draw."""
    if not 0 < confidence < 1:
        raise ValueError(f"need 0 < confidence < 1, got {confidence}")
    low = high = float("nan")
    if drawable > 1:
        low, high = percentile_interval(draws, expanded(confidence, drawable))
    return MetaInterval(low, value, high, draws)


def _draw(
    shape: tuple[int, ...],
    votes: np.ndarray | None,
    resample: Resample,
    sources: np.ndarray | None,
    rng: np.random.Generator,
    resamples: int,
) -> tuple[Draws, int]:
    """Return the draws, and the smallest number of things any of them is drawn from."""
    if resample not in ("inputs", "systems", "both"):
        raise ValueError(f"resample must be 'inputs', 'systems' or 'both', not {resample!r}")
    if votes is not None and votes.ndim != 3:
        raise ValueError("raters can only be drawn from votes (systems, items, raters)")
    source = sources_of(shape[1], sources)
    items = systems = raters = None
    drawable = []
    if resample != "systems":
        items = cluster_counts(len(source.labels), resamples, rng)[:, source.member]
        drawable.append(len(source.labels))
    if resample != "inputs":
        systems = cluster_counts(shape[0], resamples, rng)
        drawable.append(shape[0])
    if votes is not None:
        raters = cluster_counts(votes.shape[2], resamples, rng)
        drawable.append(votes.shape[2])
    return Draws(items, systems, raters), min(drawable)


def _values(
    metric: np.ndarray,
    human: np.ndarray,
    votes: np.ndarray | None,
    draws: Draws,
    level: Level,
    kind: Kind,
    constants: Constants,
) -> np.ndarray:
    """Return the statistic of each draw."""
    if votes is not None and draws.raters is not None:
        human = np.where(np.isfinite(metric), drawn_means(votes, draws.raters), np.nan)
        metric = np.where(np.isfinite(human), metric, np.nan)
    vectors = level_vectors(metric, human, level, kind, draws.items, draws.systems)
    weights = {"item": draws.items, "edits": draws.systems}.get(level)
    found = mean_of(vectors, constants, 1.0 if weights is None else weights)
    return np.broadcast_to(found, (draws.many,))
