"""The screens of a rater, drawn without a browser: what they say, keep and never tell."""

import re
from pathlib import Path
from typing import Any

import pytest
from drawn_page import DrawnPage, watched
from drawn_visit import (
    Clock,
    opened,
    pass_quiz,
    rater_of,
    rows,
    to_practice,
    to_trials,
)
from served_study import ANCHORS, METHODS, make_study
from sqlalchemy import select

from study_app.app.app_state import Site
from study_app.enrollment import EntryLink, get_or_preview_rater
from study_app.erasure import erase
from study_app.pseudonyms import all_raters
from study_app.state import Screen, change_state
from study_app.store.tables import Answer, Playback, Rater, Trial

ID = "5f1e0a9c7b2d4e6f8a0b1c2d"
EVIL = "5f0c-<script>alert(1)</script>'; DROP TABLE rater; --"
SECRETS = (*METHODS, *ANCHORS, "shuffled", "gold", "trap")


def test_from_the_link_to_the_code(site: Site, clock: Clock) -> None:
    """Two practices, then four ratings, a trap, gold, a repeat, with a break after five."""
    page = DrawnPage(site, PROLIFIC_PID="P1", SESSION_ID="S1", lang="en")
    shown = [page.text]
    to_practice(page)
    assert set(page.app.query_params) == {"t"}, "nothing of the person stays in the address"
    for _ in range(2):
        assert "expected" not in page.player, "what most people say comes afterwards"
        shown.append(page.text)
        page.answer(clock.wait)
        assert page.player["mode"] == "feedback"
        assert set(page.player["given"].values()) == {3}
        page.say("seen", trial=page.player["trial"])
    pass_quiz(page)
    trials = 0
    while rater_of(site, page).screen in (Screen.TRIALS, Screen.BREAK):
        shown.append(page.text)
        if rater_of(site, page).screen == Screen.BREAK:
            assert trials == 5
            page.press("Next")
        assert page.player["progress"]["text"] == f"{trials + 1} of 7"
        page.answer(clock.wait)
        trials += 1
    assert trials == 7
    page.app.text_area[0].set_value("<script>alert('x')</script>")
    shown.append(page.text)
    assert not any("DONE-4711" in text for text in shown), "the code comes at the end"
    page.press("Next")
    assert "DONE-4711" in page.text and "OUT-0815" not in page.text
    assert (rows(site, Answer), rows(site, Playback)) == (9 * 3, 9)
    assert rater_of(site, page).comment == "<script>alert('x')</script>"
    assert "script" not in page.text


