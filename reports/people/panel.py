"""Few raters: what holds for these raters, beside what holds for raters like these.

With three raters t has two degrees of freedom for a claim about others like them, and shows hardly
anything. A claim about these raters takes them as they are and the source videos alone as a sample.
They are two questions, and each answer says which it is of.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from dreamix.core.wording import plural, titled
from evaluation.stats.ratings import MethodScores, method_scores, votes_on
from reports.parts import ReportPart
from reports.people.differences import (
    Difference,
    TopicDifferences,
    digits_of,
    frame_row,
    gaps_of,
    mos_cell,
    own_edits_note,
    places_of,
    scores_of,
)
from reports.people.outcome import SUCCESS, People, compared, whose_edits, within_scale
from reports.people.verdict import said_of
from reports.subjects import subject
from reports.tables import (
    HOLM,
    NOTHING,
    Head,
    Table,
    TableCell,
    ends_text,
    is_number,
    number,
    p_text,
    table_of,
)

FEW = 8  # raters below which a claim about others like them can show little
ANYBODY = "raters like these"
NOTE = (
    "With {them}, two questions can be asked. About raters like these: the raters are a sample, "
    "and t has at most {freedom} for what others like them would say, so that only large "
    "differences show. About these raters: they are taken as they are and only the source videos "
    "are a sample, which says nothing about what other raters prefer. The sections before this one "
    "are about raters like these."
)
NOTE_ONE = (
    "One rater says nothing about what raters like this one would say. About this rater: the votes "
    "are taken as they are, and only the source videos are a sample."
)
DONE = (
    "As the panel has fewer than {few} raters, every comparison was also made for these raters on "
    "source videos like these, with variances clustered by source video alone and sources "
    "\N{MINUS SIGN} 1 degrees of freedom, p-values adjusted over as many comparisons [@holm1979].",
)


class Panel(NamedTuple):
    """The same differences for these raters and for raters like these."""

    these: TopicDifferences
    like: TopicDifferences
    scores: dict[str, MethodScores]  # for these raters


@subject("panel", "single votes", after="ordinal")
def panel_part(people: People) -> ReportPart | None:
    """Return the results for these raters beside the default ones; None for a larger panel."""
    many = len(np.unique(people.kept.ratings.rater))
    if many >= FEW:
        return None
    panel, who = _panel(people), _these(many)
    freedom = plural(many - 1, "degree") + " of freedom"
    note = NOTE.format(them=plural(many, "rater"), freedom=freedom) if many > 1 else NOTE_ONE
    return ReportPart(
        id="panel",
        title=f"{who[0].upper()}{who[1:]}, and raters like {'this one' if many == 1 else 'these'}",
        found=_found(people, panel, who),
        notes=(note,),
        tables=tuple(
            _pairs_table(people, panel, topic, who) for topic in panel.these if panel.these[topic]
        ),
        folded=(_scores_table(people, panel, who),),
        frames=(("panel", _frame(panel)),),
        done=tuple(text.format(few=FEW) for text in DONE) if len(people.methods) > 1 else (),
    )


def _these(many: int) -> str:
    return "this rater" if many == 1 else f"these {many} raters"


def _panel(people: People) -> Panel:
    kept, confidence = people.kept, people.how.confidence
    found = compared(kept.ratings, kept.standings, confidence=confidence, raters="fixed")
    fixed = kept._replace(comparisons=found)
    scores = {
        question: within_scale(
            method_scores(votes_on(kept.common, question), raters="fixed", confidence=confidence),
            kept.ratings,
        )
        for question in people.questions
    }
    return Panel(gaps_of(people, fixed, raters="fixed"), gaps_of(people, kept), scores)


def _found(people: People, panel: Panel, who: str) -> tuple[str, ...]:
    """Return a sentence for every topic that says both, each by its name."""
    alpha, said = people.how.alpha, []
    for topic, these in panel.these.items():
        scores = scores_of(people, people.kept, topic)
        if not these or not any(map(is_number, scores.values())):
            continue
        text = said_of(these, alpha, scores, places_of(people, people.kept, topic))
        said.append(
            f"{titled(topic)}, for {who} on videos like these: {text}; for {ANYBODY}, "
            f"{_shown(panel.like[topic], alpha)}."
        )
    return tuple(said)


def _shown(gaps: list[Difference], alpha: float) -> str:
    if all(one.why_not for one in gaps):
        return "no difference can be tested"
    shown = sum(one.sign(alpha) != 0 for one in gaps)
    if not shown:
        return "no difference is significant"
    if len(gaps) == 1:
        return "the difference is significant"
    return f"{shown} of {len(gaps)} differences {'is' if shown == 1 else 'are'} significant"


def _pairs_table(people: People, panel: Panel, topic: str, who: str) -> Table:
    alpha, these, like = people.how.alpha, panel.these[topic], panel.like[topic]
    unit = "percentage points" if topic == SUCCESS else "points of the scale"
    whose = whose_edits({topic: people.kept.standings[topic]})
    sources = "interval over source videos, these raters as they are"
    return table_of(
        f"panel_{topic}",
        f"{titled(topic)}: methods in pairs, for {who} and for {ANYBODY}",
        f"First method minus second, in {unit}, over the edits that {whose} have, with "
        f"{100 * people.how.confidence:g}% intervals (not adjusted) for {who} on source videos "
        f"like these, and for {ANYBODY}; p adjusted by Holm, each over its own comparisons. Bold: "
        f"significant at the {100 * alpha:g}% level.",
        [one.label for one in these],
        [
            ("difference", [_difference(one) for one in these]),
            (Head(who, hint=sources), [_ends(one, alpha) for one in these]),
            (replace(HOLM, text=f"p, {who}"), [_p_cell(one) for one in these]),
            (Head(ANYBODY, hint="interval over source videos and raters"),
             [_ends(one, alpha) for one in like]),
            (replace(HOLM, text=f"p, {ANYBODY}"), [_p_cell(one) for one in like]),
        ],
        first="pair",
    )  # fmt: skip


def _scale(one: Difference) -> tuple[int, int]:
    return (100, 0) if one.question == SUCCESS else (1, one.digits)


def _difference(one: Difference) -> TableCell:
    times, digits = _scale(one)
    return TableCell(number(times * one.mid, digits) if is_number(one.mid) else NOTHING)


def _ends(one: Difference, alpha: float) -> TableCell:
    times, digits = _scale(one)
    if not is_number(one.low):
        return TableCell(NOTHING, hint=one.why_not)
    ends = ends_text(times * one.low, times * one.high, digits)
    return TableCell(ends, best=one.sign(alpha) != 0)


def _p_cell(one: Difference) -> TableCell:
    return TableCell(p_text(one.p_holm), hint="" if is_number(one.low) else one.why_not)


def _scores_table(people: People, panel: Panel, who: str) -> Table:
    """Return the mean opinion scores with both intervals."""
    columns: list[tuple[str, list[TableCell | str]]] = []
    for question in people.questions:
        these, like = panel.scores[question], people.kept.scores[question]
        columns += [
            (question, [mos_cell(people, question, name) for name in people.methods]),
            (f"{question}, {who}", _intervals(people, these)),
            (f"{question}, {ANYBODY}", _intervals(people, like)),
        ]
    return table_of(
        "panel_mos",
        f"Mean opinion scores, for {who} and for {ANYBODY}",
        f"Mean of source means with {100 * people.how.confidence:g}% intervals for {who} on source "
        f"videos like these, and for {ANYBODY}.{own_edits_note(people, people.questions)}",
        people.methods,
        columns,
    )


def _intervals(people: People, scores: MethodScores) -> list[TableCell | str]:
    places = [people.kept.common.methods.index(name) for name in people.methods]
    digits = digits_of(people.export.scale)
    return [ends_text(float(scores.low[at]), float(scores.high[at]), digits) for at in places]


def _frame(panel: Panel) -> pd.DataFrame:
    rows = [
        {"about": name} | frame_row(one)
        for name, gaps in (("these", panel.these), ("like these", panel.like))
        for several in gaps.values()
        for one in several
    ]
    return pd.DataFrame(rows)
