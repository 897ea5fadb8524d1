"""Who rates what: balanced incomplete blocks in Williams order, with checks among their trials.

A trial is a cell, an edit by a method. Of the cells whose quota is open those with the fewest votes
come first, sources with many of them before others: then no source is left over at the end of a
round, and the votes of any two open cells differ by at most one as long as nobody drops out. The
methods follow a Williams design; a list departs from it only to fill a hole that somebody left.

The choice is a linear sum assignment of places to sources (scipy). In a Williams design (1949)
every method stands at every place, after every other, equally often: for an even number of methods
the rows of one square do it, for an odd number those of the square and of its mirror image.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

_VOTE = 1e4  # cost of one vote more than the least, squared with their number
_OTHER = 1e3  # of a method that was not its turn
_REMAINING = 10.0  # gain for every cell of the source that has the fewest votes as well
_NEVER = 1e9
_APART = 5  # trials at least between a trial and its repetition, if the list is long enough


def williams_rows(methods: int) -> list[list[int]]:
    """Return the rows of the Williams design, each a permutation of 0..methods - 1."""
    first = [0]
    while len(first) < methods:
        step = len(first)
        first.append((step + 1) // 2 if step % 2 else methods - step // 2)
    square = [[(number + shift) % methods for number in first] for shift in range(methods)]
    return square if methods % 2 == 0 else square + [row[::-1] for row in square]


def method_order(methods: int, length: int, number: int) -> list[int]:
    """Return the methods of a list of `length` trials, row after row of the Williams design.

    number: how many lists there were before; each list begins one row further on.
    """
    rows = williams_rows(methods)
    order: list[int] = []
    while len(order) < length:
        order += rows[number % len(rows)]
        number += 1
    return order[:length]


class DesignCell(NamedTuple):
    """What is rated: the edit of a source by a method."""

    source: str
    edit: str
    method: str


def next_block(
    votes: Mapping[DesignCell, int],
    *,
    quota: int,
    length: int,
    number: int,
    rng: np.random.Generator,
) -> list[DesignCell]:
    """Return the cells of the next list in the order of its trials, fewer if few are open.

    votes:  for every cell, the votes it has and those that are being given.
    quota:  votes at which a cell is closed.
    length: trials of a list; more than there are sources cannot be.
    number: how many lists there were before.
    """
    from scipy.optimize import linear_sum_assignment  # half a second, for who deals only

    open_cells = sorted(cell for cell, count in votes.items() if count < quota)
    if not open_cells:
        return []
    methods = sorted({cell.method for cell in votes})
    sources = sorted({cell.source for cell in open_cells})
    order = np.array(method_order(len(methods), length, number))
    best, cost = _candidates(open_cells, votes, sources, methods, rng)
    places = cost[None] + _OTHER * (order[:, None, None] != np.arange(len(methods)))
    chosen = places.argmin(axis=2)  # (places, sources): the method, should they meet
    least = places.min(axis=2) + rng.random((len(order), len(sources)))
    return [
        best[source, chosen[place, source]]
        for place, source in zip(*linear_sum_assignment(least), strict=True)
        if least[place, source] < _NEVER
    ]


def longest_list(videos: Sequence[str]) -> int:
    """Return how many trials a list can have, given the source of every edit.

    A list meets each source once. Longer ones than the share of the busiest source allows would let
    the votes of its edits lag behind for ever.
    """
    counts = Counter(videos)
    return len(videos) // max(counts.values()) if counts else 0


def _candidates(
    cells: Sequence[DesignCell],
    votes: Mapping[DesignCell, int],
    sources: Sequence[str],
    methods: Sequence[str],
    rng: np.random.Generator,
) -> tuple[dict[tuple[int, int], DesignCell], np.ndarray]:
    """Return the cell with the fewest votes of each (source, method), and its cost."""
    fewest = min(votes[cell] for cell in cells)
    best: dict[tuple[int, int], DesignCell] = {}
    cost = np.full((len(sources), len(methods)), 2 * _NEVER)
    remaining = np.zeros(len(sources))
    for index in rng.permutation(len(cells)):
        cell = cells[index]
        at = sources.index(cell.source), methods.index(cell.method)
        extra = votes[cell] - fewest
        remaining[at[0]] += extra == 0
        if _VOTE * extra**2 < cost[at]:
            best[at], cost[at] = cell, _VOTE * extra**2
    return best, cost - _REMAINING * remaining[:, None] * (cost == 0)


class ListPlace(NamedTuple):
    """One trial of a list: what kind, and the key of its item."""

    kind: str
    item: str


def insert_checks(
    ratings: Sequence[str],
    *,
    checks: Sequence[ListPlace],
    repeats: int,
    rng: np.random.Generator,
) -> list[ListPlace]:
    """Return the trials of a list in order.

    The ratings keep their order, which the design chose. Checks stand at random places, neither
    first nor last; repetitions of trials of the first half stand in the second.
    """
    found = [ListPlace("rating", key) for key in ratings]
    for key in _repeated(ratings, repeats, rng):
        earliest = found.index(ListPlace("rating", key)) + _APART + 1
        found.insert(_between(min(earliest, len(found)), len(found), rng), ListPlace("repeat", key))
    for check in checks:
        found.insert(_between(1, max(1, len(found) - 1), rng), check)
    return found


def _repeated(keys: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    half = list(keys[: len(keys) // 2])
    return [half[i] for i in rng.permutation(len(half))[:count]]


def _between(low: int, high: int, rng: np.random.Generator) -> int:
    return int(rng.integers(low, high + 1))
