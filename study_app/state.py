"""Whether a study takes raters: open, paused or closed.

Paused: nobody is dealt a list, raters read that it goes on later, and keep what they have done.
Closed: nobody new comes in; who has a list may finish it.
"""

from typing import Literal, NamedTuple

from sqlalchemy.orm import Session

from study_app.settings import keep_setting, setting
from study_app.store.database import Database

Name = Literal["open", "paused", "closed"]
_KEY = "state"


class State(NamedTuple):
    """What a study is, and since when; a study that nobody has touched is open since ever."""

    name: Name = "open"
    since: int | None = None


def state_of(session: Session) -> State:
    """Return the state of the study whose store `session` reads."""
    found = setting(session, _KEY)
    return State(found["name"], found["since"]) if found else State()


def current_state(database: Database) -> State:
    """Return the state of a study; the page asks before it draws."""
    with database.reading() as session:
        return state_of(session)


def change_state(database: Database, name: Name, now: int) -> State:
    """Return the state that the study was in, which is `name` now; saying it twice is once."""
    with database.writing(alone=True) as session:
        before = state_of(session)
        if before.name != name:
            keep_setting(session, _KEY, {"name": name, "since": now})
        return before
