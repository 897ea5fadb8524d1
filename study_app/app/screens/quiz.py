"""Questions about the instructions."""

from functools import partial

import streamlit as st

from study_app import flow
from study_app.app import component
from study_app.app.ahead import ahead
from study_app.app.scene import Scene
from study_app.spec.texts import Quiz


def quiz(scene: Scene) -> None:
    """Draw the questions; they are answered together."""
    asked = scene.running.study.quiz(scene.rater.language)
    tried = scene.rater.quiz_failures
    st.markdown(scene.texts.quiz_intro)
    with st.form("quiz", enter_to_submit=False, border=False):
        chosen = [
            st.radio(
                question.ask,
                range(1, len(question.options) + 1),
                index=None,
                format_func=partial(_option, question),
                key=f"quiz {tried} {place}",
            )
            for place, question in enumerate(asked)
        ]
        sent = st.form_submit_button(scene.texts.buttons.next, type="primary")
    if sent and None in chosen:
        st.warning(scene.texts.notes.answer_all)
    elif sent:
        scene.act(flow.answer_quiz, chosen)
        st.rerun()
    component.watch_page(ahead(scene))


def _option(question: Quiz, number: int) -> str:
    return question.options[number - 1]
