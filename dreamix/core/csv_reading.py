"""Tables that people bring: CSV, TSV or what a spreadsheet calls so, row by row.

Columns may be separated by a comma, a semicolon or a tab and stand in any order; others beside them
are not looked at. Names of columns count in any case, and spaces around cells do not count. Text is
UTF-8, or UTF-16 where the file says so with a byte order mark.
"""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from dreamix.core.errors import UserError
from dreamix.core.records import spell_size
from dreamix.core.wording import listed

Wrong = Callable[[int, str], None]  # is told the line and what is wrong with its row
SEPARATED = re.compile("sep=[,;]?", re.IGNORECASE)  # a first line that Excel writes and reads
COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+([eE][+-]?[0-9]+)?")  # a number with a decimal comma
MOST = 256 << 20  # bytes: some million rows
LARGEST_SEED = 2**63 - 1  # tables of scores keep seeds in 64 bits


def table_rows(
    path: Path,
    needed: Sequence[str],
    optional: Sequence[str],
    wrong: Wrong,
    *,
    empty: Sequence[str] = (),
    numbers: Sequence[str] = (),
    most: int = MOST,
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and cells by column of every row that is not empty.

    A row that cannot be used is told to `wrong` and left out.
    needed: columns without which there is no table. empty: those of them with cells that may be.
    numbers: columns in which 2,5 is 2.5, where no comma separates the cells.

    Raises:
        UserError: if the file cannot be read, is over `most` bytes, or lacks a column.
    """
    try:
        _check_size(path, most)
        with path.open(newline="", encoding=_encoding(path)) as file:
            header, above = file.readline(), 1  # lines above the first row
            if SEPARATED.fullmatch(header.strip()):
                header, above = file.readline(), 2
            names = _names(path, header, needed, optional)
            separator = _separator(header)
            reader = csv.reader(file, delimiter=separator)
            full = [name for name in needed if name not in empty]
            line = above + 1
            for cells in reader:
                values = [cell.strip() for cell in cells]
                if any(values):
                    row = dict(zip(names, values, strict=False))
                    if why := _why_unusable(row, values[len(names) :], full):
                        wrong(line, why)
                    else:
                        yield line, row | {n: point(row.get(n, ""), separator) for n in numbers}
                line = reader.line_num + above + 1
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None
    except (UnicodeError, csv.Error) as error:
        raise UserError(f"cannot read {path} as a UTF-8 CSV: {error}") from None


def point(text: str, separator: str) -> str:
    """Return a number with a point for its decimal comma, as spreadsheets of many languages write.

    Where a comma separates cells, one within a number may part thousands: there it stays.
    """
    return text.replace(",", ".") if separator != "," and COMMA.fullmatch(text) else text


def _check_size(path: Path, most: int) -> None:
    if not path.is_file() and path.exists():
        raise UserError(f"{path} is no file: name the table itself")
    if path.stat().st_size > most:
        raise UserError(f"{path} is larger than {spell_size(most)}: split it")


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        return "utf-16" if file.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _separator(header: str) -> str:
    """Return what separates columns: comma, semicolon or tab, whichever the header has most of."""
    return max(",;\t", key=header.count)


def _names(path: Path, header: str, needed: Sequence[str], optional: Sequence[str]) -> list[str]:
    """Return the names of the columns.

    Raises:
        UserError: if one is missing or stands twice.
    """
    cells = next(csv.reader([header.strip("\r\n")], delimiter=_separator(header)), [])
    names = [cell.strip().lower() for cell in cells]
    if missing := [name for name in needed if name not in names]:
        has = ", ".join(names) or "nothing"
        more = f"; {listed(optional)} may be there too" if optional else ""
        raise UserError(
            f"{path} lacks the column {missing[0]}: its first line has {has}; {listed(needed)} "
            f"are read{more}"
        )
    if twice := [name for name in (*needed, *optional) if names.count(name) > 1]:
        raise UserError(f"{path} has two columns {twice[0]}")
    return names


def _why_unusable(row: dict[str, str], beyond: list[str], full: list[str]) -> str | None:
    """Return what is wrong with a row; None if nothing is. beyond: cells that have no column."""
    if any(beyond):
        return (
            f"{len(row) + len(beyond)} cells in this row, {len(row)} in the first line: "
            "put quotation marks around a cell that holds the separator"
        )
    lacking = [name for name in full if not row.get(name)]
    return f"no {listed(lacking)} in this row" if lacking else None


def seed_of(text: str, where: str) -> int:
    """Return the whole number that a text is; "0.0", as pandas writes it, is 0.

    Negative numbers are seeds too.

    Raises:
        UserError: for a fraction, and for what 64 bits do not hold.
    """
    found = re.fullmatch(r"([+-]?[0-9]+)(\.0*)?", text)
    if not found:
        raise UserError(f"{where}: seed {text!r} is not a whole number")
    seed = int(found[1])
    if not -LARGEST_SEED <= seed <= LARGEST_SEED:
        raise UserError(f"{where}: seed {text} is beyond 64 bits: number the repeats otherwise")
    return seed
