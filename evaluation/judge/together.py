"""Many questions at once: answers as they come, in a bounded queue."""

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


def ask_together(
    jobs: Iterable[tuple[K, Callable[[], V]]], together: int, took: Callable[[K, V], None]
) -> None:
    """Do jobs in threads; `took` is given each key with its result, in this thread.

    together: how many at once. The next jobs are made while these are under way. An error of a job
    is raised here, when those under way have ended.
    """
    waiting: dict[Future[V], K] = {}
    with ThreadPoolExecutor(together) as pool:
        try:
            for key, job in jobs:
                waiting[pool.submit(job)] = key
                _gather(waiting, took, most=2 * together)
            _gather(waiting, took, most=0)
        finally:
            pool.shutdown(cancel_futures=True)


def _gather(waiting: dict[Future[V], K], took: Callable[[K, V], None], most: int) -> None:
    """Take the results that are there, until no more than `most` are waited for."""
    while waiting:
        done = [one for one in waiting if one.done()]
        if not done and len(waiting) <= most:
            return
        for one in done or [*wait(waiting, return_when=FIRST_COMPLETED).done]:
            took(waiting.pop(one), one.result())
