"""How far each metric follows the raters on a question, in numbers, and what people reach."""

from typing import NamedTuple

import numpy as np

from evaluation.stats.meta import (
    Kind,
    Level,
    MetaInterval,
    MetricRanking,
    PanelStatistic,
    RankedMetric,
    SplitHalf,
    Statistic,
    bootstrap_accuracy,
    bootstrap_correlation,
    bootstrap_soft_pairwise,
    correlate,
    half_panels,
    mean_votes,
    metric_ranking,
    one_vote,
    pairwise_accuracy,
    split_half,
    statistic_value,
    systems_alone,
    tie_calibrated_accuracy,
    why_no_value,
)
from reports.ground import TIE
from reports.people.joint import Joint, apart

ACCURACY = Statistic()  # acc_eq: within an edit, which method is better?
BETWEEN = Statistic("correlation", "edits", "kendall_b")  # with one method: which edit?
SHORT = {"acc_eq": "acc_eq", "correlation": "Kendall's tau between edits"}
FEW_SWAPS = 2000  # permutations of a correlation, each of which is computed anew
FEWEST_SWAPS = 100  # of metrics that are shown and not compared
DRAWS = 1000  # resamples, at most
LEVELS: dict[Level, str] = {
    "item": "mean over edits of the correlation over methods within the edit",
    "edits": "mean over methods of the correlation over the method's edits",
    "global": "over all edits by all methods at once; confounded by how hard each video is",
}
KINDS: dict[Kind, str] = {"pearson": "Pearson", "spearman": "Spearman", "kendall_b": "Kendall"}


class Agreement(NamedTuple):
    """Metrics against people on one question."""

    question: str
    own: frozenset[str]  # metrics that are meant for it
    table: MetricRanking | None  # None where there is nothing to follow
    why_not: str  # no table
    halves: PanelStatistic  # half of the raters in the place of a metric
    vote: PanelStatistic  # one vote an item in the place of a metric
    guess: float  # what a metric that knows nothing reaches
    method: float  # what knowing a method's mean vote on other videos reaches, no clip seen
    ties: float  # share of pairs of methods that people call equal
    permutations: int
    surely: float = np.nan  # lower end for the best metric, at the level shared by all metrics
    apart: tuple[str, ...] = ()  # metrics with values that are not ranked: too few in common
    ahead: tuple[
        str, ...
    ] = ()  # ranked metrics that reach more than the best where both have values

    @property
    def ranked(self) -> list[RankedMetric]:
        """Rows of metrics with a value, best first."""
        return [row for row in self.table.rows if row.cluster] if self.table else []

    @property
    def tops(self) -> list[str]:
        """Names of the metrics of the highest value: one, or several that share it."""
        best = self.ranked[0].value if self.ranked else np.nan
        return [row.name for row in self.ranked if best - row.value <= TIE]

    @property
    def best_own(self) -> RankedMetric | None:
        """Return the row of the best metric that is meant for the question."""
        return next((row for row in self.ranked if row.name in self.own), None)


def agreements(joint: Joint) -> list[Agreement]:
    """Return the league of all metrics on every question."""
    return [agreement(joint, question) for question in joint.votes]


def agreement(joint: Joint, question: str) -> Agreement:
    """Return the league of all metrics on one question, or why there can be none.

    Metrics with values on too little are not ranked (`joint.apart`): their rows are last.
    """
    reason = why_not(joint, question)
    votes, statistic = joint.votes[question], headline(joint)
    own = frozenset(joint.names[k] for k in joint.on_axis(question))
    ties, guess = guessing(mean_votes(votes), statistic)
    nobody = PanelStatistic(np.nan, np.nan, np.nan, 0, np.nan)
    method = by_method(joint, mean_votes(votes))
    found = Agreement(question, own, None, reason, nobody, nobody, guess, method, ties, 0)
    if found.why_not:
        return found
    swaps = 10_000 if statistic.name == "acc_eq" else FEW_SWAPS
    aside = apart(joint, question)
    table = _league(joint, question, [k for k in range(len(joint.names)) if k not in aside], swaps)
    rows = list(table.rows)
    if aside:
        more = _league(joint, question, list(aside), FEWEST_SWAPS).rows
        rows += [row._replace(cluster=0, p_best=np.nan) for row in more]
    rows = [_in_its_unit(joint, question, row) for row in rows]
    ranked = [joint.names.index(row.name) for row in rows if row.cluster]
    rng = joint.people.rng("panels", question)

    def value(one: np.ndarray, rest: np.ndarray) -> float:
        return statistic_value(one, rest, statistic, rng)

    return found._replace(
        table=table._replace(rows=tuple(rows)),
        apart=tuple(joint.names[k] for k in aside),
        ahead=_ahead(joint, question, ranked),
        surely=_surely(joint, question, [joint.names[k] for k in ranked]),
        halves=half_panels(votes, value, rng=rng, confidence=joint.people.how.confidence),
        vote=one_vote(votes, value, rng=rng, confidence=joint.people.how.confidence),
        permutations=swaps,
    )


