"""Plug-and-Play: a picture keeps its structure because features of its inversion are injected.

Tumanyan et al. 2023 (arXiv 2211.12572): the source is inverted with DDIM; while the target prompt
is denoised from the same noise, the output of one residual block (up to the share tau_f of the
steps) and the queries and keys of self-attention (up to tau_A) are those of the source.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from dreamix.diffusion.denoiser import Denoiser, at
from dreamix.diffusion.sampling import Watch, step
from dreamix.diffusion.taps import first_part_copied


class Injection(NamedTuple):
    """Which layers are injected, and for how long."""

    features: Sequence[nn.Module]  # a residual block's last convolution
    attention: Sequence[nn.Module]  # to_q and to_k of self-attention
    feature_share: float  # tau_f: share of the steps, from the noisy end
    attention_share: float  # tau_A


class Branches(NamedTuple):
    """The denoiser of a batch of [source, nothing, negative, target], each as many clips."""

    denoise: Denoiser
    guidance: float
    negative: Callable[[float], float]  # a, from the share done: 0 at the first step, 1 at the last


@torch.no_grad()
def inject(
    path: list[Tensor],
    times: list[float],
    branches: Branches,
    injection: Injection,
    watch: Watch | None = None,
) -> Tensor:
    """Return the edited pictures, shaped like the ones inverted.

    path:  the source's inversion at every one of `times` but the last; they fall, and end with 0.
    Guidance is that of the public implementation of the authors:

        x~ = (1 - a) x0(nothing) + a x0(negative),   x0 = x~ + w (x0(target) - x~)
    """
    z, total = path[0], len(times) - 1
    for i, (t, s) in enumerate(pairwise(times)):
        batch = torch.cat([path[i], z, z, z])
        with first_part_copied(_layers(injection, i, total), parts=4):
            _, nothing, negative, target = branches.denoise(batch, at(t, batch)).chunk(4)
        weight = branches.negative(i / max(total - 1, 1))
        against = (1 - weight) * nothing + weight * negative
        x0 = (against + branches.guidance * (target - against)).clamp(-1, 1)
        z = step(z, x0, at(t, z), at(s, z))
        if watch:
            watch(i + 1, total)
    return z


def _layers(injection: Injection, done: int, total: int) -> list[nn.Module]:
    """Return the layers injected at step `done` (from 0) of `total`."""
    features = injection.features if done < round(injection.feature_share * total) else []
    attention = injection.attention if done < round(injection.attention_share * total) else []
    return [*features, *attention]
