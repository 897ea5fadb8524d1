"""Makes the clips of a run: edits x methods x seeds, resumable, every failure a row.

A cell is done when its sidecar stands, and the sidecar is written after the clip. A kill at any
instant therefore costs at most the clip that was being made. Cells that failed are tried again by
the next call; cells whose outside file has changed since are brought in anew.

Work is dealt out in units. Methods without a model come first, all cells of a source video in one
unit. A method with a model has a unit for each video, so that all its edits share one finetuning.
"""

import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from dreamix.backends.base import Backend, check_backend, open_backend
from dreamix.core.config import config_from_dict
from dreamix.core.errors import DoesNotApply, StorageError, UserError
from dreamix.core.media import probe, read_video, sha256_file, write_video
from dreamix.core.records import only_writer, to_json, write_json
from dreamix.core.video import Video
from dreamix.data.suite import Suite
from dreamix.methods.base import METHODS, Edited, EditRequest, Made, Variant
from evaluation.pace import CellDone, Note, Standing
from evaluation.pool import run_units, tell
from evaluation.progress import Watch
from evaluation.runs import RunFolder, add_to_grid, column, copy_whole, open_run, origin
from evaluation.schema import Cell, ClipRow

NOTES_EVERY = 0.5  # seconds between two messages of a method that are passed on


class CellsOfVideo(NamedTuple):
    """Cells of one source video that have to be made one after the other."""

    video: str
    cells: list[Cell]


def run_suite(
    suite: Suite,
    columns: list[Variant],
    out: Path,
    *,
    seeds: int = 1,
    edits: list[str] | None = None,
    workers: int = 1,
    backend: str = "toybox",
    watch: Watch | None = None,
) -> RunFolder:
    """Return the run folder at `out` with every cell of the grid made, or tried.

    edits:   ids to run, all of the suite's by default; a later call adds to them.
    workers: processes; the clips do not depend on it.
    backend: model of those `columns` that need one; opened only if there are such.
    watch:   called as cells get done.
    """
    backend = check_backend(backend)
    with only_writer(out):
        run = open_run(out, suite)
        entries = _entries(columns, seeds, backend)
        add_to_grid(run, edits or [edit.id for edit in suite.edits], entries)
        remove_leftovers(out)
        units = pending_units(run)
        for video in videos(run) - {unit.video for unit in units}:
            run.keep_source(suite, video)
        slow = {label for label in run.info["methods"] if needs_backend(run, label)}
        standing = Standing([unit.cells for unit in units], slow, workers, watch)
        setup = _set_up, out, suite
        for _ in run_units(_make_unit, units, workers, *setup, hear=standing.hear):
            pass  # a unit leaves files, and tells of each cell
        return run


def videos(run: RunFolder) -> set[str]:
    """Return the source videos of the grid."""
    return {run.suite.edit(edit).video for edit in run.info["edits"]}


def remove_leftovers(out: Path) -> None:
    """Remove the temporary files of writes that a kill cut off."""
    for leftover in out.rglob(".*.tmp"):
        leftover.unlink()


def pending_units(run: RunFolder) -> list[CellsOfVideo]:
    """Return the cells that have no clip yet, in the order in which they are to be made.

    Units of a method with a model follow each other video by video: methods that share what they
    finetune then seldom meet at the same video at the same time.
    """

    def unit_of(cell: Cell) -> tuple[str, str]:
        column = cell.method if needs_backend(run, cell.method) else ""  # "" comes first
        return column, run.suite.edit(cell.edit).video

    pending = [cell for cell in run.cells() if not is_done(run, cell)]
    units = groupby(sorted(pending, key=unit_of), key=unit_of)
    return [CellsOfVideo(video, list(cells)) for (_column, video), cells in units]


def needs_backend(run: RunFolder, label: str) -> bool:
    """Return True if the clips of that column are made with a model."""
    return run.info["methods"][label].get("backend") is not None


def is_done(run: RunFolder, cell: Cell) -> bool:
    """Return True if the cell has a clip, or has none for good, and nothing has changed since."""
    row = run.clip_row(cell)
    if row is None or row.status == "failed":
        return False
    if row.status == "n/a":
        return True
    clip = run.clip_path(row)
    return clip.exists() and clip.stat().st_size == row.size and not _origin_changed(row)


def _origin_changed(row: ClipRow) -> bool:
    if row.origin is None or not Path(row.origin["path"]).exists():
        return False
    return origin(Path(row.origin["path"])) != row.origin


def _entries(columns: list[Variant], seeds: int, backend: str) -> dict[str, dict[str, Any]]:
    """Return what run.json holds about each column; two columns of one name are a `UserError`."""
    entries: dict[str, dict[str, Any]] = {}
    model = None
    if any(METHODS.get(name).backend for _label, name, _config in columns):
        model = {"name": backend, "identity": open_backend(backend).identity}
    for label, name, config in columns:
        if label in entries:
            raise UserError(f"two methods are called {label!r}: rename one, NAME={name}:...")
        found = METHODS.get(name)
        repeats = seeds if found.seeded(config) else 1
        entries[label] = column(
            name,
            config,
            anchor=found.anchor,
            seeds=repeats,
            definition=found.definition,
            backend=model if found.backend else None,
        )
    return entries


# What a worker process holds: the run folder, the suite, and the backends it has opened.
_state: dict[str, Any] = {}