def _league(joint: Joint, question: str, among: list[int], swaps: int) -> MetricRanking:
    return metric_ranking(
        joint.metrics[among],
        joint.votes[question],
        names=[joint.names[k] for k in among],
        statistic=headline(joint),
        sources=joint.sources,
        resampling=joint.people.resampling("league", question)._replace(permutations=swaps),
    )


def _in_its_unit(joint: Joint, question: str, row: RankedMetric) -> RankedMetric:
    """Return a row whose reason has values as the metric gives them."""
    why_not = row.why_not and (
        why_none(joint, joint.names.index(row.name), question) or row.why_not
    )
    return row._replace(why_not=why_not)


def _ahead(joint: Joint, question: str, ranked: list[int]) -> tuple[str, ...]:
    """Return which metrics follow raters better than the first does, where both have values."""
    human, found = joint.mean_votes(question), []
    for k in ranked[1:]:
        both = np.isfinite(joint.metrics[[ranked[0], k]]).all(axis=0)
        best, other = (measured(joint, np.where(both, joint.metrics[m], np.nan), human)
                       for m in (ranked[0], k))  # fmt: skip
        if other > best + TIE:
            found.append(joint.names[k])
    return tuple(found)


def why_none(joint: Joint, k: int, question: str) -> str:
    """Return why a metric cannot be held against raters, with values as the metric gives them."""
    sign = joint.run.metrics[joint.names[k]].sign
    return why_no_value(sign * joint.metrics[k], joint.mean_votes(question))


def _surely(joint: Joint, question: str, ranked: list[str]) -> float:
    """Return the lower end of the best metric's interval, as it was chosen from all: Bonferroni."""
    if not ranked:
        return float("nan")
    confidence = 1 - (1 - joint.people.how.confidence) / len(ranked)
    every = np.ones(len(joint.edits), bool)
    draws = joint.people.how.resamples
    return within(joint, joint.names.index(ranked[0]), question, every, draws, confidence).low


def headline(joint: Joint) -> Statistic:
    """Return the statistic that ranks metrics: acc_eq, which needs two methods to compare."""
    return ACCURACY if len(joint.systems) > 1 else BETWEEN


def why_not(joint: Joint, question: str) -> str:
    """Return why metrics cannot be held against people on a question; "" if they can."""
    human = mean_votes(joint.votes[question])
    valued = human[np.isfinite(human)]
    if not len(joint.names):
        return "the run has no metric with a good direction"
    if not len(valued):
        return "nobody voted on edits that the run has"
    if np.ptp(valued) == 0:
        return f"all edits have the same mean vote, {valued[0]:.2f}, so there is nothing to follow"
    aside = apart(joint, question)
    ranked = [metric for k, metric in enumerate(joint.metrics) if k not in aside]
    values = [measured(joint, metric, human) for metric in ranked]
    if not np.isfinite(values).any():
        return "no edit has votes and values of a metric for two methods"
    return ""


def measured(joint: Joint, metric: np.ndarray, human: np.ndarray) -> float:
    """Return the headline statistic of one metric."""
    statistic = headline(joint)
    if statistic.name == "acc_eq":
        return tie_calibrated_accuracy(metric, human).value
    return correlate(metric, human, level=statistic.level, kind=statistic.kind).value


