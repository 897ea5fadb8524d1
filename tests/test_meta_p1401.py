"""ITU-T P.1401: mapping against numpy, scipy's SLSQP and hand derivations; the three tests."""

import numpy as np
import pytest
import scipy.optimize
import scipy.stats
from numpy.polynomial import Polynomial

from evaluation.stats.meta import (
    Mapping,
    correlation_test,
    cross_validated_rmse,
    evaluate_prediction,
    fit_mapping,
    outlier_test,
    predict,
    rmse_test,
)

NAN = np.nan


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def squares(mapping: Mapping, x: np.ndarray, y: np.ndarray) -> float:
    return float(((y - predict(mapping, x)) ** 2).sum())


def slope_at(mapping: Mapping, x: np.ndarray) -> np.ndarray:
    return np.asarray(Polynomial(mapping.coefficients, [mapping.low, mapping.high]).deriv()(x))


def slsqp(x: np.ndarray, y: np.ndarray) -> float:
    """Least sum of squares of a cubic whose slope is >= 0 at 400 points of the range."""
    t = (2 * x - x.min() - x.max()) / (x.max() - x.min())
    powers, grid = np.vander(t, 4, increasing=True), np.linspace(-1, 1, 400)
    slopes = np.stack([0 * grid, 1 + 0 * grid, 2 * grid, 3 * grid**2], axis=1)
    best = min(
        (
            scipy.optimize.minimize(
                lambda c: ((y - powers @ c) ** 2).sum(),
                start,
                jac=lambda c: -2 * powers.T @ (y - powers @ c),
                constraints={"type": "ineq", "fun": lambda c: slopes @ c, "jac": lambda c: slopes},
                method="SLSQP",
                options={"maxiter": 500, "ftol": 1e-14},
            )
            for start in (np.array([y.mean(), 0, 0, 0]), np.array([y.mean(), 1, 0, 0.5]))
        ),
        key=lambda found: found.fun,
    )
    return float(best.fun)


SHAPES = {
    "noise": lambda x, e: e,
    "falling": lambda x, e: -x + 0.3 * e,
    "hump": lambda x, e: -(x**2) + 0.2 * e,
    "cup": lambda x, e: x**2 + 0.2 * e,
    "wave": lambda x, e: np.sin(3 * x) + 0.1 * e,
    "saturating": lambda x, e: np.tanh(3 * x) + 0.2 * e,
    "step down in the middle": lambda x, e: x - 1.5 * x * np.exp(-8 * x**2) + 0.05 * e,
    "flat at the right end": lambda x, e: -np.exp(-4 * x) / 20 + 0.02 * e,
    "flat at the left end": lambda x, e: np.exp(4 * x) / 20 + 0.02 * e,
    "rising": lambda x, e: x + x**3 + 0.1 * e,
}


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(6))
def test_third_order_is_the_constrained_optimum(shape: str, seed: int) -> None:
    """scipy.optimize 1.17 SLSQP, slope >= 0 on a grid of 400 points. The grid allows a little more
    than the whole range does, so its optimum may be lower by 1e-4 of the variance, never more;
    ours must rise everywhere and not be beaten by more than that."""
    draw = rng(seed)
    x = draw.uniform(-1, 1, 25) * (1 + seed) + 3 * seed
    unit = (x - x.mean()) / (x.max() - x.min()) * 2
    y = 3 + SHAPES[shape](unit, draw.normal(size=25))
    mapping = fit_mapping(x, y, 3)
    ours, reference = squares(mapping, x, y), slsqp(x, y)
    total = ((y - y.mean()) ** 2).sum()
    assert abs(ours - reference) < 1e-4 * total
    grid = np.linspace(x.min(), x.max(), 5001)
    assert slope_at(mapping, grid).min() > -1e-7 * total
    assert (np.diff(predict(mapping, grid)) > -1e-9).all()


def test_every_kind_of_optimum_occurs_in_these_cases() -> None:
    """So the check above is not of one branch: free, zero slope at an end, inside, everywhere."""
    kinds = set()
    for shape in SHAPES.values():
        for seed in range(6):
            draw = rng(seed)
            x = draw.uniform(-1, 1, 25)
            unit = (x - x.mean()) / (x.max() - x.min()) * 2
            mapping = fit_mapping(x, 3 + shape(unit, draw.normal(size=25)), 3)
            slope = Polynomial(mapping.coefficients).deriv()
            ends = [abs(slope(end)) < 1e-9 for end in (-1, 1)]
            turn = slope.deriv().roots()
            inside = len(turn) == 1 and abs(turn[0]) < 1 and abs(slope(turn[0])) < 1e-9
            flat = np.abs(slope.coef).max() < 1e-9
            kinds.add("flat" if flat else "free" if not mapping.bound else (*ends, bool(inside)))
    assert {"free", "flat"} < kinds
    assert (False, False, True) in kinds  # a double root inside
    assert {(True, False, False), (False, True, False)} <= kinds  # zero slope at one end


