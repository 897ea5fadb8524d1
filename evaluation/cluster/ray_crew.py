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
from evaluation.cluster.parcels import Parcel, pack, put_cell
from evaluation.cluster.ray_cluster import Wanted, cause_of, connected, room_of
from evaluation.cluster.ray_worker import Handed, Media, NoRoom, Order, Ready, Worker, probe_of
from evaluation.run.identity import origin
from evaluation.run.making import CellsOfVideo, Job, fail_cells, make_unit, set_up, source_problem
from evaluation.run.pace import CellDone, Note
from evaluation.run.pool import PULSE, speak_to
from evaluation.run.versions import versions
from evaluation.schema import Cell

TRIES = 3  # workers that may be lost over a cell before it is given up
COUNT_EVERY = 10.0  # seconds between two looks at which nodes there are
PATIENCE = 600.0  # seconds without any worker after which a run is given up


def make_on_ray(job: Job, wanted: Wanted) -> None:
    """Make every unit of `job` on the cluster that `wanted` names."""
    run = job.run
    away = [unit for unit in job.units if run.needs_backend(unit.cells[0].method)]
    here = [unit for unit in job.units if unit not in away]
    set_up(run.path, job.suite)
    speak_to(job.standing.hear)
    with connected(wanted.address) as ray, Crew(ray, job, away, wanted) as crew:
        while here or crew.owes:
            crew.turn(0.0 if here else PULSE)
            if here:
                make_unit(here.pop(0))


@dataclass(eq=False)
class Load:
    """A unit on its way: the cells that are not done, and how many workers it has cost."""

    video: str
    cells: list[Cell]
    lost: int = 0


@dataclass(eq=False)
class Hand:
    """A worker: its actor, and what it owes us, an answer or the news of its load."""

    actor: Any
    owes: Any = None
    ready: Ready | None = None
    load: Load | None = None
    videos: set[str] = field(default_factory=set)


