"""How far each metric follows the raters on a question, in numbers, and what people reach."""

from typing import NamedTuple

import numpy as np

from evaluation.stats.correlation import correlate
from evaluation.stats.league import League, Row, league
from evaluation.stats.meta import mean_votes, why_no_value
from evaluation.stats.meta_bootstrap import (
    MetaInterval,
    bootstrap_accuracy,
    bootstrap_correlation,
)
from evaluation.stats.panels import Panel, half_panels, one_vote, systems_alone
from evaluation.stats.statistic import Statistic, statistic_value
from evaluation.stats.ties import pairwise_accuracy, tie_calibrated_accuracy
from reports.ground import TIE
from reports.people.joint import Joint
from reports.people.metric_ground import metric_ground, on_ground

ACCURACY = Statistic()  # acc_eq: within an edit, which method is better?
BETWEEN = Statistic("correlation", "edits", "kendall_b")  # with one method: which edit?
SHORT = {"acc_eq": "acc_eq", "correlation": "Kendall's tau between edits"}
FEW_SWAPS = 2000  # permutations of a correlation, each of which is computed anew
FEWEST_SWAPS = 100  # of metrics that are shown and not compared


class Agreement(NamedTuple):
    """Metrics against people on one question."""

    question: str
    own: frozenset[str]  # metrics that are meant for it
    table: League | None  # None where there is nothing to follow
    why_not: str  # no table
    halves: Panel  # half of the raters in the place of a metric
    vote: Panel  # one vote an item in the place of a metric
    guess: float  # what a metric that knows nothing reaches
    method: float  # what knowing a method's mean vote on other videos reaches, no clip seen
    ties: float  # share of pairs of methods that people call equal
    permutations: int
    surely: float = np.nan  # lower end for the best metric, at the level shared by all metrics
    apart: tuple[str, ...] = ()  # metrics with values that are not ranked: too few in common
    cells: int = 0  # edits by methods with votes, on which all ranked metrics have values
    of: int = 0  # on which some metric has one

    @property
    def ranked(self) -> list[Row]:
        """Rows of metrics with a value, best first."""
        return [row for row in self.table.rows if row.cluster] if self.table else []

    @property
    def tops(self) -> list[str]:
        """Names of the metrics of the highest value: one, or several that share it."""
        best = self.ranked[0].value if self.ranked else np.nan
        return [row.name for row in self.ranked if best - row.value <= TIE]

    @property
    def best_own(self) -> Row | None:
        """Return the row of the best metric that is meant for the question."""
        return next((row for row in self.ranked if row.name in self.own), None)


def agreements(joint: Joint) -> list[Agreement]:
    """Return the league of all metrics on every question."""
    return [agreement(joint, question) for question in joint.votes]


def agreement(joint: Joint, question: str) -> Agreement:
    """Return the league of all metrics on one question, or why there can be none.

    All of it is of the cells on which every ranked metric has values (`metric_ground`); the rows
    of metrics that are not ranked, last, are of their own cells.
    """
    ground, reason = metric_ground(joint, question), why_not(joint, question)
    every, joint = joint, on_ground(joint, question, ground)
    votes, statistic = joint.votes[question], headline(joint)
    own = frozenset(joint.names[k] for k in joint.on_axis(question))
    ties, guess = guessing(mean_votes(votes), statistic)
    nobody = Panel(np.nan, np.nan, np.nan, 0, np.nan)
    method = by_method(joint, mean_votes(votes))
    found = Agreement(question, own, None, reason, nobody, nobody, guess, method, ties, 0)
    if found.why_not:
        return found
    swaps = 10_000 if statistic.name == "acc_eq" else FEW_SWAPS
    table = _league(joint, question, list(ground.ranked), swaps)
    rest = [k for k in range(len(joint.names)) if k not in ground.ranked]
    rows = list(table.rows)
    if rest:
        own_cells = _league(every, question, rest, FEWEST_SWAPS).rows
        rows += [row._replace(cluster=0, p_best=np.nan) for row in own_cells]
    rows = [_in_its_unit(every, question, row) for row in rows]
    rng = joint.people.rng("panels", question)

    def value(one: np.ndarray, rest: np.ndarray) -> float:
        return statistic_value(one, rest, statistic, rng)

    return found._replace(
        table=table._replace(rows=tuple(rows)),
        apart=tuple(joint.names[k] for k in ground.apart),
        cells=int(ground.has.sum()),
        of=ground.of,
        surely=_surely(joint, question, [row.name for row in table.rows if row.cluster]),
        halves=half_panels(votes, value, rng=rng, confidence=joint.people.how.level),
        vote=one_vote(votes, value, rng=rng, confidence=joint.people.how.level),
        permutations=swaps,
    )


