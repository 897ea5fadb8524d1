"""A rater with one vote, two items, unequal loads: every rating statistic gives a clear answer."""

import numpy as np
import pytest
import simulated_ratings as simulated

from evaluation.stats.agreement import (
    bt500,
    intraclass_correlation,
    krippendorff_alpha,
    leave_one_out,
    p913,
    straight_line,
)
from evaluation.stats.ratings import (
    Ratings,
    compare_methods,
    item_scores,
    method_scores,
    rater_model,
    read_ratings,
    success,
    vote_components,
    votes_on,
)
from evaluation.stats.resampling import Resampling


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def with_a_single_vote() -> Ratings:
    """Five raters on 6 sources x 2 methods, of rater 4 only the first vote."""
    design = simulated.complete(5, 6, 2)
    keep = (design["rater"] < 4) | (np.arange(60) == 48)
    design = {axis: codes[keep] for axis, codes in design.items()}
    return read_ratings(
        simulated.long_table(design, q=simulated.values(design, np.array([0.0, 0.5]), rng(1)))
    )


def test_a_rater_with_one_vote_counts_and_is_not_judged() -> None:
    ratings = with_a_single_vote()
    votes = votes_on(ratings, "q")
    votes = votes._replace(rater=simulated.numbered(ratings)[votes.rater])
    assert method_scores(votes).raters.tolist() == [5, 4]
    found = rater_model(votes.value, votes.item, votes.rater)
    assert found.votes.tolist() == [12, 12, 12, 12, 1] and found.few_votes.all()
    # Shrunk variance of one vote: (SS + 5 pooled) / 6, and one vote has no SS about its own mean.
    others = found.inconsistency[:4] ** 2 * 17
    pooled = (others.sum() - 20 * found.inconsistency[4] ** 2 * 6 / 5) / 49
    assert found.inconsistency[4] ** 2 == pytest.approx(5 / 6 * pooled)
    assert not bt500(votes.value, votes.item, votes.rater).flagged[4]
    screened = p913(votes.value, votes.item, votes.rater, votes.method)
    assert np.isnan(screened.r1[4]) and not screened.flagged[4]
    assert np.isnan(straight_line(votes.value, votes.rater).variance[4])
    assert np.isnan(leave_one_out(votes.value, votes.item, votes.rater).spearman[4])
    for number in (vote_components(votes).answer, success(ratings).votes.share[0]):
        assert np.isfinite(number)


def test_two_items_have_means_and_no_more_than_they_can_show() -> None:
    """One edit by two methods, four raters: one source, so no interval about other sources."""
    design = simulated.complete(4, 1, 2)
    ratings = read_ratings(simulated.long_table(design, q=np.array([1, 2, 2, 3, 1, 4, 3, 3.0])))
    votes = votes_on(ratings, "q")
    assert item_scores(votes).mos.tolist() == [1.75, 3.0]
    assert np.isfinite(item_scores(votes).low).all()
    (pair,) = compare_methods(ratings, resampling=Resampling(rng()))
    assert pair.difference.mid == 1.25 and pair.superiority.found.mid == (3 + 0.5) / 4
    assert np.isnan([pair.difference.p, pair.p_holm, pair.boot_low, pair.superiority.found.p]).all()
    alpha = krippendorff_alpha(votes.value, votes.item, votes.source, resampling=Resampling(rng()))
    assert np.isfinite(alpha.mid) and np.isnan(alpha.low)
    icc = intraclass_correlation(votes.value, votes.item, votes.rater)
    assert 0 <= icc.single <= 1
    two_points = leave_one_out(votes.value, votes.item, votes.rater).pearson
    assert set(np.round(two_points[np.isfinite(two_points)], 12)) <= {-1.0, 1.0}
