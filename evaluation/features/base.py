"""What the heavy models of the metrics have in common.

A model is one file of this folder. It says, without importing torch, whether it can run here and
what exactly it is; only `load` imports anything heavy.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from dreamix.core.errors import UserError
from dreamix.core.media import sha256_file
from dreamix.core.registry import Registry
from evaluation.settings import ModelSettings

if TYPE_CHECKING:
    import torch


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


# -- the hash of a weights file, taken once -----------------------------------------------------
def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; each state of a file is read once a process.

    The hub's cache links to a blob whose name is the SHA-256 already (for files under LFS, which
    all weights are), so those are not read at all.
    """
    blob = path.resolve()
    if (
        path.is_symlink()
        and blob.parent.name == "blobs"
        and re.fullmatch("[0-9a-f]{64}", blob.name)
    ):
        return blob.name
    state = blob.stat()
    return _read_sha256(blob, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _read_sha256(path: Path, _size: int, _changed: int) -> str:
    return sha256_file(path)


# -- how every image and text model runs: without gradients, repeatably -------------------------
DTYPES = ("fp32", "bf16")


def check_dtype(dtype: str) -> None:
    """Raise a `UserError` unless `dtype` is one of `DTYPES`."""
    if dtype not in DTYPES:
        raise UserError(f"unknown dtype {dtype!r} (known: {', '.join(DTYPES)})")


@contextmanager
def inference(settings: ModelSettings) -> Iterator[None]:
    """Run a forward pass in settings.dtype; fp32 means fp32, so TF32 convolutions are off."""
    import torch
    from torch.backends import cudnn

    kind = torch.device(settings.device).type
    with (
        torch.inference_mode(),
        cudnn.flags(enabled=True, deterministic=True, allow_tf32=False),
        torch.autocast(kind, torch.bfloat16, enabled=settings.dtype == "bf16"),
    ):
        yield


def unit(vectors: "torch.Tensor") -> np.ndarray:
    """Return the rows of (n, dimensions) scaled to length 1, in float32 whatever came in."""
    from torch.nn import functional

    array: np.ndarray = functional.normalize(vectors.float(), dim=-1).cpu().numpy()
    return array


def check_device(device: str) -> None:
    """Raise a `UserError` if torch cannot compute on `device` here."""
    if device == "cpu":
        return
    import torch

    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        why = " ".join(str(error).split())[:120]
        raise UserError(f"--device {device} cannot be used on this machine: {why}") from None
