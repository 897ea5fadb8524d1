"""Who takes part: enrolls new raters, finds those who come back, makes personal links."""

import secrets
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from dreamix.core.errors import UserError
from study_app.declaration import Running
from study_app.platforms import NEEDS_ID, PREVIEW, clean_id, person_id
from study_app.state import Screen, state_of
from study_app.store.tables import Rater

Raters = Literal["nobody", "people", "simulated", "mixed"]
TOKEN = "t"  # what a rater's token is called in an address


@dataclass(frozen=True)
class EntryLink:
    """What a URL says of the visitor.

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


def enroll(running: Running, link: EntryLink, now: int, *, nameless: bool = False) -> Rater | None:
    """Return the rater behind a link, new or known; None if the link is not one of this study.

    Two tabs of one person are one rater, known by the platform's id. A closed study enrolls nobody,
    and people and simulated raters never share a study's database.

    nameless: a new rater's platform id and session are never stored.
    """
    with running.database.writing(alone=True) as session:
        known = _find_rater(session, link, running.study.recruiting.kind)
        if known:
            known.session = clean_id(link.session) or known.session
            known.platform_study = clean_id(link.study) or known.platform_study
            return known
        if not _may_enroll(session, running, link):
            return None
        rater = new_rater(running, link, now)
        if nameless:
            rater.platform_id = rater.session = None
        session.add(rater)
        session.flush()
        return rater


def get_or_preview_rater(running: Running, link: EntryLink, now: int) -> Rater | None:
    """Return the rater as `enroll` does, but a newcomer has no row: `id` is None.

    So a link that is opened ten thousand times writes nothing.
    """
    with running.database.reading() as session:
        if not _find_rater(session, link, running.study.recruiting.kind):
            welcome = _may_enroll(session, running, link)
            return new_rater(running, link, now) if welcome else None
    return enroll(running, link, now)


def _may_enroll(session: Session, running: Running, link: EntryLink) -> bool:
    """Return True if this link may enroll a new rater."""
    kind = running.study.recruiting.kind
    invited_only = kind == "invited" and not link.simulated
    nobody = person_id(_platform_of(link, kind), link.platform_id) is None
    if link.token or invited_only or (nobody and (kind in NEEDS_ID or link.platform_id)):
        return False
    if (link.session or "").strip().upper() == PREVIEW:
        return False
    return state_of(session).name != "closed" and not _has_other_kind(session, link)


def new_rater(running: Running, link: EntryLink, now: int) -> Rater:
    """Return a rater at the first screen, with a token that nobody can guess."""
    return Rater(
        token=secrets.token_urlsafe(24),
        platform=running.study.recruiting.kind,
        platform_id=person_id(_platform_of(link, running.study.recruiting.kind), link.platform_id),
        session=clean_id(link.session),
        platform_study=clean_id(link.study),
        simulated=link.simulated,
        language=running.study.closest_language(link.language),
        screen=Screen.WELCOME,
        quiz_failures=0,
        created=now,
        seen=now,
    )


def _find_rater(session: Session, link: EntryLink, kind: str) -> Rater | None:
    if link.token:
        return session.scalars(select(Rater).where(Rater.token == link.token)).first()
    found = person_id(_platform_of(link, kind), link.platform_id)
    if found is None:
        return None
    # As it is kept now, as by a link of another kind, and as an earlier version kept it.
    same = (found, person_id("open", found), link.platform_id)
    named = select(Rater).where(Rater.platform_id.in_(same))
    return session.scalars(named.order_by(Rater.platform != kind, Rater.id)).first()


def _has_other_kind(session: Session, link: EntryLink) -> bool:
    """Return True if the database holds the other kind of raters, people or simulated."""
    others = select(Rater.id).where(Rater.simulated != link.simulated).limit(1)
    return session.scalar(others) is not None


def _platform_of(link: EntryLink, kind: str) -> str:
    """Return whose ids a link has: simulated raters have none of a platform."""
    return "simulated" if link.simulated else kind


def invite(running: Running, count: int, address: str, now: int) -> list[str]:
    """Return `count` personal links; each is one rater's, and works until they are done."""
    if running.study.recruiting.kind != "invited":
        raise UserError(
            f"recruiting.kind is {running.study.recruiting.kind!r}: all raters come by one link; "
            "personal links need `kind: invited`"
        )
    raters = [new_rater(running, EntryLink(), now) for _ in range(count)]
    with running.database.writing(alone=True) as session:
        refuse_mixing(who_rates(session), "people")
        session.add_all(raters)
    return [f"{address.rstrip('/')}/?{TOKEN}={rater.token}" for rater in raters]


def who_rates(session: Session) -> Raters:
    """Return whether people, simulated raters or nobody rated; mixed is a fault."""
    kinds = set(session.scalars(select(Rater.simulated).distinct()))
    if not kinds:
        return "nobody"
    return "mixed" if len(kinds) > 1 else "simulated" if True in kinds else "people"


def refuse_mixing(raters: str, coming: str) -> None:
    """Raise a `UserError` if a database holds raters of the other kind."""
    if raters not in ("nobody", coming):
        raise UserError(
            f"the database has {raters} raters already, and people and simulated raters never "
            "share one: name another with --database sqlite:///FILE"
        )
