"""What a screen is drawn from: the study, the rater, texts in their language, clips to prefetch."""

from collections.abc import Callable
from typing import Any, NamedTuple

import streamlit as st
from sqlalchemy import select

from study_app.app.app_state import device_check_clip, ensure_enrolled
from study_app.declaration import Running
from study_app.flow import decline
from study_app.plan import Item
from study_app.spec.texts import Direction, Texts
from study_app.state import Screen
from study_app.store.database import now, retry
from study_app.store.tables import Rater, Trial

REDIRECT_AFTER = 10  # seconds


class ScreenContext(NamedTuple):
    """One drawing of one rater's page."""

    running: Running
    rater: Rater

    @property
    def texts(self) -> Texts:
        """The texts in the rater's language."""
        return self.running.study.words(self.rater.language)

    @property
    def direction(self) -> Direction:
        """Which way they are written."""
        return self.running.study.direction(self.rater.language)

    def act(self, action: Callable[..., Any], *arguments: Any) -> Any:
        """Return the result of an action of the flow, taken now.

        Every action is one transaction, and idempotent.
        """
        moment = now()

        def attempt() -> Any:
            row = ensure_enrolled(self.running, self.rater, nameless=action is decline)
            return None if row is None else action(self.running, row, *arguments, moment)

        return retry(attempt)

    def button(
        self, label: str, action: Callable[..., Any], *arguments: Any, primary: bool = False
    ) -> None:
        """Draw a button that does an action of the flow."""
        st.button(
            label,
            key=f"{self.rater.screen} {label}",
            type="primary" if primary else "secondary",
            on_click=self.act,
            args=(action, *arguments),
        )


def page_data(context: ScreenContext, redirect: str | None = None) -> dict[str, Any]:
    """Return what every screen sends to the page."""
    rater = context.rater
    return {
        "token": None if rater.id is None else rater.token,  # until there is a row
        "screen": rater.screen,
        "lang": context.running.study.tag(rater.language),
        "dir": context.direction,
        "fetch": [clip_url(context, name) for name in _prefetched_clips(context)],
        "redirect": redirect,
        "seconds": REDIRECT_AFTER,
        "text": context.texts.redirect,
    }


def clip_url(context: ScreenContext, name: str) -> str:
    """Return where a clip is, for this rater alone."""
    return f"v/{context.rater.token}/{name}.mp4"


def _prefetched_clips(context: ScreenContext) -> list[str]:
    """Return the clips needed after this screen, as far as known.

    Sorted by name: the plan's order would reveal the methods.
    """
    screen, running = context.rater.screen, context.running
    if screen == Screen.DEVICE:
        return [device_check_clip(running)]
    if screen == Screen.INSTRUCTIONS:
        items = running.plan.of_kind("training")[:2]
    else:
        items = upcoming_items(context, 1 if screen == Screen.BREAK else 2)[-1:]
    return sorted({name for item in items for name in item.clips})


def upcoming_items(context: ScreenContext, count: int) -> list[Item]:
    """Return what the rater will see in their current trial and after it."""
    with context.running.database.reading() as session:
        mine = select(Trial.item).where(Trial.rater_id == context.rater.id, Trial.state == "dealt")
        keys = session.scalars(mine.order_by(Trial.place).limit(count)).all()
    return [context.running.plan.by_key[key] for key in keys]


def player_texts(context: ScreenContext) -> dict[str, str]:
    """Return all texts of the player, in the rater's language."""
    texts = context.texts
    return {
        **texts.buttons.model_dump(),
        **{f"note_{name}": text for name, text in texts.notes.model_dump().items()},
        "watch_first": texts.watch_first,
        "training_feedback": texts.training_feedback,
    }


def question_texts(context: ScreenContext) -> list[dict[str, Any]]:
    """Return the questions with the label of every answer, in the order in which they are asked."""
    study = context.running.study
    if study.design == "absolute":
        return [
            {
                "name": axis,
                "ask": context.texts.questions[axis].ask,
                "options": [
                    {"value": value, "label": label}
                    for value, label in enumerate(context.texts.questions[axis].labels, start=1)
                ],
            }
            for axis in study.questions
        ]
    return [_pair_question_text(context, axis) for axis in study.questions]


def _pair_question_text(context: ScreenContext, axis: str) -> dict[str, Any]:
    words = context.texts.pair_questions[axis]
    labels = ((-1, words.left), (0, words.tie), (1, words.right))
    options = [{"value": value, "label": label} for value, label in labels]
    return {"name": axis, "ask": words.ask, "options": options}


def defect_texts(context: ScreenContext) -> dict[str, Any] | None:
    """Return what the panel for faults shows; None where the study does not ask for them."""
    asked, words = context.running.study.defects, context.texts.defects
    if not asked.ask or words is None:
        return None
    severities = enumerate(words.severities, start=1)
    return {
        "words": words.model_dump(exclude={"kinds", "severities"}),
        "kinds": [{"value": kind, "label": words.kinds[kind]} for kind in asked.kinds],
        "severities": [{"value": value, "label": label} for value, label in severities],
    }
