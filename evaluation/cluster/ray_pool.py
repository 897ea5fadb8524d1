"""Makes the units of a run on a Ray cluster, whatever happens to its nodes.

Every worker is an actor that keeps its backend loaded. A unit goes by preference to a worker that
had its video before: what was finetuned is then there. When a worker is lost, with its node or
alone, the cells that it had not finished go to another; cells that lost `TRIES` workers are
rows that say so. Methods without a model read files of this machine and cost little: they are made
here, while the workers load.
"""

import hashlib
import platform
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from dreamix.backends.base import is_pretrained
from dreamix.core.errors import StorageError, UserError
from dreamix.core.records import write_whole
from evaluation.cluster.bundles import Bundle, pack, put_cell
from evaluation.cluster.ray_cluster import Wanted, cause_of, connected, room_of
from evaluation.cluster.ray_worker import (
    Handed,
    Media,
    NoRoom,
    Order,
    RayWorker,
    Ready,
    WorkerMessage,
    probe_of,
)
from evaluation.run.identity import origin
from evaluation.run.making import CellsOfVideo, ClipMaker, Job, fail_cells, source_problem
from evaluation.run.pace import CellDone, Note
from evaluation.run.versions import versions
from evaluation.schema import Cell

POLL = 0.2  # seconds to wait for what workers have to say
TRIES = 3  # workers that may be lost over a cell before it is given up
COUNT_EVERY = 10.0  # seconds between two looks at which nodes there are
TIMEOUT = 600.0  # seconds without any worker after which a run is given up


def make_on_ray(job: Job, wanted: Wanted) -> None:
    """Make every unit of `job` on the cluster that `wanted` names."""
    run = job.run
    away = [unit for unit in job.units if run.needs_backend(unit.cells[0].method)]
    here = [unit for unit in job.units if unit not in away]
    maker = ClipMaker(run.path, job.suite)
    maker.setup()
    with connected(wanted.address) as ray, RayPool(ray, job, away, wanted) as pool:
        while here or pool.pending:
            pool.poll(0.0 if here else POLL)
            if here:
                maker.run(here.pop(0), job.tracker.update)


@dataclass(eq=False)
class WorkUnit:
    """A unit on its way: the cells that are not done, and how many workers it has cost."""

    video: str
    cells: list[Cell]
    lost: int = 0


@dataclass(eq=False)
class WorkerHandle:
    """A worker: its actor, and what we wait for, an answer or the messages of its unit."""

    actor: Any
    awaited: Any = None
    ready: Ready | None = None
    unit: WorkUnit | None = None
    videos: set[str] = field(default_factory=set)


