"""How small a difference a study can find, from the variance components of its own votes."""

import math
from typing import NamedTuple

import numpy as np

from dreamix.core.errors import UserError
from evaluation.stats.ratings import (
    MOST_LEVELS,
    Power,
    detectable_difference,
    deviations_of,
    vote_components,
    votes_on,
)
from reports.people.gaps import alpha_of
from reports.people.outcome import People
from reports.tables import number
from reports.wording import listed, plural

POWER = 0.8
ESTIMATE = f"by restricted maximum likelihood (by moments, if over {MOST_LEVELS} levels)"


class Detectable(NamedTuple):
    """Least differences on one question, in points; infinite where there is no test."""

    question: str
    alone: float  # by a single comparison
    corrected: float  # by one that has to stand in front of all others: alpha / tests
    tests: int
    study: Power | None  # None if the votes do not show how much they vary
    why_not: str


def detectable(people: People) -> list[Detectable]:
    """Return what this study can find on every question, with power 0.8; [] for one method."""
    if len(people.methods) < 2:
        return []
    return [_detectable(people, question) for question in people.questions]


def _detectable(people: People, question: str) -> Detectable:
    votes = votes_on(people.kept.ratings, question)
    raters, sources = len(np.unique(votes.rater)), len(np.unique(votes.source))
    each = np.bincount(votes.method, minlength=votes.methods)
    tests, alpha = len(people.kept.comparisons), alpha_of(people)
    why = _why_not(raters, sources)
    try:
        found = deviations_of(vote_components(votes))
    except UserError:
        why = why or "the votes are too few to show how much they vary"
    if why:
        return Detectable(question, math.inf, math.inf, tests, None, why)
    size = (raters, sources, int(each[each > 0].min()))
    alone = detectable_difference(found, *size, alpha=alpha, power=POWER)
    if alone.difference < 1e-9:
        return Detectable(question, math.nan, math.nan, tests, None, "the votes do not vary")
    strict = detectable_difference(found, *size, alpha=alpha / tests, power=POWER)
    return Detectable(question, alone.difference, strict.difference, tests, alone, "")


def detected(people: People, one: Detectable, difference: float) -> str:
    """Return "0.26 on alignment", or that no difference on the scale is large enough."""
    low, high = people.kept.ratings.scale
    if difference > high - low:
        return f"over {high - low:g} (more than the scale holds) on {one.question}"
    return f"{number(difference, 2)} on {one.question}"


def unknown(found: list[Detectable]) -> str:
    """Return why there is no number, question by question if there is one for others."""
    reasons = {one.why_not: [o.question for o in found if o.why_not == one.why_not]
               for one in found if one.why_not}  # fmt: skip
    if len(reasons) == 1 and len(next(iter(reasons.values()))) == len(found):
        return next(iter(reasons))
    return "; ".join(f"on {listed(topics)}: {why}" for why, topics in reasons.items())


def sizes_of(found: list[Detectable]) -> str:
    """Return "8 raters and 6 source videos", of the question with fewest where they differ."""
    studies = [one.study for one in found if one.study]
    raters, sources = (min(getattr(s, name) for s in studies) for name in ("raters", "sources"))
    least = "at least " * (len({(s.raters, s.sources) for s in studies}) > 1)
    return f"{least}{plural(raters, 'rater')} and {plural(sources, 'source video')}"


def _why_not(raters: int, sources: int) -> str:
    if raters < 2:
        return "with one rater there is no test"
    return "with one source video there is no test" if sources < 2 else ""
