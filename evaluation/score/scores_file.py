"""A table of scores that were computed elsewhere, read beside the run that they are of.

Columns edit, method, metric, value, direction and source; if wanted seed, axis and reason (why
there is no value). All that is wrong is said at once: a row that cannot be placed, a score that
stands twice, a metric of which rows say different things.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import NamedTuple, cast, get_args

from dreamix.core.csv_reading import is_missing, seed_of, table_rows
from dreamix.core.errors import Mistakes, Problem, UserError
from dreamix.core.media import sha256_file
from dreamix.core.names import near_misses, shown, why_not_plain
from dreamix.core.records import to_json
from dreamix.core.wording import listed, plural
from evaluation.metrics.base import METRICS, Better
from evaluation.run.elsewhere import ImportInfo
from evaluation.run.folder import RunFolder
from evaluation.schema import AXES, LARGEST_SCORE, Axis, Cell

NEEDED = ("edit", "method", "metric", "value", "direction", "source")
OPTIONAL = ("seed", "axis", "reason")
CLAIMS = ("direction", "source", "axis")  # what all rows of a metric say alike, or leave empty
SUSPECT = -1.0  # what some programs write for no score
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
MOST_TEXT = 500  # letters of a source or a reason
MOST_PROBLEMS, MOST_HINTS = 10_000, 50  # mistakes, and those that are compared with what there is
NOBODYS = "other"  # the axis of a metric of which the table gives none


class ReadMetric(NamedTuple):
    """A metric of a table of scores."""

    name: str
    better: Better
    axis: Axis
    source: str  # what computed it
    values: dict[Cell, float | str]  # a text is the reason why there is no value


class ScoresFile(NamedTuple):
    """What a table of scores holds."""

    path: Path
    sha256: str
    missing: tuple[float, ...]  # numbers that stand for no score
    metrics: dict[str, ReadMetric]

    def info(self, metric: ReadMetric, place: str) -> ImportInfo:
        """Return what a run keeps of where a metric comes from; place: seen from its folder."""
        return ImportInfo(metric.source, self.path.name, place, self.sha256, self.missing)


def imported_definition(name: str, better: Better, axis: str, told: ImportInfo) -> str:
    """Return a hash of what the number means: all that is known is who says it, and where."""
    known = [name, better, axis, told.source, told.sha256, told.missing]
    return hashlib.sha256(to_json(["imported", *known]).encode()).hexdigest()[:12]


def read_scores_file(
    path: Path, run: RunFolder, missing: Iterable[float] | None = None
) -> ScoresFile:
    """Return the scores in a table, each with its place in the run.

    missing: numbers that stand for no score; None if nobody said.

    Raises:
        UserError: with all that is wrong.
    """
    known = None if missing is None else tuple(sorted(set(missing)))
    reading = _Reading(path, run, known)
    for line, row in table_rows(
        path, NEEDED, OPTIONAL, reading.wrong, empty=NEEDED[3:], numbers=("value",)
    ):
        reading.take(line, row)
    metrics = reading.found()
    return ScoresFile(path, sha256_file(path), known or (), {one.name: one for one in metrics})


@dataclass
class _Column:
    """The rows of one metric."""

    line: int  # of the first
    values: dict[Cell, float | str] = field(default_factory=dict)
    lines: dict[Cell, int] = field(default_factory=dict)
    claims: dict[str, dict[str, int]] = field(default_factory=dict)  # column -> text -> first line


class _Reading:
    """Takes rows, and notes what is wrong with them."""

    def __init__(self, path: Path, run: RunFolder, missing: tuple[float, ...] | None) -> None:
        self._path, self._missing = path, missing
        self._seeds = {label: method.seeds for label, method in run.info.methods.items()}
        self._known = {"edit": set(run.info.edits), "method": set(self._seeds)}
        self._columns: dict[str, _Column] = {}
        self._unknown: dict[tuple[str, str], list[int]] = {}  # kind, name -> first line, rows
        self._problems: list[Problem] = []

    def wrong(self, line: int, why: str) -> None:
        """Note a mistake; with thousands of them the rest is not looked for."""
        self._problems.append(Problem(str(self._path), line, why))
        if len(self._problems) >= MOST_PROBLEMS:
            raise Mistakes(self._problems)

    def take(self, line: int, row: dict[str, str]) -> None:
        """Put a row into the column of its metric."""
        column = self._columns.setdefault(row["metric"], _Column(line))
        for name in CLAIMS:
            if told := row.get(name, ""):
                told = told if name == "source" else told.lower()
                column.claims.setdefault(name, {}).setdefault(told, line)
        value = self._value(line, row)
        cell = self._cell(line, row)
        if value is None or cell is None:
            return
        if before := column.lines.get(cell):
            spelled = f"{cell.method}, {cell.edit}, seed {cell.seed}"
            self.wrong(line, f"{row['metric']} of {spelled} stands in line {before} already")
        column.values.setdefault(cell, value)
        column.lines.setdefault(cell, line)

    def found(self) -> list[ReadMetric]:
        """Return the metrics.

        Raises:
            UserError: with all that is wrong.
        """
        metrics = [self._metric(name, column) for name, column in self._columns.items()]
        for number, ((kind, name), (line, rows)) in enumerate(self._unknown.items()):
            known = sorted(self._known.get(kind, ())) if number < MOST_HINTS else []
            hint = near_misses(name, known)
            self.wrong(line, f"the run has no {kind} {shown(name)}{hint} ({plural(rows, 'row')})")
        self._check_names()
        if self._problems:
            raise Mistakes(sorted(self._problems, key=lambda one: one.line))
        if not metrics:
            raise UserError(f"{self._path} holds no scores")
        return [one for one in metrics if one]

    def _cell(self, line: int, row: dict[str, str]) -> Cell | None:
        """Return the cell of a row; None, with what is wrong noted, if the run has none such."""
        method, edit = row["method"], row["edit"]
        names = {"edit": edit, "method": method}
        unknown = [(kind, name) for kind, name in names.items() if name not in self._known[kind]]
        seed = None if "method" in dict(unknown) else self._seed(line, row)
        if seed is not None and seed not in self._seeds[method]:
            unknown.append((f"seed of {method}:", str(seed)))
        for kind, name in unknown:
            self._unknown.setdefault((kind, name), [line, 0])[1] += 1
        return None if unknown or seed is None else Cell(method, edit, seed)

    def _seed(self, line: int, row: dict[str, str]) -> int | None:
        seeds, text = self._seeds[row["method"]], row.get("seed", "")
        if not text and len(seeds) == 1:
            return seeds[0]
        if not text:
            self.wrong(line, f"the run has {len(seeds)} seeds of {row['method']}: name one")
            return None
        try:
            return seed_of(text, "")
        except UserError as error:
            self.wrong(line, str(error).removeprefix(": "))
            return None

    def _value(self, line: int, row: dict[str, str]) -> float | str | None:
        """Return the value of a row, or why it has none; None if it is neither."""
        text, reason = row["value"], row.get("reason", "")[:MOST_TEXT]
        if is_missing(text):
            return reason or f"no score in line {line} of {self._path.name}"
        number = float(text) if NUMBER.fullmatch(text) else float("nan")
        if not abs(number) <= LARGEST_SCORE:
            what = "a finite number, written as 0.5" if not isfinite(number) else "below 1e100"
            self.wrong(line, f"value {shown(text)} is not {what}")
            return None
        if number in (self._missing or ()):
            return reason or f"{text} in line {line} of {self._path.name}, which means no score"
        if reason:
            self.wrong(line, f"there is a value, {text}, and a reason why there is none")
        return number

    def _metric(self, name: str, column: _Column) -> ReadMetric | None:
        """Return a metric; None, with what is wrong noted, if its rows contradict each other."""
        said = {claim: self._claim(name, column, claim) for claim in CLAIMS}
        self._check_minus_one(name, column)
        for claim, allowed in (("direction", get_args(Better)), ("axis", AXES)):
            if said[claim] not in ("", *allowed):
                line = column.claims[claim][said[claim]]
                self.wrong(
                    line, f"{claim} {shown(said[claim])} of {name} is none of {listed(allowed)}"
                )
        for claim in ("direction", "source"):
            if claim not in column.claims:
                self.wrong(column.line, f"no row of {name} has a {claim}")
        better, axis = cast(Better, said["direction"]), cast(Axis, said["axis"] or NOBODYS)
        return ReadMetric(name, better, axis, said["source"][:MOST_TEXT], column.values)

    def _claim(self, name: str, column: _Column, claim: str) -> str:
        """Return what the rows of a metric say of it."""
        first, *others = [*column.claims.get(claim, {"": 0}).items()]
        for told, line in others:
            self.wrong(
                line,
                f"{claim} of {name} is {shown(told)} here and {shown(first[0])} in line {first[1]}",
            )
        return first[0]

    def _check_minus_one(self, name: str, column: _Column) -> None:
        """Note where -1 stands among numbers of which no other is below 0, and nobody said why."""
        numbers = [value for value in column.values.values() if isinstance(value, float)]
        if self._missing is not None or SUSPECT not in numbers:
            return
        if all(value >= 0 for value in numbers if value != SUSPECT) and set(numbers) != {SUSPECT}:
            cell = next(cell for cell, value in column.values.items() if value == SUSPECT)
            count = numbers.count(SUSPECT)
            self.wrong(
                column.lines[cell],
                f"{name} is -1 in {plural(count, 'row')} and 0 or more in all others: say "
                "--missing=-1 if that means no score, --missing=none if it is one",
            )

    def _check_names(self) -> None:
        """Note metrics whose names cannot be, or are those of ours."""
        ours = {name.casefold(): name for name in METRICS.names()}
        seen: dict[str, str] = {}
        for name, column in self._columns.items():
            before = seen.setdefault(name.casefold(), name)
            if why := why_not_plain(name):
                self.wrong(column.line, f"{shown(name)} cannot name a metric: {why}")
            elif name.casefold() in ours:
                self.wrong(column.line, f"{name} is a metric of ours; call this one differently")
            elif name.casefold() in AXES or name.casefold().startswith("composite."):
                self.wrong(column.line, f"{name} means something here; call this one differently")
            elif before != name:
                self.wrong(column.line, f"{name} and {before} differ only by case")
