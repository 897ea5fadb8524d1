"""acc_eq and tie calibration: worked examples, mt-metrics-eval's test cases, brute force."""

import numpy as np
import pytest

from evaluation.stats.meta import out_of_sample_accuracy, pairwise_accuracy, tie_calibrated_accuracy

NAN = np.nan


def brute(metric: np.ndarray, human: np.ndarray, epsilon: float) -> float:
    """acc_eq by its definition, pair by pair; NaN without a pair."""
    items = []
    for m, h in zip(metric.T, human.T, strict=True):
        there = np.flatnonzero(np.isfinite(m) & np.isfinite(h))
        right = [
            (abs(m[a] - m[b]) <= epsilon) == (h[a] == h[b])
            and (h[a] == h[b] or (m[a] > m[b]) == (h[a] > h[b]))
            for a in there
            for b in there
            if a < b
        ]
        items += [np.mean(right)] if right else []
    return float(np.mean(items)) if items else NAN


def brute_calibrated(metric: np.ndarray, human: np.ndarray) -> tuple[float, float]:
    """The best accuracy over zero and all differences, and its smallest epsilon."""
    gaps = np.abs(metric[:, None] - metric[None]).ravel()
    candidates = np.unique(np.append(0.0, gaps[np.isfinite(gaps)]))
    values = np.array([brute(metric, human, epsilon) for epsilon in candidates])
    best = np.flatnonzero(values >= values.max() - 1e-9)[0]
    return values[best], candidates[best]


