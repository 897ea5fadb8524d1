"""Differences between methods, turned as a report shows them, and what can be said of each."""

from typing import NamedTuple

import numpy as np

from evaluation.stats.compact_letters import letters_of_tests
from evaluation.stats.ratings import SuccessGap
from evaluation.stats.two_way_cluster import ClusteredEstimate, Raters
from reports.loading import is_number
from reports.people.outcome import Outcome, People
from reports.people.pairs import Pairs
from reports.people.standings import SUCCESS as SUCCESS
from reports.people.standings import compared_success
from reports.tables import number

ALIKE = 1e-9  # differences that small are rounding
ALONE = "one of the methods was seen by one rater alone"
UNEVEN = "the two methods were not rated by the same raters"


class Gap(NamedTuple):
    """How far method a is ahead of method b; NaN where nothing can be said."""

    question: str  # or SUCCESS
    a: str
    b: str
    low: float
    mid: float  # a - b: points of the scale, or a share of edits
    high: float
    p: float
    p_holm: float
    edits: int  # common
    raters: int
    sources: int
    reason: str = ""  # why there is no test, where the counts do not say it
    alike: bool = False  # not even one edit differs

    @property
    def turned(self) -> "Gap":
        """The same difference as b - a."""
        return self._replace(a=self.b, b=self.a, low=-self.high, mid=-self.mid, high=-self.low)

    def text(self, unit: str = "") -> str:
        """Return difference and interval, in points of the scale or of percent, with the unit."""
        times, digits = (100, 0) if self.question == SUCCESS else (1, 2)
        mid, low, high = (times * value for value in (self.mid, self.low, self.high))
        ends = f"{number(low, digits)}, {number(high, digits)}" if is_number(low) else "no interval"
        return f"{number(mid, digits)}{unit} [{ends}]"

    @property
    def why_not(self) -> str:
        """Return why the difference cannot be tested, "" if it can."""
        if is_number(self.p_holm):
            return ""
        if not self.edits:
            return "no edit in common"
        if self.sources < 2:
            return "edits of one source video say nothing about others"
        if self.reason:
            return self.reason
        if self.raters < 2:
            return "one rater says nothing about others"
        return "nothing varies from rater to rater or from video to video"

    def sign(self, alpha: float) -> int:
        """Return 1 if a is significantly ahead, -1 if b is, else 0."""
        shown = is_number(self.p_holm) and self.p_holm < alpha and abs(self.mid) > ALIKE
        return int(np.sign(self.mid)) if shown else 0


Gaps = dict[str, list[Gap]]  # by question and SUCCESS: every pair, a before b in the study's order


def alpha_of(people: People | Pairs) -> float:
    """Return the level of tests that goes with the level of the intervals."""
    return round(1 - people.how.confidence, 9)


def gaps_of(people: People, outcome: Outcome, *, raters: Raters = "random") -> Gaps:
    """Return all differences, success last; lists are empty for a single method.

    raters: "fixed" compares success for these raters alone, as the outcome's comparisons then are.
    """
    place = {name: k for k, name in enumerate(people.methods)}
    found: Gaps = {question: _question(outcome, question) for question in people.questions}
    found[SUCCESS] = _success(outcome, people.how.confidence, raters)
    return {
        name: sorted(
            (one if place[one.a] < place[one.b] else one.turned for one in several),
            key=lambda one: (place[one.a], place[one.b]),
        )
        for name, several in found.items()
    }


def letters_of(people: People, gaps: list[Gap], score: dict[str, float]) -> dict[str, str]:
    """Return each method's letters on one question: two share one if they do not differ.

    score: by which the letters are ordered; a method without one (NaN) has no letter. Without a
    pair that could be tested there are none.
    """
    names, p = people.methods, np.full((len(people.methods),) * 2, np.nan)
    for one in gaps:
        alike = is_number(one.p_holm) and abs(one.mid) <= ALIKE
        p[names.index(one.a), names.index(one.b)] = 1.0 if alike else one.p_holm
    scored = [k for k, name in enumerate(names) if is_number(score[name])]
    order = sorted(scored, key=lambda k: -round(score[names[k]], 9))
    return dict(zip(names, letters_of_tests(p, alpha_of(people), order), strict=True))


def _question(outcome: Outcome, question: str) -> list[Gap]:
    """Return the comparisons of one question as a - b, those of `compared` are b - a."""
    return [
        Gap(
            question, one.b, one.a, *one.difference[:3], one.difference.p, one.p_holm, one.edits,
            one.difference.raters, one.difference.sources, _reason(one.difference),
        )
        for one in outcome.comparisons
        if one.question == question
    ]  # fmt: skip


def _reason(one: ClusteredEstimate) -> str:
    """Return why raters leave a difference without a test, "" if it is not they."""
    if one.freedom or min(one.sources, one.raters) < 2:
        return ""
    if one.fewest == 1:
        return ALONE
    return UNEVEN


def _why_success(one: SuccessGap, raters: Raters) -> str:
    """Return the same of a difference of success."""
    if raters == "fixed":
        return UNEVEN
    return ALONE if one.fewest == 1 else ""


def _success(outcome: Outcome, confidence: float, raters: Raters) -> list[Gap]:
    """Return the comparisons of success as a - b, those of `compared_success` are b - a."""
    return [
        Gap(
            SUCCESS, one.b, one.a, one.low, one.mid, one.high, one.p, one.p_holm, one.edits,
            one.raters, one.sources, _why_success(one, raters),
            one.edits > 0 and not one.only_a + one.only_b,
        )
        for one in compared_success(
            outcome.ratings, outcome.standings, confidence=confidence, raters=raters
        )
    ]  # fmt: skip
