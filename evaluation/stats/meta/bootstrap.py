"""Intervals of a metric's agreement with people, by resampling source videos, systems or both.

They are different claims (Deutsch, Dror & Roth, TACL 9 (2021), section 3): over inputs, "on other
videos, for these systems" (BOOT-INPUTS); over systems, "for other systems, on these videos"
(BOOT-SYSTEMS); over both, "for other systems on other videos" (BOOT-BOTH). Edits of one source are
drawn together. Raters can be drawn as well, whole raters with replacement; a cell that loses all
of its votes is missing in that draw.

A draw is a set of weights, so all draws are computed together as matrix products.
Plain percentile intervals are too narrow from few clusters, so these are expanded (see `expanded`
in resampling.py).
"""

from typing import Literal, NamedTuple, get_args

import numpy as np

from evaluation.stats.intervals import ratio
from evaluation.stats.meta.correlation import level_vectors, mean_of
from evaluation.stats.meta.data import Sources, cells, sources_of
from evaluation.stats.meta.pair_draws import Draws, accuracy_draws, drawn_means, soft_pairwise_draws
from evaluation.stats.meta.soft_pairwise import differences, sign_matrix, weighted_soft_pairwise
from evaluation.stats.meta.statistic import Statistic
from evaluation.stats.meta.ties import (
    Curve,
    accuracy_curve,
    best_epsilon,
    epsilons_of_others,
    pairs_of,
    totals_at,
)
from evaluation.stats.resampling import Resampling, cluster_counts, expanded, percentile_interval

Resample = Literal["inputs", "systems", "both"]
Calibration = Literal["kept", "each draw", "other sources"]


class Claim(NamedTuple):
    """What an interval is about: other videos, other systems or both; these raters or others."""

    resample: Resample = "inputs"  # which of inputs (sources) and systems are drawn
    raters: bool = False  # draw raters too; needs votes (systems, items, raters)


OTHER_VIDEOS = Claim()


class MetaInterval(NamedTuple):
    """A statistic and the ends of its interval; the ends are NaN where there is none to give."""

    low: float
    value: float
    high: float
    draws: np.ndarray  # float (resamples,): the statistic of each draw, NaN where it has none


class _Drawn(NamedTuple):
    """All draws of a call, and what they are drawn from."""

    draws: Draws
    fewest: int  # the smallest number of things that any of them is drawn from
    votes: np.ndarray | None  # float (systems, items, raters), where raters are drawn


def bootstrap_correlation(
    metric: np.ndarray,
    human: np.ndarray,
    statistic: Statistic,
    resampling: Resampling,
    *,
    claim: Claim = OTHER_VIDEOS,
    sources: np.ndarray | None = None,
) -> MetaInterval:
    """Return the correlation of `correlate` with its percentile interval.

    metric, human: as `correlate`. statistic: its level, kind and constants.
    claim:    what is drawn with replacement. Raters need votes, else ValueError.
    sources:  (items,) labels; left out, each item is its own source.

    The ends are NaN where fewer than two sources, systems or raters could be drawn. A draw whose
    correlation is not defined (one system drawn alone, say) does not count for the ends; how many
    there are is in `draws`.
    """
    human = np.asarray(human, dtype=np.float64)
    data = cells(metric, human)
    _, level, kind, constants = statistic
    value = float(mean_of(level_vectors(data.metric, data.human, level, kind), constants))
    drawn = _draw(data.metric.shape, human, claim, sources, resampling)
    size = data.metric.size * (len(data.metric) if level == "item" else 1)
    found = [
        _correlations(data.metric, data.human, drawn.votes, draws, statistic)
        for draws in drawn.draws.blocks(size * (human.shape[-1] if claim.raters else 1))
    ]
    return interval(value, np.concatenate(found), resampling.confidence, drawn.fewest)


def bootstrap_accuracy(
    metric: np.ndarray,
    human: np.ndarray,
    resampling: Resampling,
    *,
    calibration: Calibration | float = "kept",
    claim: Claim = OTHER_VIDEOS,
    sources: np.ndarray | None = None,
) -> MetaInterval:
    """Return acc_eq with its percentile interval over resampled sources, systems or both.

    calibration: "kept": epsilon of all sources, in every draw. "each draw": calibrated anew; the
        optimism of calibration then adds to that of the value. "other sources": the value is
        `out_of_sample_accuracy`, each source keeps the epsilon of the others. A number: an epsilon
        that is known from elsewhere, instead of any calibration.
    Other arguments as `bootstrap_correlation`. A pair counts as often as both its systems.

    Measured share of nominal 95% intervals that hold the best accuracy of the population (600 sets
    of 5 systems, 29 sources, 127 edits; benchmarks/meta_coverage.py): "kept" 93.0%, "other sources"
    89.5%, epsilon known 94.8%, each with a Monte Carlo error of about 1. "each draw" adds optimism.

    Raises:
        ValueError: for systems or raters to be drawn with an epsilon that is neither kept nor
            known.
    """
    data = cells(metric, human)
    source = sources_of(data.metric.shape[1], sources)
    curve = accuracy_curve(pairs_of(data), source.member, len(source.labels))
    if claim != OTHER_VIDEOS:
        chosen = _kept_epsilon(curve, calibration)
        drawn = _draw(data.metric.shape, human, claim, sources, resampling)
        value = float(ratio(*(part.sum() for part in totals_at(curve, chosen))))
        found = accuracy_draws(data.metric, data.human, drawn.votes, drawn.draws, float(chosen[0]))
        return interval(min(value, 1.0), found, resampling.confidence, drawn.fewest)
    totals, items = _accuracy_totals(curve, calibration)
    value = np.minimum(ratio(totals.sum(axis=0), items.sum()).max(), 1.0)
    counts = cluster_counts(len(source.labels), resampling.resamples, resampling.rng)
    found = ratio(counts @ totals, (counts @ items)[:, None]).max(axis=1)
    found = np.minimum(found, 1.0)  # rounding
    return interval(float(value), found, resampling.confidence, int((items > 0).sum()))