def test_a_free_fit_that_rises_is_that_of_numpy() -> None:
    """numpy.polynomial 2.4, Polynomial.fit(x, y, 3)."""
    x = np.linspace(100, 104, 30)
    y = 1 + (x - 100) + 0.1 * (x - 102) ** 3 + 0.05 * rng(1).normal(size=30)
    mapping, reference = fit_mapping(x, y, 3), Polynomial.fit(x, y, 3)
    assert not mapping.bound
    assert predict(mapping, x) == pytest.approx(reference(x), abs=1e-9)
    assert mapping.coefficients == pytest.approx(reference.coef, abs=1e-9)


def test_first_order_is_the_regression_line_of_scipy() -> None:
    """scipy.stats.linregress 1.17; rmse is its residual standard error, which also has N - 2."""
    x, e = rng(2).normal(size=(2, 40))
    y = 3 + 0.5 * x + 0.3 * e
    line = scipy.stats.linregress(x, y)
    found = evaluate_prediction(x, y)
    residual = y - line.intercept - line.slope * x
    assert predict(found.mapping, x) == pytest.approx(line.intercept + line.slope * x)
    assert found.rmse == pytest.approx(np.sqrt((residual**2).sum() / 38))
    assert found.pearson == pytest.approx(line.rvalue)
    assert (found.n, found.d, found.mapping.bound) == (40, 2, False)


def test_a_falling_line_becomes_flat() -> None:
    """The best non-decreasing line of falling data is their mean; no correlation is left."""
    found = evaluate_prediction(np.arange(5.0), -np.arange(5.0))
    assert found.mapping.coefficients == pytest.approx([-2, 0])
    assert found.mapping.bound
    assert np.isnan(found.pearson)
    assert found.rmse == pytest.approx(np.sqrt(10 / 3))


def test_errors_by_hand() -> None:
    """No mapping (d = 1). Errors 0.5, -1, 0, 0.2 with ci95 0.4, 0.6, 0.1, 0.3.

    rmse^2 = (0.25 + 1 + 0 + 0.04) / 3 = 0.43. Two of four are outliers: OR 1/2, sd 1/4.
    Beyond ci95: 0.1, 0.4, 0, 0: rmse*^2 = (0.01 + 0.16) / 3.
    """
    predicted, error = np.array([1.0, 2, 3, 4]), np.array([0.5, -1, 0, 0.2])
    found = evaluate_prediction(
        predicted, predicted + error, np.array([0.4, 0.6, 0.1, 0.3]), order=0
    )
    assert found.rmse == pytest.approx(np.sqrt(0.43))
    assert found.rmse_star == pytest.approx(np.sqrt(0.17 / 3))
    assert (found.outlier_ratio, found.outlier_sd) == (0.5, 0.25)
    assert (found.n, found.d, found.n_ci) == (4, 1, 4)
    assert found.pearson == pytest.approx(scipy.stats.pearsonr(predicted, predicted + error)[0])


def test_free_parameters_of_each_order() -> None:
    x, y = rng(3).normal(size=(2, 30))
    for order, d in ((0, 1), (1, 2), (3, 4)):
        found = evaluate_prediction(x, x + y, order=order)
        error = x + y - predict(found.mapping, x)
        assert found.d == d
        assert found.rmse == pytest.approx(np.sqrt((error**2).sum() / (30 - d)))


def test_missing_samples_and_missing_intervals_are_counted() -> None:
    x, y = np.arange(8.0), np.arange(8.0) + np.array([0, 1, 0, 1, 0, 1, 0, 1])
    x[0], y[3] = NAN, NAN
    found = evaluate_prediction(x, y, np.where(np.arange(8) < 6, 0.1, NAN))
    assert (found.n, found.missing, found.n_ci) == (6, 2, 4)
    assert np.isfinite([found.rmse, found.rmse_star, found.outlier_ratio]).all()
    without = evaluate_prediction(x, y)
    assert without.rmse == found.rmse
    assert np.isnan([without.rmse_star, without.outlier_ratio, without.outlier_sd]).all()
    assert without.n_ci == 0


@pytest.mark.parametrize("order", [0, 1, 3])
@pytest.mark.parametrize("samples", [0, 1, 2, 4])
def test_too_few_samples_have_no_error(order: int, samples: int) -> None:
    """N - d must be positive."""
    x = np.arange(float(samples))
    found = evaluate_prediction(x, x**2, order=order)
    assert np.isnan(found.rmse) == (samples <= found.d)


def test_a_constant_metric_predicts_the_mean() -> None:
    found = evaluate_prediction(np.full(5, 7.0), np.arange(5.0))
    assert predict(found.mapping, np.array([7.0, 8])) == pytest.approx([2, 2])
    assert found.rmse == pytest.approx(np.sqrt(10 / 3))
    assert np.isnan(found.pearson)
    third = evaluate_prediction(np.full(5, 7.0), np.arange(5.0), order=3)
    assert np.isnan(third.rmse) and np.isnan(third.mapping.coefficients).all()


