"""Noise levels on diffusers' schedules, the start step, and what networks are trained on."""

from typing import Any

import pytest
import torch
from diffusers import (
    CogVideoXDDIMScheduler,
    CogVideoXDPMScheduler,
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    HeunDiscreteScheduler,
    UniPCMultistepScheduler,
)

from dreamix.core.errors import UserError
from dreamix.diffusion.corruption import degraded
from dreamix.diffusion.levels import is_flow, noise_levels, start_of
from dreamix.diffusion.objectives import draw, shift_of

BETAS = {"beta_start": 0.00085, "beta_end": 0.012}
SCALED = {**BETAS, "beta_schedule": "scaled_linear"}
COGVIDEOX = {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True}
COGVIDEOX |= {"timestep_spacing": "trailing"}


def flow(shift: float) -> UniPCMultistepScheduler:
    return UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift
    )


SCHEDULERS: dict[str, Any] = {
    "ddim": lambda: DDIMScheduler(**SCALED, clip_sample=False, steps_offset=1),
    "linear": lambda: DDIMScheduler(**BETAS, clip_sample=False, steps_offset=1),
    "dpm": lambda: DPMSolverMultistepScheduler(**SCALED),
    "unipc": lambda: UniPCMultistepScheduler(**SCALED),
    "euler": lambda: EulerDiscreteScheduler(**SCALED),
    "cogvideox": lambda: CogVideoXDDIMScheduler(**COGVIDEOX, snr_shift_scale=3.0),
    "cogvideox-dpm": lambda: CogVideoXDPMScheduler(**COGVIDEOX, snr_shift_scale=1.0),
    "flow": lambda: flow(3.0),
    "flow-euler": lambda: FlowMatchEulerDiscreteScheduler(shift=5.0),
}


def of(name: str, steps: int = 50) -> Any:
    scheduler = SCHEDULERS[name]()
    scheduler.set_timesteps(steps)
    return scheduler


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_level_is_the_share_of_noise_that_add_noise_gives(name: str) -> None:
    """x = 0 and eps = 1 are noised to sigma; x = 1 and eps = 0 to alpha. Euler scales by 1/alpha.

    Variance preserving: alpha^2 + sigma^2 = 1. Flow: alpha + sigma = 1.
    """
    scheduler = of(name, 10)
    add = getattr(scheduler, "add_noise", None)
    for step, level in enumerate(noise_levels(scheduler).tolist()):
        t, zero, one = scheduler.timesteps[step : step + 1], torch.zeros(1, 1), torch.ones(1, 1)
        if add:
            sigma, alpha = (float(add(*pair, t)) for pair in ((zero, one), (one, zero)))
        else:
            sigma, alpha = (
                float(scheduler.scale_noise(x, t, n)) for x, n in ((zero, one), (one, zero))
            )
        whole = alpha + sigma if is_flow(scheduler) else (alpha**2 + sigma**2) ** 0.5
        assert level == pytest.approx(sigma / whole, abs=2e-4)
        if name != "euler":
            assert whole == pytest.approx(1, abs=1e-5)


# The noise at a diffusers `strength`, from a table of measured sigmas: (step of 50, level).
TABLE = [
    ("ddim", {35: 0.615, 25: 0.835, 15: 0.952, 10: 0.978, 5: 0.991}),
    ("flow", {35: 0.563, 25: 0.750, 15: 0.875, 10: 0.923, 5: 0.964}),
    ("cogvideox", {35: 0.833, 25: 0.951, 15: 0.991, 10: 0.997}),
]


@pytest.mark.parametrize(("name", "expected"), TABLE)
def test_levels_are_those_of_the_table(name: str, expected: dict[int, float]) -> None:
    levels = noise_levels(of(name))
    for step, level in expected.items():
        assert float(levels[step]) == pytest.approx(level, abs=2.5e-3)


def test_the_start_is_the_step_with_the_nearest_level() -> None:
    """A flow without shift has the levels 1, 0.8, 0.6, 0.4, 0.2 and then 0."""
    scheduler = FlowMatchEulerDiscreteScheduler()
    scheduler.set_timesteps(sigmas=[1.0, 0.8, 0.6, 0.4, 0.2])
    cases = {0.99: 0, 0.91: 0, 0.89: 1, 0.6: 2, 0.33: 3, 0.11: 4, 0.09: 5, 0.0: 5, 1.0: 0}
    for s, step in cases.items():
        start = start_of(scheduler, s)
        assert start.step == step, s
        assert start.asked == s
        assert start.level == pytest.approx((1 - 0.2 * step) if step < 5 else 0)
    assert start_of(scheduler, 0.4).timestep == pytest.approx(400)
    scheduler.set_timesteps(sigmas=[1.0, 0.5])
    assert [start_of(scheduler, s).level for s in (0.75, 0.25)] == [0.5, 0.0], "of two as near"


@pytest.mark.parametrize("name", SCHEDULERS)
def test_more_noise_never_starts_later(name: str) -> None:
    scheduler = of(name, 20)
    starts = [start_of(scheduler, s / 100) for s in range(101)]
    assert [start.step for start in starts] == sorted((s.step for s in starts), reverse=True)
    assert [start.level for start in starts] == sorted(start.level for start in starts)
    assert (starts[0].step, starts[-1].step, starts[-1].level) == (20, 0, 1.0)


