"""How a study stands: votes against the quota, raters, pace, checks, and when it will be done.

Everything is counted by the database; no row of an answer leaves it but those of checks.
"""

from collections import Counter
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from study_app.adaptive import study_courses
from study_app.declaration import Declaration, Running, current_declaration
from study_app.design import DesignCell
from study_app.enrollment import Raters, who_rates
from study_app.exclusion import check_outcomes, flags
from study_app.plan import Plan
from study_app.spec.study import Study
from study_app.state import ENDS, State, state_of
from study_app.store.tables import Rater, Trial

if TYPE_CHECKING:
    from evaluation.stats.ratings import Course

HOUR = 3_600_000
DAY = 24 * HOUR


class CellVotes(NamedTuple):
    """Votes of a cell, those of rejected raters not counted."""

    given: int
    held: int  # of lists that are being rated
    kept: int  # given, by raters whom no rule excludes


class Ratio(NamedTuple):
    """Some of a number."""

    part: int
    whole: int


class StudyPace(NamedTuple):
    """How fast it goes, over the last day of what there is."""

    finished: float  # raters an hour
    votes: float  # an hour
    by_hour: dict[int, int]  # hour since 1970 -> raters who finished in it


class StudyStatus(NamedTuple):
    """How a study stands at `at`: now, or when the last simulated rater did something."""

    at: int
    state: State
    raters: Raters
    quota: int
    votes: dict[DesignCell, CellVotes]
    screens: dict[str, int]
    finished: int
    rejected: int
    minutes: float | None  # of a rater who finished, median
    pace: StudyPace | None
    checks: dict[str, Ratio]  # failed, of those that are answered
    unplayable: Ratio
    open_trials: Ratio  # of raters who show signs of life, of all that are dealt
    excluded: dict[str, int]  # rule -> raters
    excluded_raters: int
    retired: int  # votes for clips that were made anew or taken out since
    declared: Declaration | None
    erase_after: int | None  # when what identifies a rater is to be erased
    courses: "tuple[Course, ...]" = ()  # of an adaptive study: how pairs of methods stand

    @property
    def wanted(self) -> int:
        """Votes that the study wants."""
        return self.quota * len(self.votes)

    @property
    def counted(self) -> int:
        """Votes that it has, none counted beyond its cell's quota."""
        return sum(min(votes.given, self.quota) for votes in self.votes.values())

    @property
    def given(self) -> int:
        """Votes that raters gave who are not rejected, also beyond the quota."""
        return sum(votes.given for votes in self.votes.values())

    @property
    def kept(self) -> int:
        """Those of them by raters whom no rule excludes."""
        return sum(votes.kept for votes in self.votes.values())

    @property
    def on_their_way(self) -> int:
        """Raters who have not come to an end."""
        return sum(count for screen, count in self.screens.items() if screen not in ENDS)

    @property
    def ends(self) -> int | None:
        """When the votes are complete if it goes on so; None if that cannot be told."""
        missing = self.wanted - self.counted
        if not missing or not self.pace or not self.pace.votes or self.state.name != "open":
            return None
        return self.at + round(missing / self.pace.votes * HOUR)


def study_status(running: Running, now: int) -> StudyStatus:
    """Return how the study stands, all of it as of one moment."""
    study, plan = running.study, running.plan
    with running.database.reading() as session:
        kinds, last = who_rates(session), session.scalar(select(func.max(Rater.seen)))
        at = last if kinds == "simulated" and last else now
        broken = flags(session, study, plan)
        excluded = {flag.rater_id for flag in broken}
        state = state_of(session)
        finished = _finished(session)
        return StudyStatus(
            at=at,
            state=state,
            raters=kinds,
            quota=study.size.votes,
            votes=_votes(session, plan, excluded),
            screens=_screens(session),
            finished=len(finished),
            rejected=_count(session, Rater.rejected.is_not(None)),
            minutes=_minutes(finished),
            pace=_pace(session, [end for _, end in finished], at),
            checks=_checks(session, study, plan),
            unplayable=_unplayable(session),
            open_trials=_open_trials(session, study, at),
            excluded=dict(Counter(flag.rule for flag in broken)),
            excluded_raters=len(excluded),
            retired=_retired(session, plan),
            declared=current_declaration(session),
            erase_after=_erase_after(study, state),
            courses=tuple(study_courses(session, study, plan)),
        )


