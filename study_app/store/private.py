"""Files that hold what identifies people: for their owner's eyes, whatever the umask was."""

import logging
import os
from contextlib import suppress
from pathlib import Path

BESIDE = ("", "-wal", "-shm", "-journal")  # what SQLite writes beside its file takes its rights
_OTHERS = 0o077


def make_private(path: Path) -> None:
    """Make the file of a store, if there is none, for its owner's eyes.

    What cannot be made is left to the database to explain.
    """
    with suppress(OSError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)


def keep_private(path: Path) -> None:
    """Let only its owner read a file and those SQLite has beside it; say so if others could."""
    open_ones = [file for end in BESIDE if _is_open(file := path.with_name(path.name + end))]
    closed = [file.name for file in open_ones if _closed(file)]
    logger = logging.getLogger(__name__)
    if closed:
        logger.warning(
            "%s could be read by other users of this machine (%s); now only its owner can",
            path,
            ", ".join(closed),
        )
    if len(closed) < len(open_ones):
        logger.warning(
            "%s can be read by other users of this machine, and its rights cannot be changed: "
            "`chmod 600` it as its owner",
            path,
        )


def _is_open(path: Path) -> bool:
    return path.is_file() and bool(path.stat().st_mode & _OTHERS)


def _closed(path: Path) -> bool:
    """Return True once only the owner can read a file."""
    try:
        path.chmod(path.stat().st_mode & ~_OTHERS)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
