"""The hash of a weights file, taken once."""

import re
from functools import lru_cache
from pathlib import Path

from dreamix.core.media import sha256_file


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; each state of a file is read once a process.

    The hub's cache links to a blob whose name is the SHA-256 already (for files under LFS, which
    all weights are), so those are not read at all.
    """
    blob = path.resolve()
    if (
        path.is_symlink()
        and blob.parent.name == "blobs"
        and re.fullmatch("[0-9a-f]{64}", blob.name)
    ):
        return blob.name
    state = blob.stat()
    return _read_sha256(blob, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _read_sha256(path: Path, _size: int, _changed: int) -> str:
    return sha256_file(path)
