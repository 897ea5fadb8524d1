"""Looks into the store of a served study, and puts raters where a test begins."""

from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select

from study_app import flow
from study_app.app.app_state import open_site
from study_app.enrollment import EntryLink, enroll
from study_app.store.database import now
from study_app.store.tables import Answer, Event, Playback, Rater, Trial

DEVICE = {"plays": True, "width": 1280, "phone": False}


class Kept(NamedTuple):
    """What the store has of one rater."""

    screen: str
    states: list[str]  # of the trials of the list, in order
    answers: dict[int, dict[str, int]]  # place -> question -> value
    ledgers: list[dict[str, object]]
    events: list[str]


def new_rater_at(folder: Path, screen: str) -> str:
    """Return the token of a rater who is at a screen, however they came there."""
    token = new_rater_at_trials(folder)
    database = open_site(folder).running.database
    with database.writing(alone=True) as session:
        session.scalars(select(Rater).where(Rater.token == token)).one().screen = screen
    database.engine.dispose()
    return token


def new_rater_at_trials(folder: Path, url: str | None = None) -> str:
    """Return the token of a rater who has a list and has answered nothing."""
    running = open_site(folder, url).running
    rater = enroll(running, EntryLink(), now())
    assert rater
    flow.consent(running, rater.id, True, now())
    flow.report_device(running, rater.id, DEVICE, now())
    with running.database.writing(alone=True) as session:
        session.get_one(Rater, rater.id).screen = "quiz"
    quiz = running.study.quiz(rater.language)
    assert flow.answer_quiz(running, rater.id, [question.answer for question in quiz], now())
    running.database.engine.dispose()
    return rater.token


def speak(folder: Path, token: str, language: str) -> None:
    """Make a language of the study's texts that of a rater."""
    database = open_site(folder).running.database
    with database.writing(alone=True) as session:
        session.scalars(select(Rater).where(Rater.token == token)).one().language = language
    database.engine.dispose()


def kept(folder: Path, token: str, url: str | None = None) -> Kept:
    """Return what the store has of a rater; url: of the database, if it is not in the folder."""
    database = open_site(folder, url).running.database
    with database.reading() as session:
        rater = session.scalars(select(Rater).where(Rater.token == token)).one()
        mine = select(Trial).where(Trial.rater_id == rater.id).order_by(Trial.place)
        trials = session.scalars(mine).all()
        answers: dict[int, dict[str, int]] = {}
        ledgers = []
        for trial in trials:
            for answer in session.scalars(select(Answer).where(Answer.trial_id == trial.id)):
                answers.setdefault(trial.place, {})[answer.question] = answer.value
            if found := session.get(Playback, trial.id):
                ledgers.append(found.ledger)
        events = session.scalars(select(Event.kind).where(Event.rater_id == rater.id)).all()
        states = [trial.state for trial in trials if trial.kind != "training"]
        found = Kept(rater.screen, states, answers, ledgers, list(events))
    database.engine.dispose()
    return found
