"""The base model learns: first single frames, then clips of 8, then clips of 16.

    L = mean over pixels of  w(t) m |D(z_t, t, c) - x|^2,   w(t) = min(snr(t) + 1, 8)

with m = 1 + 5 on the subject (Toybox knows its mask). Times are logit-normal, words are left out
one time in ten for classifier-free guidance. Why: the notes in the model card.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import CLIPTextModel

from dreamix.backends.toybox.networks import autocast, build_base, predict
from dreamix.backends.toybox.text import encode, tokenize
from dreamix.data.toybox import VALUES, Scene, caption, parse_caption, render_base, truth
from dreamix.diffusion.masking import frame_pass, temporal_off
from dreamix.diffusion.schedule import add_noise, snr
from dreamix.training.clips import Clips, test_scenes
from dreamix.training.loop import Average

_DROPPED = 0.1
_TIMES = (0.5, 1.2)  # mean and deviation of logit t


@dataclass(frozen=True)
class Phase:
    """What a share of the updates sees: `clips` clips of `frames`, and `singles` lone frames."""

    updates: int
    clips: int
    frames: int
    singles: int


PHASES = (
    Phase(updates=6_500, clips=0, frames=8, singles=32),
    Phase(updates=4_000, clips=3, frames=8, singles=8),
    Phase(updates=29_500, clips=2, frames=16, singles=8),
)


class Base:
    """Training of the base U-Net on rendered clips, with a text encoder that stays as it is."""

    name = "base"
    learning_rate = 4e-4
    updates = sum(phase.updates for phase in PHASES)

    def __init__(self, clips: Clips, encoder: CLIPTextModel) -> None:
        self.network = build_base().eval()  # no dropout: scenes are never short
        self.clips = clips
        self.words = _encoded(encoder, clips.captions)
        self.nothing = _encoded(encoder, [""])
        self.test = _Test(encoder)

    def loss(self, update: int, generator: torch.Generator) -> Tensor:
        """Return the loss on clips plus that on single frames, weighted by their frames."""
        phase = phase_of(update)
        parts = []
        if phase.clips:
            parts.append(
                (phase.clips * phase.frames, self._part(phase.clips, phase.frames, generator))
            )
        if phase.singles:
            untouched = phase is PHASES[0]  # Temporal layers do nothing yet; skip them.
            mask = temporal_off if untouched else frame_pass
            with mask(self.network):
                parts.append((phase.singles, self._part(phase.singles, 1, generator)))
        total = sum(weight for weight, _ in parts)
        return torch.stack([loss * (weight / total) for weight, loss in parts]).sum()

    def _part(self, count: int, frames: int, generator: torch.Generator) -> Tensor:
        rows = torch.randint(len(self.clips), (count,), generator=generator)
        starts = torch.randint(17 - frames, (count,), generator=generator)
        x, mask = _windows(self.clips, rows.numpy(), starts.numpy(), frames)
        states, pooled = self.words[0][rows].float(), self.words[1][rows].float()
        dropped = torch.rand(count, generator=generator) < _DROPPED
        states[dropped], pooled[dropped] = (part[0].float() for part in self.nothing)
        mean, deviation = _TIMES
        t = torch.sigmoid(mean + deviation * torch.randn(count, generator=generator))
        noise = torch.randn(x.shape, generator=generator)
        with autocast():
            found = predict(self.network, add_noise(x, noise, t), t, (states, pooled))
        weight = (snr(t) + 1).clamp(max=8).reshape(-1, 1, 1, 1, 1) * (1 + 5 * mask)
        return (weight * (found - x).square()).mean()

    def probe(self, average: Average) -> dict[str, float]:
        """Return errors on held-out clips at two noise levels, with right and with wrong words."""
        return self.test.errors(self.network)


def phase_of(update: int) -> Phase:
    """Return the phase that update number `update` (from 0) belongs to."""
    for phase in PHASES:
        if update < phase.updates:
            return phase
        update -= phase.updates
    return PHASES[-1]


def _windows(
    clips: Clips, rows: np.ndarray, starts: np.ndarray, frames: int
) -> tuple[Tensor, Tensor]:
    """Return clips (B, 3, F, 24, 40) in -1..1 and the masks of their subjects (B, 1, F, 24, 40)."""
    steps = starts[:, None] + np.arange(frames)
    x = torch.from_numpy(clips.clips[rows[:, None], steps]).permute(0, 4, 1, 2, 3)
    mask = torch.from_numpy(clips.masks[rows[:, None], steps])[:, None]
    return x.float() / 127.5 - 1, mask.float()


def _encoded(encoder: CLIPTextModel, captions: list[str]) -> tuple[Tensor, Tensor]:
    """Return states and pooled vectors of all captions in half precision."""
    parts = []
    with torch.no_grad():
        for start in range(0, len(captions), 512):
            found = encode(encoder, tokenize(captions[start : start + 512]))
            parts.append([part.half() for part in found])
    states, pooled = zip(*parts, strict=True)
    return torch.cat(states), torch.cat(pooled)


class _Test:
    """Held-out scenes, and the error on their subject with the right word and with a wrong one.

    The gap tells what the model has learned of a word long before samples do.
    """

    count = 48
    frames = 4
    levels = (0.7, 0.9)

    def __init__(self, encoder: CLIPTextModel) -> None:
        scenes = list(test_scenes(self.count))
        self.clips = Clips(
            np.stack([render_base(scene) for scene in scenes]),
            np.stack([truth(scene, 16, 24, 40).masks for scene in scenes]),
            [caption(scene) for scene in scenes],
        )
        lines = {"right": self.clips.captions}
        lines |= {f: [_wrong(s, f) for s in scenes] for f in VALUES}
        self.words = {name: _encoded(encoder, captions) for name, captions in lines.items()}
        shape = (self.count, 3, self.frames, *self.clips.clips.shape[2:4])
        self.noise = torch.randn(shape, generator=torch.Generator().manual_seed(0))

    def errors(self, network: torch.nn.Module) -> dict[str, float]:
        """Return mean squared errors on the subject, by wrong word and level."""
        x, mask = _windows(self.clips, np.arange(self.count), np.full(self.count, 4), self.frames)
        found = {}
        for level in self.levels:
            t = torch.full((self.count,), level)
            z = add_noise(x, self.noise, t)
            for field, (states, pooled) in self.words.items():
                with autocast():
                    y = predict(network, z, t, (states.float(), pooled.float()))
                error = ((y - x).square() * mask).sum() / (3 * mask.sum())
                found[f"{field}@{level}"] = float(error)
        return found


def _wrong(scene: Scene, field: str) -> str:
    """Return the caption with the next word of `field` in place of the right one."""
    words = VALUES[field]
    other = words[(words.index(getattr(scene, field)) + 1) % len(words)]
    recipe = {**parse_caption(caption(scene)), field: other}
    return caption(Scene.from_dict(recipe))
