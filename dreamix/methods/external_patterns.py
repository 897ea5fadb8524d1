"""Paths with {method}, {edit} and {seed} in them: which files they lead to, and how a name is read.

Where placeholders meet, as in {edit}_{method}, a name can often be cut in several places. The
edits of the suite are known, and seeds are whole numbers, so most cuts are none; what still can be
read in two ways is settled by the methods and seeds of files that can be read in one, or an error.
"""

import os
import re
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from dreamix.core.csv_reading import LARGEST_SEED
from dreamix.core.errors import UserError
from dreamix.core.litter import is_litter
from dreamix.methods.external_folders import SUFFIXES, FolderEntry, changed, clips_called, listing

NAMES = ("method", "edit", "seed")
Known = frozenset[str] | None  # the edits of the suite; None: any text is one


class PathMatch(NamedTuple):
    """What a path says: whose output it is, of which edit, with which seed."""

    method: str  # "" where the pattern does not say
    edit: str
    seed: int

    def __str__(self) -> str:
        """Say it in words."""
        whose = f"{self.method!r} of " if self.method else ""
        return f"{whose}edit {self.edit}" + (f" with seed {self.seed}" if self.seed else "")


class Pattern:
    """An absolute path in which placeholders stand for parts of names."""

    def __init__(self, text: str) -> None:
        if unknown := [name for name in re.findall(r"\{(\w+)\}", text) if name not in NAMES]:
            raise UserError(
                f"external:{text}: {{{unknown[0]}}} means nothing here; {{method}}, {{edit}} and "
                "{seed} do"
            )
        self.text = text
        parts = PurePosixPath(text).parts
        fixed = next((i for i, part in enumerate(parts) if "{" in part), len(parts) - 1)
        self.root, self.parts = Path(*parts[:fixed]), parts[fixed:]
        self._above = len(self.root.as_posix().rstrip("/")) + 1
        suffix = PurePosixPath(text).suffix
        self.suffix = suffix if suffix.lower() in SUFFIXES else ""  # else that of any clip will do
        self.is_plain = all(part.count("{") <= 1 for part in parts)  # each name is read in one way

    @cached_property
    def _tokens(self) -> list[str]:
        whole = "/".join(self.parts)
        return [part for part in re.split(r"(\{\w+\})", whole[: self._end(whole)]) if part]

    def _end(self, text: str) -> int:
        return len(text) - len(self.suffix)

    def entries(self) -> list[FolderEntry]:
        """Return all that the pattern leads to, sorted; what systems leave does not count."""
        if len(self.parts) > 1:
            return self._entries()
        return _entries(self.text, changed(str(self.root)))

    def _entries(self) -> list[FolderEntry]:
        folders = [self.root]
        for part in self.parts[:-1]:
            shape, inside = _shape(part), [one for folder in folders for one in _kept(folder)]
            folders = [one.path for one in inside if one.is_dir and shape.fullmatch(one.name)]
        last = _shape(self.parts[-1][: self._end(self.parts[-1])])
        inside = [one for folder in folders for one in _kept(folder)]
        return [one for one in inside if last.fullmatch(self._stem(one))]

    def _stem(self, entry: FolderEntry) -> str:
        """Return a name without the suffix of a clip; "" if the pattern asks for another suffix."""
        stem, ending = os.path.splitext(entry.name)
        if self.suffix:
            return stem if ending.lower() == self.suffix.lower() else ""
        return stem if not entry.is_dir and ending.lower() in SUFFIXES else entry.name

    def readings(self, entry: FolderEntry, known: Known) -> list[PathMatch]:
        """Return all ways to read a path."""
        folder, name = os.path.split(entry.path.as_posix()[self._above :])
        for stem in (self._stem(entry), "" if self.suffix else name):
            cuts = _cuts(self._tokens, os.path.join(folder, stem), {}, known) if stem else ()
            if found := list(dict.fromkeys(map(_reading, cuts))):
                return [one for one in found if abs(one.seed) <= LARGEST_SEED]
        return []

    def find(self, cell: PathMatch, known: Known) -> list[Path]:
        """Return the files of one cell: more than one where an output stands twice."""
        if len(self.parts) == 1:
            only = _by_cell(self.text, known, changed(str(self.root))).get(cell)
            if only is not None:
                return [only]
        near = self.text.replace("{method}", cell.method).replace("{edit}", cell.edit)
        found = clips_called(near.replace("{seed}", str(cell.seed)), self.suffix)
        if not found and "{seed}" in near:
            found = Pattern(near).entries()  # numbers that are written in another way, such as 007
        if self.is_plain and "{seed}" not in near:
            return [entry.path for entry in found]
        return [entry.path for entry in found if self._says(entry, cell, known)]

    def _says(self, entry: FolderEntry, cell: PathMatch, known: Known) -> bool:
        """Return True if a path is read as that cell, and not as another one."""
        ways = self.readings(entry, known)
        if len(ways) > 1 and cell in ways:
            return _outputs(self.text, known, changed(str(entry.path.parent)))[entry.path] == cell
        return ways == [cell]


