"""The tables of a report: what stands in them, and numbers as text. `reports.page` writes them.

Every cell is text, decided once, so that the page, Markdown and LaTeX agree to the digit. CSV files
carry the unrounded numbers instead.
"""

import hashlib
import math
import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from dreamix.core.wording import listed, plural
from evaluation.stats.intervals import Interval

NOTHING = "\N{EN DASH}"
APART = "\N{DAGGER}"
MANY = 5  # methods that are all named
LONGEST = 120  # characters; file systems take 255 bytes with the ending
ESCAPE = "@"


@dataclass(frozen=True)
class TableCell:
    """Text of one cell, and what a reader can ask of it."""

    main: str
    small: str = ""  # below or behind the main text: the interval, or why there is none
    hint: str = ""  # shown on hover
    best: bool = False
    mark: str = ""  # letters of significance, raised behind the main text
    prose: bool = False  # words that may take several lines


@dataclass(frozen=True)
class Head:
    """A column's name; `arrow` says which way is good, for a metric."""

    text: str
    arrow: str = ""
    hint: str = ""
    code: bool = False  # an identifier, to be set in a fixed-width face


@dataclass(frozen=True)
class TableRow:
    """One line: a method and its cells. Anchors are greyed."""

    label: str
    cells: tuple[TableCell, ...]
    anchor: bool = False


@dataclass(frozen=True)
class Table:
    """A table ready to be written in any format. `name` is its file name and its anchor."""

    name: str
    title: str
    caption: str
    head: tuple[Head, ...]
    rows: tuple[TableRow, ...]
    first: str = "method"  # what the labels of rows are


def table_of(
    name: str,
    title: str,
    caption: str,
    labels: Sequence[str],
    columns: Sequence[tuple[Head | str, Sequence[TableCell | str | int]]],
    *,
    first: str = "method",
    anchors: Container[str] = (),
) -> Table:
    """Return a table from its columns, each a head and what stands below it, label by label.

    Texts and counts become plain cells. anchors: labels of the rows that are greyed.
    """
    heads = tuple(Head(head) if isinstance(head, str) else head for head, _ in columns)
    cells = zip(*(column for _, column in columns), strict=True)
    rows = tuple(
        TableRow(label, tuple(map(_as_cell, line)), label in anchors)
        for label, line in zip(labels, cells, strict=True)
    )
    return Table(name, title, caption, heads, rows, first)


def prose_cell(text: str) -> TableCell:
    """Return the cell of words that may take several lines."""
    return TableCell(text, prose=True)


def _as_cell(shown: TableCell | str | int) -> TableCell:
    return shown if isinstance(shown, TableCell) else TableCell(str(shown))


def is_number(value: float | None) -> bool:
    """Return True for a finite number; None and NaN are none."""
    return value is not None and math.isfinite(value)


def interval_text(interval: Interval, digits: int) -> str:
    """Return "[low, high]", or why there is no interval."""
    if not is_number(interval.low):
        return "[one video]"
    return f"[{number(interval.low, digits)}, {number(interval.high, digits)}]"


def number(value: float, digits: int) -> str:
    """Return the number with fixed decimals and a real minus sign; a rounded zero has none."""
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


class Ends(Protocol):
    """A value with the ends of its interval."""

    @property
    def low(self) -> float:
        """Lower end, NaN without one."""

    @property
    def value(self) -> float:
        """The value, NaN without one."""

    @property
    def high(self) -> float:
        """Upper end, NaN without one."""


class Estimate(NamedTuple):
    """A value with the ends of its interval, where it has no class of its own."""

    low: float
    value: float
    high: float


def ends_cell(one: Ends, digits: int = 2, best: bool = False, why: str = "") -> TableCell:
    """Return the cell of a value with its interval below; why: there is none, where it is known."""
    if not is_number(one.value):
        return TableCell(NOTHING, hint=why or "not defined on these edits")
    return TableCell(number(one.value, digits), ends_text(one.low, one.high, digits), best=best)


def ends_text(low: float, high: float, digits: int = 2) -> str:
    """Return "[low, high]", or that there is none."""
    if not is_number(low):
        return "[no interval]"
    return f"[{number(low, digits)}, {number(high, digits)}]"


def bootstrap_cell(low: float, high: float, digits: int = 2) -> TableCell:
    """Return the cell of a second interval, which has no value of its own."""
    return TableCell("", ends_text(low, high, digits)) if is_number(low) else TableCell(NOTHING)


def plain_cell(value: float, digits: int = 2) -> TableCell:
    """Return the cell of a number."""
    return TableCell(number(value, digits) if is_number(value) else NOTHING)


BOOTSTRAP = Head("bootstrap", hint="interval of the two-way bootstrap")
HOLM = Head("p", hint="adjusted by Holm")


def p_text(p: float) -> str:
    """Return a p-value to three decimals."""
    if not is_number(p):
        return NOTHING
    return "<0.001" if p < 0.001 else number(p, 3)


def prose_digits(digits: int, *values: float) -> int:
    """Return decimals for a sentence: `digits`, but three significant digits of the largest."""
    size = max((abs(value) for value in values if is_number(value)), default=0.0)
    return min(digits, 2 - math.floor(math.log10(size))) if size else digits


def said(value: float, digits: int) -> str:
    """Return a number for a sentence; fewer than no decimals round to tens or hundreds."""
    return number(round(value, digits), max(digits, 0))


def said_interval(interval: Interval, digits: int) -> str:
    """Return "0.31 [0.23, 0.41]" for a sentence, of three significant digits at most."""
    digits = prose_digits(digits, *interval)
    mid = said(interval.mid, visible(interval.mid, digits))
    if not is_number(interval.low):
        return f"{mid} {interval_text(interval, digits)}"
    return f"{mid} [{said(interval.low, digits)}, {said(interval.high, digits)}]"


def visible(value: float, digits: int) -> int:
    """Return as many decimals as show that the value is not zero, at least `digits`."""
    while value and digits < 15 and round(value, digits) == 0:
        digits += 1
    return digits


def those(names: list[str]) -> str:
    """Return the names of a few methods, the number of many."""
    return listed(names) if len(names) <= MANY else plural(len(names), "method")


def file_name(name: str) -> str:
    """Return the name of a file without its ending, another one for every other name.

    Letters and digits of ASCII, hyphen, underscore and a single dot within stay; every other byte
    is written as @ and two digits. A long name is cut and ends with @@ and its hash.
    """
    safe = re.sub(r"[^A-Za-z0-9._-]|\A\.|\.\Z|\.(?=\.)", _escaped, name) or ESCAPE
    if len(safe) <= LONGEST:
        return safe
    return f"{safe[: LONGEST - 40]}{ESCAPE}{ESCAPE}{hashlib.sha256(_bytes(name)).hexdigest()[:32]}"


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"{ESCAPE}{byte:02X}" for byte in _bytes(found[0]))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
