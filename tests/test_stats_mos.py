"""MOS and two-way clustered uncertainty, against hand values, statsmodels and simulation."""

import time
from statistics import NormalDist

import numpy as np
import pytest
import scipy.stats
import simulated_ratings as simulated
import statsmodels.api as sm
from bell_mccaffrey import clustered_variance
from simulated_ratings import votes_of
from statsmodels.stats.sandwich_covariance import cov_cluster_2groups

from evaluation.stats.ratings import (
    Votes,
    bootstrap_scores,
    item_scores,
    method_scores,
    source_weights,
)
from evaluation.stats.resampling import Resampling
from evaluation.stats.two_way_cluster import Variance, clustered_estimate, two_way_variance


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def by_hand() -> Votes:
    """One method. Source 0 has edits 0 (votes 1, 3) and 1 (vote 4); source 1 has edit 2 (votes 5,
    4). Item scores 2, 4, 4.5; source means 3 and 4.5; MOS 3.75.
    """
    return Votes(
        rater=np.array([0, 1, 0, 0, 1]),
        source=np.array([0, 0, 0, 1, 1]),
        edit=np.array([0, 0, 1, 2, 2]),
        method=np.zeros(5, np.int64),
        value=np.array([1.0, 3, 4, 5, 4]),
        raters=2,
        sources=2,
        edits=3,
        methods=1,
    )


def test_item_scores_by_hand() -> None:
    """Votes 1, 3: mean 2, deviation sqrt 2, half width t(.975, 1) = 12.7062 times 1."""
    found = item_scores(by_hand())
    assert found.mos.tolist() == [2, 4, 4.5]
    assert found.votes.tolist() == [2, 1, 2]
    assert found.deviation[[0, 2]] == pytest.approx([2**0.5, 0.5**0.5])
    assert found.high[0] - 2 == pytest.approx(12.7062, abs=1e-4)
    assert np.isnan([found.deviation[1], found.low[1], found.high[1]]).all()


def test_item_intervals_agree_with_scipy() -> None:
    """scipy 1.17 `ttest_1samp(...).confidence_interval`, to 1e-9."""
    value = rng(1).integers(1, 6, 7).astype(float)
    votes = votes_of(simulated.complete(7, 1, 1), value)
    reference = scipy.stats.ttest_1samp(value, 0).confidence_interval(0.9)
    found = item_scores(votes, confidence=0.9)
    assert found.low[0] == pytest.approx(reference.low, abs=1e-9)
    assert found.high[0] == pytest.approx(reference.high, abs=1e-9)


def test_a_source_counts_once_whatever_its_edits_and_votes() -> None:
    """(mean(2, 4) + 4.5) / 2 = 3.75; weights 1/(2*2*2) twice, 1/4, 1/4, 1/4."""
    assert method_scores(by_hand()).mos[0] == 3.75
    assert source_weights(by_hand()).tolist() == [0.125, 0.125, 0.25, 0.25, 0.25]


def test_the_clustered_variance_by_hand() -> None:
    """Residuals -2.75, -.75, .25, 1.25, .25 times weights: scores -.34375, -.09375, .0625, .3125,
    .0625. Raters sum to .03125 and -.03125, sources to -.375 and .375; cells (0,0) -.28125,
    (1,0) -.09375, (0,1) .3125, (1,1) .0625. With factors 2, 2 and 4/3:
    V_rater .00390625, V_source .5625, V_both (.0791015625 + .0087890625 + .09765625 + .00390625)
    * 4/3 = .252604166..; sum .313802..., below V_source, so V = V_source.
    """
    votes = by_hand()
    score = source_weights(votes) * (votes.value - 3.75)
    found = two_way_variance(score, votes.rater, votes.source)
    assert found.rater == pytest.approx(0.00390625, abs=1e-12)
    assert found.source == pytest.approx(0.5625, abs=1e-12)
    assert found.both == pytest.approx(0.189453125 * 4 / 3, abs=1e-12)
    assert found.total == found.source
    assert (found.raters, found.sources) == (2, 2)


