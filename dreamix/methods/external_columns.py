"""Which methods a place holds: each with the pattern of its outputs and the seeds that are there.

Files that are left out are reported by `ExpansionContext.say`; two for one cell are a `UserError`.
"""

import glob
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from dreamix.core.config import added, aside, place
from dreamix.core.errors import UserError
from dreamix.core.litter import is_litter
from dreamix.core.names import near_misses
from dreamix.methods.base import ExpansionContext
from dreamix.methods.external_folders import OTHER_CLIPS, SUFFIXES, FolderEntry, looks_like_output
from dreamix.methods.external_patterns import PathMatch, Pattern, outputs
from dreamix.methods.external_tables import SUFFIXES as TABLES
from dreamix.methods.external_tables import read_table

SHOWN = 3  # of many names


@dataclass(frozen=True)
class ExternalConfig:
    """Where the outputs of one method are."""

    pattern: str = place()  # a path with {edit} and, if wanted, {method} and {seed}; or a table
    method: str | None = aside(None)  # what the table or {method} calls it
    rows: str | None = aside(None)  # written by versions before run format 3; means nothing now
    colour: str | None = added(None)  # matrix of outputs whose files state none: bt601 or bt709


class Column(NamedTuple):
    """One method that was found: where it stands, and the seeds of its outputs."""

    where: str
    config: ExternalConfig
    seeds: tuple[int, ...]


class Scan(NamedTuple):
    """What a pattern leads to: outputs by what their names say, and clips of no edit."""

    cells: dict[PathMatch, Path]
    strangers: list[Path]


def is_table(text: str) -> bool:
    """Return True if a place is a table of outputs."""
    return "{" not in text and Path(text).suffix.lower() in TABLES


def absolute(text: str) -> str:
    """Return a path that means the same from any folder, with "/" between its parts."""
    full = os.path.expanduser(text)
    full = os.path.realpath(full) if ".." in Path(full).parts else os.path.abspath(full)
    return Path(full).as_posix()


def columns_of_table(text: str, asked: ExpansionContext) -> dict[str, Column]:
    """Return each method of a table. Rows for edits that the suite lacks are said."""
    table = read_table(Path(absolute(text)))
    strange = {key: row for key, row in table.items() if not asked.knows(key[1])}
    if strange:
        names = dict.fromkeys(f"{key[1]} (line {row.number})" for key, row in strange.items())
        asked.say(
            f"{text}: {len(strange)} of {len(table)} rows are of edits that the suite does not "
            f"have: {few(names)}"
        )
    seeds: dict[str, set[int]] = {label: set() for label, _edit, _seed in table}
    for label, _edit, seed in table.keys() - strange.keys():
        seeds[label].add(seed)
    return {
        label: Column(f"{label} of {text}", ExternalConfig(text, label), _sorted(found))
        for label, found in seeds.items()
    }


def columns_of_pattern(
    label: str, text: str, asked: ExpansionContext, name: str | None = None
) -> dict[str, Column]:
    """Return each method of a pattern.

    label: of the method of a pattern without {method}. name: the only one wanted of {method}.
    """
    if "{method}" not in text and not label:
        raise UserError(f"external:{text} names no method: use {{method}} or NAME=external:{text}")
    scan = scanned(text, asked)
    _say_strangers(text, scan.strangers, asked)
    if "{method}" not in text:
        return {label: Column(text, ExternalConfig(text), _seeds(scan.cells))}
    seeds: dict[str, list[PathMatch]] = {} if name is None else {name: []}
    for cell in scan.cells:
        if name in (None, cell.method):
            seeds.setdefault(cell.method, []).append(cell)
    return {
        one: Column(text.replace("{method}", one), ExternalConfig(text, one), _seeds(cells))
        for one, cells in seeds.items()
    }


