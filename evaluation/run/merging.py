"""Joins run folders of one suite into one, as if a single command had made it.

All is compared before anything is written, so a refusal leaves no half of a merge. Clips come
before their sidecars, so a merge that was killed is finished by the same command, and one that is
asked for again does nothing. Scores are computed on the whole; those that nobody here can compute
are taken over by `also` (`evaluation.score.merged_imports`).
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

from dreamix.core.errors import UserError
from dreamix.core.media import sha256_file
from dreamix.core.progress import Progress
from dreamix.core.records import only_writer, write_json
from dreamix.data.suite import Suite
from evaluation.run.brought import moved_entry
from evaluation.run.folder import RunFolder, link_whole
from evaluation.run.grid import add_to_grid, check_case, check_new, difference, open_run
from evaluation.run.info import MethodInfo
from evaluation.schema import Cell, ClipRow

Also = Callable[[Sequence[RunFolder]], Callable[[RunFolder], None]]


def nothing_more(runs: Sequence[RunFolder]) -> Callable[[RunFolder], None]:
    """Return what does nothing with the merged run."""
    return lambda run: None


class MergeCandidate(NamedTuple):
    """A cell of a run that has something to offer for the merged one."""

    run: RunFolder
    row: ClipRow


def merge_runs(
    out: Path, paths: Sequence[Path], progress: Progress | None = None, also: Also = nothing_more
) -> RunFolder:
    """Return the run folder at `out`, which now also holds what those at `paths` hold.

    A cell that failed gives way to one that did not.
    also: is given the runs before anything is written, and raises if they contradict each other;
    what it returns is given the merged run at the end.

    Raises:
        UserError: for runs of other suites, a method of two configurations or models, and a cell
            with two different clips.
    """
    if out.resolve() in [path.resolve() for path in paths]:
        raise UserError(f"{out} is what the others are merged into: leave it out of the list")
    parts = [RunFolder(path) for path in paths]
    whole = [RunFolder(out)] if (out / "run.json").exists() else []
    with ExitStack() as stack:
        for path in dict.fromkeys(run.path.resolve() for run in [*whole, *parts]):
            stack.enter_context(_held(path, path == out.resolve()))
        found, finish = _checked([*whole, *parts]), also([*whole, *parts])
        if not whole:
            check_new(out)
            stack.enter_context(only_writer(out))
        run = _opened(out, parts)
        _bring_sources(run, parts)
        for done, (cell, part) in enumerate(sorted(found.items()), 1):
            if part.run.path != out:
                _bring_cell(run, cell, part)
            if progress:
                progress(done, len(found))
        finish(run)
    return run


def _checked(runs: list[RunFolder]) -> dict[Cell, MergeCandidate]:
    """Return what to take for every cell of the merged run; nothing is written before this."""
    _check(runs)
    for run in runs:
        run.check()
    _check_sources(runs)
    found = _chosen(runs)
    for part in found.values():
        _check_clip(part)
    return found


@contextmanager
def _held(path: Path, ours: bool) -> Iterator[None]:
    """Hold a folder against other writers; a run that cannot be written has none."""
    if not (path / "run.json").exists():
        raise UserError(f"{path} is not a run folder: it has no run.json (see `bench run`)")
    if not ours and not os.access(path, os.W_OK):
        yield
        return
    with only_writer(path, reads=not ours):
        yield


def _check(runs: list[RunFolder]) -> None:
    """Raise a `UserError` unless all runs can be one: one suite, and one meaning of each method."""
    first, known = runs[0], dict[str, tuple[RunFolder, MethodInfo]]()
    for run in runs:
        ours, theirs = first.info.suite, run.info.suite
        if ours.sha256 != theirs.sha256:
            raise UserError(
                f"{run.path} is of suite {theirs.name} ({theirs.sha256[:8]}), "
                f"{first.path} of {ours.name} ({ours.sha256[:8]}): they cannot be merged"
            )
        for label, entry in run.info.methods.items():
            check_case(label, known)
            other, before = known.setdefault(label, (run, entry))
            if differs := difference(before, entry):
                raise UserError(
                    f"{run.path} has {label!r} with {differs} than {other.path}: runs are merged "
                    "when a name means one thing; run it again as --methods NEWNAME=..."
                )


def _check_sources(runs: list[RunFolder]) -> None:
    """Raise a `UserError` if two runs edited different clips under one name."""
    known: dict[str, tuple[Path, str]] = {}
    for run in runs:
        for video in _kept(run):
            path = run.source(video)
            run.subject_mask(video)  # a damaged one is said now
            other, digest = known.setdefault(video, (path, sha256_file(path)))
            if other != path and sha256_file(path) != digest:
                raise UserError(
                    f"{path} and {other} differ: these runs edited different clips called {video}"
                )


def _kept(run: RunFolder) -> list[str]:
    """Return the videos whose sources the run keeps."""
    return sorted(video for video in run.suite.videos if run.kept_source(video))


def _chosen(runs: list[RunFolder]) -> dict[Cell, MergeCandidate]:
    """Return what to take for every cell.

    Raises:
        UserError: if two runs differ on a cell.
    """
    found: dict[Cell, MergeCandidate] = {}
    for run in runs:
        for cell in run.cells():
            row = run.clip_row(cell)
            if row is None or (row.status == "ok" and not run.has_clip(row)):
                continue
            before = found.get(cell)
            if before is None or (before.row.status, row.status) == ("failed", "ok"):
                found[cell] = MergeCandidate(run, row)
            elif "failed" not in (before.row.status, row.status):
                _compare(before, MergeCandidate(run, row))
    return found


def _compare(one: MergeCandidate, other: MergeCandidate) -> None:
    """Raise a `UserError` if two clips of a cell differ."""
    if (one.row.status, one.row.sha256) != (other.row.status, other.row.sha256):
        cell = Cell(one.row.method, one.row.edit, one.row.seed)
        raise UserError(
            f"{one.run.sidecar(cell)} and {other.run.sidecar(cell)} are of different clips: "
            "remove the one that is wrong and merge again"
        )


def _check_clip(part: MergeCandidate) -> None:
    """Raise a `UserError` if the clip of a part is not the one that its sidecar is about."""
    if part.row.file:
        theirs = part.run.clip_path(part.row)
        if sha256_file(theirs) != part.row.sha256:
            raise UserError(
                f"{theirs} is not what its sidecar says: remove it, run its command again, merge"
            )


def _opened(out: Path, parts: list[RunFolder]) -> RunFolder:
    """Return the run at `out` with the grid of all; begun as the first of them was."""
    first = parts[0]
    is_new = not (out / "run.json").exists()
    run = open_run(out, Suite.read(first.place("suite.json")))
    if is_new:
        run.info = replace(run.info, versions=first.info.versions)
    for part in parts:
        methods = part.info.methods
        columns = {
            label: moved_entry(methods[label], part.path, out) for label in part.info.ordered
        }
        add_to_grid(run, part.info.edits, columns)
    return run


def _bring_sources(run: RunFolder, parts: list[RunFolder]) -> None:
    """Copy the source clips and masks that are not there."""
    for part in parts:
        for video in _kept(part):
            ours, kept = run.kept_source(video), part.kept_source(video)
            if not kept or (ours and run.place("sources", ours.file).is_file()):
                continue
            if part.has_mask(video):
                link_whole(part.mask_path(video), run.mask_path(video))
            link_whole(part.source(video), run.place("sources", kept.file))
            write_json(run.place("sources", f"{video}.json"), asdict(kept))


def _bring_cell(run: RunFolder, cell: Cell, part: MergeCandidate) -> None:
    """Put a clip, then its sidecar, into the run."""
    if part.row.file:
        link_whole(part.run.clip_path(part.row), run.clip_path(part.row))
    write_json(run.sidecar(cell), part.row.to_dict())