def _set_up(out: Path, suite: Suite) -> None:
    _state.update(run=RunFolder(out), suite=suite, sources=lru_cache(2)(suite.source), backends={})


def _make_unit(unit: CellsOfVideo) -> None:
    """Make every cell of a unit, and tell of each. Without its source, all of them fail."""
    run: RunFolder = _state["run"]
    lost = None
    try:
        run.keep_source(_state["suite"], unit.video)
    except StorageError:
        raise
    except UserError as error:
        lost = str(error)
    for cell in unit.cells:
        began = time.perf_counter()
        row = ClipRow(*cell, "failed", lost) if lost else _make_cell(run, cell)
        write_json(run.sidecar(cell), row.to_dict())
        tell(CellDone(cell, time.perf_counter() - began))


def _make_cell(run: RunFolder, cell: Cell) -> ClipRow:
    """Return the row of one cell; its clip is on disk when the row says ok."""
    entry = run.info["methods"][cell.method]
    config = entry["config_hash"]
    try:
        backend = _backend(run, entry)
        began = time.perf_counter()
        edited = _edit(cell, entry, backend)
        seconds = time.perf_counter() - began
        return _stored(run.sidecar(cell), cell, edited, seconds, config)
    except DoesNotApply as reason:
        return ClipRow(*cell, "n/a", str(reason), config=config)
    except StorageError:
        raise  # a full disk ends the run: it is not the method's failure
    except Exception as error:  # noqa: BLE001 - the one place where a method's failure becomes a row
        return ClipRow(*cell, "failed", failure(error), config=config)


def failure(error: Exception) -> str:
    """Return one line that says what went wrong; a `UserError` speaks for itself."""
    text = " ".join(str(error).split())
    return text if isinstance(error, UserError) else f"{type(error).__name__}: {text}"


def _backend(run: RunFolder, entry: dict[str, Any]) -> Backend | None:
    """Return the backend of a column, opened at its first use; other weights are a `UserError`."""
    if entry.get("backend") is None:
        return None
    name, identity = entry["backend"]["name"], entry["backend"]["identity"]
    if name not in _state["backends"]:
        from evaluation.features.store import one_thread

        _state["backends"][name] = open_backend(name, run.finetuned)
        one_thread()  # the same numbers in whichever process
    backend: Backend = _state["backends"][name]
    if backend.identity != identity:
        raise UserError(
            f"the weights of backend {name} are {backend.identity[:12]}, "
            f"the run was begun with {identity[:12]}: bring those back, or choose another --out"
        )
    return backend


def _edit(cell: Cell, entry: dict[str, Any], backend: Backend | None) -> Edited:
    suite: Suite = _state["suite"]
    found = METHODS.get(entry["name"])
    request = EditRequest(
        suite, suite.edit(cell.edit), cell.seed, cell.method, _state["sources"], _speaker(cell)
    )
    config: Any = config_from_dict(found.config, entry["config"], cell.method)
    return found.edit(request, backend, config)


def _speaker(cell: Cell) -> Callable[[str], None]:
    """Return a function that passes on what a method says of its progress, now and then."""
    said = -NOTES_EVERY

    def say(text: str) -> None:
        nonlocal said
        if time.monotonic() - said >= NOTES_EVERY:
            said = time.monotonic()
            tell(Note(f"{text}, {cell.method} {cell.edit}"))

    return say


def _stored(sidecar: Path, cell: Cell, edited: Edited, seconds: float, config: str) -> ClipRow:
    """Put the clip beside its sidecar and return its row."""
    facts = None
    if isinstance(edited, Made):
        edited, facts = edited
        to_json(facts)  # what JSON cannot hold is the method's failure, and is found here
    clip = _put(sidecar, cell, edited)
    return ClipRow(
        *cell,
        "ok",
        file=clip.name,
        sha256=sha256_file(clip),
        size=clip.stat().st_size,
        seconds=round(seconds, 4),
        peak_memory_mb=peak_memory_mb(),
        config=config,
        origin=origin(edited) if isinstance(edited, Path) else None,
        toolkit=version("dreamix-toolkit"),
        facts=facts,
    )


def peak_memory_mb() -> float:
    """Return the highest resident size of this process so far, in megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10), 1)


def _put(sidecar: Path, cell: Cell, edited: Video | Path) -> Path:
    """Write a `Video` lossless, copy a file as it is; return the clip.

    A folder of frames says no rate: it gets its source's.
    """
    if isinstance(edited, Path) and edited.is_dir():
        source: Video = _state["sources"](_state["suite"].edit(cell.edit).video)
        edited = read_video(edited, fps=source.fps)
    if isinstance(edited, Video):
        clip = sidecar.with_suffix(".mp4")
        write_video(clip, edited, lossless=True)
        return clip
    probe(edited)  # a file that is no clip at all is said so now, not when it is scored
    clip = sidecar.with_suffix(edited.suffix or ".clip")
    copy_whole(edited, clip)
    return clip


def tally(run: RunFolder) -> tuple[Counter[str], Counter[str]]:
    """Return how many cells have which status, and how many failed for which reason."""
    rows = [run.clip_row(cell) for cell in run.cells()]
    statuses = Counter(row.status if row else "missing" for row in rows)
    return statuses, Counter(str(row.reason) for row in rows if row and row.status == "failed")
