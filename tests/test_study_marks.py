"""Where raters mark that an edit is broken: kept, exported, erased; off unless it is asked for."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from browser_rater import BrowserRater, chromium
from pydantic import ValidationError
from served_study import make_run, make_study, running_server
from small_study import PLAN, study
from sqlalchemy import func, select
from study_people import OWN, VARIED, add_rater, opened_in, triple
from two_raters import rows

from dreamix.core.errors import UserError
from study_app import flow
from study_app.declaration import Running
from study_app.erasure import erase
from study_app.export.writing import export
from study_app.marks import Box, DefectMark, checked_marks
from study_app.open_study import open_study
from study_app.plan import ServedClip, read_plan, write_plan
from study_app.playback import Ledger, Stretch
from study_app.pseudonyms import all_raters
from study_app.spec.study import Study
from study_app.spec.template import TEMPLATE
from study_app.store import tables
from study_app.store.database import Database

ASKING = {"  ask: false": "  ask: true"}
SEEN = Ledger(stretches=(Stretch(start=0, end=2, took=2),), plays=1)
BOX = Box(x=0.25, y=0.5, width=0.5, height=0.25)
FLICKER = DefectMark(clip="edit", start=0.5, end=1.25, kind="flicker", severity=3, box=BOX)


def at_a_trial(database: Database, settings: Study) -> tuple[Running, int, int]:
    """A rater whose first trial is open: of a clip of two seconds."""
    running = Running(settings, PLAN, database)
    rater = add_rater(database, dealt=OWN[:2], start=0)
    opened = flow.open_trial(running, rater, 0)
    assert opened
    return running, rater, opened.id


def test_marks_are_kept_with_the_answer_and_once(database: Database) -> None:
    running, rater, trial = at_a_trial(database, study(**ASKING))
    later = DefectMark(clip="edit", start=1.5, end=2.05, kind="text", severity=1)
    given = (trial, triple(1, 2, 3), SEEN)
    for at in (9_000, 9_500):
        assert flow.answer_trial(running, rater, *given, at, marks=(FLICKER, later))
    with database.reading() as session:
        rows = session.scalars(select(tables.Mark).order_by(tables.Mark.id)).all()
        kept = [(r.start_s, r.end_s, r.x, r.height, r.kind, r.severity) for r in rows]
    assert kept == [(0.5, 1.25, 0.25, 0.25, "flicker", 3), (1.5, 2.0, None, None, "text", 1)]


@pytest.mark.parametrize(
    ("settings", "mark", "why"),
    [
        ({}, FLICKER, "does not ask"),
        (ASKING, FLICKER.model_copy(update={"clip": "left"}), "the trial has edit"),
        (ASKING, FLICKER.model_copy(update={"end": 2.2}), "a clip of 2.0 s"),
        (ASKING | {"kinds: [flicker, ": "kinds: ["}, FLICKER, "which the study does not ask for"),
    ],
)
def test_what_no_page_can_send_is_refused_and_nothing_is_kept(
    database: Database, settings: dict[str, str], mark: DefectMark, why: str
) -> None:
    running, rater, trial = at_a_trial(database, study(**settings))
    with pytest.raises(ValueError, match=why):
        flow.answer_trial(running, rater, trial, triple(1, 2, 3), SEEN, 9_000, marks=(mark,))
    with database.reading() as session:
        for table in (tables.Mark, tables.Answer, tables.Playback):
            assert session.scalar(select(func.count()).select_from(table)) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": 2.0},
        {"severity": 4},
        {"severity": 0},
        {"kind": "ugly"},
        {"end": float("inf")},
        {"box": {"x": 0.6, "y": 0, "width": 0.5, "height": 0.1}},
        {"box": {"x": -0.1, "y": 0, "width": 0.5, "height": 0.1}},
    ],
)
def test_a_mark_that_is_none_is_no_mark(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DefectMark.model_validate({**FLICKER.model_dump(), **wrong})


def test_more_than_twenty_marks_are_refused() -> None:
    with pytest.raises(ValueError, match="21 marks"):
        checked_marks(study(**ASKING), PLAN, OWN[0], False, [FLICKER] * 21)


@pytest.mark.parametrize(
    ("start", "end", "kept"),
    [
        (0, 0, (0, 0)),
        (2, 2, (2, 2)),
        (2.02, 2.05, (2, 2)),
        (0, 2, (0, 2)),
        (1.999, 2.1, (1.999, 2)),
    ],
)
def test_a_mark_may_be_a_moment_and_stand_at_an_end(
    start: float, end: float, kept: tuple[float, float]
) -> None:
    """Of a clip of two seconds; what lies a little beyond its end is its end."""
    mark = FLICKER.model_copy(update={"start": start, "end": end})
    (found,) = checked_marks(study(**ASKING), PLAN, OWN[0], False, [mark])
    assert (found.start, found.end) == kept


def test_a_study_that_asks_has_the_words_for_it_in_every_language() -> None:
    text = TEMPLATE.read_text()
    words = text[text.index("    defects:\n") :]
    with pytest.raises(UserError, match="en has no `defects`"):
        study(**ASKING, **{words: ""})
    with pytest.raises(UserError, match="defects of en has no word for flicker"):
        study(**ASKING, **{"        flicker: It flickers\n": ""})
    assert study(**{words: ""}).defects.ask is False


def test_an_export_has_a_row_for_each_mark(database: Database, tmp_path: Path) -> None:
    running = opened_in(tmp_path, database, study(**ASKING))
    add_rater(database, VARIED, minutes=9, number=5)
    _, rater, trial = at_a_trial(database, running.study)
    flow.answer_trial(running, rater, trial, triple(1, 2, 3), SEEN, 9_000, marks=(FLICKER,))
    folder = export(running, None, 0).folder
    (row,) = rows(folder, "marks")
    told = {name: row[name] for name in ("edit", "marked", "clip", "start_s", "end_s", "clip_s")}
    assert told == {
        "edit": OWN[0].edit,
        "marked": OWN[0].methods[0],
        "clip": "edit",
        "start_s": "0.5",
        "end_s": "1.25",
        "clip_s": "2",
    }
    assert (row["defect"], row["severity"], row["x"], row["width"]) == (
        "flicker",
        "3",
        "0.25",
        "0.5",
    )
    assert row["declared"] == running.declared[:12]


@pytest.mark.slow
def test_of_a_pair_the_method_is_that_of_the_side(database: Database, tmp_path: Path) -> None:
    settings = study(**ASKING, **{"design: absolute": "design: pairwise"})
    pair = replace(OWN[0], methods=("a", "b"), reference="s")
    running = opened_in(tmp_path, database, settings, replace(PLAN, items=(pair,)))
    for number, swapped in enumerate((False, True)):
        add_rater(database, [(pair, "rating", triple(1, 1, 1))], number=number, swapped=swapped)
    with database.writing() as session:
        for trial in session.scalars(select(tables.Trial)):
            given = {"start_s": 0.0, "end_s": 1.0, "kind": "motion", "severity": 2}
            session.add(tables.Mark(trial_id=trial.id, clip="left", **given))
    first, second = rows(export(running, None, 0).folder, "marks")
    assert (first["marked"], second["marked"]) == pair.methods


def test_who_is_erased_with_their_answers_leaves_no_mark(database: Database) -> None:
    running, rater, trial = at_a_trial(database, study(**ASKING))
    flow.answer_trial(running, rater, trial, triple(1, 2, 3), SEEN, 9_000, marks=(FLICKER,))
    erase(running, all_raters(running), 10_000, answers=True)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(tables.Mark)) == 0


@pytest.mark.slow
@pytest.mark.parametrize("design", ["absolute", "pairwise"])
def test_a_rater_marks_a_fault_in_a_browser(root: Path, tmp_path: Path, design: str) -> None:
    """By mouse: a box over the right half; and by keyboard alone, without one."""
    run = make_run(tmp_path / "run", root, videos=4)
    changes = {**ASKING, "design: absolute": f"design: {design}"}
    folder = make_study(tmp_path / "study", run, **changes)
    with running_server(folder) as server, chromium() as browser:
        rater = BrowserRater(browser.new_page(), server.url)
        rater.arrive()
        rater.consent()
        rater.check_device()
        rater.press("Next")
        rater.ready()
        page = rater.page
        page.locator(".defects summary").click()
        page.locator(".times input").first.fill("0.5")
        page.locator(".times input").last.fill("1")
        page.get_by_label("Distorted shapes").check(force=True)
        page.get_by_label("Disturbing").check(force=True)
        rater.press("Mark the place")
        box = page.locator(".picker:not([hidden])").bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 1)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] - 1, box["y"] + box["height"] - 1)
        page.mouse.up()
        rater.press("Add this fault")
        page.locator(".defects summary").focus()
        for key in ("Tab", "End", "Tab", "End"):
            page.keyboard.press(key)
        for label in ("Unnatural motion", "Hardly noticeable"):
            page.get_by_label(label).focus()
            page.keyboard.press("Space")
        page.get_by_role("button", name="Add this fault").focus()
        page.keyboard.press("Enter")
        assert page.locator(".marks li").count() == 2
        page.locator(".marks li button").last.click()
        assert page.locator(".marks li").count() == 1
        rater.press("Play")
        rater.answer(*((4, 3, 5) if design == "absolute" else (1, 2, 3)))
        page.get_by_text("Most people would answer").first.wait_for()
    running = open_study(folder)
    with running.database.reading() as session:
        (mark,) = session.scalars(select(tables.Mark))
        assert (mark.start_s, mark.end_s, mark.kind, mark.severity) == (0.5, 1.0, "distorted", 3)
        assert mark.clip == ("edit" if design == "absolute" else "left")
        assert mark.x == pytest.approx(0.5, abs=0.01) and mark.width == pytest.approx(0.5, abs=0.02)
        assert mark.height == pytest.approx(1, abs=0.02)
    running.database.engine.dispose()


@pytest.mark.slow
def test_marks_end_with_the_clip_they_are_on_and_there_is_room_for_twenty(
    root: Path, tmp_path: Path
) -> None:
    """Of a pair whose right side is of one second, the left of two: times follow the side."""
    run = make_run(tmp_path / "run", root, videos=4)
    changes = {**ASKING, "design: absolute": "design: pairwise"}
    folder = make_study(tmp_path / "study", run, **changes)
    plan = read_plan(folder)
    right = {i.right: ServedClip(1.0, plan.clips[i.right].sha256) for i in plan.of_kind("training")}
    write_plan(folder, replace(plan, clips=plan.clips | right))
    with running_server(folder) as server, chromium() as browser:
        rater = BrowserRater(browser.new_page(), server.url)
        rater.arrive()
        rater.consent()
        rater.check_device()
        rater.press("Next")
        rater.ready()
        page = rater.page
        page.locator(".defects summary").click()
        start, end = page.locator(".times input").first, page.locator(".times input").last
        length = float(end.get_attribute("max") or 0)
        assert length == pytest.approx(2, abs=0.1)
        end.fill(end.get_attribute("max"))
        page.locator(".defects fieldset").first.get_by_label("Right").check(force=True)
        assert float(end.get_attribute("max") or 0) == 1
        assert float(end.input_value()) <= 1 and float(start.input_value()) <= 1
        for number in range(20):
            add_one(page)
            assert page.locator(".marks li").count() == number + 1
        add_one(page)
        assert page.locator(".marks li").count() == 20
        rater.sees("There is room for 20 faults.")
        page.locator(".marks li button").first.click()
        add_one(page)
        assert page.locator(".marks li").count() == 20
        rater.press("Play")
        rater.answer(1, 2, 3)
        page.get_by_text("Most people would answer").first.wait_for()
    running = open_study(folder)
    with running.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(tables.Mark)) == 20
    running.database.engine.dispose()


def add_one(page: Any) -> None:
    for label in ("Distorted shapes", "Disturbing"):
        page.get_by_label(label, exact=True).check(force=True)
    page.get_by_role("button", name="Add this fault").click()
