"""Letters of significance and paired success: hand-derived cases, properties, statsmodels."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import simulated_ratings as simulated
import statsmodels.api as sm
from statsmodels.stats.multitest import multipletests

from evaluation.stats.compact_letters import compact_letters
from evaluation.stats.ratings import compare_success, item_success, paired_shares, read_ratings
from reports.page.files import markdown
from reports.page.latex import latex
from reports.page.shell import table_html
from reports.tables import Head, Table, TableCell, TableRow


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


@pytest.mark.slow
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


def changes(table: pd.DataFrame, cluster: list[str], edits: int) -> pd.DataFrame:
    """Return by how much the gain moves without the rows of a cluster on one method, on both."""
    full, rows = mean_gain(table, edits), {}
    for key, part in table.groupby([*cluster, "method"]):
        rows[key] = mean_gain(table.drop(index=part.index), edits) - full
    return pd.Series(rows).unstack().fillna(0.0)  # (clusters, 2 methods)


@pytest.mark.slow
@pytest.mark.parametrize("seen", ["by all", "mostly by some", "one method each"])
def test_raters_add_what_leaving_each_out_changes(seen: str) -> None:
    """The jackknife done the long way: rows of a rater (on a source) about a method deleted from
    the table, success worked out anew with pandas, and the factors and degrees of freedom of Bell
    & McCaffrey from their matrices. Raters who favour a method differ.
    """
    draw = np.random.default_rng(0)
    design = simulated.split_items(8, 10, 30, 2, 3, draw)
    if seen != "by all":
        design = simulated.complete(11, 10, 2)
    favour = simulated.Deviations(method_rater=1.5, method_source=0.0, answer=0.4)
    table = simulated.long_table(design, a=simulated.values(design, np.zeros(2), draw, favour))
    edits, number = table["edit"].nunique(), table["rater"].astype("category").cat.codes
    if seen == "mostly by some":
        table = table[(table["method"] == "m001") | (number < 4) | (draw.random(len(table)) < 0.5)]
    if seen == "one method each":
        table = table[(table["method"] == "m000") == (number < 4)]
    table = table.reset_index(drop=True)
    held = table.groupby(["rater", "method"]).size().unstack().fillna(0)
    share = (held / held.sum()).to_numpy()  # (raters, 2)
    wanted = np.diag((share**2).sum(axis=1))
    there = sum(np.linalg.matrix_power(np.diag(p) - np.outer(p, p), 2) for p in share.T)
    factor = np.diag(wanted) / np.diag(there)
    scaled = np.diag(factor) @ there
    freedom = np.trace(wanted) ** 2 / np.trace(scaled @ scaled)

    def squares(moved: np.ndarray) -> float:
        """Of changes (raters, 2): about their mean by method, each divided by its factor."""
        return float((((moved - share * moved.sum(axis=0)).sum(axis=1)) ** 2 / factor).sum())

    by_rater = squares(changes(table, ["rater"], edits).to_numpy())
    both, names = 0.0, sorted(set(table["rater"]))
    for (rater, _), moved in changes(table, ["rater", "source"], edits).iterrows():
        alone = np.zeros_like(share)
        alone[names.index(rater)] = moved
        both += squares(alone)
    ratings = read_ratings(table)
    gain = np.diff(item_success(ratings), axis=0)[0]
    (one,) = compare_success(ratings)
    assert by_rater - both > both / freedom, "or the test shows nothing"
    if seen == "one method each":  # Welch's of 4 and 7 raters of equal shares: Satterthwaite 1946
        assert freedom == pytest.approx((1 / 4 + 1 / 7) ** 2 / (1 / 4**2 / 3 + 1 / 7**2 / 6))
    expected = paired_shares(gain, ratings.source, by_rater - both, freedom + 1)
    assert one.mid == pytest.approx(mean_gain(table, edits))
    assert (one.low, one.high, one.p) == pytest.approx(
        (expected.low, expected.high, expected.p), abs=1e-9
    )


def test_one_rater_of_a_method_leaves_success_without_a_test() -> None:
    """As differences of means: nothing shows how another rater of that method would have voted."""
    table = simulated.long_table(
        design := simulated.complete(9, 8, 2), a=np.where(design["method"] == 1, 5.0, 1.0)
    )
    alone = table["rater"] == table["rater"].min()
    table = table[alone == (table["method"] == "m000")]
    (one,) = compare_success(read_ratings(table))
    assert (one.mid, one.raters, one.fewest) == (1.0, 9, 1)
    assert np.isnan([one.low, one.high, one.p]).all()


@pytest.mark.slow
@pytest.mark.parametrize(("few", "many"), [(3, 9), (4, 20), (2, 22)])
def test_unequal_numbers_of_raters_do_not_make_success_surer(few: int, many: int) -> None:
    """250 studies without a difference, raters of one method each: 5% are 12.5, three Monte Carlo
    errors above it 23; with all raters less one for degrees of freedom, 7 to 9% of studies erred.
    """
    wrong, raters, sources = 0, few + many, 29
    r, s = (x.ravel() for x in np.meshgrid(np.arange(raters), np.arange(sources)))
    m = (r >= few).astype(int)
    for study in range(250):
        draw = np.random.default_rng([7, few, study])
        felt = 3.2 + draw.normal(0, 0.4, raters)[r] + draw.normal(0, 0.6, sources)[s]
        felt += draw.normal(0, 0.35, (sources, 2))[s, m] + draw.normal(0, 0.8, len(r))
        value = np.clip(np.rint(felt), 1, 5)
        columns = {"rater": r, "source": s, "edit": s, "method": m, "question": 0 * r}
        (one,) = compare_success(read_ratings(columns | {"value": value}), 3.2)
        wrong += one.p < 0.05
    assert wrong <= 23


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
    cell = TableCell("3.40", "[3, 4]", mark="ab")
    table = Table("t", "T", "C", (Head("x"),), (TableRow("m", (cell,)),))
    assert "| m | 3.40 ab [3, 4] |" in markdown(table)
    assert r"m & 3.40\textsuperscript{ab} \\" in latex(table)
    assert "<span>3.40</span><sup>ab</sup><small>[3, 4]</small>" in table_html(table)
