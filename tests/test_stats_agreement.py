"""Krippendorff's alpha and retest agreement, against two packages, published and hand values."""

import evalica
import krippendorff
import numpy as np
import pandas as pd
import pytest

from evaluation.stats.agreement import krippendorff_alpha, retest_agreement
from evaluation.stats.resampling import Resampling

# Krippendorff's example as Wikipedia gives it (3 coders, 15 units): nominal .691, interval .811.
GAP = np.nan
EXAMPLE = np.array(
    [
        [GAP, GAP, GAP, GAP, GAP, 3, 4, 1, 2, 1, 1, 3, 3, GAP, 3],
        [1, GAP, 2, 1, 3, 3, 4, 3, GAP, GAP, GAP, GAP, GAP, GAP, GAP],
        [GAP, GAP, 2, 1, 3, 4, 4, GAP, 2, 1, 1, 3, 3, GAP, 4],
    ]
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def long(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return value and unit of a table (raters, units) with NaN where there is no vote."""
    rater, unit = np.nonzero(np.isfinite(table))
    return table[rater, unit], unit


def random_table(seed: int) -> np.ndarray:
    """Seven raters, 40 units, noisy votes on 1 to 5, 40% gaps."""
    draw = rng(seed)
    table = np.clip(np.rint(draw.normal(3, 1, 40) + draw.normal(0, 0.8, (7, 40))), 1, 5)
    table[draw.random(table.shape) < 0.4] = np.nan
    return table


def test_the_published_example() -> None:
    value, unit = long(EXAMPLE)
    nominal = krippendorff_alpha(value, unit, unit, measurement="nominal")
    assert nominal.mid == pytest.approx(0.691358, abs=5e-7)
    assert (nominal.units, nominal.single) == (12, 1)  # units 1 and 13 have no vote
    interval = krippendorff_alpha(value, unit, unit, measurement="interval")
    assert interval.mid == pytest.approx(0.810845, abs=5e-7)


@pytest.mark.parametrize("metric", ["nominal", "ordinal", "interval"])
@pytest.mark.parametrize("seed", [1, 2])
def test_alpha_agrees_with_two_packages(metric, seed: int) -> None:  # type: ignore[no-untyped-def]
    """krippendorff 0.9.0 and evalica 0.4.2, to 1e-9, on an incomplete table."""
    table = random_table(seed)
    value, unit = long(table)
    found = krippendorff_alpha(value, unit, unit, measurement=metric).mid
    reference = krippendorff.alpha(reliability_data=table, level_of_measurement=metric)
    assert found == pytest.approx(float(reference), abs=1e-9)
    assert found == pytest.approx(evalica.alpha(pd.DataFrame(table), metric).alpha, abs=1e-9)


def test_alpha_by_hand() -> None:
    """Two raters, units (1, 1), (1, 2): coincidences 11: 2, 12 and 21: 1 each, n = 4, n_1 = 3,
    n_2 = 1. Nominal: D_o = 2, D_e = 2 * 3 * 1 / 3 = 2: alpha = 0.
    """
    value, unit = np.array([1.0, 1, 1, 2]), np.array([0, 0, 1, 1])
    for metric in ("nominal", "ordinal", "interval"):
        assert krippendorff_alpha(value, unit, unit, measurement=metric).mid == pytest.approx(0)


def packaged(table: np.ndarray) -> float:
    return float(krippendorff.alpha(table, level_of_measurement="ordinal"))


def test_the_interval_is_the_studentized_bootstrap_of_sources() -> None:
    """krippendorff 0.9.0 on the columns of each resample, all units of a source drawn together; its
    error by leaving out one of the drawn sources at a time. The same multinomial counts.
    """
    value, unit = long(table := random_table(3))
    found = krippendorff_alpha(value, unit, unit % 6, resampling=Resampling(rng(4), 60, 0.8))
    columns = [np.arange(source, table.shape[1], 6) for source in range(6)]

    def both(drawn: np.ndarray) -> tuple[float, float]:
        out = [packaged(table[:, np.concatenate([columns[s] for s in np.delete(drawn, k)])])
               for k in range(6)]  # fmt: skip
        error = np.sqrt(5 / 6 * ((out - np.mean(out)) ** 2).sum())
        return packaged(table[:, np.concatenate([columns[s] for s in drawn])]), float(error)

    alpha, error = both(np.arange(6))
    draws = rng(4).multinomial(6, np.full(6, 1 / 6), size=60)
    pairs = np.array([both(np.repeat(np.arange(6), counts)) for counts in draws])
    low, high = np.quantile((pairs[:, 0] - alpha) / pairs[:, 1], [0.1, 0.9])
    ends = (alpha - high * error, alpha - low * error)
    assert (found.low, found.high) == pytest.approx(ends, abs=1e-9)


def test_few_sources_have_no_interval_and_agreement_has_one_of_no_width() -> None:
    """Four sources say too little about others. All raters alike: alpha is 1, whatever is drawn."""
    value, unit = long(random_table(3))
    few = krippendorff_alpha(value, unit, unit % 4, resampling=Resampling(rng()))
    assert few.sources == 4 and np.isfinite(few.mid) and np.isnan([few.low, few.high]).all()
    value, unit = np.repeat([1.0, 2, 3, 4, 5, 3], 3), np.repeat(np.arange(6), 3)
    alike = krippendorff_alpha(value, unit, unit, resampling=Resampling(rng()))
    assert alike[:3] == pytest.approx((1, 1, 1), abs=1e-12)


def test_alpha_where_it_is_not_defined() -> None:
    """All votes equal, or no unit with two votes: NaN. One source: a value without ends."""
    same = krippendorff_alpha(
        np.full(6, 3.0), np.arange(6) // 2, np.zeros(6, int), resampling=Resampling(rng())
    )
    assert np.isnan(same.mid) and same.units == 3
    single = krippendorff_alpha(
        np.arange(3.0), np.arange(3), np.arange(3), resampling=Resampling(rng())
    )
    assert np.isnan(single.mid) and (single.units, single.single) == (0, 3)
    value, unit = long(random_table(5))
    one = krippendorff_alpha(value, unit, np.zeros_like(unit), resampling=Resampling(rng()))
    assert np.isfinite(one.mid) and np.isnan([one.low, one.high]).all()
    with pytest.raises(ValueError, match="no measurement"):
        krippendorff_alpha(value, unit, unit, measurement="ratio")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="as many units"):
        krippendorff_alpha(value, unit[1:], unit)


def test_retest_by_hand() -> None:
    """Changes 0, 1, 0, 2, -1: exact 2/5, within one 4/5, mean .4, variance (6 - 5 * .16) / 4 = 1.3.
    Kappa: observed 6/5; first 1 3 4 2 5 and second 1 4 4 4 4: variances 2 and 1.44, means 3 and
    3.4: expected 2 + 1.44 + .16 = 3.6; kappa 1 - 1.2 / 3.6 = 2/3.
    """
    found = retest_agreement(np.array([1, 3, 4, 2, 5]), np.array([1, 4, 4, 4, 4]))
    assert (found.pairs, found.exact, found.within_one) == (5, 0.4, 0.8)
    assert found.mean_change == pytest.approx(0.4)
    assert found.deviation == pytest.approx(1.3**0.5)
    assert found.answer_deviation == pytest.approx(0.65**0.5)
    assert found.kappa == pytest.approx(2 / 3)


def test_retest_where_little_can_be_said() -> None:
    nothing = retest_agreement(np.zeros(0), np.zeros(0))
    assert nothing.pairs == 0 and np.isnan(nothing[1:]).all()
    one = retest_agreement(np.array([3.0]), np.array([3.0]))
    assert one.exact == 1 and np.isnan([one.kappa, one.deviation]).all()
    with pytest.raises(ValueError, match="pairs of votes"):
        retest_agreement(np.zeros(2), np.zeros(3))
    with pytest.raises(ValueError, match="pairs of votes"):
        retest_agreement(np.array([np.nan]), np.ones(1))
