"""`dreamix study simulate`: simulated raters for a study, in a database where no people are.

Their taste may follow metrics of the run, so that there is something to find. What a clip deserves
in a question is  3 + 0.8 z + e,  z the metric's value among the clips of the study, standardized
and turned so that more is better, e of deviation 0.5: a correlation of 0.85.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dreamix.core.errors import UserError
from dreamix.core.names import near_misses
from dreamix.core.seeding import rng_for
from dreamix.core.wording import plural
from dreamix.remote.place_type import beside
from evaluation.run.folder import RunFolder
from evaluation.score.table import read_scores
from study_app.enrollment import refuse_mixing, who_rates
from study_app.open_study import opened, simulated_url
from study_app.plan import Item
from study_app.simulated_raters import Crowd, Merit, arrivals, method_merit, simulate
from study_app.spec.study import Study
from study_app.state import state_of
from study_app.status_text import NO_SIMULATION_IS_DATA
from study_app.store.database import now

SLOPE, AWAY = 0.8, 0.5
Values = dict[tuple[str, str], float]  # by method and edit, standardized


def run_simulation(
    folder: Path,
    url: str | None,
    seed: int,
    merits: tuple[str, ...],
    follow: tuple[str, ...],
    crowd: dict[str, Any],
) -> list[str]:
    """Return what to say of the raters who came; the last of them comes about now."""
    where = simulated_url(folder, url)
    with opened(folder, where) as running:
        with running.database.reading() as session:
            refuse_mixing(who_rates(session), "simulated")
            state = state_of(session).name
        if state != "open":
            raise UserError(f"the study is {state} in this database: `dreamix study resume` it")
        people = Crowd(**crowd)
        means = method_means(running.study, merits)
        values = metric_values(running.study, RunFolder(beside(folder, running.study.run)), follow)
        finished = simulate(
            running,
            people,
            metric_merit(values, method_merit(running, means, seed), seed),
            seed=seed,
            start=_start(running.study, people, seed),
        )
        place = running.database.engine.url.render_as_string(hide_password=True)
    return [
        f"{plural(people.raters, 'SIMULATED rater')} came, {finished} finished: {place}",
        NO_SIMULATION_IS_DATA,
    ]


def method_means(study: Study, merits: tuple[str, ...]) -> dict[str, float]:
    """Return what METHOD=MEAN options say.

    Raises:
        UserError: if the study lacks the method.
    """
    found: dict[str, float] = {}
    for merit in merits:
        method, _, mean = merit.rpartition("=")
        if method not in study.methods:
            raise UserError(
                f"--merit {merit}: the study has no method {method!r}"
                f"{near_misses(method, list(study.methods))}"
            )
        try:
            found[method] = float(mean)
        except ValueError:
            raise UserError(f"--merit {merit}: {mean!r} is not a number from 1 to 5") from None
    return found


def _start(study: Study, crowd: Crowd, seed: int) -> int:
    """Return when to begin such that the last who comes is at the last trial now."""
    last = arrivals(crowd, seed)[-1] + study.size.trials * crowd.trial
    return now() - round(1000 * last)


def metric_values(study: Study, run: RunFolder, follow: tuple[str, ...]) -> dict[str, Values]:
    """Return what QUESTION=METRIC options ask for, by question, standardized over the clips.

    Raises:
        UserError: for a question that is not asked, a metric that the run lacks or that only
            describes, and one that is the same for all clips.
    """
    found: dict[str, Values] = {}
    for pair in follow:
        question, _, metric = pair.partition("=")
        if question not in study.questions:
            raise UserError(f"--follow {pair}: the study does not ask for {question!r}")
        found[question] = _standardized(study, run, metric)
    return found


def metric_merit(values: Mapping[str, Values], other: Merit, seed: int) -> Merit:
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