def _kept_epsilon(curve: Curve, calibration: Calibration | float) -> np.ndarray:
    """Return the one epsilon that all draws keep, for each source."""
    if calibration == "kept":
        calibration = best_epsilon(curve.epsilons, curve.totals.sum(axis=0), curve.items.sum())
    if isinstance(calibration, str):
        raise ValueError(f"systems and raters are drawn with epsilon kept, not {calibration!r}")
    return np.full(len(curve.items), calibration)


def _accuracy_totals(
    curve: Curve, calibration: Calibration | float
) -> tuple[np.ndarray, np.ndarray]:
    """Return sums of accuracies (sources, candidates) that a draw may choose from, and items."""
    if isinstance(calibration, str) and calibration not in get_args(Calibration):
        raise ValueError(f"calibration must be one of {get_args(Calibration)}, not {calibration!r}")
    if calibration == "each draw":
        return curve.totals, curve.items
    if calibration == "other sources":
        chosen = epsilons_of_others(curve)
    else:
        chosen = _kept_epsilon(curve, calibration)
    totals, items = totals_at(curve, chosen)
    return totals[:, None], items


def bootstrap_soft_pairwise(
    metrics: np.ndarray,
    human: np.ndarray,
    resampling: Resampling,
    *,
    claim: Claim = OTHER_VIDEOS,
    sources: np.ndarray | None = None,
    permutations: int = 1000,
) -> list[MetaInterval]:
    """Return the SPA of each metric (metrics, systems, items) with its percentile interval.

    claim: as `bootstrap_correlation`. Within a draw the differences of a source change sign
    together, copies of it too, by one sign matrix for all draws, metrics and people: as many random
    signs as `permutations`, or all 2**sources where those are no more.
    """
    metrics, human = np.asarray(metrics, dtype=np.float64), np.asarray(human, dtype=np.float64)
    source = sources_of(metrics.shape[2], sources)
    matrix = sign_matrix(len(source.labels), resampling.rng, permutations)
    # Other raters, too: recompute from drawn votes.
    if claim != OTHER_VIDEOS:
        drawn = _draw(metrics.shape[1:], human, claim, sources, resampling)
        found = [_soft_draws(metric, human, drawn, source, matrix) for metric in metrics]
        fewest = drawn.fewest
    else:
        # Other videos alone: weigh the same differences anew.
        parts = [differences(metric, human, source.member) for metric in metrics]
        counts = cluster_counts(len(source.labels), resampling.resamples, resampling.rng)
        weights = np.vstack([np.ones(len(source.labels)), counts])
        found = [weighted_soft_pairwise(part, weights, matrix) for part in parts]
        fewest = len(source.labels)
    return [interval(float(one[0]), one[1:], resampling.confidence, fewest) for one in found]


def _soft_draws(
    metric: np.ndarray, human: np.ndarray, drawn: _Drawn, source: Sources, matrix: np.ndarray
) -> np.ndarray:
    """Return SPA of everything once, then of each draw: (1 + draws,)."""
    data = cells(metric, human)
    once = np.ones((1, len(source.labels)))
    gaps = differences(data.metric, data.human, source.member)
    value = weighted_soft_pairwise(gaps, once, matrix)
    found = soft_pairwise_draws(*data[:2], drawn.votes, source.member, drawn.draws, matrix)
    return np.concatenate([value, found])


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
    human: np.ndarray,
    claim: Claim,
    sources: np.ndarray | None,
    resampling: Resampling,
) -> _Drawn:
    """Return the draws of what a claim is about, of (systems, items)."""
    rng, resamples, *_ = resampling
    if claim.resample not in get_args(Resample):
        raise ValueError(f"resample must be 'inputs', 'systems' or 'both', not {claim.resample!r}")
    votes = np.asarray(human, dtype=np.float64) if claim.raters else None
    if votes is not None and votes.ndim != 3:
        raise ValueError("raters can only be drawn from votes (systems, items, raters)")
    source = sources_of(shape[1], sources)
    items = systems = raters = None
    drawable = []
    if claim.resample != "systems":
        items = cluster_counts(len(source.labels), resamples, rng)[:, source.member]
        drawable.append(len(source.labels))
    if claim.resample != "inputs":
        systems = cluster_counts(shape[0], resamples, rng)
        drawable.append(shape[0])
    if votes is not None:
        raters = cluster_counts(votes.shape[2], resamples, rng)
        drawable.append(votes.shape[2])
    return _Drawn(Draws(items, systems, raters), min(drawable), votes)


def _correlations(
    metric: np.ndarray,
    human: np.ndarray,
    votes: np.ndarray | None,
    draws: Draws,
    statistic: Statistic,
) -> np.ndarray:
    """Return the correlation of each draw."""
    _, level, kind, constants = statistic
    if votes is not None and draws.raters is not None:
        human = np.where(np.isfinite(metric), drawn_means(votes, draws.raters), np.nan)
        metric = np.where(np.isfinite(human), metric, np.nan)
    vectors = level_vectors(metric, human, level, kind, draws.items, draws.systems)
    weights = {"item": draws.items, "edits": draws.systems}.get(level)
    found = mean_of(vectors, constants, 1.0 if weights is None else weights)
    return np.broadcast_to(found, (draws.many,))
