"""Draws the screen that a rater is at."""

import time
from collections.abc import Callable
from urllib.parse import quote

import streamlit as st

from study_app.app import admin, component, said
from study_app.app.scene import Scene
from study_app.app.screens import device, ends, pauses, quiz, trial, welcome
from study_app.app.served import served
from study_app.app.visit import LANGUAGE, has_just_come_back, language_of_link, visitor
from study_app.flow import Running
from study_app.screens import ENDS, Screen
from study_app.state import current_state
from study_app.store.patience import AWAY, PATIENCE, PAUSE

SCREENS: dict[str, Callable[[Scene], None]] = {
    Screen.WELCOME: welcome.welcome,
    Screen.DEVICE: device.device,
    Screen.UNFIT: device.unfit,
    Screen.INSTRUCTIONS: welcome.instructions,
    Screen.TRAINING: trial.trial,
    Screen.FEEDBACK: trial.feedback,
    Screen.QUIZ: quiz.quiz,
    Screen.TRIALS: trial.trial,
    Screen.BREAK: pauses.pause,
    Screen.COMMENT: pauses.comment,
    Screen.FINISHED: ends.finished,
    Screen.DECLINED: ends.declined,
    Screen.FAILED: ends.failed,
    Screen.NO_PLAY: ends.no_play,
    Screen.FULL: ends.full,
    Screen.CLOSED: ends.closed,
    Screen.LEFT: ends.left,
}
ICON = "data:image/svg+xml," + quote(
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>"
    "<rect width='16' height='16' rx='3' fill='#2563eb'/>"
    "<path d='M6 4.5v7l6-3.5z' fill='#fff'/></svg>"
)
_AWAY = "the database is away since"
WIDE = (Screen.TRAINING, Screen.FEEDBACK, Screen.TRIALS)


def draw() -> None:
    """Draw the page of whoever is at it; while the database is away the page stays and waits."""
    running = served().running
    _set_up(running, language_of_link())
    try:
        _draw(running)
    except AWAY as error:
        _wait(error)
    st.session_state.pop(_AWAY, None)


def _draw(running: Running) -> None:
    if "admin" in st.query_params:
        admin.draw(running, served().admin_token)
        return
    rater = visitor(running)
    if rater is None:
        with st.container(key="narrow"):
            ends.unknown_link(running, language_of_link())
        return
    scene = Scene(running, rater)
    if said.heard(scene, component.said_before_drawing()):
        scene = Scene(running, visitor(running) or rater)
    st.session_state[LANGUAGE] = scene.rater.language
    if scene.texts is not running.study.words(language_of_link()):
        _set_up(running, scene.rater.language)
    on_hold = current_state(running.database).name == "paused" and scene.rater.screen not in ENDS
    if not on_hold and has_just_come_back():
        st.toast(scene.texts.resume)
    # Both are always there: a screen that goes is not drawn once more in the place of the next.
    wide, narrow = st.container(key="wide"), st.container(key="narrow")
    with wide if scene.rater.screen in WIDE and not on_hold else narrow:
        (ends.on_hold if on_hold else SCREENS[scene.rater.screen])(scene)


def _wait(error: Exception) -> None:
    """Draw the page once more after a pause: what stood on it stays there meanwhile."""
    since = st.session_state.setdefault(_AWAY, time.monotonic())
    if time.monotonic() - since > PATIENCE:
        raise error
    time.sleep(PAUSE)
    st.rerun()


def _set_up(running: Running, language: str | None) -> None:
    """Name the page in a language; its style comes with the first page."""
    title = running.study.words(language).title
    st.set_page_config(page_title=title, page_icon=ICON, layout="wide")
