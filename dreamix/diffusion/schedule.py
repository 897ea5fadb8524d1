"""The noise schedule: variance preserving, cosine, in continuous time.

    z_t = alpha(t) x + sigma(t) eps,   alpha(t) = cos(pi t / 2),  sigma(t) = sin(pi t / 2)

with t in [0, 1], from clean to pure noise (Nichol and Dhariwal 2021, without the offset, as in
Imagen Video). Dreamix's noise scale s is this t: s = 0 adds nothing, s = 1 leaves nothing.
"""

import math

import torch
from torch import Tensor


def alpha(t: Tensor) -> Tensor:
    """Return the share of signal cos(pi t / 2), exactly 1 at t = 0 and exactly 0 at t = 1."""
    return torch.where(t >= 1, torch.zeros_like(t), torch.cos(t * (math.pi / 2)))


def sigma(t: Tensor) -> Tensor:
    """Return the share of noise sin(pi t / 2), exactly 0 at t = 0 and exactly 1 at t = 1."""
    return torch.where(t >= 1, torch.ones_like(t), torch.sin(t * (math.pi / 2)))


def snr(t: Tensor) -> Tensor:
    """Return the signal-to-noise ratio alpha^2 / sigma^2, from infinity down to 0."""
    return (alpha(t) / sigma(t)).square()


def add_noise(x: Tensor, noise: Tensor, t: Tensor) -> Tensor:
    """Return z_t = alpha(t) x + sigma(t) eps; `t` holds one time per clip of the batch."""
    shape = (-1,) + (1,) * (x.ndim - 1)
    return alpha(t).reshape(shape) * x + sigma(t).reshape(shape) * noise


def noise_in(z: Tensor, x0: Tensor, t: Tensor) -> Tensor:
    """Return eps = (z_t - alpha(t) x0) / sigma(t), the noise that `z` holds if `x0` is clean."""
    shape = (-1,) + (1,) * (z.ndim - 1)
    return (z - alpha(t).reshape(shape) * x0) / sigma(t).clamp(min=1e-6).reshape(shape)
