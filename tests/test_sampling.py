"""Samplers against diffusers' schedulers and against data whose denoiser is known exactly.

For pixels drawn from N(0, v) the best denoiser is E[x | z_t] = alpha v z / (alpha^2 v + sigma^2),
and the flow that DDIM follows in small steps keeps z_t / sqrt(alpha^2 v + sigma^2) constant.
"""

import math

import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler
from torch import Tensor

from dreamix.core.errors import UserError
from dreamix.diffusion.denoiser import Denoiser, at, guided
from dreamix.diffusion.sampling import invert, sample, time_grid
from dreamix.diffusion.schedule import alpha, sigma, snr

V = 0.25


def gaussian(v: float) -> Denoiser:
    """The best denoiser of N(0, v)."""

    def denoise(z: Tensor, t: Tensor) -> Tensor:
        a, s = (part(t).reshape(-1, 1, 1, 1, 1) for part in (alpha, sigma))
        return a * v * z / (a**2 * v + s**2)

    return denoise


def bent(z: Tensor, t: Tensor) -> Tensor:
    """A denoiser of no meaning, neither linear nor the same at all times."""
    return torch.tanh(z * (1 + t.reshape(-1, 1, 1, 1, 1))) + 0.1 * z.roll(1, -1)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def scheduled(kind: type, steps: int) -> DDIMScheduler | DDPMScheduler:
    """diffusers' scheduler on our times: its time number k stands for (k + 1) / steps.

    In doubles: it takes roots of differences that are 0 but for rounding.
    """
    made = kind(num_train_timesteps=steps, prediction_type="sample", clip_sample=False)
    made.alphas_cumprod = alpha(torch.tensor(time_grid(1.0, steps)[-2::-1])).double() ** 2
    made.set_timesteps(steps)
    return made


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_ddim_and_ancestral_are_those_of_diffusers(eta: float) -> None:
    """DDIMScheduler of diffusers 0.42, given the same noise."""
    z, *fresh = (normal(2, 3, 2, 4, 4, seed=i).double() for i in range(11))
    theirs, scheduler = z, scheduled(DDIMScheduler, 10)
    for i, k in enumerate(scheduler.timesteps):
        x0 = bent(theirs, at((int(k) + 1) / 10, z))
        noise = fresh[i] if eta else None
        theirs = scheduler.step(x0, int(k), theirs, eta=eta, variance_noise=noise).prev_sample
    supply = iter(fresh)
    ours = sample(bent, z, time_grid(1.0, 10), noise=lambda: next(supply), eta=eta)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


def test_ancestral_is_ddpm() -> None:
    """DDPMScheduler of diffusers 0.42 writes the posterior q(z_s | z_t, x0) in another form."""
    z, scheduler = normal(2, 3, 2, 4, 4), scheduled(DDPMScheduler, 10)
    theirs, rng = z, torch.Generator().manual_seed(7)
    for k in scheduler.timesteps:
        x0 = bent(theirs, at((int(k) + 1) / 10, z))
        theirs = scheduler.step(x0, int(k), theirs, generator=rng).prev_sample
    again = torch.Generator().manual_seed(7)
    noise = lambda: torch.randn(z.shape, generator=again)  # noqa: E731
    ours = sample(bent, z, time_grid(1.0, 10), noise=noise, eta=1.0)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


def test_ddim_turns_noise_into_the_data_s_distribution() -> None:
    """The exact flow multiplies noise by sqrt(v); DDIM is of first order: half step, half error."""
    z = normal(1, 1, 1, 8, 8)
    errors = [
        float((sample(gaussian(V), z, time_grid(1.0, n)) - math.sqrt(V) * z).abs().max())
        for n in (100, 200, 400)
    ]
    assert errors[2] < 0.01
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(2, rel=0.1)


def test_ancestral_sampling_has_the_variance_of_its_recursion() -> None:
    """Kingma et al. 2021 (eq. 25-28): z_s = m z_t + k x0 + n w, so Var_s = (m + k c)^2 Var_t + n^2.

    With c the denoiser's factor, in Python's doubles; 200,000 draws tell it to about 1 %.
    """
    steps, variance = 10, 1.0
    for i in range(steps, 0, -1):
        t, s = (math.pi / 2 * j / steps for j in (i, i - 1))
        at_, as_, st, ss = math.cos(t), math.cos(s), math.sin(t), math.sin(s)
        between = st**2 - (at_ / as_) ** 2 * ss**2
        c = at_ * V / (at_**2 * V + st**2)
        factor = at_ / as_ * ss**2 / st**2 + as_ * between / st**2 * c
        variance = factor**2 * variance + between * ss**2 / st**2
    rng = torch.Generator().manual_seed(1)
    noise = lambda: torch.randn((1, 1, 1, 500, 400), generator=rng)  # noqa: E731
    found = sample(gaussian(V), noise(), time_grid(1.0, steps), noise=noise, eta=1.0)
    assert float(found.var()) == pytest.approx(variance, rel=0.02)


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_a_sure_denoiser_is_believed(eta: float) -> None:
    """D = 0.3 whatever it sees: the last step returns x0 itself, to the bit."""
    sure = lambda z, t: torch.full_like(z, 0.3)  # noqa: E731
    z = normal(2, 3, 2, 4, 4)
    found = sample(sure, z, time_grid(0.7, 5), noise=lambda: torch.ones_like(z), eta=eta)
    assert torch.equal(found, torch.full_like(z, 0.3))


