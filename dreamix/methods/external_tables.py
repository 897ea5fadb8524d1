"""Tables of outputs made elsewhere: columns method, edit, path and, if wanted, seed.

Columns may be separated by a comma, a semicolon or a tab and stand in any order; others beside them
are not looked at. Text is UTF-8, or UTF-16 where the file says so with a byte order mark.
"""

import csv
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from dreamix.core.errors import UserError

SUFFIXES = (".csv", ".tsv", ".txt")
COLUMNS = ("method", "edit", "path")
LARGEST_SEED = 2**63 - 1  # tables of scores keep seeds in 64 bits
Key = tuple[str, str, int]  # method, edit, seed


class Line(NamedTuple):
    """A row of a table: where it stands, and the file that it names."""

    number: int
    path: Path


def read_table(path: Path) -> dict[Key, Line]:
    """Return (method, edit, seed) -> row of a table; paths are relative to its folder.

    A table that cannot be read, lacks a column or says two things of one clip is a `UserError`.
    Each state of the file is read once a process.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    return _read(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=16)
def _read(path: Path, _changed: int, _size: int) -> dict[Key, Line]:
    table: dict[Key, Line] = {}
    folder = path.parent.resolve()
    for number, row in _rows(path):
        key = row["method"], row["edit"], seed_of(row.get("seed") or "0", f"{path}:{number}")
        line = Line(number, _found(folder, row["path"]))
        if before := table.get(key):
            raise UserError(
                f"{path}:{number}: {', '.join(map(str, key))} stands twice: {before.path} "
                f"(line {before.number}) and {line.path}"
            )
        table[key] = line
    return table


def spell_key(key: Key) -> str:
    """Return a cell in words."""
    return f"{key[0]}, {key[1]}, seed {key[2]}"


def seed_of(text: str, where: str) -> int:
    """Return the whole number that a text is; "0.0", as pandas writes it, is 0.

    Negative numbers are seeds too. A fraction, and what 64 bits do not hold, is a `UserError`.
    """
    found = re.fullmatch(r"([+-]?[0-9]+)(\.0*)?", text)
    if not found:
        raise UserError(f"{where}: seed {text!r} is not a whole number")
    seed = int(found[1])
    if not -LARGEST_SEED <= seed <= LARGEST_SEED:
        raise UserError(f"{where}: seed {text} is beyond 64 bits: number the repeats otherwise")
    return seed


def _found(folder: Path, text: str) -> Path:
    """Return the path that a cell names; one written on Windows is read with its backslashes."""
    place = folder / Path(text).expanduser()
    if "\\" in text and not place.exists():
        place = folder / text.replace("\\", "/")
    return place.resolve()


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and cells; a row that cannot be used is a `UserError`. Empty ones are not.

    Names of columns count in any case, and spaces around cells do not count.
    """
    try:
        with path.open(newline="", encoding=_encoding(path)) as file:
            header = file.readline()
            names = _names(path, header)
            reader = csv.reader(file, delimiter=_separator(header))
            for cells in reader:
                values = [cell.strip() for cell in cells]
                if any(values):
                    where = reader.line_num + 1
                    yield where, _cells(names, values, f"{path}:{where}")
    except (OSError, UnicodeError, csv.Error) as error:
        raise UserError(f"cannot read {path} as a UTF-8 CSV: {error}") from None


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        return "utf-16" if file.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _separator(header: str) -> str:
    """Return what separates columns: comma, semicolon or tab, whichever the header has most of."""
    return max(",;\t", key=header.count)


def _names(path: Path, header: str) -> list[str]:
    """Return the names of the columns.

    Raises:
        UserError: if one is missing or stands twice.
    """
    cells = next(csv.reader([header.strip("\r\n")], delimiter=_separator(header)), [])
    names = [cell.strip().lower() for cell in cells]
    if missing := [name for name in COLUMNS if name not in names]:
        has = ", ".join(names) or "nothing"
        raise UserError(
            f"{path} lacks the column {missing[0]}: its first line has {has}, and method, edit, "
            "path and, if wanted, seed are read"
        )
    if twice := [name for name in (*COLUMNS, "seed") if names.count(name) > 1]:
        raise UserError(f"{path} has two columns {twice[0]}")
    return names


def _cells(names: list[str], values: list[str], where: str) -> dict[str, str]:
    if any(values[len(names) :]):
        raise UserError(
            f"{where}: {len(values)} cells in this row, {len(names)} in the first line: "
            "put quotation marks around a cell that holds the separator"
        )
    row = dict(zip(names, values, strict=False))
    if empty := [name for name in COLUMNS if not row.get(name)]:
        raise UserError(f"{where}: no {empty[0]} in this row")
    return row
