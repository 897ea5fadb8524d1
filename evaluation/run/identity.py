"""Whether a file that was brought in is still what it was: by its bytes, wherever it stands now.

Copying, moving, touching or checking out again changes times and places, not the SHA-256. Hashing
costs, so what the file system says of a file is kept beside: as long as size, times and inode are
those of then, nothing is read. They only ever spare the reading; that something has changed is said
of bytes alone.
"""

import hashlib
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np

from dreamix.core.media import read_video, sha256_file
from dreamix.core.media_images import frame_files

Origin = dict[str, Any]  # path, files, size, state (see `state_of`) and sha256, as JSON keeps it


def origin(path: Path, sha256: str | None = None) -> Origin:
    """Return where a file or folder of frames is and what it holds; sha256: if it is known."""
    state = state_of(path)  # first: what is written meanwhile is then found out later
    return {**state, "path": path.resolve().as_posix(), "sha256": sha256 or content_sha256(path)}


def state_of(path: Path) -> Origin:
    """Return what the file system says of a file, or of the files of a folder of frames."""
    one = os.stat(path)
    if stat.S_ISREG(one.st_mode):  # by the thousand, most of the time
        return {"files": 1, "size": one.st_size, "state": _digest(_told(one, path.name))}
    files = frame_files(path) if stat.S_ISDIR(one.st_mode) else [path]
    states = [os.stat(file) for file in files] if files != [path] else [one]
    told = [_told(one, file.name) for file, one in zip(files, states, strict=True)]
    size = sum(one.st_size for one in states)
    return {"files": len(files), "size": size, "state": _digest("\n".join(told))}


def _told(one: os.stat_result, name: str) -> str:
    return f"{one.st_size} {one.st_mtime_ns} {one.st_ctime_ns} {one.st_ino} {name}"


def _digest(told: str) -> str:
    return hashlib.sha256(told.encode(errors="surrogateescape")).hexdigest()[:16]


def content_sha256(path: Path) -> str:
    """Return the SHA-256 of a file; of a folder, that of the SHA-256 of its frames in order.

    Names of frames give the order and do not count beside that.
    """
    if not path.is_dir():
        return sha256_file(path)
    digests = "\n".join(map(sha256_file, frame_files(path)))
    return hashlib.sha256(digests.encode()).hexdigest()


def renewed(known: Origin, path: Path, kept: Path) -> Origin | None:
    """Return the origin to keep of what is now at `path`; None if it holds something else.

    known: the origin as it was kept. kept: the clip that was made of it then, which tells for the
    origins of versions that kept no SHA-256.
    """
    if known.get("state") == state_of(path)["state"]:
        return known
    now = origin(path)
    if "sha256" in known:
        same = known["sha256"] == now["sha256"]
    elif path.is_dir():
        same = _same_frames(path, kept)
    else:
        same = now["sha256"] == sha256_file(kept)
    return now if same else None


def _same_frames(folder: Path, kept: Path) -> bool:
    """Return True if a folder holds the frames of the clip that was made of it, without loss."""
    clip = read_video(kept)
    return np.array_equal(read_video(folder, clip.fps).frames, clip.frames)
