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
from dreamix.core.records import read_json, read_lines
from evaluation.schema import ClipRow, check_format

AXES = ("alignment", "fidelity", "quality", "motion")
KEY = ["method", "edit", "seed", "metric"]
STATUSES = ("ok", "failed", "n/a", "missing")
FIELDS = ("status", "value", "delta", "source_value", "pairs", "share", "reason", "note")
NO_CLIP = "no clip yet: `dreamix bench run` makes it"
NO_SCORE = "not scored yet: `dreamix bench score` does it"
OUTDATED = "the score is of another clip or definition: `dreamix bench score` renews it"


@dataclass(frozen=True)
class Method:
    """One line of every table."""

    label: str
    name: str  # of the method in the registry
    anchor: bool  # a reference whose numbers are known beforehand, greyed everywhere
    seeds: int
    config: dict[str, Any]


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
        video, category and FIELDS; status "missing" where nothing was recorded.
    """

    folder: Path
    info: dict[str, Any]
    suite: dict[str, Any]
    methods: dict[str, Method]
    metrics: dict[str, MetricFacts]
    edits: dict[str, Edit]
    clips: dict[tuple[str, str, int], ClipRow]
    scores: pd.DataFrame
    scores_sha256: str  # of scores.jsonl, which is all that the numbers come from

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
    def cells(self) -> list[tuple[str, str, int]]:
        """Every clip of the grid: (method, edit, seed)."""
        return list(_grid(self.methods, self.edits))

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
    info = _read_info(folder)
    methods = _methods(info)
    metrics = _metrics(info)
    suite = read_json(folder / "suite.json")
    edits = _edits(suite, info)
    rows = read_lines(folder / "scores.jsonl")
    if not rows or not metrics:
        raise UserError(f"{folder} has no scores yet; `dreamix bench score {folder}` makes them")
    clips = _clips(folder, methods, edits)
    scores = _complete(rows, methods, edits, metrics, clips)
    digest = sha256_file(folder / "scores.jsonl")
    return Run(folder, info, suite, methods, metrics, edits, clips, scores, digest)


def _read_info(folder: Path) -> dict[str, Any]:
    for name in ("run.json", "suite.json"):
        if not (folder / name).is_file():
            raise UserError(
                f"{folder} is not a run folder: it has no {name}; `dreamix bench run` makes one"
            )
    info: dict[str, Any] = read_json(folder / "run.json")
    check_format(folder, info)
    return info


def _methods(info: dict[str, Any]) -> dict[str, Method]:
    """Return the methods by label: those that compete first, then the anchors, each as asked for.

    Runs of format 1 do not know the order they were asked for in; there it is that of the labels.
    """
    entries = info["methods"].items()
    ordered = sorted(
        entries, key=lambda item: (item[1]["anchor"], item[1].get("place", 0), item[0])
    )
    return {
        label: Method(label, entry["name"], entry["anchor"], entry["seeds"], entry["config"])
        for label, entry in ordered
    }


def _metrics(info: dict[str, Any]) -> dict[str, MetricFacts]:
    """Return the metrics by name, axis by axis."""
    found = [
        MetricFacts(
            name=name,
            axis=facts["axis"],
            better=facts["better"],
            definition=facts["definition"],
            bounds=(str(facts["bounds"][0]), str(facts["bounds"][1])),
            needs=tuple(facts["needs"]),
            not_for=tuple(facts["not_for"]),
            version=facts["version"],
            definition_id=facts["definition_id"],
            models=facts["models"],
            policy=facts["policy"],
        )
        for name, facts in info.get("metrics", {}).items()
    ]
    return {
        facts.name: facts for facts in sorted(found, key=lambda m: (AXES.index(m.axis), m.name))
    }


def _edits(suite: dict[str, Any], info: dict[str, Any]) -> dict[str, Edit]:
    """Return the edits of the grid, in the suite's order."""
    wanted = set(info["edits"])
    return {
        entry["id"]: Edit(entry["id"], entry["video"], entry["prompt"], entry["category"])
        for entry in suite["edits"]
        if entry["id"] in wanted
    }


def _grid(methods: dict[str, Method], edits: dict[str, Edit]) -> Iterator[tuple[str, str, int]]:
    """Yield (method, edit, seed) for every clip there should be."""
    for label, method in methods.items():
        for edit in edits:
            for seed in range(method.seeds):
                yield label, edit, seed


def _clips(
    folder: Path, methods: dict[str, Method], edits: dict[str, Edit]
) -> dict[tuple[str, str, int], ClipRow]:
    """Return the sidecars of the clips that were tried, by (method, edit, seed)."""
    found = {}
    for label, edit, seed in _grid(methods, edits):
        path = folder / "clips" / label / edit / f"{seed}.json"
        if path.exists():
            found[label, edit, seed] = ClipRow(**read_json(path))
    return found


def _complete(
    rows: list[dict[str, Any]],
    methods: dict[str, Method],
    edits: dict[str, Edit],
    metrics: dict[str, MetricFacts],
    clips: dict[tuple[str, str, int], ClipRow],
) -> pd.DataFrame:
    """Return one row for every score there should be; of several lines on one, the last counts."""
    latest = {tuple(row[name] for name in KEY): row for row in rows}
    complete = []
    for cell in _grid(methods, edits):
        edit = edits[cell[1]]
        for metric in metrics.values():
            row = _checked(latest.get((*cell, metric.name)), metric, clips.get(cell))
            place = {"video": edit.video, "category": edit.category}
            known = {name: row.get(name) for name in FIELDS}
            complete.append(dict(zip(KEY, (*cell, metric.name), strict=True)) | place | known)
    frame = pd.DataFrame(complete)
    for name in ("value", "delta", "source_value", "pairs", "share"):
        frame[name] = pd.to_numeric(frame[name]).astype("float64")
    return frame


def _checked(
    row: dict[str, Any] | None, metric: MetricFacts, clip: ClipRow | None
) -> dict[str, Any]:
    """Return the score's row if it is of this clip and definition; else why there is none."""
    if clip is None:
        return {"status": "missing", "reason": NO_CLIP}
    if row is None:
        known = {"status": clip.status, "reason": clip.reason}
        return {"status": "missing", "reason": NO_SCORE} if clip.status == "ok" else known
    if (row["definition"], row.get("clip")) != (metric.definition_id, clip.sha256):
        return {"status": "missing", "reason": OUTDATED}
    return row


def source_file(run: Run, video: str) -> Path | None:
    """Return the file of a source clip; None if the run folder has lost it."""
    files = sorted((run.folder / "sources").iterdir()) if (run.folder / "sources").is_dir() else []
    clips = [path for path in files if path.stem == video and path.suffix != ".json"]
    return clips[0] if clips else None


def clip_file(run: Run, clip: ClipRow) -> Path | None:
    """Return the file of a clip; None if it was not made or is gone."""
    path = run.folder / "clips" / clip.method / clip.edit / (clip.file or "")
    return path if clip.file and path.is_file() else None


def is_number(value: float | None) -> bool:
    """Return True for a finite number; None and NaN are none."""
    return value is not None and math.isfinite(value)
