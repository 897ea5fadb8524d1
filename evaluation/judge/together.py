"""Many questions at once: answers as they come, in a bounded queue."""

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from dreamix.core.errors import UserError
from dreamix.core.progress import Progress
from evaluation.judge.client import Hopeless
from evaluation.judge.limits import BudgetSpent

K = TypeVar("K")
V = TypeVar("V")


def ask_together(
    jobs: Iterable[tuple[K, Callable[[], V]]],
    total: int,
    together: int,
    progress: Progress,
    judge: str,
    kept: str,
) -> dict[K, V]:
    """Return the results of jobs, done in threads, by their keys.

    together: how many at once. The next jobs are made while these are under way.
    judge: its name; kept: what became of those that were done, for the message.

    Raises:
        UserError: if nothing more can be asked. Another error of a job is raised here too, when
            those under way have ended.
    """
    waiting: dict[Future[V], K] = {}
    found: dict[K, V] = {}

    def took(key: K, value: V) -> None:
        found[key] = value
        progress(len(found), total)

    try:
        with ThreadPoolExecutor(together) as pool:
            try:
                for key, job in jobs:
                    waiting[pool.submit(job)] = key
                    _gather(waiting, took, most=2 * together)
                _gather(waiting, took, most=0)
            finally:
                pool.shutdown(cancel_futures=True)
    except (Hopeless, BudgetSpent) as error:
        raise UserError(
            f"--judge {judge}: {error}; {len(found)} of {total} {kept}, and the same command goes "
            "on from there"
        ) from None
    return found


def _gather(waiting: dict[Future[V], K], took: Callable[[K, V], None], most: int) -> None:
    """Take the results that are there, until no more than `most` are waited for."""
    while waiting:
        done = [one for one in waiting if one.done()]
        if not done and len(waiting) <= most:
            return
        for one in done or [*wait(waiting, return_when=FIRST_COMPLETED).done]:
            took(waiting.pop(one), one.result())
