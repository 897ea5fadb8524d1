"""Where metrics can be ranked against raters: on what every ranked metric has values for.

A metric that has values on easy edits only follows raters there more than others do on all edits.
So metrics are ranked as methods are (`reports.ground`), on the pairs of methods, within an edit, on
which every ranked metric has both values; with one method, on its edits. A metric that would cost
the others more than half of these is not ranked.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np

from reports.ground import common_ground
from reports.people.joint import Joint


class MetricGround(NamedTuple):
    """Metrics by their places, and the cells on which they are ranked."""

    ranked: tuple[int, ...]  # all with values, if these are fewer than two
    apart: tuple[int, ...]  # with values, too few in common with the others
    cells: np.ndarray  # bool (systems, edits): every ranked metric has a value and people a vote
    has: np.ndarray  # bool (systems, edits): the same, if one metric is ranked alone too
    of: int  # cells on which people have a vote and some metric has a value


def metric_ground(joint: Joint, question: str) -> MetricGround:
    """Return where the metrics of a run can be ranked on a question."""
    has = np.isfinite(joint.metrics) & np.isfinite(joint.mean_votes(question))
    units = _units(has).reshape(len(has), -1)
    valued = tuple(int(k) for k in np.flatnonzero(units.any(axis=1)))
    of = int(has.any(axis=0).sum())
    if len(valued) < 2:
        return MetricGround(valued, (), np.ones(has.shape[1:], bool), has.any(axis=0), of)
    ground = common_ground(units)
    cells = has[list(ground.ranked)].all(axis=0) & bool(ground.ranked)
    return MetricGround(ground.ranked, ground.apart, cells, cells, of)


def on_ground(joint: Joint, question: str, ground: MetricGround) -> Joint:
    """Return values and votes on the cells of the ground alone."""
    metrics = np.where(ground.cells, joint.metrics, np.nan)
    votes = np.where(ground.cells[:, :, None], joint.votes[question], np.nan)
    return joint._replace(metrics=metrics, votes=joint.votes | {question: votes})


def _units(has: np.ndarray) -> np.ndarray:
    """Return where a metric (metrics, systems, edits) has what is compared: a pair, or an edit."""
    systems = has.shape[1]
    if systems < 2:
        return has
    return np.stack([has[:, a] & has[:, b] for a, b in combinations(range(systems), 2)], axis=1)
