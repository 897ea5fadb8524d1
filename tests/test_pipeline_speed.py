"""What DreamixPipeline costs beyond the pipelines of diffusers that it is equal to."""

import time
from collections.abc import Callable

import pytest
import torch
from diffusers import (
    AnimateDiffVideoToVideoPipeline,
    CogVideoXVideoToVideoPipeline,
    VideoToVideoSDPipeline,
    WanVideoToVideoPipeline,
)
from tiny_pipelines import ASKED, TINY, as_pictures, edited, level_at, moving_clip, quiet, seeded

from dreamix import DreamixPipeline

THEIRS = {
    "wan2.1": WanVideoToVideoPipeline,
    "cogvideox-2b": CogVideoXVideoToVideoPipeline,
    "modelscope": VideoToVideoSDPipeline,
    "animatediff": AnimateDiffVideoToVideoPipeline,
}
SIDE, ROUNDS = 64, 7


def seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", THEIRS)
def test_an_edit_takes_as_long_as_the_video_to_video_of_diffusers(name: str) -> None:
    """Processor time of the fastest of 7 rounds, taken in turns, in one thread.

    The networks are tiny, so that what is not the network weighs more here than it ever will.
    """
    torch.set_num_threads(1)
    pipe = quiet(TINY[name]())
    taken = THEIRS[name].__init__.__code__.co_varnames  # type: ignore[misc]
    theirs = quiet(THEIRS[name](**{k: v for k, v in pipe.components.items() if k in taken}))
    dreamix, clip = DreamixPipeline(pipe), moving_clip(9, SIDE)
    size = {} if name == "modelscope" else {"height": SIDE, "width": SIDE}
    level = level_at(pipe, 3)
    asked = {**ASKED, "output_type": "pt", **size}

    def plain() -> None:
        theirs(video=as_pictures(clip), strength=0.5, generator=seeded(), **asked)

    def ours() -> None:
        edited(dreamix, level, clip)

    plain(), ours()
    rounds = [(seconds(plain), seconds(ours)) for _ in range(ROUNDS)]
    fastest, mine = (min(times) for times in zip(*rounds, strict=True))
    print(f"{name}: {fastest:.3f} s with diffusers, {mine:.3f} s here, {mine / fastest - 1:+.1%}")
    assert mine < 1.05 * fastest
