"""How the leading metrics follow raters on each category of edit, in numbers."""

from typing import NamedTuple

import numpy as np

from evaluation.stats.meta import cells
from reports.people.agreement import best_of, guessing, headline, why_not, within
from reports.people.joint import Joint
from reports.people.metric_ground import FEW_VIDEOS as FEW_VIDEOS

ALL = "all"
OWN_SHOWN, OTHERS_SHOWN = 5, 2  # metrics of the question's axis, and better ones of other axes


class Spot(NamedTuple):
    """One metric on one category."""

    low: float
    value: float
    high: float
    edits: int  # on which two methods have a value and a vote (one, if there is one method)
    videos: int
    guess: float  # what a metric that knows nothing reaches there

    @property
    def few(self) -> bool:
        """Whether too few videos stand behind it to say anything."""
        return self.videos < FEW_VIDEOS


class Grid(NamedTuple):
    """The leading metrics of one question on all categories."""

    question: str
    names: tuple[str, ...]  # best first
    own: frozenset[str]  # those that are meant for the question
    categories: tuple[str, ...]  # and ALL
    spots: dict[tuple[str, str], Spot]


def grids(joint: Joint) -> list[Grid]:
    """Return a grid for every question on which metrics can be held against raters."""
    return [grid(joint, question) for question in joint.votes if not why_not(joint, question)]


def grid(joint: Joint, question: str) -> Grid:
    """Return how the leading metrics follow raters on every category and on all edits."""
    shown = _leading(joint, question)
    names = tuple(str(name) for name in np.unique(joint.categories))
    keep = {name: joint.categories == name for name in names}
    keep[ALL] = np.ones(len(joint.edits), bool)
    spots = {
        (joint.names[k], name): _spot(joint, k, question, chosen)
        for k in shown
        for name, chosen in keep.items()
    }
    own = frozenset(joint.names[k] for k in joint.on_axis(question))
    return Grid(question, tuple(joint.names[k] for k in shown), own, (*names, ALL), spots)


def _leading(joint: Joint, question: str) -> list[int]:
    """Return the best metrics of the question's axis, and those of others that beat them."""
    order = best_of(joint, question, list(range(len(joint.names))))
    meant = set(joint.on_axis(question))
    own = [k for k in order if k in meant][:OWN_SHOWN]
    first = order.index(own[0]) if own else len(order)
    others = [k for k in order[:first] if k not in meant][:OTHERS_SHOWN]
    return [k for k in order if k in {*own, *others}]


def _spot(joint: Joint, k: int, question: str, keep: np.ndarray) -> Spot:
    human = joint.mean_votes(question)[:, keep]
    data, needed = cells(joint.metrics[k][:, keep], human), min(2, len(joint.systems))
    counted = np.isfinite(data.metric).sum(axis=0) >= needed
    found = within(joint, k, question, keep, joint.people.how.resamples)
    return Spot(
        found.low,
        found.value,
        found.high,
        int(counted.sum()),
        len(np.unique(joint.sources[keep][counted])),
        guessing(data.human, headline(joint))[1],
    )
