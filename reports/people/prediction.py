"""How well metrics predict mean votes after a monotonic mapping to the scale (ITU-T P.1401)."""

from typing import NamedTuple

import numpy as np

from evaluation.stats.meta import (
    MetaInterval,
    Prediction,
    Statistic,
    bootstrap_correlation,
    correlation_test,
    cross_validated_rmse,
    evaluate_prediction,
    outlier_test,
    predict,
    rmse_test,
    split_half,
)
from evaluation.stats.multiplicity import bonferroni
from evaluation.stats.ratings import Votes, item_scores
from reports.people.agreement import best_of, why_not
from reports.people.joint import Joint

ORDER, FEWEST = 3, 4  # of the mapping, and the different values that it needs; else first order


class Predicted(NamedTuple):
    """One metric's prediction of the mean votes on a question."""

    name: str
    values: Prediction
    pearson: MetaInterval  # of predicted and observed mean votes, over source videos
    first_order: float  # RMSE on other videos of a first-order mapping
    third_order: float  # the same of the third-order one
    p: tuple[
        float, float, float
    ]  # against the best: Pearson, RMSE, outliers; Bonferroni over pairs


class Question(NamedTuple):
    """The metrics of a question's own axis, best of the league first."""

    question: str
    metrics: tuple[Predicted, ...]
    mos: np.ndarray  # float (systems, edits)
    half: np.ndarray  # float (systems, edits): half width of the 95% interval of a mean vote
    ceiling: float  # Pearson that a metric knowing the true means would reach
    why_not: str  # no metrics

    @property
    def exact(self) -> int:
        """How many edits have votes that are all equal, so that their interval has no width."""
        return int((self.half == 0).sum())


def predictions(joint: Joint, question: str) -> Question:
    """Return the prediction of every metric that is meant for a question."""
    mos, half = joint.mean_votes(question), half_widths(joint, question)
    reason = why_not(joint, question)
    own = [] if reason else best_of(joint, question, joint.on_axis(question))
    made = [_predicted(joint, k, question, mos, half) for k in own]
    if not reason and not made:
        reason = f"the run has no metric meant for {question} with values"
    rng = joint.people.rng("ceiling", question)
    ceiling = split_half(joint.votes[question], level="global", rng=rng).ceiling
    return Question(question, _tested(made), mos, half, ceiling, reason)


def half_widths(joint: Joint, question: str) -> np.ndarray:
    """Return half the 95% interval of every mean vote, by Student's t; NaN with one vote."""
    table = joint.votes[question]
    system, edit, rater = np.nonzero(np.isfinite(table))
    labels, source = np.unique(joint.sources, return_inverse=True)
    sizes = (table.shape[2], len(labels), table.shape[1], table.shape[0])
    votes = Votes(rater, source[edit], edit, system, table[system, edit, rater], *sizes)
    found = np.full(table.shape[:2], np.nan)
    if len(votes.value):
        scores = item_scores(votes)
        found[scores.method, scores.edit] = (scores.high - scores.low) / 2
    return found


def _predicted(joint: Joint, k: int, question: str, mos: np.ndarray, half: np.ndarray) -> Predicted:
    metric, flat = joint.metrics[k], (joint.metrics[k].ravel(), mos.ravel())
    valued = metric[np.isfinite(metric) & np.isfinite(mos)]
    order = ORDER if len(np.unique(valued)) >= FEWEST else 1
    values = evaluate_prediction(*flat, half.ravel(), order=order)
    sources = np.tile(joint.sources, len(joint.systems))
    mapped = np.where(np.isfinite(metric), predict(values.mapping, metric), np.nan)
    statistic = Statistic("correlation", "global", "pearson")
    draws = joint.people.resampling("prediction", question)
    pearson = bootstrap_correlation(mapped, mos, statistic, draws, sources=joint.sources)
    across = [cross_validated_rmse(*flat, sources, order=each) for each in (1, ORDER)]
    return Predicted(joint.names[k], values, pearson, across[0], across[1], (np.nan,) * 3)


def _tested(made: list[Predicted]) -> tuple[Predicted, ...]:
    """Return the predictions with P.1401's two-sided tests against the first of them.

    The first is the best by the same votes, so the adjustment is for all pairs of predictions.
    """
    if not made:
        return ()
    p = np.array([_tests(made[0].values, other.values) for other in made[1:]]).reshape(-1, 3)
    adjusted = bonferroni(p, tests=len(made) * (len(made) - 1) / 2)
    rest = [one._replace(p=tuple(row)) for one, row in zip(made[1:], adjusted, strict=True)]
    return (made[0], *rest)


def _tests(best: Prediction, other: Prediction) -> tuple[float, float, float]:
    found = (
        correlation_test(best.pearson, best.n, other.pearson, other.n),
        rmse_test(best.rmse, best.n, other.rmse, other.n, d_first=best.d, d_second=other.d),
        outlier_test(best.outlier_ratio, best.n_ci, other.outlier_ratio, other.n_ci),
    )
    return (found[0].p_two_sided, found[1].p_two_sided, found[2].p_two_sided)
