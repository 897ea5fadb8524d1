"""A run folder, read: what was compared, and one row for every score there should be.

The folder is described in `evaluation/schema.py`. Reading needs neither models nor methods, so a
report can be made on any machine, years later.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from dreamix.core.errors import UserError
from dreamix.core.media import sha256_file
from evaluation.run.folder import RunFolder
from evaluation.run.info import RunInfo
from evaluation.schema import AXES as AXES
from evaluation.schema import Cell, ClipRow, ScoreRow
from evaluation.score.table import Key, read_scores

KEY = ["method", "edit", "seed", "metric"]
STATUSES = ("ok", "failed", "n/a", "missing")
NUMBERS = ("value", "delta", "source_value", "pairs", "share", "covers")
FIELDS = ("status", *NUMBERS, "reason", "note")
LEAST_SHARE = 0.9  # of its source's duration: a clip that covers less is partial
NO_CLIP = "no clip yet: `dreamix bench run` makes it"
NO_SCORE = "not scored yet: `dreamix bench score` does it"
OUTDATED = "the score is of another clip or definition: `dreamix bench score` renews it"


@dataclass(frozen=True)
class Method:
    """One line of every table."""

    label: str
    name: str  # of the method in the registry
    anchor: bool  # a reference whose numbers are known beforehand, greyed everywhere
    seed_numbers: tuple[int, ...]
    config: dict[str, Any]

    @property
    def seeds(self) -> int:
        """How many clips of an edit it made."""
        return len(self.seed_numbers)


@dataclass(frozen=True)
class MetricFacts:
    """What a metric declares about itself, from run.json."""

    name: str
    axis: str
    better: str  # "higher", "lower" or "neither"
    definition: str
    bounds: tuple[str, str]
    needs: tuple[str, ...]
    not_for: tuple[str, ...]
    version: int
    definition_id: str  # hash of version, models and frame policy
    models: dict[str, str]  # that decide the number: name, weights hash, preprocessing
    policy: str  # how frames of source and edit were paired

    @property
    def arrow(self) -> str:
        """The direction that is good, as one character."""
        return {"higher": "↑", "lower": "↓"}.get(self.better, "·")

    @property
    def ends(self) -> tuple[float, float]:
        """Smallest and largest value that is declared, each maybe infinite."""
        return float(self.bounds[0]), float(self.bounds[1])

    @property
    def sign(self) -> int:
        """1 if higher is better, -1 if lower is, 0 if the number only describes."""
        return {"higher": 1, "lower": -1}.get(self.better, 0)


@dataclass(frozen=True)
class Edit:
    """One question put to every method: a source clip and the prompt for it."""

    id: str
    video: str
    prompt: str
    category: str


@dataclass(frozen=True)
class Run:
    """A run folder in memory.

    scores: one row for every method x edit x seed x metric of the grid, with the columns KEY,
        video, category, FIELDS, made (there is a clip), partial (it covers too little of its
        source) and remarks (a tuple of lines); status "missing" where nothing was recorded.
    """

    files: RunFolder
    info: dict[str, Any]
    suite: dict[str, Any]
    methods: dict[str, Method]
    metrics: dict[str, MetricFacts]
    edits: dict[str, Edit]
    clips: dict[Cell, ClipRow]
    scores: pd.DataFrame
    scores_sha256: str  # of scores.jsonl, which is all that the numbers come from

    @property
    def folder(self) -> Path:
        """Where the run is."""
        return self.files.path

    @property
    def ranked(self) -> list[str]:
        """Labels of the methods that compete: all but the anchors."""
        return [label for label, method in self.methods.items() if not method.anchor]

    @property
    def videos(self) -> list[str]:
        """Ids of the source videos that the grid's edits use, in the suite's order."""
        return list(dict.fromkeys(edit.video for edit in self.edits.values()))

    @property
    def categories(self) -> dict[str, int]:
        """Edit categories of the grid, sorted, each with its number of edits."""
        return dict(sorted(Counter(edit.category for edit in self.edits.values()).items()))

    @property
    def least_share(self) -> float:
        """Share of its source's duration below which a clip is partial."""
        return float(self.info.get("least_share", LEAST_SHARE))

    def timed(self, label: str) -> list[ClipRow]:
        """Return the clips of a method that say what making them took.

        Copying a file that was made elsewhere takes time too, which says nothing of the method.
        """
        made = [clip for cell, clip in self.clips.items() if cell[0] == label]
        return [clip for clip in made if clip.seconds is not None and clip.origin is None]

    @property
    def cells(self) -> list[Cell]:
        """Every clip of the grid."""
        return list(_grid(self.methods, self.edits))

    def flag(self, name: str, without: Any = False) -> pd.Series:
        """Return a column of `scores` that not every table has, `without` where it is absent."""
        if name in self.scores:
            return self.scores[name]
        return pd.Series([without] * len(self.scores), self.scores.index)

    @cached_property
    def partial_clips(self) -> frozenset[Cell]:
        """Clips that cover too little of their source."""
        rows = self.scores.loc[self.flag("partial"), KEY[:3]].itertuples(index=False)
        return frozenset(Cell(str(m), str(e), int(s)) for m, e, s in rows)

    @cached_property
    def partial_scores(self) -> Counter[tuple[str, str]]:
        """How many scores are of partial clips, by method and metric."""
        rows = self.scores.loc[self.flag("partial") & (self.scores["status"] == "ok")]
        return Counter(zip(rows["method"], rows["metric"], strict=True))

    @cached_property
    def idle(self) -> dict[str, str]:
        """Metrics that apply to no clip of this run, each with its commonest reason."""
        applies = self.scores[self.scores["status"] != "n/a"]["metric"].unique()
        rows = self.scores[~self.scores["metric"].isin(applies)]
        reasons = rows.groupby("metric")["reason"]
        return {str(name): str(found.mode().iloc[0]) for name, found in reasons}

    def on_axis(self, axis: str) -> list[MetricFacts]:
        """Return the metrics of one axis that apply to some clip, by name."""
        found = [facts for facts in self.metrics.values() if facts.axis == axis]
        return [facts for facts in found if facts.name not in self.idle]


