"""How much noise a solver leaves in a clip that it starts from amid its schedule.

A denoiser that knows the clip x is put in the network's place: a solver that does its part ends at
x whatever step it begins with. Those of diffusers that remember earlier steps need not: LMS takes
the weights of steps that were never taken, PNDM takes its second step twice.
"""

import copy
import warnings

import torch
from torch import Tensor

from dreamix.diffusion.levels import Scheduler, StartStep, is_flow, noise_levels

# Solvers of diffusers that end at the clip from every step on (tests/test_pipeline_remainder.py).
EXACT = (
    *("CogVideoXDDIMScheduler", "CogVideoXDPMScheduler", "DDIMScheduler", "DDPMScheduler"),
    *("UniPCMultistepScheduler", "DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler"),
    *("EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler", "HeunDiscreteScheduler"),
    *("KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler", "LCMScheduler"),
    *("FlowMatchEulerDiscreteScheduler", "FlowMatchHeunDiscreteScheduler"),
)
CLEAN, NOISE = 0.0, 1.0  # of the one latent that is denoised


def left(scheduler: Scheduler, start: StartStep) -> float:
    """Return the level of the noise that is left after the last step: 0 if the solver is exact.

    scheduler: with its steps set; it stays as it is, and so do torch's random numbers. Solvers
    whose steps cannot be taken with a plain `step(prediction, t, z)` are taken for exact, and so is
    what starts from noise alone.
    """
    if start.asked == 1 or start.step == start.steps or type(scheduler).__name__ in EXACT:
        return 0.0
    trial = copy.deepcopy(scheduler)
    x, noise = torch.full((1, 1, 1, 1), CLEAN), torch.full((1, 1, 1, 1), NOISE)
    try:
        with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
            warnings.simplefilter("ignore")
            z = _denoised(trial, x, noise, start)
    except (TypeError, ValueError, AttributeError, LookupError, RuntimeError):
        return 0.0
    return float((z - x).abs().max())


def _denoised(scheduler: Scheduler, x: Tensor, noise: Tensor, start: StartStep) -> Tensor:
    """Return what the solver makes of x with noise, the predictions being right."""
    levels, flow = noise_levels(scheduler), is_flow(scheduler)
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(start.step)
    at = scheduler.timesteps[start.step].cpu().expand(1)
    add = scheduler.add_noise if hasattr(scheduler, "add_noise") else None
    # Noise the clip to the start.
    z = add(x, noise, at) if add else scheduler.scale_noise(x, at, noise)
    for i in range(start.step, start.steps):
        # Denoise it by a network that knows the clip.
        t, s = scheduler.timesteps[i], float(levels[i])
        seen = scheduler.scale_model_input(z, t) if hasattr(scheduler, "scale_model_input") else z
        z = scheduler.step(_prediction(scheduler, seen, x, s, flow), t, z, return_dict=False)[0]
    return z


def _prediction(scheduler: Scheduler, z: Tensor, x: Tensor, s: float, flow: bool) -> Tensor:
    """Return what a network that knows x predicts of z at noise level s."""
    if flow:
        return (z - x) / s
    share = (1 - s * s) ** 0.5
    eps = (z - share * x) / s
    kind = scheduler.config.get("prediction_type", "epsilon")
    return {"epsilon": eps, "sample": x, "v_prediction": share * eps - s * x}[kind]
