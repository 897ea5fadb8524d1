"""A folder of gold data: the export of a study, or of ratings from elsewhere, and scores beside it.

It is an export like any other, with one table more, scores.csv: a row for every metric, question
that it is meant for, edit and method. So items, systems and ratings are those of plan.parquet,
study.yaml and ratings_long.parquet.
"""

from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd

from dreamix.core.errors import UserError
from dreamix.core.media import sha256_file
from dreamix.core.names import near_misses
from dreamix.core.places import inside
from dreamix.core.records import write_sums
from dreamix.core.wording import listed
from dreamix.data.suite import Edit
from evaluation.gold.scores import (
    SCORES,
    GoldMetric,
    Rated,
    ScoreDefaults,
    check_names,
    read_scores,
    write_scores,
)
from evaluation.run.info import MethodInfo, MetricInfo
from reports.loading import KEY, Run
from reports.people.export import StudyExport, read_export
from reports.people.joint import Joint, join
from reports.people.outcome import People


class Gold(NamedTuple):
    """Gold data in memory."""

    export: StudyExport
    metrics: list[GoldMetric]

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self.export.folder

    @property
    def questions(self) -> list[str]:
        """What was asked and answered, in the study's order."""
        answered = set(self.export.own["question"])
        return [name for name in self.export.questions if name in answered]

    def of_question(self, question: str) -> list[GoldMetric]:
        """Return the metrics that are meant for a question, or for any."""
        return [one for one in self.metrics if one.question in ("", question)]

    def metric(self, name: str, question: str) -> GoldMetric:
        """Return a metric by its name.

        Raises:
            UserError: for an unknown one.
        """
        known = {one.name: one for one in self.of_question(question)}
        if name not in known:
            names = sorted(known)
            raise UserError(f"no metric {name!r} on {question}{near_misses(name, names)}")
        return known[name]


def read_gold(folder: Path) -> Gold:
    """Return the gold data in a folder; scores may lack.

    Raises:
        UserError: for a folder without ratings.
    """
    export = read_export(folder)
    if export.design == "pairwise":
        raise UserError(f"{folder}: raters chose between pairs; metrics are held against ratings")
    path = inside(folder, SCORES)
    return Gold(
        export, read_scores(path, rated_of(export), ScoreDefaults()) if path.exists() else []
    )


def rated_of(export: StudyExport) -> Rated:
    """Return what was rated."""
    own = export.own
    return Rated(frozenset(own["edit"]), frozenset(own["method"]), frozenset(export.questions))


def added(gold: Gold, new: list[GoldMetric], *, replace: bool) -> Gold:
    """Return the gold data with more metrics, written to its folder.

    replace: take the place of metrics of the same name.

    Raises:
        UserError: for metrics of names that are there, without `replace`.
    """
    keys = {one.key for one in new}
    twice = [one.name for one in gold.metrics if one.key in keys]
    if twice and not replace:
        raise UserError(
            f"{gold.folder} has {listed(sorted(set(twice)))} already: --replace takes its place"
        )
    metrics = [*(one for one in gold.metrics if one.key not in keys), *new]
    check_names(metrics)
    write_scores(gold.folder, metrics)
    write_sums(gold.folder)
    return gold._replace(metrics=metrics)


def gold_joint(gold: Gold, people: People, question: str, *, whole: bool = False) -> Joint:
    """Return metrics and people on one question; whole: with the votes on all questions.

    Methods that more than half of the metrics have no value for are left out: metrics would be
    compared on different methods.
    """
    metrics = gold.of_question(question)
    if not metrics:
        raise UserError(f"{gold.folder} has no metric for {question}: `dreamix meta add-metric`")
    joint = join(_run(gold, metrics, question), people)
    return joint if whole else joint._replace(votes={question: joint.votes[question]})


def methods_left_out(gold: Gold, question: str) -> list[str]:
    """Return the methods that more than half of the metrics have no value for."""
    metrics = gold.of_question(question)
    has = [{method for _, method in one.values} for one in metrics]
    return [
        name for name in gold.export.methods if 2 * sum(name in one for one in has) < len(metrics)
    ]


def _run(gold: Gold, metrics: list[GoldMetric], question: str) -> Run:
    """Return the scores as a run has them; there are no clips, and no record of making them."""
    left = methods_left_out(gold, question)
    names = [name for name in gold.export.methods if name not in left]
    plan = gold.export.plan
    rows = plan[plan["kind"] == "rating"].drop_duplicates("edit").fillna("")
    edits = {
        str(row["edit"]): Edit(
            id=row["edit"], video=row["video"], prompt=row.get("prompt", ""),
            category=row.get("category", "") or "none",
        )
        for row in rows.to_dict("records")
    }  # fmt: skip
    methods = {name: MethodInfo(name, {}, False, (0,)) for name in names}
    facts = {one.name: _facts(one, question) for one in metrics}
    nothing = cast(Any, None)  # of a run folder: subjects on gold data ask for none of it
    return Run(
        files=nothing,
        info=nothing,
        methods=methods,
        metrics=facts,
        edits=edits,
        clips={},
        scores=_scores(metrics, list(edits), names),
        scores_sha256=sha256_file(gold.folder / SCORES),
    )


def _facts(one: GoldMetric, question: str) -> MetricInfo:
    return MetricInfo(
        name=one.name,
        axis=cast(Any, question),  # which may be any, as axes of our metrics may not
        better=one.better,
        definition=one.origin,
        bounds=("-inf", "inf"),
        needs=(),
        not_for=(),
        version=1,
        definition_id="",
        models={},
        policy="",
    )


def _scores(metrics: list[GoldMetric], edits: list[str], methods: list[str]) -> pd.DataFrame:
    """Return a row for every metric and item; "failed" where it has no value."""
    index = pd.MultiIndex.from_product(
        [methods, edits, [0], [one.name for one in metrics]], names=KEY
    )
    known = {
        (method, edit, 0, one.name): value
        for one in metrics
        for (edit, method), value in one.values.items()
    }
    values = np.array([known.get(key, np.nan) for key in index])
    frame = index.to_frame(index=False).assign(value=values)
    frame["status"] = np.where(np.isfinite(values), "ok", "failed")
    frame["reason"] = np.where(np.isfinite(values), "", "no value")
    return frame
