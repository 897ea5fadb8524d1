"""The Pareto front of two metrics: methods that no other one beats on both."""

from typing import NamedTuple

import numpy as np

from reports.summary import Summary


class Front(NamedTuple):
    """The methods on the front, by the first metric, worst first."""

    members: list[str]
    open: list[str]  # those of them that would be beaten with their gaps at the worst


def pareto(summary: Summary, x: str, y: str) -> Front:
    """Return the front of the methods that are ranked on both metrics, by their ranks.

    A method is beaten if another is at least as good on both and better on one; equal means are
    equally good. Methods are ranked on common edits, see `reports.ground`.
    """
    places = {label: _ranks(summary, label, x, y) for label in summary.run.ranked}
    ranked = {label: place for label, place in places.items() if min(place)}
    front = [m for m, place in ranked.items() if not any(_beats(o, place) for o in ranked.values())]
    members = sorted(front, key=lambda label: (-ranked[label][0], label))
    return Front(members, [m for m in members if _beaten_at_worst(summary, m, x, y)])


def _ranks(summary: Summary, label: str, x: str, y: str) -> tuple[int, int]:
    """Return the ranks on both metrics, 0 where the method is not ranked; alone it is the first."""
    at = summary.run.ranked.index(label)
    ranks = [
        int(label in summary.ranking(name))
        if summary.alone(name)
        else int(summary.standings[name].ranks[at])
        for name in (x, y)
    ]
    return ranks[0], ranks[1]


def _beats(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] <= other[0] and one[1] <= other[1] and one != other


def _beaten_at_worst(summary: Summary, label: str, x: str, y: str) -> bool:
    """Return whether another method beats this one where all of its gaps are at the worst."""
    for other in summary.run.ranked:
        gaps = [_ahead(summary, other, label, name) for name in (x, y)]
        if other != label and None not in gaps:
            near = [summary.gapped[name].near for name in (x, y)]
            signs = [int(g > n) - int(g < -n) for g, n in zip(gaps, near, strict=True)]  # type: ignore[operator]
            if min(signs) >= 0 and max(signs) > 0:
                return True
    return False


def _ahead(summary: Summary, other: str, label: str, metric: str) -> float | None:
    """Return how far another is ahead on the edits that it has; None without an edit."""
    found, sign = summary.gapped[metric], summary.run.metrics[metric].sign
    methods = list(summary.run.methods)
    worst = found.low if sign > 0 else found.high
    gap = sign * (found.whole[methods.index(other)] - worst[methods.index(label)])
    return float(np.nanmean(gap)) if np.isfinite(gap).any() else None
