"""Success rates at item and vote level, against hand counts and published intervals."""

import numpy as np
import pytest
import scipy.stats
import simulated_ratings as simulated

from evaluation.stats.ratings import korn_graubard, read_ratings, success, success_sweep


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def by_hand() -> dict[str, np.ndarray]:
    """Two raters, three edits (of sources 0, 1, 1), one method, two questions."""
    design = simulated.complete(2, 3, 1)
    design["source"] = np.array([0, 1, 1])[design["edit"]]
    return design


def test_the_two_levels_by_hand() -> None:
    """Votes (r0, r1): edit 0 a: 4, 2 (mean 3), b: 3, 3: item succeeds; answers: r0 yes, r1 no.
    Edit 1 a: 5, 5, b: 2, 3 (mean 2.5, not above): fails; r0 no, r1 yes. Edit 2 all 1: fails.
    Items 1 of 3, answers 2 of 6.
    """
    table = simulated.long_table(
        by_hand(), a=np.array([4, 5, 1, 2, 5, 1]), b=np.array([3, 2, 1, 3, 3, 1])
    )
    found = success(read_ratings(table))
    assert found.items.share[0] == pytest.approx(1 / 3) and found.items.counted[0] == 3
    assert found.votes.share[0] == pytest.approx(2 / 6) and found.votes.counted[0] == 6
    assert found.items.clusters[0] == 2 and found.votes.clusters[0] == 2


def test_what_lacks_a_question_is_left_out_and_counted() -> None:
    """Edit 2 has no vote on b. Rater 1 has none on b of edit 0: rater 0's stands for the item."""
    table = simulated.long_table(
        by_hand(), a=np.array([4, 4, 4, 4, 4, 4]), b=np.array([3, 3, 3, 3, 3, 3])
    )
    gone = (table.question == "b") & (
        (table.edit == "e002") | ((table.edit == "e000") & (table.rater == "r001"))
    )
    found = success(read_ratings(table[~gone]))
    assert (found.items.counted[0], found.items.incomplete[0]) == (2, 1)
    assert (found.votes.counted[0], found.votes.incomplete[0]) == (3, 3)


def test_shares_never_rise_with_the_threshold() -> None:
    design = simulated.complete(6, 8, 2)
    ratings = read_ratings(
        simulated.long_table(
            design,
            a=simulated.values(design, np.array([0.0, 0.5]), rng(1)),
            b=simulated.values(design, np.array([0.0, 0.5]), rng(2)),
        )
    )
    sweep = success_sweep(ratings, np.linspace(0.5, 5, 10))
    for rates in ([one.items.share for one in sweep], [one.votes.share for one in sweep]):
        assert (np.diff(np.array(rates), axis=0) <= 0).all()
        assert rates[0].tolist() == [1, 1] and rates[-1].tolist() == [0, 0]
    assert [one.threshold for one in sweep][:2] == [0.5, 1.0]


def test_without_clustering_it_is_the_exact_binomial_interval() -> None:
    """Korn & Graubard with V = p (1 - p) / (n - 1) x (n - 1) / n and as many clusters as counted
    is Clopper & Pearson: scipy 1.17 `binomtest(7, 20).proportion_ci()`.
    """
    reference = scipy.stats.binomtest(7, 20).proportion_ci()
    found = korn_graubard(0.35, 0.35 * 0.65 / 20, 20, 20)
    assert found == pytest.approx((reference.low, reference.high), abs=1e-12)


def test_no_success_at_all_has_the_exact_interval_of_as_many_clusters() -> None:
    """0 of 5 sources, two edits each: Clopper & Pearson 0 to 1 - .025^(1/5) = .5218 for n = 5."""
    design = simulated.complete(8, 5, 1, edits_each=2)
    found = success(read_ratings(simulated.long_table(design, a=np.ones(80))))
    assert found.items.share[0] == 0 and found.items.low[0] == 0
    assert found.items.high[0] == pytest.approx(1 - 0.025 ** (1 / 5), abs=1e-12)
    all_good = success(read_ratings(simulated.long_table(design, a=np.full(80, 5.0))))
    assert all_good.items.low[0] == pytest.approx(0.025 ** (1 / 5), abs=1e-12)
    assert all_good.votes.high[0] == 1


