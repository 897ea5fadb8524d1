"""Files of strangers as text, CSV and JSON: bounded, in UTF-8, every mistake with its line."""

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dreamix.core.csv_reading import (
    COMMA,
    SEPARATED,
    WORKBOOKS,
    cell_text,
    encoding_of,
    no_text,
    point,
)
from dreamix.core.errors import Mistakes, Problem, UserError
from dreamix.core.names import shown
from dreamix.core.records import parse_json, read_bytes, spell_size
from evaluation.gold.base import MOST_BYTES, GatheredRatings

PLAIN = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
SEPARATORS = ",;\t"
MANY = 200  # columns of a table


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        UserError: if it cannot be read, is too large or is not UTF-8.
    """
    data = _unpacked(path) if path.suffix == ".gz" else read_bytes(path, MOST_BYTES)
    if data.startswith(WORKBOOKS):
        raise no_text(path, data)
    try:
        return data.decode(encoding_of(data))
    except UnicodeDecodeError:
        raise no_text(path, data) from None


def _unpacked(path: Path) -> bytes:
    """Return what a gzip file holds, if that is not too large."""
    try:
        with gzip.open(io.BytesIO(read_bytes(path, MOST_BYTES))) as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} is no gzip file, or a damaged one: {error}") from None
    if len(data) > MOST_BYTES:
        raise UserError(f"{path} is larger than {spell_size(MOST_BYTES)} when it is unpacked")
    return data


def table_rows(path: Path, found: GatheredRatings) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the names of the columns and every row that has as many cells, with its line.

    Columns are separated by comma, semicolon or tab, whichever the first line has most of. Rows of
    another length are noted as mistakes; empty ones are passed over. Where no comma separates them,
    2,5 is 2.5 in columns of numbers alone.
    """
    text = read_text(path)
    found.files.append(path)
    first, _, rest = text.partition("\n")
    if SEPARATED.fullmatch(first.strip()):  # an empty line for it: lines keep their numbers
        text, first = f"\n{rest}", rest.partition("\n")[0]
    separator = max(SEPARATORS, key=first.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    names = [" ".join(cell.split()) for cell in next(_numbered(path, lines), (0, []))[1]]
    if not names or len(names) > MANY:
        raise UserError(f"{path}: its first line should name its columns, {MANY} at most")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        found.wrong(path, 1, f"two columns are called {shown(twice[0])}")
    rows = []
    for line, cells in _numbered(path, lines):
        if len(cells) != len(names):
            found.wrong(path, line, f"{len(cells)} cells here, {len(names)} in the first line")
        else:
            rows.append((line, [cell_text(cell) for cell in cells]))
    for place in _with_commas([cells for _, cells in rows]):
        for _, cells in rows:
            cells[place] = point(cells[place], separator)
    return names, rows


def _with_commas(rows: list[list[str]]) -> list[int]:
    """Return the columns that hold numbers alone, some of them with a decimal comma."""
    return [
        place
        for place, cells in enumerate(zip(*rows, strict=True))
        if any(map(COMMA.fullmatch, cells))
        and all(not cell or COMMA.fullmatch(cell) or PLAIN.fullmatch(cell) for cell in cells)
    ]


def _numbered(path: Path, lines: Any) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a CSV reader that are not empty, each with the line it begins in."""
    while True:
        line = lines.line_num + 1
        try:
            cells = next(lines, None)
        except csv.Error as error:
            raise Mistakes([Problem(str(path), line, f"this is no CSV: {error}")]) from None
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield line, cells


def json_lines(path: Path, found: GatheredRatings) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the objects of a file of JSON lines; a line that holds none is noted as a mistake."""
    text = read_text(path)
    found.files.append(path)
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = parse_json(line.encode())
        except (ValueError, RecursionError) as error:
            why = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            found.wrong(path, number, f"this line is no JSON: {why[:100]}")
            continue
        if isinstance(value, dict):
            yield number, value
        else:
            found.wrong(path, number, "this line should be an object, { ... }")


def json_value(path: Path, found: GatheredRatings) -> Any:
    """Return the value of a JSON file.

    Raises:
        UserError: if it holds none; with the line where it breaks off.
    """
    text = read_text(path)
    found.files.append(path)
    try:
        return parse_json(text.encode())
    except json.JSONDecodeError as error:
        why = f"this is no JSON: {error.msg}"
        raise Mistakes([Problem(str(path), error.lineno, why)]) from None
    except (ValueError, RecursionError) as error:
        raise Mistakes([Problem(str(path), 1, f"this is no JSON: {str(error)[:100]}")]) from None


def lines_of_list(path: Path) -> list[int]:
    """Return the line in which each element of a JSON list begins; [] of what is no list."""
    text, decoder, lines = read_text(path), json.JSONDecoder(), []
    at, line, counted = text.find("[") + 1, 1, 0
    while at and (start := _next_element(text, at)) < len(text) and text[start] != "]":
        line, counted = line + text.count("\n", counted, start), start
        lines.append(line)
        at = decoder.raw_decode(text, start)[1]
    return lines


def _next_element(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n,":
        at += 1
    return at
