"""CSV that no spreadsheet takes for formulas, whatever it holds for the separator.

Quotes do not help where another separator is meant: in `1,"a;=1+1"` read with `;` they stand within
a cell, and `=1+1` is the next. So an apostrophe goes before every character that begins a formula
wherever a cell could begin: at the start, after a separator and after a blank. `as_given` takes it
away again, and nothing else. The characters are those of OWASP's page on CSV injection.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, overload

from dreamix.core.records import write_whole

_BEGINS = r"[=+\-@\uff1d\uff0b\uff0d\uff20]"  # the last four are the full-width ones
_APART = r"[,;:|^~&#!\x00-\x1f\x85\u2028\u2029]"
_BLANK = r"[\s\u200b\u2060\ufeff]"
_UNSEEN = r"[\s\x00-\x1f\u200b\u2060\ufeff\"]*"  # what a program may skip before a formula
# Where an apostrophe is wanted: a place before it, and what follows it.
_PLACES = (
    (r"(?:\A)", r"(?='*[\t\r\n])"),
    (rf"(?:\A|{_APART}){_UNSEEN}", rf"(?='*{_BEGINS})"),
    (rf"{_BLANK}\"*", rf"(?='*{_BEGINS}(?:\S|\Z))"),
)
_BARE = re.compile("|".join(f"{before}{after}" for before, after in _PLACES))
_GUARDED = re.compile("|".join(f"{before}'{after}" for before, after in _PLACES))

T = TypeVar("T")


@overload
def harmless(value: str) -> str: ...
@overload
def harmless(value: T) -> T: ...
def harmless(value: object) -> object:
    """Return a text such that no part of it is a formula in a cell; another value as it is."""
    return _BARE.sub(lambda found: f"{found[0]}'", value) if isinstance(value, str) else value


def as_given(text: str) -> str:
    """Return the text of which `harmless` made this one."""
    return _GUARDED.sub(lambda found: found[0][:-1], text)


def write_csv(
    path: Path, columns: Iterable[str], rows: Iterable[Mapping[str, Any]], *, private: bool = False
) -> None:
    """Write rows, whole or not at all: every text harmless and in quotes, numbers as they are.

    private: for the owner's eyes only.
    """
    names = list(columns)
    with write_whole(path, private=private) as file:
        lines = csv.writer(_Text(file), quoting=csv.QUOTE_NONNUMERIC)
        lines.writerow([harmless(name) for name in names])
        lines.writerows([harmless(row.get(name)) for name in names] for row in rows)


class _Text:
    """Takes the lines of a CSV writer into a file of bytes."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def write(self, text: str) -> None:
        """Write a line."""
        self.file.write(text.encode())
