"""Metrics in their order, as lines of text: value, interval, cluster, and what people reach."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from dreamix.core.wording import listed, plural
from evaluation.stats.meta import (
    Kind,
    Level,
    MetricRanking,
    Statistic,
    half_panels,
    mean_votes,
    metric_ranking,
    smallest_p,
    statistic_value,
)
from reports.meta.gold import Gold, gold_joint, methods_left_out
from reports.people.agreement import ACCURACY, by_method, guessing
from reports.people.joint import Joint, apart
from reports.people.outcome import People, people_of
from reports.summary import IntervalSettings
from reports.tables import is_number, number, p_text

PERMUTATIONS: dict[str, int] = {"acc_eq": 10_000, "spa": 1000, "correlation": 2000}
KIND: dict[str, Kind] = {"pearson": "pearson", "spearman": "spearman", "kendall": "kendall_b"}
NO_CEILING = "only mean scores are known: what single raters or half a panel reach is not known"


def people_on(gold: Gold, how: IntervalSettings) -> People:
    """Return what people said."""
    return people_of(gold.export, how)


def statistic_of(name: str, level: Level) -> Statistic:
    """Return the statistic that a command names."""
    if name in KIND:
        return Statistic("correlation", level, KIND[name])
    return ACCURACY if name == "acc_eq" else Statistic("spa")


def ranking_of(joint: Joint, question: str, statistic: Statistic) -> MetricRanking:
    """Return the ranking of all metrics on a question; those with too few values come last."""
    aside = apart(joint, question)
    if not aside:
        return _ranking(joint, question, statistic)
    others, few = (
        _ranking(_only(joint, keep), question, statistic)
        for keep in ([k for k in range(len(joint.names)) if k not in aside], list(aside))
    )
    rows = tuple(row._replace(cluster=0, p_best=np.nan) for row in few.rows)
    return others._replace(rows=(*others.rows, *rows))


def _only(joint: Joint, places: list[int]) -> Joint:
    names = tuple(joint.names[k] for k in places)
    return joint._replace(names=names, metrics=joint.metrics[places])


def _ranking(joint: Joint, question: str, statistic: Statistic) -> MetricRanking:
    draws = joint.people.resampling("league", question)
    return metric_ranking(
        joint.metrics,
        joint.votes[question],
        names=list(joint.names),
        statistic=statistic,
        sources=joint.sources,
        resampling=draws._replace(permutations=PERMUTATIONS[statistic.name]),
    )


class Ranked(NamedTuple):
    """The ranking on a question, and what it is of."""

    question: str
    joint: Joint
    found: MetricRanking

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A row for every metric, unrounded."""
        by = self.found.statistic._asdict()
        by = {"statistic": by.pop("name"), **by}
        return [{"question": self.question} | by | row._asdict() for row in self.found.rows]


def ranked(gold: Gold, people: People, question: str, statistic: Statistic) -> Ranked:
    """Return the ranking of a question's metrics."""
    joint = gold_joint(gold, people, question)
    return Ranked(question, joint, ranking_of(joint, question, statistic))


def rank_lines(gold: Gold, one: Ranked, mark: set[str]) -> list[str]:
    """Return a ranking line by line; mark: metrics to point at."""
    question, joint, found = one
    statistic = found.statistic
    width = max(len(row.name) for row in found.rows)
    lines = [*_head(gold, joint, question, statistic)]
    for row in found.rows:
        ends = f"[{number(row.low, 3)}, {number(row.high, 3)}]" if is_number(row.low) else ""
        value = number(row.value, 3) if is_number(row.value) else f"no value: {row.why_not}"
        best = f"p {p_text(row.p_best)}" if is_number(row.p_best) else ""
        arrow = "  <-" if row.name in mark else ""
        cluster = row.cluster or "-"
        lines.append(f"{cluster:>3}  {row.name:<{width}}  {value} {ends}  {best}{arrow}".rstrip())
    lines += [f"     {text}" for text in _people(joint, question, found)]
    return [*lines, *found.notes, *_placed(found, mark)]


