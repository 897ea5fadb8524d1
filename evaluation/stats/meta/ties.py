"""Pairwise accuracy with ties, acc_eq, and the calibration of a metric's ties.

Ratings on five points tie often; a metric with decimals never does, and would be wrong on every
such pair. So a metric calls a pair of systems tied where its scores differ by at most epsilon, and
epsilon is chosen to make the accuracy greatest. Per item, over pairs of systems:

    acc_eq = (C + T_hm) / (C + D + T_h + T_m + T_hm)

C concordant, D discordant, T_h tied by people only, T_m by the metric only, T_hm by both. The
value is the mean over items that have a pair.

Source: Deutsch, Foster & Freitag, Ties Matter: Meta-Evaluating Modern Metrics with Pairwise
Accuracy and Tie Calibration, EMNLP 2023 (arXiv 2305.14324), sections 4 and 5; official in WMT 2023.
The reference code (mt-metrics-eval, tau_optimization.py) takes the same candidates (0 and all
differences) and the first of the best; it keeps a running float sum, so between candidates of equal
accuracy its choice may hang on rounding, where this one takes the smallest epsilon.
"""

from typing import NamedTuple

import numpy as np

from evaluation.stats.intervals import ratio
from evaluation.stats.meta.data import Cells, cells, sources_of

SAME = 1e-12  # accuracies nearer than this are equal: they are sums of at most 1e4 fractions


class TieAccuracy(NamedTuple):
    """acc_eq at one epsilon, in [0, 1]; NaN where no item has a pair."""

    value: float
    epsilon: float
    items: int  # items with at least one pair, which is what the mean is over
    missing: int  # cells without a metric value or without a human one


class OutOfSample(NamedTuple):
    """acc_eq where each source's epsilon comes from the other sources; NaN with one source."""

    value: float
    epsilons: np.ndarray  # float (sources,), in the order of the sorted labels
    labels: np.ndarray  # (sources,)


class SystemPairs(NamedTuple):
    """Every pair of systems on every item, both cells present: arrays (pairs,)."""

    item: np.ndarray  # int: which item
    metric: np.ndarray  # difference of metric values, first less second
    human: np.ndarray  # difference of human values
    share: np.ndarray  # weight of the pair in its item's accuracy: 1 / pairs of the item
    items: int  # items with a pair
    place: np.ndarray  # int: number of the pair among all (systems choose 2) x items


class Curve(NamedTuple):
    """Accuracy of each item group as epsilon grows: sums over the group's items."""

    epsilons: np.ndarray  # float (candidates,), 0 first, rising
    totals: np.ndarray  # float (groups, candidates): sum over items of acc_eq
    items: np.ndarray  # float (groups,): items with a pair


def pairwise_accuracy(metric: np.ndarray, human: np.ndarray, epsilon: float) -> TieAccuracy:
    """Return acc_eq of a metric that calls a pair tied where scores differ by at most `epsilon`.

    metric:  float (systems, items), higher is better; NaN = missing.
    human:   float (systems, items) or (systems, items, raters); equal means are a tie.
    epsilon: >= 0, in the metric's unit.

    Raises:
        ValueError: for a negative epsilon.
    """
    if not epsilon >= 0:
        raise ValueError(f"epsilon must be at least 0, not {epsilon}")
    return _at(cells(metric, human), epsilon)


def tie_calibrated_accuracy(metric: np.ndarray, human: np.ndarray) -> TieAccuracy:
    """Return the greatest acc_eq over all epsilon >= 0, and the smallest epsilon that reaches it.

    Arguments as `pairwise_accuracy`. The candidates are 0 and every difference of two scores of
    an item; sorted once, so the cost is P log P in the number of pairs. The value is in-sample:
    see `out_of_sample_accuracy`. With no pair at all value and epsilon are NaN.
    """
    data = cells(metric, human)
    curve = accuracy_curve(pairs_of(data), np.zeros(data.metric.shape[1], dtype=np.int64), 1)
    return _at(data, best_epsilon(curve.epsilons, curve.totals[0], curve.items[0]))


