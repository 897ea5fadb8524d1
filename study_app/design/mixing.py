"""Where checks and repeats stand among the trials of a list."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

_APART = 5  # trials at least between a trial and its repetition, if the list is long enough


class Place(NamedTuple):
    """One trial of a list: what kind, and the key of its item."""

    kind: str
    item: str


def mixed(
    ratings: Sequence[str],
    *,
    checks: Sequence[Place],
    repeats: int,
    rng: np.random.Generator,
) -> list[Place]:
    """Return the trials of a list in order.

    The ratings keep their order, which the design chose. Checks stand at random places, neither
    first nor last; repetitions of trials of the first half stand in the second.
    """
    found = [Place("rating", key) for key in ratings]
    for key in _repeated(ratings, repeats, rng):
        earliest = found.index(Place("rating", key)) + _APART + 1
        found.insert(_between(min(earliest, len(found)), len(found), rng), Place("repeat", key))
    for check in checks:
        found.insert(_between(1, max(1, len(found) - 1), rng), check)
    return found


def _repeated(keys: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    half = list(keys[: len(keys) // 2])
    return [half[i] for i in rng.permutation(len(half))[:count]]


def _between(low: int, high: int, rng: np.random.Generator) -> int:
    return int(rng.integers(low, high + 1))