def _league(joint: Joint, question: str, among: list[int], swaps: int) -> League:
    return league(
        joint.metrics[among],
        joint.votes[question],
        names=[joint.names[k] for k in among],
        statistic=headline(joint),
        sources=joint.sources,
        rng=joint.people.rng("league", question),
        permutations=swaps,
        resamples=joint.people.how.resamples,
        confidence=joint.people.how.level,
    )


def _in_its_unit(joint: Joint, question: str, row: Row) -> Row:
    """Return a row with the cells that lack a value or a vote of all, and reasons in its unit."""
    k, human = joint.names.index(row.name), joint.mean_votes(question)
    has = np.isfinite(joint.metrics[k]) & np.isfinite(human)
    why_not = row.why_not and (why_none(joint, k, question) or row.why_not)
    return row._replace(missing=int((~has).sum()), why_not=why_not)


def why_none(joint: Joint, k: int, question: str) -> str:
    """Return why a metric cannot be held against raters, with values as the metric gives them."""
    sign = joint.run.metrics[joint.names[k]].sign
    return why_no_value(sign * joint.metrics[k], joint.mean_votes(question))


def _surely(joint: Joint, question: str, ranked: list[str]) -> float:
    """Return the lower end of the best metric's interval, as it was chosen from all: Bonferroni."""
    if not ranked:
        return float("nan")
    level = 1 - (1 - joint.people.how.level) / len(ranked)
    every = np.ones(len(joint.edits), bool)
    draws = joint.people.how.resamples
    return within(joint, joint.names.index(ranked[0]), question, every, draws, level).low


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
    ground = metric_ground(joint, question)
    if ground.apart and not ground.ranked:
        return "the metrics have values on too few edits in common to be ranked"
    on = on_ground(joint, question, ground)
    values = [measured(on, on.metrics[k], on.mean_votes(question)) for k in ground.ranked]
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
    """Return the metrics that have a value, best first, ordered as in the league; then others."""
    ground = metric_ground(joint, question)
    ranked = on_ground(joint, question, ground)
    values = {
        k: round(measured(one, one.metrics[k], one.mean_votes(question)), 9)
        for k in among
        for one in [ranked if k in ground.ranked else joint]
    }
    valued = [k for k in among if np.isfinite(values[k])]
    return sorted(valued, key=lambda k: (k not in ground.ranked, -values[k], joint.names[k]))


def within(
    joint: Joint,
    k: int,
    question: str,
    keep: np.ndarray,
    resamples: int,
    level: float | None = None,
) -> MetaInterval:
    """Return the headline statistic of one metric on some edits (bool), epsilon that of all.

    level: of the interval; left out, that of the report.
    """
    human, metric, statistic = joint.mean_votes(question), joint.metrics[k], headline(joint)
    level = joint.people.how.level if level is None else level
    rng = joint.people.rng("within", question)
    part, people, sources = metric[:, keep], human[:, keep], joint.sources[keep]
    if statistic.name == "acc_eq":
        epsilon = tie_calibrated_accuracy(metric, human).epsilon
        if not np.isfinite(epsilon):
            return MetaInterval(np.nan, np.nan, np.nan, np.zeros(0))
        return bootstrap_accuracy(
            part,
            people,
            epsilon=epsilon,
            sources=sources,
            rng=rng,
            resamples=resamples,
            confidence=level,
        )
    return bootstrap_correlation(
        part, people, level="edits", kind=statistic.kind, sources=sources, rng=rng,
        resamples=resamples, confidence=level,
    )  # fmt: skip


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
