"""Choices between pairs by people: long rows in, index arrays for `strengths` out."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from dreamix.core.errors import UserError
from evaluation.stats.long_table import (
    LeftOut,
    codes_of,
    columns_of,
    flags_of,
    raters_by_votes,
    refuse_truths,
    rows_kept,
)

AXES = ("rater", "source", "edit", "method_left", "method_right", "question", "value")


class ChoiceRows(NamedTuple):
    """Choices on one question as index arrays (choices,), and the names of the methods."""

    left: np.ndarray  # int, into methods
    right: np.ndarray  # int, into methods
    outcome: np.ndarray  # int: -1 left, 0 no difference, 1 right
    methods: Sequence[str]
    rater: np.ndarray  # int
    source: np.ndarray  # int
    simulated: bool = False
    left_out: LeftOut = LeftOut(0, 0)  # over all questions


def read_choices(
    table: Mapping[str, Any], question: str, *, keep_excluded: bool = False
) -> ChoiceRows:
    """Return the choices on one question of a long table of a pairwise study, checked.

    table: columns by name: rater, source (or video), edit, method_left, method_right, question,
           value; where there are such, excluded, simulated, and kind (`rating` counts).

    Raises UserError, one line each: a column or label is missing, no choice is left, a value is not
    -1, 0 or 1, the question is unknown, a rater chose twice between the same two edits.
    """
    columns = columns_of(table, AXES)
    keep, left_out = rows_kept(columns, keep_excluded)
    # Rows of this question.
    known, names = codes_of("question", columns["question"][keep], np.flatnonzero(keep))
    if question not in names:
        raise UserError(f"no question {question!r}; there are {', '.join(names)}")
    at = np.flatnonzero(keep)[known == names.index(question)]
    # Codes of methods, of both sides together, and of the other axes.
    sides = np.concatenate([columns["method_left"][at], columns["method_right"][at]])
    both, methods = codes_of("method", sides, np.tile(at, 2))
    found = {axis: codes_of(axis, columns[axis][at], at) for axis in ("rater", "source", "edit")}
    codes = {axis: code for axis, (code, _) in found.items()}
    left, right = both[: len(at)], both[len(at) :]
    # Checks of what the rows say.
    _refuse_duplicates(codes["rater"], codes["edit"], left, right)
    simulated = bool((flags_of(columns, "simulated") & keep).any())
    refuse_truths(columns["value"][at], at)
    outcome = _outcomes(columns["value"][at])
    pair = (codes["edit"] * len(methods) + left) * len(methods) + right
    raters = len(found["rater"][1])
    rater, _ = raters_by_votes(codes["rater"], raters, pair, outcome.astype(np.float64))
    return ChoiceRows(left, right, outcome, methods, rater, codes["source"], simulated, left_out)


def _outcomes(values: np.ndarray) -> np.ndarray:
    wrong = [value for value in values.tolist() if value not in (-1, 0, 1)]
    if wrong:
        raise UserError(
            f"{len(wrong)} choices are not -1 (left), 0 (no difference) or 1 (right), "
            f"the first is {wrong[0]!r}"
        )
    return values.astype(np.int64)


def _refuse_duplicates(
    rater: np.ndarray, edit: np.ndarray, left: np.ndarray, right: np.ndarray
) -> None:
    rows = np.stack([rater, edit, np.minimum(left, right), np.maximum(left, right)], axis=1)
    twice = len(rows) - len(np.unique(rows, axis=0))
    if twice:
        raise UserError(f"{twice} choices are given twice by a rater about the same two edits")