def noisy(seed: int, systems: int, items: int, gaps: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    human = rng.integers(1, 5, (systems, items)).astype(float)
    metric = human + rng.normal(size=human.shape)
    metric[rng.random(human.shape) < gaps] = NAN
    human[rng.random(human.shape) < gaps] = NAN
    return metric, human


def test_a_worked_example() -> None:
    """One item, scores 0, 2, 6, 8 against ratings 1, 1, 1, 4. Six pairs, differences 2, 6, 8, 4,
    6, 2; the first, second and fourth are tied by people.

    epsilon 0: three pairs with the 4 are concordant, three ties are missed: 3/6.
    epsilon 4: pairs 0-2 and 2-6 become right ties, 6-8 a wrong one: C = 2, T_hm = 2: 4/6.
    """
    metric, human = np.array([[0.0], [2], [6], [8]]), np.array([[1.0], [1], [1], [4]])
    assert pairwise_accuracy(metric, human, 0.0) == (0.5, 0, 1, 0)
    found = pairwise_accuracy(metric, human, 4.0)
    assert found[2:] == (1, 0)
    assert found.value == pytest.approx(4 / 6)
    assert tie_calibrated_accuracy(metric, human) == found


@pytest.mark.parametrize(
    ("metric", "human", "value", "epsilon"),
    [
        ([[0, 2, 6, 8]], [[1, 2, 3, 4]], 1.0, 0),
        ([[0, 2, 6, 8]], [[1, 1, 1, 4]], 4 / 6, 4),
        (
            [[0, 5, 2, 3, 2], [NAN, 2, 1, 5, 3], [9, 1, 5, 3, 8], [9, 3, 4, 4, 1], [NAN] * 5],
            [[1, 5, 2, 1, 1], [4, 2, 2, 1, 4], [5, 9, 2, 8, 7], [7, 6, NAN, 3, 2], [NAN] * 5],
            0.4916666666666668,
            1,
        ),
    ],
)
def test_cases_of_mt_metrics_eval(
    metric: list[list[float]], human: list[list[float]], value: float, epsilon: float
) -> None:
    """The expected values of tau_optimization_test.py in mt-metrics-eval (commit 0b82d96);
    rows are items there."""
    found = tie_calibrated_accuracy(np.array(metric, float).T, np.array(human, float).T)
    assert found.value == pytest.approx(value, abs=1e-12)
    assert found.epsilon == epsilon


@pytest.mark.parametrize("seed", range(12))
def test_calibration_is_the_best_of_all_candidates(seed: int) -> None:
    """Brute force over every candidate; half of the cases with missing cells and equal scores."""
    metric, human = noisy(seed, 4, 7, gaps=0.2 * (seed % 2))
    if seed % 4 == 3:
        metric = np.round(metric)
    found = tie_calibrated_accuracy(metric, human)
    value, epsilon = brute_calibrated(metric, human)
    assert found.value == pytest.approx(value, abs=1e-12)
    assert found.epsilon == epsilon
    assert pairwise_accuracy(metric, human, found.epsilon).value == found.value


@pytest.mark.parametrize("seed", range(4))
def test_gaps_are_left_out_and_counted(seed: int) -> None:
    metric, human = noisy(seed, 5, 6, gaps=0.2)
    found = pairwise_accuracy(metric, human, 0.7)
    there = (np.isfinite(metric) & np.isfinite(human)).sum(axis=0)
    assert found.missing == 30 - there.sum()
    assert found.items == (there > 1).sum()
    assert found.value == pytest.approx(brute(metric, human, 0.7), abs=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_out_of_sample_epsilon_comes_from_the_other_sources(seed: int) -> None:
    """Brute force: leave a source out, calibrate on the rest, score the source's items."""
    metric, human = noisy(seed, 4, 12, gaps=0.1 * (seed % 2))
    sources = np.array(list("aaabbbbccddd"))
    found = out_of_sample_accuracy(metric, human, sources)
    scores, epsilons = [], []
    for label in "abcd":
        held = sources == label
        epsilons.append(brute_calibrated(metric[:, ~held], human[:, ~held])[1])
        items = np.flatnonzero(held)
        scores += [brute(metric[:, [i]], human[:, [i]], epsilons[-1]) for i in items]
    assert list(found.labels) == list("abcd")
    assert found.epsilons == pytest.approx(epsilons, abs=0)
    assert found.value == pytest.approx(np.nanmean(scores), abs=1e-12)


def test_in_sample_accuracy_of_noise_is_optimistic() -> None:
    """A metric of pure noise on ratings with ties: calibration finds something, and the gain
    is gone on sources that it did not see. 40 data sets; the mean gap is 7 points,
    its standard error 0.7."""
    gaps = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        human = rng.integers(1, 4, (3, 20)).astype(float)
        metric = rng.normal(size=human.shape)
        inside = tie_calibrated_accuracy(metric, human).value
        gaps.append(inside - out_of_sample_accuracy(metric, human, np.arange(20) // 4).value)
    assert np.mean(gaps) > 0.03


def test_only_differences_within_an_item_matter() -> None:
    metric, human = noisy(3, 4, 9)
    shifted = metric + 100 * np.arange(9)
    assert tie_calibrated_accuracy(shifted, human).value == pytest.approx(
        tie_calibrated_accuracy(metric, human).value
    )


def test_all_ratings_equal_are_one_big_tie() -> None:
    """Calling every pair tied is right: epsilon is the greatest difference, 3, and acc_eq 1."""
    found = tie_calibrated_accuracy(np.array([[0.0, 5], [1, 2]]), np.full((2, 2), 3.0))
    assert (found.value, found.epsilon) == (1, 3)


def test_a_constant_metric_ties_everything() -> None:
    """Right where people tie: one pair of three in this item."""
    found = tie_calibrated_accuracy(np.ones((3, 1)), np.array([[1.0], [1], [2]]))
    assert (found.value, found.epsilon) == (pytest.approx(1 / 3), 0)


@pytest.mark.parametrize(
    "metric",
    [np.ones((1, 4)), np.full((3, 4), NAN), np.zeros((3, 0)), np.array([[1.0, NAN], [NAN, 1]])],
    ids=["one system", "nothing", "no item", "one system an item"],
)
def test_no_pair_no_accuracy(metric: np.ndarray) -> None:
    human = np.full(metric.shape, 2.0)
    found = tie_calibrated_accuracy(metric, human)
    assert np.isnan(found.value) and np.isnan(found.epsilon) and found.items == 0
    outside = out_of_sample_accuracy(metric, human, np.arange(metric.shape[1]))
    assert np.isnan(outside.value)


def test_one_source_has_no_accuracy_out_of_sample() -> None:
    metric, human = noisy(0, 3, 5)
    found = out_of_sample_accuracy(metric, human, np.zeros(5))
    assert np.isnan(found.value) and np.isnan(found.epsilons).all()


def test_one_item_and_two_systems_are_right_or_wrong() -> None:
    """Two systems, one item, people apart: the pair is right, or called a tie in vain: 1 or 0."""
    human = np.array([[1.0], [2]])
    assert tie_calibrated_accuracy(np.array([[5.0], [7]]), human)[:3] == (1, 0, 1)
    assert tie_calibrated_accuracy(np.array([[7.0], [5]]), human)[:3] == (0, 0, 1)


def test_a_negative_epsilon_raises() -> None:
    with pytest.raises(ValueError, match="at least 0"):
        pairwise_accuracy(np.ones((2, 2)), np.ones((2, 2)), -1.0)
    with pytest.raises(ValueError, match="at least 0"):
        pairwise_accuracy(np.ones((2, 2)), np.ones((2, 2)), NAN)
