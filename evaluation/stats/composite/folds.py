"""What a composite and single metrics say of source videos that they were not learned from.

All edits of a source are held out together, and so is the choice of the penalty: within the other
sources each is left out in turn once more (nested cross-validation: Varma & Simon, BMC
Bioinformatics 7 (2006); the usual error of choosing on the data one reports).

Scores of folds are compared without their intercepts. A fold's mean vote falls where the votes
that it lacks are high, so held-out predictions of a model that knows nothing correlate with votes
at -1 over sources; no model that is used later has more than one intercept.
"""

from collections import Counter
from typing import NamedTuple

import numpy as np

from evaluation.stats.composite.model import learn, standardized, weighted
from evaluation.stats.meta import Statistic, correlate, tie_calibrated_accuracy

EVEN = 1e-9  # agreements that near are equal


class RatedMetrics(NamedTuple):
    """Metrics that may be used and mean votes, on items that have a vote."""

    metrics: np.ndarray  # float (metrics, systems, items), more is better
    votes: np.ndarray  # float (systems, items)
    member: np.ndarray  # int (items,): source of each item
    names: list[str]
    sources: int


class HeldOutPredictions(NamedTuple):
    """Predictions of cells by models that have not seen their source: float (systems, items)."""

    votes: np.ndarray  # predicted mean vote; NaN where a metric that has weight is missing
    scores: np.ndarray  # the same without the intercepts of folds: for correlations
    penalties: np.ndarray  # float (sources,)


class Single(NamedTuple):
    """The best single metric, chosen anew for each source from the others."""

    scores: np.ndarray  # float (systems, items): its value, standardized by the other sources
    chosen: dict[str, int]  # metric -> folds that chose it, most first
    even: dict[str, tuple[str, ...]]  # metric -> those as good as it wherever it was chosen


def held_out(metrics: np.ndarray, votes: np.ndarray, member: np.ndarray) -> HeldOutPredictions:
    """Return held-out predictions of every cell, also of cells that have no vote themselves.

    metrics: float (metrics, systems, items), more is better; votes: float (systems, items).
    member:  int (items,): source of each item.
    """
    cells = np.moveaxis(metrics, 0, -1)  # (systems, items, metrics)
    voted, group = np.isfinite(votes), np.broadcast_to(member, votes.shape)
    means = overall_means(metrics)
    predicted, scores = np.full((2, *votes.shape), np.nan)
    penalties = np.full(member.max() + 1, np.nan)
    for source in range(len(penalties)):
        train, out = voted & (group != source), group == source
        if not train.any():
            continue
        model = learn(cells[train], votes[train], group[train])
        predicted[out] = model.intercept + weighted(model, cells[out])
        scores[out] = weighted(model, cells[out], means)
        penalties[source] = model.penalty
    return HeldOutPredictions(predicted, scores, penalties)


def unseen_systems(
    metrics: np.ndarray, votes: np.ndarray, member: np.ndarray
) -> HeldOutPredictions:
    """Return predictions by models that have seen neither a cell's source nor its system.

    Arguments as `held_out`; penalties float (systems, sources). All NaN with a single system.
    """
    parts = []
    for system in range(len(votes)):
        others = votes.copy()
        others[system] = np.nan
        parts.append(held_out(metrics, others, member))
    return HeldOutPredictions(
        np.stack([part.votes[k] for k, part in enumerate(parts)]),
        np.stack([part.scores[k] for k, part in enumerate(parts)]),
        np.stack([part.penalties for part in parts]),
    )


def best_single(
    metrics: np.ndarray,
    votes: np.ndarray,
    member: np.ndarray,
    names: list[str],
    statistic: Statistic,
) -> Single:
    """Return what the metric that is best on the other sources says of each source.

    Other arguments as `held_out`. Of equally good metrics the first by name.
    """
    scores, chosen, means = np.full(votes.shape, np.nan), Counter[str](), overall_means(metrics)
    even: dict[str, set[str]] = {}
    for source in range(member.max() + 1):
        # Choose the metric without this source.
        train = np.where(member == source, np.nan, votes)
        found = all_best(metrics, train, names, statistic)
        if not found:
            continue
        best, others = found[0], {names[k] for k in found[1:]}
        chosen[names[best]] += 1
        even[names[best]] = even.get(names[best], others) & others
        # Score the source left out on the scale of the others.
        scale = np.nanstd(metrics[best][np.isfinite(train)])
        out = metrics[best][:, member == source]
        z = standardized(out, means[best], scale)
        scores[:, member == source] = np.where(np.isfinite(out), z, np.nan)
    order = sorted(chosen.items(), key=lambda pair: (-pair[1], pair[0]))
    return Single(scores, dict(order), {name: tuple(sorted(with_)) for name, with_ in even.items()})


def all_best(
    metrics: np.ndarray, votes: np.ndarray, names: list[str], statistic: Statistic
) -> list[int]:
    """Return the places of the metrics that agree best with votes, by name; empty without values.

    More than one where several are equally good but for rounding.
    """
    values = [metric_agreement(metric, votes, statistic) for metric in metrics]
    able = [k for k, value in enumerate(values) if np.isfinite(value)]
    most = max((values[k] for k in able), default=np.nan)
    return sorted((k for k in able if most - values[k] <= EVEN), key=lambda k: names[k])


def metric_agreement(metric: np.ndarray, votes: np.ndarray, statistic: Statistic) -> float:
    """Return acc_eq, tie calibrated, or the correlation of a metric and votes (systems, items)."""
    if statistic.name == "acc_eq":
        return tie_calibrated_accuracy(metric, votes).value
    _, level, kind, constants = statistic
    return correlate(metric, votes, level=level, kind=kind, constants=constants).value


def overall_means(metrics: np.ndarray) -> np.ndarray:
    """Return the mean of each metric over all cells: (metrics,); it knows nothing of votes."""
    there = np.isfinite(metrics)
    count = np.maximum(there.sum(axis=(1, 2)), 1)
    return np.where(there, metrics, 0.0).sum(axis=(1, 2)) / count
