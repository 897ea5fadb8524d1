"""Frames and captions that toybox-clip learns from: families of scenes that differ in one word.

Scenes drawn at random differ in nearly everything, so telling them apart teaches backgrounds and
little else. A family is one scene and seven siblings, each with one visible word changed and the
same seed: inside it a shape has to be seen as a shape.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import conv2d, interpolate

from dreamix.core.records import write_whole
from dreamix.core.seeding import rng_for
from dreamix.toybox.training.clip_model import SIDE
from dreamix.toybox.training.clips import held_out, random_scene
from dreamix.toybox.world import GREY, VALUES, Scene, caption, render
from dreamix.toybox.world.benchmark import edited, reads_badly

VISIBLE = ("colour", "shape", "background", "style", "effect")  # what a single frame shows
FAMILY = 8
FRAMES = 3  # a scene
WRONG = 4  # wrong captions a scene
_RENDERED = 4  # frames a scene, of which FRAMES are kept
_CHANGED = (*VISIBLE, "colour", "shape", "shape")  # small things need more looking at


@dataclass(frozen=True)
class Frames:
    """Families one after the other: pictures uint8 (N, FRAMES, SIDE, SIDE, 3), texts as tokens.

    right: int64 (N, LENGTH); wrong: int64 (N, WRONG, LENGTH), each with one visible word changed.
    words: int64 (N, VISIBLE), the number of each visible word; seen: the same, -100 for a colour
        that the style does not show.
    """

    pictures: np.ndarray
    right: Tensor
    wrong: Tensor
    words: Tensor
    seen: Tensor

    def __len__(self) -> int:
        """Return how many families there are."""
        return len(self.pictures) // FAMILY


def training_frames(
    folder: Path, families: int, tokenizer: Callable[[list[str]], Tensor]
) -> Frames:
    """Return frames of `families` families, always the same, rendered if not in `folder` yet.

    A family takes 40 ms to render and 0.3 MB to keep.
    """
    scenes = [scene for i in range(families) for scene in family("clip", i)]
    wrong = [line for i, scene in enumerate(scenes) for line in _wrong_captions(scene, i)]
    tokens = tokenizer(wrong)
    path = folder / f"frames-{len(scenes)}.npy"
    if not path.exists():
        pictures = np.stack([_some_frames(scene, i) for i, scene in enumerate(scenes)])
        with write_whole(path) as file:
            np.save(file, pictures)
    return Frames(
        np.load(path, mmap_mode="r"),
        tokenizer([caption(scene) for scene in scenes]),
        tokens.reshape(len(scenes), WRONG, tokens.shape[1]),
        *_words(scenes),
    )


def _words(scenes: list[Scene]) -> tuple[Tensor, Tensor]:
    words = torch.tensor([[VALUES[f].index(getattr(s, f)) for f in VISIBLE] for s in scenes])
    seen = words.clone()
    seen[[scene.style in GREY for scene in scenes], VISIBLE.index("colour")] = -100
    return words, seen


def family(*names: str | int) -> list[Scene]:
    """Return a training scene and siblings that differ from it in one visible word each."""
    rng = rng_for("toybox", "family", *names)
    scenes = [random_scene(*names)]
    while len(scenes) < FAMILY:
        field = _some_field(scenes[0], rng)
        sibling = edited(scenes[0], {field: VALUES[field][rng.integers(len(VALUES[field]))]})
        if not (sibling in scenes or held_out(sibling) or reads_badly(sibling.to_dict())):
            scenes.append(sibling)
    return scenes


def _wrong_captions(scene: Scene, number: int) -> list[str]:
    rng = rng_for("toybox", "wrong-captions", number)
    return [wrong_caption(scene, _some_field(scene, rng), rng) for _ in range(WRONG)]


def _some_field(scene: Scene, rng: np.random.Generator) -> str:
    """Return a field that can be seen in the scene."""
    fields = [field for field in _CHANGED if field != "colour" or scene.style not in GREY]
    return fields[rng.integers(len(fields))]


def wrong_caption(scene: Scene, field: str, rng: np.random.Generator) -> str:
    """Return the caption with another word for `field`."""
    others = [word for word in VALUES[field] if word != getattr(scene, field)]
    return caption(edited(scene, {field: others[rng.integers(len(others))]}))


def _some_frames(scene: Scene, number: int) -> np.ndarray:
    """Return frames from the whole of a scene, uint8 (FRAMES, SIDE, SIDE, 3)."""
    rng = rng_for("toybox", "frames", number)
    apart = rng.uniform(1, 5)  # ticks; the scene has 15 of them
    clip = render(scene, _RENDERED, fps=8 / apart).frames
    return squashed(clip[np.sort(rng.permutation(_RENDERED)[:FRAMES])])


def squashed(frames: np.ndarray) -> np.ndarray:
    """Return uint8 (n, SIDE, SIDE, 3), resized as open_clip does it."""
    size, how = (SIDE, SIDE), Image.Resampling.BICUBIC
    return np.stack([np.asarray(Image.fromarray(f).resize(size, how)) for f in frames])


def to_pixels(pictures: np.ndarray) -> Tensor:
    """Return float (n, 3, SIDE, SIDE) in 0..1."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous().float().div(255)


def damaged(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Return the pictures under other light, some of them coarse, blurred or noisy.

    Generated clips are all of that; a CLIP that only ever saw clean renders would measure it.
    """
    count = len(pixels)
    dice = torch.rand(3, count, generator=generator)
    gain = 0.93 + 0.14 * torch.rand(count, 1, 1, 1, generator=generator)
    out = pixels * gain
    out[dice[0] < 0.25] = coarse(out[dice[0] < 0.25])
    sigma = 0.4 + 1.6 * float(torch.rand(1, generator=generator))
    out[dice[1] < 0.2] = blurred(out[dice[1] < 0.2], sigma)
    level = (
        0.12
        * torch.rand(count, 1, 1, 1, generator=generator)
        * (dice[2] < 0.3)[:, None, None, None]
    )
    return (out + level * torch.randn(out.shape, generator=generator)).clamp(0, 1)


def coarse(pixels: Tensor) -> Tensor:
    """Return pictures that went through the base grid of 24x40."""
    if not len(pixels):
        return pixels
    small = interpolate(pixels, (24, 40), mode="area")
    return interpolate(small, (SIDE, SIDE), mode="bicubic")


def blurred(pixels: Tensor, sigma: float) -> Tensor:
    """Return pictures under a Gaussian of `sigma` pixels; borders repeat."""
    if not len(pixels):
        return pixels
    reach = 4
    steps = torch.arange(-reach, reach + 1, dtype=torch.float32)
    row = torch.exp(-0.5 * (steps / sigma) ** 2)
    row = (row / row.sum()).expand(3, 1, 1, -1)
    wide = torch.nn.functional.pad(pixels, (reach,) * 4, mode="replicate")
    return conv2d(conv2d(wide, row, groups=3), row.transpose(2, 3), groups=3)
