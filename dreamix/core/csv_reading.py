"""Tables that people bring: CSV, TSV or what a spreadsheet calls so, row by row.

Columns may be separated by a comma, a semicolon or a tab and stand in any order; others beside them
are not looked at. Names of columns count in any case, and spaces around cells do not count. Text is
UTF-8, or UTF-16 where the first bytes say so.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from dreamix.core.errors import Mistakes, Problem, UserError
from dreamix.core.records import spell_size
from dreamix.core.wording import listed

Wrong = Callable[[int, str], None]  # is told the line and what is wrong with its row
SEPARATED = re.compile("sep=[,;]?", re.IGNORECASE)  # a first line that Excel writes and reads
COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+([eE][+-]?[0-9]+)?")  # a number with a decimal comma
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # first bytes of .xlsx and .ods, and of .xls
MISSING = re.compile(r"|[+-]?nan|n/?a|#n/a|null|none|-|missing", re.IGNORECASE)
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
        with path.open("rb") as bare:
            first = bare.read(4)
        if first.startswith(WORKBOOKS):
            raise no_text(path, first)
        with path.open(newline="", encoding=encoding_of(first)) as file:
            header, above = _header(file)
            names = _names(path, header, needed, optional)
            separator = _separator(header)
            reader = csv.reader(file, delimiter=separator)
            full = [name for name in needed if name not in empty]
            line = above + 1
            for cells in reader:
                values = [cell_text(cell) for cell in cells]
                if any(values):
                    row = dict(zip(names, values, strict=False))
                    if why := _why_unusable(row, values[len(names) :], full):
                        wrong(line, why)
                    else:
                        yield line, row | {n: point(row.get(n, ""), separator) for n in numbers}
                line = reader.line_num + above + 1
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None
    except UnicodeError:
        raise no_text(path, path.read_bytes()) from None
    except csv.Error as error:
        raise UserError(f"cannot read {path} as a UTF-8 CSV: {error}") from None


def encoding_of(data: bytes) -> str:
    """Return how a table is encoded by its first bytes: UTF-8, or UTF-16 with a mark or without.

    Without a mark, one of the two bytes of its first letter is zero, as in no other text.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    half = data[:2].find(b"\0") if len(data) > 1 else -1
    return "utf-8-sig" if half < 0 else ("utf-16-be", "utf-16-le")[half]


def no_text(path: Path, data: bytes) -> Mistakes:
    """Return what is wrong with a file that cannot be decoded, with the line, and what to do."""
    if data.startswith(WORKBOOKS):
        return Mistakes([Problem(str(path), 1, "a workbook, not a table of text: save it as CSV")])
    try:
        data.decode(encoding_of(data))
    except UnicodeDecodeError as error:
        if encoding_of(data) != "utf-8-sig":
            why = f"this is no UTF-16 ({error.reason}): save the file as UTF-8"
            return Mistakes([Problem(str(path), 1, why)])
        line = data.count(b"\n", 0, error.start) + 1
        why = f"byte {data[error.start]:#04x} is not UTF-8: save the file as UTF-8"
        return Mistakes([Problem(str(path), line, f"{why} (in Excel, `CSV UTF-8`)")])
    return Mistakes([Problem(str(path), 1, "this is no text: save the file as UTF-8")])


def cell_text(cell: str) -> str:
    """Return what a cell says: blanks around it do not count, and a line ends in one way."""
    return cell.strip().replace("\r\n", "\n").replace("\r", "\n")


def _header(file: TextIO) -> tuple[str, int]:
    """Return the line of the columns' names and how many lines it ends; a name may be of two."""
    header, above = file.readline(), 1
    if SEPARATED.fullmatch(header.strip()):
        header, above = file.readline(), 2
    while header.count('"') % 2 and (more := file.readline()):
        header, above = header + more, above + 1
    return header, above


def point(text: str, separator: str) -> str:
    """Return a number with a point for its decimal comma, as spreadsheets of many languages write.

    Where a comma separates cells, one within a number may part thousands: there it stays.
    """
    return text.replace(",", ".") if separator != "," and COMMA.fullmatch(text) else text


def is_missing(text: str) -> bool:
    """Return whether a cell says that there is no value: empty, nan, n/a, none, null and the like.

    A sign before nan says nothing: C's printf writes one.
    """
    return bool(MISSING.fullmatch(text.strip()))


def _check_size(path: Path, most: int) -> None:
    if not path.is_file() and path.exists():
        raise UserError(f"{path} is no file: name the table itself")
    if path.stat().st_size > most:
        raise UserError(f"{path} is larger than {spell_size(most)}: split it")


def _separator(header: str) -> str:
    """Return what separates columns: comma, semicolon or tab, whichever the header has most of."""
    return max(",;\t", key=header.count)


def _names(path: Path, header: str, needed: Sequence[str], optional: Sequence[str]) -> list[str]:
    """Return the names of the columns.

    Raises:
        UserError: if one is missing or stands twice.
    """
    held = io.StringIO(header.strip("\r\n"), newline="")
    cells = next(csv.reader(held, delimiter=_separator(header)), [])
    names = [" ".join(cell.split()).lower() for cell in cells]
    if missing := [name for name in needed if name not in names]:
        has = ", ".join(names) or "nothing"
        more = f"; {listed(optional)} may be there too" if optional else ""
        raise UserError(
            f"{path} lacks the column {missing[0]}: its first line has {has}; {listed(needed)} "
            f"{'is' if len(needed) == 1 else 'are'} needed{more}"
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
