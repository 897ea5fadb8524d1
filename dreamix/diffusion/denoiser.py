"""What a diffusion model is to this toolkit: a function from a noisy clip to the clean one.

Every method is written over `Denoiser`. A backend wraps its network so that it takes and returns
clips of this process, whatever its own schedule and parametrisation are.
"""

from collections.abc import Callable

import torch
from torch import Tensor

# (z_t, t) -> x0: clips (B, C, F, H, W), times (B,) in 0..1 of `dreamix.diffusion.schedule`.
Denoiser = Callable[[Tensor, Tensor], Tensor]


def guided(both: Denoiser, scale: float) -> Denoiser:
    """Return classifier-free guidance, clipped to the range of pictures.

        x0 = x0(nothing) + w (x0(c) - x0(nothing))

    The same as guiding the noise (Ho and Salimans 2022), which is linear in x0. Values are clipped
    to -1..1 (static thresholding, Saharia et al. 2022).
    both: takes the clips twice in one batch, first told nothing, then told the prompts.
    """

    def denoise(z: Tensor, t: Tensor) -> Tensor:
        without, told = both(torch.cat([z, z]), torch.cat([t, t])).chunk(2)
        return (without + scale * (told - without)).clamp(-1, 1)

    return denoise


def at(time: float, z: Tensor) -> Tensor:
    """Return `time` once for every clip of `z`, float32 (B,)."""
    return torch.full((len(z),), time, dtype=torch.float32, device=z.device)
