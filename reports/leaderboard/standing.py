"""How methods stand in one column of a leaderboard: values, and who is shown to be ahead of whom.

A method counts as ahead of another where the paired test on common edits says so (Holm over all
pairs), and where no value that either lacks could turn it: with all gaps of the one at the worst,
or all of the other at the best, it is still ahead. Ranks follow from these pairs alone
(`evaluation.stats.rank_intervals`), so that they hold among any part of the methods too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, NamedTuple

import numpy as np
from annotated_types import Ge

from dreamix.core.typed import STRICT
from evaluation.stats.rank_intervals import rank_intervals
from reports.ground import means_over

Places = tuple[Annotated[int, Ge(0)], ...]
Numbers = tuple[float | None, ...]


class RankedValue(NamedTuple):
    """One method in a column."""

    value: float
    low: float | None
    high: float | None
    edits: int  # that the value is of
    place: int  # by the value alone, equal ones share it; 0 if not ranked
    best: int  # place that the method can have
    worst: int
    behind: tuple[str, ...]  # who is shown to be ahead of it


@dataclass(frozen=True)
class Standing:
    """Methods in one column; tuples are over the methods. None stands where there is no number."""

    __pydantic_config__ = STRICT
    methods: tuple[str, ...]
    values: Numbers
    lows: Numbers
    highs: Numbers
    edits: Places
    places: Places  # by the values, equal ones share one; 0 if not ranked
    ahead: tuple[Places, ...]  # positions of those that each is shown to be ahead of

    def __post_init__(self) -> None:
        """Check what types cannot say."""
        count = len(self.methods)
        lengths = {len(vars(self)[name]) for name in vars(self)}
        if lengths != {count} or any(k >= count for row in self.ahead for k in row):
            raise ValueError("every column of a standing should be as long as its methods")
        if (self._ahead & self._ahead.T).any():
            raise ValueError("of two methods one at most can be ahead")

    @property
    def _ahead(self) -> np.ndarray:
        found = np.zeros((len(self.methods),) * 2, bool)
        for place, others in enumerate(self.ahead):
            found[place, list(others)] = True
        return found

    def of(self, names: dict[str, str]) -> "Standing":
        """Return the standing of some methods under other names: ranks are then among these."""
        kept = [k for k, name in enumerate(self.methods) if name in names]
        at = {k: place for place, k in enumerate(kept)}
        picked = {
            name: tuple(vars(self)[name][k] for k in kept)
            for name in ("values", "lows", "highs", "edits", "places")
        }
        ahead = tuple(tuple(at[o] for o in self.ahead[k] if o in at) for k in kept)
        methods = tuple(names[self.methods[k]] for k in kept)
        return replace(self, methods=methods, ahead=ahead, **picked)._placed()

    def _placed(self) -> "Standing":
        """Return it with places that are counted among these methods."""
        ranked = sorted(place for place in self.places if place)
        return replace(self, places=tuple(p and 1 + ranked.index(p) for p in self.places))

    @cached_property
    def rows(self) -> dict[str, RankedValue]:
        """The methods that have a value, with the places that they can have among all."""
        ahead, ranked = self._ahead, np.array(self.places, int) > 0
        ends = rank_intervals(ahead, ranked)
        found = {}
        for k, (name, value) in enumerate(zip(self.methods, self.values, strict=True)):
            if value is not None:
                behind = tuple(self.methods[o] for o in np.flatnonzero(ahead[:, k] & ranked))
                found[name] = RankedValue(
                    value, self.lows[k], self.highs[k], self.edits[k], self.places[k],
                    int(ends.best[k]), int(ends.worst[k]), behind,
                )  # fmt: skip
        return found


def standing_of(
    methods: Sequence[str],
    ends: Sequence[tuple[float, float, float]],
    edits: list[int],
    places: list[int],
    ahead: np.ndarray,
) -> Standing:
    """Return a standing of arrays; ends: low, value and high of each method, NaN without."""

    def number(value: float) -> float | None:
        return float(value) if np.isfinite(value) else None

    lows, values, highs = (tuple(number(three[k]) for three in ends) for k in range(3))
    rows = tuple(tuple(np.flatnonzero(row).tolist()) for row in ahead)
    return Standing(tuple(methods), values, lows, highs, tuple(edits), tuple(places), rows)


def kept_leads(
    whole: np.ndarray,
    worst: np.ndarray,
    best: np.ndarray,
    near: float,
    sources: np.ndarray | None = None,
) -> np.ndarray:
    """Return whose lead no gap could turn, bool (methods, methods): the row over the column.

    The arguments are those of `reports.ground.standing`: float (methods, edits), more being better.
    """
    with_own = np.array([means_over(one - whole, sources) for one in worst]).reshape(
        (len(whole),) * 2
    )
    with_theirs = np.array([means_over(one - best, sources) for one in whole]).reshape(
        (len(whole),) * 2
    )
    return np.asarray((with_own > near) & (with_theirs > near), bool)
