"""Letters of significance and paired success: hand-derived cases, properties, statsmodels."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import simulated_ratings as simulated
import statsmodels.api as sm
from statsmodels.stats.multitest import multipletests

from evaluation.stats.letters import compact_letters
from evaluation.stats.paired_shares import paired_shares
from evaluation.stats.ratings import read_ratings
from evaluation.stats.success import item_success
from evaluation.stats.success_pairs import compare_success
from reports.formats import latex, markdown
from reports.sections import table_html
from reports.tables import Cell, Head, Row, Table


def differing(methods: int, *pairs: tuple[int, int]) -> np.ndarray:
    table = np.zeros((methods, methods), bool)
    for a, b in pairs:
        table[a, b] = table[b, a] = True
    return table


@pytest.mark.parametrize(
    ("pairs", "letters"),
    [
        ([], ["a", "a", "a"]),
        ([(0, 2)], ["a", "ab", "b"]),  # a chain: the middle one goes with both
        ([(0, 1), (0, 2)], ["a", "b", "b"]),
        ([(0, 1), (0, 2), (1, 2)], ["a", "b", "c"]),
        ([(0, 1)], ["a", "b", "ab"]),  # the worst of three, noisy, differs from neither
    ],
)
def test_letters_of_three_by_hand(pairs: list[tuple[int, int]], letters: list[str]) -> None:
    assert compact_letters(differing(3, *pairs), [0, 1, 2]) == letters


def test_letters_follow_the_order_and_leave_out_who_is_not_in_it() -> None:
    """Method 2 is best and differs from 0; 1 has no score."""
    assert compact_letters(differing(3, (0, 2)), [2, 0]) == ["b", "", "a"]
    assert compact_letters(differing(2), []) == ["", ""]


def test_a_column_that_lies_within_another_is_absorbed() -> None:
    """Insert and absorb (Piepho 2004) by hand, four methods, differing 0-2, 0-3, 1-3: {0123} is
    split into {013} and {123}; 0-3 makes of {013} {01} and {13}, which lies in {123}; 1-3 makes of
    {123} {12} and {23}: columns {01}, {12}, {23}."""
    found = compact_letters(differing(4, (0, 2), (0, 3), (1, 3)), [0, 1, 2, 3])
    assert found == ["a", "ab", "bc", "c"]


@pytest.mark.parametrize("methods", [1, 2, 4, 8])
def test_two_methods_share_a_letter_exactly_if_they_do_not_differ(methods: int) -> None:
    draw = np.random.default_rng(methods)
    for share in np.linspace(0, 1, 60):
        drawn = np.triu(draw.random((methods, methods)) < share, 1)
        different = drawn | drawn.T
        letters = compact_letters(different, draw.permutation(methods).tolist())
        assert all(letters)
        for a, b in combinations(range(methods), 2):
            assert bool(set(letters[a]) & set(letters[b])) == (not different[a, b])


def test_a_difference_of_one_way_only_is_refused() -> None:
    with pytest.raises(ValueError, match="differs the other way"):
        compact_letters(np.array([[False, True], [False, False]]), [0, 1])


def test_success_differs_by_what_statsmodels_estimates() -> None:
    """statsmodels 0.15.0: OLS of the gain on a constant is the difference; Holm by
    `multipletests`. Test and interval have tests of their own in test_stats_paired_shares."""
    draw = np.random.default_rng(1)
    design = simulated.split_items(20, 15, 40, 3, 1, draw)
    value = simulated.values(design, np.array([0.0, 0.5, -0.3]), draw)
    ratings = read_ratings(simulated.long_table(design, a=value))
    good, found = item_success(ratings), compare_success(ratings)
    for one, (a, b) in zip(found, combinations(range(3), 2), strict=True):
        gain = good[b] - good[a]
        assert one.mid == pytest.approx(sm.OLS(gain, np.ones(len(gain))).fit().params[0], abs=1e-9)
        assert one.mid == pytest.approx((one.only_b - one.only_a) / one.edits)
        assert -1 <= one.low < one.mid < one.high <= 1
    p = [one.p for one in found]
    assert [one.p_holm for one in found] == pytest.approx(multipletests(p, method="holm")[1])


def mean_gain(table: pd.DataFrame, edits: int) -> float:
    good = table.groupby(["edit", "method"])["value"].mean().unstack() > 2.5
    return float((good["m001"].astype(int) - good["m000"].astype(int)).sum() / edits)


def test_raters_add_what_leaving_each_out_changes() -> None:
    """The two jackknives done the long way: rows of a rater, or of a rater on a source, deleted
    from the table, and success worked out anew with pandas. Raters who favour a method differ."""
    draw = np.random.default_rng(0)
    design = simulated.split_items(8, 10, 30, 2, 3, draw)
    favour = simulated.Deviations(method_rater=1.5, method_source=0.0, answer=0.4)
    table = simulated.long_table(design, a=simulated.values(design, np.zeros(2), draw, favour))
    full = mean_gain(table, 30)
    without = [mean_gain(table[table["rater"] != one], 30) for one in sorted(set(table["rater"]))]
    by_rater = 7 / 8 * np.sum((np.array(without) - np.mean(without)) ** 2)
    cells = [part.index for _, part in table.groupby(["rater", "source"])]
    both = sum((mean_gain(table.drop(index=cell), 30) - full) ** 2 for cell in cells)
    ratings = read_ratings(table)
    gain = np.diff(item_success(ratings), axis=0)[0]
    (one,) = compare_success(ratings)
    assert by_rater - both > both / 7, "or the test shows nothing"
    expected = paired_shares(gain, ratings.source, by_rater - both, 8)
    assert one.mid == pytest.approx(full)
    assert (one.low, one.high, one.p) == pytest.approx(
        (expected.low, expected.high, expected.p), abs=1e-9
    )


def test_success_on_every_edit_against_none_is_a_sign_test() -> None:
    """6 sources all for b, none for a: 2 x (1/2)^6; two methods alike on all edits: p = 1."""
    design = simulated.complete(4, 6, 3)
    value = np.where(design["method"] == 1, 5.0, 1.0)
    ratings = read_ratings(simulated.long_table(design, a=value))
    first, alike, _ = compare_success(ratings)
    assert first.mid == first.high == 1 and 0 < first.low < 1
    assert first.p == pytest.approx(scipy.stats.binomtest(6, 6).pvalue)
    assert (alike.mid, alike.p, alike.p_holm) == (0, 1, 1)


def test_success_without_common_edits_or_with_one_source_has_no_test() -> None:
    rows = [("r", f"s{e}", f"e{e}", "ab"[e % 2], "a", 3.0) for e in range(4)]
    columns = ("rater", "source", "edit", "method", "question", "value")
    table = dict(zip(columns, zip(*rows, strict=True), strict=True))
    (one,) = compare_success(read_ratings(table))
    assert one.edits == 0 and np.isnan([one.mid, one.p, one.p_holm]).all()
    alone = simulated.long_table(simulated.complete(3, 1, 2), a=np.array([1.0, 5] * 3))
    (one,) = compare_success(read_ratings(alone))
    assert (one.mid, one.sources) == (1, 1) and np.isnan(one.p)


def test_letters_read_in_every_form_of_a_table() -> None:
    cell = Cell("3.40", "[3, 4]", mark="ab")
    table = Table("t", "T", "C", (Head("x"),), (Row("m", (cell,)),))
    assert "| m | 3.40 ab [3, 4] |" in markdown(table)
    assert r"m & 3.40\textsuperscript{ab} \\" in latex(table)
    assert "<span>3.40</span><sup>ab</sup><small>[3, 4]</small>" in table_html(table)
