"""Which metrics can be ranked against raters: those with values on enough of what raters saw.

Metrics apply to different categories of edit by their definition, and each is ranked by what it
has; tests of two are on what both have. One that failed on most of what it applies to, or that has
values on a few videos where others have many, could be the best by easy edits alone: it is not
ranked.
"""

from itertools import combinations

import numpy as np

from reports.people.joint import Joint

FEW_VIDEOS = 10  # below this nominal 95% intervals held the true value in less than 90%


def apart(joint: Joint, question: str) -> tuple[int, ...]:
    """Return the places of metrics that have values and are not ranked; not all of them are.

    A metric is set apart if it has values on less than half of the pairs of methods, within an edit
    (with one method: of the edits), that it applies to and people voted on; or on fewer than
    FEW_VIDEOS source videos while another has so many.
    """
    voted = np.isfinite(joint.mean_votes(question))
    due = _units(voted & ~_not_for(joint))
    has = _units(voted & np.isfinite(joint.metrics))
    counts, wanted = has.sum(axis=(1, 2)), due.sum(axis=(1, 2))
    videos = np.array([len(np.unique(joint.sources[one.any(axis=0)])) for one in has])
    few = (2 * counts < wanted) | ((videos < FEW_VIDEOS) & (videos.max(initial=0) >= FEW_VIDEOS))
    valued = counts > 0
    return tuple(int(k) for k in np.flatnonzero(valued & few)) if (valued & ~few).any() else ()


def _not_for(joint: Joint) -> np.ndarray:
    """Return on what a metric is without meaning, bool (metrics, systems, edits)."""
    rows = joint.run.scores[joint.run.scores["status"] == "n/a"]
    cells = set(zip(rows["metric"], rows["method"], rows["edit"], strict=True))
    return np.array(
        [
            [[(name, system, edit) in cells for edit in joint.edits] for system in joint.systems]
            for name in joint.names
        ],
        bool,
    ).reshape(joint.metrics.shape)


def _units(has: np.ndarray) -> np.ndarray:
    """Return where cells (metrics, systems, edits) have what is compared: a pair, or an edit."""
    systems = has.shape[1]
    if systems < 2:
        return has
    return np.stack([has[:, a] & has[:, b] for a, b in combinations(range(systems), 2)], axis=1)
