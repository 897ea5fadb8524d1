"""The text encoder learns to tell the attributes of a scene from its caption; then it is fixed.

In the paper the text encoder is a large pretrained one and stays as it is. Here a minute of
naming colour, shape, motion, ... from captions takes that place: the diffusion model then meets
words that differ where scenes differ.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from dreamix.toybox.cascade.text import WIDTH, build_text_encoder, encode, tokenize
from dreamix.toybox.training.clips import random_scene
from dreamix.toybox.world import VALUES, Scene, caption

_POOL = 20_000  # captions to learn from


class Words:
    """Training of the text encoder: one linear head an attribute on the end token."""

    name = "text"
    updates = 800
    batch = 128

    def __init__(self) -> None:
        self.encoder = build_text_encoder()
        self.heads = nn.ModuleDict({f: nn.Linear(WIDTH, len(v)) for f, v in VALUES.items()})
        self.network = nn.ModuleDict({"encoder": self.encoder, "heads": self.heads})
        self.tokens, self.answers = _questions([random_scene("words", i) for i in range(_POOL)])
        unseen = [random_scene("words-test", i, test=True) for i in range(500)]
        self.test_tokens, self.test_answers = _questions(unseen)

    def rate(self, update: int) -> float:
        """Return the learning rate, the same throughout."""
        return 1e-3

    def loss(self, update: int, generator: torch.Generator) -> Tensor:
        """Return the mean cross entropy over attributes."""
        rows = torch.randint(len(self.tokens), (self.batch,), generator=generator)
        losses = [
            cross_entropy(found, self.answers[rows, i])
            for i, found in enumerate(self._answers(self.tokens[rows]))
        ]
        return torch.stack(losses).mean()

    def probe(self) -> dict[str, float]:
        """Return the accuracy on captions of held-out scenes, the worst attribute's."""
        found = [answer.argmax(-1) for answer in self._answers(self.test_tokens)]
        right = [(a == self.test_answers[:, i]).float().mean() for i, a in enumerate(found)]
        return {"worst_accuracy": float(torch.stack(right).min())}

    def _answers(self, tokens: Tensor) -> list[Tensor]:
        _, pooled = encode(self.encoder, tokens)
        return [head(pooled) for head in self.heads.values()]


def _questions(scenes: list[Scene]) -> tuple[Tensor, Tensor]:
    """Return tokens and the numbers of the attributes, int64 (scenes, attributes)."""
    answers = [[v.index(getattr(s, f)) for f, v in VALUES.items()] for s in scenes]
    return tokenize([caption(s) for s in scenes]), torch.from_numpy(np.array(answers))