def _votes(session: Session, plan: Plan, excluded: set[int]) -> dict[DesignCell, CellVotes]:
    rows = select(Trial.item, Trial.state, func.count()).join(Rater, Rater.id == Trial.rater_id)
    rows = rows.where(Trial.kind == "rating", Trial.state.in_(("rated", "dealt")))
    rows = rows.where(Rater.rejected.is_(None)).group_by(Trial.item, Trial.state)
    all_ = {(item, state): count for item, state, count in session.execute(rows)}
    theirs = rows.where(Trial.rater_id.in_(excluded), Trial.state == "rated")
    lost = {item: count for item, _, count in session.execute(theirs)} if excluded else {}
    return {
        cell: CellVotes(
            given := all_.get((item.key, "rated"), 0),
            all_.get((item.key, "dealt"), 0),
            given - lost.get(item.key, 0),
        )
        for cell, item in plan.by_cell.items()
    }


def _screens(session: Session) -> dict[str, int]:
    rows = select(Rater.screen, func.count()).group_by(Rater.screen)
    return {screen: count for screen, count in session.execute(rows)}


def _count(session: Session, condition: object) -> int:
    return session.scalar(select(func.count(Rater.id)).where(condition)) or 0  # type: ignore[arg-type]


def _finished(session: Session) -> list[tuple[int, int]]:
    """Return the time that each rater spent who finished, from consent on, and when they ended."""
    rows = select(Rater.finished - Rater.began, Rater.finished)
    finished = session.execute(rows.where(Rater.finished.is_not(None)))
    return [(spent, end) for spent, end in finished if spent is not None and end is not None]


def _minutes(finished: list[tuple[int, int]]) -> float | None:
    """Return the median; a clock that was set back meanwhile tells nothing."""
    spent = [time for time, _ in finished if time >= 0]
    return median(spent) / 60_000 if spent else None


def _pace(session: Session, ends: list[int], at: int) -> StudyPace | None:
    """Return the pace of the day until `at`, or of less if the study is younger."""
    first = session.scalar(select(func.min(Rater.created)))
    if first is None or at <= first:
        return None
    begin = max(first, at - DAY)
    hours = max(at - begin, 60_000) / HOUR
    rated = select(func.count()).where(Trial.kind == "rating", Trial.state == "rated")
    votes = session.scalar(rated.where(Trial.answered >= begin)) or 0
    by_hour = Counter(end // HOUR for end in ends if end >= begin)
    return StudyPace(by_hour.total() / hours, votes / hours, dict(sorted(by_hour.items())))


def _checks(session: Session, study: Study, plan: Plan) -> dict[str, Ratio]:
    found = check_outcomes(session, study, plan)
    kinds = sorted({outcome.kind for outcome in found}, reverse=True)
    of_kind = {kind: [o.failed for o in found if o.kind == kind] for kind in kinds}
    return {kind: Ratio(sum(failed), len(failed)) for kind, failed in of_kind.items()}


def _unplayable(session: Session) -> Ratio:
    rows = select(Trial.state, func.count()).where(Trial.state.in_(("rated", "unplayable")))
    counts = {state: count for state, count in session.execute(rows.group_by(Trial.state))}
    return Ratio(counts.get("unplayable", 0), sum(counts.values()))


def _open_trials(session: Session, study: Study, at: int) -> Ratio:
    held = select(func.count()).select_from(Trial).join(Rater, Rater.id == Trial.rater_id)
    held = held.where(Trial.state == "dealt", Trial.kind != "training", Rater.rejected.is_(None))
    live = held.where(Rater.seen >= at - study.size.lease_minutes * 60_000)
    return Ratio(session.scalar(live) or 0, session.scalar(held) or 0)


def _retired(session: Session, plan: Plan) -> int:
    if not plan.retired:
        return 0
    given = select(func.count()).where(Trial.kind == "rating", Trial.state == "rated")
    return session.scalar(given.where(Trial.item.in_(sorted(plan.retired_keys)))) or 0


def _erase_after(study: Study, state: State) -> int | None:
    closed = state.since if state.name == "closed" else None
    return None if closed is None else closed + study.retention_days * DAY
