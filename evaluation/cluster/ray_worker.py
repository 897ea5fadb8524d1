"""A worker of a Ray cluster: one process that stays, with its backend loaded, and makes units.

A worker that sees the run folder writes into it. One that does not works in a folder of its node
and hands over every clip as soon as it is made. Nothing here imports Ray.
"""

import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

from dreamix.core.errors import StorageError, UserError
from dreamix.core.records import storing, write_json
from dreamix.core.threads import LIMITS
from dreamix.data.suite import Suite
from evaluation.cluster.bundles import Bundle, MadeCell, take_cell, unpack
from evaluation.run.folder import RunFolder
from evaluation.run.identity import content_sha256
from evaluation.run.info import RunInfo
from evaluation.run.making import CellsOfVideo, ClipMaker
from evaluation.run.pace import CellDone, Note
from evaluation.run.versions import spell_differences, versions, versions_of_packages


class Order(NamedTuple):
    """What every worker of a run is told before its first unit."""

    out: Path  # the run folder, where the run was started
    token: str  # contents of `probe_of(out)`: who reads it there sees the same folder
    key: str  # names the folder of a node that does not see it
    info: RunInfo
    versions: dict[str, str]  # of the libraries there
    suite: Suite
    labels: list[str]  # columns whose models are needed


class Ready(NamedTuple):
    """What a worker answers: where it is, and why it cannot help if it cannot."""

    node: str
    shares: bool  # it sees the run folder
    problem: str | None = None


class Media(NamedTuple):
    """A source clip on its way to a worker; one that has the same file does not ask for it."""

    origin: dict[str, Any]  # see `evaluation.run.identity.origin`
    one_file: bool  # not a folder of frames
    fetch: Callable[[], Bundle]


class Handed(NamedTuple):
    """Message of a worker: a cell is made, and here it is."""

    done: CellDone
    made: MadeCell


class NoRoom(NamedTuple):
    """Message of a worker: it cannot write any more."""

    why: str


WorkerMessage = CellDone | Note | Handed | NoRoom


def probe_of(out: Path) -> Path:
    """Return the file by which workers find out whether they see the run folder."""
    return out / ".seen-by-workers"


class RayWorker:
    """The actor. All work is done in one thread, whose numerical libraries use one thread."""

    def __init__(self) -> None:
        os.environ.update(dict.fromkeys(LIMITS, "1"))
        self._thread = ThreadPoolExecutor(1)
        self._shares = False
        self._own = self._folder = Path()

    def prepare(self, order: Order) -> Ready:
        """Return that this worker is ready, its models opened, or why it cannot be."""
        return self._thread.submit(self._prepare, order).result()

    def make(self, unit: CellsOfVideo, media: Media | None) -> Iterator[WorkerMessage]:
        """Yield all there is to tell while the unit is made."""
        messages: SimpleQueue[WorkerMessage | Future[None]] = SimpleQueue()
        work = self._thread.submit(self._make, unit, media, messages.put)
        work.add_done_callback(messages.put)
        while not isinstance(message := messages.get(), Future):
            yield message
        try:
            message.result()
        except StorageError as error:
            yield NoRoom(str(error))

    def close(self) -> None:
        """Remove what this run left on the node outside its run folder."""
        shutil.rmtree(self._own, ignore_errors=True)

    def _prepare(self, order: Order) -> Ready:
        node = platform.node()
        try:
            _check_versions(order.versions)
            self._own = Path(tempfile.gettempdir()) / f"dreamix-{os.getuid()}-{order.key}"
            self._shares = _sees(order)
            self._folder = order.out if self._shares else _made(self._own)
            if not self._shares:
                write_json(self._own / "run.json", order.info.to_dict())
            self._maker = ClipMaker(self._folder, order.suite)
            self._maker.setup()
            self._maker.open_models(order.labels)
        except UserError as error:
            return Ready(node, self._shares, str(error))
        return Ready(node, self._shares)

    def _make(
        self, unit: CellsOfVideo, media: Media | None, report: Callable[[WorkerMessage], None]
    ) -> None:
        if media is not None:
            self._maker.take_source(unit.video, self._source(unit.video, media))
        if self._shares:
            self._maker.make(unit, report)
        else:
            self._maker.make(unit, lambda message: report(self._with_clip(message)))

    def _with_clip(self, message: CellDone | Note) -> WorkerMessage:
        if isinstance(message, Note):
            return message
        return Handed(message, take_cell(RunFolder(self._folder), message.cell))

    def _source(self, video: str, media: Media) -> Path:
        """Return the source clip: the very file the run was started with, or a copy of it."""
        path = Path(media.origin["path"])
        if path.exists() and content_sha256(path) == media.origin["sha256"]:
            return path
        place = _made(self._own) / "media" / video
        return unpack(media.fetch(), place, one_file=media.one_file)


def _sees(order: Order) -> bool:
    """Return True if the run folder here is the one where the run was started."""
    try:
        return probe_of(order.out).read_text() == order.token
    except OSError:
        return False


def _check_versions(theirs: dict[str, str]) -> None:
    """Raise a `UserError` unless the libraries that decide numbers are the same here."""
    if differences := spell_differences(versions() | versions_of_packages(), theirs):
        raise UserError(f"it has {differences}: install what the machine of the command has")


def _made(folder: Path) -> Path:
    """Return the folder of this node for one run; its workers share it, also one after another."""
    with storing(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
        owner = folder.stat().st_uid
    if owner != os.getuid():
        raise StorageError(f"{folder} belongs to another user: remove it")
    return folder
