"""The super-resolution stage learns from full renders and what the base grid keeps of them.

    L = mean over pixels of  w(t) |D(z_t, t, c', a) - x|^2,   w(t) = min(snr(t) + 1, 5)

The coarse clip c is the 4x4 mean of x, then made worse as the base model may make it (softer, and
off by a little in each of its patches), and noise is added: c' = c + a eps', a uniform in 0..0.3.
Times are uniform, for few even steps from t = 1 are to be sampled: each of them counts.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool3d, interpolate, pad
from transformers import CLIPTextModel

from dreamix.core.records import read_json, write_json, write_whole
from dreamix.diffusion.masking import temporal_off
from dreamix.diffusion.schedule import add_noise, snr
from dreamix.toybox.cascade.networks import PATCH, autocast
from dreamix.toybox.cascade.superres import (
    MOST_AUGMENTATION,
    augmented,
    build_superres,
    means,
    predict_fine,
    still_noise,
)
from dreamix.toybox.cascade.text import encoded
from dreamix.toybox.training.clips import FRAMES, floats, random_scene, test_scenes, with_next_word
from dreamix.toybox.world import caption, render

_CHUNK = 250


@dataclass(frozen=True)
class Batch:
    """So many clips of so many frames, cut to a part of the coarse grid."""

    clips: int
    frames: int
    height: int  # coarse pixels, multiples of the base model's patch
    width: int


# First frames, without the temporal layers, which pass frames on until they have learned: an update
# costs less than half then. Kinds of batches take turns, mostly small parts of many scenes; whole
# pictures and whole lengths as well, for these are what is to be sampled; and lone frames.
FRAME_UPDATES = 6_000
FRAME_BATCHES = (
    Batch(clips=16, frames=1, height=12, width=20),
    Batch(clips=16, frames=1, height=12, width=20),
    Batch(clips=4, frames=1, height=24, width=40),
)
CLIP_BATCHES = (
    Batch(clips=4, frames=4, height=12, width=20),
    Batch(clips=2, frames=8, height=12, width=20),
    Batch(clips=4, frames=4, height=12, width=20),
    Batch(clips=1, frames=4, height=24, width=40),
    Batch(clips=1, frames=16, height=12, width=20),
    Batch(clips=16, frames=1, height=12, width=20),
)


@dataclass(frozen=True)
class FineClips:
    """Rendered scenes at full resolution: chunks uint8 (250, 16, 96, 160, 3), and captions."""

    chunks: list[np.ndarray]
    captions: list[str]

    def part(self, row: int, frames: slice, rows: slice, columns: slice) -> np.ndarray:
        """Return a part of clip number `row`, uint8 (frames, rows, columns, 3)."""
        return np.asarray(self.chunks[row // _CHUNK][row % _CHUNK, frames, rows, columns])


def fine_clips(folder: Path, count: int) -> FineClips:
    """Return `count` training scenes (a multiple of 250, 0.7 MB each), rendered once, then read."""
    chunks, captions = [], []
    for start in range(0, count, _CHUNK):
        _render_chunk(folder, start)
        chunks.append(np.load(folder / f"{start}.npy", mmap_mode="r"))
        captions += read_json(folder / f"{start}.json")
    return FineClips(chunks, captions)


def _render_chunk(folder: Path, start: int) -> None:
    if (folder / f"{start}.json").exists():
        return
    scenes = [random_scene("superres", i) for i in range(start, start + _CHUNK)]
    with write_whole(folder / f"{start}.npy") as file:
        np.save(file, np.stack([render(scene, FRAMES).frames for scene in scenes]))
    write_json(folder / f"{start}.json", [caption(scene) for scene in scenes])


class SuperResolution:
    """Training of the super-resolution U-Net, with a text encoder that stays as it is."""

    name = "superres"
    updates = 30_000

    def __init__(self, clips: FineClips, encoder: CLIPTextModel) -> None:
        self.network = build_superres()
        self.clips = clips
        self.words = encoded(encoder, clips.captions)
        self.test = _SuperresTest(encoder)

    def rate(self, update: int) -> float:
        """Return the learning rate, the same throughout."""
        return 1e-3

    def loss(self, update: int, generator: torch.Generator) -> Tensor:
        """Return the loss on one batch; the kinds of batches take turns."""
        if update >= FRAME_UPDATES:
            return self._loss(CLIP_BATCHES[update % len(CLIP_BATCHES)], generator)
        with temporal_off(self.network):
            return self._loss(FRAME_BATCHES[update % len(FRAME_BATCHES)], generator)

    def _loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        rows = torch.randint(len(self.clips.captions), (batch.clips,), generator=generator)
        x = _cut(self.clips, batch, rows, generator)
        level = MOST_AUGMENTATION * torch.rand(batch.clips, generator=generator)
        coarse = augmented(worsen(means(x), generator), level, generator)
        t = _times(batch.clips, generator)
        z = add_noise(x, still_noise(x, generator), t)
        words = (self.words[0][rows], self.words[1][rows])
        with autocast():
            found = predict_fine(self.network, z, t, coarse, level, words)
        weight = (snr(t) + 1).clamp(max=5).reshape(-1, 1, 1, 1, 1)
        return (weight * (found - x).square()).mean()

    def probe(self) -> dict[str, float]:
        """Return errors on held-out scenes at three times, and at the first with a wrong style."""
        return self.test.errors(self.network)


def _times(count: int, generator: torch.Generator) -> Tensor:
    """Return times in 0.001..1, one in each of `count` equal parts of that range, shuffled."""
    places = torch.randperm(count, generator=generator) + torch.rand(count, generator=generator)
    return 0.001 + 0.999 * places / count


def worsen(coarse: Tensor, generator: torch.Generator) -> Tensor:
    """Return the coarse clips softer, and each 4x4 patch of each frame off by a little.

    Softness is a share, 0 to 0.8, of the 3x3 mean; patches are off by up to 0.06 in deviation,
    every second clip by none at all.
    """
    count, channels, frames, height, width = coarse.shape
    share, off = torch.rand((2, count, 1, 1, 1, 1), generator=generator)
    share = 0.8 * (2 * share - 1).clamp(min=0)
    off = 0.06 * (2 * off - 1).clamp(min=0)
    soft = avg_pool3d(pad(coarse, (1, 1, 1, 1, 0, 0), mode="replicate"), (1, 3, 3), stride=1)
    shape = (count, channels, frames, height // PATCH, width // PATCH)
    errors = torch.randn(shape, generator=generator)
    return coarse.lerp(soft, share) + off * interpolate(errors, scale_factor=(1, PATCH, PATCH))


def _cut(clips: FineClips, batch: Batch, rows: Tensor, generator: torch.Generator) -> Tensor:
    """Return parts of the clips, (B, 3, F, 4 height, 4 width) in -1..1, at random places.

    Places are whole patches of the base model.
    """
    parts = []
    for row in rows.tolist():
        start = _draw(FRAMES - batch.frames, generator)
        top = 16 * _draw((24 - batch.height) // PATCH, generator)
        left = 16 * _draw((40 - batch.width) // PATCH, generator)
        ys, xs = slice(top, top + 4 * batch.height), slice(left, left + 4 * batch.width)
        parts.append(clips.part(row, slice(start, start + batch.frames), ys, xs))
    return floats(np.stack(parts))


def _draw(most: int, generator: torch.Generator) -> int:
    return int(torch.randint(most + 1, (1,), generator=generator))


class _SuperresTest:
    """Held-out scenes, whole pictures; augmentation and noise are the same at every probe."""

    count = 16
    frames = slice(4, 8)
    times = (1.0, 0.5, 0.25)
    level = 0.1

    def __init__(self, encoder: CLIPTextModel) -> None:
        scenes = list(test_scenes(self.count))
        generator = torch.Generator().manual_seed(0)
        self.x = floats(np.stack([render(scene).frames[self.frames] for scene in scenes]))
        self.noise = still_noise(self.x, generator)
        self.levels = torch.full((self.count,), self.level)
        self.coarse = augmented(means(self.x), self.levels, generator)
        self.words = encoded(encoder, [caption(scene) for scene in scenes])
        self.wrong = encoded(encoder, [with_next_word(scene, "style") for scene in scenes])

    def errors(self, network: torch.nn.Module) -> dict[str, float]:
        """Return mean squared errors by time."""
        found = {f"error@{t}": self._error(network, t, self.words) for t in self.times}
        return {**found, "style@1.0": self._error(network, 1.0, self.wrong)}

    def _error(self, network: torch.nn.Module, time: float, words: tuple[Tensor, Tensor]) -> float:
        t = torch.full((self.count,), time)
        z = add_noise(self.x, self.noise, t)
        with autocast():
            found = predict_fine(network, z, t, self.coarse, self.levels, words)
        return float((found - self.x).square().mean())
