"""Ratings of edits by people: long rows in, checked index arrays out.

The rows are those of the table `ratings_long` that a study exports, or any with its columns. A vote
is one rater's answer to one question about one edit by one method. An item is an edit by a method;
edits belong to source videos. Nothing is assumed about who rated what: designs may be incomplete.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from dreamix.core.errors import UserError
from evaluation.stats.long_table import (
    LeftOut,
    codes_of,
    columns_of,
    flags_of,
    missing_rows,
    raters_by_votes,
    refuse_truths,
    rows_kept,
)

THRESHOLD = 2.5  # of success, on a scale of 1 to 5
AXES = ("rater", "source", "edit", "method", "question", "value")


class Ratings(NamedTuple):
    """Votes as index arrays (votes,), the names the indices stand for, and what was left out."""

    rater: np.ndarray  # int, into raters, who stand in the order of what they voted
    edit: np.ndarray  # int, into edits
    method: np.ndarray  # int, into methods
    question: np.ndarray  # int, into questions
    value: np.ndarray  # float, on the scale
    source: np.ndarray  # int (edits,), into sources: the source video of each edit
    raters: tuple[str, ...]
    sources: tuple[str, ...]
    edits: tuple[str, ...]
    methods: tuple[str, ...]
    questions: tuple[str, ...]
    scale: tuple[float, float]
    simulated: bool  # some vote is not a person's
    left_out: LeftOut
    threshold: float = THRESHOLD  # success is a mean above it, on every question


class Votes(NamedTuple):
    """Votes on one question: arrays (votes,), and how many of each there are in the study."""

    rater: np.ndarray  # int
    source: np.ndarray  # int
    edit: np.ndarray  # int
    method: np.ndarray  # int
    value: np.ndarray  # float
    raters: int
    sources: int
    edits: int
    methods: int

    @property
    def item(self) -> np.ndarray:
        """Int (votes,): the edit by the method, edit * methods + method."""
        return self.edit * self.methods + self.method

    def where(self, keep: np.ndarray) -> "Votes":
        """Return the votes for which `keep` (bool or indices) holds; the counts stay."""
        return self._replace(
            rater=self.rater[keep],
            source=self.source[keep],
            edit=self.edit[keep],
            method=self.method[keep],
            value=self.value[keep],
        )


def read_ratings(
    table: Mapping[str, Any],
    *,
    scale: tuple[float, float] = (1, 5),
    keep_excluded: bool = False,
    threshold: float | None = None,
) -> Ratings:
    """Return the votes of a long table, checked.

    table: columns by name (a pandas DataFrame or a dict of sequences): rater, source (or video),
           edit, method, question, value; where there are such, excluded (bool), simulated (bool),
           and kind, of which only `rating` is a vote.
    scale: least and greatest value a vote can have.
    keep_excluded: take the votes of excluded raters too, for results with and without them.
    threshold: of success; left out, 2.5 on 1 to 5 and the middle of any other scale.

    Raises UserError, one line each: an axis or a label is missing, no vote is left, a value is not
    a number or out of range, a rater voted twice on the same, an edit has two sources.
    """
    columns = columns_of(table, AXES)
    keep, left_out = rows_kept(columns, keep_excluded)
    rows = np.flatnonzero(keep)
    # Code every axis by number.
    found = {axis: codes_of(axis, columns[axis][keep], rows) for axis in AXES[:-1]}
    value = _values(columns["value"][keep], rows, scale)
    codes = {axis: code for axis, (code, _) in found.items()}
    names = {axis: name for axis, (_, name) in found.items()}
    _refuse_duplicates(codes, names)
    return by_votes(
        Ratings(
            rater=codes["rater"],
            edit=codes["edit"],
            method=codes["method"],
            question=codes["question"],
            value=value,
            source=_source_of_edit(codes, names),
            raters=names["rater"],
            sources=names["source"],
            edits=names["edit"],
            methods=names["method"],
            questions=names["question"],
            scale=(float(scale[0]), float(scale[1])),
            simulated=bool((flags_of(columns, "simulated") & keep).any()),
            left_out=left_out,
            threshold=_threshold(scale) if threshold is None else float(threshold),
        )
    )


def by_votes(ratings: Ratings) -> Ratings:
    """Return the ratings with raters in the order of what they voted, as `raters_by_votes` has it.

    After taking votes away this is what reading the others alone gives.
    """
    shape = len(ratings.questions), len(ratings.edits), len(ratings.methods)
    on = np.ravel_multi_index((ratings.question, ratings.edit, ratings.method), shape)
    rater, old = raters_by_votes(ratings.rater, len(ratings.raters), on, ratings.value)
    return ratings._replace(rater=rater, raters=tuple(ratings.raters[place] for place in old))


def _threshold(scale: tuple[float, float]) -> float:
    return THRESHOLD if tuple(scale) == (1, 5) else (scale[0] + scale[1]) / 2


def votes_on(ratings: Ratings, question: str) -> Votes:
    """Return the votes on one question.

    Raises:
        UserError: for an unknown question.
    """
    if question not in ratings.questions:
        raise UserError(f"no question {question!r}; there are {', '.join(ratings.questions)}")
    keep = np.flatnonzero(ratings.question == ratings.questions.index(question))
    return Votes(
        ratings.rater[keep],
        ratings.source[ratings.edit[keep]],
        ratings.edit[keep],
        ratings.method[keep],
        ratings.value[keep],
        len(ratings.raters),
        len(ratings.sources),
        len(ratings.edits),
        len(ratings.methods),
    )


def common_votes(votes: Votes, a: int, b: int) -> Votes:
    """Return the votes on methods a and b on edits where both have votes."""
    has = np.zeros((2, votes.edits), bool)
    for row, method in enumerate((a, b)):
        has[row, votes.edit[votes.method == method]] = True
    common = np.flatnonzero(has[0] & has[1])
    return votes.where(np.isin(votes.method, (a, b)) & np.isin(votes.edit, common))


def _values(column: np.ndarray, rows: np.ndarray, scale: tuple[float, float]) -> np.ndarray:
    """Return the votes as numbers on the scale; rows: the place of each in the table."""
    refuse_truths(column, rows)
    if (missing := missing_rows(column)).any():
        row = int(rows[np.argmax(missing)]) + 1
        raise UserError(
            f"{int(missing.sum())} votes are not finite numbers, the first in row {row} of the "
            "votes, which is empty"
        )
    # Numbers, all finite.
    try:
        value = column.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise UserError(f"a vote is not a number: {error}") from error
    if bad := int((~np.isfinite(value)).sum()):
        row = int(rows[np.argmin(np.isfinite(value))]) + 1
        raise UserError(f"{bad} votes are not finite numbers, the first in row {row} of the votes")
    # Within the scale.
    outside = (value < scale[0]) | (value > scale[1])
    if outside.any():
        raise UserError(
            f"{int(outside.sum())} votes are outside the scale {scale[0]:g} to {scale[1]:g}, "
            f"the first is {value[outside][0]:.12g}"
        )
    return value


def _refuse_duplicates(
    codes: Mapping[str, np.ndarray], names: Mapping[str, tuple[str, ...]]
) -> None:
    axes = ("rater", "edit", "method", "question")
    shape = tuple(len(names[axis]) for axis in axes)
    key = np.ravel_multi_index(tuple(codes[axis] for axis in axes), shape)
    ordered = np.sort(key)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if len(twice):
        places = np.unravel_index(int(twice[0]), shape)
        what = ", ".join(
            f"{axis} {names[axis][int(at)]}" for axis, at in zip(axes, places, strict=True)
        )
        raise UserError(f"{len(twice)} votes are given twice, the first by {what}")


def _source_of_edit(
    codes: Mapping[str, np.ndarray], names: Mapping[str, tuple[str, ...]]
) -> np.ndarray:
    source = np.zeros(len(names["edit"]), np.int64)
    source[codes["edit"]] = codes["source"]
    wrong = source[codes["edit"]] != codes["source"]
    if wrong.any():
        edit = names["edit"][int(codes["edit"][wrong][0])]
        raise UserError(f"edit {edit} has more than one source; an edit is of one source")
    return source