def columns_of_folders(text: str, asked: ExpansionContext) -> dict[str, Column]:
    """Return each folder as a method.

    Folders without any clip are left out, unless none has one: outputs may be still to come.

    Raises:
        UserError: for two folders of one name.
    """
    paths = _globbed(text)
    scans = {path: scanned(_inside(path), asked) for path in paths if os.path.isdir(path)}
    used = [folder for folder, scan in scans.items() if not _idle(scan)] or [*scans]
    _say_strangers(text, [path for scan in scans.values() for path in scan.strangers], asked)
    _say_left_out(text, set(paths) - set(scans), sorted(set(scans) - set(used)), asked)
    found: dict[str, Column] = {}
    for folder in used:
        column = Column(folder, ExternalConfig(_inside(folder)), _seeds(scans[folder].cells))
        known = found.setdefault(os.path.basename(absolute(folder)), column)
        _check_same(text, known.where, folder)
    return found


def _inside(folder: str) -> str:
    return os.path.join(folder, "{edit}")


def _idle(scan: Scan) -> bool:
    """Return True for a folder without any output."""
    return not scan.cells and not scan.strangers


def _check_same(text: str, one: str, other: str) -> None:
    """Raise a `UserError` if two paths of one last name are not one folder."""
    if not os.path.samefile(one, other):
        name = os.path.basename(absolute(one))
        raise UserError(
            f"external:{text}: two folders are called {name!r}: {one} and {other}; rename one, or "
            f"bring them in one by one: --methods NAME=external:{other}"
        )


def _globbed(text: str) -> list[str]:
    """Return the paths that match, without what systems leave where a wildcard stands."""
    parts = Path(os.path.expanduser(text)).parts
    fixed = next((i for i, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    found = sorted(glob.glob(str(Path(*parts)))) if parts else ["."]
    return [path for path in found if not any(map(is_litter, Path(path).parts[fixed:]))]


def scanned(text: str, asked: ExpansionContext) -> Scan:
    """Return what a pattern leads to.

    Raises:
        UserError: if there are two outputs for one cell.
    """
    pattern = Pattern(absolute(text))
    cells: dict[PathMatch, Path] = {}
    told = outputs(pattern, asked.edits, asked.say)
    for path, cell in told.items():
        only_one(cell, [cells.setdefault(cell, path), path])
    left = [entry for entry in pattern.entries() if entry.path not in told]
    return Scan(cells, [entry.path for entry in left if looks_like_output(entry)])


def only_one(cell: object, paths: list[Path]) -> Path:
    """Return the one file that several paths lead to.

    Raises:
        UserError: if they lead to several files.
    """
    if len(set(paths)) > 1 and len({os.path.realpath(path) for path in paths}) > 1:
        raise UserError(
            f"two outputs for {cell}: {paths[0]} and {paths[1]}; keep one of them, or say which: "
            "external:'.../{method}/{edit}.mp4'"
        )
    return paths[0]


def _say_strangers(text: str, paths: list[Path], asked: ExpansionContext) -> None:
    unread = [path for path in paths if path.suffix.lower() in OTHER_CLIPS and path.is_file()]
    if unread:
        asked.say(
            f"external:{text}: {len(unread)} x a kind of file that is not read here, left out: "
            f"{few(unread)}; {', '.join(one[1:] for one in SUFFIXES)} and folders of frames are"
        )
    if paths := [path for path in paths if path not in unread]:
        hint = near_misses(paths[0].stem, sorted(asked.edits or ()))
        asked.say(
            f"external:{text}: {len(paths)} x a clip of no edit of the suite, left out: "
            f"{few(paths)}{hint}"
        )


def _say_left_out(text: str, files: set[str], idle: list[str], asked: ExpansionContext) -> None:
    loose = sorted(
        path
        for path in files
        if looks_like_output(FolderEntry(Path(path), False, os.path.basename(path)))
    )
    if loose:
        asked.say(
            f"external:{text}: {len(loose)} x a clip beside the folders, left out: {few(loose)}"
        )
    if idle:
        asked.say(f"external:{text}: no clip in {few(idle)}: not taken as a method")


def few(names: Iterable[Any]) -> str:
    """Return the first of the names, and how many others there are."""
    texts = list(map(str, names))
    more = f" and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
    return ", ".join(texts[:SHOWN]) + more


def _seeds(cells: Iterable[PathMatch]) -> tuple[int, ...]:
    return _sorted({cell.seed for cell in cells})


def _sorted(seeds: set[int]) -> tuple[int, ...]:
    return tuple(sorted(seeds or {0}))
