"""What a metric saves of votes: differences by people alone, and by people and a metric.

Raters see a part of the edits; a metric that was named beforehand has values on all. What it is
worth depends on how well its differences within an edit follow those of people, and that is often
less than its correlation over all clips lets one hope for.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from dreamix.core.errors import UserError
from dreamix.core.names import near_misses
from dreamix.core.wording import listed, plural, titled
from evaluation.stats.ratings import (
    MetricOnEdits,
    PoweredEstimate,
    Ratings,
    Votes,
    powered_difference,
    powered_mean,
    success_votes,
    votes_on,
)
from evaluation.stats.two_way_cluster import ClusteredEstimate
from reports.loading import Run
from reports.parts import FOLLOW, ReportPart
from reports.people.differences import digits_of
from reports.people.export import StudyExport
from reports.people.joint import Joint, metric_values
from reports.people.outcome import SUCCESS, People
from reports.subjects import subject
from reports.tables import NOTHING, Head, Table, TableCell, is_number, number, table_of

DONE = (
    "Differences between methods were also estimated with a metric that was named beforehand and "
    "has values on edits without votes (prediction-powered inference [@angelopoulos2023; "
    "@angelopoulos2023ppi]), its slope cross-fitted over folds of source videos, clustered by "
    "source and rater; where the metric did not make the interval narrower, or hardly follows "
    "people, votes alone stand."
)
NOTE = (
    "Success is that of a rater's answers about an edit: all of them above the threshold. "
    "Votes alone: the difference on edits with votes. With {metric}: corrected by how it differs "
    "between edits with votes and without, which is valid whatever the metric is worth, if the "
    "edits with votes were chosen at random (`size.edits` in study.yaml does so). The corrected "
    "one is to report, in bold, where its interval is narrower and r is over 1 / sqrt(n "
    "\N{MINUS SIGN} 2) for n rated edits. r: correlation of the two differences over the rated "
    "edits. Worth: how many times the edits would have to be rated for the same precision without "
    "the metric. Settled at: rated edits at which the interval would leave zero, if the difference "
    "stays as it is."
)
CAPTION = "First method minus second, with {level:g}% intervals (not adjusted). Bold: to report."
ALL_RATED = (
    "Every edit has votes: a metric can save nothing here. It can where raters see a part of the "
    "edits only (`size.edits` in study.yaml)."
)


class HelpedMean(NamedTuple):
    """A method's mean vote on one question, in both ways."""

    question: str
    method: str
    found: PoweredEstimate

    @property
    def label(self) -> str:
        """What a line of a table is of."""
        return self.method


class HelpedPair(NamedTuple):
    """How far method a is ahead of method b on one question, in both ways."""

    question: str
    a: str
    b: str
    found: PoweredEstimate

    @property
    def label(self) -> str:
        """What a line of a table is of."""
        return f"{self.a} \N{MINUS SIGN} {self.b}"

    @property
    def settled_at(self) -> float:
        """Rated edits at which the interval would leave zero; NaN where it has, or cannot."""
        one = self.found.used
        half = (one.high - one.low) / 2
        if not is_number(half) or half < abs(one.mid) or not one.mid:
            return np.nan
        return math.ceil(self.found.labelled * (half / one.mid) ** 2)


def check_helpers(run: Run | None, export: StudyExport, names: tuple[str, ...]) -> None:
    """Raise a `UserError` unless each name is a metric that can stand beside people's votes."""
    if not names:
        return
    if run is None:
        raise UserError("--with names a metric of a run: name the run too, --run RUN")
    if export.design == "pairwise":
        raise UserError(
            "--with is for votes on edits; the raters of this study chose between pairs"
        )
    for name in names:
        if name not in run.metrics:
            raise UserError(
                f"no metric {name!r} in {run.folder}{near_misses(name, [*run.metrics])}"
            )
        if not run.metrics[name].sign:
            raise UserError(f"{name} only describes: more is neither better nor worse")
        if name.startswith("composite."):
            raise UserError(
                f"{name} was learned from ratings, maybe these: it cannot stand for them"
            )


@subject("fewer-votes", "helped", after="composites")
def fewer_votes_parts(joint: Joint, names: tuple[str, ...]) -> list[ReportPart]:
    """Return a part for each metric that was named."""
    return [_part(joint, name) for name in names]


