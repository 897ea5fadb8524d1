"""Averages of weights: followed, and made afterwards of what was kept on the way."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch import nn

from dreamix.core.errors import UserError
from dreamix.toybox.training.averages import WIDTHS, Averages, average_of, combination, exponent


def shares(t: int, width: float) -> np.ndarray:
    """Return the share of each update 1..t, by unrolling mean <- b mean + (1 - b) w."""
    g, found = exponent(width), np.zeros(t)
    for u in range(1, t + 1):
        b = (1 - 1 / u) ** (g + 1)
        found *= b
        found[u - 1] = 1 - b
    return found


def walk(updates: int, weights: int = 5) -> np.ndarray:
    """Return weights that drift and jitter, (updates, weights)."""
    steps = np.random.default_rng(1).normal(size=(updates, weights))
    return 0.05 * steps.cumsum(axis=0) + 0.3 * np.random.default_rng(2).normal(size=steps.shape)


def followed(path: np.ndarray, folder: Path, every: int) -> Averages:
    network = nn.Linear(path.shape[1], 1, bias=False)
    averages = Averages(network)
    for update, weights in enumerate(path, 1):
        with torch.no_grad():
            network.weight.copy_(torch.from_numpy(weights).float())
        averages.update()
        if update % every == 0:
            averages.keep(folder, update)
    return averages


@pytest.mark.parametrize("width", [0.02, 0.05, 0.1, 0.2])
def test_the_width_is_the_deviation_of_the_shares(width: float) -> None:
    """The standard deviation of p(u) = (g + 1) u^g on 0..1, by numerical integration."""
    g = exponent(width)

    def moment(k: int) -> float:
        return float(quad(lambda u: (g + 1) * u ** (g + k), 0, 1)[0])

    assert np.sqrt(moment(2) - moment(1) ** 2) == pytest.approx(width, rel=1e-6)


def test_the_averages_are_those_of_their_shares(tmp_path: Path) -> None:
    path = walk(300)
    averages = followed(path, tmp_path, every=1000)
    for width, (mean,) in zip(WIDTHS, averages.means, strict=True):
        np.testing.assert_allclose(mean[0].numpy(), shares(300, width) @ path, atol=2e-5)


@pytest.mark.slow
@pytest.mark.parametrize("width", [0.03, 0.07, 0.15, 0.2])
def test_an_average_nobody_followed_is_made_of_snapshots(tmp_path: Path, width: float) -> None:
    """That of the whole walk, computed directly; the last weights themselves are far from it."""
    path = walk(2000)
    followed(path, tmp_path, every=100)
    found, update = average_of(tmp_path, width)
    right = shares(2000, width) @ path
    assert update == 2000
    np.testing.assert_allclose(found["weight"][0].numpy(), right, atol=0.03)
    assert np.abs(path[-1] - right).max() > 0.2


def test_an_average_that_was_kept_is_its_own_combination() -> None:
    kept = [(100.0, exponent(0.05)), (200.0, exponent(0.1)), (300.0, exponent(0.05))]
    np.testing.assert_allclose(combination(kept, kept[1]), [0, 1, 0], atol=1e-6)


def test_going_on_from_a_state_changes_nothing(tmp_path: Path) -> None:
    path = walk(40)
    whole = followed(path, tmp_path, every=100)
    network = nn.Linear(path.shape[1], 1, bias=False)
    half, rest = Averages(network), Averages(network)
    for update, weights in enumerate(path):
        with torch.no_grad():
            network.weight.copy_(torch.from_numpy(weights).float())
        if update == 20:
            rest.load(half.state())
        (half if update < 20 else rest).update()
    assert all(torch.equal(a[0], b[0]) for a, b in zip(whole.means, rest.means, strict=True))


def test_what_cannot_be_averaged_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no snapshots"):
        average_of(tmp_path, 0.05)
    with pytest.raises(UserError, match=r"0\.01 to 0\.25 of the training, not 0\.5"):
        average_of(tmp_path, 0.5)
