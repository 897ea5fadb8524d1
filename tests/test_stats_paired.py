"""Pairs of methods: differences and Holm, against hand values, statsmodels, simulation."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import simulated_ratings as simulated
import statsmodels.api as sm
from bell_mccaffrey import clustered_variance
from simulated_ratings import small, votes_of
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.sandwich_covariance import cov_cluster_2groups

from evaluation.stats.ratings import (
    Votes,
    bootstrap_differences,
    common_votes,
    compare_methods,
    mos_difference,
    read_ratings,
    source_weights,
    votes_on,
)
from evaluation.stats.resampling import Resampling


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_difference_is_over_common_edits_and_sources_count_once() -> None:
    """Edits: 4 - 3 = 1, 3 - 3 = 0, 3.5 - 1 = 2.5; sources .5 and 2.5; difference 1.5."""
    found = mos_difference(small(), 0, 1)
    assert found.mid == 1.5
    assert (found.sources, found.raters, found.freedom) == (2, 2, 1)
    assert mos_difference(small(), 1, 0).mid == -1.5
    assert mos_difference(small(), 1, 0).error == pytest.approx(found.error)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_standard_error_agrees_with_statsmodels(seed: int) -> None:
    """statsmodels 0.15.0: votes on method and source effects, weighted, `cov_cluster_2groups`;
    its (N - 1) / (N - k), k = 1 method + J sources, is taken out as we do not count nuisance
    effects. An incomplete design in which few raters see both methods of an edit. To 1e-9.
    """
    design = simulated.split_items(12, 29, 60, 2, 3, rng(seed))
    votes = votes_of(design, simulated.values(design, np.array([0.0, 0.4]), rng(seed + 10)))
    weight = np.zeros(len(votes.value))
    for method in (0, 1):
        side = votes.method == method
        weight[side] = source_weights(votes.where(side))
    dummies = pd.get_dummies(votes.source).to_numpy(float)
    terms = np.column_stack([votes.method == 1, dummies]).astype(float)
    fit = sm.WLS(votes.value, terms, weights=weight).fit()
    n, k = terms.shape
    total, by_rater, _ = (
        each[0, 0] * (n - k) / (n - 1)
        for each in cov_cluster_2groups(fit, votes.rater, votes.source)
    )
    found = mos_difference(votes, 0, 1)
    assert found.mid == pytest.approx(fit.params[0], abs=1e-9)
    sign = np.where(votes.method == 1, 1.0, -1.0)
    score = sign * weight * fit.resid
    plain = np.array([score[votes.rater == r].sum() for r in range(12)])
    assert 12 / 11 * plain @ plain == pytest.approx(by_rater, abs=1e-9)
    # raters hold nearly equal shares of both methods: factors near 12 / 11, each its own
    own, _ = clustered_variance(score, votes.rater, weight, votes.method)
    expected = (own + total - by_rater) ** 0.5
    assert found.error == pytest.approx(expected, abs=1e-9)
    assert expected == pytest.approx(total**0.5, rel=0.01)
    p = 2 * scipy.stats.t.sf(abs(found.mid) / found.error, found.freedom)
    assert found.p == pytest.approx(p, abs=1e-12) and 10 < found.freedom <= 11


def test_in_a_complete_design_it_is_the_clustered_mean_of_raters_differences() -> None:
    """d_ij = y_ijB - y_ijA, two-way clustered: statsmodels 0.15.0, d on a constant, to 1e-9."""
    design = simulated.complete(9, 7, 2)
    value = simulated.values(design, np.array([0.0, 0.4]), rng(3))
    cube = value.reshape(9, 7, 2)
    d = (cube[:, :, 1] - cube[:, :, 0]).ravel()
    rater, source = (axis.ravel() for axis in np.indices((9, 7)))
    fit = sm.OLS(d, np.ones(63)).fit()
    total = cov_cluster_2groups(fit, rater, source)[0][0, 0]
    found = mos_difference(votes_of(design, value), 0, 1)
    assert found.mid == pytest.approx(d.mean(), abs=1e-9)
    assert found.error == pytest.approx(total**0.5, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["crossed", "split"])
def test_the_test_holds_its_level_and_naive_ones_do_not(name: str) -> None:
    """No difference between methods; 600 studies, binomial standard error 0.9% at 5%.
    24 raters x 30 sources, half seen; and 12 raters x 29 sources x 127 edits, nobody sees an edit
    twice. Mann-Whitney of the pooled votes, which takes them for independent, does not hold it.
    """
    draw = rng(4)
    if name == "crossed":
        design = simulated.complete(24, 30, 2)
        seen = draw.random((24, 30)) < 0.5
        keep = seen[design["rater"], design["edit"]]
        design = {axis: codes[keep] for axis, codes in design.items()}
    else:
        design = simulated.split_items(12, 29, 127, 2, 2, draw)
    raw = votes_of(design, np.ones(len(design["rater"])))
    rejected, naive = [], []
    for _ in range(600):
        votes = raw._replace(value=simulated.values(design, np.array([0.0, 0.0]), draw))
        rejected.append(mos_difference(votes, 0, 1).p < 0.05)
        sides = [votes.value[votes.method == method] for method in (0, 1)]
        naive.append(scipy.stats.mannwhitneyu(*sides).pvalue < 0.05)
    assert 0.025 <= np.mean(rejected) <= 0.075
    assert np.mean(naive) > 0.1


@pytest.mark.slow
def test_holm_over_pairs_and_questions_agrees_with_statsmodels() -> None:
    """statsmodels 0.15.0 `multipletests(method="holm")`: 3 pairs x 2 questions, to 1e-12."""
    design = simulated.complete(8, 9, 3)
    effects = np.array([0.0, 0.3, 0.6])
    table = simulated.long_table(
        design,
        quality=simulated.values(design, effects, rng(5)),
        fidelity=simulated.values(design, effects, rng(6)),
    )
    found = compare_methods(read_ratings(table))
    assert [(one.question, one.a, one.b) for one in found[:3]] == [
        ("fidelity", "m000", "m001"),
        ("fidelity", "m000", "m002"),
        ("fidelity", "m001", "m002"),
    ]
    assert len(found) == 6
    reference = multipletests([one.difference.p for one in found], method="holm")[1]
    assert [one.p_holm for one in found] == pytest.approx(reference, abs=1e-12)
    assert np.isnan(found[0].boot_low)


def test_a_test_that_fails_still_counts_among_the_tests() -> None:
    """Quality's votes do not vary within a method: B - A is 1 with no variance, p NaN. The p of
    fidelity is doubled all the same.
    """
    design = simulated.complete(6, 6, 2)
    table = simulated.long_table(
        design,
        quality=3.0 + design["method"],
        fidelity=simulated.values(design, np.array([0.0, 0.1]), rng(7)),
    )
    fidelity, quality = compare_methods(read_ratings(table))
    assert np.isnan(quality.difference.p) and np.isnan(quality.p_holm)
    assert quality.difference.mid == pytest.approx(1)
    assert quality.difference.low == pytest.approx(1) and quality.difference.high == pytest.approx(
        1
    )
    assert fidelity.p_holm == pytest.approx(min(2 * fidelity.difference.p, 1))


def test_methods_that_are_alike_in_every_vote_differ_by_nothing() -> None:
    design = simulated.complete(5, 5, 2)
    (found,) = compare_methods(read_ratings(simulated.long_table(design, q=np.full(50, 3.0))))
    assert (found.difference.mid, found.difference.p) == pytest.approx((0, 1))
    share = found.superiority.found
    assert (share.mid, share.p) == pytest.approx((0.5, 1))


def test_degenerate_designs() -> None:
    """One method: no pair. No common edit, one rater, one source: no interval."""
    one = simulated.complete(3, 3, 1)
    assert compare_methods(read_ratings(simulated.long_table(one, q=np.ones(9)))) == []
    apart = {
        "rater": [0, 1, 0, 1],
        "source": [0, 0, 1, 1],
        "edit": [0, 0, 1, 1],
        "method": [0, 0, 1, 1],
    }
    design = {axis: np.array(codes) for axis, codes in apart.items()}
    (found,) = compare_methods(
        read_ratings(simulated.long_table(design, q=np.array([1.0, 2, 3, 4]))),
        resampling=Resampling(rng()),
    )
    assert np.isnan([found.difference.mid, found.p_holm, found.superiority.found.mid]).all()
    assert (found.edits, found.superiority.pairs) == (0, 0)
    for raters, sources in ((1, 6), (6, 1)):
        design = simulated.complete(raters, sources, 2)
        value = simulated.values(design, np.array([0.0, 1.0]), rng(8))
        alone = mos_difference(votes_of(design, value), 0, 1)
        assert np.isfinite(alone.mid) and np.isnan([alone.low, alone.p]).all()


def test_the_bootstrap_of_a_difference_agrees_with_loops() -> None:
    """20 resamples with the same counts: an edit counts where both methods keep a vote."""
    design = simulated.some_of(simulated.complete(5, 4, 2, edits_each=2), 0.5, rng(9))
    votes = votes_of(design, simulated.values(design, np.array([0.0, 0.5]), rng(10)))
    found = bootstrap_differences(votes, [(0, 1)], Resampling(rng(11), 20))[:, 0]
    again = rng(11)
    of_raters = again.multinomial(5, np.full(5, 0.2), size=20)
    of_sources = again.multinomial(4, np.full(4, 0.25), size=20)
    for row, raters, sources in zip(found, of_raters, of_sources, strict=True):
        assert row == pytest.approx(difference_by_loops(votes, raters, sources), nan_ok=True)


def test_pairs_share_their_resamples() -> None:
    """Intervals of three methods with gaps are those of each pair alone on the same draws, since an
    item's mean does not depend on what it is compared with.
    """
    design = simulated.some_of(simulated.complete(7, 6, 3, edits_each=2), 0.4, rng(15))
    value = simulated.values(design, np.array([0.0, 0.5, 0.7]), rng(16))
    ratings = read_ratings(simulated.long_table(design, q=value))
    votes, found = (
        votes_on(ratings, "q"),
        compare_methods(ratings, resampling=Resampling(rng(17), 50)),
    )
    for one, (a, b) in zip(found, [(0, 1), (0, 2), (1, 2)], strict=True):
        alone = bootstrap_differences(votes, [(a, b)], Resampling(rng(17), 50))[:, 0]
        ends = np.nanquantile(alone, [0.025, 0.975])
        assert (one.boot_low, one.boot_high) == pytest.approx(ends, abs=1e-12)


def difference_by_loops(votes: Votes, raters: np.ndarray, sources: np.ndarray) -> float:
    total = count = 0.0
    for source in range(votes.sources):
        gains = []
        for edit in set(votes.edit[votes.source == source].tolist()):
            sides = []
            for method in (0, 1):
                at = (votes.edit == edit) & (votes.method == method)
                sides.append(np.repeat(votes.value[at], raters[votes.rater[at]]))
            if len(sides[0]) and len(sides[1]):
                gains.append(sides[1].mean() - sides[0].mean())
        if gains:
            total += sources[source] * np.mean(gains)
            count += sources[source]
    return total / count if count else np.nan


def test_common_votes_alone_matter() -> None:
    """Edit 3 of `small` has one method only: changing its vote changes nothing."""
    votes = small()
    changed = votes._replace(value=np.where(votes.edit == 3, 1.0, votes.value))
    assert mos_difference(votes, 0, 1) == mos_difference(changed, 0, 1)
    assert len(common_votes(votes, 0, 1).value) == 8
