"""What is known of raters, in numbers: agreement, bias, inconsistency, flags of screening rules."""

from typing import NamedTuple

import numpy as np

from evaluation.stats.agreement import (
    Alpha,
    Icc,
    OneOut,
    Retest,
    bt500,
    intraclass_correlation,
    krippendorff_alpha,
    leave_one_out,
    p913,
    retest_agreement,
    straight_line,
)
from evaluation.stats.ratings import (
    RaterModel,
    Ratings,
    Votes,
    debiased_mos,
    rater_model,
    votes_on,
)
from reports.people.outcome import People

RULES = ("BT.500", "P.913", "straight line")


class Agreed(NamedTuple):
    """How far the raters who count agree on one question, with each other and with themselves."""

    question: str
    alpha: Alpha
    icc: Icc
    one_out: OneOut
    retest: Retest
    modelled: np.ndarray  # float (methods,): MOS by the rater model


class Screened(NamedTuple):
    """All raters with votes, excluded ones too, on one question; arrays (raters,)."""

    question: str
    bias: np.ndarray
    inconsistency: np.ndarray
    votes: np.ndarray
    few_votes: np.ndarray  # bool
    spearman: np.ndarray  # with the mean of the others
    flags: dict[str, np.ndarray]  # by rule, bool


def agreed(people: People, question: str) -> Agreed:
    """Return the agreement of the raters who count."""
    votes = votes_on(people.kept.ratings, question)
    draws = people.resampling("alpha", question)
    return Agreed(
        question,
        krippendorff_alpha(votes.value, votes.item, votes.source, resampling=draws),
        intraclass_correlation(votes.value, votes.item, votes.rater),
        leave_one_out(votes.value, votes.item, votes.rater),
        retest_agreement(*_twice(people, question)),
        debiased_mos(votes, _model(votes)),
    )  # fmt: skip


def everyone_of(people: People) -> Ratings:
    """Return the ratings with those of excluded raters."""
    return people.everyone.ratings if people.everyone else people.kept.ratings


def screened(people: People, question: str) -> Screened:
    """Return bias, inconsistency and flags of all raters, excluded ones too."""
    votes = votes_on(everyone_of(people), question)
    many, model = votes.raters, _model(votes)
    flags = (
        bt500(votes.value, votes.item, votes.rater).flagged,
        p913(votes.value, votes.item, votes.rater, votes.method).flagged,
        straight_line(votes.value, votes.rater).flagged,
    )
    return Screened(
        question,
        _filled(model.bias, many),
        _filled(model.inconsistency, many),
        _filled(model.votes, many, 0),
        _filled(model.few_votes, many, False),
        _filled(leave_one_out(votes.value, votes.item, votes.rater).spearman, many),
        {rule: _filled(flag, many, False) for rule, flag in zip(RULES, flags, strict=True)},
    )


def _model(votes: Votes) -> RaterModel:
    return rater_model(votes.value, votes.item, votes.rater)


def _filled(values: np.ndarray, many: int, empty: float = np.nan) -> np.ndarray:
    """Return an array for all raters: the last ones may have no vote on a question."""
    found = np.full(many, empty, values.dtype)
    found[: len(values)] = values
    return found


def _twice(people: People, question: str) -> tuple[np.ndarray, np.ndarray]:
    """Return first and repeated votes of the same rater on the same item, raters who count."""
    long = people.export.long
    if not {"kind", "item"} <= set(long):
        return np.zeros(0), np.zeros(0)
    rows = long[(long["question"] == question) & ~long["excluded"]]
    keys = ["rater", "item"]
    first, again = (
        rows[rows["kind"] == kind].drop_duplicates(keys).set_index(keys)["value"]
        for kind in ("rating", "repeat")
    )
    both = first.index.intersection(again.index)
    return first[both].to_numpy(np.float64), again[both].to_numpy(np.float64)
