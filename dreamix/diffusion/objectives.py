"""What a pretrained network is trained on: its own prediction, at its own training timesteps.

    variance preserving   t ~ U{0, ..., T - 1},   z = sqrt(abar_t) x + sqrt(1 - abar_t) eps
        epsilon           target eps
        v_prediction      target sqrt(abar_t) eps - sqrt(1 - abar_t) x     (Salimans and Ho 2022)
        sample            target x
    flow matching         u ~ logit-normal(0, 1),   s = k u / (1 + (k - 1) u),   z = (1 - s) x + s eps
                          target eps - x                                   (Esser et al. 2024)

k is the shift of the scheduler that comes with the weights. That Wan was trained with logit-normal
timesteps is what others say of its report, which was not at hand; to shift them by k is ours.
"""  # noqa: E501

from collections.abc import Mapping
from math import exp
from typing import Any, NamedTuple

import torch
from torch import Tensor

from dreamix.core.errors import UserError
from dreamix.diffusion.levels import Scheduler, is_flow


class Drawn(NamedTuple):
    """One draw of noise for every clip of a batch, on the device of the clips."""

    noisy: Tensor
    target: Tensor
    timesteps: Tensor  # (B,), as the network is told


def draw(scheduler: Scheduler, x: Tensor, generator: torch.Generator) -> Drawn:
    """Return clips `x`, float32, with noise of levels the network was trained on.

    generator: on the CPU, so that a draw is the same on every device.
    """
    noise = torch.randn(x.shape, generator=generator).to(x.device)
    return (_flow if is_flow(scheduler) else _preserving)(scheduler, x, noise, generator)


def _flow(scheduler: Scheduler, x: Tensor, noise: Tensor, generator: torch.Generator) -> Drawn:
    u = torch.sigmoid(torch.randn(len(x), generator=generator))
    shift = shift_of(scheduler, x[0, 0].numel())
    level = (shift * u / (1 + (shift - 1) * u)).to(x.device)
    s = _each(level, x)
    timesteps = level * scheduler.config.num_train_timesteps
    return Drawn((1 - s) * x + s * noise, noise - x, timesteps)


def _preserving(
    scheduler: Scheduler, x: Tensor, noise: Tensor, generator: torch.Generator
) -> Drawn:
    abars = scheduler.alphas_cumprod.cpu()
    timesteps = torch.randint(len(abars), (len(x),), generator=generator)
    abar = _each(abars[timesteps].float().to(x.device), x)
    alpha, sigma = abar.sqrt(), (1 - abar).sqrt()
    targets = {"epsilon": noise, "v_prediction": alpha * noise - sigma * x, "sample": x}
    kind = scheduler.config.prediction_type
    if kind not in targets:
        raise UserError(f"finetuning knows {', '.join(targets)}, not the prediction type {kind!r}")
    return Drawn(alpha * x + sigma * noise, targets[kind], timesteps.to(x.device))


def shift_of(scheduler: Scheduler, tokens: int) -> float:
    """Return k, by which a flow's noise levels are shifted towards noise; 1 leaves them.

    tokens: latent positions of a clip, on which the shift of some schedulers depends.
    """
    config = scheduler.config
    if getattr(config, "use_dynamic_shifting", False):
        return exp(log_shift(config, tokens))
    told = (getattr(config, name, None) for name in ("flow_shift", "shift"))
    return float(next((shift for shift in told if shift is not None), 1.0))


def log_shift(config: Mapping[str, Any], tokens: int) -> float:
    """Return log k of a scheduler that shifts by length: a line through two lengths it names."""
    low, high = config.get("base_image_seq_len", 256), config.get("max_image_seq_len", 4096)
    least, most = config.get("base_shift", 0.5), config.get("max_shift", 1.15)
    slope = (most - least) / (high - low)
    return float(tokens * slope + (least - slope * low))


def _each(values: Tensor, x: Tensor) -> Tensor:
    """Return one value a clip, shaped to multiply `x`."""
    return values.reshape((-1,) + (1,) * (x.ndim - 1))
