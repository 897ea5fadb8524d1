"""What installed packages bring, found through entry points; ours is one of them.

A package says in its pyproject.toml what it brings, group by group:

    [project.entry-points."dreamix.metrics"]
    my_metric = "my_package.my_metric"

Groups are read here; who loads what stands in them: `dreamix.core.registry` and `dreamix.cli`.
What is ours is read from the pyproject.toml of a checkout, so that no installation has to be made
anew for it, and else, as of any package, from what pip wrote. `importlib.metadata` reads the same,
but importing it takes as long as the rest of `dreamix --help`.
"""

import importlib
import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from dreamix.core.errors import UserError

OURS = "dreamix-toolkit"
CHECKOUT = Path(__file__).resolve().parents[2]  # if it is one, and not where packages are installed
METADATA = (".dist-info", ".egg-info")  # folders of what pip knows of a package
HEADS = ("METADATA", "PKG-INFO")  # files in them that begin with its name and version


class Package(NamedTuple):
    """An installed package, as pip knows it."""

    name: str
    version: str

    def __str__(self) -> str:
        """Return it as tables and messages name it."""
        return f"{self.name} {self.version}".strip()


class EntryPoint(NamedTuple):
    """A line of a package's entry points."""

    name: str
    place: str  # module, or module:attribute
    package: Package | None = None  # that brings it; None: ours

    @property
    def module(self) -> str:
        """The module alone."""
        return self.place.partition(":")[0]


def entries(group: str) -> list[EntryPoint]:
    """Return what packages bring to a group: ours first, then by package and name."""
    return _groups(tuple(sys.path)).get(group, [])


def brought() -> list[EntryPoint]:
    """Return what other packages bring, whichever group it belongs to."""
    found = [entry for each in _groups(tuple(sys.path)).values() for entry in each]
    return [entry for entry in found if entry.package]


def load(entry: EntryPoint) -> Any:
    """Return the module or the object of an entry, imported now.

    Raises:
        UserError: another package fails at it, in whichever way. What fails of ours is a defect.
    """
    module, _, attributes = entry.place.partition(":")
    try:
        found = importlib.import_module(module)
        for name in filter(None, attributes.split(".")):
            found = getattr(found, name)
    except (Exception, SystemExit) as error:
        if entry.package is None:
            raise
        why = f"{type(error).__name__}: {error}"
        raise UserError(f"package {entry.package} cannot be loaded: {why} ({module})") from error
    return found


def package_of(module: str) -> Package | None:
    """Return the package that brings a module; None for ours, and for one that no package brings.

    Of packages that share their first name, that which tells of the module or of one above it.
    """
    top = module.partition(".")[0]
    found = [
        entry
        for each in _groups(tuple(sys.path)).values()
        for entry in each
        if entry.module.partition(".")[0] == top
    ]
    if any(entry.package is None for entry in found):
        return None
    above = {entry.module: entry.package for entry in found}
    words = module.split(".")
    for length in range(len(words), 0, -1):
        if (name := ".".join(words[:length])) in above:
            return above[name]
    return found[0].package if found else None


_noted: dict[str, None] = {}


def note(line: str) -> None:
    """Keep a line for the user on what a package brings and cannot be used, once."""
    _noted.setdefault(line)


def noted() -> list[str]:
    """Return the lines that were noted; the program shows them when it ends."""
    return [*_noted]


@lru_cache(4)
def _groups(places: tuple[str, ...]) -> dict[str, list[EntryPoint]]:
    """Return the entries of all groups of ours that packages in these folders have."""
    ours = _of_checkout(CHECKOUT / "pyproject.toml")
    theirs: list[tuple[str, EntryPoint]] = []
    for folder in _installed(places):
        if not (brought := _of_package(folder)):
            continue
        package = _package(folder)
        if _plain(package.name) == OURS:
            ours = ours or brought
        else:
            theirs += [(group, entry._replace(package=package)) for group, entry in brought]
    if not ours:
        raise UserError(
            f"nothing says what {OURS} in {CHECKOUT} brings: its metadata is missing or older than "
            "it; run `pip install -e .` in its checkout"
        )
    theirs.sort(key=lambda pair: (pair[1].package or (), pair[1].name))
    found: dict[str, list[EntryPoint]] = {}
    for group, entry in [*sorted(ours), *theirs]:
        found.setdefault(group, []).append(entry)
    return found


def _of_checkout(file: Path) -> list[tuple[str, EntryPoint]]:
    """Return the groups and entries that a pyproject.toml of ours has; none if it is not ours.

    It is read as metadata is, line by line: importing tomllib takes a tenth of `dreamix --help`.
    """
    text = _read(file)
    return [*_entries_in(text)] if f'\nname = "{OURS}"\n' in text else []


def _installed(places: tuple[str, ...]) -> Iterator[Path]:
    """Yield the folders of metadata in these places; the first of a package hides later ones."""
    seen = set()
    for place in places:
        with suppress(OSError):
            files = [file for file in os.listdir(place or ".") if file.endswith(METADATA)]
            for file in sorted(files):
                name = _plain(file.removesuffix(".egg-info").partition("-")[0])
                left_over = file.startswith("~")  # of a removal that failed
                if name not in seen and not left_over:
                    seen.add(name)
                    yield Path(place, file)


def _of_package(folder: Path) -> list[tuple[str, EntryPoint]]:
    """Return the groups of ours and the entries that a package's entry_points.txt has."""
    return [*_entries_in(_read(folder / "entry_points.txt"))]


def _read(file: Path) -> str:
    """Return the text of a file that has to do with us, else none."""
    try:
        with open(file, "rb") as held:
            found = held.read()
    except OSError:
        return ""
    return found.decode("utf-8", "replace") if b"dreamix." in found else ""


def _entries_in(text: str) -> Iterator[tuple[str, EntryPoint]]:
    """Yield group and entry of every line in a section of a group of ours."""
    group = ""
    for line in text.splitlines():
        line = line.partition("#")[0].strip()
        name, _, place = (part.strip(" \t\"'") for part in line.partition("="))
        if line.startswith("["):
            group = line.strip("[] ").removeprefix("project.entry-points.").strip("\"'")
        elif name and place and group.startswith("dreamix.") and line[0] != ";":
            yield group, EntryPoint(name, place.partition("[")[0].replace(" ", ""))


def _package(folder: Path) -> Package:
    """Return name and version, of the metadata's first lines or of the folder's name."""
    name, _, version = folder.stem.partition("-")
    for file in HEADS:
        with suppress(OSError):
            head = (folder / file).read_text("utf-8", "replace").partition("\n\n")[0]
            told = dict(re.findall(r"^(Name|Version):\s*(\S+)", head, re.MULTILINE))
            return Package(told.get("Name", name), told.get("Version", version))
    return Package(name, version)


def _plain(name: str) -> str:
    """Return the name of a package as pip compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()
