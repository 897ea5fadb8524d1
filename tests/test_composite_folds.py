"""Held-out predictions of composites: nothing leaks into what is said of a source or method."""

import numpy as np
import pytest
from composite_data import Made, simple

from evaluation.stats.composite import (
    STATISTICS,
    all_best,
    best_single,
    held_out,
    learn,
    metric_agreement,
    unseen_systems,
    weighted,
)

NAN = np.nan
NAMES = ["a", "b", "c", "d", "e"]
ITEM, *_, GLOBAL = STATISTICS


@pytest.fixture(scope="module")
def made() -> Made:
    """Two good metrics, one fair one and two that know nothing."""
    return simple(0, [1.0, 1.0, 2.0, np.inf, np.inf])


def test_a_source_is_predicted_by_what_was_learned_from_the_others(made: Made) -> None:
    found = held_out(made.metrics, made.votes, made.sources)
    cells = np.moveaxis(made.metrics, 0, -1)
    out = made.sources == 4
    group = np.broadcast_to(made.sources, made.votes.shape)[:, ~out].ravel()
    model = learn(cells[:, ~out].reshape(-1, 5), made.votes[:, ~out].ravel(), group)
    expected = model.intercept + weighted(model, cells[:, out])
    np.testing.assert_allclose(found.votes[:, out], expected, atol=1e-12)
    assert found.penalties[4] == model.penalty


def test_a_sources_own_votes_do_not_reach_its_predictions(made: Made) -> None:
    votes = made.votes.copy()
    votes[:, made.sources == 4] = np.random.default_rng(0).uniform(1, 5, (3, 3))
    before = held_out(made.metrics, made.votes, made.sources)
    after = held_out(made.metrics, votes, made.sources)
    out = made.sources == 4
    np.testing.assert_array_equal(before.votes[:, out], after.votes[:, out])
    assert (before.votes[:, ~out] != after.votes[:, ~out]).any()
    for statistic in STATISTICS:
        one, other = (
            best_single(made.metrics, v, made.sources, NAMES, statistic).scores[:, out]
            for v in (made.votes, votes)
        )
        np.testing.assert_array_equal(one, other)


def test_a_methods_own_votes_do_not_reach_what_is_said_of_it_unseen(made: Made) -> None:
    votes = made.votes.copy()
    votes[1] = np.random.default_rng(0).uniform(1, 5, 36)
    before = unseen_systems(made.metrics, made.votes, made.sources)
    after = unseen_systems(made.metrics, votes, made.sources)
    np.testing.assert_array_equal(before.votes[1], after.votes[1])
    assert (before.votes[0] != after.votes[0]).any()


def test_neither_order_nor_label_of_anything_matters(made: Made) -> None:
    rng = np.random.default_rng(5)
    systems, items, metrics = rng.permutation(3), rng.permutation(36), rng.permutation(5)
    relabelled = rng.permutation(12)[made.sources]
    plain = held_out(made.metrics, made.votes, made.sources)
    mixed = held_out(
        made.metrics[metrics][:, systems][:, :, items],
        made.votes[systems][:, items],
        relabelled[items],
    )
    for kind in ("votes", "scores"):
        expected = getattr(plain, kind)[systems][:, items]
        np.testing.assert_allclose(getattr(mixed, kind), expected, atol=1e-9)


@pytest.mark.slow
def test_votes_dealt_out_anew_cannot_be_predicted(made: Made) -> None:
    """Within an edit each fold is independent of the others, so the mean is 0.

    20 deals, correlations over 3 methods of 36 edits: standard error about 0.03.
    """
    values = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        votes = rng.permutation(made.votes.ravel()).reshape(made.votes.shape)
        scores = held_out(made.metrics, votes, made.sources).scores
        values.append(metric_agreement(scores, votes, ITEM))
    assert abs(np.mean(values)) < 0.09


@pytest.mark.slow
def test_a_source_of_noise_is_not_predicted_while_others_are() -> None:
    values = []
    for seed in range(12):
        made = simple(seed, [0.5, 0.5], edits=6)
        noise = made.sources == 0
        rng = np.random.default_rng(seed)
        made.votes[:, noise] = rng.uniform(1, 5, (3, 6))
        scores = held_out(made.metrics, made.votes, made.sources).scores
        values.append(
            [metric_agreement(scores[:, k], made.votes[:, k], ITEM) for k in (noise, ~noise)]
        )
    own, others = np.mean(values, axis=0)
    assert abs(own) < 0.25  # standard error 0.7 / sqrt 72 = 0.08
    assert others > 0.6


def test_intercepts_of_folds_would_count_against_a_composite() -> None:
    """Sources differ, metrics are noise: each fold's mean vote is low where votes are high."""
    made = simple(2, [np.inf] * 3, sources=20)
    votes = made.sources * 0.1 + made.votes
    found = held_out(made.metrics, votes, made.sources)
    assert metric_agreement(found.votes, votes, GLOBAL) < -0.4
    assert metric_agreement(found.scores, votes, GLOBAL) > -0.3


def test_the_single_metric_is_the_best_of_the_other_sources(made: Made) -> None:
    single = best_single(made.metrics, made.votes, made.sources, NAMES, ITEM)
    train = np.where(made.sources == 0, NAN, made.votes)
    values = [metric_agreement(metric, train, ITEM) for metric in made.metrics]
    best = int(np.argmax(values))
    out = made.sources == 0
    assert np.corrcoef(single.scores[:, out].ravel(), made.metrics[best][:, out].ravel())[
        0, 1
    ] == pytest.approx(1)
    assert sum(single.chosen.values()) == 12
    assert NAMES[best] in single.chosen


def test_metrics_that_are_equally_good_are_all_named(made: Made) -> None:
    """A correlation does not change when a metric is multiplied by 3, but for rounding: the copy is
    as good as its original in every fold, whichever of the two has the higher last digit."""
    values = [metric_agreement(metric, made.votes, ITEM) for metric in made.metrics]
    best = int(np.argmax(values))
    for factor in (3.0, 1 / 3):
        metrics, names = np.array([*made.metrics, factor * made.metrics[best]]), [*NAMES, "zz"]
        assert [names[k] for k in all_best(metrics, made.votes, names, ITEM)] == [NAMES[best], "zz"]
        single = best_single(metrics, made.votes, made.sources, names, ITEM)
        assert "zz" not in single.chosen and "zz" in single.even[NAMES[best]]
    assert all_best(np.full((1, *made.votes.shape), NAN), made.votes, ["a"], ITEM) == []