class RayPool:
    """The workers of a run and the units that wait for them."""

    def __init__(self, ray: Any, job: Job, units: list[CellsOfVideo], wanted: Wanted) -> None:
        self.ray, self.job, self.wanted = ray, job, wanted
        self.waiting = [WorkUnit(unit.video, list(unit.cells)) for unit in units]
        self.workers: list[WorkerHandle] = []
        self.problems: dict[str, str] = {}  # node -> why its workers cannot help
        self.unfit = self.startup_failures = 0
        self.media: dict[str, Media | None] = {}
        self.sources: dict[str, str | None] = {}  # video -> why its source is lost
        self.seen = time.monotonic()  # when a worker was last there
        self.gpus = self._share()
        self.size = self._first_size()
        self.counted = time.monotonic()  # when the nodes were

    def __enter__(self) -> "RayPool":
        """Leave the sign in the run folder by which workers find out whether they see it."""
        run = self.job.run.path.resolve()
        token = uuid.uuid4().hex
        key = hashlib.sha256(f"{platform.node()} {run}".encode()).hexdigest()[:16]
        labels = sorted({cell.method for unit in self.waiting for cell in unit.cells})
        info = self.job.run.info
        needed = versions() | info.packages(labels)
        order = Order(run, token, key, info, needed, self.job.suite, labels)
        self.order = self.ray.put(order)
        with write_whole(probe_of(run)) as sign:
            sign.write(token.encode())
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Let all workers go; in haste after an error, such as Ctrl-C."""
        probe_of(self.job.run.path).unlink(missing_ok=True)
        if kind is None:
            closing = [worker.actor.close.remote() for worker in self.workers if worker.ready]
            self.ray.wait(closing, num_returns=len(closing), timeout=5) if closing else None
        for worker in self.workers:
            self.ray.kill(worker.actor)

    @property
    def pending(self) -> bool:
        """True while there are cells to be made."""
        return bool(self.waiting or any(worker.unit for worker in self.workers))

    def poll(self, seconds: float) -> None:
        """Start workers, give them units, and take what they say within `seconds`."""
        self._start_workers()
        self._assign()
        awaited = {one.awaited: one for one in self.workers if one.awaited is not None}
        if awaited:
            for ref in self.ray.wait([*awaited], num_returns=1, timeout=seconds)[0]:
                self._take(awaited[ref])
        else:
            time.sleep(seconds)
        self._check_timeout()

    # -- workers -------------------------------------------------------------------------------
    def _share(self) -> float:
        """Return the GPUs of one worker."""
        if self.wanted.gpus is not None:
            return self.wanted.gpus
        entries = self.job.run.info.methods.values()
        models = {entry.backend.name for entry in entries if entry.backend}
        on_gpus = any(is_pretrained(name) for name in models)
        return 1.0 if on_gpus and self.ray.cluster_resources().get("GPU") else 0.0

    def _room(self) -> int:
        """Return how many workers the nodes that are there can hold."""
        nodes = [node["Resources"] for node in self.ray.nodes() if node["Alive"]]
        return sum(room_of(node, self.gpus) for node in nodes)

    def _first_size(self) -> int:
        """Return how many workers to have.

        Raises:
            UserError: if the cluster has no room for one.
        """
        size = self.wanted.workers or self._room()
        if not size and self.waiting:
            gpus = f" and {self.gpus:g} GPU" if self.gpus else ""
            raise UserError(
                f"no node of the cluster has the 1 CPU{gpus} that a worker needs; --workers N "
                "waits for nodes that come later"
            )
        return size

    def _grow(self) -> None:
        """Use nodes that have come meanwhile, unless the user said how many workers to have."""
        if not self.wanted.workers and time.monotonic() - self.counted > COUNT_EVERY:
            self.counted = time.monotonic()
            self.size = max(self.size, self._room())

    def _start_workers(self) -> None:
        """Bring the pool to its size: a worker that was lost gets a successor."""
        self._grow()
        units = len(self.waiting) + sum(worker.unit is not None for worker in self.workers)
        while len(self.workers) < min(self.size - self.unfit, units):
            options = {"num_cpus": 1, "num_gpus": self.gpus, "max_restarts": 0}
            actor = self.ray.remote(**options)(RayWorker).remote()
            self.workers.append(WorkerHandle(actor, actor.prepare.remote(self.order)))
        ready = sum(worker.ready is not None for worker in self.workers)
        self.job.tracker.workers = max(1, ready)

    def _check_timeout(self) -> None:
        if any(worker.ready for worker in self.workers) or not self.waiting:
            self.seen = time.monotonic()
            return
        self.job.tracker.update(Note("waiting for a worker"))
        if time.monotonic() - self.seen > TIMEOUT:
            raise UserError(
                f"no worker of the cluster for {TIMEOUT / 60:.0f} minutes: see `ray status`; "
                "the same command goes on where it stopped"
            )

    # -- units ---------------------------------------------------------------------------------
    def _assign(self) -> None:
        """Give every idle worker a unit whose source is there."""
        for worker in self.workers:
            while worker.ready and not worker.unit and self.waiting:
                unit = self._best_for(worker)
                self.waiting.remove(unit)
                if lost := self._source_problem(unit.video):
                    fail_cells(self.job.run, unit.cells, lost, self.job.tracker.update)
                    continue
                worker.unit = unit
                worker.videos.add(unit.video)
                make = worker.actor.make.options(num_returns="streaming")
                cells = CellsOfVideo(unit.video, unit.cells)
                worker.awaited = make.remote(cells, self._media(unit.video))

    def _best_for(self, worker: WorkerHandle) -> WorkUnit:
        """Return a unit of a video that this worker had, or that nobody else has, or the first."""
        others = {video for one in self.workers if one is not worker for video in one.videos}

        def rank(unit: WorkUnit) -> int:
            return 0 if unit.video in worker.videos else 1 if unit.video not in others else 2

        return min(self.waiting, key=rank)

    def _source_problem(self, video: str) -> str | None:
        if video not in self.sources:
            self.sources[video] = source_problem(self.job.run, self.job.suite, video)
        return self.sources[video]

    def _media(self, video: str) -> Media | None:
        """Return the source clip for workers; None if they render it."""
        if video not in self.media:
            path = self.job.suite.source_path(video)
            self.media[video] = self._packed(path) if path else None
        return self.media[video]

    def _packed(self, path: Path) -> Media:
        fetch: Callable[[], Bundle] = partial(_get, self.ray.put(pack(path)))
        return Media(origin(path), path.is_file(), fetch)

    # -- messages ------------------------------------------------------------------------------
    def _take(self, worker: WorkerHandle) -> None:
        """Take the next thing a worker has to say, or note that it is lost."""
        try:
            if worker.ready is None:
                self._on_ready(worker, self.ray.get(worker.awaited))
            else:
                self._on_message(worker, self.ray.get(next(worker.awaited), timeout=60))
        except StopIteration:
            unit, worker.unit, worker.awaited = worker.unit, None, None
            if unit and unit.cells:
                raise RuntimeError(f"a worker left {unit} undone and said nothing") from None
        except self.ray.exceptions.RayTaskError:
            raise
        except self.ray.exceptions.RayError as error:
            self._on_lost(worker, error)

    def _on_ready(self, worker: WorkerHandle, ready: Ready) -> None:
        """Let a worker in, or let it go if it cannot help.

        Raises:
            UserError: if nobody is left.
        """
        self.startup_failures = 0
        if ready.problem is None:
            worker.ready, worker.awaited = ready, None
            return
        self._reject(worker, ready.node, ready.problem)

    def _reject(self, worker: WorkerHandle, node: str, problem: str) -> None:
        self.workers.remove(worker)
        self.ray.kill(worker.actor)
        self.unfit += 1
        if node not in self.problems:
            self.wanted.remarks.append(f"no worker on {node}: {problem}")
        self.problems[node] = problem
        if self.unfit >= self.size:
            raise UserError(f"no worker can help; on {node}: {problem}")

    def _on_message(self, worker: WorkerHandle, message: WorkerMessage) -> None:
        assert worker.unit and worker.ready
        if isinstance(message, NoRoom):
            if worker.ready.shares:
                raise StorageError(message.why)
            self._give_back(worker.unit)
            self._reject(worker, worker.ready.node, message.why)
            return
        if isinstance(message, Handed):
            put_cell(self.job.run, message.done.cell, message.made)
            message = message.done
        if isinstance(message, CellDone):
            worker.unit.cells.remove(message.cell)
            worker.unit.lost = 0
        self.job.tracker.update(message)

    def _on_lost(self, worker: WorkerHandle, error: Exception) -> None:
        """Give the unit of a worker that is lost to another, unless it has cost too many."""
        self.workers.remove(worker)
        self.ray.kill(worker.actor)
        why = cause_of(error)
        if worker.ready is None:
            self.startup_failures += 1
            if self.startup_failures >= TRIES:
                raise UserError(f"{TRIES} workers died before they were ready, the last: {why}")
            return
        self.wanted.remarks.append(f"a worker on {worker.ready.node} was lost: {why}")
        if worker.unit and worker.unit.cells:
            worker.unit.lost += 1
            self._give_back(worker.unit, why)

    def _give_back(self, unit: WorkUnit, why: str = "") -> None:
        """Put a unit in front; one of many lost workers cell by cell, then not at all."""
        if unit.lost < TRIES:
            self.waiting.insert(0, unit)
        elif len(unit.cells) > 1:
            alone = [WorkUnit(unit.video, [cell], TRIES - 1) for cell in unit.cells]
            self.waiting[:0] = alone
        else:
            reason = f"{TRIES} workers died over it, the last: {why}"
            fail_cells(self.job.run, unit.cells, reason, self.job.tracker.update)


def _get(ref: Any) -> Any:
    """Return what an object reference stands for, in a worker."""
    import ray

    return ray.get(ref)
