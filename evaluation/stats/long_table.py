"""Long tables of a study's answers: columns as arrays, rows that count, labels as indices."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from dreamix.core.errors import UserError


class LeftOut(NamedTuple):
    """Rows that are not among the votes, counted."""

    excluded: int  # of raters that were excluded
    checks: int  # whose kind is not `rating`: training, traps, gold, repeats


def columns_of(table: Mapping[str, Any], wanted: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the columns as arrays of one length, `video` under the name `source` too.

    Raises:
        UserError: for a column that is wanted and missing, and for lengths that differ.
    """
    columns = {str(name): column_of(table[name]) for name in table}
    if "source" not in columns and "video" in columns:
        columns["source"] = columns["video"]
    if missing := [name for name in wanted if name not in columns]:
        raise UserError(f"the ratings have no column {', '.join(missing)}")
    if deep := [name for name, column in columns.items() if column.ndim != 1]:
        raise UserError(f"column {deep[0]} of the ratings is not one row of entries")
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise UserError(f"columns of the ratings differ in length: {lengths}")
    return columns


def column_of(values: Any) -> np.ndarray:
    """Return a column as an array whose entries are what they were.

    A plain list of 1, "a" and NaN would be three texts to numpy: a missing label would be a name.
    """
    if isinstance(values, np.ma.MaskedArray):  # what is masked is missing, not what lies below
        values = values.tolist()
    if hasattr(values, "__array__"):
        return np.asarray(values)
    entries = list(values)
    column = np.empty(len(entries), dtype=object)
    for place, entry in enumerate(entries):  # at once, numpy would take entries apart
        column[place] = entry
    return column


def missing_rows(labels: np.ndarray) -> np.ndarray:
    """Return which labels are missing (bool): None, NaN, NA, NaT, or a text of nothing."""
    return _missing(*_factorize(labels))


def _missing(codes: np.ndarray, names: Any) -> np.ndarray:
    """Return which labels are missing (bool), by their places among the distinct ones."""
    blank = np.array([isinstance(n, str) and not n.strip() for n in names] + [True], dtype=bool)
    return np.asarray(blank[codes])  # -1 is the last


def _factorize(labels: np.ndarray) -> tuple[np.ndarray, Any]:
    """Return the place of each label among the distinct ones (-1 where it is missing), and those.

    True and 1 are equal to Python: beside each other they raise UserError, as do lists.
    """
    import pandas as pd

    try:
        codes, names = pd.factorize(pd.Series(labels))
    except TypeError as error:
        raise UserError(f"an entry of the ratings is no single value: {error}") from error
    whole, truth = int | np.integer | np.bool_, bool | np.bool_
    mixed = labels.dtype == object and any(isinstance(name, whole) for name in names)
    if mixed and len({isinstance(one, truth) for one in labels if isinstance(one, whole)}) > 1:
        raise UserError("true or false stands among whole numbers; write them one way")
    return codes, names