def test_without_a_mapping_there_are_no_outliers_to_count() -> None:
    found = evaluate_prediction(np.array([0.0, 1, 0, 1, 1]), np.arange(5.0), np.ones(5), order=3)
    assert np.isnan([found.rmse, found.rmse_star, found.outlier_ratio, found.pearson]).all()
    assert (found.n, found.n_ci) == (5, 0)


def test_a_cubic_needs_four_different_values() -> None:
    x, y = np.array([1.0, 1, 2, 2, 3, 3, 3]), np.arange(7.0)
    assert np.isnan(fit_mapping(x, y, 3).coefficients).all()
    assert np.isfinite(fit_mapping(np.append(x, 4), np.append(y, 9), 3).coefficients).all()


def test_beyond_the_data_the_mapping_stays_at_its_end() -> None:
    mapping = fit_mapping(np.arange(6.0), np.arange(6.0) ** 3, 3)
    assert predict(mapping, np.array([-5.0, 50])) == pytest.approx([0, 125], abs=1e-8)


def test_cross_validation_by_hand() -> None:
    """Sources {0: (0, 0), (1, 1)}, {1: (0, 1), (1, 2)}, line of one predicts the other: errors of
    1 everywhere. (Within the same range, so nothing is cut off.)"""
    x, y = np.array([0.0, 1, 0, 1]), np.array([0.0, 1, 1, 2])
    assert cross_validated_rmse(x, y, np.array([0, 0, 1, 1])) == pytest.approx(1)
    assert np.isnan(cross_validated_rmse(x, y, np.zeros(4)))


def test_bad_requests_raise() -> None:
    with pytest.raises(ValueError, match="0, 1 or 3"):
        evaluate_prediction(np.arange(5.0), np.arange(5.0), order=2)
    with pytest.raises(ValueError, match="one length"):
        evaluate_prediction(np.arange(5.0), np.arange(4.0))


def test_fisher_z_by_hand() -> None:
    """r = tanh(1) of 28 samples and tanh(0.5) of 53: z = 0.5 / sqrt(1/25 + 1/50) = 2.0412."""
    found = correlation_test(np.tanh(1.0), 28, np.tanh(0.5), 53)
    assert found.statistic == pytest.approx(0.5 / np.sqrt(0.06))
    assert found.p_two_sided == pytest.approx(0.041227, abs=1e-6)
    assert found.p_one_sided == pytest.approx(found.p_two_sided / 2)
    assert (found.n_first, found.n_second) == (28, 53)
    assert np.isnan(correlation_test(0.5, 3, 0.5, 50).p_two_sided)
    assert correlation_test(0.5, 9, 0.5, 50).p_two_sided == 1


def test_outlier_ratios_are_compared_as_in_statsmodels() -> None:
    """statsmodels 0.15.0: proportions_ztest([18, 31], [127, 120])."""
    found = outlier_test(18 / 127, 127, 31 / 120, 120)
    assert found.statistic == pytest.approx(-2.2967450327697176, abs=1e-12)
    assert found.p_two_sided == pytest.approx(0.021633318875993745, abs=1e-12)
    assert np.isnan(outlier_test(0, 10, 0, 10).statistic)
    assert np.isnan(outlier_test(1, 10, 1, 10).p_one_sided)


def test_rmse_f_test_at_its_critical_value() -> None:
    """F(0.05; 10, 10) = 2.978 in any table: N = 14, d = 4. The order of the two is no matter."""
    ratio = np.sqrt(2.9782370)
    found = rmse_test(ratio, 14, 1.0, 14, d_first=4, d_second=4)
    assert found.p_one_sided == pytest.approx(0.05, abs=1e-6)
    assert found.p_two_sided == pytest.approx(0.1, abs=1e-6)
    swapped = rmse_test(1.0, 14, ratio, 14, d_first=4, d_second=4)
    assert swapped[:3] == pytest.approx(found[:3])
    uneven = rmse_test(2.0, 10, 1.0, 30, d_first=2, d_second=4)
    assert uneven.p_one_sided == pytest.approx(scipy.stats.f.sf(4, 8, 26))


def test_rmse_test_of_degenerate_errors() -> None:
    assert np.isnan(rmse_test(NAN, 10, 1.0, 10, d_first=1, d_second=1).p_two_sided)
    assert np.isnan(rmse_test(1.0, 4, 1.0, 10, d_first=4, d_second=4).p_two_sided)
    assert np.isnan(rmse_test(0.0, 10, 0.0, 10, d_first=1, d_second=1).statistic)
    perfect = rmse_test(0.0, 10, 1.0, 10, d_first=1, d_second=1)
    assert (perfect.statistic, perfect.p_one_sided) == (np.inf, 0)
