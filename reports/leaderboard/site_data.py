"""SITE/data: what a leaderboard is made of. Pages are written from these files, and from no other.

    board.json            the suite, the title, the seeds that count
    entries/ID.json       a method as it was entered
    studies/ID.json       a study in numbers

Every file says which content it had when it was written, so that a change by hand is found. An
entry is taken off by removing its file.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

from dreamix.core.errors import UserError
from dreamix.core.places import inside, own_folder
from dreamix.core.records import parse_json, read_bytes, to_json, write_whole
from dreamix.core.typed import STRICT, as_typed
from evaluation.schema import Seed
from reports.leaderboard.entry import BoardSuite, Entry
from reports.leaderboard.votes import StudyResults

T = TypeVar("T", Entry, StudyResults, "BoardFile")
MOST = 1 << 30  # bytes of an entry
MOST_ENTRIES = 2000
DATA = "data"


@dataclass(frozen=True)
class BoardFile:
    """What a site is about."""

    __pydantic_config__ = STRICT
    suite: BoardSuite
    title: str = ""
    seeds: tuple[Seed, ...] | None = None  # that count; None: every entry has the same
    format: Literal[1] = 1

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)


class SiteData(NamedTuple):
    """All that pages show, by id."""

    board: BoardFile
    entries: dict[str, Entry]
    studies: dict[str, StudyResults]

    def check(self) -> None:
        """Raise a `ValueError` unless everything is of the one suite."""
        for entry in self.entries.values():
            entry.check(self.board.suite)
        for study in self.studies.values():
            study.check(self.board.suite)


def read_site(site: Path) -> SiteData | None:
    """Return what a site holds; None where there is none yet.

    Raises:
        UserError: if the folder holds something else, or a file was altered.
    """
    path = inside(site, DATA, "board.json")
    if not path.is_file():
        strange = sorted(p.name for p in site.iterdir()) if site.is_dir() else []
        if left := [name for name in strange if not name.startswith(".") and name != DATA]:
            raise UserError(
                f"{site} is not empty and no leaderboard (it has {left[0]}): choose another --out"
            )
        return None
    board = _read(path, BoardFile)
    entries = {one.id: one for one in _each(site, "entries", Entry)}
    studies = {one.id: one for one in _each(site, "studies", StudyResults)}
    data = SiteData(board, entries, studies)
    try:
        data.check()
    except ValueError as error:
        raise UserError(f"{site / DATA}: {error}: remove or restore it") from None
    return data


def _each(site: Path, folder: str, kind: type[T]) -> Iterable[T]:
    place = inside(site, DATA, folder)
    paths = sorted(place.glob("*.json")) if place.is_dir() else []
    if len(paths) > MOST_ENTRIES:
        raise UserError(f"{place} has {len(paths)} files: no more than {MOST_ENTRIES} are read")
    for path in paths:
        found = _read(inside(site, DATA, folder, path.name), kind)
        if path.stem != getattr(found, "id", None):
            raise UserError(f"{path} is not of the entry that it is called after: remove it")
        yield found


def _read(path: Path, kind: type[T]) -> T:
    """Return a file of ours; one that was altered or is damaged is a `UserError`."""
    try:
        held = parse_json(read_bytes(path, MOST))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not valid JSON ({error}): remove or restore it") from None
    if not isinstance(held, dict) or held.pop("content", None) != _digest(held):
        raise UserError(f"{path} was altered after it was written: remove or restore it")
    return as_typed(held, kind, str(path))


def _digest(held: object) -> str:
    return hashlib.sha256(to_json(held).encode()).hexdigest()


def write_site_data(site: Path, data: SiteData) -> None:
    """Write all files, each whole or not at all; the board first, so that a kill leaves a site."""
    own_folder(site)
    _write(inside(site, DATA, "board.json"), data.board.to_dict())
    for folder, held in (("entries", data.entries), ("studies", data.studies)):
        place = own_folder(inside(site, DATA, folder))
        for one in held.values():
            _write(inside(site, DATA, folder, f"{one.id}.json"), one.to_dict())
        for path in sorted(place.glob("*.json")):
            if path.stem not in held:
                path.unlink()


def _write(path: Path, held: dict[str, Any]) -> None:
    plain = parse_json(to_json(held).encode())
    text = to_json(plain | {"content": _digest(plain)}, indent=1) + "\n"
    if not path.is_file() or path.read_bytes() != text.encode():
        with write_whole(path) as file:
            file.write(text.encode())


def fuller(one: Entry, other: Entry) -> Entry:
    """Return of two that are of the same clips the one with more metrics, in a settled order."""

    def weight(entry: Entry) -> tuple[int, str]:
        return len(entry.metrics), to_json(entry.to_dict())

    return max(one, other, key=weight)


def of_latest(entries: Iterable[Entry]) -> tuple[dict[str, Entry], dict[str, str]]:
    """Return the latest entry of every method, and for older ones which took their place.

    Of an anchor that several runs have, the fullest counts.
    """
    families: dict[tuple[bool, str, str], list[Entry]] = {}
    for one in sorted(entries, key=lambda one: one.id):
        families.setdefault((one.anchor, *one.family), []).append(one)
    latest, older = dict[str, Entry](), dict[str, str]()
    for family in families.values():
        ordered = sorted(family, key=lambda one: (one.facts.date, len(one.metrics), one.id))
        last = ordered[-1]
        latest[last.id] = last
        older |= {one.id: last.id for one in ordered[:-1] if not one.anchor}
    return latest, older


def with_title(board: BoardFile, title: str | None, seeds: tuple[int, ...] | None) -> BoardFile:
    """Return a board with what the command says anew."""
    return replace(board, title=board.title if title is None else title, seeds=seeds or board.seeds)