@pytest.mark.parametrize("times", [500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_a_visit_leaves_no_row_until_the_rater_does_something(site: Site, times: int) -> None:
    """A link that a program opens ten thousand times fills no database, whatever name it gives."""
    for number in range(times):
        assert get_or_preview_rater(site.running, EntryLink(platform_id=f"P{number}"), number)
    pages = [DrawnPage(site) for _ in range(3)]
    assert {page.page["token"] for page in pages} == {None}, "nothing to come back by"
    assert rows(site, Rater) == 0
    pages[0].press("I agree")
    pages[1].press("I do not agree")
    assert rows(site, Rater) == 2
    assert pages[0].page["token"] == pages[0].token == rater_of(site, pages[0]).token


def test_who_comes_as_the_study_closes_is_told_so_and_leaves_no_row(site: Site) -> None:
    page = DrawnPage(site)
    change_state(site.running.database, "closed", 1)
    assert "This study is closed" in page.press("I agree").text
    assert rows(site, Rater) == 0


def test_the_page_of_a_rater_who_was_erased_forgets_them(site: Site, clock: Clock) -> None:
    """Whatever the page did next: it has neither the rater nor their new token."""
    page = to_trials(DrawnPage(site), clock)
    rater = rater_of(site, page)
    assert {"rater", "player", "handled"} <= {k for k in page.app.session_state}
    erase(site.running, [rater], clock())
    assert "does not belong" in page.run().text
    remembered = page.app.session_state
    assert not [key for key in ("rater", "player", "handled", "refused") if key in remembered]
    new = all_raters(site.running)[0].token
    assert new != rater.token and new not in page.text
    assert "does not belong" in page.say("seen", trial=1).text


@pytest.mark.slow
def test_a_refresh_and_another_day_go_on_at_the_same_trial(site: Site, clock: Clock) -> None:
    page = to_trials(DrawnPage(site), clock)
    page.answer(clock.wait)
    trial = page.player["trial"]
    assert DrawnPage(site, t=page.token).player["trial"] == trial
    clock.wait(86_400)
    stranger = to_trials(DrawnPage(site), clock)
    assert stranger.player["trial"] != trial
    again = DrawnPage(site, t=page.token)
    assert again.player["trial"] == trial
    assert again.app.toast[0].value == "Welcome back. You can continue where you left off."
    assert rater_of(site, again.answer(clock.wait)).id == rater_of(site, page).id


@pytest.mark.slow
def test_the_platforms_name_finds_a_rater_again(rated_run: Path, tmp_path: Path) -> None:
    changes = {"kind: open": "kind: prolific"}
    for site in opened(make_study(tmp_path / "study", rated_run, **changes), tmp_path):
        page = DrawnPage(site, PROLIFIC_PID=ID.upper(), STUDY_ID="X", SESSION_ID=EVIL)
        page.press("I agree")
        again = DrawnPage(site, PROLIFIC_PID=f" {ID} ", SESSION_ID="T")
        assert again.token == page.token
        assert "Does this clip play smoothly?" in again.text
        rater = rater_of(site, again)
        assert (rater.platform_id, rater.session, rater.platform_study) == (ID, "T", "X")
        assert "alert(1)" not in page.text + again.text
        assert "does not belong" in DrawnPage(site).text, "Prolific says who comes"


@pytest.mark.parametrize("query", [{"t": "nobody"}, {"t": "' OR 1=1 --"}, {"t": "x" * 5000}])
def test_a_link_of_another_study_is_one_friendly_sentence(
    site: Site, query: dict[str, str]
) -> None:
    page = DrawnPage(site, **query)
    assert len(page.app.markdown) == 1
    assert page.app.markdown[0].value.startswith("This link does not belong to a study")
    assert not page.app.button
    assert rows(site, Rater) == 0


def test_who_does_not_agree_leaves_nothing_behind(site: Site) -> None:
    page = DrawnPage(site, PROLIFIC_PID="P1", SESSION_ID="S")
    page.press("I do not agree")
    assert "Nothing was kept" in page.text
    rater = rater_of(site, page)
    assert (rater.platform_id, rater.session, rater.consented) == (None, None, None)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("device", "told"),
    [
        ({"width": 200}, "This window is 200 pixels wide, but the clips need 320."),
        ({"plays": False, "why": "HTTP 503"}, "could not play the clip (HTTP 503)"),
        ({"said": False}, "You told us that the clip does not play well."),
    ],
)
def test_a_device_that_does_not_do_is_told_why_and_may_try_again(
    site: Site, device: dict[str, object], told: str
) -> None:
    page = DrawnPage(site).press("I agree")
    page.check_device(**device)
    (warning,) = page.app.warning
    assert told in warning.value
    assert "OUT-0815" in page.text, "who has no other device leaves with a code"
    assert "What to do" in page.check_device().text


def test_the_quiz_has_two_tries(site: Site, clock: Clock) -> None:
    page = to_practice(DrawnPage(site))
    while page.player:
        page.answer(clock.wait)
        page.say("seen", trial=page.player["trial"])
    page.press("Next")
    assert page.app.warning[0].value == "Please answer every question."
    pass_quiz(page, 2, 2)
    assert "Please read the instructions once more" in page.text
    page.press("Next")
    pass_quiz(page, 2, 2)
    assert "the study ends here for you" in page.text and "OUT-0815" in page.text
    assert "DONE-4711" not in page.text


def test_a_rater_can_stop_and_nothing_that_was_rated_is_lost(site: Site, clock: Clock) -> None:
    page = to_trials(DrawnPage(site), clock)
    page.answer(clock.wait)
    kept = rows(site, Answer)
    page.press("Stop here.")
    assert "saved, and you can close this page" in page.text and "OUT-0815" in page.text
    assert rows(site, Answer) == kept
    with site.running.database.reading() as session:
        states = set(session.scalars(select(Trial.state)))
    assert states == {"rated", "released"}


def test_a_clip_that_does_not_play_traps_nobody(site: Site, clock: Clock) -> None:
    page = to_trials(DrawnPage(site), clock)
    trial = page.player["trial"]
    page.say("unplayable", trial=trial, why="code 4")
    page.say("unplayable", trial=trial, why="code 4")
    assert page.player["progress"]["text"] == "2 of 7"


SECONDS = 2.0
FORGED: dict[str, dict[str, Any]] = {
    "no ledger": {"ledger": {"stretches": []}},
    "half": {"ledger": {"stretches": [watched(SECONDS / 2)]}},
    "the end alone": {"ledger": {"stretches": [watched(SECONDS, start=1.5, took=0.5)]}},
    "twice as fast": {"ledger": {"stretches": [watched(SECONDS, rate=2, took=1)]}},
    "in no time": {"ledger": {"stretches": [watched(SECONDS, took=0.1)]}},
    "hidden": {"ledger": {"stretches": [watched(SECONDS, seen=False)]}},
    "longer than it was shown": {"ledger": {"stretches": [watched(SECONDS, took=60)]}},
    "a number that is none": {"ledger": {"stretches": [watched(SECONDS, took="nan")]}},
    "ten thousand stretches": {"ledger": {"stretches": [watched(SECONDS)] * 10_000}},
    "no list": {"ledger": "watched"},
    "off the scale": {"answers": {"alignment": 6, "fidelity": 3, "quality": 3}},
    "one question": {"answers": {"alignment": 3}},
    "text": {"answers": {"alignment": "'; --", "fidelity": 3, "quality": 3}},
    "an extra word": {"state": "rated"},
    "no trial": {"trial": None},
    "a huge trial": {"trial": 2**80},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FORGED)
def test_what_no_player_says_changes_nothing(site: Site, clock: Clock, name: str) -> None:
    page = to_practice(DrawnPage(site))
    trial = page.player["trial"]
    page.answer(clock.wait, nonce="forged", **FORGED[name])
    assert (page.player["trial"], page.player["mode"]) == (trial, "trial")
    assert page.player["refused"] == "forged", "the player is told"
    assert rows(site, Answer) == 0
    page.answer(clock.wait)
    assert page.player["mode"] == "feedback", "and an honest answer is still taken"


@pytest.mark.slow
def test_a_ledger_counts_no_more_than_the_time_since_the_trial_was_shown(
    site: Site, clock: Clock
) -> None:
    """The clip takes two seconds: an answer after one is forged, whatever it claims."""
    page = to_practice(DrawnPage(site))
    page.answer(lambda seconds: clock.wait(seconds / 2))
    assert page.player["mode"] == "trial"
    page.answer(lambda seconds: clock.wait(seconds / 2))
    assert page.player["mode"] == "feedback"


@pytest.mark.slow
@pytest.mark.parametrize("said", ["text", 3, [], {}, {"said": None}, {"said": {"nonce": {}}}])
def test_a_state_that_is_no_saying_is_ignored(site: Site, said: object) -> None:
    page = to_practice(DrawnPage(site))
    trial = page.player["trial"]
    page.app.session_state["player"] = said
    page.app.run()
    assert page.player["trial"] == trial
    assert rows(site, Answer) == 0


def test_one_saying_counts_once_and_two_tabs_are_one_rater(site: Site, clock: Clock) -> None:
    first = to_trials(DrawnPage(site), clock)
    second = DrawnPage(site, t=first.token)
    before = rows(site, Answer)
    first.answer(clock.wait, nonce="once")
    trial = second.player["trial"]
    second.answer(clock.wait, trial=trial)
    assert rows(site, Answer) == before + 3
    assert second.player["trial"] == first.player["trial"] != trial
    first.run()
    assert rows(site, Answer) == before + 3


def test_another_raters_trial_cannot_be_answered(site: Site, clock: Clock) -> None:
    mine, other = (to_trials(DrawnPage(site), clock) for _ in range(2))
    before = rows(site, Answer)
    mine.answer(clock.wait, trial=other.player["trial"])
    assert rows(site, Answer) == before


@pytest.mark.slow
def test_no_page_tells_a_method_an_edit_or_what_a_trial_is_for(site: Site, clock: Clock) -> None:
    plan = site.running.plan
    hidden = {*SECRETS, *(item.edit for item in plan.items), *(item.key for item in plan.items)}
    page = DrawnPage(site)
    texts = [page.text]
    to_practice(page)
    while page.player:
        texts.append(page.text)
        page.answer(clock.wait)
        page.say("seen", trial=page.player["trial"])
    pass_quiz(page)
    while rater_of(site, page).screen != Screen.COMMENT:
        texts.append(page.text)
        if page.player:
            page.answer(clock.wait)
        else:
            page.press("Next")
    told = "\n".join(texts).lower()
    assert not [word for word in hidden if re.search(rf"\b{re.escape(word.lower())}\b", told)]