def load_run(folder: Path) -> Run:
    """Return the run in `folder`; a folder that is no run or has no scores is a `UserError`."""
    run = RunFolder(folder)
    rows = read_scores(run.scores) if run.info.metrics else {}
    if not rows:
        raise UserError(f"{folder} has no scores yet; `dreamix bench score {folder}` makes them")
    methods = _methods(run.info)
    metrics = _metrics(run.info)
    edits = {e.id: Edit(e.id, e.video, e.prompt, e.category) for e in run.edits}
    clips = {cell: row for cell in _grid(methods, edits) if (row := run.clip_row(cell))}
    scores = _complete(rows, methods, edits, metrics, clips)
    info, suite, digest = run.info.to_dict(), run.suite.to_dict(), sha256_file(run.scores)
    scores["partial"] = scores["covers"] < float(info.get("least_share", LEAST_SHARE))
    return Run(run, info, suite, methods, metrics, edits, clips, scores, digest)


def _methods(info: RunInfo) -> dict[str, Method]:
    """Return the methods by label: those that compete, then the anchors, each as asked for."""
    ordered = sorted(info.ordered, key=lambda label: info.methods[label].anchor)
    return {
        label: Method(label, found.name, found.anchor, found.seeds, found.config)
        for label in ordered
        for found in (info.methods[label],)
    }


def _metrics(info: RunInfo) -> dict[str, MetricFacts]:
    """Return the metrics by name, axis by axis."""
    found = [
        MetricFacts(
            name=name,
            axis=facts.axis,
            better=facts.better,
            definition=facts.definition,
            bounds=(str(facts.bounds[0]), str(facts.bounds[1])),
            needs=facts.needs,
            not_for=facts.not_for,
            version=facts.version,
            definition_id=facts.definition_id,
            models=facts.models,
            policy=facts.policy,
        )
        for name, facts in info.metrics.items()
    ]
    return {
        facts.name: facts for facts in sorted(found, key=lambda m: (AXES.index(m.axis), m.name))
    }


def _grid(methods: dict[str, Method], edits: dict[str, Edit]) -> Iterator[Cell]:
    """Yield every clip there should be, in the order of the tables."""
    for label, method in methods.items():
        for edit in edits:
            for seed in method.seed_numbers:
                yield Cell(label, edit, seed)


def _complete(
    rows: dict[Key, ScoreRow],
    methods: dict[str, Method],
    edits: dict[str, Edit],
    metrics: dict[str, MetricFacts],
    clips: dict[Cell, ClipRow],
) -> pd.DataFrame:
    """Return one row for every score there should be."""
    complete = []
    for cell in _grid(methods, edits):
        edit, clip = edits[cell[1]], clips.get(cell)
        made = clip is not None and clip.status == "ok"
        for metric in metrics.values():
            row = _checked(rows.get((*cell, metric.name)), metric, clip)
            known: dict[str, Any] = {"video": edit.video, "category": edit.category}
            known |= {name: row.get(name) for name in FIELDS}
            known |= {"made": made, "remarks": tuple(row.get("remarks") or ())}
            complete.append(dict(zip(KEY, (*cell, metric.name), strict=True)) | known)
    frame = pd.DataFrame(complete)
    for name in NUMBERS:
        frame[name] = pd.to_numeric(frame[name]).astype("float64")
    return frame


def _checked(row: ScoreRow | None, metric: MetricFacts, clip: ClipRow | None) -> dict[str, Any]:
    """Return the score's row if it is of this clip and definition; else why there is none."""
    if clip is None:
        return {"status": "missing", "reason": NO_CLIP}
    if row is None:
        known = {"status": clip.status, "reason": clip.reason}
        return {"status": "missing", "reason": NO_SCORE} if clip.status == "ok" else known
    if (row.definition, row.clip) != (metric.definition_id, clip.sha256):
        return {"status": "missing", "reason": OUTDATED}
    return vars(row)


def source_file(run: Run, video: str) -> Path | None:
    """Return the file of a source clip; None if the run folder has lost it."""
    try:
        return run.files.source(video)
    except UserError:
        return None


def clip_file(run: Run, clip: ClipRow) -> Path | None:
    """Return the file of a clip; None if it was not made or is gone."""
    path = run.files.clip_path(clip) if clip.file else None
    return path if path and path.is_file() else None


def is_number(value: float | None) -> bool:
    """Return True for a finite number; None and NaN are none."""
    return value is not None and math.isfinite(value)
