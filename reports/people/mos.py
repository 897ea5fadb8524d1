"""The paper's table: mean opinion scores and success of every method, with letters."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from dreamix.core.wording import listed, plural
from evaluation.stats.ratings import SuccessRate
from reports.metrics.glance import GlanceColumn, interval_of
from reports.parts import ReportPart
from reports.people import means
from reports.people.differences import (
    Difference,
    Places,
    TopicDifferences,
    apart_mark,
    digits_of,
    gaps_of,
    letters_of,
    places_of,
    scores_of,
)
from reports.people.outcome import SUCCESS, People, RaterOutcome, whose_edits
from reports.people.verdict import verdict
from reports.subjects import subject
from reports.tables import (
    APART,
    NOTHING,
    Head,
    Table,
    TableCell,
    ends_text,
    is_number,
    number,
    table_of,
)

COUNT_HINTS = {
    "votes": "answers to one question",
    "raters": "who voted",
    "sources": "source videos with votes",
    "items": "edits with votes",
}
CAPTION = (
    "Mean opinion scores on {questions} from {low:g} to {high:g} (means of source means), with "
    "{level:g}% intervals clustered by rater and by source video. Success: the share of edits "
    "whose mean vote is above {threshold:g} on every question; votes succeed: the share of "
    "single raters' answers that are. Methods that share a letter in a column do not "
    "differ significantly (Holm's correction). Bold: the highest, whatever values a method lacks."
)
GROUND = (
    " Methods have votes on different edits: scores, letters and bold faces are about the edits "
    "that all ranked methods have; own: on all edits of the method; "
    f"{APART}: too few edits in common, so its own score, not ranked."
)
DONE = (
    "A method's mean opinion score is the mean over source videos of the mean over a source's "
    "edits of the edit's mean vote, with {level:g}% t intervals from variances clustered by rater "
    "and by source video [@cameron2011] on at most min(raters, sources) "
    "\N{MINUS SIGN} 1 degrees of freedom, fewer where raters hold unequal shares of the votes "
    "[@bell2002], cut where the scale ends; bootstrap "
    "intervals beside them resampled raters and, independently, source videos ({resamples} "
    "resamples, seed {seed}) [@owen2007].",
    "An edit succeeds if the mean of its votes is above {threshold:g} on every question. Shares of "
    "edits have intervals for clustered data [@korn1998] with source videos as clusters, which "
    "take the raters as given; shares of single raters' answers, clustered by rater and source "
    "video, are given as well.",
)
DONE_PAIRS = (
    "Methods were compared in pairs on the edits that {whose} have votes on, with variances "
    "clustered by rater and by source video [@cameron2011]{votes}. Success was compared by the "
    "difference of shares over common edits, with a sign-flip test over source videos and a score "
    "interval for paired shares [@tango1998], both widened by the raters' jackknife variance "
    "[@efron1993]{own}.",
    "Letters are a compact display of these comparisons at the {alpha:g}% level [@piepho2004].",
)
MOS = (
    "A value is the mean of the raters' votes from {low:g} to {high:g}, in which every source "
    "video counts the same, with its {level:g}% interval over {whom}."
)


@subject("mos", "raters", after="means-only")
def mos_part(people: People) -> ReportPart:
    """Return the table with the declared exclusions, the one without them, and the verdict."""
    gaps = gaps_of(people, people.kept)
    tables = [_table(people, people.kept, gaps)]
    frames = [_frame(people, people.kept, gaps, everyone=False)]
    if people.everyone:
        theirs = gaps_of(people, people.everyone)
        tables.append(_table(people, people.everyone, theirs, everyone=True))
        frames.append(_frame(people, people.everyone, theirs, everyone=True))
    return ReportPart(
        id="mos",
        title="What raters said of the methods",
        found=verdict(people, gaps),
        tables=tuple(tables[:1]),
        folded=tuple(tables[1:]),
        frames=(("mos", pd.concat(frames, ignore_index=True)),),
        done=_done(people, gaps),
    )


def _done(people: People, gaps: TopicDifferences) -> tuple[str, ...]:
    how = people.how
    facts = {"level": 100 * how.confidence, "resamples": how.resamples, "seed": how.seed,
             "threshold": people.kept.success.threshold}  # fmt: skip
    only = people.export.means
    said = tuple(text.format(**facts) for text in (means.DONE if only else DONE))
    if not (pairs := len(gaps[SUCCESS])):
        return said
    tests, alpha = pairs * len(people.questions), round(100 * (1 - how.confidence), 6)
    whose = whose_edits(people.kept.standings)
    votes = f", and p-values adjusted over all {tests} comparisons of votes [@holm1979]"
    own = f", and adjusted over its own {pairs} comparisons [@holm1979]"
    counts = {"votes": votes * (tests > 1), "own": own * (pairs > 1), "alpha": alpha}
    pairwise = means.DONE_PAIRS if only else DONE_PAIRS
    return said + tuple(text.format(whose=whose, **counts) for text in pairwise)


def _table(
    people: People, outcome: RaterOutcome, gaps: TopicDifferences, everyone: bool = False
) -> Table:
    who = ", nobody excluded" if everyone else ""
    scores = [
        (Head(topic, hint=hint), [*score_cells(people, outcome, gaps, topic).values()])
        for topic, hint in [
            *((name, f"mean vote on {name}") for name in people.questions),
            (SUCCESS, "share of edits that succeed"),
        ]
    ]
    votes = Head("votes succeed", hint="share of raters' answers that succeed on every question")
    succeed = (votes, [_votes_succeed(outcome, m) for m in people.methods])
    return table_of(
        f"mos{'_everyone' * everyone}",
        f"Mean opinion scores and success{who}",
        _caption(people, outcome),
        people.methods,
        [
            *scores,
            *([] if people.export.means else [succeed]),
            *((Head(name, hint=COUNT_HINTS[name]),
               [_count(outcome, name, m) for m in people.methods]) for name in _counted(people)),
        ],
    )  # fmt: skip


def _counted(people: People) -> list[str]:
    """Return what is counted; of mean scores nobody knows how many votes and raters."""
    return [name for name in COUNT_HINTS if name in ("sources", "items") or not people.export.means]


def _caption(people: People, outcome: RaterOutcome) -> str:
    low, high = outcome.ratings.scale
    facts = {"questions": listed(people.questions), "threshold": outcome.success.threshold,
             "level": 100 * people.how.confidence, "low": low, "high": high}  # fmt: skip
    text = (means.CAPTION if people.export.means else CAPTION).format(**facts)
    if any(one.gaps.any() for one in outcome.standings.values()):
        text += GROUND
    return text if len(people.methods) > 1 else text.split(" Methods that share")[0]


def score_cells(
    people: People, outcome: RaterOutcome, gaps: TopicDifferences, topic: str
) -> dict[str, TableCell]:
    """Return a column: each method's score on common edits, its interval, its letters."""
    scores, places = scores_of(people, outcome, topic), places_of(people, outcome, topic)
    letters = _letters(people, gaps[topic], scores, places)
    several = sum(map(is_number, scores.values())) > 1
    digits, found = digits_of(people.export.scale), {}
    for name in scores:
        at = outcome.ratings.methods.index(name)
        cell = _success(outcome, at) if topic == SUCCESS else _mos(people, outcome, topic, at)
        found[name] = TableCell(
            cell.main, cell.small + _own(outcome, topic, at, digits), cell.hint,
            best=several and name in places.best,
            mark=apart_mark(outcome, topic, name) or (letters[name] if several else ""),
        )  # fmt: skip
    return found


