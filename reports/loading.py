"""A run folder, read: what was compared, and one row for every score there should be.

The folder is described in `evaluation/schema.py`. Reading needs neither models nor methods, so a
report can be made on any machine, years later.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from dreamix.core.errors import UserError
from dreamix.core.media import sha256_file
from dreamix.core.wording import command
from dreamix.data.suite import Edit
from evaluation.run.folder import RunFolder
from evaluation.run.info import MethodInfo, MetricInfo, RunInfo
from evaluation.schema import AXES as AXES
from evaluation.schema import Cell, ClipRow, ScoreRow
from evaluation.score.table import Key, read_scores

KEY = ["method", "edit", "seed", "metric"]
STATUSES = ("ok", "failed", "n/a", "missing")
NUMBERS = ("value", "delta", "source_value", "pairs", "share", "covers")
FIELDS = ("status", *NUMBERS, "reason", "note")
NO_CLIP = "no clip yet: `dreamix bench run` makes it"
NO_SCORE = "not scored yet: `dreamix bench score` does it"
OUTDATED = "the score is of another clip or definition: `dreamix bench score` renews it"
OUTDATED_PROGRAM = (
    "the score is of another clip or definition: `dreamix bench score --metrics cmd:...` renews it"
)
OUTDATED_IMPORT = "the score is of another clip or table: `dreamix bench import-scores` renews it"


@dataclass(frozen=True)
class Run:
    """A run folder in memory.

    scores: one row for every method x edit x seed x metric of the grid, with the columns KEY,
        video, category, FIELDS, made (there is a clip), partial (it covers too little of its
        source) and remarks (a tuple of lines); status "missing" where nothing was recorded.
    """

    files: RunFolder
    info: RunInfo
    methods: dict[str, MethodInfo]  # by label: those that compete, then the anchors
    metrics: dict[str, MetricInfo]  # axis by axis
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
    def anchors(self) -> list[str]:
        """Labels of the methods that are reference points."""
        return [label for label, method in self.methods.items() if method.anchor]

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
        return self.info.least_share

    def timed(self, label: str) -> list[ClipRow]:
        """Return the clips of a method that say what making them took.

        Copying a file that was made elsewhere takes time too, which says nothing of the method.
        """
        made = [clip for cell, clip in self.clips.items() if cell[0] == label]
        return [clip for clip in made if clip.seconds is not None and clip.origin is None]

    @property
    def cells(self) -> list[Cell]:
        """Every clip of the grid."""
        return list(self.info.grid(self.edits, self.methods))

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

    def on_axis(self, axis: str) -> list[MetricInfo]:
        """Return the metrics of one axis that apply to some clip, by name."""
        found = [facts for facts in self.metrics.values() if facts.axis == axis]
        return [facts for facts in found if facts.name not in self.idle]


def load_run(folder: Path) -> Run:
    """Return the run in `folder`.

    Raises:
        UserError: if the folder is no run, or has no scores.
    """
    run = RunFolder(folder)
    rows = read_scores(run.scores) if run.info.metrics else {}
    if not rows:
        raise UserError(
            f"{folder} has no scores yet; {command('bench', 'score', folder)} makes them"
        )
    methods = _methods(run.info)
    metrics = _metrics(run.info)
    edits = {edit.id: edit for edit in run.edits}
    grid = [*run.info.grid(edits, methods)]
    clips = {cell: row for cell in grid if (row := run.clip_row(cell))}
    scores = _complete(rows, grid, edits, metrics, clips)
    scores["partial"] = scores["covers"] < run.info.least_share
    digest = sha256_file(run.scores)
    return Run(run, run.info, methods, metrics, edits, clips, scores, digest)


def _methods(info: RunInfo) -> dict[str, MethodInfo]:
    """Return the methods by label: those that compete, then the anchors, each as asked for."""
    ordered = sorted(info.ordered, key=lambda label: info.methods[label].anchor)
    return {label: info.methods[label] for label in ordered}


def _metrics(info: RunInfo) -> dict[str, MetricInfo]:
    """Return the metrics by name, axis by axis."""
    ordered = sorted(info.metrics.values(), key=lambda facts: (AXES.index(facts.axis), facts.name))
    return {facts.name: facts for facts in ordered}


def _complete(
    rows: dict[Key, ScoreRow],
    grid: list[Cell],
    edits: dict[str, Edit],
    metrics: dict[str, MetricInfo],
    clips: dict[Cell, ClipRow],
) -> pd.DataFrame:
    """Return one row for every score there should be."""
    complete = []
    for cell in grid:
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


def _checked(row: ScoreRow | None, metric: MetricInfo, clip: ClipRow | None) -> dict[str, Any]:
    """Return the score's row if it is of this clip and definition; else why there is none."""
    if clip is None:
        return {"status": "missing", "reason": NO_CLIP}
    if row is None:
        known = {"status": clip.status, "reason": clip.reason}
        return {"status": "missing", "reason": NO_SCORE} if clip.status == "ok" else known
    if not row.is_of(clip, metric.definition_id):
        known = {"imported": OUTDATED_IMPORT, "command": OUTDATED_PROGRAM}
        told = [text for what, text in known.items() if getattr(metric, what)]
        return {"status": "missing", "reason": told[0] if told else OUTDATED}
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
