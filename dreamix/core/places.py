"""Paths that stay inside a folder, whatever names and links it holds."""

import errno
import os
from pathlib import Path

from dreamix.core.errors import UserError
from dreamix.core.names import shown
from dreamix.core.records import storing

REFUSED = ("", ".", "..")
# What a system says of a place that is the user's to mend or to choose again.
MENDED = {
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP, errno.ENOSPC,
    errno.EDQUOT, errno.EMFILE, errno.ENFILE,
}  # fmt: skip


def inside(folder: Path, *names: str) -> Path:
    """Return the path `folder`/names[0]/names[1] and so on.

    names: one level each. `folder` itself may be a link, and what is in it may link to something
    else in it. The path need not exist.

    Raises:
        UserError: for a path that leads out of the folder.
    """
    path = os.fspath(folder)  # texts: this is done for every clip of a run, several times
    for name in names:
        if name in REFUSED or "/" in name or "\0" in name:
            raise UserError(f"{folder}: {shown(name)} is no name of a file in it: remove it")
        path = os.path.join(path, name)
        if os.path.islink(path):
            _check_link(Path(path), folder)
    return Path(path)


def own_folder(folder: Path) -> Path:
    """Return a folder, made if it is not there, in which files may be replaced and removed.

    Raises:
        UserError: for a link: what lies at its other end is not ours to remove.
    """
    if folder.is_symlink():
        raise UserError(f"{folder} is a link to another place: remove it, or choose another --out")
    with storing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def why_refused(error: OSError) -> str | None:
    """Return the line for a place that the system refuses; None for what is no user's mistake."""
    if error.filename is None or error.errno not in MENDED:
        return None
    why = error.strerror or os.strerror(error.errno)
    return f"cannot use {shown(os.fsdecode(error.filename), 200)}: {why}; mend that or name another"


def _check_link(link: Path, folder: Path) -> None:
    """Raise a `UserError` unless a link leads to something in its folder."""
    try:
        stays = link.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # a ring of links
        stays = False
    if not stays:
        raise UserError(f"{link} is a link that leads out of {folder}: put the file itself there")