def test_the_standard_error_agrees_with_statsmodels() -> None:
    """statsmodels 0.15.0: weighted regression on a constant, `cov_cluster_2groups`, whose factor
    G / (G - 1) x (N - 1) / (N - k) is ours for k = 1. Incomplete design, to 1e-9.
    """
    design = simulated.some_of(simulated.complete(20, 12, 1, edits_each=3), 0.4, rng(2))
    value = simulated.values(design, np.array([0.0]), rng(3))
    votes = votes_of(design, value)
    fit = sm.WLS(votes.value, np.ones(len(value)), weights=source_weights(votes)).fit()
    both, rater, source = cov_cluster_2groups(fit, votes.rater, votes.source)
    found = method_scores(votes)
    assert found.mos[0] == pytest.approx(fit.params[0], abs=1e-9)
    weight = source_weights(votes)
    score = weight * (votes.value - found.mos[0])
    parts = two_way_variance(score, votes.rater, votes.source)
    assert parts.total == pytest.approx(both[0, 0], abs=1e-12)
    assert (parts.rater, parts.source) == pytest.approx((rater[0, 0], source[0, 0]), abs=1e-12)
    # raters hold unequal shares: each has its own factor in place of G / (G - 1)
    by_rater, _ = clustered_variance(score, votes.rater, weight, np.zeros(len(score)))
    cells = rater[0, 0] + source[0, 0] - both[0, 0]
    expected = (by_rater + source[0, 0] - cells) ** 0.5
    assert found.error[0] == pytest.approx(expected, abs=1e-9)
    assert expected == pytest.approx(both[0, 0] ** 0.5, rel=0.01)
    half = scipy.stats.t.ppf(0.975, 11) * found.error[0]
    assert found.high[0] - found.mos[0] == pytest.approx(half, abs=1e-9)
    assert found.freedom[0] == 11


def test_p_is_that_of_students_t() -> None:
    """scipy 1.17: 2 t.sf(2, 4)."""
    found = clustered_estimate(2.5, Variance(0.25, 0.1, 0.1, 0.1, 5, 9), null=1.5)
    assert found.p == pytest.approx(2 * scipy.stats.t.sf(2, 4), abs=1e-12)


def test_intervals_hold_the_truth_and_naive_ones_do_not() -> None:
    """24 raters x 30 sources, half of the votes, not rounded to grades: the truth is 3.
    600 studies, binomial standard error 0.9%. The naive interval 1.96 s / sqrt(N) takes votes
    for independent.
    """
    draw, held, naive = rng(4), [], []
    design = simulated.some_of(simulated.complete(24, 30, 1), 0.5, draw)
    raw = votes_of(design, np.ones(len(design["rater"])))
    for _ in range(600):
        value = simulated.values(design, np.array([0.0]), draw, rounded=False)
        found = method_scores(raw._replace(value=value))
        held.append(found.low[0] <= 3 <= found.high[0])
        half = NormalDist().inv_cdf(0.975) * value.std(ddof=1) / len(value) ** 0.5
        naive.append(abs(value.mean() - 3) <= half)
    assert 0.925 <= np.mean(held) <= 0.975
    assert np.mean(naive) < 0.7


def test_the_bootstrap_of_a_full_table_is_known_by_hand() -> None:
    """One method, 2 raters x 2 sources, vote = source: rater draws change nothing; sources 1 and
    2 drawn with replacement give MOS 1, 1.5, 2 with probability 1/4, 1/2, 1/4.
    """
    design = simulated.complete(2, 2, 1)
    votes = votes_of(design, 1.0 + design["source"])
    draws = bootstrap_scores(votes, Resampling(rng(), 8000))[:, 0]
    values, counts = np.unique(draws.round(9), return_counts=True)
    assert values.tolist() == [1, 1.5, 2]
    # Binomial standard error of a quarter of 8000: 0.5%.
    assert counts / 8000 == pytest.approx([0.25, 0.5, 0.25], abs=0.02)


