"""Progress of long work: how much is done, how fast, how long still."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Watch = Callable[[int, int], None]  # told how many things are done, of how many
EVERY = 30.0  # seconds between two lines where there is no terminal to draw a bar on


@contextmanager
def progress(what: str) -> Iterator[Watch]:
    """Yield a function that is told (done, of how many) and shows that with the time left.

    On a terminal it draws a bar; in a log it writes a line every half minute. Both go to the
    standard error stream.
    """
    if not sys.stderr.isatty():
        yield _lines(what)
        return
    from tqdm import tqdm

    with tqdm(desc=what, unit="", dynamic_ncols=True, leave=False) as bar:

        def watch(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield watch


def _lines(what: str) -> Watch:
    began = said = time.monotonic()

    def watch(done: int, total: int) -> None:
        nonlocal said
        now = time.monotonic()
        if done and now - said >= EVERY:
            said = now
            left = (now - began) * (total - done) / done
            sys.stderr.write(f"{what}: {done} of {total}, about {left / 60:.1f} min left\n")

    return watch
