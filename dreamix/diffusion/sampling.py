"""Samplers: from a noisy clip at time s down to a clean one, and back up (inversion)."""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from dreamix.core.errors import UserError
from dreamix.core.progress import Progress
from dreamix.diffusion.denoiser import Denoiser, at
from dreamix.diffusion.schedule import alpha, noise_in, sigma

Noise = Callable[[], Tensor]  # fresh noise, shaped like the clips that are sampled


def time_grid(start: float, steps: int, shift: float = 1.0) -> list[float]:
    """Return `steps` + 1 times from `start` to 0, evenly spaced; just [0.0] if `start` is 0.

    shift: k above 1 puts more of them where there is much noise, as clips of many pixels need it:
           evenly spaced are the u with tan(pi t / 2) = k tan(pi u / 2), so that t has the
           signal-to-noise ratio of u over k^2 (Hoogeboom et al. 2023, eq. 5).

    Raises:
        UserError: for a start outside of 0..1, or fewer than one step.
    """
    if not 0 <= start <= 1:
        raise UserError(f"a noise level is between 0 and 1, not {start:g}")
    if steps < 1:
        raise UserError(f"sampling takes at least one step, not {steps}")
    if start == 0:
        return [0.0]
    even = _shifted(start, 1 / shift)
    return [start, *(_shifted(even * (steps - i) / steps, shift) for i in range(1, steps + 1))]


def _shifted(time: float, shift: float) -> float:
    """Return the time at which tan(pi t / 2) is `shift` times what it is at `time`."""
    if shift == 1 or time == 1:
        return time
    return math.atan(shift * math.tan(time * math.pi / 2)) * 2 / math.pi


@torch.no_grad()
def sample(
    denoise: Denoiser,
    z: Tensor,
    times: list[float],
    *,
    noise: Noise | None = None,
    eta: float = 0.0,
    progress: Progress | None = None,
) -> Tensor:
    """Return the clean clip that `z`, at times[0], is denoised to, float32 like `z`.

    One step from t to s < t (Song et al. 2021, eq. 12), with x0 = D(z_t, t):

        z_s = alpha_s x0 + sqrt(sigma_s^2 - n^2) eps(z_t, x0) + n w,   w ~ N(0, I)
        n   = eta (sigma_s / sigma_t) sqrt(1 - alpha_t^2 / alpha_s^2)

    eta = 0 is DDIM, eta = 1 ancestral sampling (the posterior q(z_s | z_t, x0) of DDPM), for
    which `noise` gives w. With a single time nothing is denoised: `z` comes back.
    """
    for i, (t, s) in enumerate(pairwise(times)):
        now = at(t, z)
        z = step(z, denoise(z, now), now, at(s, z), noise, eta)
        if progress:
            progress(i + 1, len(times) - 1)
    return z


def step(
    z: Tensor, x0: Tensor, t: Tensor, s: Tensor, noise: Noise | None = None, eta: float = 0.0
) -> Tensor:
    """Return z_s from z_t and the predicted x0; see `sample` for the equation."""
    if eta and noise is None:
        raise ValueError("eta above 0 adds fresh noise: say where it comes from")
    alpha_t, alpha_s, sigma_t, sigma_s = (
        part.reshape((-1,) + (1,) * (z.ndim - 1))
        for part in (alpha(t), alpha(s), sigma(t), sigma(s))
    )
    # Fresh noise of DDIM's eta, and what is kept of the old.
    fresh = torch.zeros_like(sigma_s)
    if eta:
        fresh = eta * sigma_s / sigma_t * (1 - (alpha_t / alpha_s).square()).clamp(min=0).sqrt()
    kept = (sigma_s.square() - fresh.square()).clamp(min=0).sqrt()
    z = alpha_s * x0 + kept * noise_in(z, x0, t)
    return z + fresh * noise() if eta and noise else z


@torch.no_grad()
def invert(
    denoise: Denoiser,
    x: Tensor,
    times: list[float],
    *,
    refine: int = 0,
    progress: Progress | None = None,
) -> list[Tensor]:
    """Return DDIM inversion: the noisy clip at every one of the rising `times`, all above 0.

    The step of `sample` with eta = 0, run upwards (Song et al. 2021; Mokady et al. 2022):

        z_s = alpha_s x0 + sigma_s eps(z_t, x0),   x0 = D(z_t, t),   s > t

    It starts from alpha x at times[0], which should be small. `refine` solves for the z_s whose
    step down gives z_t back, by so many fixed-point iterations with x0 = D(z_s, s) (Pan et al.
    2023): each costs one more call, and the way back is then exact where the iteration converges.
    """
    if not times or times[0] <= 0:
        raise UserError("an inversion has to go up to a noise level above 0")
    path = [alpha(at(times[0], x)).reshape((-1,) + (1,) * (x.ndim - 1)) * x]
    for i, (t, s) in enumerate(pairwise(times)):
        # One DDIM step up, with the network's answer at the lower level.
        z, now, above = path[-1], at(t, x), at(s, x)
        found = step(z, denoise(z, now), now, above)
        # Fixed-point rounds with its answer at the upper one.
        for _ in range(refine):
            found = step(z, denoise(found, above), now, above)
        path.append(found)
        if progress:
            progress(i + 1, len(times) - 1)
    return path


def resample(
    up: Denoiser,
    down: Denoiser,
    x: Tensor,
    times: list[float],
    *,
    copies: int = 1,
    refine: int = 0,
    progress_of: Callable[[str], Progress | None] = lambda _: None,
) -> Tensor:
    """Return `x` inverted by `up` and sampled from there by `down`, both along `times`.

    times:       fall to 0, which the inversion leaves out.
    copies:      so many clips are sampled from the one that was inverted.
    progress_of: gives a callback for "inverting" and one for "denoising".
    """
    path = invert(up, x, times[-2::-1], refine=refine, progress=progress_of("inverting"))
    return sample(
        down, path[-1].repeat(copies, 1, 1, 1, 1), times, progress=progress_of("denoising")
    )
