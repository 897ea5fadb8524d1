"""The questions that Toybox writes: exact, balanced, and no part of a suite's identity."""

import hashlib
from pathlib import Path

import pytest
from checklist_oracle import chosen, holds

from dreamix.core.typed import adapter
from dreamix.data.edit_questions import EditQuestion
from dreamix.data.suite import Suite, load_suite
from dreamix.data.suite_entries import Edit
from dreamix.data.suite_form import Questions
from dreamix.toybox.world import Scene
from dreamix.toybox.world.questions import questions

SUITES = ("toybox", "animate")


@pytest.fixture(scope="module")
def suites() -> dict[str, Suite]:
    return {name: load_suite(Path(name)) for name in SUITES}


@pytest.fixture(scope="module")
def written(suites: dict[str, Suite]) -> list[tuple[Suite, Edit, tuple[EditQuestion, ...]]]:
    return [
        (suite, edit, suite.questions(edit)) for suite in suites.values() for edit in suite.edits
    ]


def is_right(question: EditQuestion, scene: Scene) -> bool:
    """Whether the stated answer is that of the scene, by the oracle's own rules."""
    if not question.options:
        return holds(question.question, scene) == question.answer
    letters = dict(zip("ABCD", question.options, strict=False))
    return letters[chosen(question.question, letters, scene)] == question.answer


def test_every_answer_is_that_of_the_exact_edit(
    written: list[tuple[Suite, Edit, tuple[EditQuestion, ...]]],
) -> None:
    """Also that a choice has one right option, not two: the oracle finds exactly one."""
    for suite, edit, asked in written:
        recipe = suite.ideal_recipe(edit)
        assert recipe is not None and len(asked) >= 7
        assert all(is_right(one, Scene.from_dict(recipe)) for one in asked), edit.id


def test_on_the_source_what_stays_is_right_and_what_changes_is_wrong(
    suites: dict[str, Suite],
) -> None:
    suite = suites["toybox"]
    for edit in suite.edits:
        source = Scene.from_dict(suite.videos[edit.video].recipe or {})
        for one in suite.questions(edit):
            if one.options:
                continue  # may offer the source's word or not; it has no right one to find
            assert is_right(one, source) == (one.about == "kept"), (edit.id, one)


def test_half_of_the_yes_no_questions_of_an_edit_expect_yes(
    written: list[tuple[Suite, Edit, tuple[EditQuestion, ...]]],
) -> None:
    for _, edit, asked in written:
        answers = [one.answer for one in asked if not one.options]
        assert answers.count(True) == answers.count(False), edit.id
        about = {one.about for one in asked}
        assert {"target", "kept"} <= about <= {"target", "source", "kept"}


def test_the_questions_are_those_a_suite_may_state(
    written: list[tuple[Suite, Edit, tuple[EditQuestion, ...]]],
) -> None:
    """Ids are unique in their edit, an answer is among the options, texts are on one line."""
    for _, _, asked in written:
        adapter(Questions).validate_python([one.to_dict() for one in asked])


def test_they_follow_from_the_recipes_and_are_not_kept(suites: dict[str, Suite]) -> None:
    """So that suites and runs from before are what they were."""
    assert "questions" not in suites["toybox"].to_dict()["edits"][0]
    assert not suites["toybox"].edits[0].questions
    again = Suite.from_dict(suites["toybox"].to_dict())
    assert [*map(again.questions, again.edits)] == [
        *map(suites["toybox"].questions, suites["toybox"].edits)
    ]
    subject = load_suite(Path("subject"))
    assert not any(map(subject.questions, subject.edits)), "no exact answers are known there"


def test_their_words_stay_as_they_are(
    written: list[tuple[Suite, Edit, tuple[EditQuestion, ...]]],
) -> None:
    """Scores are of these words; others would be another metric under the same name."""
    told = [(edit.id, q.question, q.answer, q.options) for _, edit, asked in written for q in asked]
    words = "\n".join(map(str, told))
    assert hashlib.sha256(words.encode()).hexdigest()[:12] == "7cdf460790f0"


def test_what_cannot_be_seen_is_not_asked() -> None:
    """Sepia keeps no colour: neither the change nor what stays of it is asked."""
    scene = Scene("red", "ball", "falling", "room", style="sepia")
    asked = questions(scene, {"colour": "blue", "shape": "box"})
    assert [one.id for one in asked[:3]] == ["is-shape", "not-shape", "which-shape"]
    plain = Scene("red", "ball", "falling", "room")
    for changes in ({"style": "sepia"}, {"style": "pencil", "shape": "box"}):
        assert not any("colour" in str(one.id) for one in questions(plain, changes))


def test_a_wrong_option_is_none_that_stills_hardly_tell_apart() -> None:
    """A camera that pans to the left makes a resting thing slide to the right."""
    still = Scene("red", "ball", "falling", "room", camera="panning left")
    which = next(one for one in questions(still, {"motion": "resting"}) if one.id == "which-motion")
    assert not {"slide right", "shake", "bounce"} & {*which.options}
    assert "fall" in which.options, "what it was in the source is always offered"