def _letters(
    people: People, gaps: list[Difference], scores: dict[str, float], places: Places
) -> dict[str, str]:
    """Return the letters of ranked methods."""
    ranked = {name: score if places.ranks[name] else np.nan for name, score in scores.items()}
    return letters_of(people, gaps, ranked)


def _own(outcome: RaterOutcome, topic: str, at: int, digits: int) -> str:
    """Return a method's score on all its edits, where these are more than the common ones."""
    if topic == SUCCESS:
        own, common = outcome.own_success.items, outcome.success.items
        if own.counted[at] == common.counted[at]:
            return ""
        return f"; own {number(100 * float(own.share[at]), 0)}% n={int(own.counted[at])}"
    mine, shared = outcome.own[topic], outcome.scores[topic]
    if mine.items[at] == shared.items[at]:
        return ""
    return f"; own {number(float(mine.mos[at]), digits)} n={int(mine.items[at])}"


def _mos(people: People, outcome: RaterOutcome, topic: str, at: int) -> TableCell:
    scores, digits = outcome.scores[topic], digits_of(people.export.scale)
    if not is_number(scores.mos[at]):
        return TableCell(NOTHING, "no votes")
    counts = ", ".join(
        plural(int(getattr(scores, name)[at]), name[:-1]) for name in _counted(people)
    )
    if is_number(scores.boot_low[at]):
        boot = ends_text(float(scores.boot_low[at]), float(scores.boot_high[at]), digits)
        counts = f"bootstrap {boot}; {counts}"
    small = ends_text(float(scores.low[at]), float(scores.high[at]), digits)
    return TableCell(number(float(scores.mos[at]), digits), small, counts)


