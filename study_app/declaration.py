"""The analysis that was declared: its hash is in the database before the first vote.

A study.yaml whose plan, rules, questions, size or design change after votes exist is refused; with
a reason it is an amendment, which is kept beside the first declaration and goes into every export.
"""

from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dreamix.core.errors import UserError
from study_app.settings import keep_setting, setting
from study_app.spec.reading import analysis_hash
from study_app.spec.study import Study
from study_app.store.database import Database
from study_app.store.tables import Trial

_KEY = "analysis"


class Declared(NamedTuple):
    """What stands in the database of the analysis plan."""

    hash: str
    at: int
    ratings: int  # that were there when it was declared; 0 unless it was amended
    amendments: tuple[dict[str, Any], ...] = ()


def declared(session: Session) -> Declared | None:
    """Return the declaration; None before the first build."""
    found = setting(session, _KEY)
    if not found:
        return None
    last = (found["amendments"] or [found])[-1]
    return Declared(last["hash"], last["at"], last["ratings"], tuple(found["amendments"]))


def check_declaration(database: Database, study: Study, amendment: str | None = None) -> None:
    """Raise a `UserError` if votes were given under another declaration than study.yaml's."""
    with database.reading() as session:
        found, votes = setting(session, _KEY), _ratings(session)
        before = declared(session)
    if not votes or not found or not before:
        return
    if found["keys"] != _keys(study):
        raise UserError(
            f"study.yaml: name and seed make the keys of {votes} trials that are rated; put them "
            f"back to {found['keys'][0]!r} and {found['keys'][1]}"
        )
    if before.hash != analysis_hash(study) and not amendment:
        raise UserError(
            f"study.yaml declares another analysis than the {votes} trials were rated under "
            f"(hash {before.hash[:12]}, now {analysis_hash(study)[:12]}): put it back, or say why "
            "with `dreamix study build --amend REASON`"
        )


def declare(database: Database, study: Study, now: int, amendment: str | None = None) -> Declared:
    """Return the declaration that holds from now on.

    Before the first vote it takes the place of what was declared; afterwards it is an amendment.
    """
    check_declaration(database, study, amendment)
    with database.writing(alone=True) as session:
        found, votes = setting(session, _KEY), _ratings(session)
        entry = {"hash": analysis_hash(study), "at": now, "ratings": votes}
        if not found or not votes:
            found = {**entry, "keys": _keys(study), "amendments": []}
            keep_setting(session, _KEY, found)
        elif (found["amendments"] or [found])[-1]["hash"] != entry["hash"]:
            found["amendments"].append({**entry, "reason": amendment})
            keep_setting(session, _KEY, found)
        result = declared(session)
    assert result
    return result


def _ratings(session: Session) -> int:
    """Return how many trials are rated, training not counted."""
    rated = select(func.count()).where(Trial.state == "rated", Trial.kind == "rating")
    return session.scalar(rated) or 0


def _keys(study: Study) -> list[Any]:
    """Return what the keys of trials are made from."""
    return [study.name, study.seed]
