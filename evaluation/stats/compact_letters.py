"""Letters that say which methods differ: two methods share one exactly if they do not differ.

The compact letter display of a set of pairwise tests, by insert and absorb (Piepho, An algorithm
for a letter-based representation of all-pairwise comparisons, Journal of Computational and
Graphical Statistics 13 (2004)): one column that holds everyone is split at every pair that differs,
and a column that lies within another is absorbed by it.
"""

from collections.abc import Sequence
from string import ascii_lowercase, ascii_uppercase

import numpy as np

ALPHABET = ascii_lowercase + ascii_uppercase
Column = frozenset[int]


def compact_letters(different: np.ndarray, order: Sequence[int]) -> list[str]:
    """Return the letters of each method, "" for one that is not in `order`.

    different: bool (methods, methods), symmetric: whether a pair differs significantly.
    order:     places of the methods, best first: `a` goes to a group with the best one, and so on.

    A pair that could not be tested is not shown to differ, and shares a letter.
    """
    different = np.asarray(different, bool)
    if different.shape != different.T.shape or (different != different.T).any():
        raise ValueError("a pair that differs one way differs the other way")
    columns: list[Column] = [frozenset(order)] if len(order) else []
    for place, first in enumerate(order):
        for second in order[place + 1 :]:
            if different[first, second]:
                columns = _absorbed(_split(columns, first, second))
    ranked = _ranked(columns, order)
    return [
        "".join(_letter(k) for k, column in enumerate(ranked) if method in column)
        for method in range(len(different))
    ]


def letters_of_tests(p: np.ndarray, alpha: float, order: Sequence[int]) -> list[str]:
    """Return the letters of methods that differ where p is below alpha; "" if nothing was tested.

    p:     float (methods, methods), both halves or one of them; NaN is a pair without a test.
    order: as `compact_letters`.
    """
    if not np.isfinite(p).any():
        return [""] * len(p)
    below = np.nan_to_num(p, nan=1.0) < alpha
    return compact_letters(below | below.T, order)


def _split(columns: list[Column], first: int, second: int) -> list[Column]:
    """Return the columns with none that holds both: each such one without the one or the other."""
    found = []
    for column in columns:
        if {first, second} <= column:
            found += [column - {second}, column - {first}]
        else:
            found.append(column)
    return found


def _absorbed(columns: list[Column]) -> list[Column]:
    """Return the columns that lie within no other, each once."""
    distinct = list(dict.fromkeys(columns))
    return [one for one in distinct if not any(one < other for other in distinct)]


def _ranked(columns: list[Column], order: Sequence[int]) -> list[Column]:
    """Return the columns in the order of their members, best first."""
    rank = {method: place for place, method in enumerate(order)}
    return sorted(columns, key=lambda column: sorted(rank[method] for method in column))


def _letter(place: int) -> str:
    return ALPHABET[place] if place < len(ALPHABET) else f"({place + 1})"
