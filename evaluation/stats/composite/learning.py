"""A composite metric: the mean vote, predicted from all automatic metrics at once.

It is learned from the ratings at hand, and only what it says of source videos that it was not
learned from is held against people. Whether it is better than the best single metric is tested,
not assumed; what it learned elsewhere need not hold here, so no weights come with the toolkit.

With few methods a composite may have learned which method is which: the correlation within methods
is blind to that, and `Unseen` is what it says of a method that no fold had seen either.

Model: model.py; folds: folds.py; tests: gains.py.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from dreamix.core.errors import UserError
from dreamix.core.wording import plural
from evaluation.stats.composite.folds import (
    HeldOutPredictions,
    RatedMetrics,
    held_out,
    metric_agreement,
    unseen_systems,
)
from evaluation.stats.composite.gains import (
    STATISTICS,
    Gain,
    gain_in_folds,
    gain_in_hindsight,
    informative,
    statistics_for,
)
from evaluation.stats.composite.model import Linear, learn
from evaluation.stats.intervals import ratio
from evaluation.stats.meta import ENOUGH, mean_votes, sources_of
from evaluation.stats.resampling import Resampling

PREFIX = "composite."  # of the names of composites, which are not made of one another
LEAST_SOURCES = 8  # fewer cannot teach weights, and 2**7 swaps cannot tell two metrics apart
LEAST_CELLS = 40
FEW_SOURCES = 20  # below, an interval is said to be too narrow
MISSING = 0.2  # share of the rated cells that a metric may lack unless told otherwise


class Unseen(NamedTuple):
    """What models say of methods that they were not learned from; NaN with a single method."""

    item: float  # Pearson within an edit, mean over edits
    within: float  # Pearson within a method, mean over methods
    level_error: np.ndarray  # float (systems,): mean predicted less mean vote


class Learned(NamedTuple):
    """A composite on one axis, and how far it follows people on sources it had not seen."""

    names: tuple[str, ...]  # metrics that it may use
    model: Linear  # learned from all cells, arrays in the order of names
    gains: tuple[Gain, ...]  # over the best single metric chosen within folds, headline first
    hindsight: tuple[Gain, ...]  # over the single metric that is best on all sources
    held_out: HeldOutPredictions  # predictions that the gains rest on
    rmse: float  # of held-out predictions, in points of the scale
    rmse_mean: float  # the same of predicting the mean vote of the other sources
    unseen: Unseen
    left_out: dict[str, str]  # metric -> why it may not be used
    imputed: dict[str, int]  # metric -> cells learned from in which its mean stood for it
    systems: int
    items: int  # with a vote
    sources: int  # with a vote
    cells: int  # with a vote
    unpredicted: int  # of these, cells that get no number since a metric is missing
    notes: tuple[str, ...]


def learn_composite(
    metrics: np.ndarray,
    human: np.ndarray,
    *,
    names: list[str],
    sources: np.ndarray,
    resampling: Resampling,
    axis: str = "the question",
    missing: float = MISSING,
) -> Learned:
    """Return a composite of metrics for one axis of human ratings, and what it is worth.

    metrics: float (metrics, systems, items), each turned so that more is better; NaN = missing.
    human:   float (systems, items) or votes (systems, items, raters), on the rating scale.
    sources: (items,) label of the source video; all edits of one are held out together.
    resampling: of intervals and tests; models and predictions are not random.
    axis:    what was asked, for messages.
    missing: share of the rated cells that a metric may lack; more lets more metrics in, and leaves
             more cells without a number.

    Every rated cell counts alike, whatever its number of votes. A metric that lacks more, a
    constant one and a composite are left out by name; the gaps of the others are filled with the
    metric's mean to learn from, never to predict.

    Raises:
        UserError: for fewer than 8 sources or 40 cells with votes, votes that are all equal, and no
            usable metric.
        ValueError: for shapes and names that do not fit.
    """
    # Cells as rows of features, with their source as group.
    everything, left_out = _checked(metrics, human, names, sources, axis, missing)
    data = _usable_metrics(everything, left_out)
    cells, voted = np.moveaxis(data.metrics, 0, -1), np.isfinite(data.votes)
    group = np.broadcast_to(data.member, voted.shape)
    # Predict each source from the others.
    found = held_out(data.metrics, data.votes, data.member)
    kinds = statistics_for(int(voted.any(axis=1).sum()))
    gaps = (~np.isfinite(cells[voted])).sum(axis=0)
    # Learn once more from all cells, and gather what is known of it.
    learned = Learned(
        names=tuple(data.names),
        model=learn(cells[voted], data.votes[voted], group[voted]),
        gains=tuple(gain_in_folds(found.scores, data, kind, resampling) for kind in kinds),
        hindsight=tuple(gain_in_hindsight(found.scores, data, kind, resampling) for kind in kinds),
        held_out=_whole(found, everything, np.shape(metrics)[2], human),
        rmse=_rmse(found.votes, data.votes),
        rmse_mean=_rmse(_means_of_others(data), data.votes),
        unseen=_unseen(data),
        left_out=left_out,
        imputed={name: int(gap) for name, gap in zip(data.names, gaps, strict=True) if gap},
        systems=int(voted.any(axis=1).sum()),
        items=voted.shape[1],
        sources=data.sources,
        cells=int(voted.sum()),
        unpredicted=int((voted & ~np.isfinite(found.votes)).sum()),
        notes=(),
    )
    return learned._replace(notes=_notes(learned, everything))


def _usable_metrics(everything: RatedMetrics, left_out: Mapping[str, str]) -> RatedMetrics:
    """Return the data without the metrics that are left out."""
    kept = [k for k, name in enumerate(everything.names) if name not in left_out]
    names = [everything.names[k] for k in kept]
    return everything._replace(metrics=everything.metrics[kept], names=names)


def _checked(
    metrics: np.ndarray,
    human: np.ndarray,
    names: list[str],
    sources: np.ndarray,
    axis: str,
    missing: float,
) -> tuple[RatedMetrics, dict[str, str]]:
    """Return all metrics on the items that have votes, and why some may not be used."""
    metrics, votes = np.asarray(metrics, dtype=np.float64), mean_votes(human)
    if metrics.ndim != 3 or metrics.shape[1:] != votes.shape:
        raise ValueError(f"metrics {metrics.shape} and votes {votes.shape} need the same cells")
    if len(names) != len(metrics) or len(set(names)) != len(names):
        raise ValueError(f"need one name of its own for each of {len(metrics)} metrics")
    # Keep the items that somebody voted on.
    sources_of(votes.shape[1], sources)
    kept = np.isfinite(votes).any(axis=0)
    source = sources_of(int(kept.sum()), np.asarray(sources)[kept])
    metrics = np.where(np.isfinite(metrics), metrics, np.nan)[:, :, kept]
    votes = np.where(np.isfinite(votes), votes, np.nan)[:, kept]
    data = RatedMetrics(metrics, votes, source.member, list(names), len(source.labels))
    _refuse_too_little(data, axis)
    # Leave out metrics that cannot be learned from.
    left_out = {
        name: why
        for name, values in zip(names, metrics[:, np.isfinite(votes)], strict=True)
        if (why := _unusable(name, values, missing))
    }
    if len(left_out) == len(names):
        why = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise UserError(f"no metric can be used for a composite of {axis} ({why or 'none given'})")
    return data, left_out


def _refuse_too_little(data: RatedMetrics, axis: str) -> None:
    valued = data.votes[np.isfinite(data.votes)]
    if data.sources < LEAST_SOURCES or len(valued) < LEAST_CELLS:
        raise UserError(
            f"no composite of {axis} can be learned from {plural(len(valued), 'rated clip')} of "
            f"{plural(data.sources, 'source video')}: it takes at least {LEAST_CELLS} clips of "
            f"{LEAST_SOURCES} videos"
        )
    if np.ptp(valued) == 0:
        raise UserError(
            f"no composite of {axis} can be learned: all mean votes are {valued[0]:.2f}"
        )


def _unusable(name: str, values: np.ndarray, missing: float) -> str:
    """Return why a metric with these values on the rated cells (cells,) may not be used, or ""."""
    there = np.isfinite(values)
    if name.startswith(PREFIX):
        return "is a composite itself"
    if not there.any() or 1 - there.mean() > missing:
        return f"has no value on {1 - there.mean():.0%} of the rated edits, more than {missing:.0%}"
    if np.ptp(values[there]) <= 1e-12 * np.abs(values[there]).max():
        return f"is {values[there][0]:.4g} everywhere"
    return ""


def _whole(
    found: HeldOutPredictions, data: RatedMetrics, items: int, human: np.ndarray
) -> HeldOutPredictions:
    """Return predictions on all items that were given, NaN on those without a vote."""
    kept = np.isfinite(mean_votes(human)).any(axis=0)
    votes, scores = np.full((2, len(data.votes), items), np.nan)
    votes[:, kept], scores[:, kept] = found.votes, found.scores
    return HeldOutPredictions(votes, scores, found.penalties)


def _rmse(predicted: np.ndarray, votes: np.ndarray) -> float:
    both = np.isfinite(predicted) & np.isfinite(votes)
    errors = np.where(both, predicted - votes, 0.0)
    return float(ratio((errors**2).sum(), np.array(both.sum())) ** 0.5)


def _means_of_others(data: RatedMetrics) -> np.ndarray:
    """Return the mean vote of the other sources for every cell: (systems, items)."""
    means = [np.nanmean(data.votes[:, data.member != k]) for k in range(data.sources)]
    return np.broadcast_to(np.array(means)[data.member], data.votes.shape)


def _unseen(data: RatedMetrics) -> Unseen:
    found = unseen_systems(data.metrics, data.votes, data.member)
    item, within = STATISTICS[0], STATISTICS[3]
    both = np.isfinite(found.votes) & np.isfinite(data.votes)
    off = np.where(both, found.votes - data.votes, 0.0)
    return Unseen(
        metric_agreement(found.scores, informative(data.votes, item), item),
        metric_agreement(found.scores, data.votes, within) if both.any() else float("nan"),
        ratio(off.sum(axis=1), both.sum(axis=1)),
    )


def _notes(learned: Learned, data: RatedMetrics) -> tuple[str, ...]:
    notes = []
    if learned.systems == 1:
        notes.append("One method: nothing is known of which of two methods it would prefer.")
    elif learned.systems < ENOUGH:
        notes.append(
            f"{learned.systems} methods: it may have learned which is which. Within a method it "
            f"follows people with r = {_within(learned):.2f}, and within a method that it never "
            f"saw with {learned.unseen.within:.2f}."
        )
    if learned.sources < FEW_SOURCES:
        notes.append(f"{plural(learned.sources, 'source video')}: intervals are too narrow.")
    if learned.unpredicted:
        notes.append(
            f"{learned.unpredicted} of {plural(learned.cells, 'rated clip')} get no number, as a "
            "metric has no value there."
        )
    return (*notes, *_better_but_left_out(learned, data))


def _within(learned: Learned) -> float:
    return next(gain.composite for gain in learned.gains if gain.statistic == STATISTICS[3])


def _better_but_left_out(learned: Learned, data: RatedMetrics) -> list[str]:
    """Return a line on each metric with too many gaps that beats the best where it has values."""
    best = learned.hindsight[0]
    found = []
    for name, metric in zip(data.names, data.metrics, strict=True):
        if name not in learned.left_out or name.startswith(PREFIX):
            continue
        value = metric_agreement(metric, informative(data.votes, best.statistic), best.statistic)
        if value > max(best.single, best.composite):
            found.append(f"{name} was left out, yet has r = {value:.2f} where it has values.")
    return found
