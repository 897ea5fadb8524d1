"""Simulated raters with known truth, bias and 15% careless: what goes in comes out again.

60 raters, each with 15 of 30 sources, three methods: votes are the method's merit, effects of
rater, source, rater x method and source x method, and noise, rounded to 1..5. Careless raters draw
any grade. Every number is over 40 such studies.
"""

from typing import NamedTuple

import numpy as np
import pytest
from simulated_ratings import Deviations, complete, values, votes_of

from evaluation.stats.ratings import Deviations as OfPower
from evaluation.stats.ratings import (
    Votes,
    deviations_of,
    difference_error,
    method_scores,
    mos_difference,
    rater_model,
    vote_components,
)

STUDIES, RATERS, SOURCES, METHODS = 40, 60, 30, 3
EFFECTS = np.array([-0.5, 0.0, 0.4])
BIAS = 0.4  # deviation of raters
GIVEN = Deviations(rater=0, source=0.4, edit=0, method_rater=0.25, method_source=0.35, answer=0.8)
CARELESS = 0.15


class Drawn(NamedTuple):
    """One study, and which raters answered anything."""

    votes: Votes
    careless: np.ndarray  # bool (raters,)
    bias: np.ndarray  # float (raters,)


def draw(seed: int, share: float = CARELESS) -> Drawn:
    """Return a study in which each rater sees half of the sources, in all three methods."""
    rng = np.random.default_rng(seed)
    design = complete(RATERS, SOURCES, METHODS)
    seen = np.argsort(rng.random((RATERS, SOURCES)), axis=1) < SOURCES // 2
    design = {axis: code[seen[design["rater"], design["source"]]] for axis, code in design.items()}
    bias = rng.normal(0, BIAS, RATERS)
    value = values(design, EFFECTS, rng, GIVEN, rounded=False) + bias[design["rater"]]
    careless = rng.random(RATERS) < share
    anything = rng.integers(1, 6, len(value))
    value = np.where(careless[design["rater"]], anything, np.clip(np.rint(value), 1, 5))
    return Drawn(votes_of(design, value), careless, bias)


@pytest.fixture(scope="module")
def studies() -> list[Drawn]:
    return [draw(seed) for seed in range(STUDIES)]


def attentive(drawn: Drawn) -> Votes:
    """The votes of those who are not careless: as after exclusion by traps."""
    return drawn.votes.where(~drawn.careless[drawn.votes.rater])


@pytest.mark.slow
def test_differences_of_methods_come_back_without_the_careless(studies: list[Drawn]) -> None:
    """0.9 points between the outer methods; rounding and the scale's ends cost a few hundredths."""
    found = [mos_difference(attentive(one), 0, 2).mid for one in studies]
    assert np.mean(found) == pytest.approx(0.9, abs=0.05)
    assert all(gap > 0 for gap in found)


def test_the_careless_shrink_differences_by_their_share(studies: list[Drawn]) -> None:
    """They see no difference, so that .85 of it is left: why results are shown with and without."""
    without = np.array([mos_difference(attentive(one), 0, 2).mid for one in studies])
    share = 1 - np.mean([one.careless.mean() for one in studies])
    found = np.array([mos_difference(one.votes, 0, 2).mid for one in studies])
    assert found.mean() / without.mean() == pytest.approx(share, abs=0.03)


def test_methods_come_in_their_true_order(studies: list[Drawn]) -> None:
    orders = [np.argsort(method_scores(one.votes).mos).tolist() for one in studies]
    assert orders.count([0, 1, 2]) >= 0.9 * STUDIES


def test_intervals_hold_the_truth(studies: list[Drawn]) -> None:
    """Of 120 intervals at 95%, 3 sigma below is 106: differences of all pairs, attentive raters.

    The truth on 1..5 is the mean over studies, as rounding shifts it by a hundredth or two.
    """
    held = 0
    for a, b in ((0, 1), (0, 2), (1, 2)):
        found = [mos_difference(attentive(one), a, b) for one in studies]
        truth = np.mean([one.mid for one in found])
        held += sum(one.low <= truth <= one.high for one in found)
    assert held >= 106


def test_biases_of_raters_come_back(studies: list[Drawn]) -> None:
    """Noise of .85 / sqrt(45 votes) and .25 / sqrt(3 methods) makes .19, so r = .4 / .44 = .9."""
    correlations = []
    for one in studies:
        model = rater_model(one.votes.value, one.votes.item, one.votes.rater)
        kept = ~one.careless
        correlations.append(np.corrcoef(model.bias[kept], one.bias[kept])[0, 1])
    assert np.mean(correlations) == pytest.approx(0.9, abs=0.03)


def test_the_careless_are_the_most_inconsistent(studies: list[Drawn]) -> None:
    """A careless vote deviates by sqrt(2) about 3, an attentive one by about .9."""
    above = []
    for one in studies:
        model = rater_model(one.votes.value, one.votes.item, one.votes.rater)
        lazy, others = (model.inconsistency[side] for side in (one.careless, ~one.careless))
        above.append((lazy[:, None] > others[None]).mean())
    assert np.nanmean(above) > 0.97


@pytest.mark.slow
def test_components_come_back(studies: list[Drawn]) -> None:
    """Of attentive raters: means over studies to within 15%; rounding adds 1 / 12 to the answer."""
    found = [vote_components(attentive(one)) for one in studies[:15]]
    for term, deviation in (
        ("rater", BIAS),
        ("rater:method", GIVEN.method_rater),
        ("source:method", GIVEN.method_source),
    ):
        mean = np.mean([one.of(term) for one in found])
        assert np.sqrt(mean) == pytest.approx(deviation, rel=0.15), term
    answers = np.sqrt(np.mean([one.answer for one in found]))
    assert answers == pytest.approx(np.sqrt(GIVEN.answer**2 + 1 / 12), rel=0.06)


@pytest.mark.slow
def test_a_pilot_predicts_the_error_that_studies_have_to_within_a_tenth(
    studies: list[Drawn],
) -> None:
    """The error from components against the deviation of the difference over 160 studies.

    The deviation of 160 values is known to 6%; the careless are in both.
    """
    several = [*studies, *(draw(seed) for seed in range(STUDIES, 160))]
    gaps = np.array([mos_difference(one.votes, 0, 1).mid for one in several])
    pilots = [deviations_of(vote_components(one.votes)) for one in studies[:15]]
    mean = OfPower(*np.sqrt(np.mean(np.square(pilots), axis=0)))
    ratings = RATERS * SOURCES // 2
    predicted = difference_error(mean, RATERS, SOURCES, ratings)
    assert predicted == pytest.approx(gaps.std(ddof=1), rel=0.1)
