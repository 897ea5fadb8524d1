"""acc_eq and SPA under draws of systems and raters, against loops over the copied data."""

from itertools import combinations

import numpy as np
import pytest

from evaluation.stats.meta import (
    Claim,
    Draws,
    Resample,
    accuracy_draws,
    bootstrap_accuracy,
    bootstrap_soft_pairwise,
    pairwise_accuracy,
    soft_pairwise_accuracy,
    soft_pairwise_draws,
)
from evaluation.stats.resampling import Resampling

SYSTEMS, ITEMS, RATERS = 4, 9, 6
MEMBER = np.arange(ITEMS) % 3


def data(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A metric and votes with gaps, on whole numbers so that people tie."""
    rng = np.random.default_rng(seed)
    votes = rng.integers(1, 4, (SYSTEMS, ITEMS, RATERS)).astype(float)
    votes[rng.random(votes.shape) < 0.4] = np.nan
    metric = rng.normal(0, 1, (SYSTEMS, ITEMS)) + np.nanmean(votes, axis=2)
    metric[0, 0] = np.nan
    return metric, votes


def slow_accuracy(
    metric: np.ndarray, votes: np.ndarray, systems: np.ndarray, raters: np.ndarray, epsilon: float
) -> float:
    """acc_eq by loops over items and pairs of copies; a system and its copy are no pair."""
    copies = np.repeat(np.arange(SYSTEMS), systems.astype(int))
    drawn = np.repeat(np.arange(RATERS), raters.astype(int))
    accuracies = []
    for item in range(ITEMS):
        right = []
        for a, b in combinations(copies, 2):
            ratings = [np.nanmean(v) if np.isfinite(v).any() else np.nan
                       for v in (votes[a, item, drawn], votes[b, item, drawn])]  # fmt: skip
            gaps = (metric[a, item] - metric[b, item], ratings[0] - ratings[1])
            if a != b and np.isfinite(gaps).all():
                said = 0 if abs(gaps[0]) <= epsilon else np.sign(gaps[0])
                right.append(said == np.sign(round(gaps[1], 9)))
        if right:
            accuracies.append(np.mean(right))
    return float(np.mean(accuracies)) if accuracies else np.nan


def test_a_draw_of_systems_and_raters_is_acc_eq_of_the_copies() -> None:
    metric, votes = data(1)
    rng = np.random.default_rng(2)
    systems = rng.multinomial(SYSTEMS, np.full(SYSTEMS, 1 / SYSTEMS), 30).astype(float)
    raters = rng.multinomial(RATERS, np.full(RATERS, 1 / RATERS), 30).astype(float)
    found = accuracy_draws(
        metric, np.nanmean(votes, axis=2), votes, Draws(None, systems, raters), 0.5
    )
    slow = [slow_accuracy(metric, votes, s, r, 0.5) for s, r in zip(systems, raters, strict=True)]
    assert found == pytest.approx(slow, abs=1e-12, nan_ok=True)


def test_everything_drawn_once_is_the_value_itself() -> None:
    metric, votes = data(3)
    human = np.nanmean(votes, axis=2)
    once = Draws(np.ones((1, ITEMS)), np.ones((1, SYSTEMS)), np.ones((1, RATERS)))
    (accuracy,) = accuracy_draws(metric, human, votes, once, 0.3)
    assert accuracy == pytest.approx(pairwise_accuracy(metric, human, 0.3).value, abs=1e-12)
    signs = np.array(np.meshgrid(*[[1.0, -1.0]] * 3)).reshape(3, -1).T
    (soft,) = soft_pairwise_draws(metric, human, votes, MEMBER, once, signs)
    exact = soft_pairwise_accuracy(metric, human, sources=MEMBER, exact=True)
    assert soft == pytest.approx(exact.value, abs=1e-12)


def test_spa_of_copied_systems_counts_each_pair_of_copies() -> None:
    """Weights 2, 1, 1, 0: pairs of p-values (0, 1) and (0, 2) count twice, (1, 2) once."""
    metric, votes = data(4)
    human = np.nanmean(votes, axis=2)
    signs = np.array(np.meshgrid(*[[1.0, -1.0]] * 3)).reshape(3, -1).T
    draws = Draws(None, np.array([[2.0, 1.0, 1.0, 0.0]]), None)
    (found,) = soft_pairwise_draws(metric, human, None, MEMBER, draws, signs)
    exact = soft_pairwise_accuracy(metric, human, sources=MEMBER, exact=True)
    near = 1 - np.abs(exact.metric_p - exact.human_p)
    by_hand = (2 * near[0, 1] + 2 * near[0, 2] + near[1, 2]) / 5
    assert found == pytest.approx(by_hand, abs=1e-12)


def test_drawing_raters_or_systems_widens_the_intervals() -> None:
    """More is unknown, so more is uncertain: checked on one set whose raters differ much."""
    rng = np.random.default_rng(5)
    merit = rng.normal(0, 0.5, (SYSTEMS, 30))
    votes = np.round(3 + merit[:, :, None] + rng.normal(0, 1.2, (SYSTEMS, 30, RATERS)))
    metric = merit + rng.normal(0, 0.3, merit.shape)

    def width(claim: Claim) -> float:
        draws = Resampling(np.random.default_rng(6), 400)
        found = bootstrap_accuracy(metric, votes, draws, claim=claim)
        return found.high - found.low

    assert width(Claim(raters=True)) > width(Claim())
    assert width(Claim("both")) > width(Claim("systems")) > 0


@pytest.mark.parametrize("resample", ["systems", "both"])
def test_intervals_hold_the_value_and_the_seed_decides(resample: Resample) -> None:
    metric, votes = data(7)
    both = []
    for _ in range(2):
        draws, claim = Resampling(np.random.default_rng(8), 100), Claim(resample, raters=True)
        accuracy = bootstrap_accuracy(metric, votes, draws, claim=claim, sources=MEMBER)
        (soft,) = bootstrap_soft_pairwise(metric[None], votes, draws, claim=claim, sources=MEMBER)
        both.append((*accuracy[:3], *soft[:3]))
    assert both[0] == both[1]
    assert both[0][0] <= both[0][1] <= both[0][2]
    assert both[0][3] <= both[0][5]


def test_other_calibrations_are_refused_where_systems_are_drawn() -> None:
    metric, votes = data(9)
    with pytest.raises(ValueError, match="epsilon kept"):
        bootstrap_accuracy(
            metric,
            votes,
            Resampling(np.random.default_rng(0)),
            calibration="each draw",
            claim=Claim("systems"),
        )


def test_raters_need_votes() -> None:
    metric, votes = data(10)
    with pytest.raises(ValueError, match="raters can only be drawn from votes"):
        bootstrap_accuracy(
            metric,
            np.nanmean(votes, axis=2),
            Resampling(np.random.default_rng(0)),
            claim=Claim(raters=True),
        )
