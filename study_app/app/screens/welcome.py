"""The first screen, with the consent text, and the instructions."""

import streamlit as st

from study_app import flow
from study_app.app import component
from study_app.app.ahead import ahead
from study_app.app.scene import Scene


def welcome(scene: Scene) -> None:
    """Draw what the study is about and ask for consent."""
    _languages(scene)
    st.title(scene.texts.title, anchor=False)
    st.markdown(scene.texts.welcome)
    with st.container(border=True, key="consent"):
        st.markdown(scene.texts.consent)
    with st.container(horizontal=True):
        scene.button(scene.texts.buttons.agree, flow.consent, True, primary=True)
        scene.button(scene.texts.buttons.decline, flow.decline)
    component.watch_page(ahead(scene))


def instructions(scene: Scene) -> None:
    """Draw what to do; meanwhile the first clips are fetched."""
    if scene.rater.quiz_failures:
        st.warning(scene.texts.quiz_wrong)
    st.markdown(scene.running.study.instructions(scene.rater.language))
    if scene.running.plan.of_kind("training") and not scene.rater.quiz_failures:
        st.markdown(scene.texts.training)
    scene.button(scene.texts.buttons.next, flow.read_instructions, primary=True)
    component.watch_page(ahead(scene))


def _languages(scene: Scene) -> None:
    """Draw a choice of language if there is one."""
    texts = scene.running.study.texts
    if len(texts) < 2:
        return
    with st.container(horizontal=True, key="languages"):
        for code, block in texts.items():
            chosen = code == scene.rater.language
            scene.button(block.language, flow.choose_language, code, primary=chosen)
