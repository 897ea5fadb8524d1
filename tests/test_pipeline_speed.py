"""What DreamixPipeline computes beyond the pipelines of diffusers that it is equal to."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from tiny_families import ASKED, SIDE, THEIRS, as_pictures, edited, level_at, moving_clip, seeded
from tiny_pipelines import TINY, quiet
from torch.utils._python_dispatch import TorchDispatchMode

from dreamix import DreamixPipeline


class Counted(TorchDispatchMode):
    """Counts the operations on tensors that run in the block."""

    def __init__(self) -> None:
        super().__init__()
        self.operations = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.operations += 1
        return func(*args, **(kwargs or {}))


def operations(work: Callable[[], object]) -> int:
    with Counted() as counted:
        work()
    return counted.operations


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", THEIRS)
def test_an_edit_takes_no_more_operations_than_that_of_diffusers(name: str) -> None:
    """But for some dozens, whatever the network. Times of networks this small scatter by more."""
    torch.set_num_threads(1)
    pipe = quiet(TINY[name]())
    taken = THEIRS[name].__init__.__code__.co_varnames  # type: ignore[misc]
    theirs = quiet(THEIRS[name](**{k: v for k, v in pipe.components.items() if k in taken}))
    dreamix, clip, level = DreamixPipeline(pipe), moving_clip(9), level_at(pipe, 3)
    size = {} if name == "modelscope" else {"height": SIDE, "width": SIDE}
    asked = {**ASKED, "output_type": "pt", **size}
    plain = operations(
        lambda: theirs(video=as_pictures(clip), strength=0.5, generator=seeded(), **asked)
    )
    ours = operations(lambda: edited(dreamix, level, clip))
    print(f"{name}: {plain} operations with diffusers, {ours} here, {ours / plain - 1:+.1%}")
    assert ours - plain < 80
