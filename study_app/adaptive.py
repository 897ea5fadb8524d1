"""Votes where they decide most: methods that are decided against all others are dealt no more.

What is decided follows from the finished raters in the database, in the order in which they
finished, and from the declared rule alone: any server on it comes to the same. Never is one method
favoured over another by its score: a method goes on as long as any pair with it is open, and then
both methods of that pair do. Raters are told nothing of it.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from study_app.design import DesignCell
from study_app.exclusion import flags
from study_app.plan import Plan
from study_app.spec.study import AdaptiveRules, Study
from study_app.store.tables import Answer, Exclusion, Rater, Trial

if TYPE_CHECKING:  # the statistics take half a second, for adaptive studies only
    from evaluation.stats.ratings import Course, RaterVotes, StoppingRule


def study_courses(session: Session, study: Study, plan: Plan) -> "list[Course]":
    """Return how all pairs of methods stand; nothing for a study that is not adaptive."""
    if study.adaptive is None:
        return []
    from evaluation.stats.ratings import courses

    votes = rater_votes(session, study, plan)
    return courses(votes, study.methods, rule_of(study.adaptive))


def rule_of(adaptive: AdaptiveRules) -> "StoppingRule":
    """Return the rule that study.yaml declares."""
    from evaluation.stats.ratings import StoppingRule

    told = adaptive.model_dump(exclude={"questions"})
    return StoppingRule(**told)


def still_dealt(
    session: Session, study: Study, plan: Plan, votes: Mapping[DesignCell, int]
) -> dict[DesignCell, int]:
    """Return those of the cells that are still dealt, with their votes."""
    if study.adaptive is None:
        return dict(votes)
    from evaluation.stats.ratings import open_methods

    needed = open_methods(study_courses(session, study, plan), study.methods)
    return {cell: count for cell, count in votes.items() if cell.method in needed}


def rater_votes(session: Session, study: Study, plan: Plan) -> "dict[str, RaterVotes]":
    """Return the finished raters' votes by question, method and source video.

    Raters in the order in which they finished; those whom a rule excludes, or who were rejected or
    left out by hand, are not among them.
    """
    from evaluation.stats.ratings import RaterVotes

    assert study.adaptive
    asked = study.adaptive.questions or study.questions
    row = {rater: k for k, rater in enumerate(_finished(session, study, plan))}
    items = plan.of_kind("rating")
    method = {name: k for k, name in enumerate(study.methods)}
    source = {video: k for k, video in enumerate(sorted({item.video for item in items}))}
    of_item = {item.key: (method[item.methods[0]], source[item.video]) for item in items}
    shape = len(row), len(method), len(source)
    tables: dict[str, RaterVotes] = {
        q: RaterVotes(*(np.zeros(shape) for _ in range(3))) for q in asked
    }
    found = select(Trial.rater_id, Trial.item, Answer.question, Answer.value)
    found = found.join(Answer, Answer.trial_id == Trial.id)
    found = found.where(Trial.kind == "rating", Trial.state == "rated")
    for rater, item, question, value in session.execute(found):
        if rater in row and question in tables and item in of_item:
            at = row[rater], *of_item[item]
            for part, amount in zip(tables[question], (1, value, value**2), strict=True):
                part[at] += amount
    return tables


def _finished(session: Session, study: Study, plan: Plan) -> list[int]:
    """Return the raters who finished and count, in the order in which they finished."""
    left_out = {flag.rater_id for flag in flags(session, study, plan)}
    left_out |= set(session.scalars(select(Exclusion.rater_id).where(~Exclusion.automatic)))
    rows = select(Rater.id).where(Rater.finished.is_not(None), Rater.rejected.is_(None))
    rows = rows.order_by(Rater.finished, Rater.id)
    return [rater for rater in session.scalars(rows) if rater not in left_out]


def course_lines(found: "list[Course]") -> list[str]:
    """Return how an adaptive study stands, a line for each question, for who hosts it."""
    by_question = defaultdict(list)
    for one in found:
        by_question[one.question].append(one)
    return [f"{question}: {_told(several)}" for question, several in by_question.items()]


def _told(several: "list[Course]") -> str:
    decided = [
        f"{one.a} and {one.b} {one.state} after {one.decided_after} raters"
        for one in several
        if one.decided_after
    ]
    rest = len(several) - len(decided)
    pairs = f"{rest} of {len(several)} pairs open"
    return "; ".join([*decided, pairs] if rest else decided)
