"""The table of scores of a run: read, appended to while working, sorted at the end."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dreamix.core.errors import UserError
from dreamix.core.records import append_lines, read_lines, to_json, write_whole
from dreamix.core.typed import adapter, parse_line
from evaluation.schema import Cell, ScoreRow

Key = tuple[str, str, int, str]
HowRead = dict[tuple[Cell, str | None], dict[str, Any]]  # cell, its clip -> fields of a row
TOGETHER = 5000  # lines read at a time


def read_scores(path: Path) -> dict[Key, ScoreRow]:
    """Return the scores in `path` (scores.jsonl) by their key; of two for one key, the last."""
    lines, rows = read_lines(path), []
    for first in range(0, len(lines), TOGETHER):
        rows += _rows(lines[first : first + TOGETHER], path, first + 1)
    return {row.key: row for row in rows}


def _rows(lines: list[bytes], path: Path, first: int) -> list[ScoreRow]:
    """Return the rows of some lines, read as one list: thousands of calls take seconds.

    If that fails, or gives other than a row a line, they are read one by one, to name the line.
    """
    try:
        rows = adapter(list[ScoreRow]).validate_json(b"[" + b",".join(lines) + b"]")
    except ValidationError:
        rows = []
    if len(rows) != len(lines):
        named = ((line, f"{path}:{number}") for number, line in enumerate(lines, first))
        rows = [parse_line(line, ScoreRow, where) for line, where in named]
    return [_sound(row, f"{path}:{number}") for number, row in enumerate(rows, first)]


def _sound(row: ScoreRow, where: str) -> ScoreRow:
    if row.status == "ok" and row.value is None:
        raise UserError(f"{where}: status is ok, but value is missing; remove that line")
    return row


def how_read(rows: Iterable[ScoreRow]) -> HowRead:
    """Return by cell and clip how that was read, which all metrics that looked at it say alike."""
    return {
        (row.cell, row.clip): {"covers": row.covers, "remarks": row.remarks}
        for row in rows
        if row.covers is not None
    }


def append_scores(path: Path, rows: list[ScoreRow]) -> None:
    """Append scores in one write that is on disk when this returns."""
    append_lines(path, [row.to_dict() for row in rows])


def write_scores(path: Path, rows: dict[Key, ScoreRow]) -> None:
    """Write all scores sorted, as JSON lines and as a table beside them (.parquet).

    Equal scores give equal bytes, whatever order they were computed in. The table is written last:
    while it is older than the lines, this has not been completed.
    """
    ordered = [rows[key] for key in sorted(rows)]
    with write_whole(path) as file:
        file.writelines((to_json(row.to_dict()) + "\n").encode() for row in ordered)
    with write_whole(path.with_suffix(".parquet")) as file:
        file.write(_parquet(ordered))


def load_what_writes() -> None:
    """Load the packages that `write_scores` takes, which is most of its time for few rows."""
    _parquet([])


def is_complete(path: Path) -> bool:
    """Return True if `write_scores` has run since the last append."""
    table = path.with_suffix(".parquet")
    return path.exists() and table.exists() and table.stat().st_mtime_ns >= path.stat().st_mtime_ns


def _parquet(rows: list[ScoreRow]) -> bytes:
    import dataclasses
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {
        "seed": pa.int64(),
        "pairs": pa.int64(),
        "frames": pa.list_(pa.float64()),
        "remarks": pa.list_(pa.string()),
    }
    numbers = {"value", "source_value", "delta", "share", "covers"}
    names = [field.name for field in dataclasses.fields(ScoreRow)]
    columns = {
        name: pa.array(
            [getattr(row, name) for row in rows],
            kinds.get(name, pa.float64() if name in numbers else pa.string()),
        )
        for name in names
    }
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()