def test_copies_of_an_edit_do_not_narrow_the_interval() -> None:
    """Five edits of one source that all fare alike say what one says. With the item's share p over
    n = 12 sources, V = p (1 - p) / (n - 1), so n* = (n - 1) (t_59 / t_11)^2, by hand.
    """
    good = np.arange(12) < 5
    design = simulated.complete(3, 12, 1, edits_each=5)
    found = success(
        read_ratings(simulated.long_table(design, a=np.where(good[design["source"]], 4, 2)))
    )
    size = 11 * (scipy.stats.t.isf(0.025, 59) / scipy.stats.t.isf(0.025, 11)) ** 2
    hits = size * 5 / 12
    assert found.items.low[0] == pytest.approx(scipy.stats.beta.ppf(0.025, hits, size - hits + 1))
    assert found.items.high[0] == pytest.approx(scipy.stats.beta.isf(0.025, hits + 1, size - hits))


def test_one_source_or_rater_has_a_share_and_no_interval() -> None:
    table = simulated.long_table(simulated.complete(4, 1, 1, edits_each=3), a=np.full(12, 4.0))
    found = success(read_ratings(table))
    assert found.items.share[0] == 1 and np.isnan([found.items.low[0], found.votes.high[0]]).all()
    table = simulated.long_table(simulated.complete(1, 4, 1), a=np.full(4, 4.0))
    found = success(read_ratings(table))
    assert np.isfinite(found.items.low[0]) and np.isnan(found.votes.low[0])


def test_raters_widen_the_interval_of_items_by_hand() -> None:
    """Jackknife of 6 raters x 8 sources, gaps: without rater r the share changes by the sum of what
    each of their answers changes; V_both by rater and source; loops. V_source is that of the mean.
    """
    design = simulated.some_of(simulated.complete(6, 8, 1, edits_each=3), 0.5, rng(31))
    value = simulated.values(design, np.array([0.0]), rng(32))
    found = success(read_ratings(simulated.long_table(design, a=value))).items
    edits = np.unique(design["edit"])

    def good(keep: np.ndarray, edit: int) -> float:
        at = keep & (design["edit"] == edit)
        return float(value[at].mean() > 2.5)

    everyone = np.ones(len(value), bool)
    full = {edit: good(everyone, edit) for edit in edits}
    change = np.zeros((6, 8))
    for rater, edit in set(zip(design["rater"], design["edit"], strict=True)):
        rest = everyone & (design["rater"] != rater)
        if (rest & (design["edit"] == edit)).any():
            change[rater, edit % 8] += (good(rest, edit) - full[edit]) / len(edits)
    by_rater = change.sum(axis=1)
    of_raters = 5 / 6 * ((by_rater - by_rater.mean()) ** 2).sum() - (change**2).sum()
    share = np.mean(list(full.values()))
    sums = np.array([sum(full[e] - share for e in edits if e % 8 == s) for s in range(8)])
    of_sources = 8 / 7 * ((sums / len(edits)) ** 2).sum()
    assert of_raters > 0  # or nothing is shown here
    freedom = (of_sources + of_raters) ** 2 / (of_sources**2 / 7 + of_raters**2 / 5)
    ends = korn_graubard(share, of_sources + of_raters, len(edits), 1 + min(freedom, 7))
    assert (found.low[0], found.high[0]) == pytest.approx(ends, abs=1e-12)


@pytest.mark.slow
def test_intervals_hold_the_truth() -> None:
    """The share of votes above 2.5 in an endless study: normal(3, sum of variances) > 2.5, rounding
    keeps that. 400 studies of 20 raters x 25 sources; Korn-Graubard is at least nominal: 94% less
    two binomial standard errors (1.1%) to 100%.
    """
    parts = simulated.Deviations()
    total = np.sqrt(sum(deviation**2 for deviation in parts))
    truth = scipy.stats.norm.sf(2.5, 3, total)
    draw, held = rng(3), []
    design = simulated.some_of(simulated.complete(20, 25, 1), 0.6, draw)
    raw = read_ratings(simulated.long_table(design, a=np.ones(len(design["rater"]))))
    for _ in range(400):
        value = simulated.values(design, np.array([0.0]), draw)
        rate = success(raw._replace(value=value)).votes
        held.append(rate.low[0] <= truth <= rate.high[0])
    assert np.mean(held) >= 0.93
