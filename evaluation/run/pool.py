"""Work on independent units in one process or several, with the same results.

A `Worker` does the units: it is sent to each process, set up there once, and holds what is needed
there. Each unit is computed with one thread, in whichever process: numbers then depend neither on
how many workers there are nor on which of them got the unit.
"""

import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from dreamix.core.errors import UserError
from dreamix.core.threads import one_thread_each

U = TypeVar("U")
R = TypeVar("R")
U_contra = TypeVar("U_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)
Report = Callable[[Any], None]  # is called with what a worker has to say while it works


class Worker(Protocol[U_contra, R_co]):
    """Does units of one kind. It can be pickled as long as it is not set up."""

    def setup(self) -> None:
        """Make ready what all units need; called once in each process, before its first unit."""

    def run(self, unit: U_contra, report: Report) -> R_co:
        """Return what the unit comes to; what `report` is called with can be pickled."""


class WorkerDied(UserError):
    """A process ended that nobody asked to end."""


def _ignore(_: object) -> None:
    """Take a message for nobody."""


def run_units(
    worker: Worker[U, R], units: Sequence[U], workers: int, report: Report = _ignore
) -> Iterator[R]:
    """Yield what `worker` makes of every unit, as they get done.

    With one process, or one unit, nothing leaves this process. report: called here with all that
    the work has to say; what one process says arrives in order, and before its result.
    """
    if not units:
        return
    if workers <= 1 or len(units) <= 1:
        worker.setup()
        for unit in units:
            yield worker.run(unit, report)
        return
    with _processes(worker, min(workers, len(units))) as processes:
        yield from _shared_out(processes, units, report)


class _Message(NamedTuple):
    """What a process sends while it works."""

    content: Any


class _Done(NamedTuple):
    """What a process sends when its unit is done."""

    result: Any


class _Failed(NamedTuple):
    """What a process sends when its unit ended with an error."""

    error: BaseException


class _Process(Generic[U]):
    """A process that works, and our end of the pipe to it."""

    def __init__(self, worker: Worker[U, Any]) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,))
        self._process.start()
        theirs.close()  # so that the pipe ends when the process does
        self._worker: Worker[U, Any] | None = worker  # until it was sent, with the first unit
        self._is_busy = False

    def give(self, unit: U) -> None:
        """Let the process work on a unit."""
        self._is_busy = True
        with _no_end():
            self.pipe.send((self._worker, unit))
        self._worker = None

    def take(self) -> _Message | _Done | _Failed:
        """Return the next thing that the process sends."""
        with _no_end():
            sent: _Message | _Done | _Failed = self.pipe.recv()
        self._is_busy = isinstance(sent, _Message)
        return sent

    def finish(self) -> None:
        """Wait for the unit that the process works on, whatever comes of it."""
        with suppress(WorkerDied):
            while self._is_busy:
                self.take()

    def stop(self) -> None:
        """End the process at once: what it was writing is whole or not there."""
        self._process.terminate()

    def join(self) -> None:
        """Let the process go and wait until it is gone."""
        self.pipe.close()
        self._process.join()


@contextmanager
def _no_end() -> Iterator[None]:
    """Make a `WorkerDied` of the end of the pipe."""
    try:
        yield
    except (EOFError, ConnectionError):
        raise WorkerDied(
            "a worker process died, most likely for want of memory: "
            "the same command goes on where it stopped; try it with --workers 1"
        ) from None


@contextmanager
def _processes(worker: Worker[U, Any], count: int) -> Iterator[list[_Process[U]]]:
    """Yield so many processes. After an error those that are busy finish their unit.

    After Ctrl-C, and when one of them has died, they are stopped.
    """
    processes: list[_Process[U]] = []
    try:
        # They inherit both: one thread each, and no heed of Ctrl-C, which is this process's.
        with one_thread_each(), _ignoring_ctrl_c():
            for _ in range(count):
                processes.append(_Process(worker))
        try:
            yield processes
        except (KeyboardInterrupt, WorkerDied):
            raise
        except BaseException:
            for one in processes:
                one.finish()
            raise
    except (KeyboardInterrupt, WorkerDied):
        for one in processes:
            one.stop()
        raise
    finally:
        for one in processes:
            one.join()


def _shared_out(processes: list[_Process[U]], units: Sequence[U], report: Report) -> Iterator[Any]:
    """Yield the results of all units; a process that is done gets the next."""
    waiting = deque(units)
    busy = {one.pipe: one for one in processes}
    for one in processes:
        one.give(waiting.popleft())
    while busy:
        for pipe in wait([*busy]):
            assert isinstance(pipe, Connection)
            sent = busy[pipe].take()
            if isinstance(sent, _Message):
                report(sent.content)
                continue
            if isinstance(sent, _Failed):
                raise sent.error
            if waiting:
                busy[pipe].give(waiting.popleft())
            else:
                del busy[pipe]
            yield sent.result


class _End(Exception):
    """The pipe has come to its end: there is no more to do."""


def _serve(pipe: Connection) -> None:
    """Do the units that come through the pipe until it ends; errors go back through it."""
    lock, worker = threading.Lock(), None

    def send(sent: _Message | _Done | _Failed) -> None:
        try:
            with lock:  # a method may have threads
                pipe.send(sent)
        except ConnectionError:
            os._exit(1)  # who asked is gone, and with it the folder's only writer

    with suppress(_End):
        while True:
            try:
                first, unit = _received(pipe)
                if first is not None:
                    worker = first
                    worker.setup()
                assert worker is not None
                send(_Done(worker.run(unit, lambda content: send(_Message(content)))))
            except _End:
                raise
            except BaseException as error:  # noqa: BLE001 - it is raised where the work was asked for
                send(_Failed(_portable(error)))


def _received(pipe: Connection) -> tuple[Worker[Any, Any] | None, Any]:
    """Return the next unit, and the worker with the first of them."""
    try:
        sent: tuple[Worker[Any, Any] | None, Any] = pipe.recv()
        return sent
    except (EOFError, ConnectionError):
        raise _End from None


def _portable(error: BaseException) -> BaseException:
    """Return an error that can be sent, with a note of where it was raised."""
    error.add_note(f"in a worker process:\n{traceback.format_exc()}")
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - whatever its class does not bear
        return RuntimeError(f"{type(error).__name__}: {error}\n{traceback.format_exc()}")
    return error


@contextmanager
def _ignoring_ctrl_c() -> Iterator[None]:
    """Ignore SIGINT for the block, and so in the processes it starts; only the main thread may."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
