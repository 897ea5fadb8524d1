"""A trial, and what most people would have answered to it."""

from typing import Any

import streamlit as st
from sqlalchemy import func, select

from study_app import flow
from study_app.app import component, player_events
from study_app.app.screen_context import (
    ScreenContext,
    clip_url,
    defect_texts,
    page_data,
    player_texts,
    question_texts,
)
from study_app.flow import last_answered
from study_app.marks import clips_to_mark
from study_app.plan import Item
from study_app.spec.texts import filled
from study_app.state import Screen
from study_app.store.tables import Answer, Trial


def trial(context: ScreenContext) -> None:
    """Draw the rater's current trial; from now on it can be watched."""
    if current := context.act(flow.open_trial):
        _play(context, _of_trial(context, current) | {"mode": "trial"})


def feedback(context: ScreenContext) -> None:
    """Draw the practice that was answered, with the answers that most people would give."""
    with context.running.database.reading() as session:
        done = last_answered(session, context.rater)
        answers = select(Answer).where(Answer.trial_id == (done.id if done else None))
        given = {answer.question: answer.value for answer in session.scalars(answers)}
    if done:
        expected = context.running.plan.by_key[done.item].expected
        told = {"mode": "feedback", "given": given, "expected": expected}
        _play(context, _of_trial(context, done) | told)


def _play(context: ScreenContext, data: dict[str, Any]) -> None:
    """Draw the player; what it said to a page that has gone since is heard now."""
    page = page_data(context)
    if player_events.handle_event(context, component.player(data | {"next": page["fetch"]})):
        st.rerun()
    component.watch_page(page)
    if context.rater.screen == Screen.TRIALS:
        _way_out(context)


def _way_out(context: ScreenContext) -> None:
    with st.container(horizontal=True, horizontal_alignment="right", key="leave"):
        with st.popover(context.texts.buttons.leave, type="tertiary"):
            st.markdown(context.texts.notes.leave)
            context.button(f"{context.texts.buttons.leave}.", flow.stop)


def _of_trial(context: ScreenContext, trial: Trial) -> dict[str, Any]:
    """Return what the player is told of a trial: nothing of methods, kinds of checks or files."""
    item = context.running.plan.by_key[trial.item]
    rule = context.running.study.playback
    return {
        "trial": trial.id,
        "token": context.rater.token,
        "clips": _clips(context, item, trial.swapped),
        "defects": defect_texts(context),
        "prompt": item.prompt,
        "seconds": item.seconds,
        "lengths": context.running.plan.lengths(item.clips_shown(trial.swapped)),
        "coverage": rule.coverage,
        "height": context.running.study.display_height,
        "least": context.running.study.least_height,
        "questions": question_texts(context),
        "pairwise": context.running.study.design == "pairwise",
        "progress": _progress(context, trial),
        "refused": st.session_state.get(player_events.REFUSED),
        "words": player_texts(context),
        "dir": context.direction,
    }


def _clips(context: ScreenContext, item: Item, swapped: bool) -> list[dict[str, Any]]:
    """Return the clips from left to right, with what stands above them."""
    words, plan = context.texts.buttons, context.running.plan
    edits = clips_to_mark(item, swapped)
    labels = {"edit": words.edit, "left": words.left, "right": words.right}
    clips: list[tuple[str, str, str | None]] = [(words.source, item.clips_shown(swapped)[0], None)]
    clips += [(labels[mark], name, mark) for mark, name in edits.items()]
    return [
        {
            "label": label,
            "url": clip_url(context, name),
            "seconds": plan.clips[name].seconds,
            "mark": mark if context.running.study.defects.ask else None,
        }
        for label, name, mark in clips
    ]


def _progress(context: ScreenContext, trial: Trial) -> dict[str, Any]:
    """Return how far the rater is, in words and as a share."""
    if trial.kind == "training":
        return {"text": context.texts.notes.practice, "share": 0}
    with context.running.database.reading() as session:
        counts = select(func.count(), func.count().filter(Trial.place < trial.place))
        mine = counts.where(Trial.rater_id == context.rater.id, Trial.kind != "training")
        total, done = session.execute(mine).one()
    text = filled(context.texts.buttons.progress, {"done": done + 1, "total": total})
    return {"text": text, "share": done / total}
