"""Cluster bootstrap: hand-derived distributions, scipy's bootstrap, measured coverage."""

import time

import numpy as np
import pytest
import scipy.stats

from evaluation.stats.intervals import Interval, cluster_bootstrap, cluster_intervals
from evaluation.stats.resampling import Resampling


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_two_clusters_of_one_item_give_the_binomial_distribution() -> None:
    """Drawing two of {0, 1} with replacement: mean 0, 1/2, 1 with probability 1/4, 1/2, 1/4."""
    values, clusters = np.array([0.0, 1.0]), np.array(["a", "b"])
    assert cluster_bootstrap(values, clusters, Resampling(rng())) == Interval(0, 0.5, 1)
    # The 30th and the 70th percentile both lie in the middle half.
    assert cluster_bootstrap(values, clusters, Resampling(rng(), confidence=0.4)) == Interval(
        0.5, 0.5, 0.5
    )


def test_the_mean_is_over_items_not_over_clusters() -> None:
    """a = {1, 1, 1}, b = {0}: mean 3/4; draws aa, ab, bb have means 1, 3/4, 0 (1/4, 1/2, 1/4)."""
    values, clusters = np.array([1.0, 1, 1, 0]), np.array(["a", "a", "a", "b"])
    assert cluster_bootstrap(values, clusters, Resampling(rng())) == Interval(0, 0.75, 1)
    assert cluster_bootstrap(values, clusters, Resampling(rng(), confidence=0.4)) == Interval(
        0.75, 0.75, 0.75
    )


def test_weights_of_one_over_the_size_give_the_mean_of_cluster_means() -> None:
    """Same data, each cluster counting once: (1 + 0) / 2."""
    values, clusters = np.array([1.0, 1, 1, 0]), np.array(["a", "a", "a", "b"])
    weights = np.array([1 / 3, 1 / 3, 1 / 3, 1])
    found = cluster_bootstrap(values, clusters, Resampling(rng()), weights=weights)
    assert found == pytest.approx(Interval(0, 0.5, 1))


def test_one_cluster_has_a_mean_and_no_interval() -> None:
    low, mid, high = cluster_bootstrap(
        np.array([1.0, 2, 3]), np.array([7, 7, 7]), Resampling(rng())
    )
    assert mid == 2
    assert np.isnan(low) and np.isnan(high)


def test_values_in_one_of_many_clusters_have_no_interval_either() -> None:
    values = np.array([1.0, 3, np.nan, np.nan])
    low, mid, high = cluster_bootstrap(values, np.array([0, 0, 1, 2]), Resampling(rng()))
    assert mid == 2
    assert np.isnan(low) and np.isnan(high)


def test_no_value_at_all_is_nan_throughout() -> None:
    assert np.isnan(cluster_bootstrap(np.full(3, np.nan), np.arange(3), Resampling(rng()))).all()


