"""Differences of success: exact tests, score intervals, and what more evidence does to them."""

from math import comb

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar

from evaluation.stats.ratings import Ratings, compare_success, flip_p, paired_shares, read_ratings


def eight(k: int, raters: int = 6) -> Ratings:
    """Return votes of all raters on eight sources: A always 5, B 1 on the first k and 5 else."""
    rows = [
        (f"r{r}", f"s{s}", f"e{s}", m, "q", 5 if m == "A" or s >= k else 1)
        for r in range(raters)
        for s in range(8)
        for m in "AB"
    ]
    names = ("rater", "source", "edit", "method", "question", "value")
    return read_ratings(dict(zip(names, zip(*rows, strict=True), strict=True)))


def test_the_p_of_eight_sources_is_that_of_the_sign_test_and_falls() -> None:
    """scipy 1.17 `binomtest`: k of k discordant sources, two-sided: .0625 .031 .016 .008 at 5 to 8.
    A t-test gave .019 .0059 .00092 and, all edits alike, .0078: the strongest evidence looked
    weaker than the one before.
    """
    found = [compare_success(eight(k))[0] for k in range(9)]
    assert found[0].p == 1
    for k in range(1, 9):
        assert found[k].p == pytest.approx(scipy.stats.binomtest(k, k).pvalue, abs=1e-12)
    assert (np.diff([one.p for one in found[1:]]) < 0).all()


def test_all_against_none_has_an_interval_and_is_the_surest() -> None:
    """-1 on all of eight sources: an interval that ends at -1, has a width, and lies farther from 0
    than that of any smaller difference.
    """
    found = [compare_success(eight(k))[0] for k in range(1, 9)]
    last = found[-1]
    assert last.mid == last.low == -1 and -0.6 < last.high < -0.2
    assert all(last.high < one.high and last.p < one.p for one in found[:-1])
    assert all(-1 <= one.low <= one.mid <= one.high <= 1 for one in found)


def test_one_edit_a_source_is_mcnemars_exact_test() -> None:
    """statsmodels 0.15.0 `mcnemar(exact=True)`."""
    for up, down, same in ((7, 2, 20), (3, 3, 5), (10, 0, 1), (1, 0, 8)):
        gain = np.repeat([1.0, -1, 0], [up, down, same])
        table = [[same, up], [down, 0]]
        found = paired_shares(gain, np.arange(len(gain)), 0.0, 5)
        assert found.p == pytest.approx(mcnemar(table, exact=True).pvalue, abs=1e-12)


def test_the_interval_is_tangos() -> None:
    """12 and 2 discordant of 21 pairs: all delta at which the score of Tango (1998), with the
    restricted estimate of the smaller cell, is within 1.96, found on a grid.
    """
    gain = np.repeat([1.0, -1, 0], [12, 2, 7])
    found = paired_shares(gain, np.arange(21), 0.0, 5)
    accepted, reach = [], scipy.stats.norm.isf(0.025)
    for delta in np.linspace(-0.999, 0.999, 19981):
        a, c = 2 * 21, -2 * delta * (1 - delta)
        b = -14 + (2 * 21 - 10) * delta
        q = (np.sqrt(b * b - 4 * a * c) - b) / (2 * a)
        z = (10 - 21 * delta) / np.sqrt(21 * (2 * q + delta * (1 - delta)))
        if abs(z) <= reach:
            accepted.append(delta)
    assert (found.low, found.high) == pytest.approx((accepted[0], accepted[-1]), abs=2e-4)


def test_signs_are_tossed_by_source() -> None:
    """Three edits of one source, one of four others, all for B: all of five signs alike, 2 / 2^5.
    Sums 3, 1, 1, -1: of 2^4 sums of +-, those at least 4 are 3+1+1+1, and 3+1+1-1 in three ways.
    """
    assert flip_p(np.array([3.0, 1, 1, 1, 1]), 0.0, 4) == pytest.approx(2 / 32)
    assert flip_p(np.array([3.0, 1, 1, -1]), 0.0, 4) == pytest.approx(2 * (1 + comb(3, 1)) / 16)


def test_what_raters_add_goes_to_nothing_without_a_jump() -> None:
    sums = np.array([1.0, 1, 1, 1, 1, 1, -1, 0])
    p = [flip_p(sums, error, 5) for error in (0.0, 1e-6, 1e-3, 0.05)]
    assert p == pytest.approx([p[0]] * 4, abs=1e-4)
    rising = [flip_p(sums, error, 5) for error in (0.5, 2, 8, 40)]
    assert rising == sorted(rising) and rising[0] >= p[0] and rising[-1] > 0.5


SOURCES = st.lists(
    st.lists(st.sampled_from([-1, 0, 1]), min_size=1, max_size=4), min_size=2, max_size=12
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(data=st.data(), gains=SOURCES, error=st.sampled_from([0.0, 0.02, 0.1]))
def test_more_evidence_never_looks_weaker(
    data: st.DataObject, gains: list[list[int]], error: float
) -> None:
    """Any edit on which the leader gains more makes p no larger; interval and p agree about 0 and
    the interval stays within 100 points and holds the difference.
    """
    sizes = [len(each) for each in gains]
    source = np.repeat(np.arange(len(sizes)), sizes)
    gain = np.concatenate(gains).astype(np.float64)
    gain = gain if gain.sum() >= 0 else -gain
    before = paired_shares(gain, source, error**2, 6)
    assert -1 <= before.low <= before.mid <= before.high <= 1
    assert (before.low <= 0 <= before.high) == (before.p >= 0.05)
    place = data.draw(st.integers(0, len(gain) - 1))
    more = gain.copy()
    more[place] = min(more[place] + 1, 1)
    after = paired_shares(more, source, error**2, 6)
    assert after.p <= before.p + 1e-12


def test_edits_of_one_source_and_no_edits_say_nothing() -> None:
    alone = paired_shares(np.ones(5), np.zeros(5, int), 0.0, 6)
    assert alone.mid == 1 and np.isnan([alone.low, alone.high, alone.p]).all()
    assert np.isnan(paired_shares(np.zeros(0), np.zeros(0, int), 0.0, 6)).all()


def test_equal_methods_have_an_interval_about_nothing() -> None:
    """No edit tells them apart: p 1, and an interval that holds 0 and is not of no width."""
    found = paired_shares(np.zeros(30), np.arange(30) // 2, 0.0, 6)
    assert (found.mid, found.p) == (0, 1)
    assert -0.5 < found.low < 0 < found.high < 0.5