def test_a_solver_of_two_calls_a_step_starts_at_a_whole_step() -> None:
    scheduler = HeunDiscreteScheduler(**SCALED)
    scheduler.set_timesteps(8)
    steps = {start_of(scheduler, s / 50).step for s in range(51)}
    assert all(step % 2 == 0 or step == len(scheduler.timesteps) for step in steps)


@pytest.mark.parametrize("s", [-0.1, 1.01, float("nan")])
def test_a_level_outside_of_0_to_1_is_one_line(s: float) -> None:
    with pytest.raises(UserError, match="a noise level is between 0 and 1"):
        start_of(of("ddim"), s)


# -- objectives --------------------------------------------------------------------------------
def predictions(kind: str, x: torch.Tensor, noise: torch.Tensor, scheduler: Any, t: Any) -> Any:
    """Return the target by diffusers' own functions."""
    if kind == "v_prediction":
        return scheduler.get_velocity(x, noise, t)
    return {"epsilon": noise, "sample": x}[kind]


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
@pytest.mark.parametrize("name", ["ddim", "cogvideox"])
def test_a_draw_is_what_diffusers_noises_and_calls_the_target(kind: str, name: str) -> None:
    scheduler = SCHEDULERS[name]()
    scheduler.register_to_config(prediction_type=kind)
    x = torch.randn((3, 4, 2, 2, 2), generator=torch.Generator().manual_seed(1))
    drawn = draw(scheduler, x, torch.Generator().manual_seed(2))
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(2))
    assert torch.allclose(drawn.noisy, scheduler.add_noise(x, noise, drawn.timesteps), atol=1e-6)
    expected = predictions(kind, x, noise, scheduler, drawn.timesteps)
    assert torch.allclose(drawn.target, expected, atol=1e-6)


def test_a_flow_goes_from_the_clip_to_noise() -> None:
    """z = (1 - s) x + s eps and the target eps - x: so z - s target is x."""
    scheduler, x = flow(3.0), torch.randn((4, 2, 1, 2, 2))
    drawn = draw(scheduler, x, torch.Generator().manual_seed(2))
    s = (drawn.timesteps / 1000).reshape(-1, 1, 1, 1, 1)
    assert torch.allclose(drawn.noisy - s * drawn.target, x, atol=1e-5)
    assert shift_of(scheduler, 16) == 3
    assert shift_of(FlowMatchEulerDiscreteScheduler(shift=5.0), 16) == 5
    assert shift_of(SCHEDULERS["ddim"](), 16) == 1


def test_training_timesteps_are_those_of_the_family() -> None:
    """Uniform over all 1000 for diffusion; a shifted logit-normal for flows, by its quantiles.

    The median of logit-normal(0, 1) is 0.5, shifted by 3: 3 * 0.5 / (1 + 2 * 0.5) = 0.75.
    """
    x = torch.zeros((20000, 1, 1, 1, 1))
    uniform = draw(SCHEDULERS["ddim"](), x, torch.Generator().manual_seed(0)).timesteps
    assert (int(uniform.min()), int(uniform.max())) == (0, 999)
    assert float(uniform.float().mean()) == pytest.approx(499.5, abs=6)
    shifted = draw(flow(3.0), x, torch.Generator().manual_seed(0)).timesteps
    assert float(shifted.median()) == pytest.approx(750, abs=5)
    low = 1 / (1 + torch.e)  # sigmoid(-1): 15.87% lie below
    quantile = float(shifted.quantile(0.1587))
    assert quantile == pytest.approx(1000 * 3 * low / (1 + 2 * low), abs=8)


def test_an_unknown_prediction_is_one_line() -> None:
    scheduler = SCHEDULERS["ddim"]()
    scheduler.register_to_config(prediction_type="score")
    with pytest.raises(UserError, match="not the prediction type 'score'"):
        draw(scheduler, torch.zeros(1, 1, 1, 1, 1), torch.Generator())


# -- corruption --------------------------------------------------------------------------------
def test_corruption_in_time_draws_lines_between_the_frames_that_are_kept() -> None:
    """Frames 0, 2, 4 of 0..5 are kept; 1 and 3 are means, and after the last it stands still."""
    x = torch.tensor([0.0, 9.0, 4.0, 9.0, 6.0, 9.0]).reshape(1, 1, 6, 1, 1)
    assert degraded(x, time=2).flatten().tolist() == [0, 2, 4, 5, 6, 6]


def test_corruption_in_space_keeps_the_means_of_squares() -> None:
    x = torch.rand((1, 3, 2, 8, 8))
    coarse = degraded(x, space=8)
    assert torch.allclose(coarse, x.mean((3, 4), keepdim=True).expand_as(x), atol=1e-6)
    flat = torch.full((1, 3, 2, 9, 7), 0.3)
    assert torch.allclose(degraded(flat, 2, 3), flat)
    assert degraded(x) is x
