"""LPIPS: how far apart two frames are in the layers of AlexNet (Zhang et al. 2018, "alex", v0.1).

The five convolutions travel with the toolkit (`weights/README.md`); the linear heads are those of
the installed package `lpips`. A clip's activations are computed once and kept, so a source costs
one pass however many edits are compared with it.
"""

import hashlib
import importlib.util
from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dreamix.core.errors import DoesNotApply
from evaluation.features.base import MODELS, ModelSpec, file_sha256
from evaluation.sample import View
from evaluation.settings import ModelSettings

if TYPE_CHECKING:
    import torch


SMALLEST = 31  # pixels; below it the second pooling has nothing left
CHUNK_PIXELS = 1 << 20  # of the frames in one forward pass: 16 of 256x256
KEPT_BYTES = 384 << 20  # activations of a clip above this are not kept: 32 frames of 480x480 are
BYTES_PER_PIXEL = 42  # activations of one pixel: 4 (64/4^2 + 192/8^2 + (384 + 256 + 256)/16^2)


class ConvLayer(NamedTuple):
    """One convolution of AlexNet, followed by a ReLU."""

    name: str
    stride: int
    padding: int
    pooled: bool  # a 3x3 maximum of stride 2 comes before it


LAYERS = (
    ConvLayer("features.0", 4, 2, False),
    ConvLayer("features.3", 1, 2, True),
    ConvLayer("features.6", 1, 1, True),
    ConvLayer("features.8", 1, 1, False),
    ConvLayer("features.10", 1, 1, False),
)


class Lpips:
    """AlexNet's convolutions and the linear heads of LPIPS v0.1, in single precision."""

    def __init__(self, settings: ModelSettings) -> None:
        import torch
        from safetensors.torch import load

        self.device, self.batch = torch.device(settings.device), settings.batch
        # AlexNet's convolutions.
        trunk = {name: part.float().to(self.device) for name, part in load(_trunk()).items()}
        self.kernels = [
            (trunk[f"{layer.name}.weight"], trunk[f"{layer.name}.bias"]) for layer in LAYERS
        ]
        # LPIPS's weights of their channels.
        heads = torch.load(_heads(), map_location=self.device, weights_only=True)
        self.heads = [heads[f"lin{i}.model.1.weight"].flatten() for i in range(len(LAYERS))]
        # Its normalization of pictures in -1..1.
        self.shift = torch.tensor([-0.030, -0.088, -0.188], device=self.device).view(1, 3, 1, 1)
        self.scale = torch.tensor([0.458, 0.448, 0.450], device=self.device).view(1, 3, 1, 1)

    def chunks(self, frames: np.ndarray) -> Iterator[list["torch.Tensor"]]:
        """Yield the activations of uint8 RGB (n, height, width, 3), some frames at a time."""
        import torch

        count = min(self.batch, CHUNK_PIXELS // (frames.shape[1] * frames.shape[2]))
        for start in range(0, len(frames), max(1, count)):
            part = torch.tensor(frames[start : start + max(1, count)], device=self.device)
            yield self.activations(part.permute(0, 3, 1, 2).float() / 127.5 - 1)

    def activations(self, images: "torch.Tensor") -> list["torch.Tensor"]:
        """Return each layer's unit-norm activations (n, channels, h, w) of (n, 3, H, W) in -1..1.

        TF32 is off, so that a GPU computes in single precision as a CPU does.
        """
        import torch
        from torch.backends import cudnn
        from torch.nn import functional

        found, x = [], (images - self.shift) / self.scale
        with (
            torch.inference_mode(),
            cudnn.flags(enabled=True, deterministic=True, allow_tf32=False),
        ):
            for layer, (weight, bias) in zip(LAYERS, self.kernels, strict=True):
                if layer.pooled:
                    x = functional.max_pool2d(x, kernel_size=3, stride=2)
                x = functional.conv2d(x, weight, bias, layer.stride, layer.padding).relu_()
                found.append(x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10))
        return found

    def compare(self, a: list["torch.Tensor"], b: list["torch.Tensor"]) -> list["torch.Tensor"]:
        """Return each layer's map of distances (n, h, w): eq. 1 of the paper before its mean."""
        import torch

        with torch.inference_mode():
            return [
                torch.einsum("nchw,c->nhw", (x - y).square_(), head)
                for x, y, head in zip(a, b, self.heads, strict=True)
            ]


def distances(a: View, b: View) -> np.ndarray:
    """Return the LPIPS distance of each frame of `a` to the same frame of `b`: float64 (frames,).

    Zero or more; 0 = the same. Both clips have one size and one number of frames.
    """
    import torch

    parts = [
        torch.stack([layer.mean((1, 2), dtype=torch.float64) for layer in layers]).sum(0)
        for layers in _layer_maps(a, b)
    ]
    return torch.cat(parts).cpu().numpy()


def distance_maps(a: View, b: View) -> np.ndarray:
    """Return the LPIPS distance at each pixel: float32 (frames, height, width).

    Each layer's map is brought to the frame's size bilinearly and the five are added, as `lpips`
    does under spatial=True.
    """
    import torch
    from torch.nn import functional

    size = a.frames.shape[1:3]
    maps = []
    for layers in _layer_maps(a, b):
        grown = [functional.interpolate(layer[:, None], size, mode="bilinear") for layer in layers]
        maps.append(torch.cat(grown, dim=1).sum(1).cpu())
    return torch.cat(maps).numpy()


def _layer_maps(a: View, b: View) -> Iterator[list["torch.Tensor"]]:
    model: Lpips = a.features.model("lpips")
    for x, y in zip(_activations(a), _activations(b), strict=True):
        yield model.compare(x, y)


def _activations(view: View) -> Iterable[list["torch.Tensor"]]:
    """Return the clip's activations by chunks, kept with the clip unless they are too large."""
    frames = view.frames
    if min(frames.shape[1:3]) < SMALLEST:
        size = f"{frames.shape[1]}x{frames.shape[2]}"
        raise DoesNotApply(f"frames of {size} pixels are under the {SMALLEST} that LPIPS needs")
    model: Lpips = view.features.model("lpips")
    if frames[..., 0].size * BYTES_PER_PIXEL > KEPT_BYTES:
        return model.chunks(frames)
    return view.once("lpips activations", lambda: list(model.chunks(frames)))


def _trunk() -> bytes:
    weights = resources.files("evaluation.features.weights")
    return weights.joinpath("alexnet_features_fp16.safetensors").read_bytes()


def _heads() -> Path:
    """Return the heads' file inside the package `lpips`, which is not imported for it."""
    found = importlib.util.find_spec("lpips")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("the package lpips is not installed")
    return Path(found.origin).parent / "weights" / "v0.1" / "alex.pth"


def _problem(settings: ModelSettings) -> str | None:
    if importlib.util.find_spec("lpips") is None:
        return "LPIPS takes its linear heads from the package lpips: pip install lpips"
    return None


def _identity(settings: ModelSettings) -> str:
    trunk = hashlib.sha256(_trunk()).hexdigest()[:16]
    heads = file_sha256(_heads())[:16]
    return f"lpips v0.1 alex, trunk {trunk}, heads {heads}, fp32"


MODELS.add("lpips", ModelSpec(_problem, _identity, Lpips))
