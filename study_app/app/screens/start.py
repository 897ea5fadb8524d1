"""The screens before the trials: welcome and consent, device check, instructions, quiz."""

from functools import partial

import streamlit as st

from study_app import flow
from study_app.app import component
from study_app.app.app_state import device_check_clip
from study_app.app.screen_context import ScreenContext, clip_url, page_data, player_texts
from study_app.app.screens.end import screen_out
from study_app.playback import required_width, unfit_reasons
from study_app.spec.texts import Quiz, filled


def welcome(context: ScreenContext) -> None:
    """Draw what the study is about and ask for consent."""
    _languages(context)
    st.title(context.texts.title, anchor=False)
    st.markdown(context.texts.welcome)
    with st.container(border=True, key="consent"):
        st.markdown(context.texts.consent)
    with st.container(horizontal=True):
        context.button(context.texts.buttons.agree, flow.consent, True, primary=True)
        context.button(context.texts.buttons.decline, flow.decline)
    component.watch_page(page_data(context))


def instructions(context: ScreenContext) -> None:
    """Draw what to do; meanwhile the first clips are fetched."""
    if context.rater.quiz_failures:
        st.warning(context.texts.quiz_wrong)
    st.markdown(context.running.study.instructions(context.rater.language))
    if context.running.plan.of_kind("training") and not context.rater.quiz_failures:
        st.markdown(context.texts.training)
    context.button(context.texts.buttons.next, flow.read_instructions, primary=True)
    component.watch_page(page_data(context))


def _languages(context: ScreenContext) -> None:
    """Draw a choice of language if there is one."""
    texts = context.running.study.texts
    if len(texts) < 2:
        return
    with st.container(horizontal=True, key="languages"):
        for code, block in texts.items():
            chosen = code == context.rater.language
            context.button(block.language, flow.choose_language, code, primary=chosen)


def device(context: ScreenContext) -> None:
    """Draw a clip and ask whether it plays; the page measures meanwhile."""
    st.markdown(context.texts.device)
    _check(context)


def unfit(context: ScreenContext) -> None:
    """Draw what is in the way, and the check once more."""
    st.markdown(context.texts.device_unfit)
    for reason in reasons(context):
        st.warning(reason)
    _check(context)
    screen_out(context)


def reasons(context: ScreenContext) -> list[str]:
    """Return in words why the device will not do."""
    found, wanted = context.rater.device or {}, context.running.study.device
    facts = {
        "width": found.get("width", 0),
        "least": required_width(wanted, found),
        "why": found.get("why") or "-",
    }
    return [
        filled(getattr(context.texts, f"device_{reason}"), facts)
        for reason in unfit_reasons(wanted, found)
    ]


def _check(context: ScreenContext) -> None:
    clip = device_check_clip(context.running)
    component.player(
        {
            "mode": "check",
            "trial": f"check {context.rater.screen}",
            "token": context.rater.token,
            "clips": [{"label": context.texts.buttons.source, "url": clip_url(context, clip)}],
            "height": context.running.study.display_height,
            "least": context.running.study.least_height,
            "words": player_texts(context),
            "dir": context.direction,
        }
    )
    component.watch_page(page_data(context))


def quiz(context: ScreenContext) -> None:
    """Draw the questions; they are answered together."""
    asked = context.running.study.quiz(context.rater.language)
    tried = context.rater.quiz_failures
    st.markdown(context.texts.quiz_intro)
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
        sent = st.form_submit_button(context.texts.buttons.next, type="primary")
    if sent and None in chosen:
        st.warning(context.texts.notes.answer_all)
    elif sent:
        context.act(flow.answer_quiz, chosen)
        st.rerun()
    component.watch_page(page_data(context))


def _option(question: Quiz, number: int) -> str:
    return question.options[number - 1]
