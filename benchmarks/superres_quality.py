"""Measures the super-resolution stage beside plain enlargement, on held-out Toybox scenes.

    python benchmarks/superres_quality.py [--checkpoint FILE] [--scenes 40] [--sheet OUT.png]

It measures the shipped weights, or the averaged ones of a training checkpoint. The coarse clip is
the exact 4x4 mean of the render. Flicker is the mean change in grey levels, from frame to frame
where the true picture does not change, over scenes whose camera stands still; seconds are per clip
of 16 frames. "Means kept" moves the same clips to the coarse means.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch

from dreamix.core.seeding import seed_for
from dreamix.core.video import Video
from dreamix.toybox.cascade.files import load_networks
from dreamix.toybox.cascade.superres import bilinear, build_superres, enlarge, with_means
from dreamix.toybox.cascade.text import encode, tokenize
from dreamix.toybox.training.clips import test_scenes
from dreamix.toybox.world import Scene, caption, render, render_base
from evaluation.features.perceptual import distances
from evaluation.features.store import Features
from evaluation.metrics.psnr import decibels
from evaluation.metrics.ssim import ssim_map
from evaluation.sample import View
from evaluation.settings import ModelSettings

Enlarger = Callable[[Scene, torch.Tensor], torch.Tensor]
FIELDS = ("psnr", "ssim", "lpips", "flicker", "seconds")


def main() -> None:
    """Measure every way of enlarging, print a table, draw the sheet."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--scenes", type=int, default=40)
    parser.add_argument("--steps", type=int, nargs="*", default=[8])
    parser.add_argument("--augmentation", type=float, nargs="*", default=[0.1])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    scenes = list(test_scenes(options.scenes))
    ways = enlargers(options)
    clips = {name: [made(scene, way) for scene in scenes] for name, way in ways.items()}
    truth = [render(scene).frames for scene in scenes]
    features = Features(ModelSettings())
    print(f"| enlargement | {' | '.join(FIELDS)} |\n|---|{'---|' * len(FIELDS)}")
    for name, found in {**clips, "truth": [(frames, 0.0) for frames in truth]}.items():
        rows = [row(a, b, s, features) for (a, s), b in zip(found, truth, strict=True)]
        print(f"| {name} | {' | '.join(f'{v:.4g}' for v in np.nanmean(rows, axis=0))} |")
    if options.sheet:
        draw(options.sheet, scenes, [truth, *([a for a, _ in found] for found in clips.values())])


def enlargers(options: argparse.Namespace) -> dict[str, Enlarger]:
    """Return every way of enlarging by name."""
    ways: dict[str, Enlarger] = {
        "bilinear": lambda _, coarse: bilinear(coarse),
        "bicubic": lambda _, coarse: bicubic(coarse),
    }
    unet, encoder = networks(options)
    for steps in options.steps:
        for level in options.augmentation:
            way = remembered(partial(diffused, unet, encoder, steps, level))
            ways[f"diffusion, {steps} steps, a = {level}"] = way
            ways[f"means kept, {steps} steps, a = {level}"] = kept(way)
    return ways


def networks(options: argparse.Namespace) -> tuple[torch.nn.Module, torch.nn.Module]:
    """Return the U-Net with its averaged weights, and the text encoder."""
    shipped = load_networks()
    if options.checkpoint is None:
        return shipped.superres, shipped.encoder
    unet = build_superres()
    means = torch.load(options.checkpoint, weights_only=True)["mean"]
    with torch.no_grad():
        for weight, mean in zip(unet.parameters(), means, strict=True):
            weight.copy_(mean)
    return unet, shipped.encoder


def diffused(
    unet: torch.nn.Module,
    encoder: torch.nn.Module,
    steps: int,
    level: float,
    scene: Scene,
    coarse: torch.Tensor,
) -> torch.Tensor:
    """Return the clip as the super-resolution stage enlarges it."""
    with torch.no_grad():
        words = encode(encoder, tokenize([caption(scene)]))
    rng = torch.Generator().manual_seed(seed_for("superres-quality", scene.seed))
    options = {"steps": steps, "augmentation": level, "keep_means": False}
    return enlarge(unet, coarse, words, [rng], **options)


def remembered(way: Enlarger) -> Enlarger:
    """Return the enlarger that makes the clip of a scene once."""
    made_before: dict[Scene, torch.Tensor] = {}

    def remembering(scene: Scene, coarse: torch.Tensor) -> torch.Tensor:
        if scene not in made_before:
            made_before[scene] = way(scene, coarse)
        return made_before[scene]

    return remembering


def kept(way: Enlarger) -> Enlarger:
    """Return the enlarger whose clips are moved to the coarse clip's means at the end."""
    return lambda scene, coarse: with_means(way(scene, coarse), coarse).clamp(-1, 1)


def bicubic(coarse: torch.Tensor) -> torch.Tensor:
    """Return the clip four times as large, bicubic."""
    frames = coarse[0].transpose(0, 1)
    large = torch.nn.functional.interpolate(frames, scale_factor=4, mode="bicubic")
    return large.clamp(-1, 1).transpose(0, 1)[None]


def made(scene: Scene, way: Enlarger) -> tuple[np.ndarray, float]:
    """Return the enlarged render, uint8 (16, 96, 160, 3), and the seconds it took."""
    base = torch.from_numpy(render_base(scene)).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
    start = time.perf_counter()
    fine = way(scene, base)[0].permute(1, 2, 3, 0)
    seconds = time.perf_counter() - start
    return ((fine + 1) * 127.5).round().clamp(0, 255).byte().numpy(), seconds


def row(found: np.ndarray, true: np.ndarray, seconds: float, features: Features) -> list[float]:
    """Return the figures of one clip in the order of `FIELDS`."""
    views = [View(Video(frames, 8.0), "", features) for frames in (found, true)]
    pairs = list(zip(found, true, strict=True))
    return [
        float(np.mean([decibels(a, b) for a, b in pairs])),
        float(np.mean([ssim_map(a, b).mean() for a, b in pairs])),
        float(distances(*views).mean()),
        flicker(found, true),
        seconds,
    ]


def flicker(found: np.ndarray, true: np.ndarray) -> float:
    """Return the mean change of pixels that truly stay, in grey levels; NaN if under half stay."""
    still = (np.diff(true.astype(np.int16), axis=0) == 0).all(-1)
    if still.mean() < 0.5:
        return float("nan")
    return float(np.abs(np.diff(found.astype(np.int16), axis=0))[still].mean())


def draw(path: Path, scenes: list[Scene], columns: list[list[np.ndarray]]) -> None:
    """Draw the middle frame of every scene, one scene a row, one way a column, twice as large."""
    rows = []
    for i, scene in enumerate(scenes):
        frames = [column[i][8] for column in columns]
        picture = np.repeat(np.repeat(np.concatenate(frames, axis=1), 2, 0), 2, 1)
        label = np.full((16, picture.shape[1], 3), 255, np.uint8)
        cv2.putText(label, caption(scene), (2, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1)
        rows += [label, picture]
    cv2.imwrite(str(path), np.concatenate(rows)[..., ::-1])


if __name__ == "__main__":
    main()
