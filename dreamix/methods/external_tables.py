"""Tables of outputs made elsewhere: columns method, edit, path and, if wanted, seed.

How such a table may be written is said in `dreamix.core.csv_reading`.
"""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, NoReturn

from dreamix.core.csv_reading import seed_of, table_rows
from dreamix.core.errors import UserError

SUFFIXES = (".csv", ".tsv", ".txt")
COLUMNS = ("method", "edit", "path")
Key = tuple[str, str, int]  # method, edit, seed


class Line(NamedTuple):
    """A row of a table: where it stands, and the file that it names."""

    number: int
    path: Path


def read_table(path: Path) -> dict[Key, Line]:
    """Return (method, edit, seed) -> row of a table; paths are relative to its folder.

    Each state of the file is read once a process.

    Raises:
        UserError: for a table that cannot be read, lacks a column or says two things of one clip.
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

    def wrong(number: int, why: str) -> NoReturn:
        raise UserError(f"{path}:{number}: {why}")

    for number, row in table_rows(path, COLUMNS, ("seed",), wrong):
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


def _found(folder: Path, text: str) -> Path:
    """Return the path that a cell names; one written on Windows is read with its backslashes."""
    place = folder / Path(text).expanduser()
    if "\\" in text and not place.exists():
        place = folder / text.replace("\\", "/")
    return place.resolve()
