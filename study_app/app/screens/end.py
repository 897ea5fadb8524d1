"""The screens between and after the trials: break, comment, and every way to end."""

import streamlit as st

from study_app import flow
from study_app.app import component
from study_app.app.app_state import current_site
from study_app.app.screen_context import ScreenContext, page_data
from study_app.declaration import Running
from study_app.pseudonyms import EARLY, FINISHED, end_code
from study_app.state import current_state


def pause(context: ScreenContext) -> None:
    """Draw the offer of a break; the rater goes on when they like."""
    st.markdown(context.texts.paused)
    with st.container(horizontal=True):
        context.button(context.texts.buttons.next, flow.end_break, primary=True)
        context.button(context.texts.buttons.leave, flow.stop)
    component.watch_page(page_data(context))


def comment(context: ScreenContext) -> None:
    """Draw a place for a comment, which may stay empty."""
    st.markdown(context.texts.comment)
    with st.form("comment", enter_to_submit=False, border=False):
        text = st.text_area(
            context.texts.notes.comment, key="comment text", max_chars=5000, height=140
        )
        sent = st.form_submit_button(context.texts.buttons.next, type="primary")
    if sent:
        context.act(flow.leave_comment, text)
        st.rerun()
    component.watch_page(page_data(context))


def finished(context: ScreenContext) -> None:
    """Draw thanks, the completion code and the way back; no earlier page has them."""
    recruiting = context.running.study.recruiting
    st.markdown(context.texts.thanks)
    code = end_code(current_site().running, context.rater.id, recruiting.completion_code, FINISHED)
    if code:
        _code(context.texts.code, code)
    if recruiting.completion_url:
        st.link_button(context.texts.buttons.done, recruiting.completion_url, type="primary")
    component.watch_page(page_data(context, recruiting.completion_url))


def declined(context: ScreenContext) -> None:
    """Draw the text for raters who decline."""
    st.markdown(context.texts.declined)


def failed(context: ScreenContext) -> None:
    """Draw the text for raters who failed the quiz."""
    st.markdown(context.texts.quiz_failed)
    screen_out(context)


def no_play(context: ScreenContext) -> None:
    """Draw the text for raters for whom too many clips did not play."""
    st.markdown(context.texts.no_play)
    screen_out(context)


def full(context: ScreenContext) -> None:
    """Draw the text for a full study; checking again lets the rater in once a place is free."""
    if context.act(flow.look_again):
        st.rerun()
    st.markdown(context.texts.full)
    context.button(context.texts.buttons.again, flow.look_again, primary=True)
    screen_out(context)
    component.watch_page(page_data(context))


def closed(context: ScreenContext) -> None:
    """Draw the text for a closed study."""
    if context.act(flow.look_again):
        st.rerun()
    st.markdown(context.texts.closed)
    screen_out(context)


def left(context: ScreenContext) -> None:
    """Draw the text for raters who stop early."""
    st.markdown(context.texts.left)
    screen_out(context)


def on_hold(context: ScreenContext) -> None:
    """Draw the text for a paused study; the link stays valid."""
    st.markdown(context.texts.on_hold)
    component.watch_page(page_data(context))


def unknown_link(running: Running, language: str | None) -> None:
    """Draw the text for a link of no study, or of one that has closed."""
    texts = running.study.words(language)
    closed = current_state(running.database).name == "closed"
    st.markdown(texts.closed if closed else texts.unknown_link)


def screen_out(context: ScreenContext) -> None:
    """Draw the code of those who end early, if the study has one."""
    code = context.running.study.recruiting.screen_out_code
    if own := end_code(current_site().running, context.rater.id, code, EARLY):
        _code(context.texts.early_code, own)


def _code(says: str, code: str) -> None:
    st.markdown(says)
    with st.container(key="code"):
        st.code(code, language=None)