def _part(joint: Joint, metric: str) -> ReportPart:
    people, on = joint.people, metric_on_edits(joint, metric)
    tables, means, frames, found = [], [], [], []
    for question in (*people.questions, SUCCESS):
        pairs = powered_pairs(joint, metric, question, on)
        if pairs:
            tables.append(_table(people, metric, question, pairs))
            means.append(_mean_table(people, metric, powered_means(joint, metric, question, on)))
            frames.append(_frame(metric, pairs))
            found.append(_sentence(metric, question, pairs))
    rated = len(joint.people.kept.ratings.edits) == on.value.shape[1]
    return ReportPart(
        id=f"fewer-votes-{metric}".replace("_", "-").replace(".", "-"),
        title=f"Votes and {metric} together",
        found=() if rated else tuple(found),
        notes=(ALL_RATED if rated else NOTE.format(metric=metric),),
        tables=() if rated else tuple(tables),
        folded=() if rated else tuple(means),
        frames=((f"fewer_votes_{metric}", pd.concat(frames)),) if frames else (),
        done=() if rated else (DONE,),
        group=FOLLOW,
    )


def metric_on_edits(joint: Joint, metric: str) -> MetricOnEdits:
    """Return a metric on all edits of the run, and where each edit that was rated stands there."""
    run, ratings = joint.run, joint.people.kept.ratings
    edits = [*run.edits, *(edit for edit in ratings.edits if edit not in run.edits)]
    place = {edit: k for k, edit in enumerate(edits)}
    own = {edit: ratings.sources[s] for edit, s in zip(ratings.edits, ratings.source, strict=True)}
    videos = [own.get(edit) or run.edits[edit].video for edit in edits]
    names = {name: k for k, name in enumerate([*ratings.sources, *videos])}
    numbered = {name: k for k, name in enumerate(names)}
    systems = tuple(label for label in ratings.methods if label in run.methods)
    value = np.full((len(ratings.methods), len(edits)), np.nan)
    rows = [ratings.methods.index(label) for label in systems]
    value[rows, : len(run.edits)] = metric_values(run, (metric,), systems, tuple(run.edits))[0]
    source = np.array([numbered[video] for video in videos])
    return MetricOnEdits(value, source, np.array([place[edit] for edit in ratings.edits]))


def votes_about(ratings: Ratings, question: str) -> Votes:
    """Return the votes on a question; of SUCCESS, 1 or 0 for all of a rater's answers."""
    return success_votes(ratings) if question == SUCCESS else votes_on(ratings, question)


def _titled(people: People, question: str) -> str:
    if question != SUCCESS:
        return titled(question)
    return f"Success (answers above {people.kept.ratings.threshold:g} on every question)"


def _digits(people: People, question: str) -> int:
    return digits_of((0.0, 1.0) if question == SUCCESS else people.kept.ratings.scale)


def powered_pairs(joint: Joint, metric: str, question: str, on: MetricOnEdits) -> list[HelpedPair]:
    """Return all pairs of methods that both have votes and values, in the study's order."""
    people, ratings = joint.people, joint.people.kept.ratings
    votes, found = votes_about(ratings, question), []
    has = {ratings.methods[m] for m in np.unique(votes.method) if np.isfinite(on.value[m]).any()}
    names = [name for name in people.methods if name in has]
    for k, a in enumerate(names):
        for b in names[k + 1 :]:
            first, second = (ratings.methods.index(name) for name in (b, a))
            common = set(votes.edit[votes.method == first]) & set(
                votes.edit[votes.method == second]
            )
            if common:
                rng = people.rng("fewer votes", metric, question, a, b)
                one = powered_difference(
                    votes, first, second, on, rng=rng,
                    confidence=people.how.confidence, raters=people.raters,
                )  # fmt: skip
                found.append(HelpedPair(question, a, b, one))
    return found


def powered_means(joint: Joint, metric: str, question: str, on: MetricOnEdits) -> list[HelpedMean]:
    """Return the mean vote of every method with votes and values, in the study's order."""
    people, ratings = joint.people, joint.people.kept.ratings
    votes = votes_about(ratings, question)
    there = {ratings.methods[m] for m in np.unique(votes.method) if np.isfinite(on.value[m]).any()}
    return [
        HelpedMean(
            question, name,
            powered_mean(
                votes, ratings.methods.index(name), on,
                rng=people.rng("fewer votes", metric, question, name),
                confidence=people.how.confidence, raters=people.raters,
            ),
        )
        for name in people.methods
        if name in there
    ]  # fmt: skip


