"""The noise schedule: exact at its ends, a circle in between."""

import torch

from dreamix.diffusion.corruption import noised
from dreamix.diffusion.schedule import add_noise, alpha, noise_in, sigma, snr


def clips(seed: int, count: int = 5) -> torch.Tensor:
    return torch.randn((count, 3, 2, 4, 4), generator=torch.Generator().manual_seed(seed))


def test_ends_are_exact() -> None:
    """cos(pi / 2) in floating point is not 0, the signal left at t = 1 is."""
    ends = torch.tensor([0.0, 1.0])
    assert alpha(ends).tolist() == [1.0, 0.0]
    assert sigma(ends).tolist() == [0.0, 1.0]


def test_variance_is_preserved() -> None:
    """alpha^2 + sigma^2 = 1, and in the middle signal and noise are equal: snr(1/2) = 1."""
    t = torch.linspace(0, 1, 1001)
    torch.testing.assert_close(alpha(t) ** 2 + sigma(t) ** 2, torch.ones_like(t))
    torch.testing.assert_close(snr(torch.tensor([0.5])), torch.ones(1))
    assert (alpha(t).diff() < 0).all()


def test_noise_is_found_again() -> None:
    """noise_in undoes add_noise, with a time of its own for every clip."""
    x, noise, t = clips(0), clips(1), torch.tensor([0.05, 0.3, 0.5, 0.9, 1.0])
    z = add_noise(x, noise, t)
    torch.testing.assert_close(noise_in(z, x, t), noise, atol=2e-5, rtol=0)
    for i in range(5):
        assert torch.equal(add_noise(x[i : i + 1], noise[i : i + 1], t[i : i + 1])[0], z[i])


def test_level_0_is_the_corrupted_clip_to_the_bit() -> None:
    assert torch.equal(noised(clips(0), 0.0, clips(1)), clips(0))


def test_level_1_does_not_depend_on_the_input() -> None:
    assert torch.equal(noised(clips(0), 1.0, clips(1)), noised(clips(2), 1.0, clips(1)))
    assert torch.equal(noised(clips(0), 1.0, clips(1)), clips(1))
