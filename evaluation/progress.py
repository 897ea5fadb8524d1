"""Progress of long work on the terminal: how much is done, how fast, how long still."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function that is told (done, of how many) and draws a bar with the time left.

    The bar goes to the standard error stream and appears with the first thing done.
    """
    from tqdm import tqdm

    with tqdm(desc=what, unit="", dynamic_ncols=True, disable=None, leave=False) as bar:

        def watch(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield watch
