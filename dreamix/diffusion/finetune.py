"""Mixed video-image finetuning, the heart of Dreamix.

A video v, its frames u = {x_1, ..., x_M} in no order, a rare string t* as the prompt:

    L_vid(v)   = E_{eps ~ N(0, I), s ~ U[0, 1]} || D_theta(z_s, s, t*) - v ||^2
    L_frame(u) = E_{eps ~ N(0, I), s ~ U[0, 1]} || D^a_theta(z_s, s, t*) - u ||^2
    theta*     = argmin  alpha L_vid(v) + (1 - alpha) L_frame(u)                       (Eq. 3)

D^a is the frame pass of `dreamix.diffusion.masking`: temporal attention masked to the frame
itself, temporal convolutions off, temporal weights without gradient. alpha = 1 is video-only,
alpha = 0 frames-only. The values of the settings are ours: the paper's are not public.
"""

from contextlib import nullcontext
from functools import partial

import torch
from torch import Tensor, nn

from dreamix.core.progress import Progress
from dreamix.diffusion.adapting import LossPart, Training, adapt, only_trained
from dreamix.diffusion.denoiser import Denoiser
from dreamix.diffusion.masking import as_frames, frame_pass
from dreamix.diffusion.schedule import add_noise
from dreamix.diffusion.settings import Finetuning

__all__ = ["Finetuning", "denoising_loss", "finetune", "mixed"]


def finetune(
    network: nn.Module,
    denoise: Denoiser,
    clip: Tensor,
    settings: Finetuning,
    generator: torch.Generator,
    *,
    trained: list[nn.Parameter] | None = None,
    progress: Progress | None = None,
) -> None:
    """Train `network` in place on one clip (1, C, F, H, W), through `denoise`, which uses it.

    trained: the parameters to train, all of the network's by default.
    progress:  called after every update with (updates done, updates in all).

    Raises:
        UserError: if the loss is no longer a number.
    """
    parameters = trained if trained is not None else list(network.parameters())
    with only_trained([network], parameters):
        parts = mixed(network, denoise, clip, settings)
        adapt(parameters, parts, settings, generator, Training(fused=True), progress)


def mixed(
    network: nn.Module, denoise: Denoiser, clip: Tensor, settings: Finetuning
) -> list[LossPart]:
    """Return both terms of Eq. 3 for a network that is told x0."""

    def on_clip(generator: torch.Generator) -> list[Tensor]:
        return [denoising_loss(denoise, clip, generator)]

    def on_frames(generator: torch.Generator) -> list[Tensor]:
        frames = as_frames(clip)
        chosen = torch.randperm(len(frames), generator=generator)[: settings.frames]
        return [denoising_loss(denoise, frames[chosen], generator)]

    return [
        LossPart("video", settings.alpha, on_clip, nullcontext),
        LossPart("frames", 1 - settings.alpha, on_frames, partial(frame_pass, network)),
    ]


def denoising_loss(denoise: Denoiser, x: Tensor, generator: torch.Generator) -> Tensor:
    """Return the mean of (D(z_s, s) - x)^2 with s uniform for every clip of the batch."""
    times = torch.rand(len(x), generator=generator)
    noise = torch.randn(x.shape, generator=generator)
    return (denoise(add_noise(x, noise, times), times) - x).square().mean()
