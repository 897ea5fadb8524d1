"""Erases what identifies a person, and on request all that they answered."""

import re
import secrets

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from study_app.flow import Running
from study_app.screens import ENDS, Screen
from study_app.settings import keep_setting
from study_app.store.forgetting import forget
from study_app.store.tables import Answer, Event, Exclusion, Mark, Playback, Rater, Setting, Trial

_KEY = "erased"


def erase(running: Running, raters: list[Rater], now: int, *, answers: bool = False) -> list[str]:
    """Erase what tells who raters are, and leave a row that says that somebody was erased.

    Returns what could not be overwritten of it, and why; `study_app.store.forgetting.forget` tries
    that again.

    Platform's name and session, link, comment, device and events go. The rater's row stays, as a
    number that stands for nobody, so that the numbers of lists stay what they were.

    answers: their trials and answers go as well; others are dealt what they had rated.
    """
    with running.database.writing(alone=True) as session:
        for rater in raters:
            row = session.get_one(Rater, rater.id)
            _forget(session, row)
            if answers:
                _remove_answers(session, row)
        _keep_that_it_was(session, len(raters), answers, now)
    return forget(running.database)


def _forget(session: Session, row: Rater) -> None:
    _forget_in_reasons(session, row)
    row.platform_id = row.session = row.comment = row.device = None
    row.token = secrets.token_urlsafe(24)
    if row.screen not in ENDS:
        row.screen = Screen.LEFT
        mine = update(Trial).where(Trial.rater_id == row.id, Trial.state == "dealt")
        session.execute(mine.values(state="released"))
    session.execute(delete(Event).where(Event.rater_id == row.id))


def _forget_in_reasons(session: Session, row: Rater) -> None:
    """Take out of what a researcher wrote of a rater what tells who they are."""
    found = (row.platform_id, row.session, row.token, row.comment)
    telling = sorted({text for text in found if text}, key=len, reverse=True)
    by_hand = select(Exclusion).where(Exclusion.rater_id == row.id, ~Exclusion.automatic)
    for exclusion in session.scalars(by_hand):
        for text in telling:
            anyhow = re.compile(rf"(?<!\w){re.escape(text)}(?!\w)", re.IGNORECASE)
            exclusion.reason = anyhow.sub("(erased)", exclusion.reason)


def _remove_answers(session: Session, row: Rater) -> None:
    trials = select(Trial.id).where(Trial.rater_id == row.id)
    for table in (Answer, Mark, Playback):
        session.execute(delete(table).where(table.trial_id.in_(trials)))
    session.execute(delete(Trial).where(Trial.rater_id == row.id))
    session.execute(delete(Exclusion).where(Exclusion.rater_id == row.id))
    row.screen, row.consented, row.consent_version, row.finished = Screen.LEFT, None, None, None


def _keep_that_it_was(session: Session, raters: int, answers: bool, now: int) -> None:
    number = session.scalar(select(func.count()).where(Setting.key.like(f"{_KEY} %"))) or 0
    keep_setting(session, f"{_KEY} {number + 1}", {"at": now, "raters": raters, "answers": answers})
