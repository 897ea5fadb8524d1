"""How many cores this process may use, how many are free, and libraries that use no more threads.

Threads that are more than the cores wait for each other: at every join of a parallel loop all wait
for the one that has no core, and OpenMP's spin meanwhile. On two busy cores that made an edit take
over ten times as long. Nothing is imported here, so that the limits stand before what heeds them.
"""

import os
import sys
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path

# What torch (OpenMP), numpy and scipy (OpenBLAS, MKL) and OpenCV read when they are loaded.
LIMITS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)
CHOICE = LIMITS[0]  # set by the user: leave it alone
LOOK = 0.1  # seconds for which the cores are watched
STAT = Path("/proc/stat")
CGROUPS, OWN_CGROUP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def limit_threads(
    threads: int | None = None, environment: MutableMapping[str, str] = os.environ
) -> int:
    """Return how many threads libraries that are loaded from now on will use.

    threads: None for as many as cores are free. OMP_NUM_THREADS, where it is set, is kept.
    """
    chosen = environment.get(CHOICE, "").split(",")[0]
    told = int(chosen) if chosen.isdigit() and int(chosen) else threads
    count = free_cores() if told is None else told
    for name in LIMITS:
        environment.setdefault(name, str(count))
    return count


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Let processes that are started in the block use one thread: they are what is many."""
    before = {name: os.environ.get(name) for name in LIMITS}
    os.environ.update(dict.fromkeys(LIMITS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def one_thread() -> None:
    """Let the numerical libraries that are loaded use one thread in this process.

    How a sum is split over threads changes its last bit; processes are the way to use more cores.
    """
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(1)


def cores() -> int:
    """Return how many cores this process may use: by its affinity and its share of the machine."""
    return max(1, int(min(len(_own()), _quota())))


def free_cores() -> int:
    """Return how many of them nobody else uses now, at least 1; takes a tenth of a second."""
    return max(1, min(cores(), round(_idle(_own()))))


def _own() -> list[int]:
    """Return the numbers of the cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _idle(own: list[int]) -> float:
    """Return how many of these cores are idle, as a mean over a short while."""
    before = _ticks()
    if not before:  # a system without /proc
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
        return len(own) - load
    time.sleep(LOOK)
    after = _ticks()
    return sum(_share(before.get(core), after.get(core)) for core in own)


def _share(before: tuple[int, int] | None, after: tuple[int, int] | None) -> float:
    """Return which share of the time between two looks a core was idle; 1 if that is not told."""
    if before is None or after is None or after[1] <= before[1]:
        return 1.0
    return (after[0] - before[0]) / (after[1] - before[1])


def _ticks() -> dict[int, tuple[int, int]]:
    """Return by core its ticks without work and all of them, as /proc/stat has them (proc(5))."""
    try:
        lines = STAT.read_text().splitlines()
    except OSError:
        return {}
    rows = (line.split() for line in lines if line[:3] == "cpu" and line[3:4].isdigit())
    found = {}
    for name, *texts in rows:
        ticks = [int(text) for text in texts[:8]]  # the rest, of guests, is counted in these
        found[int(name[3:])] = (sum(ticks[3:5]), sum(ticks))
    return found


def _quota() -> float:
    """Return how many cores' worth of time the control groups of this process allow."""
    return min(_allowed(), default=float("inf"))


def _allowed() -> Iterator[float]:
    """Yield the limit of every group that this process is in, versions 2 and 1."""
    for folder in _groups():
        for names in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
            try:
                words = " ".join((folder / name).read_text() for name in names).split()
            except OSError:
                continue
            if len(words) == 2 and words[0].isdigit() and words[1].isdigit() and int(words[1]):
                yield int(words[0]) / int(words[1])  # "max" and -1 are no limit


def _groups() -> Iterator[Path]:
    """Yield the folders of the groups of this process and of all above them."""
    try:
        lines = OWN_CGROUP.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, kinds, path = line.split(":", 2)
        if not kinds or "cpu" in kinds.split(","):
            top = CGROUPS / kinds  # version 2 has one tree, at the top
            own = top / path.lstrip("/")
            yield from (folder for folder in (own, *own.parents) if folder.is_relative_to(top))
