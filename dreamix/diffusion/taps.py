"""Taps: outputs of layers copied from one part of a batch to the others, undone by a `with`."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor, nn


@contextmanager
def first_part_copied(layers: Iterable[nn.Module], parts: int) -> Iterator[None]:
    """Give every part of the batch what each layer computes for the first part.

    The batch is `parts` equal runs of rows. While the block runs, the first run's output of every
    one of `layers` takes the place of the others'. No weight is touched; the hooks are removed
    when the block ends, however it ends.
    """
    with ExitStack() as undo:
        for layer in layers:
            undo.callback(layer.register_forward_hook(_copier(parts)).remove)
        yield


def _copier(parts: int) -> Callable[[nn.Module, Any, Tensor], Tensor]:
    def copied(_layer: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        first = output[: len(output) // parts]
        return first.repeat(parts, *[1] * (output.ndim - 1))

    return copied
