"""Toybox clips to learn from: random scenes, rendered once on the base grid and kept as arrays."""

import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dreamix.core.records import read_json, write_json, write_whole
from dreamix.core.seeding import rng_for, seed_for
from dreamix.core.threads import one_thread_each
from dreamix.toybox.world import VALUES, Scene, caption, render_base, truth
from dreamix.toybox.world.benchmark import reads_badly

FRAMES = 16
_FIRST_SEED = 1000  # The suite uses the seeds below.
_CHUNK = 500
# Half of the scenes have nothing in the air, half no style, half a camera that stands still.
_PLAIN = {"effect": "none", "style": "none", "camera": "still"}


def held_out(scene: Scene) -> bool:
    """Return whether colour, shape, motion and place together are kept from training (1 in 10)."""
    head = (scene.colour, scene.shape, scene.motion, scene.background)
    return seed_for("toybox", "held-out", *head) % 10 == 0


def random_scene(*names: str | int, test: bool = False) -> Scene:
    """Return a scene that depends on `names` alone; with `test`, a held-out one.

    Words are equally likely, but for the plain ones of effect, style and camera: those have 1/2.
    """
    rng = rng_for("toybox", "random-scene", *names)
    while True:
        recipe = {field: _word(field, rng) for field in VALUES}
        scene = Scene.from_dict({**recipe, "seed": _FIRST_SEED + int(rng.integers(10**9))})
        if held_out(scene) == test and not reads_badly(recipe):
            return scene


def _word(field: str, rng: np.random.Generator) -> str:
    if field in _PLAIN and rng.random() < 0.5:
        return _PLAIN[field]
    words = [word for word in VALUES[field] if word != _PLAIN.get(field)]
    return words[rng.integers(len(words))]


@dataclass(frozen=True)
class Clips:
    """Rendered scenes: clips uint8 (N, 16, 24, 40, 3), masks bool (N, 16, 24, 40), N captions."""

    clips: np.ndarray
    masks: np.ndarray
    captions: list[str]

    def __len__(self) -> int:
        """Return how many clips there are."""
        return len(self.captions)


def training_clips(folder: Path, count: int, workers: int = 2) -> Clips:
    """Return `count` training scenes, rendered at the first call and read from `folder` after it.

    A kill costs one chunk of 500; more clips later extend what is there.
    """
    chunks = [(folder, start) for start in range(0, count, _CHUNK)]
    with one_thread_each(), multiprocessing.get_context("spawn").Pool(workers) as pool:
        pool.map(_render_chunk, chunks, chunksize=1)
    parts = [_read_chunk(folder, start) for _, start in chunks]
    clips, masks, captions = zip(*parts, strict=True)
    words = [line for part in captions for line in part]
    return Clips(
        np.concatenate(clips)[:count],
        np.unpackbits(np.concatenate(masks)[:count], axis=-1).view(bool),
        words[:count],
    )


def _render_chunk(job: tuple[Path, int]) -> None:
    folder, start = job
    if (folder / f"{start}.json").exists():
        return
    scenes = [random_scene("train", i) for i in range(start, start + _CHUNK)]
    clips = np.stack([render_base(scene, FRAMES) for scene in scenes])
    masks = np.stack([truth(scene, FRAMES, 24, 40).masks for scene in scenes])
    with write_whole(folder / f"{start}.npz") as file:
        np.savez(file, clips=clips, masks=np.packbits(masks, axis=-1))
    write_json(folder / f"{start}.json", [caption(scene) for scene in scenes])


def _read_chunk(folder: Path, start: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    with np.load(folder / f"{start}.npz") as arrays:
        return arrays["clips"], arrays["masks"], read_json(folder / f"{start}.json")


def test_scenes(count: int) -> Iterator[Scene]:
    """Yield the first `count` held-out scenes, always the same."""
    yield from (random_scene("test", i, test=True) for i in range(count))


def with_next_word(scene: Scene, field: str) -> str:
    """Return the scene's caption with the next word of `field` in place of the right one."""
    words = VALUES[field]
    other = words[(words.index(getattr(scene, field)) + 1) % len(words)]
    return caption(Scene.from_dict({**scene.to_dict(), field: other}))


def floats(clips: np.ndarray) -> Tensor:
    """Return uint8 clips (B, F, H, W, 3) as (B, 3, F, H, W) in -1..1."""
    return torch.from_numpy(clips).permute(0, 4, 1, 2, 3).float() / 127.5 - 1
