"""Makes the clips of a run, unit by unit, in whichever process: every failure a row.

Edits that their method makes together share batches; see `dreamix.methods.base`.
"""

import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from dreamix.backends.base import VideoModel, open_backend
from dreamix.core.errors import DoesNotApply, StorageError, UserError, failure
from dreamix.core.media import check_clip_size, probe, read_edit, sha256_file, write_video
from dreamix.core.records import to_json, write_json
from dreamix.core.threads import one_thread
from dreamix.core.video import Video
from dreamix.data.suite import Suite
from dreamix.methods.base import METHODS, Edited, EditRequest, Made
from evaluation.run import identity
from evaluation.run.brought import opened_config
from evaluation.run.folder import RunFolder, copy_whole
from evaluation.run.info import MethodInfo, clip_name
from evaluation.run.pace import CellDone, Note, ProgressTracker
from evaluation.schema import Cell, ClipRow, finetune_seconds

NOTES_EVERY = 0.5  # seconds between two messages of a method that are passed on
TOGETHER = 4  # edits that are made in one batch, at most


class CellsOfVideo(NamedTuple):
    """Cells of one source video that have to be made one after the other."""

    video: str
    cells: list[Cell]


class Job(NamedTuple):
    """The units of a run that have to be made, and what counts how far they are."""

    run: RunFolder
    suite: Suite
    units: list[CellsOfVideo]
    tracker: ProgressTracker


Report = Callable[[CellDone | Note], None]


def source_problem(run: RunFolder, suite: Suite, video: str) -> str | None:
    """Return why the run cannot have that source clip; None when it is in the run folder."""
    try:
        run.keep_source(suite, video)
    except StorageError:
        raise
    except MemoryError:
        return "there is not memory enough for the source clip and its mask"
    except UserError as error:
        return str(error)
    return None


def fail_cells(run: RunFolder, cells: list[Cell], reason: str, report: Report) -> None:
    """Note that there are no clips, and why."""
    for cell in cells:
        write_json(run.sidecar(cell), ClipRow(*cell, "failed", reason).to_dict())
        report(CellDone(cell, 0.0))


