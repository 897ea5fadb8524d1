"""Makes the clips of a run: edits x methods x seeds, resumable, every failure a row.

A cell is done when its sidecar stands, and the sidecar is written after the clip. A kill at any
instant therefore costs at most the clips that were being made. Cells that failed are tried again by
the next call; cells whose outside file has changed since are brought in anew.

Work is dealt out in units. Methods without a model come first, all cells of a source video in one
unit. A method with a model has a unit for each video, so that all its edits share one finetuning.
How a unit is made: `evaluation.run.making`.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Protocol

from dreamix.backends.base import check_backend, open_backend, spec_of
from dreamix.backends.names import BACKENDS, default_backend
from dreamix.core.config import config_hash
from dreamix.core.errors import UserError
from dreamix.core.progress import TimedProgress
from dreamix.core.records import only_writer, remove_leftovers
from dreamix.data.suite import Suite
from dreamix.methods.base import METHODS, Variant
from evaluation.run.brought import (
    beside,
    check_places,
    config_of,
    is_unchanged,
    kept_config,
    spell_config,
)
from evaluation.run.folder import RunFolder
from evaluation.run.grid import add_to_grid, column, is_brought, open_run, spell_package
from evaluation.run.info import BackendInfo, MethodInfo, package_info
from evaluation.run.making import CellsOfVideo, ClipMaker, Job
from evaluation.run.pace import ProgressTracker
from evaluation.run.pool import run_units
from evaluation.schema import Cell, counted_reasons


class Executor(Protocol):
    """A way to make units. What they come to does not depend on which way."""

    remarks: list[str]  # what a user should know afterwards, such as workers that were lost

    @property
    def workers(self) -> int | None:
        """How many units are made at once; None is found out when it starts."""

    def make(self, job: Job) -> None:
        """Make every unit of the job; the clips and sidecars are then in its run folder."""


@dataclass
class Local:
    """Processes of this machine; with one, nothing leaves this process."""

    workers: int
    remarks: list[str] = field(default_factory=list)

    def make(self, job: Job) -> None:
        """Make every unit of the job."""
        maker = ClipMaker(job.run.path, job.suite)
        for _ in run_units(maker, job.units, self.workers, job.tracker.update):
            pass  # a unit leaves files, and tells of each cell


def run_suite(
    suite: Suite,
    columns: list[Variant],
    out: Path,
    *,
    seeds: int | None = None,
    edits: list[str] | None = None,
    workers: int = 1,
    backend: str | None = None,
    progress: TimedProgress | None = None,
    executor: Executor | None = None,
) -> RunFolder:
    """Return the run folder at `out` with every cell of the grid made, or tried.

    seeds:   repeats of methods that draw, one by default; outputs that are brought in have theirs.
    edits:   ids to run, all of the suite's by default; a later call adds to them.
    workers: processes; the clips do not depend on it.
    executor: where the clips are made, if not in processes of this machine.
    backend: model of those `columns` that need one; opened only if there are such. None: the one
        that comes along.
    progress: called as cells get done.
    """
    backend = check_backend(backend or default_backend())
    if seeds is not None and seeds < 1:
        raise UserError(f"a run makes 1 seed or more of each edit, not {seeds}")
    if edits is not None and not edits:
        raise UserError("a run makes 1 edit or more: none was named")
    makers = executor or Local(workers)
    with only_writer(out):
        run = open_run(out, suite)
        entries = _entries(columns, 1 if seeds is None else seeds, backend, out)
        check_places(run, entries)
        every = [edit.id for edit in suite.edits]
        add_to_grid(run, every if edits is None else edits, entries)
        units = pending_units(run)
        check_packages(run, {cell.method for unit in units for cell in unit.cells})
        for video in videos(run) - {unit.video for unit in units}:
            run.keep_source(suite, video)
        slow = {label for label in run.info.methods if run.needs_backend(label)}
        cells = [unit.cells for unit in units]
        processes = 1 if makers.workers is None else makers.workers
        tracker = ProgressTracker(cells, slow, processes, progress)
        makers.make(Job(run, suite, units, tracker))
        if units:
            remove_leftovers(out)  # of workers that were lost meanwhile
            run.standing |= {
                cell: row for unit in units for cell in unit.cells if (row := run.clip_row(cell))
            }
        run.keep_rows()
        return run


def videos(run: RunFolder) -> set[str]:
    """Return the source videos of the grid."""
    return {run.suite.edit(edit).video for edit in run.info.edits}


def pending_units(run: RunFolder) -> list[CellsOfVideo]:
    """Return the cells that have no clip yet, in the order in which they are to be made.

    Units of a method with a model follow each other video by video: methods that share what they
    finetune then seldom meet at the same video at the same time.
    """

    def unit_of(cell: Cell) -> tuple[str, str]:
        column = cell.method if run.needs_backend(cell.method) else ""  # "" comes first
        return column, run.suite.edit(cell.edit).video

    configs = {
        label: config_of(run, label) for label, one in run.info.methods.items() if is_brought(one)
    }
    pending = [cell for cell in run.cells() if not is_done(run, cell, configs.get(cell.method))]
    units = groupby(sorted(pending, key=unit_of), key=unit_of)
    return [CellsOfVideo(video, list(cells)) for (_column, video), cells in units]


def check_packages(run: RunFolder, labels: Iterable[str]) -> None:
    """Raise a `UserError` if methods come of other packages than those the run was begun with."""
    for label in sorted(labels):
        entry = run.info.methods[label]
        here = package_info(METHODS.brought_by(entry.name))
        if here != entry.package:
            now = spell_package(here) if entry.name in METHODS.names() else "not installed"
            raise UserError(
                f"{run.path} has clips to make of {label!r}, which comes with "
                f"{spell_package(entry.package)} and is {now} here: install what it was begun "
                "with, or choose another --out"
            )


def is_done(run: RunFolder, cell: Cell, config: object = None) -> bool:
    """Return True if the cell has a clip, or has none for good, and nothing has changed since.

    config: that of its method, if it brings files in and is at hand.
    """
    row = run.clip_row(cell)
    if row is None or row.status == "failed":
        return False
    if row.status == "n/a":
        return True
    if not run.has_clip(row):
        return False
    if not is_unchanged(run, cell, row, config):
        return False
    run.standing[cell] = row
    return True


def _entries(columns: list[Variant], seeds: int, backend: str, out: Path) -> dict[str, MethodInfo]:
    """Return what run.json holds about each column.

    Raises:
        UserError: if two columns have one name.
    """
    entries: dict[str, MethodInfo] = {}
    places: dict[str, str] = {}
    model = None
    if any(METHODS.get(one.method).needs for one in columns):
        opened = open_backend(backend)
        for one in columns:
            METHODS.get(one.method).check_fit(opened)
        package = package_info(BACKENDS.brought_by(spec_of(backend).kind))
        model = BackendInfo(backend, opened.identity, package)
    for label, name, config, given in columns:
        found = METHODS.get(name)
        place = spell_config(config)
        if label in entries:
            both = " and ".join(filter(None, (places[label], place)))
            where = f" ({both})" if both else ""
            raise UserError(f"two methods are called {label!r}{where}: rename one, NAME={name}:...")
        places[label] = place
        entries[label] = column(
            name,
            kept_config(config, out),
            config_hash(config),
            anchor=found.anchor,
            seeds=range(seeds if found.seeded(config) else 1) if given is None else given,
            definition=found.definition,
            backend=model if found.needs else None,
            beside=beside(config, out) if found.brings else None,
            package=package_info(METHODS.brought_by(name)),
        )
    return entries


def tally(run: RunFolder) -> tuple[Counter[str], Counter[str]]:
    """Return how many cells have which status, and how many failed for which reason."""
    rows = [run.standing.get(cell) or run.clip_row(cell) for cell in run.cells()]
    statuses = Counter(row.status if row else "missing" for row in rows)
    failed = [row for row in rows if row and row.status == "failed"]
    return statuses, counted_reasons((str(row.reason), row.edit) for row in failed)
