"""toybox-clip learns which caption belongs to which frame.

    L = (CE(s F G', i) + CE(s G F', i)) / 2 + (CE(H F, w) + CE(H G, w)) / 2,   s learned

F: unit-norm embeddings of the frames of a batch, G: of their captions (Radford et al. 2021). To
the captions that a frame is told from, one more per frame is added with one visible word changed.
Motion and camera stand in every caption although one frame does not show them.

The last term names the visible words w from either embedding by one linear map H, which is thrown
away afterwards. Without it neither tower begins to tell shapes apart, for the other does not: after
750 updates captions of a ball and of a star had a cosine of 0.98, and the right shape beat a wrong
one in 64% of held-out clips.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from dreamix.core.records import write_json
from dreamix.core.seeding import rng_for
from dreamix.toybox.training.clip_frames import (
    FAMILY,
    FRAMES,
    VISIBLE,
    WRONG,
    Frames,
    damaged,
    squashed,
    to_pixels,
    training_frames,
    wrong_caption,
)
from dreamix.toybox.training.clip_model import (
    CONFIG,
    END,
    LENGTH,
    UNKNOWN,
    WORDS,
    build_clip,
    normalized,
    open_tokenizer,
    save_clip,
    write_vocabulary,
)
from dreamix.toybox.training.clips import random_scene
from dreamix.toybox.training.loop import Budget
from dreamix.toybox.training.loop import train as run_loop
from dreamix.toybox.training.trained import load_average
from dreamix.toybox.world import GREY, VALUES, caption, render

if TYPE_CHECKING:
    from open_clip import CLIP

FAMILIES = 3000
_LARGEST_SCALE = float(np.log(100))  # as in CLIP: more is unstable
_UNKNOWN_SHARE = 0.1
_SHARPNESS = 10.0  # logits of a unit vector under a small map would all be alike


class Clip:
    """Training of both towers on families of scenes."""

    name = "clip"
    updates = 6000
    families = 16  # in a batch of 128 frames

    def __init__(self, frames: Frames, test: "HeldOut") -> None:
        self.clip = build_clip()
        self.network: Any = nn.ModuleDict({"clip": self.clip, "names": _names()})
        self.frames = frames
        self.test = test

    def rate(self, update: int) -> float:
        """Return the learning rate, the same throughout."""
        return 2e-3

    def loss(self, update: int, generator: torch.Generator) -> Tensor:
        """Return the symmetric contrastive loss of a batch."""
        chosen = torch.randint(len(self.frames), (self.families,), generator=generator)
        rows = (chosen[:, None] * FAMILY + torch.arange(FAMILY)).flatten()
        which = torch.randint(FRAMES, (len(rows),), generator=generator)
        pixels = to_pixels(self.frames.pictures[rows.numpy(), which.numpy()])
        other = torch.randint(WRONG, (len(rows),), generator=generator)
        right, wrong = self.frames.right[rows], self.frames.wrong[rows, other]
        texts = with_unknown(torch.cat([right, wrong]), generator)
        f = normalize(self.clip.encode_image(normalized(damaged(pixels, generator))), dim=-1)
        g = normalize(self.clip.encode_text(texts), dim=-1)
        scale = self.clip.logit_scale.clamp(max=_LARGEST_SCALE).exp()
        told = contrast(scale * f @ g.T, _same(right, torch.cat([right, wrong])))
        from_frames = self._naming(f, self.frames.seen[rows])
        from_texts = self._naming(g[: len(f)], self.frames.words[rows])
        return told + (from_frames + from_texts) / 2

    def _naming(self, embeddings: Tensor, answers: Tensor) -> Tensor:
        """Return the sum over visible words of the cross entropy; -100 is not asked."""
        logits = self.network["names"](_SHARPNESS * embeddings)
        parts = logits.split([len(VALUES[field]) for field in VISIBLE], dim=1)
        return torch.stack([cross_entropy(p, answers[:, i]) for i, p in enumerate(parts)]).sum()

    def probe(self) -> dict[str, float]:
        """Return accuracies on held-out scenes and the learned scale."""
        scale = float(self.clip.logit_scale.detach().exp())
        return {**self.test.accuracies(self.clip), "scale": scale}


def _names() -> nn.Linear:
    """Return a linear map from an embedding to the visible words, all of them equally likely."""
    names = nn.Linear(CONFIG["embed_dim"], sum(len(VALUES[field]) for field in VISIBLE))
    nn.init.zeros_(names.weight)
    nn.init.zeros_(names.bias)
    return names


def contrast(scores: Tensor, same: Tensor) -> Tensor:
    """Return the loss of scaled cosines (N frames, N right captions and more).

    same: bool, likewise: captions of one text. Where another place holds a frame's own caption
    (two families can meet in a scene), that place is neither right nor wrong.
    """
    count = len(scores)
    answers = torch.arange(count)
    elsewhere = same & ~torch.eye(count, scores.shape[1], dtype=torch.bool)
    scores = scores.masked_fill(elsewhere, -1e4)
    to_text = cross_entropy(scores, answers)
    to_frame = cross_entropy(scores[:, :count].T, answers)
    return (to_text + to_frame) / 2


def _same(some: Tensor, others: Tensor) -> Tensor:
    return (some[:, None] == others[None]).all(dim=-1)


def with_unknown(tokens: Tensor, generator: torch.Generator) -> Tensor:
    """Return the texts, one in ten with an unknown word put in somewhere: it says nothing."""
    unknown, end = WORDS.index(UNKNOWN), WORDS.index(END)
    length = (tokens == end).int().argmax(dim=-1)
    place = 1 + (torch.rand(len(tokens), generator=generator) * length).long()  # 1..length
    chosen = torch.rand(len(tokens), generator=generator) < _UNKNOWN_SHARE
    chosen &= length < LENGTH - 1
    steps = torch.arange(LENGTH)
    moved = torch.where(steps > place[:, None], tokens.roll(1, dims=1), tokens)
    moved = torch.where(steps == place[:, None], unknown, moved)
    return torch.where(chosen[:, None], moved, tokens)


class HeldOut:
    """Held-out scenes: is the right caption told from 99 others, and from one wrong word?

    A clip's score is the mean cosine over its frames, as in the metric clip_t.
    """

    def __init__(
        self, tokenizer: Callable[[list[str]], Tensor], count: int = 200, frames: int = 4
    ) -> None:
        """Render `count` scenes, `frames` frames each, evenly spaced."""
        scenes = [random_scene("clip-test", i, test=True) for i in range(count)]
        rng = rng_for("toybox", "clip-test")
        clips = [render(scene, frames, fps=8 * (frames - 1) / 15) for scene in scenes]
        self.pixels = torch.cat([to_pixels(squashed(clip.frames)) for clip in clips])
        self.count = count
        coloured = torch.tensor([scene.style not in GREY for scene in scenes])
        self.asked = {f: coloured if f == "colour" else torch.ones(count) > 0 for f in VALUES}
        self.right = tokenizer([caption(scene) for scene in scenes])
        self.wrong = {
            field: tokenizer([wrong_caption(scene, field, rng) for scene in scenes])
            for field in VALUES
        }

    def accuracies(self, model: "CLIP", pixels: Tensor | None = None) -> dict[str, float]:
        """Return "top1" of 100 captions and, by attribute, how often the right word wins.

        Colour is asked of scenes alone whose style has colours (not pencil, not sepia).
        pixels: the test pictures in another state (blurred, ...); as rendered without it.
        """
        f = self._clips(model, self.pixels if pixels is None else pixels)
        right = normalize(model.encode_text(self.right), dim=-1)
        own = (f * right).sum(-1)
        found = {"top1": self._top1(f @ right.T)}
        for field, tokens in self.wrong.items():
            other = (f * normalize(model.encode_text(tokens), dim=-1)).sum(-1)
            found[field] = float((own > other)[self.asked[field]].float().mean())
        return found

    def _clips(self, model: "CLIP", pixels: Tensor) -> Tensor:
        """Return the means of a clip's unit vectors: their products with g are mean cosines."""
        parts = [normalize(model.encode_image(normalized(p)), dim=-1) for p in pixels.split(128)]
        return torch.cat(parts).reshape(self.count, -1, parts[0].shape[1]).mean(dim=1)

    def _top1(self, scores: Tensor) -> float:
        """Return how often the right caption is the best of a hundred, in blocks of a hundred."""
        blocks = [scores[i : i + 100, i : i + 100] for i in range(0, self.count, 100)]
        hits = [block.argmax(dim=1) == torch.arange(len(block)) for block in blocks]
        return float(torch.cat(hits).float().mean())


def train(folder: Path, minutes: float, say: Callable[[str], None]) -> int:
    """Return the updates done in all; goes on from the checkpoint in `folder`."""
    return run_loop(prepared(folder, say), folder, Budget(minutes, probe_every=250), say)


def prepared(folder: Path, say: Callable[[str], None]) -> Clip:
    """Return the task with its frames rendered: two minutes on one core."""
    write_vocabulary(folder)
    tokenizer = open_tokenizer(folder)
    say(f"clip: rendering {FAMILIES * FAMILY} scenes")
    return Clip(training_frames(folder, FAMILIES, tokenizer), HeldOut(tokenizer))


def export(folder: Path, out: Path) -> dict[str, Any]:
    """Return how far training in `folder` is; its averaged weights are then a CLIP in `out`.

    `out` can be named as `--clip toybox-clip:OUT`; the toolkit's own is in
    evaluation/toybox/weights/toybox_clip.
    """
    network = nn.ModuleDict({"clip": build_clip(), "names": _names()})
    facts = load_average(network, folder)
    save_clip(network["clip"], out)
    write_json(out / "training.json", facts)
    return facts
