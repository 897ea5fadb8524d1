"""Whether a study is being served: servers share a lock on its folder while they run.

The lock is the kernel's (flock): it is gone when the server is, however that ended.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILE = ".served"
_FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def being_served(folder: Path) -> Iterator[None]:
    """Let everybody know that the study in `folder` is served while the block runs."""
    lock = os.open(folder / FILE, _FLAGS | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield
    finally:
        os.close(lock)


def is_served(folder: Path) -> bool:
    """Return True if a server of this machine, or of one that shares the disk, runs."""
    try:
        lock = os.open(folder / FILE, _FLAGS)
    except FileNotFoundError:
        return False  # it never was
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
