"""What a scoring has to do: which metrics can run here, and which clips still lack them.

The plan is made without loading a model: a score stands if its clip and its definition (metric
version, models, frame policy) are those of today.
"""

from collections.abc import Container, Iterable, Mapping
from fnmatch import fnmatchcase
from itertools import groupby
from typing import Any, NamedTuple

from dreamix.core.errors import UserError
from dreamix.core.names import near_misses
from evaluation.features.base import MODELS
from evaluation.metrics.base import METRICS, Metric, definition_id
from evaluation.run.folder import RunFolder
from evaluation.run.info import MOST_SCORES
from evaluation.schema import Cell, ClipRow, ScoreRow
from evaluation.score.table import Key, how_read
from evaluation.settings import ModelSettings

Found = dict[str, list[Any]]  # model -> [its state, its identity]; run.json keeps it


class ScoringTask(NamedTuple):
    """A clip and the metrics it still needs."""

    cell: Cell
    clip: ClipRow
    metrics: list[str]
    read_as: dict[str, Any] | None = None  # fields of a row: how it was read before, if it was

    @property
    def ours(self) -> list[str]:
        """Those of the metrics that look at frames; the rest are programs of the user's."""
        return [name for name in self.metrics if name in METRICS]

    @property
    def is_looked_at(self) -> bool:
        """True if the clip has to be decoded for it."""
        return bool(self.ours) or (bool(self.metrics) and self.read_as is None)

    def without(self, metrics: Container[str]) -> "ScoringTask":
        """Return the task with fewer metrics."""
        return self._replace(metrics=[name for name in self.metrics if name not in metrics])


class TasksOfVideo(NamedTuple):
    """All clips of one source video; those with no metric left are there to share batches."""

    video: str
    tasks: list[ScoringTask]

    @property
    def size(self) -> int:
        """Number of scores to be computed."""
        return sum(len(task.metrics) for task in self.tasks)


class Choice(NamedTuple):
    """The metrics of one call: those that run, and why others cannot."""

    definitions: dict[str, str]  # metric that runs -> hash of what its number means
    not_run: dict[str, str]  # metric -> one line: what is missing and how to get it
    found: Found  # what the models are, to the bit


def metric_names(wanted: list[str], held: Mapping[str, str] | None = None) -> list[str]:
    """Return the metrics that `wanted` names, all for an empty list.

    wanted: names, axes ("fidelity") or patterns ("clip_*").
    held: metrics that a run has from elsewhere, each with its axis.
    """
    axes = {name: METRICS.get(name).axis for name in METRICS.names()} | dict(held or {})
    known = sorted(axes)
    found: dict[str, None] = {}
    for word in wanted:
        hits = [name for name in known if axes[name] == word or fnmatchcase(name, word)]
        if not hits:
            hint = near_misses(word, [*known, *axes.values()])
            raise UserError(f"unknown metric {word!r}{hint} (`dreamix bench list` shows all)")
        found.update(dict.fromkeys(hits))
    return sorted(found) if wanted else known


def choose_metrics(
    names: list[str], settings: ModelSettings, policy: str, found: Found | None = None
) -> Choice:
    """Return which of the metrics can run here; no model is loaded for it.

    found: identities of earlier calls; those whose model's state is unchanged are taken over, and
    new ones are added.
    """
    metrics = [METRICS.get(name) for name in names]
    found = dict(found or {})
    problems = {}
    for name in sorted({model for metric in metrics for model in metric.models}):
        problems[name] = _problem(name, settings, found)
    not_run = {metric.name: why for metric in metrics if (why := _obstacle(metric, problems))}
    identities = {name: found[name][1] for name, why in problems.items() if why is None}
    runs = [metric for metric in metrics if metric.name not in not_run]
    definitions = {metric.name: definition_id(metric, identities, policy) for metric in runs}
    return Choice(definitions, not_run, found)


def _problem(model: str, settings: ModelSettings, found: Found) -> str | None:
    """Return why a model cannot run; if it can, `found` then holds its state and identity."""
    spec = MODELS.get(model)
    state = spec.state(settings) if spec.state else None
    if state and model in found and found[model][0] == state:
        return None
    if why := spec.problem(settings):
        return why
    found[model] = [state, spec.identity(settings)]
    return None


def _obstacle(metric: Metric, problems: dict[str, str | None]) -> str | None:
    return next((why for need in metric.needs if (why := problems.get(need))), None)


def plan(
    run: RunFolder, definitions: dict[str, str], rows: dict[Key, ScoreRow]
) -> list[TasksOfVideo]:
    """Return the videos of which some clip lacks a metric, each with all its clips."""
    tasks = []
    programs = any(name not in METRICS for name in definitions)
    known = how_read(rows.values()) if programs else {}
    for cell in run.cells():
        if clip := run.clip_row(cell):
            lacks = [
                name
                for name, definition in definitions.items()
                if not _stands(rows.get((*cell, name)), definition, clip)
            ]
            task = ScoringTask(cell, clip, sorted(lacks), known.get((cell, clip.sha256)))
            tasks.append((run.suite.edit(cell.edit).video, task))
    by_video = groupby(tasks, key=lambda pair: pair[0])
    units = [TasksOfVideo(video, [task for _, task in pairs]) for video, pairs in by_video]
    return [unit for unit in units if unit.size]


def _stands(row: ScoreRow | None, definition: str, clip: ClipRow) -> bool:
    """Return True if a score is of this clip and this definition, and did not fail by itself."""
    if row is None or not row.is_of(clip, definition):
        return False
    return row.status != "failed" or row.reason == no_clip(clip)


def check_room(run: RunFolder, metrics: Iterable[str], where: str) -> None:
    """Raise a `UserError` if a run with these metrics too has more scores than can be worked with.

    where: what the message begins with.
    """
    cells = len(run.info.edits) * sum(len(method.seeds) for method in run.info.methods.values())
    count = cells * len({*run.info.metrics, *metrics})
    if count > MOST_SCORES:
        raise UserError(
            f"{where}: with it the run has {count} scores, and no more than {MOST_SCORES} can be "
            "worked with"
        )


def no_clip(clip: ClipRow) -> str:
    """Return the reason of every score of a clip that was not made."""
    return f"no clip: {clip.reason}"
