"""Metrics and votes of the same edits, made up in memory, for the parts of a report on both.

Every edit by a method has a true merit on each question. Votes are the truth with noise, rounded
to 1..5; a metric is the truth of the axis it is meant for with noise of its own deviation.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from made_up_run import method_info, metric_info, run_info

from dreamix.data.suite import Edit
from evaluation.run.folder import RunFolder
from evaluation.run.info import MetricInfo
from evaluation.schema import ClipRow
from reports.loading import Run
from reports.people.export import StudyExport
from reports.people.joint import Joint, join
from reports.people.outcome import people_of
from reports.summary import IntervalSettings

QUESTIONS = ("alignment", "fidelity", "quality")
CATEGORIES = ("motion", "style")
HOW = IntervalSettings(resamples=120)


class Meant(NamedTuple):
    """A metric: the axis it is meant for, what it measures, its noise, and which way is good."""

    axis: str
    follows: str  # the question whose truth it knows
    noise: float = 0.3
    better: str = "higher"


METRICS = {
    "good_a": Meant("alignment", "alignment"),
    "poor_a": Meant("alignment", "alignment", 3.0),
    "good_f": Meant("fidelity", "fidelity", better="lower"),
    "good_q": Meant("quality", "quality"),
}


def fabricate_joint(
    *,
    methods: int = 3,
    sources: int = 12,
    edits: int = 2,
    raters: int = 6,
    metrics: Mapping[str, Meant] | None = None,
    equal: str = "",
    simulated: bool = False,
    both: bool = True,
    rated: int | None = None,
    seed: int = 0,
) -> Joint:
    """Return a run and a study on it.

    edits: of each source, of CATEGORIES in turn. equal: a question on which every vote is 3.
    both:  raters see all methods of an edit; else rater r sees method r modulo methods only.
    rated: sources whose edits raters saw; left out, all.
    """
    metrics = METRICS if metrics is None else metrics
    rng = np.random.default_rng(seed)
    truth = {name: rng.normal(3, 0.9, (methods, sources * edits)) for name in QUESTIONS}
    run = _run(methods, sources, edits, metrics, truth, rng)
    export = _export(run, truth, raters, equal, simulated, both, rng)
    if rated is not None:
        seen = sorted(set(export.long["video"]))[:rated]
        export = replace(export, long=export.long[export.long["video"].isin(seen)])
    return join(run, people_of(export, HOW))


def _run(
    methods: int,
    sources: int,
    edits: int,
    metrics: Mapping[str, Meant],
    truth: dict[str, np.ndarray],
    rng: np.random.Generator,
) -> Run:
    labels = [f"method-{k}" for k in range(methods)]
    every = {
        f"v{s:02d}_{e}": Edit(f"v{s:02d}_{e}", f"v{s:02d}", "a prompt", CATEGORIES[e % 2])
        for s in range(sources)
        for e in range(edits)
    }
    rows = []
    for name, meant in metrics.items():
        sign = 1 if meant.better == "higher" else -1
        values = sign * (truth[meant.follows] + rng.normal(0, meant.noise, truth["quality"].shape))
        rows += [
            {"metric": name, "method": label, "edit": edit, "seed": 0, "status": "ok",
             "value": values[m, e], "delta": values[m, e], "video": every[edit].video,
             "category": every[edit].category, "reason": None}
            for m, label in enumerate(labels)
            for e, edit in enumerate(every)
        ]  # fmt: skip
    columns = ["metric", "method", "edit", "seed", "status", "value", "delta", "video", "category",
               "reason"]  # fmt: skip
    facts = {name: _facts(name, meant) for name, meant in metrics.items()}
    known = {label: method_info(label) for label in labels}
    clips = {
        (label, edit, 0): ClipRow(
            method=label, edit=edit, seed=0, status="ok", seconds=1.0 + m + (30 if m else 0),
            facts={"finetune_seconds": 30.0 if m else 0.0},
        )
        for m, label in enumerate(labels)
        for edit in every
    }  # fmt: skip
    info = run_info(known, every, facts)
    scores = pd.DataFrame(rows, columns=columns)
    return Run(RunFolder(Path("run")), info, known, facts, every, clips, scores, "0" * 64)


def _facts(name: str, meant: Meant) -> MetricInfo:
    return metric_info(name, meant.axis, meant.better, ("0", "1"))


def _export(
    run: Run,
    truth: dict[str, np.ndarray],
    raters: int,
    equal: str,
    simulated: bool,
    both: bool,
    rng: np.random.Generator,
) -> StudyExport:
    rows = []
    for rater in range(raters):
        for m, label in enumerate(run.methods):
            if not both and rater % len(run.methods) != m:
                continue
            for e, edit in enumerate(run.edits.values()):
                for question in QUESTIONS:
                    vote = np.clip(np.rint(truth[question][m, e] + rng.normal(0, 0.6)), 1, 5)
                    rows.append(
                        {"rater": f"r{rater:02d}", "video": edit.video, "edit": edit.id,
                         "method": label, "question": question, "kind": "rating",
                         "value": 3.0 if question == equal else float(vote),
                         "excluded": False, "simulated": simulated}
                    )  # fmt: skip
    study = {"name": "made-up", "methods": list(run.methods), "questions": list(QUESTIONS)}
    none = pd.DataFrame()
    long = pd.DataFrame(rows)
    return StudyExport(Path("e"), study, {}, simulated, long, none, none, none, none, "0" * 64)