def test_equal_values_have_an_interval_of_no_width() -> None:
    found = cluster_bootstrap(np.full(12, 0.25), np.arange(12) // 3, Resampling(rng()))
    assert found == pytest.approx(Interval(0.25, 0.25, 0.25))


def test_balanced_clusters_agree_with_scipy_on_cluster_means() -> None:
    """With equal sizes the item mean is the mean of cluster means, which scipy.stats.bootstrap
    (1.17, method "percentile") resamples in the same way; 20,000 draws each, so the ends differ
    only by Monte Carlo error, about 1% of the width.
    """
    values = rng(1).normal(size=(29, 4)) + rng(2).normal(size=(29, 1))
    found = cluster_bootstrap(
        values.ravel(), np.repeat(np.arange(29), 4), Resampling(rng(3), 20_000)
    )
    reference = scipy.stats.bootstrap(
        (values.mean(axis=1),),
        np.mean,
        method="percentile",
        n_resamples=20_000,
        random_state=rng(4),
    ).confidence_interval
    width = reference.high - reference.low
    assert found.mid == pytest.approx(values.mean())
    assert abs(found.low - reference.low) < 0.03 * width
    assert abs(found.high - reference.high) < 0.03 * width


def test_a_nan_item_is_as_good_as_absent_from_its_cluster() -> None:
    clusters = np.array([0, 0, 1, 1, 2])
    with_gap = cluster_bootstrap(np.array([1.0, np.nan, 3, 4, 5]), clusters, Resampling(rng()))
    without = cluster_bootstrap(np.array([1.0, 3, 4, 5]), clusters[[0, 2, 3, 4]], Resampling(rng()))
    assert with_gap == without


def test_a_draw_without_any_value_of_the_column_does_not_count() -> None:
    """Values 0 and 1 in two of ten clusters: the rest only thins the draws, ends stay 0 and 1."""
    values = np.array([0.0, 1.0, *[np.nan] * 8])
    assert cluster_bootstrap(values, np.arange(10), Resampling(rng())) == Interval(0, 0.5, 1)


def test_columns_share_their_draws() -> None:
    """So each column is as if alone, and a constant difference has no width."""
    values = rng(1).normal(size=(40, 1))
    table = np.hstack([values, values + 2, values - (values + 2)])
    clusters = np.arange(40) // 5
    found = cluster_intervals(table, clusters, Resampling(rng(5)))
    alone = cluster_bootstrap(values[:, 0], clusters, Resampling(rng(5)))
    assert (found.low[0], found.mid[0], found.high[0]) == pytest.approx(alone)
    assert found.low[1] - found.low[0] == pytest.approx(2)
    assert found.high[2] - found.low[2] == pytest.approx(0, abs=1e-12)
    assert found.clusters.tolist() == [8, 8, 8]


def test_order_of_items_and_names_of_clusters_do_not_matter() -> None:
    values, clusters = rng(1).normal(size=30), np.arange(30) // 3
    order = rng(2).permutation(30)
    names = np.array([f"video{number:02d}" for number in clusters])
    first = cluster_bootstrap(values, clusters, Resampling(rng()))
    assert cluster_bootstrap(values[order], clusters[order], Resampling(rng())) == pytest.approx(
        first
    )
    assert cluster_bootstrap(values, names, Resampling(rng())) == first


def test_repeating_every_item_does_not_narrow_the_interval() -> None:
    """Twenty copies of ten values say what ten values say; taken as 200 items they would look
    sqrt(20) = 4.5 times as sure.
    """
    values = np.repeat(rng(1).normal(size=10), 20)
    clustered = cluster_bootstrap(values, np.arange(200) // 20, Resampling(rng()))
    naive = cluster_bootstrap(values, np.arange(200), Resampling(rng()))
    assert (clustered.high - clustered.low) / (naive.high - naive.low) == pytest.approx(
        4.5, rel=0.1
    )


def test_coverage_at_the_size_of_the_benchmark() -> None:
    """29 videos, 4 edits each, half of the variance between videos: 20,000 runs gave 93.6%.

    600 runs: binomial standard error 1.0%, so 3 of them to either side.
    """
    runs, draw = 600, rng(6)
    values = np.repeat(draw.normal(size=(29, runs)), 4, axis=0) + draw.normal(size=(116, runs))
    found = cluster_intervals(values, np.repeat(np.arange(29), 4), Resampling(draw, 1000))
    share = np.mean((found.low <= 0) & (found.high >= 0))
    assert 0.906 <= share <= 0.966


def test_a_whole_report_is_resampled_in_a_second() -> None:
    """12 methods x 30 metrics x 127 edits x 2,000 resamples; 0.03 s where this was written."""
    values, clusters = rng(1).normal(size=(127, 360)), rng(2).integers(0, 29, 127)
    values[rng(3).random(values.shape) < 0.1] = np.nan
    began = time.process_time()
    cluster_intervals(values, clusters, Resampling(rng()))
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("values", "clusters", "level"),
    [
        (np.zeros(3), np.zeros(2), 0.95),
        (np.zeros(0), np.zeros(0), 0.95),
        (np.zeros(2), np.arange(2), 1),
    ],
)
def test_what_makes_no_sense_raises(values: np.ndarray, clusters: np.ndarray, level: float) -> None:
    with pytest.raises(ValueError, match="need"):
        cluster_bootstrap(values, clusters, Resampling(rng(), confidence=level))
