"""Draws the screen that a rater is at."""

import time
from collections.abc import Callable
from urllib.parse import quote

import streamlit as st

from study_app.app import admin, component, player_events
from study_app.app.app_state import (
    LANGUAGE,
    current_rater,
    current_site,
    just_resumed,
    link_language,
)
from study_app.app.screen_context import ScreenContext
from study_app.app.screens import end, start, trial
from study_app.declaration import Running
from study_app.state import ENDS, Screen, current_state
from study_app.store.database import DATABASE_AWAY, RETRY_PAUSE, RETRY_SECONDS

SCREENS: dict[str, Callable[[ScreenContext], None]] = {
    Screen.WELCOME: start.welcome,
    Screen.DEVICE: start.device,
    Screen.UNFIT: start.unfit,
    Screen.INSTRUCTIONS: start.instructions,
    Screen.TRAINING: trial.trial,
    Screen.FEEDBACK: trial.feedback,
    Screen.QUIZ: start.quiz,
    Screen.TRIALS: trial.trial,
    Screen.BREAK: end.pause,
    Screen.COMMENT: end.comment,
    Screen.FINISHED: end.finished,
    Screen.DECLINED: end.declined,
    Screen.FAILED: end.failed,
    Screen.NO_PLAY: end.no_play,
    Screen.FULL: end.full,
    Screen.CLOSED: end.closed,
    Screen.LEFT: end.left,
}
ICON = "data:image/svg+xml," + quote(
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>"
    "<rect width='16' height='16' rx='3' fill='#2563eb'/>"
    "<path d='M6 4.5v7l6-3.5z' fill='#fff'/></svg>"
)
_AWAY = "the database is away since"
WIDE = (Screen.TRAINING, Screen.FEEDBACK, Screen.TRIALS)


def draw() -> None:
    """Draw the visitor's page; while the database is away the page stays and waits."""
    running = current_site().running
    _set_up(running, link_language())
    try:
        _draw(running)
    except DATABASE_AWAY as error:
        _wait(error)
    st.session_state.pop(_AWAY, None)


def _draw(running: Running) -> None:
    if "admin" in st.query_params:
        admin.draw(running, current_site().admin_token)
        return
    rater = current_rater(running)
    if rater is None:
        with st.container(key="narrow"):
            end.unknown_link(running, link_language())
        return
    context = ScreenContext(running, rater)
    if player_events.handle_event(context, component.last_event()):
        context = ScreenContext(running, current_rater(running) or rater)
    st.session_state[LANGUAGE] = context.rater.language
    if context.texts is not running.study.words(link_language()):
        _set_up(running, context.rater.language)
    on_hold = current_state(running.database).name == "paused" and context.rater.screen not in ENDS
    if not on_hold and just_resumed():
        st.toast(context.texts.resume)
    # Both are always there: a screen that goes is not drawn once more in the place of the next.
    wide, narrow = st.container(key="wide"), st.container(key="narrow")
    with wide if context.rater.screen in WIDE and not on_hold else narrow:
        (end.on_hold if on_hold else SCREENS[context.rater.screen])(context)


def _wait(error: Exception) -> None:
    """Draw the page once more after a pause: what stood on it stays there meanwhile."""
    since = st.session_state.setdefault(_AWAY, time.monotonic())
    if time.monotonic() - since > RETRY_SECONDS:
        raise error
    time.sleep(RETRY_PAUSE)
    st.rerun()


def _set_up(running: Running, language: str | None) -> None:
    """Name the page in a language; its style comes with the first page."""
    title = running.study.words(language).title
    st.set_page_config(page_title=title, page_icon=ICON, layout="wide")
