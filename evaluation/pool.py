"""Work on independent units in one process or several, with the same results.

Each unit is computed with one thread, in whichever process: numbers then depend neither on how
many workers there are nor on which of them got the unit.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

from dreamix.core.errors import UserError

U = TypeVar("U")
R = TypeVar("R")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def run_units(
    work: Callable[[U], R], units: Sequence[U], workers: int, setup: Callable[..., None], *args: Any
) -> Iterator[R]:
    """Yield `work(unit)` for every unit, as they get done.

    setup(*args) runs once in every worker, before its first unit. With one worker, or one unit,
    nothing leaves this process.
    """
    if not units:
        return
    if workers <= 1 or len(units) <= 1:
        setup(*args)
        yield from map(work, units)
    else:
        yield from _in_processes(work, units, min(workers, len(units)), setup, args)


def _in_processes(
    work: Callable[[U], R],
    units: Sequence[U],
    workers: int,
    setup: Callable[..., None],
    args: tuple[Any, ...],
) -> Iterator[R]:
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context)
    try:
        # Workers inherit both: one thread each, and no heed of Ctrl-C, which is this process's.
        with _environment(ONE_THREAD), _deaf_to_ctrl_c():
            waiting = {pool.submit(_in_worker, work, unit, setup, args) for unit in units}
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
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
        pool.shutdown(wait=True, cancel_futures=True)


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
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set environment variables for the block, for the processes that it starts."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


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
