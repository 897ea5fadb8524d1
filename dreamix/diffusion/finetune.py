"""Mixed video-image finetuning, the heart of Dreamix.

A video v, its frames u = {x_1, ..., x_M} in no order, a rare string t* as the prompt:

    L_vid(v)   = E_{eps ~ N(0, I), s ~ U[0, 1]} || D_theta(z_s, s, t*) - v ||^2
    L_frame(u) = E_{eps ~ N(0, I), s ~ U[0, 1]} || D^a_theta(z_s, s, t*) - u ||^2
    theta*     = argmin  alpha L_vid(v) + (1 - alpha) L_frame(u)                       (Eq. 3)

D^a is the frame pass of `dreamix.diffusion.masking`: temporal attention masked to the frame
itself, temporal convolutions off, temporal weights without gradient. alpha = 1 is video-only,
alpha = 0 frames-only. The values of the settings are ours: the paper's are not public.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dreamix.core.errors import UserError
from dreamix.diffusion.denoiser import Denoiser
from dreamix.diffusion.masking import as_frames, constant, frame_pass
from dreamix.diffusion.schedule import add_noise

Watch = Callable[[int, int], None]


@dataclass(frozen=True)
class Finetuning:
    """How a model is finetuned on one clip; values that mean nothing are a `UserError`.

    steps:         updates; 0 leaves the model as it is.
    learning_rate: of AdamW, constant.
    alpha:         weight of the video loss, 0..1.
    frames:        frames in the frame batch of one update, drawn without repetition.
    """

    steps: int = 64
    learning_rate: float = 1e-4
    alpha: float = 0.5
    frames: int = 8

    def __post_init__(self) -> None:
        """Check what the user chose."""
        if self.steps < 0 or self.frames < 1 or not self.learning_rate > 0:
            raise UserError(
                "finetuning needs steps of 0 or more, frames of 1 or more and a learning rate "
                f"above 0, not {self.steps}, {self.frames} and {self.learning_rate:g}"
            )
        if not 0 <= self.alpha <= 1:
            raise UserError(f"alpha, the video loss's weight, is in 0..1, not {self.alpha:g}")


def finetune(
    network: nn.Module,
    denoise: Denoiser,
    clip: Tensor,
    settings: Finetuning,
    generator: torch.Generator,
    *,
    trained: list[nn.Parameter] | None = None,
    watch: Watch | None = None,
) -> None:
    """Train `network` in place on one clip (1, C, F, H, W), through `denoise`, which uses it.

    trained: the parameters to train, all of the network's by default.
    watch:   called after every update with (updates done, updates in all).
    A loss that is no longer a number is a `UserError`.
    """
    parameters = trained if trained is not None else list(network.parameters())
    optimiser = torch.optim.AdamW(parameters, settings.learning_rate, weight_decay=0.0, fused=True)
    with constant(_others(network, parameters)):
        for done in range(settings.steps):
            loss = mixed_loss(network, denoise, clip, settings, generator)
            if not loss.isfinite():
                raise diverged(settings, done)
            loss.backward()
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            if watch:
                watch(done + 1, settings.steps)


def diverged(settings: Finetuning, done: int) -> UserError:
    """Return the error of a finetuning whose loss or weights are no numbers any more."""
    rate = f"learning rate {settings.learning_rate:g}"
    return UserError(f"finetuning diverged after {done} updates; lower the {rate}")


def _others(network: nn.Module, trained: list[nn.Parameter]) -> list[nn.Parameter]:
    """Return the parameters that are not trained: no gradient has to be kept for them."""
    chosen = {id(p) for p in trained}
    return [p for p in network.parameters() if id(p) not in chosen]


def mixed_loss(
    network: nn.Module,
    denoise: Denoiser,
    clip: Tensor,
    settings: Finetuning,
    generator: torch.Generator,
) -> Tensor:
    """Return alpha L_vid + (1 - alpha) L_frame for one draw of times and noise.

    The draws do not depend on alpha, so that ablations see the same noise.
    """
    seeds = torch.randint(2**62, (2,), generator=generator).tolist()
    video_draw, frame_draw = (torch.Generator().manual_seed(seed) for seed in seeds)
    parts = []
    if settings.alpha > 0:
        parts.append(settings.alpha * denoising_loss(denoise, clip, video_draw))
    if settings.alpha < 1:
        frames = as_frames(clip)
        chosen = torch.randperm(len(frames), generator=frame_draw)[: settings.frames]
        with frame_pass(network):
            loss = denoising_loss(denoise, frames[chosen], frame_draw)
        parts.append((1 - settings.alpha) * loss)
    return torch.stack(parts).sum()


def denoising_loss(denoise: Denoiser, x: Tensor, generator: torch.Generator) -> Tensor:
    """Return the mean of (D(z_s, s) - x)^2 with s uniform for every clip of the batch."""
    times = torch.rand(len(x), generator=generator)
    noise = torch.randn(x.shape, generator=generator)
    return (denoise(add_noise(x, noise, times), times) - x).square().mean()