def _head(gold: Gold, joint: Joint, question: str, statistic: Statistic) -> Iterator[str]:
    by = str(statistic.name)
    if by == "correlation":
        by = f"{statistic.kind} ({statistic.level})"
    yield ""
    yield (
        f"{question}: {plural(len(joint.names), 'metric')} by {by}, "
        f"{plural(len(joint.systems), 'method')}, {plural(len(joint.edits), 'edit')} of "
        f"{plural(len(np.unique(joint.sources)), 'source')}; cluster, metric, value, 95% interval "
        "over sources, p that it is not the best"
    )
    if left := methods_left_out(gold, question):
        yield f"left out, as most metrics have no value for them: {listed(left)}"


def _people(joint: Joint, question: str, found: MetricRanking) -> Iterator[str]:
    """Yield what people reach in the place of a metric, and what needs no clip."""
    if joint.people.export.means:
        yield NO_CEILING
    elif found.people and found.people.raters:
        one = found.people
        ends = f"[{number(one.low, 3)}, {number(one.high, 3)}]"
        yield f"single raters ({one.raters}) against the others: {number(one.mean, 3)} {ends}"
        half = _halves(joint, question, found.statistic)
        if is_number(half):
            yield f"half of the raters against the other half: {number(half, 3)}"
    if found.statistic.name == "acc_eq":
        means = mean_votes(joint.votes[question])
        yield f"guessing: {number(guessing(means, found.statistic)[1], 3)}"
        yield f"knowing the method alone: {number(by_method(joint, means), 3)}"


def _halves(joint: Joint, question: str, statistic: Statistic) -> float:
    rng = joint.people.rng("panels", question)
    votes = joint.votes[question]

    def value(one: np.ndarray, rest: np.ndarray) -> float:
        return statistic_value(one, rest, statistic, rng)

    return half_panels(votes, value, rng=rng, confidence=joint.people.how.confidence).mean


def _placed(found: MetricRanking, mark: set[str]) -> Iterator[str]:
    """Yield the place of metrics that were just added."""
    placed = [row for row in found.rows if row.cluster]
    for row in (row for row in found.rows if row.name in mark):
        if not row.cluster:
            yield f"{row.name} has no place: {row.why_not or 'it has values for too few edits'}"
            continue
        place = 1 + sum(other.value > row.value for other in placed)
        clusters = max(other.cluster for other in placed)
        yield (
            f"{row.name} is {place} of {len(placed)}, in cluster {row.cluster} of {clusters}: "
            f"{number(row.value, 3)} [{number(row.low, 3)}, {number(row.high, 3)}]"
        )


def compared_lines(gold: Gold, people: People, question: str, a: str, b: str) -> list[str]:
    """Return whether one metric follows people better than another, on a question."""
    for name in (a, b):
        gold.metric(name, question)
    joint = gold_joint(gold, people, question)
    at = [joint.names.index(name) for name in (a, b)]
    both = np.isfinite(joint.metrics[at]).all(axis=0)
    pair = joint._replace(names=(a, b), metrics=np.where(both, joint.metrics[at], np.nan))
    found = ranking_of(pair, question, ACCURACY)
    first, second = found.rows[:2]
    if not is_number(second.value):
        return [f"{question}: {second.name} has no value ({second.why_not})"]
    p = float(found.p_alone[0, 1])
    verdict = "better" if p < people.how.alpha else "not significantly better"
    said = [f"{one.name} {number(one.value, 3)} [{number(one.low, 3)}, {number(one.high, 3)}]"
            for one in (first, second)]  # fmt: skip
    return [
        f"{question}: {first.name} follows people {verdict} than {second.name}: {listed(said)} by "
        f"acc_eq, {number(first.value - second.value, 3)} apart, p {p_text(p)} (two-sided, both "
        f"named beforehand), on {plural(int(both.sum()), 'edit')} by a method that both have "
        "values for",
        *_system_note(joint),
    ]


def _system_note(joint: Joint) -> Iterator[str]:
    many = len(joint.systems)
    if 1 < many < 5:
        p = f"p >= {smallest_p(many):.3f}"
        yield f"  with {many} methods nothing can be claimed at system level ({p})"
