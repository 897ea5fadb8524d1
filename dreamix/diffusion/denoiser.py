"""What a diffusion model is to this toolkit: a function from a noisy clip to the clean one.

Every method is written over `Denoiser`. A backend wraps its network so that it takes and returns
clips of this process, whatever its own schedule and parametrisation are.
"""

from collections.abc import Callable

import torch
from torch import Tensor

# (z_t, t) -> x0: clips (B, C, F, H, W), times (B,) in 0..1 of `dreamix.diffusion.schedule`.
Denoiser = Callable[[Tensor, Tensor], Tensor]


def guided(told: Denoiser, untold: Denoiser, scale: float) -> Denoiser:
    """Return classifier-free guidance of two denoisers, clipped to the range of pictures.

        x0 = x0(nothing) + w (x0(c) - x0(nothing))

    The same as guiding the noise (Ho and Salimans 2022), which is linear in x0. w = 1 is the
    prompt alone. Values are clipped to -1..1 (static thresholding, Saharia et al. 2022).
    """

    def denoise(z: Tensor, t: Tensor) -> Tensor:
        if scale == 1:
            return told(z, t).clamp(-1, 1)
        without = untold(z, t)
        return (without + scale * (told(z, t) - without)).clamp(-1, 1)

    return denoise


def at(time: float, z: Tensor) -> Tensor:
    """Return `time` once for every clip of `z`, float32 (B,)."""
    return torch.full((len(z),), time, dtype=torch.float32, device=z.device)
