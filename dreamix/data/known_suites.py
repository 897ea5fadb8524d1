"""The suites that come with the toolkit, by the names that stand for their paths."""

from pathlib import Path

from dreamix.core.errors import UserError
from dreamix.core.registry import near_misses
from dreamix.core.shipped import shipped

# Name -> file below datasets/ of the repository
KNOWN = {
    "toybox": "toybox/suite.yaml",
    "toybox-quick": "toybox/quick.yaml",
    "animate": "toybox/animate.yaml",
    "subject": "toybox/subject.yaml",
    "davis": "davis/suite.yaml",
}


def suite_file(path: Path) -> Path:
    """Return the suite.yaml that `path` is or holds, or that it names among `KNOWN`.

    A file or folder that holds a suite comes before a name; a `UserError` where there is neither.
    """
    path = Path(path)
    file = path / "suite.yaml" if path.is_dir() else path
    if file.is_file():
        return file
    if str(path) in KNOWN:
        return shipped("datasets") / KNOWN[str(path)]
    raise UserError(
        f"no suite at {file}: name a suite.yaml, the folder that holds one, or one that comes with "
        f"the toolkit ({', '.join(KNOWN)}){near_misses(str(path), list(KNOWN))}"
    )