@lru_cache(maxsize=64)
def _entries(text: str, _changed: int | None) -> list[FolderEntry]:
    return Pattern(text)._entries()


@lru_cache(maxsize=16)
def _outputs(text: str, known: Known, _changed: int | None) -> dict[Path, PathMatch]:
    return outputs(Pattern(text), known)


def outputs(
    pattern: Pattern, known: Known, say: Callable[[str], None] = lambda _: None
) -> dict[Path, PathMatch]:
    """Return what every path that can be read says; `say` is told what had to be settled."""
    state = changed(str(pattern.root)) if len(pattern.parts) == 1 else None
    found = _ways(pattern.text, known, state) if state else _all_ways(pattern, known)
    return settled({path: ways for path, ways in found.items() if ways}, say)


def _all_ways(pattern: Pattern, known: Known) -> dict[Path, list[PathMatch]]:
    return {entry.path: pattern.readings(entry, known) for entry in pattern.entries()}


@lru_cache(maxsize=64)
def _ways(text: str, known: Known, _changed: int | None) -> dict[Path, list[PathMatch]]:
    """Return all ways to read what is in a folder: a pattern has placeholders in names only."""
    return _all_ways(Pattern(text), known)


@lru_cache(maxsize=64)
def _by_cell(text: str, known: Known, changed: int | None) -> dict[PathMatch, Path | None]:
    """Return the only file of each cell; None where there are two, or where a name is ambiguous."""
    found: dict[PathMatch, Path | None] = {}
    for path, ways in _ways(text, known, changed).items():
        for cell in ways:
            found[cell] = path if len(ways) == 1 and cell not in found else None
    return found


def settled(
    found: dict[Path, list[PathMatch]], say: Callable[[str], None]
) -> dict[Path, PathMatch]:
    """Return one reading of every path.

    A path that can be read in several ways is taken to be of a method, and with a seed, that a path
    has which can be read in one way only.

    Raises:
        UserError: for a path that can be read in two ways for good.
    """
    sure = [ways[0] for ways in found.values() if len(ways) == 1]
    methods, seeds = {one.method for one in sure}, {one.seed for one in sure}
    told: dict[Path, PathMatch] = {}
    for path, ways in found.items():
        likely = [one for one in ways if one.method in methods and one.seed in seeds]
        if len(ways) > 1 and len(likely) != 1:
            raise UserError(
                f"{path} can be read in {len(ways)} ways: as {' or as '.join(map(str, ways[:3]))}; "
                "put methods into folders of their own, or list the files in a .csv file"
            )
        told[path] = ways[0] if len(ways) == 1 else likely[0]
    if odd := [path for path, ways in found.items() if len(ways) > 1]:
        other = next(one for one in found[odd[0]] if one != told[odd[0]])
        say(
            f"{len(odd)} x a name that can be read in several ways, taken to be of a method that "
            f"other files are of: {odd[0]} as {told[odd[0]]}, not as {other}"
        )
    return told


def _kept(folder: Path) -> list[FolderEntry]:
    return [entry for entry in listing(folder) if not is_litter(entry.name)]


def _shape(part: str) -> re.Pattern[str]:
    """Return what a part of a pattern looks like when a placeholder may stand for any text."""
    pieces = re.split(r"\{\w+\}", part)
    return re.compile(".+".join(map(re.escape, pieces)), re.DOTALL)


def _reading(told: dict[str, str]) -> PathMatch:
    return PathMatch(told.get("method", ""), told.get("edit", ""), int(told.get("seed", "0")))


def _cuts(
    tokens: list[str], rest: str, told: dict[str, str], known: Known
) -> Iterator[dict[str, str]]:
    """Yield what the placeholders stand for, for every way to read `rest` as tokens."""
    if not tokens:
        if not rest:
            yield told
        return
    name = tokens[0][1:-1] if tokens[0].startswith("{") else ""
    if name not in NAMES:
        if rest.startswith(tokens[0]):
            yield from _cuts(tokens[1:], rest[len(tokens[0]) :], told, known)
        return
    for value in [told[name]] if name in told else _values(name, rest.partition("/")[0], known):
        if rest.startswith(value):
            yield from _cuts(tokens[1:], rest[len(value) :], {**told, name: value}, known)


def _values(name: str, here: str, known: Known) -> Iterator[str]:
    """Yield what a placeholder may stand for at the start of a name."""
    if name == "seed":
        digits = re.match(r"-?[0-9]+", here)
        first = 2 if here.startswith("-") else 1
        yield from (here[:n] for n in range(first, len(digits[0]) + 1 if digits else 0))
    elif name == "edit" and known is not None:
        yield from (here[:n] for n in _lengths(known) if here[:n] in known)
    else:
        yield from (here[:n] for n in range(1, len(here) + 1))


@lru_cache(maxsize=4)
def _lengths(known: frozenset[str]) -> tuple[int, ...]:
    return tuple(sorted({len(edit) for edit in known}))
