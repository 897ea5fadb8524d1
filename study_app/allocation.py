"""Allocates lists of trials to raters as they come, and takes back what others left.

One transaction allocates one list, and no two at a time: votes that are being given count, so the
votes of any two cells stay together. What a rater has left does not count, nor what somebody gave
who was rejected: it goes to those who come next.
"""

from collections.abc import Sequence

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from dreamix.core.seeding import rng_for
from study_app.adaptive import still_dealt
from study_app.design import DesignCell, ListPlace, insert_checks, next_block
from study_app.plan import Item, Plan
from study_app.spec.study import Study
from study_app.state import state_of
from study_app.store.tables import Rater, Trial

COUNTED = ("dealt", "rated")  # states of trials that hold a vote
_NONE_LOADED = {"synchronize_session": False}


def votes_per_cell(session: Session, plan: Plan) -> dict[DesignCell, int]:
    """Return the votes of every cell, those being given included."""
    counts = select(Trial.item, func.count()).join(Rater, Rater.id == Trial.rater_id)
    counts = counts.where(Trial.kind == "rating", Trial.state.in_(COUNTED))
    counts = counts.where(Rater.rejected.is_(None)).group_by(Trial.item)
    found = {item: count for item, count in session.execute(counts)}
    return {cell: found.get(item.key, 0) for cell, item in plan.by_cell.items()}


def release_expired(session: Session, study: Study, now: int) -> int:
    """Return how many trials were released from raters who have been silent too long.

    A last sign of life in the future dates from before the clock was set back: it counts as now.
    """
    session.execute(update(Rater).where(Rater.seen > now).values(seen=now))
    silent = now - study.size.lease_minutes * 60_000
    gone = select(Rater.id).where(or_(Rater.seen < silent, Rater.rejected.is_not(None)))
    gone = gone.where(Rater.finished.is_(None))
    released = update(Trial).where(Trial.state == "dealt", Trial.rater_id.in_(gone))
    result = session.execute(released.values(state="released"))
    return int(result.rowcount)  # type: ignore[attr-defined]


def reclaim_trials(session: Session, rater: Rater) -> None:
    """Return to a rater the trials that were released while they were away.

    If somebody else has rated the same since, there is one vote more than wanted.
    session: none of their trials is loaded in it.
    """
    lost = update(Trial).where(Trial.rater_id == rater.id, Trial.state == "released")
    session.execute(lost.values(state="dealt"), execution_options=_NONE_LOADED)


def has_room(session: Session, study: Study, plan: Plan, now: int) -> bool:
    """Return True if a rater who came now would get a list.

    session: of `Database.writing(alone=True)`; expired trials are released first.
    """
    release_expired(session, study, now)
    if state_of(session).name == "closed" or not _lists_left(session, study):
        return False
    votes = still_dealt(session, study, plan, votes_per_cell(session, plan))
    return bool(votes) and min(votes.values()) < study.size.votes


def allocate_list(
    session: Session, study: Study, plan: Plan, rater: Rater, now: int
) -> list[Trial]:
    """Return a rater's new list of trials; empty if the study is closed or has all its votes.

    session: of `Database.writing(alone=True)`.
    """
    release_expired(session, study, now)
    if state_of(session).name == "closed":
        return []
    if not _lists_left(session, study):
        return []
    dealt = _lists_allocated(session)
    rng = rng_for("study list", study.name, study.seed, dealt)
    length, quota = study.size.trials, study.size.votes
    votes = still_dealt(session, study, plan, votes_per_cell(session, plan))
    block = next_block(votes, quota=quota, length=length, number=dealt, rng=rng)
    if not block:
        return []
    checks = _checks(study, plan, study.closest_language(rater.language), dealt)
    keys = [plan.by_cell[cell].key for cell in block]
    places = insert_checks(keys, checks=checks, repeats=study.checks.repeats, rng=rng)
    rater.number = dealt
    return _added(session, rater, places, dealt)


def _lists_left(session: Session, study: Study) -> bool:
    """Return True if fewer raters count than the study wants."""
    return study.size.raters is None or _active_raters(session) < study.size.raters


def _active_raters(session: Session) -> int:
    """Return how many raters finished or hold a list; those rejected or gone do not count."""
    holding = Rater.id.in_(select(Trial.rater_id).where(Trial.state == "dealt"))
    counts = select(func.count()).where(Rater.number.is_not(None), Rater.rejected.is_(None))
    return session.scalar(counts.where(or_(Rater.finished.is_not(None), holding))) or 0


def _lists_allocated(session: Session) -> int:
    """Return how many raters have got a list."""
    return session.scalar(select(func.count()).where(Rater.number.is_not(None))) or 0


def replace_retired(session: Session, plan: Plan) -> None:
    """Replace retired items by their successors in lists where they are still unanswered.

    A repeat follows the trial that it repeats: it stays if that one is rated.
    """
    for key in plan.retired_keys:
        if not (now := plan.successor(key)):
            continue
        waiting = update(Trial).where(Trial.item == key, Trial.state.in_(("dealt", "released")))
        rated = select(Trial.rater_id).where(
            Trial.item == key, Trial.kind == "rating", Trial.state == "rated"
        )
        first = waiting.where(Trial.kind == "repeat", Trial.rater_id.not_in(rated))
        session.execute(first.values(item=now.key))
        session.execute(waiting.where(Trial.kind != "repeat").values(item=now.key))


def allocate_training(session: Session, plan: Plan, rater: Rater) -> list[Trial]:
    """Return the trials with feedback that a rater begins with; they hold no vote."""
    return _added(
        session, rater, [ListPlace("training", i.key) for i in plan.of_kind("training")], 0
    )


def _added(session: Session, rater: Rater, places: Sequence[ListPlace], dealt: int) -> list[Trial]:
    """Return new trials, behind those that the rater has already."""
    first = session.scalar(select(func.count()).where(Trial.rater_id == rater.id)) or 0
    trials = [_trial(rater, first + number, place, dealt) for number, place in enumerate(places)]
    session.add_all(trials)
    session.flush()
    return trials


def _trial(rater: Rater, number: int, place: ListPlace, dealt: int) -> Trial:
    """Return a trial of the list; pairs change sides from list to list and from place to place."""
    swapped = place.kind in ("rating", "repeat") and (dealt + number) % 2 == 1
    return Trial(
        rater_id=rater.id,
        place=number,
        kind=place.kind,
        item=place.item,
        swapped=swapped,
        state="dealt",
    )


def _checks(study: Study, plan: Plan, language: str, dealt: int) -> list[ListPlace]:
    """Return the traps and gold of a list, in turn from list to list."""
    traps = [item for item in plan.of_kind("trap") if item.language == language]
    return [
        ListPlace(kind, item.key)
        for kind, items, count in (
            ("trap", traps, study.checks.traps),
            ("gold", plan.of_kind("gold"), study.checks.gold),
        )
        for item in _rotated(items, count, dealt)
    ]


def _rotated(items: Sequence[Item], count: int, dealt: int) -> list[Item]:
    start = dealt * count
    return [items[(start + i) % len(items)] for i in range(count)] if items else []
