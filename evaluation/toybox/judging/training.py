"""Trains the judge on damaged and broken renders, and writes its weights."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from dreamix.core.seeding import seed_for
from dreamix.toybox.cascade.networks import autocast
from dreamix.toybox.training.clips import test_scenes
from dreamix.toybox.training.loop import Budget
from dreamix.toybox.training.loop import train as run_training
from dreamix.toybox.training.trained import load_average, save_half
from dreamix.toybox.world import VALUES, render
from evaluation.toybox.judging.breakage import Example, broken
from evaluation.toybox.judging.clips import (
    EMPTY_EVERY,
    Chunk,
    halved,
    training_chunks,
    words_of,
)
from evaluation.toybox.judging.damage import Dice, damaged
from evaluation.toybox.judging.network import JudgeNetwork

SCENES = 12_000
_RATE, _FADING = 1.5e-3, 600  # learning rate, which falls to 0 over the last so many updates
_BROKEN = 0.3  # share of the clips that are broken
_PROBED = 160  # held-out scenes looked at while training


def train(folder: Path, minutes: float, say: Callable[[str], None]) -> int:
    """Return the number of updates done in all, after at most `minutes`; goes on where it was.

    Clips are rendered into `folder`/clips at the first call (2 GB, some minutes).
    """
    task = Judging(training_chunks(folder / "clips", SCENES))
    return run_training(task, folder, Budget(minutes=minutes, probe_every=250), say)


def export(folder: Path, path: Path) -> None:
    """Write the averaged weights of the checkpoint in `folder` to `path`, in half precision."""
    network = JudgeNetwork()
    load_average(network, folder)
    save_half(network, path)


class Judging:
    """Cross entropy of every attribute on clips of which most are damaged and some are broken."""

    name = "judge"
    updates = 5200
    batch = 32

    def __init__(self, chunks: list[Chunk]) -> None:
        self.network = initialised(JudgeNetwork(), torch.Generator().manual_seed(seed_for("judge")))
        self.chunks = chunks
        scenes = list(test_scenes(_PROBED))
        self.test = np.stack([halved(render(scene).frames) for scene in scenes])
        self.test_answers = torch.tensor([words_of(scene) for scene in scenes])

    def rate(self, update: int) -> float:
        """Return the learning rate: constant, falling to 0 over the last updates."""
        return _RATE * min(1, (self.updates - update) / _FADING)

    def loss(self, update: int, generator: torch.Generator) -> Tensor:
        """Return the mean cross entropy over the attributes that are asked."""
        dice = Dice(generator)
        examples = [self._drawn(dice) for _ in range(self.batch)]
        clips = torch.stack([example.clip for example in examples]).transpose(1, 2)
        answers = torch.stack([example.answer for example in examples])
        with autocast():
            found = self.network(clips)
        losses = [cross_entropy(logits, answers[:, i]) for i, logits in enumerate(found)]
        return torch.stack(losses).mean()

    def _drawn(self, dice: Dice) -> Example:
        """Return a random example, damaged, and broken first with the probability of that."""
        example = self._example(dice)
        if dice.happens(_BROKEN):
            example = broken(example, self._example(dice), self._empty(dice), dice)
        return Example(damaged(example.clip, dice), example.answer, example.track)

    def _example(self, dice: Dice) -> Example:
        chunk = self.chunks[dice.below(len(self.chunks))]
        return _example(chunk, chunk.clips, dice.below(len(chunk.clips)), 1)

    def _empty(self, dice: Dice) -> Example:
        chunk = self.chunks[dice.below(len(self.chunks))]
        return _example(chunk, chunk.empty, dice.below(len(chunk.empty)), EMPTY_EVERY)

    def probe(self) -> dict[str, float]:
        """Return the accuracy of every attribute on held-out scenes, undamaged.

        Colour counts in pencil and sepia too, where it can hardly be seen.
        """
        parts = torch.from_numpy(self.test).permute(0, 4, 1, 2, 3).float().div(255).split(32)
        with autocast():
            found = [[logits.argmax(1) for logits in self.network(part)] for part in parts]
        words = torch.stack([torch.cat(parts) for parts in zip(*found, strict=True)], dim=1)
        shares = (words == self.test_answers).float().mean(0)
        return dict(zip(VALUES, shares.tolist(), strict=True))


def initialised(network: nn.Module, generator: torch.Generator) -> nn.Module:
    """Return the network with He's weights; what is added to a path starts at a fifth of that."""
    for name, weights in network.named_parameters():
        if weights.ndim < 2:
            continue
        nn.init.kaiming_normal_(weights, nonlinearity="relu", generator=generator)
        if name.split(".")[-2] in ("space", "time", "mix", "heads"):
            with torch.no_grad():
                weights.mul_(0.2)
    return network


def _example(chunk: Chunk, clips: np.ndarray, row: int, step: int) -> Example:
    clip = torch.from_numpy(np.array(clips[row])).permute(0, 3, 1, 2).float().div_(255)
    answer = torch.from_numpy(np.array(chunk.words[row * step]))
    return Example(clip, answer, torch.from_numpy(np.array(chunk.tracks[row * step])))
