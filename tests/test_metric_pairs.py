"""All pairs of metrics tested at once: step-down written out in loops, and equally good metrics."""

import numpy as np
import pytest

from evaluation.stats.meta import Statistic, compare_metrics, metric_ranking
from evaluation.stats.multiplicity import max_step_down, step_down_of_groups
from evaluation.stats.resampling import Resampling


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def drawn(tests: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return statistics and draws of unequal variance, the first tests far from zero."""
    draw = rng(seed)
    size = draw.uniform(0.5, 3, tests)
    draws = draw.normal(size=(300, tests)) * size
    return draw.normal(size=tests) * size + np.where(np.arange(tests) < 2, 4, 0) * size, draws


def test_the_step_down_is_that_of_westfall_and_young_written_out() -> None:
    """Algorithm 4.1: from the greatest down, the share of draws whose greatest among those not yet
    judged is as large; never less than the one before; alone, the share of its own draws.
    """
    seen, draws = drawn(7)
    scale = np.sqrt((np.vstack([draws, seen]) ** 2).mean(axis=0))
    size, noise = np.abs(seen) / scale, np.abs(draws) / scale
    order, so_far = sorted(range(7), key=lambda k: -size[k]), 0.0
    found = max_step_down(seen, draws)
    for place, k in enumerate(order):
        rest = order[place:]
        count = sum(max(row[j] for j in rest) >= size[k] for row in noise)
        so_far = max(so_far, (1 + count) / 301)
        assert found.adjusted[k] == pytest.approx(so_far)
        assert found.alone[k] == pytest.approx((1 + (noise[:, k] >= size[k]).sum()) / 301)
    assert (found.adjusted >= found.alone).all()


def test_what_cannot_be_tested_is_left_out_and_what_never_moves_shows_nothing() -> None:
    seen, draws = drawn(4)
    more = np.append(seen, [np.nan, 0.0])
    found = max_step_down(more, np.column_stack([draws, draws[:, 0], np.zeros(len(draws))]))
    expected = max_step_down(seen, draws)
    assert found.alone[:4] == pytest.approx(expected.alone)
    assert np.isnan(found.adjusted[4]) and found.adjusted[5] == 1
    draws[3, 1] = np.nan  # a draw without a value counts against every claim
    assert max_step_down(seen, draws).alone[1] >= expected.alone[1]


def test_not_the_best_is_the_greatest_lead_over_a_metric_written_out() -> None:
    """Three metrics, differences 0 - 1, 0 - 2, 1 - 2: against metric k speaks the greatest lead of
    another over it; under each draw that over all metrics not yet judged.
    """
    seen, draws = np.array([2.0, 5.0, 3.0]), rng(3).normal(size=(200, 3))
    led = np.array([[-1.0, -1, 0], [1, 0, -1], [0, 1, 1]])
    scale = np.sqrt((np.vstack([draws, seen]) ** 2).mean(axis=0))

    def leads(row: np.ndarray) -> list[float]:
        a, b, c = row / scale
        return [max(-a, -b), max(a, -c), max(b, c)]

    size = leads(seen)
    order, so_far = sorted(range(3), key=lambda k: -size[k]), 0.0
    found, p = step_down_of_groups(seen, draws, led)
    assert found == pytest.approx(size) and order == [2, 1, 0]
    for place, k in enumerate(order):
        count = sum(max(leads(row)[j] for j in order[place:]) >= size[k] for row in draws)
        so_far = max(so_far, (1 + count) / 201)
        assert p[k] == pytest.approx(so_far)


def test_the_greatest_of_many_errs_no_more_often_where_permutations_are_few() -> None:
    """Of 190 differences of 20 normal things in 29 blocks the test is exact for any number of
    permutations: 5% of 300 are 15, three Monte Carlo errors above it 26; with scales of the 40
    permutations alone a fifth of all draws err.
    """
    draw, first, second = rng(9), *np.triu_indices(20, 1)
    wrong = 0
    for _ in range(300):
        things = draw.normal(size=(29, 20))
        gaps = things[:, first] - things[:, second]
        swapped = draw.choice([-1.0, 1.0], (40, 29)) @ gaps
        wrong += bool(max_step_down(gaps.sum(axis=0), swapped).adjusted.min() <= 0.05)
    assert wrong <= 26


def equally_good(
    metrics: int, sources: int, draw: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return metrics that are the truth plus noise of one size, people, sources; 4 systems."""
    source = np.repeat(np.arange(sources), 3)
    truth = draw.normal(size=(4, len(source)))
    votes = np.clip(np.rint(3 + truth + draw.normal(size=truth.shape)), 1, 5)
    by_source = draw.normal(0, 0.6, (metrics, 4, sources))[:, :, source]
    return truth + by_source + draw.normal(0, 0.6, (metrics, *truth.shape)), votes, source


@pytest.mark.slow
@pytest.mark.parametrize("name", ["acc_eq", "correlation"])
def test_more_metrics_do_not_make_the_best_of_them_surer(name: str) -> None:
    """60 rankings of eight equally good metrics, 12 sources: 5% are 3, three Monte Carlo errors
    above it 8; as if the best had been named before, Holm's one-sided p errs in a fifth of them.
    """
    draw, wrong = rng(5), 0
    for _ in range(60):
        metrics, people, source = equally_good(8, 12, draw)
        table = metric_ranking(
            metrics,
            people,
            names=[f"m{k}" for k in range(8)],
            sources=source,
            statistic=Statistic(name),
            resampling=Resampling(draw, 2, permutations=100),
        )
        wrong += bool(np.nanmin(table.p[0]) < 0.05)
    assert wrong <= 8


def test_metrics_with_other_gaps_are_compared_pair_by_pair() -> None:
    """Verdicts are taken once a metric where the cells are the same: the same numbers both ways."""
    metrics, people, source = equally_good(3, 12, rng(6))
    whole = compare_metrics(metrics, people, Statistic(), Resampling(rng(1)), sources=source)
    more = np.concatenate([metrics, metrics[:1]])
    more[3, :, 0] = np.nan
    gaps = compare_metrics(more, people, Statistic(), Resampling(rng(1)), sources=source)
    assert gaps.delta[:3, :3] == pytest.approx(whole.delta, nan_ok=True, abs=1e-12)
    assert gaps.alone[:3, :3] == pytest.approx(whole.alone, nan_ok=True)


def test_no_other_is_the_best_where_every_lead_of_one_holds_by_a_test_of_its_own() -> None:
    """Berger's intersection-union test: p of the lead is the greatest of its two-sided p-values.

    Five metrics of noise and one that follows people: each of its leads holds alone, and the
    greatest lead of all pairs together does not.
    """
    metrics, people, source = equally_good(6, 12, rng(4))
    metrics[2] = people + rng(8).normal(0, 0.7, people.shape)
    found = compare_metrics(metrics, people, Statistic(), Resampling(rng(1)), sources=source)
    others = [0, 1, 3, 4, 5]
    assert (found.delta[:2, 2] < 0).all() and (found.delta[2, 3:] > 0).all()
    leads = [*found.alone[:2, 2], *found.alone[2, 3:]]
    assert max(leads) < 0.05 < np.nanmax([*found.adjusted[:2, 2], *found.adjusted[2, 3:]])
    assert found.not_best[others].max() == pytest.approx(max(leads))
    assert found.not_best[2] > 0.5


def test_a_metric_that_does_not_lead_them_all_shows_nothing_of_the_others() -> None:
    """Two equal copies of the best: neither leads the other, so each may be the best."""
    metrics, people, source = equally_good(3, 12, rng(4))
    metrics[0] = metrics[1] = people + rng(8).normal(0, 0.5, people.shape)
    found = compare_metrics(metrics, people, Statistic(), Resampling(rng(1)), sources=source)
    assert found.delta[0, 1] == 0 and found.alone[0, 1] == 1
    assert found.not_best[:2].tolist() == [1.0, 1.0] and found.not_best[2] < 0.05
