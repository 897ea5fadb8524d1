"""Who is left out of the analysis, by the rules that study.yaml declared before the first vote.

Every exclusion is a row with its rule and reason. Automatic ones are worked out anew at any time,
those that a researcher makes stay. None of them decides payment: see `study_app.export.payment`.
"""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import ColumnElement, case, delete, func, literal, or_, select
from sqlalchemy.orm import Session

from dreamix.core.wording import plural
from study_app.declaration import Running, current_declaration
from study_app.plan import OWN, Plan
from study_app.spec.study import Study
from study_app.store.tables import Answer, Exclusion, Playback, Rater, Trial

CHECKS = ("trap", "gold")
BY_HAND = "by_hand"


class Flag(NamedTuple):
    """A rule that a rater broke."""

    rater_id: int
    rule: str
    reason: str


class CheckOutcome(NamedTuple):
    """A check that a rater answered."""

    rater_id: int
    kind: str
    failed: bool


def flags(session: Session, study: Study, plan: Plan) -> list[Flag]:
    """Return every rule that is broken, in order of raters.

    A rater who is still at it may have too few ratings today and enough tomorrow.
    """
    found = [
        *_failed_checks(session, study, plan),
        *_failed_playback(session, study),
        *_straight_lines(session, study),
        *_by_count(session, study),
    ]
    return sorted(found)


def recompute_exclusions(running: Running, now: int) -> list[Flag]:
    """Return the flags, which are now the automatic exclusions in the store."""
    with running.database.writing(alone=True) as session:
        found = flags(session, running.study, running.plan)
        at = {
            (row.rater_id, row.rule): row.at
            for row in session.scalars(select(Exclusion).where(Exclusion.automatic))
        }
        session.execute(delete(Exclusion).where(Exclusion.automatic))
        session.add_all(
            Exclusion(**flag._asdict(), automatic=True, at=at.get(flag[:2], now)) for flag in found
        )
    return found


def reject(running: Running, rater: Rater, reason: str, now: int) -> None:
    """Leave a rater out, and let others rate again what they rated."""
    with running.database.writing(alone=True) as session:
        row = session.get_one(Rater, rater.id)
        row.rejected = row.rejected or now
        session.execute(delete(Exclusion).where(*_of_hand(rater)))
        session.add(
            Exclusion(rater_id=rater.id, rule=BY_HAND, reason=reason, automatic=False, at=now)
        )


def unreject(running: Running, rater: Rater) -> None:
    """Let a rater count again; others may have rated the same since."""
    with running.database.writing(alone=True) as session:
        session.get_one(Rater, rater.id).rejected = None
        session.execute(delete(Exclusion).where(*_of_hand(rater)))


def check_outcomes(session: Session, study: Study, plan: Plan) -> list[CheckOutcome]:
    """Return how raters did at checks: every trap and gold trial that is answered.

    A trap is failed by any other answer than it asks for, gold by one further off than
    `checks.gold_tolerance` in any question.
    """
    of_trial = (Trial.id, Trial.rater_id, Trial.kind, Trial.item)
    rows = select(*of_trial, Answer.question, Answer.value).where(Trial.kind.in_(CHECKS))
    rows = rows.join(Answer, Answer.trial_id == Trial.id)
    of: dict[int, tuple[int, str]] = {}
    failed: set[int] = set()
    expected = {key: item.expected or {} for key, item in plan.by_key.items()}
    for trial, rater, kind, item, question, value in session.execute(rows.order_by(Trial.id)):
        of[trial] = rater, kind
        allowed = study.checks.gold_tolerance if kind == "gold" else 0
        if abs(value - expected[item].get(question, value)) > allowed:
            failed.add(trial)
    return [CheckOutcome(*who, trial in failed) for trial, who in of.items()]


def _failed_checks(session: Session, study: Study, plan: Plan) -> Iterator[Flag]:
    limits = {"trap": study.exclusion.failed_traps, "gold": study.exclusion.failed_gold}
    seen: dict[tuple[int, str], list[bool]] = {}
    for outcome in check_outcomes(session, study, plan):
        seen.setdefault((outcome.rater_id, outcome.kind), []).append(outcome.failed)
    for (rater, kind), results in seen.items():
        if 0 < limits[kind] <= sum(results):
            rule = "failed_traps" if kind == "trap" else "failed_gold"
            of = plural(len(results), "trap" if kind == "trap" else "gold trial")
            yield Flag(rater, rule, f"{sum(results)} of {of} failed")


def _failed_playback(session: Session, study: Study) -> Iterator[Flag]:
    """Give raters with answers to clips whose ledger does not show that they were watched."""
    limit, wanted = study.exclusion.failed_playback, _wanted_coverage(session, study)
    if not limit:
        return
    rows = select(Trial.rater_id, func.count()).outerjoin(Playback)
    rows = rows.where(Trial.kind.in_(OWN), Trial.state == "rated")
    rows = rows.where(or_(Playback.trial_id.is_(None), Playback.coverage < wanted))
    for rater, count in session.execute(rows.group_by(Trial.rater_id)):
        if count >= limit:
            yield Flag(rater, "failed_playback", f"{_clips(count)} not watched to the end")


def _clips(count: int) -> str:
    return f"{plural(count, 'clip')} {'was' if count == 1 else 'were'}"


def _wanted_coverage(session: Session, study: Study) -> ColumnElement[float]:
    """Return the share that had to be watched when a trial was rated: rules are not for before."""
    now, known = study.playback.coverage, current_declaration(session)
    then = {
        entry["hash"]: float(entry["content"]["playback"]["coverage"])
        for entry in (known.entries if known else ())
        if "content" in entry
    }
    return case(then, value=Trial.declared, else_=now) if then else literal(now)


def _straight_lines(session: Session, study: Study) -> Iterator[Flag]:
    """Give raters whose answers hardly vary: mean square less squared mean, of all questions."""
    limit = study.exclusion.straight_line
    if not limit:
        return
    sums = (func.count(), func.sum(Answer.value), func.sum(Answer.value * Answer.value))
    rows = select(Trial.rater_id, *sums).join(Answer, Answer.trial_id == Trial.id)
    rows = rows.where(Trial.kind.in_(OWN)).group_by(Trial.rater_id)
    for rater, count, total, squares in session.execute(rows):
        variance = float(squares) / count - (float(total) / count) ** 2
        if count > 1 and variance <= limit + 1e-12:
            yield Flag(rater, "straight_line", f"variance {variance:.2f} of {count} answers")


def _by_count(session: Session, study: Study) -> Iterator[Flag]:
    """Give raters for whom too much did not play, or who rated too little."""
    rules = study.exclusion
    rows = select(
        Rater.id,
        func.sum(case((Trial.kind.in_(OWN) & (Trial.state == "rated"), 1), else_=0)),
        func.sum(case((Trial.state == "unplayable", 1), else_=0)),
        func.sum(case((Trial.state.in_(("rated", "unplayable")), 1), else_=0)),
    ).join(Trial, Trial.rater_id == Rater.id)
    rows = rows.where(Rater.number.is_not(None), Trial.kind != "training").group_by(Rater.id)
    for rater, rated, stuck, done in session.execute(rows):
        rated, stuck, done = int(rated), int(stuck), int(done)
        if rules.unplayable and done and stuck / done >= rules.unplayable:
            yield Flag(rater, "unplayable", f"{stuck} of {plural(done, 'clip')} did not play")
        if rated < rules.least_ratings:
            yield Flag(rater, "least_ratings", f"{plural(rated, 'trial')} rated")


def _of_hand(rater: Rater) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Exclusion.rater_id == rater.id, Exclusion.rule == BY_HAND
