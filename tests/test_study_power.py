"""What a study of a size would find, and what is said of it when it is built."""

from dataclasses import replace

import pytest
from small_study import PLAN, study

from evaluation.stats.ratings import Deviations, detectable_difference
from study_app.build_command import build_lines, power_lines
from study_app.power import ASSUMED, PREFERENCES, Aim, Prospect, planning_lines, study_power
from study_app.prepare.build import Built


@pytest.mark.parametrize(
    ("raters", "sources", "each", "error", "difference"),
    [
        (24, 30, 15, 0.130, 0.38),
        (50, 30, 15, 0.111, 0.32),
        (24, 60, 15, 0.113, 0.33),
        (100, 30, 15, 0.101, 0.29),
        (100, 100, 15, 0.068, 0.19),
    ],
)
def test_power_agrees_with_the_simulated_table(
    raters: int, sources: int, each: int, error: float, difference: float
) -> None:
    """Simulated crossed raters and sources, deviations .25, .35, .8: the values of C9."""
    found = detectable_difference(ASSUMED, raters, sources, raters * each)
    assert found.error == pytest.approx(error, abs=0.0015)
    assert found.difference == pytest.approx(difference, abs=0.006)
    assert found.freedom == min(raters, sources) - 1


def test_power_by_hand() -> None:
    """Only answers deviate, by 1: V = 2 / N; 50 an arm of 1e6 raters is the usual z formula."""
    found = detectable_difference(Deviations(0, 0, 1), 10**6, 10**6, 50)
    assert found.difference == pytest.approx((1.959964 + 0.841621) * 0.2, abs=1e-4)


def test_one_source_finds_nothing_and_says_so() -> None:
    found = detectable_difference(ASSUMED, 10, 1, 50)
    assert found.difference == float("inf")
    assert "no difference can be told" in power_lines(study(), Prospect(found, ASSUMED))[0]


def test_power_of_a_study_is_that_of_its_size() -> None:
    """72 cells of 5 votes in lists of 9: 40 raters, 12 sources, 120 ratings of each method."""
    found = study_power(study(), PLAN).power
    assert (found.raters, found.sources, found.ratings) == (40, 12, 120)
    few = study_power(study(**{"raters: null": "raters: 4"}), PLAN).power
    assert (few.raters, few.ratings) == (4, 12), "four raters of nine trials"


PAIRWISE = {"design: absolute": "design: pairwise"}


def test_power_of_pairs_is_of_the_share_of_preferences() -> None:
    """V = .1^2 / 10 + .15^2 / 20 + .5^2 / 50 = .007125; t(9): (2.2622 + .8834) * .0844 = .2655."""
    found = detectable_difference(PREFERENCES, 10, 20, 50)
    assert found.error == pytest.approx(0.0844097, abs=1e-6)
    assert found.difference == pytest.approx(0.26552, abs=1e-4)
    (line, *_) = power_lines(study(**PAIRWISE), Prospect(found, PREFERENCES))
    assert "a preference of 77% or more for one of two methods" in line
    few = Prospect(detectable_difference(PREFERENCES, 3, 3, 3), PREFERENCES)
    assert "too few votes" in power_lines(study(**PAIRWISE), few)[0]


def test_votes_of_a_pair_are_counted_by_pair_of_methods() -> None:
    """12 sources, 24 edits, one pair of two methods, 5 votes: 120 votes of it."""
    two = [replace(i, methods=("a", "b")) for i in PLAN.of_kind("rating") if i.methods == ("a",)]
    found = study_power(study(**PAIRWISE), replace(PLAN, items=tuple(two))).power
    assert (found.sources, found.ratings) == (12, 120)


def test_what_no_scale_has_room_for_is_not_called_found() -> None:
    """Two raters of four trials: 9 points, where 1 and 5 are four apart."""
    settings = study(**{"raters: null": "raters: 2", "trials: 9": "trials: 4"})
    power = study_power(settings, PLAN)
    assert power.power.difference > 4
    assert "not even methods at both ends of the scale" in power_lines(settings, power)[0]
    lines = planning_lines(settings, PLAN, None, Aim(None))
    assert sum("even 4 points, the width of the scale, would be too few" in x for x in lines) == 3


def test_a_list_without_checks_says_so() -> None:
    bare = {"training: 3": "training: 0", "traps: 1": "traps: 0", "gold: 1": "gold: 0"}
    settings = study(**bare, **{"repeats: 1": "repeats: 0"})
    plan = replace(PLAN, items=tuple(PLAN.of_kind("rating")))
    lines = build_lines(Built(settings, plan, 1), study_power(settings, plan), "h")
    assert "checks      a list has none; no practice before it" in lines
    assert "media       1 clip for browsers" in lines
    kept = build_lines(Built(settings, plan, 2, 1), study_power(settings, plan), "h")
    assert any("2 clips for browsers; 1 older one stays, because" in line for line in kept)


def test_what_was_built_is_said() -> None:
    settings = study(**{"raters: null": "raters: 4"})
    lines = "\n".join(build_lines(Built(settings, PLAN, 7), study_power(settings, PLAN), "h"))
    for part in (
        "72 clips: 24 edits of 12 videos by a, b, c",
        "40 needed for 5 votes on each, in lists of 9",
        "size.raters stops at 4: votes will be missing",
        "1 of 3 traps, 1 of 2 gold trials and 1 repeat; 2 practice trials before it",
        "these are guesses, and the components of a pilot replace them",
    ):
        assert part in lines
