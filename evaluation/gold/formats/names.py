"""Edit and method from the name of a clip, where a tool keeps nothing else."""

import re
from pathlib import PurePosixPath

from evaluation.gold.base import ImportSettings

USUAL = r"(?P<edit>.+)__(?P<method>.+?)(?:\.\w+)?"  # kite__ours.mp4


def edit_and_method(name: str, asked: ImportSettings) -> tuple[str, str] | None:
    """Return edit and method of a clip's name or path, None where it does not fit.

    The pattern is that of the settings; without one EDIT__METHOD, or METHOD/EDIT for a path.
    """
    if asked.name_pattern:
        found = re.fullmatch(asked.name_pattern, name)
        return (found["edit"], found["method"]) if found else None
    path = PurePosixPath(name)
    if found := re.fullmatch(USUAL, path.name):
        return found["edit"], found["method"]
    parts = [part for part in path.parts if part not in ("/", "http:", "https:")]
    return (path.stem, parts[-2]) if len(parts) > 1 else None


def why_no_name(name: str) -> str:
    """Return what to do with a name that tells no edit and method."""
    return (
        f"{name[:60]!r} does not tell edit and method: call clips EDIT__METHOD, or say how by "
        "--name-pattern '(?P<method>...)...(?P<edit>...)'"
    )
