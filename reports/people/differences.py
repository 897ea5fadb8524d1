"""Differences between methods, as a report shows them, and the least that a study can find."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from dreamix.core.errors import UserError
from dreamix.core.wording import listed, plural
from evaluation.stats.compact_letters import letters_of_tests
from evaluation.stats.ratings import (
    MOST_LEVELS,
    Power,
    SuccessGap,
    detectable_difference,
    deviations_of,
    vote_components,
    votes_on,
)
from evaluation.stats.two_way_cluster import ClusteredEstimate, Raters
from reports.people.outcome import SUCCESS, People, RaterOutcome, compared_success
from reports.tables import APART, NOTHING, TableCell, is_number, number

ALIKE = 1e-9  # differences that small are rounding
UNKNOWN = "single votes are not known, and so not how much raters vary"
ALONE = "one of the methods was seen by one rater alone"
UNEVEN = "the two methods were not rated by the same raters"
POWER = 0.8
ESTIMATE = f"by restricted maximum likelihood (by moments, if over {MOST_LEVELS} levels)"


def digits_of(scale: tuple[float, float]) -> int:
    """Return how many decimals a vote takes: two on 1 to 5, one on 0 to 100, three on 0 to 1."""
    return max(0, min(3, 2 - math.floor(math.log10((scale[1] - scale[0]) / 4))))


class Places(NamedTuple):
    """Where methods stand on common edits."""

    ranks: dict[str, int]  # equal scores share one; 0 for a method that is not ranked
    best: frozenset[str]  # of rank 1, whatever their gaps hide


def places_without_gaps(scores: dict[str, float]) -> Places:
    """Return where methods stand that all have the same edits."""
    known = {name: score for name, score in scores.items() if is_number(score)}
    ranks = {
        name: 1 + sum(other > score + ALIKE for other in known.values())
        for name, score in known.items()
    }
    best = frozenset(name for name, rank in ranks.items() if rank == 1)
    return Places(dict.fromkeys(scores, 0) | ranks, best)


class Difference(NamedTuple):
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
    digits: int = 2  # decimals of points of the scale

    @property
    def label(self) -> str:
        """What a line of a table is of."""
        return f"{self.a} \N{MINUS SIGN} {self.b}"

    @property
    def turned(self) -> "Difference":
        """The same difference as b - a."""
        return self._replace(a=self.b, b=self.a, low=-self.high, mid=-self.mid, high=-self.low)

    def text(self, unit: str = "") -> str:
        """Return difference and interval, in points of the scale or of percent, with the unit."""
        times, digits = (100, 0) if self.question == SUCCESS else (1, self.digits)
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


def frame_row(one: Difference) -> dict[str, Any]:
    """Return a difference for a table of unrounded numbers."""
    found = one._asdict()
    del found["digits"]
    return found


TopicDifferences = dict[
    str, list[Difference]
]  # by question and SUCCESS: every pair, a before b in the study's order


def gaps_of(
    people: People, outcome: RaterOutcome, *, raters: Raters | None = None
) -> TopicDifferences:
    """Return all differences, success last; lists are empty for a single method.

    raters: "fixed" compares success for these raters alone, as the outcome's comparisons then are;
    left out, as `People.raters` says.
    """
    place = {name: k for k, name in enumerate(people.methods)}
    found: TopicDifferences = {
        question: _question(outcome, question) for question in people.questions
    }
    found[SUCCESS] = _success(outcome, people.how.confidence, raters or people.raters)
    return {
        name: sorted(
            (one if place[one.a] < place[one.b] else one.turned for one in several),
            key=lambda one: (place[one.a], place[one.b]),
        )
        for name, several in found.items()
    }


def letters_of(people: People, gaps: list[Difference], score: dict[str, float]) -> dict[str, str]:
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
    return dict(zip(names, letters_of_tests(p, people.how.alpha, order), strict=True))


def _question(outcome: RaterOutcome, question: str) -> list[Difference]:
    """Return the comparisons of one question as a - b, those of `compared` are b - a."""
    return [
        Difference(
            question, one.b, one.a, *one.difference[:3], one.difference.p, one.p_holm, one.edits,
            one.difference.raters, one.difference.sources, _reason(one.difference),
            digits=digits_of(outcome.ratings.scale),
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


def _success(outcome: RaterOutcome, confidence: float, raters: Raters) -> list[Difference]:
    """Return the comparisons of success as a - b, those of `compared_success` are b - a."""
    return [
        Difference(
            SUCCESS, one.b, one.a, one.low, one.mid, one.high, one.p, one.p_holm, one.edits,
            one.raters, one.sources, _why_success(one, raters),
            one.edits > 0 and not one.only_a + one.only_b,
        )
        for one in compared_success(
            outcome.ratings, outcome.standings, confidence=confidence, raters=raters
        )
    ]  # fmt: skip


def mos_cell(people: People, question: str, method: str) -> TableCell:
    """Return the mean opinion score of a method, marked where it is of its own edits."""
    kept = people.kept
    mos = float(kept.scores[question].mos[kept.ratings.methods.index(method)])
    if not is_number(mos):
        return TableCell(NOTHING)
    digits = digits_of(kept.ratings.scale)
    return TableCell(number(mos, digits), mark=apart_mark(kept, question, method))


def apart_mark(outcome: RaterOutcome, topic: str, method: str) -> str:
    """Return the mark of a score that is of a method's own edits, else ""."""
    return APART if method in outcome.apart(topic) else ""


def own_edits_note(people: People, topics: Sequence[str]) -> str:
    """Return what the mark means, for the end of a table's caption; "" where no method has it."""
    marked = any(people.kept.apart(topic) for topic in topics)
    return f" {APART}: on its own edits, too few being common." if marked else ""


def drawn_on_own(people: People, topics: Sequence[str]) -> str:
    """Return which methods a figure shows on their own edits, for the end of its caption."""
    found = {name: [t for t in topics if name in people.kept.apart(t)] for name in people.methods}
    said = [f"{name} on {listed(on)}" for name, on in found.items() if on]
    return f" On its own edits, too few being common to all: {listed(said)}." if said else ""


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
    tests, alpha = len(people.kept.comparisons), people.how.alpha
    why = UNKNOWN if people.export.means else _why_not(raters, sources)
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
    return f"{number(difference, digits_of((low, high)))} on {one.question}"


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


def scores_of(people: People, outcome: RaterOutcome, topic: str) -> dict[str, float]:
    """Return each method's MOS on a question, or its rate of success, by label."""
    success = outcome.success.items.share
    found = success if topic == SUCCESS else outcome.scores[topic].mos
    at = outcome.ratings.methods.index
    return {name: float(found[at(name)]) for name in people.methods}


def places_of(people: People, outcome: RaterOutcome, topic: str) -> Places:
    """Return where methods stand on a question, or by success, on common edits."""
    one, names = outcome.standings[topic], outcome.ratings.methods
    ranks = {name: int(one.ranks[names.index(name)]) for name in people.methods}
    return Places(ranks, frozenset(names[at] for at in one.called_best))
