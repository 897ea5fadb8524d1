"""What the heavy models of the metrics have in common.

A model is one file of this folder. It says, without importing torch, whether it can run here and
what exactly it is; only `load` imports anything heavy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from dreamix.core.registry import Registry
from evaluation.settings import ModelSettings


@dataclass(frozen=True)
class ModelSpec:
    """A model by name: `problem` before `identity` before `load`."""

    problem: Callable[[ModelSettings], str | None]  # why it cannot run here and what to do, or None
    identity: Callable[[ModelSettings], str]  # name, weights hash, preprocessing, dtype
    load: Callable[[ModelSettings], Any]  # the model, ready to use on settings.device
    state: Callable[[ModelSettings], str | None] | None = None  # changes whenever `identity` can;
    # cheap to ask, so that an identity that was found is not looked for again. None: cannot tell.
    fetch: Callable[[ModelSettings], str] | None = (
        None  # downloads the weights; says where they are
    )


MODELS: Registry[ModelSpec] = Registry("model", "evaluation.features", "dreamix.metric_models")


class Encoder(Protocol):
    """A model that puts frames and texts into one space."""

    outputs: tuple[str, ...]  # names of the image embeddings one pass gives; "projected" is one

    def prepare(self, frames: np.ndarray) -> Any:
        """Return the model's input for uint8 RGB (n, height, width, 3): a tensor (n, ...)."""

    def images(self, prepared: object) -> dict[str, np.ndarray]:
        """Return unit-norm float32 (n, dimensions) for every one of `outputs`."""

    def texts(self, texts: list[str]) -> np.ndarray:
        """Return unit-norm float32 (n, dimensions)."""

    def truncated(self, text: str) -> bool:
        """Return True if the model reads only the beginning of `text`."""

    def unknown(self, text: str) -> int:
        """Return how many words of `text` the model has no token for."""
