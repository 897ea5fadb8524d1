"""Columns of an export: values of rows as numpy or pyarrow has them."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from study_app.plan import Item, Plan

Columns = dict[str, Any]


class Shown(NamedTuple):
    """The item that each row is about."""

    items: Sequence[Item]  # each once
    at: np.ndarray  # of each row: its place among them

    @classmethod
    def of(cls, plan: Plan, keys: Sequence[str]) -> "Shown":
        """Return the items of these keys."""
        place = {key: number for number, key in enumerate(plan.by_key)}
        return cls(list(plan.by_key.values()), np.array([place[key] for key in keys], np.int64))

    def column(self, of_item: Callable[[Item], Any]) -> np.ndarray:
        """Return what a function gives for the item of each row; it is asked once an item."""
        return np.array([of_item(item) for item in self.items], object)[self.at]


def of_items(shown: Shown) -> Columns:
    """Return what is asked of the clip in each row."""
    names = ("video", "edit", "category", "prompt")
    return {name: shown.column(attrgetter(name)) for name in names}


def taken(values: Any, at: np.ndarray) -> Any:
    """Return the values at these places."""
    if isinstance(values, pa.Array):
        return values.take(arrow(at))
    column = values if isinstance(values, np.ndarray) else np.array(values, object)
    return column[at]


def only(where: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return a column with nothing elsewhere."""
    column = values.copy()
    column[~where] = None
    return column


def arrow(values: Any, kind: pa.DataType | None = None) -> pa.Array:
    """Return a column of a table."""
    return values if isinstance(values, pa.Array) else pa.array(values, kind)


def floats(values: Sequence[float | None]) -> np.ndarray:
    """Return numbers with NaN for those that there are not."""
    return np.array([np.nan if value is None else value for value in values], float)


def counted(places: Sequence[int], many: int) -> np.ndarray:
    """Return how often each of 0 to many - 1 stands there."""
    return np.bincount(np.array(places, np.int64), minlength=many)


def passed(begin: np.ndarray, end: np.ndarray, unit: float) -> pa.Array:
    """Return the time between moments; nothing where the clock was set back meanwhile."""
    spent = (end - begin) / unit
    return rounded(np.where(spent < 0, np.nan, spent), 2)


def rounded(values: np.ndarray, digits: int) -> pa.Array:
    """Return numbers with so many digits behind the point, nothing in place of NaN."""
    return pa.array(np.round(values, digits), pa.float64(), from_pandas=True)
