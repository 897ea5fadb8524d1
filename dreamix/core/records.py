"""Files that survive a kill: written whole or not at all, or appended line by line.

- `write_whole` writes beside the target and renames: a reader sees the old file or the new one.
- `append_lines` adds whole lines in one write; `read_lines` ignores a last line that a kill tore,
  and the next append cuts it off first. No line that was acknowledged is ever lost.
"""

import fcntl
import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from dreamix.core.errors import StorageError, UserError


def to_json(value: Any, indent: int | None = None) -> str:
    """Return JSON with sorted keys and no NaN: equal values give equal text."""
    return json.dumps(value, sort_keys=True, allow_nan=False, ensure_ascii=False, indent=indent)


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn an `OSError` of the block into a `StorageError` that names `path`."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise StorageError(f"cannot write {path}: {why}; mend that and run it again") from None


@contextmanager
def write_whole(path: Path, *, private: bool = False) -> Iterator[BinaryIO]:
    """Yield a file that becomes `path` when the block ends well, and vanishes if it does not.

    private: nobody but its owner may read it, at no instant, whatever the umask.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(temporary, "wb", opener=_private if private else None) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def _private(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_EXCL, 0o600)


def write_json(path: Path, value: Any, *, private: bool = False) -> None:
    """Write `value` as readable JSON, whole or not at all; private: for the owner's eyes only."""
    with write_whole(path, private=private) as file:
        file.write((to_json(value, indent=1) + "\n").encode())


def read_json(path: Path) -> Any:
    """Return the JSON value in `path`; damaged JSON is a `UserError` that names the file."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid JSON ({error}); remove or restore it") from None


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the JSON objects of `path`, one a line; a torn last line does not count."""
    if not path.exists():
        return []
    whole, _, _torn = path.read_bytes().rpartition(b"\n")
    try:
        return [json.loads(line) for line in whole.splitlines()]
    except json.JSONDecodeError as error:
        raise UserError(f"{path} has a damaged line ({error}); remove that line") from None


def append_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    """Append one JSON line per row, in one write that is on disk when this returns."""
    if not rows:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with storing(path), path.open("a+b") as file:
        _cut_torn_line(file)
        file.write("".join(to_json(row) + "\n" for row in rows).encode())
        file.flush()
        os.fsync(file.fileno())


def _cut_torn_line(file: BinaryIO) -> None:
    """Remove what follows the last line break."""
    end = file.seek(0, os.SEEK_END)
    position = end
    while position > 0:
        start = max(0, position - 65536)
        file.seek(start)
        found = file.read(position - start).rfind(b"\n")
        if found >= 0:
            position = start + found + 1
            break
        position = start
    if position < end:
        file.truncate(position)
    file.seek(0, os.SEEK_END)


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Hold the folder for one writing process; a second one gets a `UserError`.

    The lock is the kernel's (flock): it is gone when the process is, however that ended.
    """
    with storing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"another command is writing to {folder}; wait for it or stop it"
            ) from None
        yield
