"""How often Text-to-Video shows what the prompt says, by the judge, on held-out prompts.

    python benchmarks/toybox_accuracy.py [--count 200] [--weights FOLDER] [--sheet SHEET.png]

Prompts are those of held-out scenes: colour, shape, motion and place together were never trained
on. The judge's own accuracy on the true renders of the same scenes stands beside. "Told" counts
only prompts that name the attribute (an effect, a style, a moving camera). Colour is not asked in
pencil and sepia, where it cannot be seen.
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw
from safetensors.torch import load_file

from dreamix.core.video import Video
from dreamix.diffusion.sampling import sample
from dreamix.toybox.cascade.backend import FRAMES, Toybox, open_toybox
from dreamix.toybox.training.clips import test_scenes
from dreamix.toybox.world import VALUES, Scene, caption, render
from evaluation.toybox.judge import judge, visible

PLAIN = {"effect": "none", "style": "none", "camera": "still"}
TOGETHER = 4  # prompts in one batch

Accuracy = dict[str, tuple[float, float]]  # attribute -> share right of all, and of those told


class Settings(NamedTuple):
    """What generates."""

    weights: Path | None = None  # folder of a cascade, the shipped one if None
    snapshot: Path | None = None  # other weights of its base model
    guidance: float = 4.0
    steps: int = 25


@cache
def backend(weights: Path | None, snapshot: Path | None) -> Toybox:
    """Return the cascade, one a process."""
    torch.set_num_threads(1)
    toybox = open_toybox("toybox", weights, None)
    if snapshot:
        toybox.model.unet.load_state_dict({k: v.float() for k, v in load_file(snapshot).items()})
    return toybox


def generated(settings: Settings, first: int, scenes: Sequence[Scene]) -> list[Video]:
    """Return what the cascade makes of the captions of scenes `first`, `first` + 1, ..."""
    toybox = backend(settings.weights, settings.snapshot)
    names = [("accuracy", first + i) for i in range(len(scenes))]
    prompts = [caption(scene) for scene in scenes]
    model = toybox.model.guided(prompts, settings.guidance)
    base = sample(model, toybox.noise(names), toybox.times(1.0, settings.steps))
    return toybox.finish(base, prompts, render(scenes[0], frames=FRAMES), names)


def all_generated(settings: Settings, scenes: list[Scene], workers: int) -> list[Video]:
    """Return a clip for every scene; it does not depend on the batches nor on the workers."""
    starts = range(0, len(scenes), TOGETHER)
    with ProcessPoolExecutor(workers) as pool:
        parts = [
            pool.submit(generated, settings, start, scenes[start : start + TOGETHER])
            for start in starts
        ]
        return [clip for part in parts for clip in part.result()]


def accuracy(clips: list[Video], scenes: list[Scene]) -> Accuracy:
    """Return, for every attribute, the share judged right: of all, and of those that are told."""
    hits: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for clip, scene in zip(clips, scenes, strict=True):
        seen = judge(clip)
        words = {field: getattr(scene, field) for field in VALUES}
        for field in visible(words):
            right = seen.answer(field) == words[field]
            hits[field].append((right, words[field] != PLAIN.get(field)))
    return {
        field: (
            float(np.mean([right for right, _ in rows])),
            float(np.mean([right for right, told in rows if told])),
        )
        for field, rows in hits.items()
    }


def sheet(clips: list[Video], scenes: list[Scene], out: Path) -> None:
    """Draw 24 strips of 8 frames, two a row, with their prompts."""
    strips = []
    for clip, scene in list(zip(clips, scenes, strict=True))[:24]:
        frames = clip.frames[np.linspace(0, len(clip) - 1, 8).astype(int), ::2, ::2]
        strip = np.pad(np.concatenate(list(frames), axis=1), ((0, 14), (0, 6), (0, 0)))
        picture = Image.fromarray(strip)
        ImageDraw.Draw(picture).text((3, 49), caption(scene), fill=(255, 255, 255))
        strips.append(np.array(picture))
    rows = [np.concatenate(strips[i : i + 2], axis=1) for i in range(0, len(strips), 2)]
    Image.fromarray(np.concatenate(rows)).save(out)


def main() -> None:
    """Print the table; draw the sheet."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--snapshot", type=Path)
    parser.add_argument("--guidance", type=float, default=4.0)
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    scenes = list(test_scenes(options.count))
    settings = Settings(options.weights, options.snapshot, options.guidance, options.steps)
    clips = all_generated(settings, scenes, options.workers)
    ours, true = accuracy(clips, scenes), accuracy([render(s) for s in scenes], scenes)
    print("| attribute | generated, all | generated, told | true render, all |\n|---|--:|--:|--:|")
    for field in VALUES:
        print(f"| {field} | {ours[field][0]:.3f} | {ours[field][1]:.3f} | {true[field][0]:.3f} |")
    if options.sheet:
        sheet(clips, scenes, options.sheet)


if __name__ == "__main__":
    main()
