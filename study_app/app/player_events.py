"""What the player reports: events that drive the flow, each handled once, and telemetry."""

from functools import partial
from typing import Annotated, Any, Literal

import streamlit as st
from pydantic import Field, TypeAdapter, ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from study_app import flow
from study_app.app.screen_context import ScreenContext
from study_app.marks import MOST, DefectMark
from study_app.playback import DeviceReport, Ledger
from study_app.spec.texts import StrictModel
from study_app.store.database import Database
from study_app.store.tables import Event, Rater, Trial

_HANDLED, REFUSED = "handled", "refused"
Nonce = Annotated[str, Field(min_length=1, max_length=64)]
Id = Annotated[int, Field(ge=0, lt=2**53)]
MOST_EVENTS = 400  # telemetry of one rater; beyond that somebody plays with the page
Refusal = Literal["unknown", "too many"]
Word = Annotated[str, Field(max_length=200)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class TrialAnswered(StrictModel):
    """A trial is answered."""

    kind: Literal["answer"]
    nonce: Nonce
    trial: Id
    answers: Annotated[dict[str, int], Field(max_length=8)]
    ledger: Ledger
    marks: Annotated[tuple[DefectMark, ...], Field(max_length=MOST)] = ()


class TrialUnplayable(StrictModel):
    """A trial does not play."""

    kind: Literal["unplayable"]
    nonce: Nonce
    trial: Id
    why: Annotated[str, Field(max_length=500)]


class FeedbackSeen(StrictModel):
    """What most people would have answered was read."""

    kind: Literal["seen"]
    nonce: Nonce
    trial: Id


class DeviceChecked(StrictModel):
    """The device was tried."""

    kind: Literal["device"]
    nonce: Nonce
    device: DeviceReport


PlayerEvent = TrialAnswered | TrialUnplayable | FeedbackSeen | DeviceChecked
_EVENTS: TypeAdapter[PlayerEvent] = TypeAdapter(Annotated[PlayerEvent, Field(discriminator="kind")])


def handle_event(context: ScreenContext, event: dict[str, Any] | None) -> bool:
    """Return True if the event is new, so that the page has to be redrawn.

    Events that no page sends, and answers to clips that were not watched, are refused: the player
    finds the event's nonce under `REFUSED`.
    """
    nonce = event and str(event.get("nonce", ""))[:64]
    if not event or st.session_state.get(_HANDLED) == nonce:
        return False
    st.session_state[_HANDLED] = nonce
    try:
        accepted = _dispatch(context, _EVENTS.validate_python(event, strict=False))
    except (ValidationError, ValueError):
        accepted = False
    st.session_state[REFUSED] = None if accepted else nonce
    return True


def _dispatch(context: ScreenContext, event: PlayerEvent) -> bool:
    """Return False if the flow refuses the event."""
    match event:
        case TrialAnswered():
            return bool(_answer(context, event))
        case TrialUnplayable():
            context.act(flow.cannot_play, event.trial, event.why)
        case FeedbackSeen():
            context.act(flow.see_feedback)
        case DeviceChecked():
            context.act(flow.report_device, event.device.model_dump())
    return True


def _answer(context: ScreenContext, event: TrialAnswered) -> bool:
    given = event.trial, event.answers, event.ledger
    return context.act(partial(flow.answer_trial, marks=event.marks), *given)


class TelemetryEvent(StrictModel):
    """One observation of the page, with the rater's token."""

    token: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{32}$")]
    kind: Literal["stall", "hidden", "load_failed", "not_started", "second_tab", "slow"]
    trial: Annotated[int, Field(ge=0, lt=2**53)] | None = None
    data: dict[Word, bool | int | Number | Word | None] = Field(default_factory=dict, max_length=12)


def keep_telemetry(database: Database, event: TelemetryEvent, now: int) -> Refusal | None:
    """Return why an event is not kept; None if it is. A trial has to be one of the rater's own."""
    with database.reading() as session:
        rater = session.scalars(select(Rater.id).where(Rater.token == event.token)).first()
        if rater is None or (event.trial is not None and not _owns(session, rater, event.trial)):
            return "unknown"
        kept = session.scalar(select(func.count()).where(Event.rater_id == rater)) or 0
    if kept >= MOST_EVENTS:
        return "too many"
    data = {**event.data, "trial": event.trial}
    with database.writing() as session:
        session.add(Event(rater_id=rater, at=now, kind=event.kind, data=data))
    return None


def _owns(session: Session, rater: int, trial: int) -> bool:
    found = session.get(Trial, trial)
    return found is not None and found.rater_id == rater
