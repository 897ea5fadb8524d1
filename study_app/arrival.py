"""Who comes: a new rater, or one who has been here and goes on."""

import secrets
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from study_app.flow import Running
from study_app.platforms import NEEDS_ID, PREVIEW, name, person
from study_app.screens import Screen
from study_app.state import state_of
from study_app.store.tables import Rater

TOKEN = "t"  # what a rater's token is called in an address


@dataclass(frozen=True)
class Visit:
    """What a URL says of who comes.

    token:       of the link that a rater was given here; resumes, and is all that a link needs.
    platform_id: the recruiting platform's name for the person; coming again resumes.
    session:     the platform's name for the visit; study: for the study that was advertised.
    """

    token: str | None = None
    platform_id: str | None = None
    session: str | None = None
    study: str | None = None
    language: str | None = None
    simulated: bool = False


def arrive(running: Running, visit: Visit, now: int, *, nameless: bool = False) -> Rater | None:
    """Return the rater who comes, new or known; None if the link is not one of this study.

    Two tabs of one person are one rater: whoever comes with a platform's name is known by it.
    Nobody new comes to a study that is closed, no person to simulated raters, none of them to
    people.

    nameless: of somebody new the platform's name and session are not kept, not for a moment.
    """
    with running.database.writing(alone=True) as session:
        known = _known(session, visit, running.study.recruiting.kind)
        if known:
            known.session = name(visit.session) or known.session
            known.platform_study = name(visit.study) or known.platform_study
            return known
        if not _may_come(session, running, visit):
            return None
        rater = new_rater(running, visit, now)
        if nameless:
            rater.platform_id = rater.session = None
        session.add(rater)
        session.flush()
        return rater


def meet(running: Running, visit: Visit, now: int) -> Rater | None:
    """Return the rater who comes as `arrive` does, but whoever is new has no row: `id` is None.

    So a link that is opened ten thousand times fills no database; nothing is written for it.
    """
    with running.database.reading() as session:
        if not _known(session, visit, running.study.recruiting.kind):
            welcome = _may_come(session, running, visit)
            return new_rater(running, visit, now) if welcome else None
    return arrive(running, visit, now)


def _may_come(session: Session, running: Running, visit: Visit) -> bool:
    """Return True if somebody new may come by this link."""
    kind = running.study.recruiting.kind
    invited_only = kind == "invited" and not visit.simulated
    nobody = person(_kind(visit, kind), visit.platform_id) is None
    if visit.token or invited_only or (nobody and (kind in NEEDS_ID or visit.platform_id)):
        return False
    if (visit.session or "").strip().upper() == PREVIEW:
        return False
    return state_of(session).name != "closed" and not _others(session, visit)


def new_rater(running: Running, visit: Visit, now: int) -> Rater:
    """Return a rater at the first screen, with a token that nobody can guess."""
    return Rater(
        token=secrets.token_urlsafe(24),
        platform=running.study.recruiting.kind,
        platform_id=person(_kind(visit, running.study.recruiting.kind), visit.platform_id),
        session=name(visit.session),
        platform_study=name(visit.study),
        simulated=visit.simulated,
        language=running.study.tongue(visit.language),
        screen=Screen.WELCOME,
        quiz_failures=0,
        created=now,
        seen=now,
    )


def _known(session: Session, visit: Visit, kind: str) -> Rater | None:
    if visit.token:
        return session.scalars(select(Rater).where(Rater.token == visit.token)).first()
    found = person(_kind(visit, kind), visit.platform_id)
    if found is None:
        return None
    # As it is kept now, as by a link of another kind, and as an earlier version kept it.
    same = (found, person("open", found), visit.platform_id)
    named = select(Rater).where(Rater.platform_id.in_(same))
    return session.scalars(named.order_by(Rater.platform != kind, Rater.id)).first()


def _others(session: Session, visit: Visit) -> bool:
    """Return True if the store is of the other kind of raters: the two never share one."""
    others = select(Rater.id).where(Rater.simulated != visit.simulated).limit(1)
    return session.scalar(others) is not None


def _kind(visit: Visit, kind: str) -> str:
    """Return whose names the visit has: simulated raters have none of a platform."""
    return "simulated" if visit.simulated else kind