def _mean_table(people: People, metric: str, means: list[HelpedMean]) -> Table:
    question, level = means[0].question, 100 * people.how.confidence
    what = "rates" if question == SUCCESS else "mean votes"
    return table_of(
        f"fewer_votes_means_{metric}_{question}",
        f"{_titled(people, question)}: {what}, alone and with {metric}",
        f"Mean of the means of source videos, with its {level:g}% interval. Bold: to report.",
        [one.label for one in means],
        _both_columns(metric, means, _digits(people, question)),
    )


def _both_columns(
    metric: str, several: Sequence[HelpedMean | HelpedPair], digits: int
) -> list[tuple[Head | str, list[TableCell | str | int]]]:
    """Return the columns that tables of means and of differences share."""
    return [
        ("votes alone", [_cell(o.found.people, digits, not o.found.helps) for o in several]),
        (f"with {metric}", [_cell(o.found.powered, digits, o.found.helps) for o in several]),
        ("r", [_number(one.found.r, 2) for one in several]),
        (Head("worth", hint="times the rated edits"),
         [_number(one.found.gain, 2) for one in several]),
    ]  # fmt: skip


def _table(people: People, metric: str, question: str, pairs: list[HelpedPair]) -> Table:
    digits = _digits(people, question)
    most = pairs[0].found.labelled + pairs[0].found.unlabelled
    return table_of(
        f"fewer_votes_{metric}_{question}",
        f"{_titled(people, question)}: votes alone, and with {metric}",
        CAPTION.format(level=100 * people.how.confidence),
        [one.label for one in pairs],
        [
            *_both_columns(metric, pairs, digits),
            ("edits rated", [f"{one.found.labelled} of {most}" for one in pairs]),
            (Head("settled at", hint="rated edits"), [_settled(one, most) for one in pairs]),
        ],
        first="pair",
    )  # fmt: skip


def _cell(one: ClusteredEstimate, digits: int, best: bool) -> TableCell:
    if not is_number(one.low):
        return TableCell(number(one.mid, digits) if is_number(one.mid) else NOTHING, "no interval")
    ends = f"[{number(one.low, digits)}, {number(one.high, digits)}]"
    return TableCell(number(one.mid, digits), ends, best=best)


def _number(value: float, digits: int) -> str:
    return number(value, digits) if is_number(value) else NOTHING


def _settled(one: HelpedPair, most: int) -> str:
    if not is_number(one.settled_at):
        return NOTHING
    return f"{one.settled_at:.0f}" if one.settled_at <= most else f"over {most}"


def _sentence(metric: str, question: str, pairs: list[HelpedPair]) -> str:
    """Return what the metric is worth on a question."""
    helped = [one for one in pairs if one.found.helps]
    start = f"{titled(question)} with {metric}:"
    if not helped:
        return (
            f"{start} the metric makes none of {plural(len(pairs), 'difference')} more precise; "
            "votes alone stand."
        )
    gains = sorted(one.found.gain for one in helped)
    worth = number(gains[0], 2)
    worth += f" to {number(gains[-1], 2)}" if len(gains) > 1 else ""
    rest = len(pairs) - len(helped)
    others = f"; on {'the other' if rest == 1 else f'the {rest} others'} votes alone stand"
    said = f"{len(helped)} of {plural(len(pairs), 'difference')}" if pairs[1:] else "the difference"
    verb = "is" if len(helped) == 1 else "are"
    return (
        f"{start} {said} {verb} as precise as with {worth} times the rated edits"
        f"{others if rest else ''}.{_changed(helped)}"
    )


def _changed(helped: list[HelpedPair]) -> str:
    """Return which pairs are decided with the metric and were not without, "" for none."""
    new = [
        one.label for one in helped if _apart(one.found.powered) and not _apart(one.found.people)
    ]
    return f" Only so does the interval leave zero: {listed(new)}." if new else ""


def _apart(one: ClusteredEstimate) -> bool:
    return one.low > 0 or one.high < 0


def _frame(metric: str, pairs: list[HelpedPair]) -> pd.DataFrame:
    rows = []
    for one in pairs:
        ends = {f"{name}_{end}": getattr(getattr(one.found, name), end)
                for name in ("people", "powered") for end in ("low", "mid", "high")}  # fmt: skip
        facts = {"question": one.question, "a": one.a, "b": one.b, "metric": metric}
        more = {n: getattr(one.found, n) for n in ("r", "slope", "gain", "labelled", "unlabelled")}
        rows.append(
            {**facts, **ends, **more, "helps": one.found.helps, "settled_at": one.settled_at}
        )
    return pd.DataFrame(rows)
