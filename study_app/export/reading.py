"""Reads the store for an export: whole columns, so that 100,000 answers take no time."""

from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Executable, String, cast, select
from sqlalchemy.orm import Session

from study_app.store.tables import Answer, Exclusion, Mark, Playback, Rater, Trial

Columns = dict[str, list[Any]]
LEDGER = ("plays", "seeks", "stalls", "hidden_ms", "width")
SHOWN = ("rated", "unplayable")
_AT_ONCE = 2000  # rows


class Store(NamedTuple):
    """Columns of the tables, and where in `trials` each answer's trial is, and so on."""

    raters: Columns
    trials: Columns
    answers: Columns
    exclusions: Columns
    marks: Columns
    rater_of_trial: np.ndarray
    trial_of_answer: np.ndarray
    rater_of_exclusion: np.ndarray
    trial_of_mark: np.ndarray


def read_store(session: Session) -> Store:
    """Return what an export is made of: nothing that identifies a rater is read."""
    raters, trials, answers = _raters(session), _trials(session), _answers(session)
    exclusions, marks = _exclusions(session), _marks(session)
    return Store(
        raters,
        trials,
        answers,
        exclusions,
        marks,
        positions(trials["rater_id"], raters["id"]),
        positions(answers["trial_id"], trials["id"]),
        positions(exclusions["rater_id"], raters["id"]),
        positions(marks["trial_id"], trials["id"]),
    )


def positions(keys: list[int], known: list[int]) -> np.ndarray:
    """Return where in `known`, which is sorted, each of `keys` stands."""
    return np.searchsorted(np.array(known, np.int64), np.array(keys, np.int64))


def _raters(session: Session) -> Columns:
    names = ("id", "simulated", "language", "screen", "consent_version", "began")
    more = ("finished", "rejected", "device", "comment")
    columns = {name: getattr(Rater, name) for name in (*names, *more)}
    return _columns(session, columns, select(*columns.values()).order_by(Rater.id))


def _trials(session: Session) -> Columns:
    names = ("id", "rater_id", "place", "kind", "item", "swapped", "state", "opened", "answered")
    columns: dict[str, Any] = {name: getattr(Trial, name) for name in (*names, "declared")}
    columns["coverage"] = Playback.coverage
    columns |= {name: Playback.ledger[name].as_integer() for name in LEDGER}
    rows = select(*columns.values()).outerjoin(Playback, Playback.trial_id == Trial.id)
    return _columns(session, columns, rows.where(Trial.state.in_(SHOWN)).order_by(Trial.id))


def _answers(session: Session) -> Columns:
    columns = {
        "trial_id": Answer.trial_id,
        "question": cast(Answer.question, String),
        "value": Answer.value,
    }
    rows = select(*columns.values()).order_by(Answer.trial_id, Answer.question)
    return _columns(session, columns, rows)


def _exclusions(session: Session) -> Columns:
    names = ("rater_id", "rule", "reason", "automatic")
    columns = {name: getattr(Exclusion, name) for name in names}
    rows = select(*columns.values()).order_by(Exclusion.rater_id, Exclusion.rule)
    return _columns(session, columns, rows)


def _marks(session: Session) -> Columns:
    names = ("trial_id", "clip", "start_s", "end_s", "x", "y", "width", "height")
    columns = {name: getattr(Mark, name) for name in (*names, "kind", "severity")}
    rows = select(*columns.values()).order_by(Mark.trial_id, Mark.start_s, Mark.id)
    return _columns(session, columns, rows)


def _columns(session: Session, names: dict[str, Any], rows: Executable) -> Columns:
    """Return the columns of what a query finds, read part by part: rows do not pile up."""
    columns: Columns = {name: [] for name in names}
    for part in session.connection().execute(rows).partitions(_AT_ONCE):
        for column, values in zip(columns.values(), zip(*part, strict=True), strict=True):
            column.extend(values)
    return columns
