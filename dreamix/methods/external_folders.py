"""What lies in folders of outputs. Each state of a folder is read once a process."""

import os
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from dreamix.core.errors import UserError

SUFFIXES = (
    ".mp4",
    ".webm",
    ".gif",
    ".mov",
    ".mkv",
    ".m4v",
)  # in any case; none: frames in a folder
OTHER_CLIPS = (".avi", ".webp", ".apng", ".mpg", ".mpeg", ".wmv", ".flv", ".ts", ".ogv", ".zip")
PICTURES = (".png", ".jpg", ".jpeg")


class FolderEntry(NamedTuple):
    """A file or folder that may be an output."""

    path: Path
    is_dir: bool
    name: str  # of the path: asking a `Path` for it is dear, thousands of times


def changed(folder: str) -> int | None:
    """Return when names were last added to or taken from a folder; None if there is none."""
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return None


def listing(folder: Path) -> list[FolderEntry]:
    """Return what is in a folder, sorted; links that lead nowhere do not count."""
    state = changed(str(folder))
    return _listing(str(folder), state) if state is not None else []


@lru_cache(maxsize=8192)
def _listing(folder: str, _changed: int) -> list[FolderEntry]:
    try:
        with os.scandir(folder) as found:
            names = [(one.name, one.is_dir()) for one in found if _exists(one)]
    except NotADirectoryError:
        return []
    except OSError as error:
        raise UserError(f"cannot look into {folder}: {error.strerror}") from None
    return [FolderEntry(Path(folder, name), is_dir, name) for name, is_dir in sorted(names)]


def _exists(entry: "os.DirEntry[str]") -> bool:
    return not entry.is_symlink() or os.path.exists(entry.path)


def clips_called(place: str, suffix: str) -> list[FolderEntry]:
    """Return what a name means: `place` with the suffix of a clip, in any case, or as it is.

    suffix: the one that `place` has and that counts; "" lets all of SUFFIXES count.
    """
    folder, name = os.path.split(place)
    state = changed(folder)
    if state is None:
        return []
    stem, names = name[: len(name) - len(suffix)], _by_name(folder, state)
    found = names.get(name.lower(), [])
    if not suffix:
        found = found + _by_stem(folder, state).get(name.lower(), [])
    return [entry for entry in found if entry.name.startswith(stem)]


@lru_cache(maxsize=8192)
def _by_name(folder: str, changed: int) -> dict[str, list[FolderEntry]]:
    """Return the entries of a folder by their names in small letters."""
    found: dict[str, list[FolderEntry]] = {}
    for entry in _listing(folder, changed):
        found.setdefault(entry.name.lower(), []).append(entry)
    return found


@lru_cache(maxsize=8192)
def _by_stem(folder: str, changed: int) -> dict[str, list[FolderEntry]]:
    """Return clips, and what is called like one, by their names without that suffix."""
    found: dict[str, list[FolderEntry]] = {}
    for ending in SUFFIXES:
        for name, entries in _by_name(folder, changed).items():
            if name.endswith(ending):
                found.setdefault(name.removesuffix(ending), []).extend(entries)
    return found


def looks_like_output(entry: FolderEntry) -> bool:
    """Return True for a clip of any kind and for a folder of pictures."""
    if not entry.is_dir:
        return entry.path.suffix.lower() in (*SUFFIXES, *OTHER_CLIPS)
    return any(one.path.suffix.lower() in PICTURES for one in listing(entry.path))
