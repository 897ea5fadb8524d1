"""The states of a study and of its raters, and the settings table that keeps the first.

A study is open, paused (no lists are allocated, raters read that it goes on later) or closed
(nobody new comes in; who has a list may finish it). A rater is at a screen:

    welcome -> device -> instructions -> training -> quiz -> trials -> comment -> finished
    feedback follows each trial of the training, break comes between trials
    full waits, where all places were taken when somebody came, until there is one
    declined, unfit, failed, no_play, closed and left end the way early

The name of a rater's screen is in the store; together with the trials that are answered it is all
that has to be known to go on after any interruption.
"""

import json
from enum import StrEnum
from typing import Any, Literal, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from study_app.store.database import Database
from study_app.store.tables import Setting

StateName = Literal["open", "paused", "closed"]
_KEY = "state"


def read_setting(session: Session, key: str) -> Any:
    """Return the value of a setting; None if there is none."""
    value = session.scalar(select(Setting.value).where(Setting.key == key))
    return None if value is None else json.loads(value)


def write_setting(session: Session, key: str, value: object) -> None:
    """Set a setting's value."""
    session.merge(Setting(key=key, value=json.dumps(value, sort_keys=True)))
    session.flush()


class State(NamedTuple):
    """A study's state, and since when; None: from the start."""

    name: StateName = "open"
    since: int | None = None


def state_of(session: Session) -> State:
    """Return the state of the study whose store `session` reads."""
    found = read_setting(session, _KEY)
    return State(found["name"], found["since"]) if found else State()


def current_state(database: Database) -> State:
    """Return the state of a study; the page asks before it draws."""
    with database.reading() as session:
        return state_of(session)


def change_state(database: Database, name: StateName, now: int) -> State:
    """Return the state that the study was in, now changed to `name`; idempotent."""
    with database.writing(alone=True) as session:
        before = state_of(session)
        if before.name != name:
            write_setting(session, _KEY, {"name": name, "since": now})
        return before


class Screen(StrEnum):
    """A page that a rater can be at."""

    WELCOME = "welcome"
    DEVICE = "device"
    INSTRUCTIONS = "instructions"
    TRAINING = "training"
    FEEDBACK = "feedback"
    QUIZ = "quiz"
    TRIALS = "trials"
    BREAK = "break"
    COMMENT = "comment"
    FINISHED = "finished"
    DECLINED = "declined"
    UNFIT = "unfit"
    FAILED = "failed"
    NO_PLAY = "no_play"
    FULL = "full"
    CLOSED = "closed"
    LEFT = "left"


ENDS = frozenset(
    {Screen.FINISHED, Screen.DECLINED, Screen.FAILED, Screen.NO_PLAY, Screen.CLOSED, Screen.LEFT}
)
