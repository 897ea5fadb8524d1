"""Which file of a folder a format reads."""

from pathlib import Path

from dreamix.core.errors import UserError
from dreamix.core.litter import is_litter


def one_file(path: Path, *patterns: str) -> Path:
    """Return `path`, or the only file in that folder that a pattern fits.

    Raises:
        UserError: if there is none, or more than one: the user says which.
    """
    if not path.is_dir():
        if not path.exists():
            raise UserError(f"there is nothing at {path}")
        return path
    fits = sorted({file for pattern in patterns for file in path.glob(pattern) if file.is_file()})
    found = [file for file in fits if not is_litter(file.name)]
    if len(found) != 1:
        names = ", ".join(file.name for file in found[:5]) or "none"
        raise UserError(f"{path} has {names} for {' or '.join(patterns)}: name the file itself")
    return found[0]