def distinct(labels: object, axis: str, of: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the sorted distinct labels and, for each given one, its place among them.

    Raises:
        UserError: for a label that is missing, and for labels of several types (1 and "1"); it
            names the `axis` they are on and what each is a label `of`.
    """
    given = column_of(labels)
    if given.dtype.kind not in "iub" and (missing := missing_rows(given)).any():
        raise UserError(f"{of} {int(np.argmax(missing)) + 1} has no {axis}")
    try:
        found, member = np.unique(given, return_inverse=True)
    except TypeError as error:
        raise UserError(f"labels of {axis} are of several types; write them one way") from error
    return found, member


def refuse_truths(column: np.ndarray, rows: np.ndarray) -> None:
    """Raise UserError where a vote is true or false: it is an answer, and no number."""
    if column.dtype == bool:
        first = 0
    elif column.dtype == object:
        truths = np.array([isinstance(value, bool | np.bool_) for value in column], dtype=bool)
        if not truths.any():
            return
        first = int(np.argmax(truths))
    else:
        return
    raise UserError(
        f"row {rows[first] + 1} of the votes has {column[first]} for a value; a vote is a number, "
        "so say which numbers true and false stand for"
    )


def rows_kept(columns: dict[str, np.ndarray], keep_excluded: bool) -> tuple[np.ndarray, LeftOut]:
    """Return which rows are votes (bool) and how many are not; UserError if none is."""
    rows = len(columns["value"])
    is_vote = np.ones(rows, bool)
    if "kind" in columns:
        if (missing := missing_rows(columns["kind"])).any():
            raise UserError(f"row {int(np.argmax(missing)) + 1} of the votes has no kind")
        is_vote = np.array([kind == "rating" for kind in columns["kind"]], bool)
    excluded = flags_of(columns, "excluded") & is_vote
    keep = is_vote if keep_excluded else is_vote & ~excluded
    left_out = LeftOut(0 if keep_excluded else int(excluded.sum()), int(rows - is_vote.sum()))
    if not keep.any():
        raise UserError(
            f"no vote is left of {rows} rows: {left_out.excluded} are of excluded raters, "
            f"{left_out.checks} are no ratings"
        )
    return keep, left_out


def flags_of(columns: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """Return a column of true and false (bool), also one read as text; absent, all false."""
    if name not in columns:
        return np.zeros(len(columns["value"]), bool)
    if columns[name].dtype == bool:
        return columns[name]
    texts, which = np.unique(columns[name].astype(str), return_inverse=True)
    known = {"true": True, "false": False, "1": True, "0": False}
    if strange := [str(text) for text in texts if text.lower() not in known]:
        raise UserError(f"column {name} holds {strange[0]!r}; it can hold true and false")
    return np.array([known[text.lower()] for text in texts], bool)[which]


def codes_of(
    axis: str, labels: np.ndarray, rows: np.ndarray | None = None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return an index for each label, and the sorted names the indices stand for.

    rows: the place of each label in the table, for messages; left out, the labels are all of it.

    Raises:
        UserError: for a label that is missing, and for two that read the same (1 and "1").
    """
    codes, names = _factorize(labels)
    missing = _missing(codes, names)
    if missing.any():
        place = int(np.argmax(missing))
        row = place if rows is None else int(rows[place])
        raise UserError(f"row {row + 1} of the votes has no {axis}")
    # Sort labels as texts; two that read the same are a mistake.
    texts = np.array([str(name) for name in names])
    order = np.argsort(texts, kind="stable")
    alike = texts[order][:-1][texts[order][1:] == texts[order][:-1]]
    if len(alike):
        raise UserError(
            f"two labels of {axis} read the same: {str(alike[0])!r} stands there as a text and as "
            "another type; write them one way"
        )
    # Number labels in that order.
    place_of = np.empty(len(order), np.int64)
    place_of[order] = np.arange(len(order))
    return place_of[codes], tuple(str(text) for text in texts[order])


def raters_by_votes(
    rater: np.ndarray, raters: int, on: np.ndarray, value: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the raters numbered by what they answered (votes,), and the old number of each.

    A pseudonym says nothing, so it must not decide which rater a random draw meets: the same votes
    under other pseudonyms give the same results. Two who answered the same on the same are nobody
    different to a draw, and keep the order of their old numbers; who said nothing comes last.

    rater: int (votes,), below raters. on, value: int and float (votes,): what a rater was asked,
    once each, and the answer.
    """
    order = np.argsort(rater * (int(on.max()) + 1) + on)
    rows = np.stack([on[order].astype(np.float64), value[order]], axis=1)
    starts = np.flatnonzero(np.diff(rater[order], prepend=-1))
    said = dict(zip(rater[order][starts], np.split(rows, starts[1:]), strict=True))
    keys = [said[one].tobytes() if one in said else b"" for one in range(raters)]
    old = np.array(sorted(range(raters), key=lambda one: (not keys[one], keys[one])))
    new = np.empty_like(old)
    new[old] = np.arange(raters)
    return new[rater], old
