"""The suites that come with the toolkit, by the names that stand for their paths."""

from pathlib import Path

from dreamix.core.errors import UserError
from dreamix.core.names import near_misses
from dreamix.core.shipped import shipped
from dreamix.data.worlds import WORLDS


def known_suites() -> dict[str, Path]:
    """Return the files of suites that come along, by name: those of worlds, then of footage."""
    rendered = {name: file for world in WORLDS.each() for name, file in world.suites().items()}
    return {**rendered, "davis": shipped("datasets") / "davis" / "suite.yaml"}


def suite_file(path: Path) -> Path:
    """Return the suite.yaml that `path` is or holds, or that it names, as `known_suites` does.

    A file or folder that holds a suite comes before a name; a `UserError` where there is neither.
    """
    path = Path(path)
    file = path / "suite.yaml" if path.is_dir() else path
    if file.is_file():
        return file
    known = known_suites()
    if str(path) in known:
        return known[str(path)]
    raise UserError(
        f"no suite at {file}: name a suite.yaml, the folder that holds one, or one that comes with "
        f"the toolkit ({', '.join(known)}){near_misses(str(path), list(known))}"
    )
