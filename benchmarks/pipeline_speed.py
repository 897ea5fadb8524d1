"""Times an edit of DreamixPipeline beside that of diffusers' own video-to-video pipeline.

    OMP_NUM_THREADS=1 python benchmarks/pipeline_speed.py [--rounds 15] [NAME ...]

Times are of the processor (all threads), so that other work on the machine weighs little. Both run
over the same parts, with the same steps, guidance, seed and clip, without finetuning, and give the
same pixels. The networks are random, of each family's classes, and large enough
(`scaled.json`) that an edit takes seconds. Rounds alternate which is first; the ratio is that of
the two times of a round, and its interval the middle 95% of medians of resampled rounds.
"""

import argparse
import gc
import time
from collections.abc import Callable
from typing import Any

import diffusers
import numpy as np
import torch
from PIL import Image

from dreamix import DreamixPipeline
from dreamix.backends.blueprint import PUBLISHED, build, published
from dreamix.diffusion.levels import noise_levels

THEIRS = {
    "wan2.1": "WanVideoToVideoPipeline",
    "cogvideox-2b": "CogVideoXVideoToVideoPipeline",
    "modelscope": "VideoToVideoSDPipeline",
    "animatediff": "AnimateDiffVideoToVideoPipeline",
}
FRAMES = {"modelscope": 8, "animatediff": 8}
SIDE, STEPS = 96, 12
ASKED = {"prompt": "a dog", "num_inference_steps": STEPS, "guidance_scale": 5.0}


def both(name: str) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return an edit by diffusers and the same by DreamixPipeline."""
    torch.manual_seed(0)  # noqa: TID251 - weights are random; nothing is drawn from it later
    pipe = build(published(PUBLISHED.with_name("scaled.json"))[name], device="cpu")
    kind = getattr(diffusers, THEIRS[name])
    taken = kind.__init__.__code__.co_varnames
    theirs = kind(**{k: v for k, v in pipe.components.items() if k in taken})
    theirs.set_progress_bar_config(disable=True)
    dreamix = DreamixPipeline(pipe)
    rng = np.random.default_rng(0)
    shape = FRAMES.get(name, 17), SIDE, SIDE, 3
    clip = [Image.fromarray(f) for f in rng.integers(0, 256, shape, dtype=np.uint8)]
    size = {} if name == "modelscope" else {"height": SIDE, "width": SIDE}
    pipe.scheduler.set_timesteps(STEPS)
    level = float(noise_levels(pipe.scheduler)[STEPS // 2])

    def seeded() -> torch.Generator:
        return torch.Generator().manual_seed(0)

    def plain() -> Any:
        out = theirs(
            video=clip, strength=0.5, generator=seeded(), output_type="pt", **size, **ASKED
        )
        return out.frames

    def ours() -> Any:
        posterior = "mode" if name.startswith("wan") else "sample"
        return dreamix(
            video=clip, noise_scale=level, posterior=posterior, generator=seeded(),
            output_type="pt", **ASKED,
        ).frames  # fmt: skip

    return plain, ours


def seconds(work: Callable[[], object]) -> float:
    """Return the time of one call."""
    gc.collect()
    gc.disable()
    began = time.process_time()
    work()
    spent = time.process_time() - began
    gc.enable()
    return spent


def compared(name: str, rounds: int) -> str:
    """Return a row of the table."""
    plain, ours = both(name)
    same = float((plain() - ours()).abs().max())
    times = np.array(
        [
            [seconds(plain), seconds(ours)] if i % 2 else [seconds(ours), seconds(plain)][::-1]
            for i in range(rounds)
        ]
    )
    ratios = times[:, 1] / times[:, 0]
    draws = np.random.default_rng(1).choice(ratios, (4000, rounds))
    low, high = np.quantile(np.median(draws, axis=1), [0.025, 0.975])
    middle = np.median(times, axis=0)
    return (
        f"| {name} | {middle[0]:.2f} | {middle[1]:.2f} | {np.median(ratios):.3f} "
        f"[{low:.3f}, {high:.3f}] | {same:g} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(THEIRS))
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    print("| family | diffusers, s | DreamixPipeline, s | ratio | largest difference |")
    print("|---|--:|--:|--:|--:|")
    for name in options.names:
        print(compared(name, options.rounds), flush=True)


if __name__ == "__main__":
    main()
