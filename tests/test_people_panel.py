"""Few raters: results for these raters stand beside those for raters like these, by their names."""

from pathlib import Path

import pytest
from fabricated_export import drawn, people

from evaluation.stats.ratings import compare_methods
from reports.parts import ReportPart
from reports.people.build import people_parts
from reports.people.differences import ALONE, gaps_of
from reports.people.outcome import SUCCESS, People, compared, people_standings
from reports.people.panel import panel_part


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> People:
    """Three raters, twelve videos, two methods 0.8 points apart, whom all raters saw."""
    vote = drawn([0.0, 0.8], noise=0.7)
    return people(tmp_path_factory.mktemp("three"), vote, raters=3, sources=12)


@pytest.fixture(scope="module")
def part(three: People) -> ReportPart:
    found = panel_part(three)
    assert found
    return found


def test_both_claims_stand_side_by_side_and_say_whose_they_are(
    three: People, part: ReportPart
) -> None:
    table = next(table for table in part.tables if table.name == "panel_alignment")
    heads = [head.text for head in table.head]
    assert heads[1:] == ["these 3 raters", "p, these 3 raters", "raters like these",
                         "p, raters like these"]  # fmt: skip
    fixed = next(
        one
        for one in compare_methods(three.kept.common, raters="fixed")
        if one.question == "alignment"
    )
    (row,) = table.rows
    # the study lists beta first, the comparison is b - a of the names in order: alpha, beta
    low, high = fixed.difference.low, fixed.difference.high
    assert row.cells[1].main == f"[{low:.2f}, {high:.2f}]".replace("-", "\N{MINUS SIGN}")
    assert row.cells[1].best and not row.cells[3].best
    assert part.frames[0][1]["about"].unique().tolist() == ["these", "like these"]


def test_the_sentence_names_both_and_what_each_shows(part: ReportPart) -> None:
    said = next(text for text in part.found if text.startswith("Alignment"))
    assert said.startswith(
        "Alignment, for these 3 raters on videos like these: alpha beats beta by"
    )
    assert said.endswith("for raters like these, no difference is significant.")
    assert "2 degrees of freedom" in part.notes[0]
    assert {table.name for table in part.tables} >= {f"panel_{SUCCESS}", "panel_alignment"}


def test_larger_panels_and_raters_who_saw_one_method_each(tmp_path: Path) -> None:
    """Eight raters speak for raters like them alone; where each saw one method, nothing can be said
    for these raters, as their differences are those of the methods too.
    """
    assert panel_part(people(tmp_path / "eight", drawn([0.0, 0.5]), raters=8)) is None
    six = people(tmp_path / "six", drawn([0.0, 0.5]), raters=6)
    given = six.kept.ratings
    keep = given.rater % 2 == given.method
    names = ("rater", "edit", "method", "question", "value")
    half = given._replace(**{name: getattr(given, name)[keep] for name in names})
    kept = six.kept._replace(ratings=half, common=half, of_success=half)
    apart = panel_part(six._replace(kept=kept))
    assert apart and len(apart.found) == 4
    assert all("were not rated by the same raters" in text for text in apart.found)


def test_a_method_of_one_rater_is_compared_by_no_topic_and_says_why(tmp_path: Path) -> None:
    """Means and success alike: five raters of the other method cannot stand for a second one."""
    six = people(tmp_path / "six", drawn([0.0, 2.0]), raters=6)
    given = six.kept.ratings
    keep = (given.rater == 0) == (given.method == 0)
    names = ("rater", "edit", "method", "question", "value")
    half = given._replace(**{name: getattr(given, name)[keep] for name in names})
    standings = people_standings(half)
    kept = six.kept._replace(
        ratings=half, standings=standings, comparisons=compared(half, standings, confidence=0.95)
    )
    gaps = gaps_of(six, kept)
    assert {one.why_not for several in gaps.values() for one in several} == {ALONE}


@pytest.mark.slow
def test_one_rater_and_one_method_have_words_too(tmp_path: Path) -> None:
    one = panel_part(people(tmp_path / "one", drawn([0.0, 0.5]), raters=1))
    assert one and "for this rater on videos like these" in one.found[0]
    alone = people(tmp_path / "alone", drawn([0.0]), raters=3, methods=("only",))
    ids = [part.id for part in people_parts(alone)]
    assert "panel" in ids
    found = panel_part(alone)
    assert found and not found.found and not found.tables and found.folded


def test_one_rater_has_no_degrees_of_freedom_to_speak_of(tmp_path: Path) -> None:
    part = panel_part(people(tmp_path, drawn([0.0, 0.8]), raters=1))
    assert part and part.notes[0].startswith("One rater says nothing about what raters like this")
    assert "degrees" not in part.notes[0]
    assert all(said.endswith("for raters like these, no difference can be tested.")
               for said in part.found)  # fmt: skip
