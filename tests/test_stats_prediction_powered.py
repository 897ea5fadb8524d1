"""Votes on a part and a metric on all: by loops over edits, and on simulated studies."""

from typing import NamedTuple

import numpy as np
import pytest

from evaluation.stats.ratings import (
    MetricOnEdits,
    PoweredEstimate,
    Votes,
    mos_difference,
    powered_difference,
    powered_mean,
)

FOLDS = 5


class Drawn(NamedTuple):
    """A study of two methods, and a metric on more edits than were rated."""

    votes: Votes
    metric: MetricOnEdits
    difference: np.ndarray  # (labelled,): mean vote on method 1 less that on method 0


def drawn(
    seed: int, labelled: int = 24, all_edits: int = 120, noise: float = 0.5, raters: int = 3
) -> Drawn:
    """Every rater sees both methods on each labelled edit; an edit is a source of its own."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(2, all_edits)) + np.array([[0.0], [0.4]])
    value = truth + noise * rng.normal(size=truth.shape)
    votes = truth[:, :labelled, None] + 0.3 * rng.normal(size=(2, labelled, raters))
    method, edit, rater = (each.ravel() for each in np.indices(votes.shape))
    found = Votes(rater, edit, edit, method, votes.ravel(), raters, labelled, labelled, 2)
    metric = MetricOnEdits(value, np.arange(all_edits), np.arange(labelled))
    return Drawn(found, metric, (votes[1] - votes[0]).mean(axis=1))


def powered(one: Drawn, seed: int = 0) -> PoweredEstimate:
    return powered_difference(
        one.votes, 0, 1, one.metric, rng=np.random.default_rng(seed), raters="fixed"
    )


def by_loops(one: Drawn, seed: int) -> tuple[float, float]:
    """Return estimate and variance by the equations for independent edits, fold by fold."""
    f = one.metric.value[1] - one.metric.value[0]
    y, n, m = one.difference, len(one.difference), len(f) - len(one.difference)
    fold = np.random.default_rng(seed).permutation(np.arange(n) % FOLDS)
    rest = f[n:]
    moved, slopes = np.zeros(n), np.zeros(n)
    for e in range(n):
        others = [o for o in range(n) if fold[o] != fold[e]]
        # Sums of squares and products of the others stand for those of all n edits.
        deviation = f[others] - f[others].mean()
        product = deviation @ (y[others] - y[others].mean()) / (len(others) * n)
        square = deviation @ deviation / (len(others) * n)
        square += ((rest - rest.mean()) ** 2).sum() / m**2
        slopes[e] = max(product / square, 0)
        moved[e] = y[e] - slopes[e] * (f[e] - rest.mean())
    estimate, mean = moved.mean(), slopes.mean()
    of_rest = mean**2 * ((rest - rest.mean()) ** 2).sum() / m**2
    labelled = ((moved - estimate) ** 2).sum() / n**2 * n / (n - 1)
    return float(estimate), float(labelled + of_rest * (n + m) / (n + m - 1))


def test_estimate_and_error_by_loops() -> None:
    one = drawn(1)
    found = powered(one, 5)
    estimate, variance = by_loops(one, 5)
    assert found.powered.mid == pytest.approx(estimate, abs=1e-12)
    assert found.powered.error**2 == pytest.approx(variance, rel=1e-9)
    assert found.powered.freedom == len(one.difference) - 2, "one for the mean, one for the slope"
    assert (found.labelled, found.unlabelled) == (24, 96)
    f = one.metric.value[1] - one.metric.value[0]
    assert found.r == pytest.approx(np.corrcoef(one.difference, f[:24])[0, 1])


def test_people_alone_are_what_they_are_everywhere() -> None:
    one = drawn(2)
    assert powered(one).people == mos_difference(one.votes, 0, 1, raters="fixed")


def test_a_metric_that_says_nothing_changes_nothing() -> None:
    """Constant, absent or turned round: the slope is 0 and the answer that of people."""
    one = drawn(3)
    for value in (one.metric.value * 0, np.full_like(one.metric.value, np.nan), -one.metric.value):
        found = powered(one._replace(metric=one.metric._replace(value=value)))
        assert found.slope == 0 and not found.helps
        assert found.used == found.people
        assert found.powered.mid == pytest.approx(found.people.mid)


def test_a_good_metric_is_worth_votes() -> None:
    """By the equation of section 1: gain = 1 / (1 - r^2 m / (n + m))."""
    gains = []
    for seed in range(60):
        found = powered(drawn(seed, labelled=40, all_edits=200, noise=0.3))
        gains.append(found.gain * (1 - found.r**2 * found.unlabelled / 200))
    assert np.mean(gains) == pytest.approx(1, abs=0.08)


def test_all_edits_rated_leave_nothing_to_gain() -> None:
    found = powered(drawn(4, labelled=30, all_edits=30))
    assert found.used == found.people and found.unlabelled == 0


def test_a_missing_value_is_the_mean_and_no_edit_is_left_out() -> None:
    one = drawn(5)
    value = one.metric.value.copy()
    value[1, [3, 50]] = np.nan
    gap = value[1] - value[0]
    filled = np.where(np.isfinite(gap), gap, np.nanmean(gap))
    same = one.metric._replace(value=np.stack([0 * filled, filled]))
    first = powered(one._replace(metric=one.metric._replace(value=value)))
    other = powered(one._replace(metric=same))
    assert first.powered.mid == pytest.approx(other.powered.mid, abs=1e-12)


def test_the_unit_and_the_zero_of_a_metric_do_not_matter() -> None:
    one = drawn(6)
    scaled = one._replace(metric=one.metric._replace(value=100 * one.metric.value + 7))
    assert powered(scaled).powered.low == pytest.approx(powered(one).powered.low, abs=1e-9)
    assert powered(scaled).slope == pytest.approx(powered(one).slope / 100)


def test_the_mean_of_one_method() -> None:
    """With a metric that is the truth itself the mean is that of all edits, nearly."""
    one = drawn(7, labelled=30, all_edits=300, noise=0.0)
    found = powered_mean(one.votes, 1, one.metric, rng=np.random.default_rng(0), raters="fixed")
    assert found.powered.mid == pytest.approx(one.metric.value[1].mean(), abs=0.12)
    assert found.gain > 4 and found.r > 0.9


def crossed(seed: int, sources: int, labelled: int, raters: int, taste: float) -> Drawn:
    """Three edits a source, half of the raters an edit, raters with a taste for method 1."""
    rng = np.random.default_rng(seed)
    edits = 3 * sources
    source = np.repeat(np.arange(sources), 3)
    gap = rng.normal(0, 0.5, sources)[source] + rng.normal(0, 0.5, edits)
    value = np.stack([np.zeros(edits), gap + rng.normal(0, 0.35, edits)])
    liking, rows = rng.normal(0, taste, raters), []
    for edit in range(3 * labelled):
        for rater in rng.permutation(raters)[: raters // 2]:
            base, noise = rng.normal(), rng.normal(0, 0.6, 2)
            rows.append((rater, source[edit], edit, 0, base + noise[0]))
            rows.append((rater, source[edit], edit, 1, base + gap[edit] + liking[rater] + noise[1]))
    rater, of, edit, method = np.array([row[:4] for row in rows]).T
    vote = np.array([row[4] for row in rows])
    votes = Votes(rater, of, edit, method, vote, raters, labelled, 3 * labelled, 2)
    metric = MetricOnEdits(value, source, np.arange(3 * labelled))
    return Drawn(votes, metric, np.zeros(0))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("labelled", "sources", "raters", "taste"),
    [(12, 60, 20, 0.15), (30, 120, 24, 0.4), (8, 60, 8, 0.15)],
)
def test_two_way_intervals_hold_the_truth_and_are_narrower(
    labelled: int, sources: int, raters: int, taste: float
) -> None:
    """No difference is true. 400 studies: one standard error of a share of 95% is 1.1 points."""
    held, widths, alone = 0, [], []
    for seed in range(400):
        one = crossed(seed, sources, labelled, raters, taste)
        found = powered_difference(one.votes, 0, 1, one.metric, rng=np.random.default_rng(seed))
        held += found.used.low <= 0 <= found.used.high
        widths.append(found.used.high - found.used.low)
        alone.append(found.people.high - found.people.low)
    assert held / 400 > 0.92
    assert np.mean(widths) < 0.9 * np.mean(alone)


@pytest.mark.slow
def test_noise_costs_less_than_a_twentieth() -> None:
    widths = []
    for seed in range(300):
        one = drawn(seed, labelled=20, all_edits=200, noise=50.0)
        found = powered(one)
        widths.append((found.used.high - found.used.low) / (found.people.high - found.people.low))
    assert np.mean(widths) < 1.05 and max(widths) <= 1 + 1e-9