def test_inversion_follows_the_exact_flow_and_comes_back() -> None:
    x, times = normal(1, 1, 1, 8, 8), time_grid(0.98, 400)
    path = invert(gaussian(V), x * math.sqrt(V), times[-2::-1])
    level = torch.tensor(times[0])
    scale = (alpha(level) ** 2 * V + sigma(level) ** 2).sqrt()
    torch.testing.assert_close(path[-1], scale * x, atol=0.02, rtol=0)
    back = sample(gaussian(V), path[-1], times)
    torch.testing.assert_close(back, x * math.sqrt(V), atol=0.02, rtol=0)


def test_refined_inversion_is_exact() -> None:
    """With few steps plain inversion misses; the fixed point is met to rounding."""
    x, times = 0.5 * normal(1, 1, 1, 8, 8), time_grid(0.9, 8)
    misses = []
    for refine in (0, 30):
        path = invert(gaussian(V), x, times[-2::-1], refine=refine)
        back = sample(gaussian(V), path[-1], times[:-1])  # down to where the inversion began
        misses.append(float((back - path[0]).abs().max()))
    assert misses[0] > 0.02
    assert misses[1] < 1e-5


@pytest.mark.parametrize(("steps", "inversion"), [(50, 4), (10, 1), (3, 7)])
def test_every_kth_of_the_inversion_lies_on_the_sampling_grid(steps: int, inversion: int) -> None:
    """Plug-and-Play reads `path[::-k]` at the times `fine[::k]`: the same times, but for the 0."""
    fine = time_grid(0.98, steps * inversion)
    up = fine[-2::-1]
    path = invert(gaussian(V), normal(1, 1, 1, 2, 2), up)
    assert len(path) == len(up)
    assert up[::-inversion] == fine[::inversion][:-1]
    assert len(path[::-inversion]) == steps
    assert path[::-inversion][0] is path[-1]
    assert fine[::inversion][-1] == 0


def test_grids() -> None:
    assert time_grid(1.0, 4) == [1.0, 0.75, 0.5, 0.25, 0.0]
    assert time_grid(0.0, 25) == [0.0]


def test_shifted_times_have_the_ratio_of_even_ones_divided() -> None:
    """Signal-to-noise ratio cot^2: that of shift 3 is a ninth at every step; ends stay."""
    even, shifted = (torch.tensor(time_grid(1.0, 8, shift)) for shift in (1.0, 3.0))
    torch.testing.assert_close(9 * snr(shifted[1:-1]), snr(even[1:-1]), rtol=1e-4, atol=0)
    assert (shifted[0], shifted[-1]) == (1, 0)
    some = time_grid(0.8, 5, 3.0)
    assert some[0] == 0.8 and some[-1] == 0
    assert some[0] - some[1] < some[-2] - some[-1], "denser where there is more noise"


def test_nothing_is_denoised_at_no_noise() -> None:
    z = normal(1, 1, 1, 2, 2)
    assert sample(bent, z, time_grid(0.0, 25)) is z, "nothing to denoise"


@pytest.mark.parametrize(
    ("start", "steps", "said"), [(1.5, 5, "not 1.5"), (-0.1, 5, "-0.1"), (0.5, 0, "one step")]
)
def test_levels_and_steps_that_mean_nothing_are_one_line(
    start: float, steps: int, said: str
) -> None:
    with pytest.raises(UserError, match=said):
        time_grid(start, steps)


def test_an_inversion_to_level_0_is_one_line() -> None:
    with pytest.raises(UserError, match="above 0"):
        invert(bent, normal(1, 1, 1, 2, 2), time_grid(0.0, 5)[-2::-1])


def test_fresh_noise_has_to_come_from_somewhere() -> None:
    """Without it an ancestral step would lose variance in silence."""
    with pytest.raises(ValueError, match="fresh noise"):
        sample(bent, normal(1, 1, 1, 2, 2), time_grid(1.0, 2), eta=1.0)


def test_progress_is_told_step_by_step() -> None:
    seen: list[tuple[int, int]] = []
    z = normal(1, 1, 1, 2, 2)
    sample(bent, z, time_grid(1.0, 3), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_guidance_in_x0_is_guidance_in_the_noise() -> None:
    """eps = (z - alpha x0) / sigma is linear in x0 (Ho and Salimans 2022, eq. 6); w = 1: plain."""
    z, t = normal(1, 1, 1, 4, 4), torch.tensor([0.4])
    told, untold = (lambda z, t: 0.1 * z), (lambda z, t: 0.05 * z.roll(1, -1))

    def both(z: Tensor, t: Tensor) -> Tensor:
        return torch.cat([untold(z[:1], t[:1]), told(z[1:], t[1:])])

    x0 = guided(both, 3.0)(z, t)
    eps = [(z - alpha(t) * f(z, t)) / sigma(t) for f in (told, untold)]
    mixed = eps[1] + 3.0 * (eps[0] - eps[1])
    torch.testing.assert_close(x0, (z - sigma(t) * mixed) / alpha(t), atol=1e-5, rtol=0)
    torch.testing.assert_close(guided(both, 1.0)(z, t), told(z, t))
    assert guided(both, 100.0)(z, t).abs().max() == 1, "clipped to the range of pictures"
