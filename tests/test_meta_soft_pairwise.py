"""Soft pairwise accuracy: the reference code's worked example, enumeration, hand derivations."""

from itertools import product

import numpy as np
import pytest
import scipy.stats

from evaluation.stats.meta import (
    one_sided_p,
    sign_p,
    signs,
    soft_pairwise,
    soft_pairwise_accuracies,
    soft_pairwise_accuracy,
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def scores(seed: int, systems: int, items: int) -> np.ndarray:
    return rng(seed).normal(size=(systems, items)) + np.arange(systems)[:, None] / 4


def test_the_worked_example_of_the_reference_code() -> None:
    """mt-metrics-eval, pce.py (commit 1b47eab), docstring: two systems, five segments, ten sign
    vectors, of which one reaches the observed difference of 3: p = 0.1."""
    a, b = np.array([0.8, 0.9, 0.7, 1.0, 0.6]), np.array([0.2, 0.3, 0.1, 0.4, 0.0])
    drawn = np.array(
        [
            [1, 1, -1, -1, -1],
            [1, -1, 1, -1, 1],
            [1, -1, 1, 1, -1],
            [-1, 1, -1, -1, 1],
            [1, 1, 1, -1, 1],
            [-1, 1, -1, 1, -1],
            [1, 1, 1, 1, 1],
            [1, -1, 1, -1, 1],
            [1, -1, 1, -1, 1],
            [-1, 1, -1, -1, -1],
        ],
        dtype=float,
    )
    assert one_sided_p((a - b)[:, None], iter([drawn])) == pytest.approx([0.1])
    assert sign_p((a - b)[None, :, None], drawn) == pytest.approx(np.array([[0.1]]))


def test_p_values_and_spa_by_hand() -> None:
    """Two systems, two items. Metric differences (1, 1): of the sums 2, 0, 0, -2 one is >= 2:
    p = 1/4. Human differences (3, -1): of 2, -4, 4, -2 two are >= 2: p = 2/4. SPA = 1 - 1/4."""
    metric, human = np.array([[1.0, 1], [0, 0]]), np.array([[4.0, 1], [1, 2]])
    found = soft_pairwise_accuracy(metric, human, exact=True)
    assert (found.metric_p[0, 1], found.human_p[0, 1], found.value) == (0.25, 0.5, 0.75)
    assert np.isnan(found.metric_p[[0, 1, 1], [0, 0, 1]]).all()


def test_exact_p_values_are_those_of_scipy() -> None:
    """scipy.stats.permutation_test 1.17, permutation_type "samples", all 2^9 permutations."""
    metric, human = scores(1, 4, 9), scores(2, 4, 9)
    found = soft_pairwise_accuracy(metric, human, exact=True)
    near = []
    for a in range(4):
        for b in range(a + 1, 4):
            p = [
                scipy.stats.permutation_test(
                    (values[a], values[b]),
                    lambda x, y, axis: (x - y).sum(axis=axis),
                    permutation_type="samples",
                    alternative="greater",
                    n_resamples=np.inf,
                    vectorized=True,
                ).pvalue
                for values in (metric, human)
            ]
            assert found.metric_p[a, b] == pytest.approx(p[0], abs=1e-12)
            assert found.human_p[a, b] == pytest.approx(p[1], abs=1e-12)
            near.append(1 - abs(p[0] - p[1]))
    assert found.value == pytest.approx(np.mean(near), abs=1e-12)
    assert found.pairs == 6


def test_drawn_signs_come_near_the_exact_value() -> None:
    """Standard deviation of a p from 20,000 draws: at most sqrt(1/4 / 20000) = 0.0035."""
    metric, human = scores(1, 4, 9), scores(2, 4, 9)
    exact = soft_pairwise_accuracy(metric, human, exact=True)
    drawn = soft_pairwise_accuracy(metric, human, rng=rng(), permutations=20_000)
    assert np.nanmax(np.abs(drawn.metric_p - exact.metric_p)) < 4 * 0.0035
    assert drawn.value == pytest.approx(exact.value, abs=4 * 0.0035)


def test_ratings_of_equal_sum_count_as_at_least_as_large() -> None:
    """Differences (0.1, 0.2, -0.3) sum to about 5e-17, on paper 0. All eight signed sums by hand:
    +-0.1 +-0.2 +-0.3 are 0.6, 0, 0.2, -0.4, 0.4, -0.2, 0, -0.6: five are >= 0."""
    metric = np.array([[0.1, 0.2, 0.0], [0, 0, 0.3]])
    assert soft_pairwise_accuracy(metric, metric, exact=True).metric_p[0, 1] == 5 / 8


def test_sources_change_sign_as_blocks() -> None:
    """Enumerated by hand over three sources of sizes 3, 1, 2."""
    metric, human = scores(3, 3, 6), scores(4, 3, 6)
    sources = np.array(["x", "y", "x", "z", "z", "x"])
    found = soft_pairwise_accuracy(metric, human, sources=sources, exact=True)
    for values, p in ((metric, found.metric_p), (human, found.human_p)):
        gaps = [(values[0] - values[2])[sources == label].sum() for label in "xyz"]
        sums = [np.dot(gaps, flips) for flips in product([1, -1], repeat=3)]
        assert p[0, 2] == np.mean(np.array(sums) >= sum(gaps) - 1e-12)


def test_missing_cells_are_dropped_pair_by_pair_and_counted() -> None:
    """Systems 0 and 1 share items 0-2, 0 and 2 only item 3: each pair as if alone."""
    metric, human = scores(5, 3, 4), scores(6, 3, 4)
    metric[1, 3], human[2, :3] = np.nan, np.nan
    found = soft_pairwise_accuracy(metric, human, exact=True)
    first = soft_pairwise_accuracy(metric[:2, :3], human[:2, :3], exact=True)
    second = soft_pairwise_accuracy(metric[[0, 2], 3:], human[[0, 2], 3:], exact=True)
    assert found.metric_p[0, 1] == first.metric_p[0, 1]
    assert found.human_p[0, 2] == second.human_p[0, 1]
    assert np.isnan(found.metric_p[1, 2])
    assert (found.pairs, found.missing) == (2, 4)
    assert found.value == pytest.approx((first.value + second.value) / 2)


def test_many_metrics_share_their_signs() -> None:
    metrics, human = np.stack([scores(k, 4, 20) for k in range(3)]), scores(9, 4, 20)
    together = soft_pairwise_accuracies(metrics, human, rng=rng(1), permutations=500)
    alone = soft_pairwise_accuracy(metrics[1], human, rng=rng(1), permutations=500)
    assert together[1].value == pytest.approx(alone.value, abs=1e-12)
    assert np.allclose(together[0].human_p, together[2].human_p, equal_nan=True, atol=0)


def test_a_metric_that_is_the_ratings_has_spa_one() -> None:
    human = scores(2, 5, 30)
    found = soft_pairwise_accuracy(3 * human + 1, human, rng=rng(), permutations=300)
    assert found.value == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("block", [1, 64, 2**22])
def test_results_do_not_depend_on_the_block_size(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    metric, human = scores(1, 4, 30), scores(2, 4, 30)
    expected = soft_pairwise_accuracy(metric, human, rng=rng(7), permutations=400)
    monkeypatch.setattr(soft_pairwise, "BLOCK", block)
    found = soft_pairwise_accuracy(metric, human, rng=rng(7), permutations=400)
    assert found.value == expected.value
    listed = np.concatenate(list(signs(4, 3, None, 0, True)))
    assert len({tuple(row) for row in listed}) == 16


def test_equal_ratings_everywhere_are_a_p_of_one() -> None:
    """All sums are 0, so all are at least as large; the metric's p decides the SPA."""
    metric = np.array([[1.0, 1], [0, 0]])
    found = soft_pairwise_accuracy(metric, np.full((2, 2), 3.0), exact=True)
    assert (found.human_p[0, 1], found.metric_p[0, 1], found.value) == (1, 0.25, 0.25)
    flat = soft_pairwise_accuracy(np.zeros((2, 2)), metric, exact=True)
    assert (flat.metric_p[0, 1], flat.value) == (1, 0.25)


def test_one_item_and_two_systems() -> None:
    """One difference, two signs: p = 1/2 for a rise, 1 for none or a fall of one."""
    up, down = np.array([[2.0], [1]]), np.array([[1.0], [2]])
    assert soft_pairwise_accuracy(up, up, exact=True).metric_p[0, 1] == 0.5
    assert soft_pairwise_accuracy(up, down, exact=True).value == 0.5


@pytest.mark.parametrize(
    "metric",
    [np.ones((1, 4)), np.full((3, 4), np.nan), np.array([[1.0, np.nan], [np.nan, 1]])],
    ids=["one system", "nothing", "one system an item"],
)
def test_no_pair_no_value(metric: np.ndarray) -> None:
    found = soft_pairwise_accuracy(metric, np.ones(metric.shape), exact=True)
    assert np.isnan(found.value) and found.pairs == 0


def test_bad_requests_raise() -> None:
    values = np.ones((2, 21))
    with pytest.raises(ValueError, match="too many to list"):
        soft_pairwise_accuracy(values, values, exact=True)
    with pytest.raises(ValueError, match="needs an rng"):
        soft_pairwise_accuracy(values, values)
    with pytest.raises(ValueError, match="at least one permutation"):
        soft_pairwise_accuracy(values, values, rng=rng(), permutations=0)
