"""Metrics and people side by side: the same edits by the same methods, as arrays.

Metrics are turned so that more is better; one without a good direction cannot stand for people and
is left out by name. Raters saw the first seed of every edit, so the values are those of that clip.

Metrics apply to different categories of edit by their definition, and each is ranked by what it
has; tests of two are on what both have. One that failed on most of what it applies to, or that has
values on a few videos where others have many, could be the best by easy edits alone: it is not
ranked.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from dreamix.core.errors import UserError
from evaluation.stats.ratings import Ratings, votes_on
from reports.ground import levelled, tolerance
from reports.loading import Run
from reports.people.outcome import People

FEW_VIDEOS = 10  # below this nominal 95% intervals held the true value in less than 90%


class Joint(NamedTuple):
    """What a run's metrics and a study's raters say of the same items.

    An item is an edit; NaN stands where a clip has no value or nobody voted.
    """

    run: Run
    people: People
    names: tuple[str, ...]  # of the metrics
    systems: tuple[str, ...]  # labels of methods, in the study's order
    edits: tuple[str, ...]
    sources: np.ndarray  # str (edits,): source video
    categories: np.ndarray  # str (edits,)
    metrics: np.ndarray  # float (metrics, systems, edits), more is better
    votes: dict[str, np.ndarray]  # by question: float (systems, edits, raters)
    left_out: dict[str, str]  # metrics that are not among the names, each with the reason

    def mean_votes(self, question: str) -> np.ndarray:
        """Return the MOS of every item, float (systems, edits), NaN without a vote."""
        votes = self.votes[question]
        count = np.isfinite(votes).sum(axis=2)
        return np.where(count > 0, np.nansum(votes, axis=2) / np.maximum(count, 1), np.nan)

    def on_axis(self, axis: str) -> list[int]:
        """Return the places of the metrics that are meant for an axis."""
        return [k for k, name in enumerate(self.names) if self.run.metrics[name].axis == axis]


def join(run: Run, people: People) -> Joint:
    """Return metrics and votes of the items that both have; `UserError` if there is none."""
    systems = tuple(method for method in people.methods if method in run.methods)
    edits = tuple(edit for edit in run.edits if edit in people.kept.ratings.edits)
    if not systems or not edits:
        raise UserError(
            f"the study {people.export.name} rated none of the edits of {run.folder}: "
            f"it knows {', '.join(people.methods)}, the run {', '.join(run.methods)}"
        )
    names, left_out = _names(run)
    metrics = metric_values(run, names, systems, edits)
    ratings = people.kept.ratings
    votes = {question: _votes(ratings, question, systems, edits) for question in people.questions}
    sources, categories = (
        np.array([getattr(run.edits[edit], field) for edit in edits])
        for field in ("video", "category")
    )
    found = (run, people, names, systems, edits, sources, categories, metrics, votes, left_out)
    return Joint(*found)


def metric_values(
    run: Run, names: tuple[str, ...], systems: tuple[str, ...], edits: tuple[str, ...]
) -> np.ndarray:
    """Return the scores of the rated clips, more is better: float (metrics, systems, edits).

    Values that differ by rounding are equal: an order among them would be none of the metric's.
    """
    rated = run.scores["method"].map({label: one.seeds[0] for label, one in run.methods.items()})
    rows = run.scores[(run.scores["status"] == "ok") & (run.scores["seed"] == rated)]
    table = rows.set_index(["metric", "method", "edit"])["value"]
    index = pd.MultiIndex.from_product([names, systems, edits])
    values = table.reindex(index).to_numpy(np.float64)
    found = values.reshape(len(names), len(systems) * len(edits))
    near = [tolerance(row, *run.metrics[name].ends) for name, row in zip(names, found, strict=True)]
    sign = np.array([run.metrics[name].sign for name in names], np.float64)
    level = levelled(found.T, np.array(near)).T * sign[:, None]
    return level.reshape(len(names), len(systems), len(edits))


def _names(run: Run) -> tuple[tuple[str, ...], dict[str, str]]:
    left_out = {name: f"applies to no clip: {reason}" for name, reason in run.idle.items()}
    left_out |= {
        facts.name: "only describes: more is neither better nor worse"
        for facts in run.metrics.values()
        if not facts.sign and facts.name not in left_out
    }
    left_out |= {
        name: "learned from ratings, maybe these: it would be judged by what it was fitted to"
        for name in run.metrics
        if name.startswith("composite.") and name not in left_out
    }
    return tuple(name for name in run.metrics if name not in left_out), left_out


def _votes(
    ratings: Ratings, question: str, systems: tuple[str, ...], edits: tuple[str, ...]
) -> np.ndarray:
    """Return the votes on a question, float (systems, edits, raters)."""
    votes = votes_on(ratings, question)
    at_system = _places(ratings.methods, systems)[votes.method]
    at_edit = _places(ratings.edits, edits)[votes.edit]
    both = (at_system >= 0) & (at_edit >= 0)
    table = np.full((len(systems), len(edits), len(ratings.raters)), np.nan)
    table[at_system[both], at_edit[both], votes.rater[both]] = votes.value[both]
    return table


def _places(names: tuple[str, ...], among: tuple[str, ...]) -> np.ndarray:
    """Return the place of every name among others, -1 for one that is not there."""
    place = {name: k for k, name in enumerate(among)}
    return np.array([place.get(name, -1) for name in names])


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
