"""Dreamix's noise scale s on any schedule of diffusers: a noise LEVEL, and the step it starts at.

    variance preserving   z = sqrt(1 - s^2) x + s eps      s = sqrt(1 - abar_t) = sigma / sqrt(1 + sigma^2)
    flow matching         z = (1 - s) x + s eps            s = the weight of the noise

s = 0 is the clean clip, s = 1 noise alone. diffusers' `strength` is another thing: a share of the
steps, which means another noise on every schedule.
"""  # noqa: E501

from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from dreamix.core.errors import UserError


class Scheduler(Protocol):
    """A scheduler of diffusers; what only some of them have is looked for where it is used."""

    config: Any
    timesteps: Tensor

    def __getattr__(self, name: str) -> Any: ...


class StartStep(NamedTuple):
    """Where denoising starts."""

    asked: float  # s as the user gave it
    level: float  # the noise level the clip really gets
    step: int  # first of the scheduler's steps that is taken, from 0; `steps` if none is
    steps: int  # of the whole schedule
    timestep: float  # what the network is told at that step


def is_flow(scheduler: Scheduler) -> bool:
    """Return whether a scheduler's noise is that of flow matching, not variance preserving."""
    config = scheduler.config
    named = type(scheduler).__name__.startswith("FlowMatch")
    flow = getattr(config, "use_flow_sigmas", False)
    return bool(named or flow or getattr(config, "prediction_type", "") == "flow_prediction")


def noise_levels(scheduler: Scheduler) -> Tensor:
    """Return the noise level at every timestep of a scheduler whose steps are set, float64."""
    timesteps = scheduler.timesteps
    sigmas = getattr(scheduler, "sigmas", None)
    if sigmas is None:
        abar = scheduler.alphas_cumprod.double()
        return (1 - abar[timesteps.long().cpu()]).sqrt()
    sigmas = sigmas[: len(timesteps)].double().cpu()
    return sigmas if is_flow(scheduler) else (1 - 1 / (1 + sigmas.square())).sqrt()


def start_of(scheduler: Scheduler, s: float) -> StartStep:
    """Return the start whose noise level is nearest to `s`, the lower of two as near.

    s = 1 starts from noise alone, at the first step; s = 0, and an s that is nearer to 0 than to
    the schedule's last level, take no step at all.

    Raises:
        UserError: if `s` is outside of 0..1.
    """
    if not 0 <= s <= 1:
        raise UserError(f"a noise level is between 0 and 1, not {s:g}")
    timesteps, steps = scheduler.timesteps, len(scheduler.timesteps)
    if s == 1:
        return StartStep(s, 1.0, 0, steps, float(timesteps[0]))
    if s == 0:
        return StartStep(s, 0.0, steps, steps, 0.0)
    # The step whose level is nearest, of those where the solver may begin.
    levels = torch.cat([noise_levels(scheduler), torch.zeros(1, dtype=torch.float64)])
    order = getattr(scheduler, "order", 1)  # 2: a solver that calls the network twice
    begins = [*range(0, steps, order), steps]
    step = min(reversed(begins), key=lambda i: abs(float(levels[i]) - s))
    timestep = float(timesteps[step]) if step < steps else 0.0
    return StartStep(s, float(levels[step]), step, steps, timestep)
