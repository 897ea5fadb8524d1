"""Work on independent units in one process or several, with the same results.

Each unit is computed with one thread, in whichever process: numbers then depend neither on how
many workers there are nor on which of them got the unit.
"""

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.queues import SimpleQueue
from typing import Any, TypeVar

from dreamix.core.errors import UserError
from dreamix.core.threads import one_thread_each

U = TypeVar("U")
R = TypeVar("R")
News = Callable[[Any], None]
PULSE = 0.2  # seconds between two looks at what workers have to tell


def _ignored(_: Any) -> None:
    """Take news for nobody."""


def run_units(
    work: Callable[[U], R],
    units: Sequence[U],
    workers: int,
    setup: Callable[..., None],
    *args: Any,
    hear: News = _ignored,
) -> Iterator[R]:
    """Yield `work(unit)` for every unit, as they get done.

    setup(*args) runs once in every worker, before its first unit. With one worker, or one unit,
    nothing leaves this process. hear: called here with all that the work tells meanwhile.
    """
    if not units:
        return
    if workers <= 1 or len(units) <= 1:
        speak_to(hear)
        setup(*args)
        yield from map(work, units)
    else:
        yield from _in_processes(work, units, min(workers, len(units)), setup, args, hear)


def tell(news: Any) -> None:
    """Hand `news` to the `hear` of the `run_units` that this work is part of.

    It is pickled on its way out of a worker; news of one worker arrive in order, and before the
    result of the unit.
    """
    _listener(news)


_listener: News = _ignored  # of this process; set by `speak_to`


def speak_to(listener: News) -> None:
    """Let `listener` hear what the work of this process tells from now on."""
    global _listener
    _listener = listener


def _in_processes(
    work: Callable[[U], R],
    units: Sequence[U],
    workers: int,
    setup: Callable[..., None],
    args: tuple[Any, ...],
    hear: News,
) -> Iterator[R]:
    context = multiprocessing.get_context("spawn")
    news = context.SimpleQueue()
    pool = ProcessPoolExecutor(workers, context, _speak_into, (news,))
    try:
        # Workers inherit both: one thread each, and no heed of Ctrl-C, which is this process's.
        with one_thread_each(), _deaf_to_ctrl_c():
            waiting = {pool.submit(_in_worker, work, unit, setup, args) for unit in units}
        while waiting:
            done, waiting = wait(waiting, PULSE, FIRST_COMPLETED)
            _pass_on(news, hear)
            yield from (future.result() for future in done)
    except KeyboardInterrupt:
        for worker in multiprocessing.active_children():
            worker.terminate()  # what it was writing is whole or not there
        raise
    except BrokenProcessPool:
        raise UserError(
            "a worker process died, most likely for want of memory: "
            "the same command goes on where it stopped; try it with --workers 1"
        ) from None
    finally:
        with _emptied(news):
            pool.shutdown(wait=True, cancel_futures=True)


def _speak_into(news: "SimpleQueue[Any]") -> None:
    speak_to(news.put)


def _pass_on(news: "SimpleQueue[Any]", hear: News) -> None:
    """Call `hear` with everything that has arrived."""
    while not news.empty():
        hear(news.get())


@contextmanager
def _emptied(news: "SimpleQueue[Any]") -> Iterator[None]:
    """Drop what arrives during the block: a worker whose news nobody takes would wait for ever."""
    ended = threading.Event()

    def empty() -> None:
        while not ended.wait(PULSE):
            _pass_on(news, _ignored)

    thread = threading.Thread(target=empty, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


_is_set_up = False  # in a worker process: its setup has run


def _in_worker(
    work: Callable[[U], R], unit: U, setup: Callable[..., None], args: tuple[Any, ...]
) -> R:
    """Set the process up at its first unit, so that an error in it comes back as what it is."""
    global _is_set_up
    if not _is_set_up:
        setup(*args)
        _is_set_up = True
    return work(unit)


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Ignore SIGINT for the block, and so in the processes it starts; only the main thread may."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