def _success(outcome: RaterOutcome, at: int) -> TableCell:
    return _share(outcome.success.items, at, "edit")


def _votes_succeed(outcome: RaterOutcome, method: str) -> TableCell:
    at = outcome.ratings.methods.index(method)
    cell = _share(outcome.success.votes, at, "answer of a rater about an edit")
    return replace(cell, mark=apart_mark(outcome, SUCCESS, method))


def _share(rate: SuccessRate, at: int, what: str) -> TableCell:
    if not is_number(rate.share[at]):
        return TableCell(NOTHING, "no votes")
    share, low, high = (100 * float(values[at]) for values in rate[:3])
    left = int(rate.incomplete[at])
    hint = plural(int(rate.counted[at]), what)
    hint += f"; {left} {'lacks' if left == 1 else 'lack'} a question" if left else ""
    return TableCell(f"{number(share, 0)}%", ends_text(low, high, 0), hint)


def _count(outcome: RaterOutcome, name: str, method: str) -> str:
    """Return a count: one number where the questions agree, else the least and the most."""
    at = outcome.ratings.methods.index(method)
    numbers = [int(getattr(scores, name)[at]) for scores in outcome.scores.values()]
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low}{NOTHING}{high}"


def _frame(
    people: People, outcome: RaterOutcome, gaps: TopicDifferences, everyone: bool
) -> pd.DataFrame:
    """Return a row for every method and score."""
    who = "everyone" if everyone else "without excluded"
    rows = []
    for topic in (*people.questions, SUCCESS):
        scores = scores_of(people, outcome, topic)
        places = places_of(people, outcome, topic)
        letters = _letters(people, gaps[topic], scores, places)
        for name in people.methods:
            at = outcome.ratings.methods.index(name)
            facts: dict[str, Any] = {**_facts(outcome, topic, at), "letters": letters[name]}
            facts |= {"called_best": name in places.best} | _standing_facts(outcome, topic, at)
            rows.append({"who": who, "method": name, "score": topic} | facts)
    rows += [
        {"who": who, "method": name, "score": "votes_succeed"}
        | _rate_facts(outcome.success.votes, outcome.ratings.methods.index(name))
        for name in people.methods
    ]
    return pd.DataFrame(rows)


def _facts(outcome: RaterOutcome, topic: str, at: int) -> dict[str, float]:
    if topic == SUCCESS:
        return _rate_facts(outcome.success.items, at)
    scores = outcome.scores[topic]._asdict()
    return {"value": scores.pop("mos")[at]} | {name: values[at] for name, values in scores.items()}


def _standing_facts(outcome: RaterOutcome, topic: str, at: int) -> dict[str, float]:
    """Return a method's rank, and what the edits that it lacks could hide."""
    one = outcome.standings[topic]
    own = outcome.own_success.items.share if topic == SUCCESS else outcome.own[topic].mos
    return {
        "rank": int(one.ranks[at]) if one.ranks[at] else np.nan,
        "own_value": float(own[at]),
        "gaps": int(one.gaps[at]),
        "worst_value": float(one.worst[at]),
        "best_value": float(one.best[at]),
        "best_rank": int(one.first[at]),
        "worst_rank": int(one.last[at]),
    }


def _rate_facts(rate: SuccessRate, at: int) -> dict[str, float]:
    found = {name: float(values[at]) for name, values in rate._asdict().items()}
    return {"value": found.pop("share")} | found


def vote_columns(people: People) -> list[GlanceColumn]:
    """Return a column for every question of an absolute study."""
    gaps, level = gaps_of(people, people.kept), 100 * people.how.confidence
    low, high = people.kept.ratings.scale
    whom = "source videos" if people.export.means else "raters and source videos"
    about = MOS.format(low=low, high=high, level=level, whom=whom)
    found = []
    for question in people.questions:
        scores, own = people.kept.scores[question], people.kept.own[question]
        at = {name: people.kept.ratings.methods.index(name) for name in people.methods}
        cells = score_cells(people, people.kept, gaps, question)
        found.append(
            GlanceColumn(
                question,
                Head(question, hint=f"mean vote on {question}"),
                {m: replace(cell, small=cell.small.split(";")[0]) for m, cell in cells.items()},
                {
                    m: interval_of(scores.low[k], scores.mos[k], scores.high[k])
                    for m, k in at.items()
                },
                1,
                {m: int(own.items[k]) for m, k in at.items()},
                about,
            )
        )
    return found
