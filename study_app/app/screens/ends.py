"""The last screens: finished, with the code, and every way to end early."""

import streamlit as st

from study_app import flow
from study_app.app import component
from study_app.app.ahead import ahead
from study_app.app.scene import Scene
from study_app.app.served import served
from study_app.flow import Running
from study_app.pseudonyms import EARLY, FINISHED, end_code
from study_app.state import current_state


def finished(scene: Scene) -> None:
    """Draw thanks, the completion code and the way back; this is the first page that has them."""
    recruiting = scene.running.study.recruiting
    st.markdown(scene.texts.thanks)
    code = end_code(served().running, scene.rater.id, recruiting.completion_code, FINISHED)
    if code:
        _code(scene.texts.code, code)
    if recruiting.completion_url:
        st.link_button(scene.texts.buttons.done, recruiting.completion_url, type="primary")
    component.watch_page(ahead(scene, recruiting.completion_url))


def declined(scene: Scene) -> None:
    """Draw what is said to those who do not agree."""
    st.markdown(scene.texts.declined)


def failed(scene: Scene) -> None:
    """Draw what is said to those who do not understand the instructions."""
    st.markdown(scene.texts.quiz_failed)
    screen_out(scene)


def no_play(scene: Scene) -> None:
    """Draw what is said to those for whom too much did not play."""
    st.markdown(scene.texts.no_play)
    screen_out(scene)


def full(scene: Scene) -> None:
    """Draw what is said while all places are taken; whoever looks again when there is one is in."""
    if scene.act(flow.look_again):
        st.rerun()
    st.markdown(scene.texts.full)
    scene.button(scene.texts.buttons.again, flow.look_again, primary=True)
    screen_out(scene)
    component.watch_page(ahead(scene))


def closed(scene: Scene) -> None:
    """Draw what is said to those who come when the study is closed."""
    if scene.act(flow.look_again):
        st.rerun()
    st.markdown(scene.texts.closed)
    screen_out(scene)


def left(scene: Scene) -> None:
    """Draw what is said to those who stop early."""
    st.markdown(scene.texts.left)
    screen_out(scene)


def on_hold(scene: Scene) -> None:
    """Draw what is said while the researcher has paused the study; the link stays good."""
    st.markdown(scene.texts.on_hold)
    component.watch_page(ahead(scene))


def unknown_link(running: Running, language: str | None) -> None:
    """Draw what is said to those whose link is not of this study, or who come too late."""
    texts = running.study.words(language)
    closed = current_state(running.database).name == "closed"
    st.markdown(texts.closed if closed else texts.unknown_link)


def screen_out(scene: Scene) -> None:
    """Draw the code of those who end early, if the study has one."""
    code = scene.running.study.recruiting.screen_out_code
    if own := end_code(served().running, scene.rater.id, code, EARLY):
        _code(scene.texts.early_code, own)


def _code(says: str, code: str) -> None:
    st.markdown(says)
    with st.container(key="code"):
        st.code(code, language=None)