def best_of(joint: Joint, question: str, among: list[int]) -> list[int]:
    """Return the metrics that have a value, ordered as in the league: last those not ranked."""
    human, aside = joint.mean_votes(question), apart(joint, question)
    values = {k: round(measured(joint, joint.metrics[k], human), 9) for k in among}
    valued = [k for k in among if np.isfinite(values[k])]
    return sorted(valued, key=lambda k: (k in aside, -values[k], joint.names[k]))


def within(
    joint: Joint,
    k: int,
    question: str,
    keep: np.ndarray,
    resamples: int,
    confidence: float | None = None,
) -> MetaInterval:
    """Return the headline statistic of one metric on some edits (bool), epsilon that of all.

    confidence: of the interval; left out, that of the report.
    """
    human, metric, statistic = joint.mean_votes(question), joint.metrics[k], headline(joint)
    draws = joint.people.resampling("within", question)._replace(resamples=resamples)
    draws = draws if confidence is None else draws._replace(confidence=confidence)
    part, people, sources = metric[:, keep], human[:, keep], joint.sources[keep]
    if statistic.name == "acc_eq":
        epsilon = tie_calibrated_accuracy(metric, human).epsilon
        if not np.isfinite(epsilon):
            return MetaInterval(np.nan, np.nan, np.nan, np.zeros(0))
        return bootstrap_accuracy(part, people, draws, sources=sources, calibration=epsilon)
    edits = Statistic("correlation", "edits", statistic.kind)
    return bootstrap_correlation(part, people, edits, draws, sources=sources)


def by_method(joint: Joint, human: np.ndarray) -> float:
    """Return acc_eq of every method's mean vote on other videos; NaN where it has no meaning."""
    if headline(joint).name != "acc_eq":
        return float("nan")
    return tie_calibrated_accuracy(systems_alone(human, joint.sources), human).value


def guessing(human: np.ndarray, statistic: Statistic) -> tuple[float, float]:
    """Return people's share of ties, and what a metric that knows nothing gets from it.

    One that never ties is right on half of the pairs that people do not tie; one that always ties
    is right on all others. Calibration of epsilon finds the better of the two.
    """
    if statistic.name != "acc_eq":
        return float("nan"), 0.0
    flat = pairwise_accuracy(np.where(np.isfinite(human), 0.0, np.nan), human, 0.0)
    return flat.value, max(flat.value, (1 - flat.value) / 2)


class Others(NamedTuple):
    """Statistics of every metric on one question, by metric."""

    question: str
    spa: dict[str, MetaInterval]
    correlations: dict[str, dict[tuple[Level, Kind], MetaInterval]]
    constant: dict[str, int]  # edits on which metric or people are all equal over methods
    ceilings: dict[Level, SplitHalf]  # Pearson of halves of the panel
    why_not: dict[str, str]  # by metric: what is missing or does not vary; "" for nothing


def others(joint: Joint, question: str) -> Others:
    """Return SPA and correlations of every metric with their intervals over source videos."""
    votes, few = joint.votes[question], min(DRAWS, joint.people.how.resamples)
    human = mean_votes(votes)
    draws = joint.people.resampling("statistics", question)._replace(resamples=few)
    spa = bootstrap_soft_pairwise(joint.metrics, human, draws, sources=joint.sources)
    named = list(zip(joint.names, joint.metrics, strict=True))
    return Others(
        question,
        dict(zip(joint.names, spa, strict=True)),
        {name: _correlations(joint, metric, human, question, few) for name, metric in named},
        {name: correlate(metric, human, level="item").constant for name, metric in named},
        {level: split_half(votes, level=level, rng=draws.rng) for level in LEVELS},
        {name: why_none(joint, k, question) for k, name in enumerate(joint.names)},
    )


def _correlations(
    joint: Joint, metric: np.ndarray, human: np.ndarray, question: str, resamples: int
) -> dict[tuple[Level, Kind], MetaInterval]:
    def found(level: Level, kind: Kind) -> MetaInterval:
        draws = joint.people.resampling("correlations", question)._replace(resamples=resamples)
        statistic = Statistic("correlation", level, kind)
        return bootstrap_correlation(metric, human, statistic, draws, sources=joint.sources)

    return {(level, kind): found(level, kind) for level in LEVELS for kind in KINDS}
