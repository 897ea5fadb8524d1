"""A trial, and what most people would have answered to it."""

from typing import Any

import streamlit as st
from sqlalchemy import func, select

from study_app import flow
from study_app.app import component, said
from study_app.app.ahead import ahead, url
from study_app.app.scene import Scene
from study_app.app.words import defects, player_words, questions
from study_app.flow import last_answered
from study_app.marks import clips_to_mark
from study_app.plan import Item
from study_app.screens import Screen
from study_app.showing import shown
from study_app.spec.texts import filled
from study_app.store.tables import Answer, Trial


def trial(scene: Scene) -> None:
    """Draw the rater's current trial; from now on it can be watched."""
    if current := scene.act(flow.open_trial):
        _play(scene, _of_trial(scene, current) | {"mode": "trial"})


def feedback(scene: Scene) -> None:
    """Draw the practice that was answered, with the answers that most people would give."""
    with scene.running.database.reading() as session:
        done = last_answered(session, scene.rater)
        answers = select(Answer).where(Answer.trial_id == (done.id if done else None))
        given = {answer.question: answer.value for answer in session.scalars(answers)}
    if done:
        expected = scene.running.plan.by_key[done.item].expected
        told = {"mode": "feedback", "given": given, "expected": expected}
        _play(scene, _of_trial(scene, done) | told)


def _play(scene: Scene, data: dict[str, Any]) -> None:
    """Draw the player; what it said to a page that has gone since is heard now."""
    page = ahead(scene)
    if said.heard(scene, component.player(data | {"next": page["fetch"]})):
        st.rerun()
    component.watch_page(page)
    if scene.rater.screen == Screen.TRIALS:
        _way_out(scene)


def _way_out(scene: Scene) -> None:
    with st.container(horizontal=True, horizontal_alignment="right", key="leave"):
        with st.popover(scene.texts.buttons.leave, type="tertiary"):
            st.markdown(scene.texts.notes.leave)
            scene.button(f"{scene.texts.buttons.leave}.", flow.stop)


def _of_trial(scene: Scene, trial: Trial) -> dict[str, Any]:
    """Return what the player is told of a trial: nothing of methods, kinds of checks or files."""
    item = scene.running.plan.by_key[trial.item]
    rule = scene.running.study.playback
    return {
        "trial": trial.id,
        "token": scene.rater.token,
        "clips": _clips(scene, item, trial.swapped),
        "defects": defects(scene),
        "prompt": item.prompt,
        "seconds": item.seconds,
        "lengths": scene.running.plan.lengths(shown(item, trial.swapped)),
        "coverage": rule.coverage,
        "height": scene.running.study.display_height,
        "least": scene.running.study.least_height,
        "questions": questions(scene),
        "pairwise": scene.running.study.design == "pairwise",
        "progress": _progress(scene, trial),
        "refused": st.session_state.get(said.REFUSED),
        "words": player_words(scene),
        "dir": scene.direction,
    }


def _clips(scene: Scene, item: Item, swapped: bool) -> list[dict[str, Any]]:
    """Return the clips from left to right, with what stands above them."""
    words, plan = scene.texts.buttons, scene.running.plan
    edits = clips_to_mark(item, swapped)
    labels = {"edit": words.edit, "left": words.left, "right": words.right}
    clips: list[tuple[str, str, str | None]] = [(words.source, shown(item, swapped)[0], None)]
    clips += [(labels[mark], name, mark) for mark, name in edits.items()]
    return [
        {
            "label": label,
            "url": url(scene, name),
            "seconds": plan.clips[name].seconds,
            "mark": mark if scene.running.study.defects.ask else None,
        }
        for label, name, mark in clips
    ]


def _progress(scene: Scene, trial: Trial) -> dict[str, Any]:
    """Return how far the rater is, in words and as a share."""
    if trial.kind == "training":
        return {"text": scene.texts.notes.practice, "share": 0}
    with scene.running.database.reading() as session:
        counts = select(func.count(), func.count().filter(Trial.place < trial.place))
        mine = counts.where(Trial.rater_id == scene.rater.id, Trial.kind != "training")
        total, done = session.execute(mine).one()
    text = filled(scene.texts.buttons.progress, {"done": done + 1, "total": total})
    return {"text": text, "share": done / total}
