"""Scores of metrics on edits that people rated: tables in, one table beside the ratings out."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple
from unicodedata import normalize

from dreamix.core.csv_reading import is_missing
from dreamix.core.errors import Mistakes, UserError
from dreamix.core.names import near_misses, shown, why_not_plain
from dreamix.core.spreadsheet import as_given, write_csv
from dreamix.core.wording import listed
from evaluation.gold.base import GatheredRatings, RatingScale
from evaluation.gold.files import table_rows
from evaluation.schema import LARGEST_SCORE

SCORES = "scores.csv"
COLUMNS = ("metric", "question", "better", "origin", "edit", "method", "value")
READ = (*COLUMNS, "part", "direction", "source", "seed")
ANY_NUMBER = RatingScale(-1.0, 1.0)  # of which only the reading of numbers is used
Better = Literal["higher", "lower"]
Item = tuple[str, str]  # edit, method


class GoldMetric(NamedTuple):
    """A metric on rated edits; an item without a value is one that it failed on."""

    name: str
    question: str  # that it is meant for; "" for any
    better: Better
    origin: str  # what computed it
    values: dict[Item, float]

    @property
    def key(self) -> tuple[str, str]:
        """What tells metrics apart: one may answer several questions."""
        return self.name, self.question


class Rated(NamedTuple):
    """What people rated, which scores have to be of."""

    edits: frozenset[str]
    methods: frozenset[str]
    questions: frozenset[str]


@dataclass(frozen=True)
class ScoreDefaults:
    """What a table of scores may leave out."""

    name: str = ""  # of its one metric
    question: str = ""
    better: Better | None = None
    lower: frozenset[str] = frozenset()  # metrics of which less is better
    origin: str = ""


@dataclass
class _Parts:
    """The values of a metric as they are read: an item may have several parts."""

    better: Better
    origin: str
    values: dict[Item, dict[str, float | None]] = field(default_factory=dict)


def read_scores(path: Path, rated: Rated, given: ScoreDefaults) -> list[GoldMetric]:
    """Return the metrics of a table: edit, method, value and, where there are several, metric.

    Where an item has several parts the smallest counts, and none where one is missing, as the
    authors of VIEScore take it.

    Raises:
        UserError: with all that is wrong.
    """
    found = GatheredRatings()
    names, lines = table_rows(path, found)
    lines = [(line, [normalize("NFC", as_given(cell)) for cell in cells]) for line, cells in lines]
    names = [name.lower() for name in names]
    _check_columns(path, names, given, found)
    metrics: dict[tuple[str, str], _Parts] = {}
    wrong: dict[str, list[int]] = {}
    for line, cells in lines:
        row = dict(zip(names, cells, strict=True))
        for why in _take(row, rated, given, metrics):
            wrong.setdefault(why, []).append(line)
    for why, where in wrong.items():
        more = f" ({len(where)} rows)" if len(where) > 1 else ""
        found.wrong(path, where[0], f"{why}{more}")
    if found.problems:
        raise Mistakes(sorted(found.problems, key=lambda one: one.line))
    if not metrics:
        raise UserError(f"{path} holds no score")
    read = [
        GoldMetric(name, question, parts.better, parts.origin, _smallest(parts))
        for (name, question), parts in metrics.items()
    ]
    check_names(read)
    if empty := sorted({one.name for one in read if not one.values}):
        raise UserError(f"{path} has no value of {listed(empty)}: leave it out")
    return read


def check_names(metrics: Iterable[GoldMetric]) -> None:
    """Raise a `UserError` where two metrics of a question bear one name."""
    seen: dict[str, set[str]] = {}
    for one in metrics:
        others = seen.setdefault(one.name, set())
        if one.question in others or (others and "" in {one.question, *others}):
            both = sorted(
                {one.question or "every question", *(o or "every question" for o in others)}
            )
            raise UserError(
                f"two metrics are called {one.name}, of {listed(both)}: call one otherwise"
            )
        others.add(one.question)


def _check_columns(
    path: Path, names: list[str], given: ScoreDefaults, found: GatheredRatings
) -> None:
    need = ["edit", "method", "value", *([] if given.name else ["metric"])]
    if missing := [name for name in need if name not in names]:
        raise UserError(f"{path} lacks the column {missing[0]}: it has {', '.join(names)}")
    for name in names:
        if name not in READ:
            found.wrong(path, 1, f"unknown column {shown(name)}; known are {', '.join(READ)}")


def _take(
    row: dict[str, str],
    rated: Rated,
    given: ScoreDefaults,
    metrics: dict[tuple[str, str], _Parts],
) -> Iterable[str]:
    """Put a row in its place; return what is wrong with it."""
    name, question = row.get("metric") or given.name, row.get("question") or given.question
    better = (row.get("better") or row.get("direction") or _better(name, given) or "").lower()
    number = ANY_NUMBER.grade(row["value"])
    wrong = [*_unknown(row, question, rated), *_no_number(row["value"], number)]
    if why := why_not_plain(name):
        wrong.append(f"metric {shown(name)} cannot name a file: {why}")
    if not better:
        wrong.append(f"no direction of {name}: --better higher, or lower, says which way is good")
    elif better not in ("higher", "lower"):
        wrong.append(f"direction {shown(better)} of {name} should be higher or lower")
    if wrong:
        return wrong
    origin = row.get("origin") or row.get("source") or given.origin
    side: Better = "higher" if better == "higher" else "lower"
    parts = metrics.setdefault((name, question), _Parts(side, origin))
    if parts.better != side:
        return [f"{name} is {parts.better} is better above and {side} is better here"]
    of_item = parts.values.setdefault((row["edit"], row["method"]), {})
    part = f"{row.get('part', '')} {row.get('seed', '')}"
    if part in of_item:
        return [f"{name} of {shown(row['edit'])} by {row['method']} stands twice"]
    of_item[part] = number
    return []


def _no_number(text: str, number: float | None) -> Iterable[str]:
    """Yield what is wrong with a value; one that is missing is none."""
    if number is None and not is_missing(text):
        yield f"{shown(text)} is no number"
    elif number is not None and not abs(number) <= LARGEST_SCORE:
        yield f"{shown(text)} is beyond {LARGEST_SCORE:g}"


def _better(name: str, given: ScoreDefaults) -> str | None:
    return "lower" if name in given.lower else given.better


def _unknown(row: dict[str, str], question: str, rated: Rated) -> Iterable[str]:
    """Yield what a row is of that nobody rated."""
    for kind, text, known in (
        ("edit", row["edit"], rated.edits),
        ("method", row["method"], rated.methods),
        ("question", question, rated.questions | {""}),
    ):
        if text not in known:
            yield f"no {kind} {shown(text)} was rated{near_misses(text, sorted(known))}"


def _smallest(parts: _Parts) -> dict[Item, float]:
    """Return the value of every item that has all of its parts."""
    return {
        item: min(value for value in of_item.values() if value is not None)
        for item, of_item in parts.values.items()
        if None not in of_item.values()
    }


def write_scores(folder: Path, metrics: Iterable[GoldMetric]) -> None:
    """Write the table of scores of a folder of gold data, whole or not at all."""
    rows = [
        dict(
            zip(
                COLUMNS,
                (one.name, one.question, one.better, one.origin, *item, value),
                strict=True,
            )
        )
        for one in metrics
        for item, value in one.values.items()
    ]
    write_csv(folder / SCORES, COLUMNS, rows)
