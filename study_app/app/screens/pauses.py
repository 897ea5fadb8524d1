"""Between the trials and after them: a break, and a comment."""

import streamlit as st

from study_app import flow
from study_app.app import component
from study_app.app.ahead import ahead
from study_app.app.scene import Scene


def pause(scene: Scene) -> None:
    """Draw the offer of a break; the rater goes on when they like."""
    st.markdown(scene.texts.paused)
    with st.container(horizontal=True):
        scene.button(scene.texts.buttons.next, flow.end_break, primary=True)
        scene.button(scene.texts.buttons.leave, flow.stop)
    component.watch_page(ahead(scene))


def comment(scene: Scene) -> None:
    """Draw a place for a comment, which may stay empty."""
    st.markdown(scene.texts.comment)
    with st.form("comment", enter_to_submit=False, border=False):
        text = st.text_area(
            scene.texts.notes.comment, key="comment text", max_chars=5000, height=140
        )
        sent = st.form_submit_button(scene.texts.buttons.next, type="primary")
    if sent:
        scene.act(flow.leave_comment, text)
        st.rerun()
    component.watch_page(ahead(scene))