class Crew:
    """The workers of a run and the loads that wait for them."""

    def __init__(self, ray: Any, job: Job, units: list[CellsOfVideo], wanted: Wanted) -> None:
        self.ray, self.job, self.wanted = ray, job, wanted
        self.waiting = [Load(unit.video, list(unit.cells)) for unit in units]
        self.hands: list[Hand] = []
        self.problems: dict[str, str] = {}  # node -> why its workers cannot help
        self.unfit = self.stillborn = 0
        self.media: dict[str, Media | None] = {}
        self.sources: dict[str, str | None] = {}  # video -> why its source is lost
        self.seen = time.monotonic()  # when a worker was last there
        self.gpus = self._share()
        self.size = self._first_size()
        self.counted = time.monotonic()  # when the nodes were

    def __enter__(self) -> "Crew":
        """Leave the sign in the run folder by which workers find out whether they see it."""
        run = self.job.run.path.resolve()
        token = uuid.uuid4().hex
        key = hashlib.sha256(f"{platform.node()} {run}".encode()).hexdigest()[:16]
        labels = sorted({cell.method for load in self.waiting for cell in load.cells})
        info = self.job.run.info
        needed = versions() | info.packages(labels)
        order = Order(run, token, key, info.to_dict(), needed, self.job.suite, labels)
        self.order = self.ray.put(order)
        with write_whole(probe_of(run)) as sign:
            sign.write(token.encode())
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Let all workers go; in haste after an error, such as Ctrl-C."""
        probe_of(self.job.run.path).unlink(missing_ok=True)
        if kind is None:
            farewells = [hand.actor.close.remote() for hand in self.hands if hand.ready]
            self.ray.wait(farewells, num_returns=len(farewells), timeout=5) if farewells else None
        for hand in self.hands:
            self.ray.kill(hand.actor)

    @property
    def owes(self) -> bool:
        """True while there are cells to be made."""
        return bool(self.waiting or any(hand.load for hand in self.hands))

    def turn(self, seconds: float) -> None:
        """Hire, hand out, and take what comes within `seconds`."""
        self._hire()
        self._hand_out()
        owed = {hand.owes: hand for hand in self.hands if hand.owes is not None}
        if owed:
            for ref in self.ray.wait([*owed], num_returns=1, timeout=seconds)[0]:
                self._take(owed[ref])
        else:
            time.sleep(seconds)
        self._check_patience()

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
        """Return how many workers to have; a cluster without room for one is a `UserError`."""
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

    def _hire(self) -> None:
        """Bring the crew to its size: a worker that was lost gets a successor."""
        self._grow()
        loads = len(self.waiting) + sum(hand.load is not None for hand in self.hands)
        while len(self.hands) < min(self.size - self.unfit, loads):
            options = {"num_cpus": 1, "num_gpus": self.gpus, "max_restarts": 0}
            actor = self.ray.remote(**options)(Worker).remote()
            self.hands.append(Hand(actor, actor.prepare.remote(self.order)))
        self.job.standing.workers = max(1, sum(hand.ready is not None for hand in self.hands))

    def _check_patience(self) -> None:
        if any(hand.ready for hand in self.hands) or not self.waiting:
            self.seen = time.monotonic()
            return
        self.job.standing.hear(Note("waiting for a worker"))
        if time.monotonic() - self.seen > PATIENCE:
            raise UserError(
                f"no worker of the cluster for {PATIENCE / 60:.0f} minutes: see `ray status`; "
                "the same command goes on where it stopped"
            )

    # -- loads ---------------------------------------------------------------------------------
    def _hand_out(self) -> None:
        """Give every idle worker a load whose source is there."""
        for hand in self.hands:
            while hand.ready and not hand.load and self.waiting:
                load = self._best_for(hand)
                self.waiting.remove(load)
                if lost := self._source_problem(load.video):
                    fail_cells(self.job.run, load.cells, lost)
                    continue
                hand.load = load
                hand.videos.add(load.video)
                unit = CellsOfVideo(load.video, load.cells)
                make = hand.actor.make.options(num_returns="streaming")
                hand.owes = make.remote(unit, self._media(load.video))

    def _best_for(self, hand: Hand) -> Load:
        """Return a load of a video that this worker had, or that nobody else has, or the first."""
        others = {video for one in self.hands if one is not hand for video in one.videos}

        def rank(load: Load) -> int:
            return 0 if load.video in hand.videos else 1 if load.video not in others else 2

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
        fetch: Callable[[], Parcel] = partial(_get, self.ray.put(pack(path)))
        return Media(origin(path), path.is_file(), fetch)

    # -- news ----------------------------------------------------------------------------------
    def _take(self, hand: Hand) -> None:
        """Take the next thing a worker has to say, or note that it is lost."""
        try:
            if hand.ready is None:
                self._greet(hand, self.ray.get(hand.owes))
            else:
                self._listen(hand, self.ray.get(next(hand.owes), timeout=60))
        except StopIteration:
            load, hand.load, hand.owes = hand.load, None, None
            if load and load.cells:
                raise RuntimeError(f"a worker left {load} undone and said nothing") from None
        except self.ray.exceptions.RayTaskError:
            raise
        except self.ray.exceptions.RayError as error:
            self._bury(hand, error)

    def _greet(self, hand: Hand, ready: Ready) -> None:
        """Let a worker in, or let it go if it cannot help; nobody left is a `UserError`."""
        self.stillborn = 0
        if ready.problem is None:
            hand.ready, hand.owes = ready, None
            return
        self._dismiss(hand, ready.node, ready.problem)

    def _dismiss(self, hand: Hand, node: str, problem: str) -> None:
        self.hands.remove(hand)
        self.ray.kill(hand.actor)
        self.unfit += 1
        if node not in self.problems:
            self.wanted.remarks.append(f"no worker on {node}: {problem}")
        self.problems[node] = problem
        if self.unfit >= self.size:
            raise UserError(f"no worker can help; on {node}: {problem}")

    def _listen(self, hand: Hand, news: Any) -> None:
        assert hand.load and hand.ready
        if isinstance(news, NoRoom):
            if hand.ready.shares:
                raise StorageError(news.why)
            self._give_back(hand.load)
            self._dismiss(hand, hand.ready.node, news.why)
            return
        if isinstance(news, Handed):
            put_cell(self.job.run, news.done.cell, news.made)
            news = news.done
        if isinstance(news, CellDone):
            hand.load.cells.remove(news.cell)
            hand.load.lost = 0
        self.job.standing.hear(news)

    def _bury(self, hand: Hand, error: Exception) -> None:
        """Give the load of a worker that is lost to another, unless it has cost too many."""
        self.hands.remove(hand)
        self.ray.kill(hand.actor)
        why = cause_of(error)
        if hand.ready is None:
            self.stillborn += 1
            if self.stillborn >= TRIES:
                raise UserError(f"{TRIES} workers died before they were ready, the last: {why}")
            return
        self.wanted.remarks.append(f"a worker on {hand.ready.node} was lost: {why}")
        if hand.load and hand.load.cells:
            hand.load.lost += 1
            self._give_back(hand.load, why)

    def _give_back(self, load: Load, why: str = "") -> None:
        """Put a load in front; one of many lost workers cell by cell, then not at all."""
        if load.lost < TRIES:
            self.waiting.insert(0, load)
        elif len(load.cells) > 1:
            alone = [Load(load.video, [cell], TRIES - 1) for cell in load.cells]
            self.waiting[:0] = alone
        else:
            fail_cells(self.job.run, load.cells, f"{TRIES} workers died over it, the last: {why}")


def _get(ref: Any) -> Any:
    """Return what an object reference stands for, in a worker."""
    import ray

    return ray.get(ref)
