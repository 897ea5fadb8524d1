"""Files that survive a kill: written whole or not at all, or appended line by line.

- `write_whole` writes beside the target and renames: a reader sees the old file or the new one.
- `append_lines` adds whole lines in one write; `read_lines` ignores a last line that a kill tore,
  and the next append cuts it off first. No line that was acknowledged is ever lost.

What is read may come from a stranger: `open_file` opens plain files only (a pipe would be waited
for without end), and `read_bytes` no more of them than a limit. See `dreamix.core.typed`.
"""

import fcntl
import hashlib
import json
import math
import os
import re
import stat
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

from dreamix.core.errors import StorageError, UserError
from dreamix.core.names import shown

MOST = 64 << 20  # bytes of a file that is read whole; our own have a few kB to a few MB
MOST_LEVELS = 64  # of lists in lists; our own have under ten
MOST_LINES = 1 << 30  # of a file of lines: half a million scores
SUMS = "SHA256SUMS"
ENDED = b"ended\n"  # in the lock of a folder whose last writer came to its end


def to_json(value: object, indent: int | None = None) -> str:
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


def write_json(path: Path, value: object, *, private: bool = False) -> None:
    """Write `value` as readable JSON, whole or not at all; private: for the owner's eyes only."""
    with write_whole(path, private=private) as file:
        file.write((to_json(value, indent=1) + "\n").encode())


def write_sums(folder: Path) -> None:
    """Write the SHA-256 of every file to SHA256SUMS, as `sha256sum -c` reads it."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != SUMS and not path.name.startswith(".")
    ]
    with write_whole(folder / SUMS) as file:
        file.write("".join(lines).encode())


def open_file(path: Path) -> BufferedReader:
    """Return a plain file, open for reading bytes.

    Raises:
        UserError: for a pipe, socket, device or folder.
        OSError: for a file that is not there, or may not be read.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    kind = os.fstat(handle).st_mode
    if stat.S_ISREG(kind):
        return open(handle, "rb")
    os.close(handle)
    what = "folder" if stat.S_ISDIR(kind) else "pipe, socket or device"
    raise UserError(f"{path} is a {what}, not a file: remove it")


def read_bytes(path: Path, most: int = MOST) -> bytes:
    """Return what a file holds.

    Raises:
        UserError: if it cannot be read or is over `most` bytes.
    """
    try:
        with open_file(path) as file:
            data = file.read(most + 1)
    except (OSError, ValueError) as error:  # ValueError: a zero in the path
        raise UserError(f"cannot read {path}: {getattr(error, 'strerror', error)}") from None
    if len(data) > most:
        raise UserError(f"{path} is larger than {spell_size(most)}: it is not what it should be")
    return data


def spell_size(size: int) -> str:
    """Return a number of bytes in words: "64 MB"."""
    return f"{size >> 20} MB" if size >= 1 << 20 else f"{size} bytes"


def read_json(path: Path, most: int = MOST) -> Any:
    """Return the JSON value in `path`.

    Raises:
        UserError: for damaged JSON, and for what JSON has no word for or what has two meanings:
            NaN, numbers beyond a float, nesting without end, halves of characters, a key that
            stands twice.
    """
    data = read_bytes(path, most)
    try:
        return parse_json(data)
    except (ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise UserError(f"{path} is not valid JSON ({why[:200]}); remove or restore it") from None


def parse_json(data: bytes) -> Any:
    """Return the value of JSON text, UTF-8; `ValueError` or `RecursionError` for anything odd."""
    text = data.decode("utf-8-sig")
    value = json.loads(
        text, parse_constant=_no_number, parse_float=_finite, object_pairs_hook=_without_repeats
    )
    if text.count("[") + text.count("{") > MOST_LEVELS:
        _check_depth(value)
    if _HALF.search(text):
        to_json(value).encode()  # half a character: a UnicodeEncodeError, which is a ValueError
    return value


def _check_depth(value: object) -> None:
    level: list[Any] = [[value]]
    depth = 0
    while level := [one for held in level for one in _held(held) if isinstance(one, _NESTS)]:
        if (depth := depth + 1) >= MOST_LEVELS:
            raise ValueError(f"nested more than {MOST_LEVELS} levels deep")


_NESTS = (dict, list)


def _held(value: list[Any] | dict[str, Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


_HALF = re.compile(r"\\u[dD][89a-fA-F]")  # of a pair of codes for one character


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _finite(text: str) -> float:
    if math.isinf(value := float(text)):
        raise ValueError(f"{text[:20]} is too large a number")
    return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"the key {shown(twice)} stands twice")
    return found


def read_lines(path: Path, most: int = MOST_LINES) -> list[bytes]:
    """Return the lines of `path` that are whole: a torn last one does not count; [] if no file."""
    if not path.exists():
        return []
    whole, _, _torn = read_bytes(path, most).rpartition(b"\n")
    return whole.splitlines()


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
def only_writer(folder: Path, *, reads: bool = False) -> Iterator[None]:
    """Hold the folder for one writing process; a second one gets a `UserError`.

    What a writer left that did not come to its end is removed first; not if the block only reads.

    The lock is the kernel's (flock): it is gone when the process is, however that ended. A folder
    that was made for it goes again if the work fails before anything is in it.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    with storing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        # Not through a link: in a folder from a stranger it could lead to any file.
        lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(lock, "wb") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"another command is writing to {folder}; wait for it or stop it"
            ) from None
        try:
            with nullcontext() if reads else _marked(folder, lock):
                yield
        except BaseException:
            _remove_empty(made)
            raise


@contextmanager
def _marked(folder: Path, lock: int) -> Iterator[None]:
    """Note in the lock whether its writer came to its end: after one that did nothing is left."""
    if _is_plain(lock) and os.pread(lock, len(ENDED) + 1, 0) == ENDED:
        os.ftruncate(lock, 0)
        os.fsync(lock)
    else:
        remove_leftovers(folder)
    yield
    if _is_plain(lock):
        os.pwrite(lock, ENDED, 0)


def _is_plain(lock: int) -> bool:
    """Return False for a lock that is something else too: a device, or a file of two names."""
    state = os.fstat(lock)
    return stat.S_ISREG(state.st_mode) and state.st_nlink == 1 and state.st_size <= len(ENDED)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of writes that a kill cut off, however deep they lie."""
    for above, folders, names in os.walk(folder):
        for name in (*folders, *names):
            if name.startswith(".") and name.endswith(".tmp"):
                path = os.path.join(above, name)
                if os.path.isfile(path) or os.path.islink(path):
                    os.unlink(path)


def _remove_empty(made: list[Path]) -> None:
    """Remove folders, the innermost first, the lock in it included, that hold nothing else."""
    if made and [path.name for path in made[0].iterdir()] == [".lock"]:
        (made[0] / ".lock").unlink()
        for path in made:
            if any(path.iterdir()):
                return
            path.rmdir()
