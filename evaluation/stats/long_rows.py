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

    A column that is wanted and missing, or lengths that differ, raise UserError.
    """
    columns = {str(name): np.asarray(table[name]) for name in table}
    if "source" not in columns and "video" in columns:
        columns["source"] = columns["video"]
    if missing := [name for name in wanted if name not in columns]:
        raise UserError(f"the ratings have no column {', '.join(missing)}")
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise UserError(f"columns of the ratings differ in length: {lengths}")
    return columns


def rows_kept(columns: dict[str, np.ndarray], keep_excluded: bool) -> tuple[np.ndarray, LeftOut]:
    """Return which rows are votes (bool) and how many are not; UserError if none is."""
    rows = len(columns["value"])
    is_vote = np.ones(rows, bool)
    if "kind" in columns:
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


def codes_of(axis: str, labels: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return an index for each label, and the sorted names the indices stand for.

    A label that is missing, or two that read the same (1 and "1"), raise UserError.
    """
    import pandas as pd

    codes, names = pd.factorize(pd.Series(labels))
    if (codes < 0).any():
        raise UserError(f"row {int(np.argmax(codes < 0)) + 1} of the votes has no {axis}")
    texts = np.array([str(name) for name in names])
    order = np.argsort(texts, kind="stable")
    if len(set(texts)) < len(texts):
        raise UserError(f"two labels of {axis} read the same: {sorted(texts)[:3]} ...")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return place[codes], tuple(str(text) for text in texts[order])
