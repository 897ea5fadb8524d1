"""Progress of long work: how much is done, how long still, and what is being done now."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

EVERY = 30.0  # seconds between two lines where there is no terminal to draw a bar on
NOTE = 50  # characters of a note that fit beside the bar
BAR = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"


Progress = Callable[[int, int], None]  # takes note that so many of so many things are done


class TimedProgress(Protocol):
    """A `Progress` that also takes the time left and what is being done."""

    def __call__(self, done: int, total: int, left: float | None = None, note: str = "") -> None:
        """Take note that `done` of `total` things are done.

        left: seconds still; NaN if that cannot be known; None if the pace so far tells it.
        note: what is being done now.
        """
        ...


@contextmanager
def progress_bar(what: str) -> Iterator[TimedProgress]:
    """Yield a function that is told how far the work is and shows that with the time left.

    On a terminal it draws a bar; in a log it writes a line every half minute. Both go to the
    standard error stream.
    """
    if not sys.stderr.isatty():
        yield _lines(what)
        return
    from tqdm import tqdm

    pace = Pace()
    with tqdm(desc=what, bar_format=BAR, dynamic_ncols=True, leave=False) as bar:

        def progress(done: int, total: int, left: float | None = None, note: str = "") -> None:
            bar.total = total
            words = pace.left(done, total, left), note[:NOTE]
            bar.set_postfix_str(", ".join(filter(None, words)), refresh=False)
            bar.update(done - bar.n)
            bar.refresh()

        yield progress


def _lines(what: str) -> TimedProgress:
    said, pace = time.monotonic(), Pace()

    def progress(done: int, total: int, left: float | None = None, note: str = "") -> None:
        nonlocal said
        now, time_left = time.monotonic(), pace.left(done, total, left)
        if (done or note) and now - said >= EVERY:
            said = now
            words = f"{done} of {total}", time_left, note
            sys.stderr.write(f"{what}: {', '.join(filter(None, words))}\n")

    return progress


class Pace:
    """How long work takes still, by what was done since it was first told of.

    What went before counts for nothing: neither the time of other work, which made an estimate of
    72 minutes of 54 seconds, nor things that were done already.
    """

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None

    def left(self, done: int, total: int, told: float | None) -> str:
        """Return the time left in words, empty if unknown; told: the `left` of `TimedProgress`."""
        now = time.monotonic()
        began, before = self._first = self._first or (now, done)
        if told is None and done > before:
            told = (now - began) * (total - done) / (done - before)
        if told is None or told != told:
            return ""
        return (
            f"about {told / 60:.1f} min left" if told < 5400 else f"about {told / 3600:.1f} h left"
        )
