"""How far votes decided pairs of methods where they were dealt adaptively: intervals to report."""

import pandas as pd

from dreamix.core.wording import listed, plural, titled
from reports.parts import ReportPart
from reports.people.differences import digits_of
from reports.people.outcome import People
from reports.people.study_file import ExportedCourse, ExportedStopping
from reports.subjects import subject
from reports.tables import NOTHING, Estimate, Table, ends_cell, number, table_of

NOTE = (
    "Votes were dealt adaptively: a pair of methods was decided when its interval, which holds at "
    "every look, was wholly beyond {ahead:g} points (different) or wholly within {alike:g} points "
    "of zero (alike), after at least {first:g} raters; methods decided against all others were "
    "dealt no more. These are the intervals to report for differences: those of other tables are "
    "for plans that were fixed, and are too narrow here."
)
CAPTION = (
    "Second method minus first, by rater: each rater's own difference of mean votes. The interval "
    "is that of a confidence sequence: at all times, over all pairs and questions together, it "
    "holds the difference with {level:g}%, for raters like these and {about}; its middle stands "
    "above it. Raw mean: of a pair decided as different it is too large on average, as it was "
    "looked at until it was large."
)
DONE = (
    "Votes were dealt by a declared stopping rule: differences between methods, by rater, were "
    "followed with an asymptotic confidence sequence [@waudbysmith2021] at {level:g}% over all "
    "pairs and questions, from {first:g} raters on; a pair was decided as different beyond "
    "{ahead:g} points and as alike within {alike:g}."
)


@subject("stopping", "raters")
def stopping_part(people: People) -> ReportPart | None:
    """Return how pairs were decided; None for a plan that was fixed."""
    stopping = people.export.stopping
    if stopping is None:
        return None
    rule = {**stopping.rule, "level": _level(stopping)}
    questions = dict.fromkeys(one.question for one in stopping.courses)
    return ReportPart(
        id="stopping",
        title="When votes were enough",
        notes=(NOTE.format(**rule), *_amended(people)),
        found=tuple(_sentence(stopping, question) for question in questions),
        tables=tuple(_table(people, stopping, question) for question in questions),
        frames=(("stopping", pd.DataFrame([vars(one) for one in stopping.courses])),),
        done=(DONE.format(**rule),),
    )


def _amended(people: People) -> list[str]:
    """Return that the plan was changed after votes, where a person did that."""
    changes = [
        one for one in people.export.declared.get("amendments", ()) if not one.get("automatic")
    ]
    if not changes:
        return []
    times = "once" if len(changes) == 1 else f"{len(changes)} times"
    return [
        f"The plan was amended {times} after votes were there. Intervals hold at every look by a "
        "rule that stood before the first vote; if the rule was changed, they are not to be relied "
        "on."
    ]


def _level(stopping: ExportedStopping) -> float:
    return 100 * float(stopping.rule.get("level", 0.95))


def _sentence(stopping: ExportedStopping, question: str) -> str:
    """Return what was decided on a question, and after how many raters."""
    here = [one for one in stopping.courses if one.question == question]
    told = [
        f"{_label(one)} {one.state} after {plural(one.decided_after, 'rater')}"
        for one in here
        if one.decided_after
    ]
    open_ = len(here) - len(told)
    rest = f"{plural(open_, 'pair')} not decided" if open_ else ""
    return f"Stopping, {question}: {listed([*told, *([rest] if rest else [])]) or 'no pair'}."


def _label(one: ExportedCourse) -> str:
    return f"{one.a} and {one.b}"


def _table(people: People, stopping: ExportedStopping, question: str) -> Table:
    here = [one for one in stopping.courses if one.question == question]
    digits = digits_of(people.kept.ratings.scale)
    about = "clips like these" if stopping.rule.get("clips") == "sample" else "these clips alone"
    return table_of(
        f"stopping_{question}",
        f"{titled(question)}: pairs decided",
        CAPTION.format(level=_level(stopping), about=about),
        [f"{one.b} \N{MINUS SIGN} {one.a}" for one in here],
        [
            ("interval", [ends_cell(_middle(one), digits) for one in here]),
            ("raw mean", [_number(one.mean, digits) for one in here]),
            ("decided", [one.state for one in here]),
            ("after", [one.decided_after or NOTHING for one in here]),
            ("raters", [one.raters for one in here]),
        ],
        first="pair",
    )


def _middle(one: ExportedCourse) -> Estimate:
    """Return the interval with its middle: what may be said after looking at every vote."""
    if one.low is None or one.high is None:
        return Estimate(float("nan"), float("nan"), float("nan"))
    return Estimate(one.low, (one.low + one.high) / 2, one.high)


def _number(value: float | None, digits: int) -> str:
    return NOTHING if value is None else number(value, digits)
