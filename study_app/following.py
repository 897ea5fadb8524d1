"""Simulated raters whose taste follows metrics of the run, so that there is something to find.

What a clip deserves in a question is  3 + 0.8 z + e,  z the metric's value among the clips of the
study, standardized and turned so that more is better, e of deviation 0.5: a correlation of 0.85.
"""

from collections.abc import Mapping

import numpy as np

from dreamix.core.errors import UserError
from dreamix.core.registry import near_misses
from dreamix.core.seeding import rng_for
from evaluation.run.folder import RunFolder
from evaluation.score.table import read_scores
from study_app.plan import Item
from study_app.simulate import Merit
from study_app.spec.study import Study

SLOPE, AWAY = 0.8, 0.5
Values = dict[tuple[str, str], float]  # by method and edit, standardized


def followed(study: Study, run: RunFolder, follow: tuple[str, ...]) -> dict[str, Values]:
    """Return what QUESTION=METRIC options ask for, by question, standardized over the clips.

    A question that is not asked, a metric that the run lacks or that only describes, and one that
    is the same for all clips are a `UserError`.
    """
    found: dict[str, Values] = {}
    for pair in follow:
        question, _, metric = pair.partition("=")
        if question not in study.questions:
            raise UserError(f"--follow {pair}: the study does not ask for {question!r}")
        found[question] = _standardized(study, run, metric)
    return found


def following(values: Mapping[str, Values], other: Merit, seed: int) -> Merit:
    """Return merits that follow `values` where a question has them, and are `other` elsewhere.

    Clips without a value deserve 3. The merit of a pair is how far its second method is ahead.
    """

    def merit(item: Item, question: str) -> float:
        if question not in values or (item.expected and question in item.expected):
            return other(item, question)
        of = [3 + SLOPE * values[question].get((m, item.edit), 0.0) for m in item.methods]
        lead = of[-1] - (of[0] if len(of) > 1 else 0.0)
        return lead + float(rng_for("follow", seed, item.key, question).normal(0, AWAY))

    return merit


def _standardized(study: Study, run: RunFolder, metric: str) -> Values:
    facts = run.info.metrics
    if metric not in facts:
        hint = near_misses(metric, list(facts))
        raise UserError(f"--follow: {run.path} has no scores of {metric!r}{hint}")
    sign = {"higher": 1, "lower": -1}.get(facts[metric].better)
    if sign is None:
        raise UserError(f"--follow: {metric} only describes; more is neither better nor worse")
    rows = [
        row
        for row in read_scores(run.scores).values()
        if (row.metric, row.status) == (metric, "ok")
        and row.method in study.methods
        and row.cell == run.first_cell(row.method, row.edit)
        and row.value is not None
    ]
    values = sign * np.array([row.value for row in rows], float)
    if len(rows) < 2 or not values.std() > 0:
        raise UserError(f"--follow: {metric} does not tell the clips of this study apart")
    z = (values - values.mean()) / values.std()
    return {(row.method, row.edit): float(one) for row, one in zip(rows, z, strict=True)}
