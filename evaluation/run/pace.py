"""How far a run is, and how long it will take when some cells cost nothing and others minutes."""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from statistics import fmean
from typing import NamedTuple

from dreamix.core.progress import TimedProgress
from evaluation.schema import Cell


class CellDone(NamedTuple):
    """Message of a worker: a cell is made, or was tried."""

    cell: Cell
    seconds: float  # wall time, with writing the clip


class Note(NamedTuple):
    """Message of a worker: what it does now."""

    text: str


class Kind(NamedTuple):
    """Cells that cost about the same: the first of a unit may finetune for all that follow."""

    method: str
    first: bool


class ProgressTracker:
    """Counts the cells of `units` as they get done and keeps `progress` up to date.

    slow: methods that need a model; one that was not measured yet is taken to cost what the
    measured ones of its sort do.
    """

    def __init__(
        self,
        units: Sequence[Sequence[Cell]],
        slow: Collection[str],
        workers: int,
        progress: TimedProgress | None,
    ) -> None:
        self.kinds = {cell: kind for unit in units for cell, kind in _kinds(unit)}
        self.waiting = Counter(self.kinds.values())
        self.seconds: defaultdict[Kind, list[float]] = defaultdict(list)
        self.slow, self.progress = slow, progress
        self.workers = max(1, min(workers, len(units)))
        self.note = ""

    def update(self, message: CellDone | Note) -> None:
        """Take a message of a worker and pass on where the run stands."""
        if isinstance(message, Note):
            self.note = message.text
        else:
            kind = self.kinds[message.cell]
            self.waiting[kind] -= 1
            self.seconds[kind].append(message.seconds)
        if self.progress:
            done = len(self.kinds) - self.waiting.total()
            self.progress(done, len(self.kinds), self.left(), self.note)

    def left(self) -> float:
        """Return the seconds still to go, NaN as long as nothing is known of a sort of method."""
        costs = (count * self._cost(kind) for kind, count in self.waiting.items() if count)
        return sum(costs) / self.workers

    def _cost(self, kind: Kind) -> float:
        """Return the mean of the cells most like this one."""
        alike = [other for other in self.seconds if self._is_slow(other) == self._is_slow(kind)]
        fallbacks = (
            [kind],
            [other for other in alike if other.method == kind.method],
            [other for other in alike if other.first == kind.first],
            alike,
        )
        found = ([s for k in group for s in self.seconds.get(k, ())] for group in fallbacks)
        return next((fmean(seconds) for seconds in found if seconds), math.nan)

    def _is_slow(self, kind: Kind) -> bool:
        return kind.method in self.slow


def _kinds(unit: Sequence[Cell]) -> list[tuple[Cell, Kind]]:
    """Return the cells of a unit, each with its kind."""
    methods = [cell.method for cell in unit]
    return [
        (cell, Kind(cell.method, methods.index(cell.method) == i)) for i, cell in enumerate(unit)
    ]
