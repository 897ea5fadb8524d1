"""How much memory this machine has for us, and how much of it one decoded clip may take.

A file of a few megabytes can be hours of video: decoding it would end the whole run, often without
a word. So the size of a clip is worked out from its header first, and held against a limit.
"""

import os
import resource
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from dreamix.core.errors import UserError

LIMIT = "DREAMIX_CLIP_GIB"  # environment variable: GiB that one decoded clip may take
GIB = 1 << 30
CGROUPS = Path("/sys/fs/cgroup")


def memory() -> tuple[int, int]:
    """Return the processor's memory in bytes, in all and for new programs; limits are heeded.

    Limits are those of a container or a job (cgroups) and of this process (`ulimit -v`).
    """
    total = free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    file = Path("/proc/meminfo")
    if file.exists():
        lines = dict(line.split(":") for line in file.read_text(encoding="utf-8").splitlines())
        free = int(lines["MemAvailable"].split()[0]) * 1024
    for limit, used in _limits():
        total, free = min(total, limit), min(free, max(0, limit - used))
    return total, free


def _limits() -> Iterator[tuple[int, int]]:
    """Yield limits of memory and what of each is used, in bytes."""
    for folder in (CGROUPS, *_own_cgroups(), CGROUPS / "memory"):
        for limit, used in (
            ("memory.max", "memory.current"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes"),  # cgroups of version 1
        ):
            if (most := _number(folder / limit)) is not None:
                yield most, _number(folder / used) or 0
    if (own := resource.getrlimit(resource.RLIMIT_AS)[0]) != resource.RLIM_INFINITY:
        yield own, 0


def _own_cgroups() -> list[Path]:
    """Return the folders of the control groups (version 2) that this process is in."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    names = [line.removeprefix("0::/") for line in lines if line.startswith("0::/")]
    return [CGROUPS / part for name in names for part in (name, *map(str, Path(name).parents))]


def _number(file: Path) -> int | None:
    """Return the number in a file, if there is one."""
    try:
        text = file.read_text(encoding="utf-8").strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None


def clip_limit() -> int:
    """Return how many bytes one decoded clip may take: as declared, else an eighth of the memory.

    A source, the edits of one method and what is computed on them stand in memory at once. Small
    machines give a clip 2 GiB, or a quarter of what they have.
    """
    declared = os.environ.get(LIMIT, "").strip()
    if not declared:
        return _usual_limit()
    try:
        limit = float(declared) * GIB
        if not 0 < limit < 1e18:
            raise ValueError
    except ValueError:
        raise UserError(
            f"{LIMIT} is a number of GiB above 0, such as 8, not {declared!r}"
        ) from None
    return int(limit)


@cache
def _usual_limit() -> int:
    total, _ = memory()
    return max(total // 8, min(2 * GIB, total // 4))


def too_large(frames: int, width: int, height: int) -> str | None:
    """Return why a clip of that size is not decoded, as the rest of a sentence; None if it is."""
    size, limit = frames * width * height * 3, clip_limit()
    if size <= limit:
        return None
    what = f"{frames:,} frames of {width}x{height}" if frames > 1 else f"{width}x{height} pixels"
    return (
        f"is too large: {what} take {_gib(size)} decoded, one clip may take {_gib(limit)} here; "
        f"cut it, make it smaller, or set {LIMIT}"
    )


def _gib(size: int) -> str:
    return f"{size / GIB:,.1f} GiB" if size >= GIB / 10 else f"{size / (1 << 20):,.1f} MiB"