def out_of_sample_accuracy(
    metric: np.ndarray, human: np.ndarray, sources: np.ndarray
) -> OutOfSample:
    """Return acc_eq with epsilon for each source video calibrated on all the other sources.

    sources: (items,) label of the video each item is an edit of. Other arguments as
    `pairwise_accuracy`. What calibration gains by having seen the answers is not in this number.
    """
    data = cells(metric, human)
    source = sources_of(data.metric.shape[1], sources)
    curve = accuracy_curve(pairs_of(data), source.member, len(source.labels))
    epsilons = epsilons_of_others(curve)
    found, items = totals_at(curve, epsilons)
    return OutOfSample(float(ratio(found.sum(), items.sum())), epsilons, source.labels)


def pairs_of(data: Cells) -> SystemPairs:
    """Return the pairs of systems of every item whose four values are all present."""
    one, other = np.triu_indices(len(data.metric), 1)
    metric = data.metric[one] - data.metric[other]  # (system pairs, items)
    human = data.human[one] - data.human[other]
    present = np.isfinite(metric)
    per_item = present.sum(axis=0)
    item = np.nonzero(present)[1]
    place = np.flatnonzero(present)
    return SystemPairs(
        item, metric[present], human[present], 1 / per_item[item], int((per_item > 0).sum()), place
    )


def correct(pairs: SystemPairs, epsilon: float) -> np.ndarray:
    """Return, for each pair, whether metric and people agree on better, worse or tied: bool."""
    tied = np.abs(pairs.metric) <= epsilon
    return np.where(tied, pairs.human == 0, np.sign(pairs.metric) == np.sign(pairs.human))


def accuracy_curve(pairs: SystemPairs, member: np.ndarray, groups: int) -> Curve:
    """Return the accuracy of each group of items at every candidate epsilon.

    member: int (items,): the group of each item. Going up the sorted differences, a pair changes
    from its own verdict to "tied"; all pairs of one difference change together.
    """
    # What each pair adds when epsilon passes its difference.
    before, after = correct(pairs, 0.0), pairs.human == 0
    epsilons, step = np.unique(np.append(0.0, np.abs(pairs.metric)), return_inverse=True)
    changes = np.zeros((groups, len(epsilons)))
    group = member[pairs.item]
    np.add.at(changes, (group, step[1:]), pairs.share * (after.astype(float) - before))

    # Accuracy at epsilon 0, and onward by the sum of changes.
    start = np.bincount(group, weights=pairs.share * before, minlength=groups)
    items = np.bincount(group, weights=pairs.share, minlength=groups)
    return Curve(epsilons, start[:, None] + np.cumsum(changes, axis=1), np.round(items))


def epsilons_of_others(curve: Curve) -> np.ndarray:
    """Return the best epsilon of all groups but one, for each group; NaN where no item is left."""
    rest, items = curve.totals.sum(axis=0) - curve.totals, curve.items.sum() - curve.items
    pairs = zip(rest, items, strict=True)
    return np.array([best_epsilon(curve.epsilons, row, count) for row, count in pairs])


def totals_at(curve: Curve, epsilons: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each group's sum of accuracies at its own epsilon, and its items: (groups,) both.

    A group whose epsilon is NaN has neither.
    """
    known = np.isfinite(epsilons)
    place = np.searchsorted(curve.epsilons, np.where(known, epsilons, 0.0), side="right") - 1
    return curve.totals[np.arange(len(place)), place] * known, curve.items * known


def best_epsilon(epsilons: np.ndarray, totals: np.ndarray, items: float) -> float:
    """Return the smallest epsilon whose accuracy is the greatest; NaN without items."""
    if not items:
        return float("nan")
    return float(epsilons[np.argmax(totals >= totals.max() - SAME * items)])


def _at(data: Cells, epsilon: float) -> TieAccuracy:
    pairs = pairs_of(data)
    if not pairs.items:
        return TieAccuracy(float("nan"), float("nan"), 0, data.missing)
    value = min(1.0, float(pairs.share @ correct(pairs, epsilon)) / pairs.items)
    return TieAccuracy(value, epsilon, pairs.items, data.missing)
