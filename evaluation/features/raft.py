"""RAFT (Teed and Deng 2020) from torchvision, on weights from a local file."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dreamix.core.errors import UserError
from evaluation.features.base import file_sha256
from evaluation.settings import ModelSettings

if TYPE_CHECKING:
    import torch

NAMES = ("raft_large", "raft_small")
UPDATES = 12  # refinements of the flow, torchvision's default
SMALLEST = 128  # pixels; smaller frames are padded, or RAFT's coarsest level is empty
CHUNK_PIXELS = 1 << 20  # of the frames in one forward pass: 16 of 256x256


class Raft:
    """torchvision's RAFT in single precision.

    path: a state dict as torchvision publishes it; one that does not fit is a `UserError`.
    """

    def __init__(self, name: str, path: str, settings: ModelSettings) -> None:
        import torch
        from torchvision.models import optical_flow

        # On the meta device no random weights are drawn, so no global generator moves.
        with torch.device("meta"):
            self.network = getattr(optical_flow, name)(weights=None).eval()
        state = torch.load(path, map_location=settings.device, weights_only=True)
        try:
            self.network.load_state_dict(state, strict=True, assign=True)
        except RuntimeError as error:
            message = " ".join(str(error).split())[:200]
            raise UserError(f"{path} does not hold the weights of {name}: {message}") from error
        self.device, self.batch = torch.device(settings.device), settings.batch

    def between(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return float32 (n, height, width, 2) from uint8 RGB (n, height, width, 3) to another."""
        count = min(self.batch, CHUNK_PIXELS // (first.shape[1] * first.shape[2]))
        starts = range(0, len(first), max(1, count))
        step = max(1, count)
        parts = [self._run(first[i : i + step], second[i : i + step]) for i in starts]
        return np.concatenate(parts)

    def _run(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        import torch
        from torch.backends import cudnn

        height, width = first.shape[1:3]
        with (
            torch.inference_mode(),
            cudnn.flags(enabled=True, deterministic=True, allow_tf32=False),
        ):
            flows = self.network(self._input(first), self._input(second), UPDATES)
        cropped = flows[-1][:, :, :height, :width].permute(0, 2, 3, 1)
        return cropped.contiguous().cpu().numpy()

    def _input(self, frames: np.ndarray) -> "torch.Tensor":
        """Return frames as RAFT wants them: -1..1, padded at the right and the bottom by 8s."""
        import torch
        from torch.nn import functional

        images = torch.tensor(frames, device=self.device).permute(0, 3, 1, 2).float() / 127.5 - 1
        height, width = (max(SMALLEST, -(-side // 8) * 8) for side in images.shape[2:])
        padding = (0, width - images.shape[3], 0, height - images.shape[2])
        return functional.pad(images, padding, mode="replicate")


def problem(name: str, path: str) -> str | None:
    """Return why RAFT cannot run here and what to do, or None."""
    if Path(path).is_file():
        return None
    weights = "Raft_Large_Weights.C_T_SKHT_V2" if name == "raft_large" else "Raft_Small_Weights"
    where = f"no file {path!r}" if path else "no path given"
    return (
        f"flow {name} needs its weights ({where}): download torchvision's {weights} where a hub "
        f"can be reached and set flow to {name}:PATH, or leave it at dis"
    )


def identity(name: str, path: str) -> str:
    """Return what the model is: name, weights hash, number of updates and library."""
    import torchvision

    weights = file_sha256(Path(path))[:16]
    return f"{name}, weights {weights}, {UPDATES} updates, torchvision {torchvision.__version__}"