class ClipMaker:
    """Makes units of the run at `out`: a worker, which holds the backends it has opened."""

    def __init__(self, out: Path, suite: Suite) -> None:
        self.suite = suite
        self._out = out

    def setup(self) -> None:
        """Open the run folder; backends are opened at their first use."""
        self._folder = RunFolder(self._out)
        self._sources = lru_cache(2)(lambda video: self.suite.source(video))
        self._backends: dict[str, VideoModel] = {}

    def open_models(self, labels: Iterable[str]) -> None:
        """Open the backends of those columns.

        Raises:
            UserError: if one is not here, or not the one the run began with.
        """
        for label in labels:
            self._backend(self._folder.info.methods[label])

    def take_source(self, video: str, path: Path) -> None:
        """Read a source clip from `path` from now on, wherever the suite says that it is."""
        entry = replace(self.suite.videos[video], path=str(path))
        self.suite = replace(self.suite, videos={**self.suite.videos, video: entry})

    def run(self, unit: CellsOfVideo, report: Report) -> None:
        """Make every cell of a unit, and tell of each. Without its source, all of them fail."""
        if lost := source_problem(self._folder, self.suite, unit.video):
            fail_cells(self._folder, unit.cells, lost, report)
        else:
            self.make(unit, report)

    def make(self, unit: CellsOfVideo, report: Report) -> None:
        """Make every cell of a unit whose source is in the run folder, and tell of each."""
        for cells in self._batches(unit.cells):
            began = time.perf_counter()
            rows = self._rows(cells, report)
            for cell, row in zip(cells, rows, strict=True):
                write_json(self._folder.sidecar(cell), row.to_dict())
            for cell in cells:
                report(CellDone(cell, (time.perf_counter() - began) / len(cells)))

    def _batches(self, cells: list[Cell]) -> Iterator[list[Cell]]:
        """Yield the cells of a unit that are made at once: one by one, unless a method can do more.

        They do not depend on which of the unit are made already, nor on `TOGETHER`: a backend gives
        every clip of a batch what it would give it alone.
        """
        for label, group in groupby(cells, key=lambda cell: cell.method):
            several = METHODS.get(self._folder.info.methods[label].name).together
            alike, size = list(group), TOGETHER if several else 1
            yield from (alike[i : i + size] for i in range(0, len(alike), size))

    def _rows(self, cells: list[Cell], report: Report) -> list[ClipRow]:
        """Return the rows of cells made at once; if that fails, of each made alone.

        One prompt that cannot be read costs no other edit. A clip is on disk when its row says ok.
        """
        entry = self._folder.info.methods[cells[0].method]
        config = entry.config_hash
        try:
            backend = self._backend(entry)
            began = time.perf_counter()
            edits = self._edits(cells, entry, backend, report)
            seconds = _shares(edits, time.perf_counter() - began)
            return [
                self._stored(cell, edited, cost, config)
                for cell, edited, cost in zip(cells, edits, seconds, strict=True)
            ]
        except StorageError:
            raise  # a full disk ends the run: it is not the method's failure
        except Exception as error:  # noqa: BLE001 - the one place where a method's failure becomes a row
            if len(cells) > 1:
                return [row for cell in cells for row in self._rows([cell], report)]
            if isinstance(error, DoesNotApply):
                return [ClipRow(*cells[0], "n/a", str(error), config=config)]
            return [ClipRow(*cells[0], "failed", failure(error), config=config)]

    def _backend(self, entry: MethodInfo) -> VideoModel | None:
        """Return the backend of a column, opened at its first use; other weights: a `UserError`."""
        if entry.backend is None:
            return None
        name, identity = entry.backend.name, entry.backend.identity
        if name not in self._backends:
            self._backends[name] = open_backend(name, self._folder.finetuned)
            one_thread()  # the same numbers in whichever process
        backend = self._backends[name]
        if backend.identity != identity:
            raise UserError(
                f"the weights of backend {name} are {backend.identity[:12]}, "
                f"the run was begun with {identity[:12]}: bring those back, or choose another --out"
            )
        return backend

    def _edits(
        self, cells: list[Cell], entry: MethodInfo, backend: VideoModel | None, report: Report
    ) -> list[Edited]:
        found = METHODS.get(entry.name)
        others = f" and {len(cells) - 1} more" if len(cells) > 1 else ""
        requests = [
            EditRequest(
                self.suite,
                self.suite.edit(cell.edit),
                cell.seed,
                cell.method,
                self._sources,
                _now_and_then(cell, others, report),
            )
            for cell in cells
        ]
        config = opened_config(found.config, entry, self._folder.path, cells[0].method)
        return found.make(requests, backend, config)

    def _stored(self, cell: Cell, edited: Edited, seconds: float, config: str) -> ClipRow:
        """Put the clip beside its sidecar and return its row."""
        facts = None
        if isinstance(edited, Made):
            edited, facts = edited
            to_json(facts)  # what JSON cannot hold is the method's failure, and is found here
        before = identity.state_of(edited) if isinstance(edited, Path) else None
        clip = self._put(cell, edited)
        sha256 = sha256_file(clip)
        return ClipRow(
            *cell,
            "ok",
            file=clip.name,
            sha256=sha256,
            size=clip.stat().st_size,
            seconds=round(seconds, 4),
            peak_memory_mb=peak_memory_mb(),
            config=config,
            origin=_origin(edited, sha256, before) if isinstance(edited, Path) else None,
            toolkit=version("dreamix-toolkit"),
            facts=facts,
        )

    def _put(self, cell: Cell, edited: Video | Path) -> Path:
        """Write a `Video` lossless, copy a file as it is; return the clip.

        A folder of frames says no times: it gets its source's.
        """
        sidecar = self._folder.sidecar(cell)
        if isinstance(edited, Path) and edited.is_dir():
            source = self._sources(self.suite.edit(cell.edit).video)
            edited = read_edit(edited, source).video
        if isinstance(edited, Video):
            clip = sidecar.with_suffix(".mp4")
            write_video(clip, edited, lossless=True)
            return clip
        probe(edited)  # a file that is no clip at all is said so now, not when it is scored,
        check_clip_size(edited)  # and so is one that cannot be scored here
        clip = sidecar.with_name(clip_name(sidecar.stem, edited.suffix))
        copy_whole(edited, clip)
        return clip


def _shares(edits: list[Edited], seconds: float) -> list[float]:
    """Return what each of the edits made in `seconds` cost: its finetuning, and an equal share."""
    tuning = [finetune_seconds(e.facts if isinstance(e, Made) else None) for e in edits]
    return [own + (seconds - sum(tuning)) / len(edits) for own in tuning]


def _now_and_then(cell: Cell, others: str, report: Report) -> Callable[[str], None]:
    """Return a function that passes on what a method says of its progress, now and then."""
    last = -NOTES_EVERY

    def pass_on(text: str) -> None:
        nonlocal last
        if time.monotonic() - last >= NOTES_EVERY:
            last = time.monotonic()
            report(Note(f"{text}, {cell.method} {cell.edit}{others}"))

    return pass_on


def _origin(brought: Path, sha256: str, before: identity.Origin | None) -> identity.Origin:
    """Return where a clip came from; `before`: the file's state before it was copied."""
    copied = None if brought.is_dir() else sha256  # a file is copied as it is
    return {**identity.origin(brought, copied), **(before or {})}


def peak_memory_mb() -> float:
    """Return the highest resident size of this process so far, in megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10), 1)
