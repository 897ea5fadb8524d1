"""Progress of long work: how much is done, how long still, and what is being done now."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

EVERY = 30.0  # seconds between two lines where there is no terminal to draw a bar on
NOTE = 50  # characters of a note that fit beside the bar
BAR = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"


class Watch(Protocol):
    """Is told how far the work is."""

    def __call__(self, done: int, total: int, left: float | None = None, note: str = "") -> None:
        """Take note that `done` of `total` things are done.

        left: seconds still; NaN if that cannot be known; None if the pace so far tells it.
        note: what is being done now.
        """
        ...


@contextmanager
def progress(what: str) -> Iterator[Watch]:
    """Yield a function that is told how far the work is and shows that with the time left.

    On a terminal it draws a bar; in a log it writes a line every half minute. Both go to the
    standard error stream.
    """
    if not sys.stderr.isatty():
        yield _lines(what)
        return
    from tqdm import tqdm

    began = time.monotonic()
    with tqdm(desc=what, bar_format=BAR, dynamic_ncols=True, leave=False) as bar:

        def watch(done: int, total: int, left: float | None = None, note: str = "") -> None:
            bar.total = total
            words = _left(began, done, total, left), note[:NOTE]
            bar.set_postfix_str(", ".join(filter(None, words)), refresh=False)
            bar.update(done - bar.n)
            bar.refresh()

        yield watch


def _lines(what: str) -> Watch:
    began = said = time.monotonic()

    def watch(done: int, total: int, left: float | None = None, note: str = "") -> None:
        nonlocal said
        now = time.monotonic()
        if (done or note) and now - said >= EVERY:
            said = now
            words = f"{done} of {total}", _left(began, done, total, left), note
            sys.stderr.write(f"{what}: {', '.join(filter(None, words))}\n")

    return watch


def _left(began: float, done: int, total: int, left: float | None) -> str:
    """Return the time left in words, empty if it is not known."""
    if left is None and done:
        left = (time.monotonic() - began) * (total - done) / done
    if left is None or left != left:
        return ""
    return f"about {left / 60:.1f} min left" if left < 5400 else f"about {left / 3600:.1f} h left"
