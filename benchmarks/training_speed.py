"""Seconds of one update of the base model's training, as it is and compiled, turn and turn about.

    python benchmarks/training_speed.py [--updates 8]

Two clips of 16 frames and 8 single ones, one thread, random clips. Compiling takes minutes at the
first call and is kept by torch for the next.
"""

import argparse
import time

import numpy as np
import torch

from dreamix.toybox.cascade.files import load_networks
from dreamix.toybox.training.base import PHASES, Base
from dreamix.toybox.training.clips import Clips

LAST = sum(phase.updates for phase in PHASES) - 1


def seconds(task: Base, optimiser: torch.optim.Optimizer, update: int) -> float:
    """Return how long forward, backward and AdamW take."""
    began = time.perf_counter()
    task.loss(LAST, torch.Generator().manual_seed(update)).backward()
    optimiser.step()
    optimiser.zero_grad()
    return time.perf_counter() - began


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--updates", type=int, default=8)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (4, 16, 24, 40, 3), dtype=np.uint8)
    clips = Clips(pictures, pictures[..., 0] > 128, ["a red ball bouncing in a meadow"] * 4)
    encoder = load_networks().encoder
    tasks = {name: Base(clips, encoder, name == "compiled") for name in ("plain", "compiled")}
    optimisers = {
        name: torch.optim.AdamW(task.network.parameters(), fused=True)
        for name, task in tasks.items()
    }
    found: dict[str, list[float]] = {name: [] for name in tasks}
    for update in range(options.updates + 1):
        for name, task in tasks.items():
            found[name].append(seconds(task, optimisers[name], update))
    print("| update | first, s | median after it, s |\n|---|--:|--:|")
    for name, times in found.items():
        print(f"| {name} | {times[0]:.1f} | {np.median(times[1:]):.2f} |")


if __name__ == "__main__":
    main()
