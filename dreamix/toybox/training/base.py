"""The base model learns: first single frames, then clips of 8, then clips of 16.

    L = mean over pixels of  w(t) m |D(z_t, t, c) - x|^2,   w(t) = min(snr(t) + 1, 8)

with m = 1 + 5 on the subject (Toybox knows its mask). Times are logit-normal, and noisier the more
frames there are: 16 frames still tell a motion where one frame tells nothing (Hoogeboom et al.
2023 shift the noise with the resolution for the same reason). That alone leaves a network that
cannot copy what it sees, so the last phase draws half of its clips and most single frames at low
noise, and its learning rate falls. Words are left out one time in ten for classifier-free guidance.
More reasons: the notes in the model card.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from transformers import CLIPTextModel

from dreamix.diffusion.masking import frame_pass, temporal_off
from dreamix.diffusion.schedule import add_noise, alpha, snr
from dreamix.toybox.cascade.networks import autocast, build_base, predict
from dreamix.toybox.cascade.text import encoded
from dreamix.toybox.training.clips import FRAMES, Clips, floats, test_scenes, with_next_word
from dreamix.toybox.world import VALUES, caption, render_base, truth

_DROPPED = 0.1


class Times(NamedTuple):
    """Logit-normal times: mean and deviation of logit t, of a share of the draws."""

    mean: float
    deviation: float
    share: float = 1.0


_MIDDLE = (Times(0.5, 1.2),)
_CLIPS_HIGH, _SINGLES_HIGH = Times(1.8, 1.7), Times(1.2, 1.6)


class Rate(NamedTuple):
    """Learning rates at the first and the last update of a phase; a cosine between them."""

    first: float
    last: float


_SAME = Rate(4e-4, 4e-4)


@dataclass(frozen=True)
class Phase:
    """What a share of the updates sees: `clips` clips of `frames`, and `singles` lone frames."""

    updates: int
    clips: int
    frames: int
    singles: int
    clip_times: tuple[Times, ...] = _MIDDLE
    single_times: tuple[Times, ...] = _MIDDLE
    rate: Rate = _SAME


PHASES = (
    Phase(6_500, clips=0, frames=8, singles=32),
    Phase(4_000, clips=3, frames=8, singles=8),
    Phase(1_665, clips=2, frames=16, singles=8),
    Phase(20_573, 2, 16, 8, clip_times=(_CLIPS_HIGH,), single_times=(_SINGLES_HIGH,)),
    Phase(
        updates=12_000,
        clips=2,
        frames=16,
        singles=8,
        clip_times=(Times(-0.7, 1.2, share=0.5), _CLIPS_HIGH._replace(share=0.5)),
        single_times=(Times(-0.7, 1.2, share=0.75), _SINGLES_HIGH._replace(share=0.25)),
        rate=Rate(3e-4, 6e-6),
    ),
)


class Base:
    """Training of the base U-Net on rendered clips, with a text encoder that stays as it is."""

    name = "base"
    updates = sum(phase.updates for phase in PHASES)

    def __init__(self, clips: Clips, encoder: CLIPTextModel, compiled: bool = False) -> None:
        self.network = build_base().eval()  # no dropout: scenes are never short
        self.predict = torch.compile(predict, dynamic=False) if compiled else predict
        self.clips = clips
        self.words = _encoded(encoder, clips.captions)
        self.nothing = _encoded(encoder, [""])
        self.test = _BaseTest(encoder)

    def rate(self, update: int) -> float:
        """Return the learning rate: from the first of the phase to its last along a cosine."""
        phase, done = phase_of(update)
        first, last = phase.rate
        return last + (first - last) * (1 + math.cos(math.pi * done / phase.updates)) / 2

    def loss(self, update: int, generator: torch.Generator) -> Tensor:
        """Return the loss on clips plus that on single frames, weighted by their frames."""
        phase, _ = phase_of(update)
        parts = []
        if phase.clips:
            loss = self._part(phase.clips, phase.frames, phase.clip_times, generator)
            parts.append((phase.clips * phase.frames, loss))
        untouched = phase is PHASES[0]  # Temporal layers do nothing yet; skip them.
        with (temporal_off if untouched else frame_pass)(self.network):
            loss = self._part(phase.singles, 1, phase.single_times, generator)
            parts.append((phase.singles, loss))
        total = sum(weight for weight, _ in parts)
        return torch.stack([loss * (weight / total) for weight, loss in parts]).sum()

    def _part(
        self, count: int, frames: int, times: tuple[Times, ...], generator: torch.Generator
    ) -> Tensor:
        rows = torch.randint(len(self.clips), (count,), generator=generator)
        starts = torch.randint(17 - frames, (count,), generator=generator)
        x, mask = _windows(self.clips, rows.numpy(), starts.numpy(), frames)
        states, pooled = self.words[0][rows].float(), self.words[1][rows].float()
        dropped = torch.rand(count, generator=generator) < _DROPPED
        states[dropped], pooled[dropped] = (part[0].float() for part in self.nothing)
        t = drawn(times, count, generator)
        noise = torch.randn(x.shape, generator=generator)
        with autocast():
            found = self.predict(self.network, add_noise(x, noise, t), t, (states, pooled))
        weight = (snr(t) + 1).clamp(max=8).reshape(-1, 1, 1, 1, 1) * (1 + 5 * mask)
        return (weight * (found - x).square()).mean()

    def probe(self) -> dict[str, float]:
        """Return errors on held-out clips at three noise levels, with right and wrong words."""
        return self.test.errors(self.network)


def phase_of(update: int) -> tuple[Phase, int]:
    """Return the phase that update number `update` (from 0) belongs to, and its number there."""
    for phase in PHASES:
        if update < phase.updates:
            return phase, update
        update -= phase.updates
    return PHASES[-1], PHASES[-1].updates


def drawn(times: tuple[Times, ...], count: int, generator: torch.Generator) -> Tensor:
    """Return `count` times in 0..1, each from one of the distributions, chosen by its share."""
    shares, means, deviations = torch.tensor([(t.share, t.mean, t.deviation) for t in times]).T
    chosen = torch.multinomial(shares, count, replacement=True, generator=generator)
    noise = torch.randn(count, generator=generator)
    return torch.sigmoid(means[chosen] + deviations[chosen] * noise)


def _windows(
    clips: Clips, rows: np.ndarray, starts: np.ndarray, frames: int
) -> tuple[Tensor, Tensor]:
    """Return clips (B, 3, F, 24, 40) in -1..1 and the masks of their subjects (B, 1, F, 24, 40)."""
    steps = starts[:, None] + np.arange(frames)
    mask = torch.from_numpy(clips.masks[rows[:, None], steps])[:, None]
    return floats(clips.clips[rows[:, None], steps]), mask.float()


def _encoded(encoder: CLIPTextModel, captions: list[str]) -> tuple[Tensor, Tensor]:
    """Return states and pooled vectors of all captions in half precision."""
    parts = []
    for start in range(0, len(captions), 512):
        found = encoded(encoder, captions[start : start + 512])
        parts.append([part.half() for part in found])
    states, pooled = zip(*parts, strict=True)
    return torch.cat(states), torch.cat(pooled)


class _BaseTest:
    """Held-out scenes, and the error on their subject with the right word and with a wrong one.

    The gap tells what the model has learned of a word long before samples do. Copying is told by
    the root mean square error of whole clips of 16 frames with the right words, beside which
    stands that of the noisy clip itself, z / alpha.
    """

    count = 48
    looks = ((0.7, 4), (0.9, 4), (0.97, 16))  # level and frames
    copied = 12  # clips
    copy_levels = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7)

    def __init__(self, encoder: CLIPTextModel) -> None:
        scenes = list(test_scenes(self.count))
        self.clips = Clips(
            np.stack([render_base(scene) for scene in scenes]),
            np.stack([truth(scene, 16, 24, 40).masks for scene in scenes]),
            [caption(scene) for scene in scenes],
        )
        lines = {"right": self.clips.captions}
        lines |= {f: [with_next_word(s, f) for s in scenes] for f in VALUES}
        self.words = {name: _encoded(encoder, captions) for name, captions in lines.items()}

    def errors(self, network: torch.nn.Module) -> dict[str, float]:
        """Return mean squared errors on the subject by wrong word and level; rms by level."""
        on_subject = {
            f"{field}@{level}": self._error(network, words, level, frames)
            for level, frames in self.looks
            for field, words in self.words.items()
        }
        return on_subject | self._copying(network)

    def _error(
        self, network: torch.nn.Module, words: tuple[Tensor, Tensor], level: float, frames: int
    ) -> float:
        starts = np.full(self.count, min(4, FRAMES - frames))
        x, mask = _windows(self.clips, np.arange(self.count), starts, frames)
        _, y = _denoised(network, x, words, level)
        return float(((y - x).square() * mask).sum() / (3 * mask.sum()))

    def _copying(self, network: torch.nn.Module) -> dict[str, float]:
        count = min(self.copied, self.count)
        x, _ = _windows(self.clips, np.arange(count), np.zeros(count, int), FRAMES)
        states, pooled = self.words["right"]
        found = {}
        for level in self.copy_levels:
            z, y = _denoised(network, x, (states[:count], pooled[:count]), level)
            found[f"rms@{level}"] = float((y - x).square().mean().sqrt())
            noisy = z / alpha(torch.tensor(level))
            found[f"rms_of_noisy@{level}"] = float((noisy - x).square().mean().sqrt())
        return found


def _denoised(
    network: torch.nn.Module, x: Tensor, words: tuple[Tensor, Tensor], level: float
) -> tuple[Tensor, Tensor]:
    """Return `x` with noise of a level, the same at every call, and what the network makes of it.

    x: clips (B, 3, F, 24, 40) in -1..1; they go through the network eight at a time.
    """
    t = torch.full((len(x),), level)
    z = add_noise(x, torch.randn(x.shape, generator=torch.Generator().manual_seed(0)), t)
    parts = zip(*(part.float().split(8) for part in (z, t, *words)), strict=True)
    with autocast():
        return z, torch.cat([predict(network, z, t, (s, p)) for z, t, s, p in parts])
