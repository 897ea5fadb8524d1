"""Studies of other kinds: pairs, paused, closed, in two languages, with a way back."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from drawn_page import DrawnPage
from drawn_visit import Clock, opened, pass_quiz, rater_of, to_practice, to_trials
from served_study import make_study
from sqlalchemy import select

from study_app.app.app_state import Site
from study_app.prepare.build import build
from study_app.spec.study import STUDY_FILE
from study_app.state import Screen, change_state
from study_app.store.tables import Trial


@pytest.mark.slow
def test_pairs_change_sides_and_the_answer_is_of_the_side(
    rated_run: Path, tmp_path: Path, clock: Clock
) -> None:
    changes = {"design: absolute": "design: pairwise"}
    for site in opened(make_study(tmp_path / "pairs", rated_run, **changes), tmp_path):
        page = to_practice(DrawnPage(site))
        assert set(page.player["questions"][0]["options"][0]) == {"value", "label"}
        while page.player:
            page.answer(clock.wait, value=1)
            assert set(page.player["expected"].values()) <= {-1, 1}
            page.say("seen", trial=page.player["trial"])
        assert "The left edit does what was requested" in page.text
        pass_quiz(page, 1, 1)
        with site.running.database.reading() as session:
            trials = {trial.id: trial for trial in session.scalars(select(Trial))}
        swapped = set()
        while page.player:
            trial = trials[page.player["trial"]]
            item = site.running.plan.by_key[trial.item]
            sides = [clip["url"].split("/")[-1][:-4] for clip in page.player["clips"]]
            left, right = (item.right, item.left) if trial.swapped else (item.left, item.right)
            assert sides == [item.reference, left, right]
            if trial.kind == "rating":
                swapped.add(trial.swapped)
            else:
                assert not trial.swapped or trial.kind == "repeat"
            assert [o["value"] for o in page.player["questions"][0]["options"]] == [-1, 0, 1]
            page.answer(clock.wait, value=-1)
        assert swapped == {True, False}
        assert rater_of(site, page).screen in (Screen.COMMENT, Screen.BREAK)


@pytest.mark.slow
def test_a_pause_keeps_what_was_answered_and_goes_on_later(site: Site, clock: Clock) -> None:
    page = to_trials(DrawnPage(site), clock)
    trial = page.player["trial"]
    change_state(site.running.database, "paused", 1)
    assert "The study is paused" in page.run().text and not page.player
    again = DrawnPage(site, t=page.token)
    assert not again.app.toast, "nobody goes on meanwhile"
    change_state(site.running.database, "open", 2)
    assert page.run().player["trial"] == again.run().player["trial"] == trial
    assert again.app.toast[0].value.startswith("Welcome back")


@pytest.mark.slow
def test_a_closed_study_says_so_to_who_comes_next(site: Site, clock: Clock) -> None:
    page = to_practice(DrawnPage(site))
    change_state(site.running.database, "closed", 1)
    while page.player:
        page.answer(clock.wait)
        page.say("seen", trial=page.player["trial"])
    pass_quiz(page)
    assert "This study is closed" in page.text and "OUT-0815" in page.text


MARK = "zz "


@pytest.mark.slow
def test_a_second_language_is_one_more_block(rated_run: Path, tmp_path: Path, clock: Clock) -> None:
    """The template's block again, every text of it marked: no screen says anything unmarked."""
    folder = make_study(tmp_path / "study", rated_run)
    told = yaml.safe_load((folder / STUDY_FILE).read_text())
    told["texts"]["de"] = marked(told["texts"]["en"])
    (folder / STUDY_FILE).write_text(yaml.safe_dump(told))
    build(folder)
    for site in opened(folder, tmp_path):
        page = DrawnPage(site, lang="de")
        assert [text for text in texts_of(page) if MARK not in text] == ["English"], "the choice"
        assert MARK in DrawnPage(site).press(f"{MARK}English").app.title[0].value
        screens = {rater_of(site, page.press(f"{MARK}I agree")).screen}
        while screens.isdisjoint({Screen.FINISHED}):
            assert [text for text in texts_of(page) if MARK not in text] == []
            go_on(page, clock)
            screens.add(rater_of(site, page).screen)
        assert screens >= {"device", "instructions", "training", "feedback", "quiz", "trials"}
        assert screens >= {"break", "comment"} and MARK in page.app.markdown[0].value


def marked(part: Any) -> Any:
    """Return a block of texts with a mark before each."""
    if isinstance(part, dict):
        return {name: marked(value) for name, value in part.items()}
    if isinstance(part, list):
        return [marked(value) for value in part]
    return f"{MARK}{part}" if isinstance(part, str) else part


def texts_of(page: DrawnPage) -> list[str]:
    """Return what stands on a page, but for requests and codes."""
    app, player = page.app, page.player
    drawn = [*app.title, *app.markdown, *app.warning, *app.toast]
    asked = [*app.radio, *app.text_area, *app.button]
    options = [option for radio in app.radio for option in radio.options]
    told = [*player.get("words", {}).values(), *[clip["label"] for clip in player.get("clips", [])]]
    for question in player.get("questions", []):
        told += [question["ask"], *[option["label"] for option in question["options"]]]
    return [*[part.value for part in drawn], *[part.label for part in asked], *options, *told]


def go_on(page: DrawnPage, clock: Clock) -> None:
    """Do what leads on from a screen."""
    mode = page.player.get("mode")
    if mode == "check":
        page.check_device()
    elif mode == "feedback":
        page.say("seen", trial=page.player["trial"])
    elif mode == "trial":
        page.answer(clock.wait)
    else:
        for radio, answer in zip(page.app.radio, (1, 2), strict=False):
            radio.set_value(answer)
        page.press(f"{MARK}Next")


@pytest.mark.slow
def test_a_page_that_fails_says_what_to_do_and_nothing_else(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from study_app.app import drawing, server

    told: list[str] = []
    monkeypatch.setattr(server.st, "error", told.append)
    assert server._tell_trouble(RuntimeError("password=hunter2"))
    assert "reload the page" in told[0] and "hunter2" not in told[0]
    assert Screen.TRIALS in drawing.SCREENS
    assert set(drawing.SCREENS) == set(Screen), "every screen is drawn"


@pytest.mark.slow
def test_clips_that_come_next_are_fetched_ahead(site: Site, clock: Clock) -> None:
    page = DrawnPage(site).press("I agree").check_device()
    assert len(page.page["fetch"]) >= 2, "while the instructions are read"
    page.press("Next")
    shown = {clip["url"] for clip in page.player["clips"]}
    assert page.player["next"] and not set(page.player["next"]) <= shown


@pytest.mark.slow
def test_the_way_back_leads_to_the_platform(rated_run: Path, tmp_path: Path, clock: Clock) -> None:
    url = "https://app.prolific.com/submissions/complete?cc=C1"
    changes = {"completion_url: null": f"completion_url: {url}", "kind: open": "kind: prolific"}
    for site in opened(make_study(tmp_path / "study", rated_run, **changes), tmp_path):
        page = to_trials(DrawnPage(site, PROLIFIC_PID=f"{7:024x}"), clock)
        while rater_of(site, page).screen != Screen.COMMENT:
            assert page.page["redirect"] is None
            page.answer(clock.wait) if page.player else page.press("Next")
        page.press("Next")
        assert page.page["redirect"] == url
        assert page.app.get("link_button")[0].proto.url == url
