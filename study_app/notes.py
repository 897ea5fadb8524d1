"""What the page tells beside answers: playback that stalls, a second tab, a slow connection."""

from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from study_app.spec.texts import Block
from study_app.store.database import Database
from study_app.store.tables import Event, Rater, Trial

MOST = 400  # notes of one rater; beyond that somebody plays with the page
Refusal = Literal["unknown", "too many"]
Word = Annotated[str, Field(max_length=200)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class Note(Block):
    """One thing that the page tells, with the token of the rater it is about."""

    token: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{32}$")]
    kind: Literal["stall", "hidden", "load_failed", "not_started", "second_tab", "slow"]
    trial: Annotated[int, Field(ge=0, lt=2**53)] | None = None
    data: dict[Word, bool | int | Number | Word | None] = Field(default_factory=dict, max_length=12)


def keep_note(database: Database, note: Note, now: int) -> Refusal | None:
    """Return why a note is not kept; None if it is. A trial has to be one of the rater's own."""
    with database.reading() as session:
        rater = session.scalars(select(Rater.id).where(Rater.token == note.token)).first()
        if rater is None or (note.trial is not None and not _owns(session, rater, note.trial)):
            return "unknown"
        kept = session.scalar(select(func.count()).where(Event.rater_id == rater)) or 0
    if kept >= MOST:
        return "too many"
    data = {**note.data, "trial": note.trial}
    with database.writing() as session:
        session.add(Event(rater_id=rater, at=now, kind=note.kind, data=data))
    return None


def _owns(session: Session, rater: int, trial: int) -> bool:
    found = session.get(Trial, trial)
    return found is not None and found.rater_id == rater
