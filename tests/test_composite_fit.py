"""The model behind a composite: by hand, by closed form, and against other solvers."""

import numpy as np
import pytest
from composite_data import simple
from scipy.optimize import lsq_linear

from evaluation.stats.composite import (
    PENALTIES,
    choose_penalty,
    fit,
    learn,
    moments,
    solve,
    standardized,
    weighted,
)

NAN = np.nan


def table(seed: int = 0, cells: int = 60, metrics: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Metrics of several units that follow the votes a little."""
    rng = np.random.default_rng(seed)
    votes = rng.normal(3, 0.8, cells)
    values = votes[:, None] + rng.normal(0, 1.5, (cells, metrics))
    return values * 10.0 ** np.arange(-1, metrics - 1) + 7, votes


def test_one_metric_by_hand() -> None:
    """x = 0, 2, 4, 6: mean 3, variance 5; y = 1, 2, 2, 3: mean 2; cov = (3 + 0 + 0 + 3) / 4 = 1.5.

    z'y/n = 1.5 / sqrt 5, z'z/n = 1, so at penalty 0.5 the weight is 1 / sqrt 5.
    """
    model = fit(np.array([[0.0], [2], [4], [6]]), np.array([1.0, 2, 2, 3]), 0.5)
    assert model.means == pytest.approx([3])
    assert model.scales == pytest.approx([5**0.5])
    assert model.intercept == pytest.approx(2)
    assert model.weights == pytest.approx([1 / 5**0.5])
    # At x = 8: 2 + (8 - 3) / sqrt 5 / sqrt 5 = 3.
    assert model.intercept + weighted(model, np.array([8.0])) == pytest.approx(3)


@pytest.mark.parametrize("penalty", [0.01, 1.0, 30.0])
def test_where_no_weight_would_be_negative_it_is_ridge(penalty: float) -> None:
    """The normal equations, and least squares on rows sqrt(n penalty) I added below (numpy)."""
    values, votes = table()
    z = standardized(values, values.mean(axis=0), values.std(axis=0))
    off = votes - votes.mean()
    normal = np.linalg.solve(z.T @ z + len(z) * penalty * np.eye(5), z.T @ off)
    assert (normal > 0).all()
    below = np.vstack([z, (len(z) * penalty) ** 0.5 * np.eye(5)])
    augmented = np.linalg.lstsq(below, np.append(off, np.zeros(5)), rcond=None)[0]
    found = fit(values, votes, penalty).weights
    np.testing.assert_allclose(found, normal, rtol=1e-9)
    np.testing.assert_allclose(found, augmented, rtol=1e-9)


@pytest.mark.parametrize("penalty", [0.01, 1.0])
def test_scikit_learn_says_the_same(penalty: float) -> None:
    """Ridge(positive=True) of scikit-learn 1.9.1 iterates, so to 1e-4; its penalty is n times."""
    linear = pytest.importorskip("sklearn.linear_model")
    values, votes = table()
    z = standardized(values, values.mean(axis=0), values.std(axis=0))
    model = linear.Ridge(alpha=len(z) * penalty).fit(z, votes)
    np.testing.assert_allclose(fit(values, votes, penalty).weights, model.coef_, rtol=1e-9)
    turned = values * [1, -1, 1, -1, 1]
    z = standardized(turned, turned.mean(axis=0), turned.std(axis=0))
    bound = linear.Ridge(alpha=len(z) * penalty, positive=True, tol=1e-12).fit(z, votes)
    np.testing.assert_allclose(fit(turned, votes, penalty).weights, bound.coef_, atol=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_bounded_weights_are_those_of_another_solver(seed: int) -> None:
    """scipy.optimize.lsq_linear (BVLS) on the rows that ridge adds."""
    values, votes = table(seed, metrics=8)
    values = values * np.where(np.arange(8) % 3, 1, -1)
    z = standardized(values, values.mean(axis=0), values.std(axis=0))
    below = np.vstack([z, (len(z) * 0.1) ** 0.5 * np.eye(8)])
    right = np.append(votes - votes.mean(), np.zeros(8))
    expected = lsq_linear(below, right, bounds=(0, np.inf), method="bvls", tol=1e-14).x
    found = fit(values, votes, 0.1).weights
    assert (found == 0).any()
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_no_metric_counts_against_its_direction() -> None:
    values, votes = table()
    assert (fit(-values, votes, 1.0).weights == 0).all()


def test_predictions_do_not_depend_on_the_metrics_units() -> None:
    values, votes = table()
    groups = np.arange(60) // 5
    one, other = learn(values, votes, groups), learn(values * 1000 - 5, votes, groups)
    np.testing.assert_allclose(weighted(one, values), weighted(other, values * 1000 - 5), atol=1e-9)
    assert one.penalty == other.penalty


def test_the_penalty_is_the_one_that_errs_least_on_sources_left_out() -> None:
    """Worked out the long way: one fit for each penalty and source."""
    made = simple(1, [1.5, 3, np.inf, np.inf, np.inf])
    values = made.metrics.reshape(5, -1).T
    votes, groups = made.votes.ravel(), np.tile(made.sources, 3)
    errors = []
    for penalty in PENALTIES:
        off = 0.0
        for source in range(12):
            out = groups == source
            model = fit(values[~out], votes[~out], penalty)
            off += ((model.intercept + weighted(model, values[out]) - votes[out]) ** 2).sum()
        errors.append(off)
    assert choose_penalty(values, votes, groups) == PENALTIES[int(np.argmin(errors))]


def test_of_equal_penalties_the_largest_is_taken() -> None:
    """A constant metric has weight 0 at any penalty; so has anything with one source."""
    votes = np.arange(12.0)
    assert choose_penalty(np.ones((12, 1)), votes, np.arange(12) // 3) == PENALTIES[-1]
    assert choose_penalty(votes[:, None], votes, np.zeros(12)) == PENALTIES[-1]


def test_a_missing_value_stands_at_the_mean_to_learn_from_and_gives_no_number() -> None:
    values, votes = table()
    values[:6, 1] = NAN
    model = fit(values, votes, 1.0)
    filled = np.where(np.isnan(values), np.nanmean(values, axis=0), values)
    assert model.means == pytest.approx(filled.mean(axis=0))
    assert model.scales[1] == pytest.approx(np.nanstd(values[:, 1]))
    found = weighted(model, values)
    assert np.isnan(found[:6]).all()
    assert np.isfinite(found[6:]).all()


def test_a_metric_without_weight_may_be_missing() -> None:
    values, votes = table()
    values[:, 2] *= -1
    model = fit(values, votes, 1.0)
    assert model.weights[2] == 0
    row = values[0].copy()
    row[2] = NAN
    assert weighted(model, row) == pytest.approx(weighted(model, values[0]))


def test_a_constant_metric_has_no_scale_and_no_weight() -> None:
    values, votes = table()
    values[:, 0] = 0.1
    model = fit(values, votes, 0.001)
    assert (model.scales[0], model.weights[0]) == (0, 0)
    assert np.isfinite(weighted(model, values)).all()


def test_equal_metrics_share_a_weight() -> None:
    values, votes = table()
    doubled = np.column_stack([values[:, 0], values[:, 0]])
    weights = solve(moments(doubled, votes), np.array([0.5]))[0]
    assert weights[0] == pytest.approx(weights[1])
    assert weights[0] > 0
