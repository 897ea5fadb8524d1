"""How well a source comes back from its DDIM inversion, frame by frame and as a clip: PSNR in dB.

    python benchmarks/inversion.py [--scenes 4]

Inverted with no words up to t = 0.98 on the base grid, sampled down again with no words in the same
steps. Plug-and-Play injects what it finds on this way, so it can keep no more than this.
"""

import argparse
from contextlib import nullcontext

import torch
from torch import Tensor

from dreamix.diffusion.masking import as_frames
from dreamix.diffusion.sampling import resample, time_grid
from dreamix.toybox.cascade.backend import open_toybox
from dreamix.toybox.cascade.model import Model
from dreamix.toybox.training.clips import test_scenes
from dreamix.toybox.world import render


def psnr(one: Tensor, two: Tensor) -> float:
    """Return the PSNR of clips in -1..1."""
    return float(10 * torch.log10(4 / (one - two).square().mean()))


def way_back(model: Model, x: Tensor, steps: int, refine: int) -> float:
    """Return the PSNR of `x` after inversion and sampling."""
    times = time_grid(0.98, steps)
    blind = model.denoiser([""])
    return psnr(resample(blind, blind, x, times, refine=refine), x)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--scenes", type=int, default=4)
    toybox = open_toybox("toybox", None, None)
    clips = [toybox.read(render(scene)) for scene in test_scenes(parser.parse_args().scenes)]
    print("| inversion steps | refinements | frame by frame | as a clip |\n|--:|--:|--:|--:|")
    for steps, refine in ((25, 0), (100, 0), (25, 3)):
        found = []
        for alone in (True, False):
            with toybox.model.image_model() if alone else nullcontext():
                xs = [as_frames(clip)[::4] if alone else clip for clip in clips]
                values = [way_back(toybox.model, x, steps, refine) for x in xs]
                found.append(sum(values) / len(values))
        print(f"| {steps} | {refine} | {found[0]:.1f} | {found[1]:.1f} |", flush=True)


if __name__ == "__main__":
    main()