def test_the_bootstrap_agrees_with_loops() -> None:
    """Incomplete design, 40 resamples with the same multinomial counts, each MOS by loops."""
    design = simulated.some_of(simulated.complete(6, 5, 2, edits_each=2), 0.35, rng(5))
    votes = votes_of(design, simulated.values(design, np.array([0.0, 0.5]), rng(6)))
    found = bootstrap_scores(votes, Resampling(rng(7), 40))
    again = rng(7)
    of_raters = again.multinomial(6, np.full(6, 1 / 6), size=40)
    of_sources = again.multinomial(5, np.full(5, 1 / 5), size=40)
    for row, raters, sources in zip(found, of_raters, of_sources, strict=True):
        for method in range(2):
            assert row[method] == pytest.approx(
                mos_by_loops(votes, method, raters, sources), abs=1e-12, nan_ok=True
            )


def mos_by_loops(votes: Votes, method: int, raters: np.ndarray, sources: np.ndarray) -> float:
    total = count = 0.0
    for source in range(votes.sources):
        items = []
        for edit in set(votes.edit[(votes.source == source) & (votes.method == method)].tolist()):
            at = (votes.edit == edit) & (votes.method == method)
            copies = np.repeat(votes.value[at], raters[votes.rater[at]])
            items += [copies.mean()] if len(copies) else []
        if items:
            total += sources[source] * np.mean(items)
            count += sources[source]
    return total / count if count else np.nan


def test_the_bootstrap_is_the_cautious_one() -> None:
    """Owen (2007): the pigeonhole bootstrap overstates the variance. Of t's width, or a little
    more, in one study of a complete 24 x 30 design.
    """
    design = simulated.complete(24, 30, 2)
    votes = votes_of(design, simulated.values(design, np.array([0.0, 0.0]), rng(8)))
    found = method_scores(votes, resampling=Resampling(rng(9)))
    width = (found.boot_high - found.boot_low) / (found.high - found.low)
    assert ((width > 0.85) & (width < 1.3)).all()
    assert ((found.boot_low < found.mos) & (found.mos < found.boot_high)).all()


@pytest.mark.parametrize(("raters", "sources"), [(1, 8), (8, 1), (1, 1)])
def test_one_rater_or_one_source_has_a_mean_and_no_interval(raters: int, sources: int) -> None:
    design = simulated.complete(raters, sources, 2, edits_each=2)
    value = simulated.values(design, np.array([0.0, 1.0]), rng(10))
    found = method_scores(votes_of(design, value), resampling=Resampling(rng(), 50))
    assert found.mos[1] == pytest.approx(value[design["method"] == 1].mean())
    assert np.isnan([found.error, found.low, found.high, found.boot_low, found.boot_high]).all()
    assert found.freedom.tolist() == [0, 0]


def test_equal_votes_have_an_interval_of_no_width() -> None:
    design = simulated.complete(5, 4, 1)
    found = method_scores(votes_of(design, np.full(20, 4.0)), resampling=Resampling(rng(), 50))
    ends = [found.low[0], found.high[0], found.boot_low[0], found.boot_high[0]]
    assert ends == pytest.approx([4] * 4, abs=1e-9)


def test_a_method_without_votes_is_nan_and_counted_zero() -> None:
    votes = by_hand()._replace(methods=2)
    found = method_scores(votes, resampling=Resampling(rng(), 50))
    assert found.mos[0] == 3.75 and np.isnan(found.mos[1]) and np.isnan(found.boot_low[1])
    assert found.votes.tolist() == [5, 0]


def test_the_level_must_make_sense() -> None:
    with pytest.raises(ValueError, match="0 < confidence < 1"):
        method_scores(by_hand(), confidence=95)


def test_many_votes_take_seconds() -> None:
    """300,000 votes, 5 methods, 600 raters, 2,000 resamples: 0.8 s where this was written."""
    design = simulated.complete(600, 20, 5, edits_each=5)
    value = rng(11).integers(1, 6, len(design["rater"])).astype(float)
    sizes = (600, 20, 100, 5)
    votes = Votes(*(design[a] for a in ("rater", "source", "edit", "method")), value, *sizes)
    began = time.process_time()
    method_scores(votes, resampling=Resampling(rng()))
    assert time.process_time() - began < 10
