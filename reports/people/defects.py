"""Where raters marked that edits are broken: who watched what, and the marks of each viewing."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from evaluation.stats.agreement import TIME, TIME_AND_PLACE, MarkAgreement, Viewings, mark_agreement
from evaluation.stats.ratings import MethodScores, Votes, method_scores
from reports.people.export import Exported
from reports.summary import IntervalSettings

KINDS = {  # what tables and figures call what raters could choose from
    "flicker": "flicker",
    "identity": "another person or thing",
    "left_over": "left over from the source",
    "leaked": "changed elsewhere",
    "distorted": "distorted shapes",
    "motion": "unnatural motion",
    "text": "garbled writing",
}
WHOLE = ((0.0, 1.0), (0.0, 1.0))  # place of a mark without a box


class Defects(NamedTuple):
    """What raters marked, those left out who are excluded."""

    methods: list[str]  # in the study's order, those that were watched
    kinds: list[str]  # that the study offered
    seen: pd.DataFrame  # a row a viewing: rater, video, edit, method
    marks: pd.DataFrame  # a row a mark, with the place of its viewing in `seen`
    boxes: list[np.ndarray]  # of each viewing, see `Viewings`
    shares: MethodScores  # of viewings with a mark, by method; sources alike
    in_time: MarkAgreement
    in_place: MarkAgreement


def defects_of(export: Exported, how: IntervalSettings) -> Defects | None:
    """Return what raters marked; None if the study did not ask, or nobody watched anything."""
    asked = export.study.get("defects") or {}
    if export.marks is None or not (asked.get("ask") or len(export.marks)):
        return None
    seen = _seen(export)
    if not len(seen):
        return None
    methods = [name for name in export.methods if name in set(seen["method"])]
    marks = _placed(export.marks, seen)
    boxes = _of_viewings(marks, np.arange(len(seen)))
    votes = _votes(seen, methods, np.array([len(one) > 0 for one in boxes], float))
    viewings = Viewings(votes.rater, votes.source, votes.item, boxes)
    agreed = (_agreement(viewings, dimensions, how) for dimensions in (TIME, TIME_AND_PLACE))
    offered = [str(kind) for kind in asked.get("kinds", KINDS) if kind in KINDS]
    kinds = [*dict.fromkeys([*offered, *(k for k in KINDS if k in set(marks["defect"]))])]
    shares = method_scores(votes, confidence=how.confidence)
    return Defects(methods, kinds, seen, marks, boxes, shares, *agreed)


def _agreement(viewings: Viewings, dimensions: int, how: IntervalSettings) -> MarkAgreement:
    return mark_agreement(viewings, dimensions, how.resampling("people", "marks", dimensions))


def of_method(defects: Defects, method: str) -> np.ndarray:
    """Return the places of a method's viewings."""
    return np.flatnonzero((defects.seen["method"] == method).to_numpy())


def boxes_of_kind(defects: Defects, places: np.ndarray, kind: str) -> list[np.ndarray]:
    """Return the boxes of one kind in each of some viewings."""
    return _of_viewings(defects.marks[defects.marks["defect"] == kind], places)


def _seen(export: Exported) -> pd.DataFrame:
    """Return every clip that somebody rated for its own sake, with the trial and the side."""
    wide = export.wide[(export.wide["kind"] == "rating") & ~export.wide["excluded"]]
    if "state" in wide:
        wide = wide[wide["state"] == "rated"]
    sides = {"left": "method_left", "right": "method_right"}
    if export.design == "absolute":
        sides = {"edit": "method"}
    parts = [
        wide[["rater", "video", "edit", "trial"]].assign(clip=side, method=wide[column])
        for side, column in sides.items()
    ]
    return pd.concat(parts, ignore_index=True)


def _placed(marks: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    """Return the marks of these viewings, each with the place of its viewing."""
    keys = seen[["trial", "clip"]].assign(viewing=np.arange(len(seen)))
    return marks.merge(keys, on=["trial", "clip"], how="inner")


def _of_viewings(marks: pd.DataFrame, places: np.ndarray) -> list[np.ndarray]:
    """Return the boxes of each of some viewings."""
    found = {place: _boxes(group) for place, group in marks.groupby("viewing")}
    nothing = np.empty((0, 3, 2))
    return [found.get(place, nothing) for place in places.tolist()]


def _boxes(marks: pd.DataFrame) -> np.ndarray:
    """Return the boxes of marks in shares of the clip, float (marks, 3, 2)."""
    length = marks["clip_s"].to_numpy(float)
    time = np.stack([marks["start_s"] / length, marks["end_s"] / length], axis=-1)
    place = [
        np.where(
            marks[[near]].isna().to_numpy(),
            whole,
            np.stack([marks[near], marks[near] + marks[size]], axis=-1),
        )
        for near, size, whole in (("x", "width", WHOLE[0]), ("y", "height", WHOLE[1]))
    ]
    return np.clip(np.stack([time, *place], axis=1), 0, 1)


def _votes(seen: pd.DataFrame, methods: list[str], value: np.ndarray) -> Votes:
    codes = {name: pd.factorize(seen[name], sort=True) for name in ("rater", "video", "edit")}
    method = np.array([methods.index(name) for name in seen["method"]])
    (rater, raters), (source, sources), (edit, edits) = codes.values()
    many = len(raters), len(sources), len(edits), len(methods)
    return Votes(rater, source, edit, method, value, *many)
