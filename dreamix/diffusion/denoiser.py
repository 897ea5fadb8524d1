"""A diffusion model as a function from a noisy clip to the clean one.

The samplers, the inversion and the injection of this package are written over it. The embedded
cascade wraps its networks so; pretrained pipelines keep their own schedule and parametrisation
(`dreamix.backends.family`), because they have to equal diffusers' to the bit. What methods see of
either is `dreamix.backends.base.VideoModel`.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from dreamix.diffusion.guidance import guide

# (z_t, t) -> x0: clips (B, C, F, H, W), times (B,) in 0..1 of `dreamix.diffusion.schedule`.
Denoiser = Callable[[Tensor, Tensor], Tensor]


def guided(both: Denoiser, scale: float) -> Denoiser:
    """Return classifier-free guidance of x0, clipped to the range of pictures.

    Values are clipped to -1..1 (static thresholding, Saharia et al. 2022).
    both: takes the clips twice in one batch, first told nothing, then told the prompts.
    """

    def denoise(z: Tensor, t: Tensor) -> Tensor:
        without, told = both(torch.cat([z, z]), torch.cat([t, t])).chunk(2)
        return guide(without, told, scale).clamp(-1, 1)

    return denoise


def at(time: float, z: Tensor) -> Tensor:
    """Return `time` once for every clip of `z`, float32 (B,)."""
    return torch.full((len(z),), time, dtype=torch.float32, device=z.device)
