"""The sidecars of a run, each state of one read once: what was read is kept in one file.

Thousands of small files take seconds to open, the one beside them does not. It is a cache: a row of
it counts while the file system says of the sidecar what it said then, and a file of it that is
damaged or not there costs time alone. What it holds is checked as sidecars are.
"""

import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from dreamix.core.errors import UserError
from dreamix.core.records import read_bytes, to_json, write_whole
from dreamix.core.typed import STRICT
from evaluation.run.info import check_clip_row, read_clip_row
from evaluation.schema import Cell, ClipRow

MOST = 1 << 30  # bytes


@dataclass(frozen=True)
class Kept:
    """A sidecar as it was read, and what the file system said of it: sizes, times, inode."""

    __pydantic_config__ = STRICT
    sign: list[int]
    row: ClipRow
    seen: str | None = None  # state of the file it was brought in from, found to be the same since


_KEPT: TypeAdapter[list[Kept]] = TypeAdapter(list[Kept])


class ClipRows:
    """The rows of clips in one run folder; `index` is the file that keeps what was read."""

    def __init__(self, index: Path) -> None:
        self._index = index
        self._kept = {kept.row.cell: kept for kept in _read(index)}
        self._is_new = False

    def get(self, path: str, cell: Cell) -> ClipRow | None:
        """Return the sidecar at `path`; None if it is not there."""
        try:
            state = os.stat(path)
        except FileNotFoundError:
            return None
        except OSError as error:  # a file in the place of a folder, a ring of links
            raise UserError(f"cannot read {path}: {error.strerror}") from None
        sign = [state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino]
        known = self._kept.get(cell)
        if known and known.sign == sign:
            return check_clip_row(path, known.row, cell)
        row = read_clip_row(Path(path), cell)
        self._kept[cell], self._is_new = Kept(sign, row), True
        return row

    def seen(self, cell: Cell) -> str | None:
        """Return the state in which the file of a clip was last found to hold what it held."""
        kept = self._kept.get(cell)
        return kept.seen if kept else None

    def note(self, cell: Cell, state: str) -> None:
        """Keep that the file of a clip, in this state, holds what it held."""
        if kept := self._kept.get(cell):
            self._kept[cell], self._is_new = replace(kept, seen=state), True

    def save(self) -> None:
        """Keep what has been read, if anything was."""
        if self._is_new:
            with write_whole(self._index) as file:
                file.write(to_json([asdict(kept) for kept in self._kept.values()]).encode())
            self._is_new = False


def _read(index: Path) -> list[Kept]:
    if not index.exists():
        return []
    try:
        return _KEPT.validate_json(read_bytes(index, MOST))
    except (ValidationError, UserError):
        return []
