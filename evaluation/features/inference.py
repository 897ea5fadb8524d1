"""How every image and text model runs: without gradients, in the chosen precision, repeatably."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from dreamix.core.errors import UserError
from evaluation.settings import ModelSettings

if TYPE_CHECKING:
    import torch

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
