"""The grid of a run: begun for a suite, widened by edits and methods, never two of one name."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dreamix.core.errors import UserError
from dreamix.core.records import write_json
from dreamix.data.suite import Suite
from evaluation.run.folder import RunFolder
from evaluation.run.info import (
    BackendInfo,
    MethodInfo,
    PackageInfo,
    RunInfo,
    SuiteInfo,
    seed_numbers,
)
from evaluation.run.versions import versions
from evaluation.schema import FORMAT, Cell


def open_run(path: Path, suite: Suite) -> RunFolder:
    """Return the run folder at `path`, begun if it is new; that of another suite is an error."""
    run = RunFolder(path)
    if (path / "run.json").exists():
        ours = run.info.suite
        if ours.sha256 != suite.sha256:
            raise UserError(
                f"{path} belongs to suite {ours.name} version {ours.version} "
                f"({ours.sha256[:8]}), not to {suite.name} version {suite.version} "
                f"({suite.sha256[:8]}); choose another --out"
            )
        run.check()
        return run
    check_new(path)
    write_json(path / "suite.json", suite.to_dict())
    about = SuiteInfo(suite.name, suite.version, suite.licence, suite.sha256)
    run.info = RunInfo(FORMAT, about, (), {}, versions())
    run.save()
    return run


def check_new(path: Path) -> None:
    """Raise a `UserError` if a folder has no run and other things in it."""
    begun = (path / "run.json").exists() or not path.exists()
    if not begun and (not path.is_dir() or any(_is_foreign(child) for child in path.iterdir())):
        raise UserError(f"{path} is not empty and not a run folder; choose another --out")


def _is_foreign(path: Path) -> bool:
    """Return False for what a kill leaves that came before run.json was written."""
    return not path.name.startswith(".") and path.name != "suite.json"


def add_to_grid(run: RunFolder, edits: Iterable[str], columns: dict[str, MethodInfo]) -> None:
    """Widen the grid by edits and methods; what is in it already stays.

    columns: by label.

    Raises:
        UserError: for a label that was used with another configuration or another model: its clips
            would be of two kinds.
    """
    known = dict(run.info.methods)
    for label, entry in columns.items():
        before = known.get(label)
        check_case(label, known)
        if before and (other := difference(before, entry)):
            raise UserError(
                f"{run.path} has a method {label!r} with {other}; "
                f"name this one differently: --methods NEWNAME={entry.name}:..."
            )
        kept = _seeds_kept(run, label, before, entry) if before else ()  # the first stays the first
        seeds = (*kept, *(seed for seed in entry.seeds if seed not in kept))
        place = before.place if before else len(known)  # reports keep the order asked for
        known[label] = replace(entry, seeds=_few_enough(label, seeds), place=place)
    wider = replace(
        run.info, methods=known, edits=tuple(sorted({*run.info.edits, *edits})), format=FORMAT
    )
    wider.check(str(run.path))
    run.info = wider
    run.save()


def check_case(label: str, known: Iterable[str]) -> None:
    """Raise a `UserError` if a new label differs by case only from one that is there."""
    twins = [other for other in known if other.casefold() == label.casefold()]
    if twins and label not in twins:
        raise UserError(
            f"the methods {twins[0]!r} and {label!r} differ only by case: on some systems their "
            "folders would be the same; name one differently, NAME=external:..."
        )


def _few_enough(label: str, seeds: tuple[int, ...]) -> tuple[int, ...]:
    """Return the seeds of a method.

    Raises:
        UserError: if there are more than a run can hold.
    """
    try:
        return seed_numbers(seeds)
    except ValueError as error:
        raise UserError(f"method {label!r} has {len(seeds)} seeds: seeds {error}") from None


def _seeds_kept(
    run: RunFolder, label: str, before: MethodInfo, entry: MethodInfo
) -> tuple[int, ...]:
    """Return the seeds that a method has here already.

    Of outputs that are brought in, those that are not found any more and of which no clip was ever
    made do not count: the seeds are those that there are.
    """
    if not is_brought(entry):
        return before.seeds
    new = set(entry.seeds)
    return tuple(seed for seed in before.seeds if seed in new or _has_any(run, label, seed))


def _has_any(run: RunFolder, label: str, seed: int) -> bool:
    rows = (run.clip_row(Cell(label, edit, seed)) for edit in run.info.edits)
    return any(row is not None and row.status == "ok" for row in rows)


def is_brought(entry: MethodInfo) -> bool:
    """Return True for a method of run.json whose edits are files made elsewhere."""
    return entry.beside is not None or entry.name == "external"  # not told before format 3


def difference(before: MethodInfo, entry: MethodInfo) -> str | None:
    """Return in which way two columns of one label differ, None if their clips are of one kind."""
    if before.name != entry.name:
        return f"another method ({before.name}, now {entry.name})"
    if before.package != entry.package:
        return (
            f"another package ({spell_package(before.package)}, now {spell_package(entry.package)})"
        )
    told = None not in (
        before.beside,
        entry.beside,
    )  # else the hash is one of a place, before format 3
    if before.config.get("colour") != entry.config.get("colour"):  # a file, but not its pixels
        return f"another configuration (colour {before.config.get('colour') or 'not said'})"
    if before.config_hash != entry.config_hash and (told or not is_brought(entry)):
        return "another configuration"
    ours, theirs = before.backend, entry.backend
    if (ours and ours.identity) != (theirs and theirs.identity):
        return f"another model ({spell_backend(ours)}, now {spell_backend(theirs)})"
    return None


def spell_package(package: PackageInfo | None) -> str:
    """Return the package that brings a method in words."""
    return str(package) if package else "the toolkit's own"


def spell_backend(backend: BackendInfo | None) -> str:
    """Return a backend of run.json in words."""
    return f"{backend.name} {backend.identity[:12]}" if backend else "none"


def column(
    method: str,
    config: dict[str, Any],
    config_hash: str,
    *,
    anchor: bool,
    seeds: Sequence[int],
    definition: str,
    backend: BackendInfo | None = None,
    beside: dict[str, str] | None = None,
    package: PackageInfo | None = None,
) -> MethodInfo:
    """Return what run.json holds about one method.

    beside: of a method that brings files in, where they are, seen from the run folder.
    """
    return MethodInfo(
        name=method,
        config=config,
        config_hash=config_hash,
        anchor=anchor,
        seeds=tuple(seeds),
        definition=definition,
        backend=backend,
        beside=beside,
        package=package,
    )
