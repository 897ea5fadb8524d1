"""Scores all edits of one source video, one way through: decode, embed, measure, row."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from dreamix.core.errors import UserError
from dreamix.core.threads import one_thread
from evaluation.features.store import Features
from evaluation.metrics.base import METRICS
from evaluation.run.folder import RunFolder
from evaluation.sample import View
from evaluation.schema import Cell, ScoreRow, Status
from evaluation.score.decoding import Decoder
from evaluation.score.embedding import ENCODERS, Embedder
from evaluation.score.ledger import Ask
from evaluation.score.measuring import Measurer
from evaluation.score.plan import ScoringTask, TasksOfVideo, no_clip
from evaluation.score.rows import Rows
from evaluation.score.stages import Stages
from evaluation.score.truth import GroundTruth
from evaluation.settings import ModelSettings


class Scored(NamedTuple):
    """Rows of a unit and the seconds each stage took."""

    rows: list[ScoreRow]
    seconds: dict[str, float]


def score_video(
    unit: TasksOfVideo, features: Features, rows: Rows, ask: Callable[[Ask], None]
) -> Scored:
    """Return the missing scores of all clips of one source video.

    ask: is called with each clip that a program is to score, as soon as it is known to be sound.
    """
    stages = Stages()
    try:
        decoder = Decoder(rows.run, unit, features, stages)
    except UserError as error:
        return Scored(rows.all_failed(unit.tasks, f"no source: {error}"), stages.seconds)
    needs = needs_of(name for task in unit.tasks for name in task.metrics)
    known = GroundTruth(rows.run, unit.video, features, needs)
    scorer = VideoScorer(
        decoder, Embedder(features, stages), Measurer(features), rows, known, stages
    )
    found: list[ScoreRow] = []
    for tasks in _groups(unit.tasks):
        for one in scorer.rows_of(tasks):
            ask(one) if isinstance(one, Ask) else found.append(one)
    return Scored(found, stages.seconds)


def _groups(tasks: list[ScoringTask]) -> Iterator[list[ScoringTask]]:
    """Yield the tasks that go through the stations together; without metrics of ours, each alone.

    Nothing of it is then computed in batches, and its program need not wait for the others.
    """
    for _, mates in groupby(sorted(tasks, key=batch_mates), key=batch_mates):
        group = list(mates)
        yield from [group] if any(task.ours for task in group) else [[task] for task in group]


class VideoScorer(NamedTuple):
    """The stations that the clips of one source video go through."""

    decoder: Decoder
    embedder: Embedder
    measurer: Measurer
    rows: Rows
    known: GroundTruth
    stages: Stages

    def rows_of(self, tasks: list[ScoringTask]) -> Sequence[ScoreRow | Ask]:
        """Return the rows of clips that share batches; want of memory costs these and no others."""
        try:
            return list(self._score_group(tasks))
        except MemoryError:
            return self.rows.all_failed(tasks, "there is not memory enough for these clips at once")

    def _score_group(self, tasks: list[ScoringTask]) -> Iterator[ScoreRow | Ask]:
        gaps = [self._obstacles(task) for task in tasks]
        for task, obstacles in zip(tasks, gaps, strict=True):
            yield from (self.rows.gap(task, name, *why) for name, why in obstacles.items())
        able = [task.without(obstacles) for task, obstacles in zip(tasks, gaps, strict=True)]
        views = {t.cell: self.decoder.edited(t) for t in tasks if t.clip.status == "ok"}
        broken = self._decode_and_embed(able, views)
        for task in able:
            if why := broken.get(task.cell):
                yield from self.rows.all_failed([task], why)
            elif task.metrics:
                yield from self._score_clip(task, views.pop(task.cell))

    def _obstacles(self, task: ScoringTask) -> dict[str, tuple[Status, str]]:
        """Return the metrics that cannot be computed for this clip, as known beforehand."""
        edit = self.rows.run.suite.edit(task.cell.edit)
        found: dict[str, tuple[Status, str]] = {}
        for name in task.metrics:
            if name in METRICS and (why := self.known.obstacle(METRICS.get(name), edit)):
                found[name] = "n/a", why
            elif task.clip.status != "ok":
                found[name] = task.clip.status, no_clip(task.clip)
        return found

    def _decode_and_embed(
        self, tasks: list[ScoringTask], views: dict[Cell, View]
    ) -> dict[Cell, str]:
        """Fill the views that metrics will look at; return why clips cannot be scored.

        Where an embedding is missing all clips of the group are decoded: they share its batches.
        """
        needs = needs_of(name for task in tasks for name in task.metrics)
        encoders = [name for name in ENCODERS if name in needs]
        all_of_them = not self.embedder.has_all(encoders, [*views.values()])
        looked_at = {task.cell for task in tasks if task.is_looked_at or all_of_them}
        broken = self.decoder.unreadable(
            (cell, view) for cell, view in views.items() if cell in looked_at
        )
        broken |= self.decoder.changed(
            task for task in tasks if task.metrics and task.cell not in looked_at
        )
        whole = [view for cell, view in views.items() if cell not in broken]
        if why := self.embedder.fill(encoders, self.decoder.source, whole):
            return broken | {task.cell: why for task in tasks}
        return broken

    def _score_clip(self, task: ScoringTask, view: View) -> Iterator[ScoreRow | Ask]:
        rows, source = self.rows, self.decoder.source
        edit = rows.run.suite.edit(task.cell.edit)
        sample = self.known.sample(edit, view, source, rows.policy)
        known = None if task.ours else task.read_as
        read_as = rows.read_as(edit.video, view, self.decoder) if known is None else known
        for name in task.metrics:
            if name not in METRICS:
                yield Ask(rows.row(task, name, read_as), task.clip)
                continue
            with self.stages.stage(f"metric {name}"):
                found = self.measurer.measure(METRICS.get(name), sample)
                yield rows.row(task, name, read_as | found)


class ScoringWorker:
    """Scores source videos of the run at `out`: a worker, which holds the models it has loaded."""

    def __init__(
        self, out: Path, settings: ModelSettings, policy: str, definitions: dict[str, str]
    ) -> None:
        self._out, self._settings = out, settings
        self._policy, self._definitions = policy, definitions

    def setup(self) -> None:
        """Open the run folder; models are loaded at their first use."""
        one_thread()
        run = RunFolder(self._out)
        self._features = Features(self._settings, run.features)
        self._rows = Rows(run, self._definitions, self._policy)

    def run(self, unit: TasksOfVideo, report: Callable[[Ask], None]) -> Scored:
        """Return the missing scores of one source video; what programs are to score is reported."""
        return score_video(unit, self._features, self._rows, report)


def batch_mates(task: ScoringTask) -> tuple[str, int]:
    """Return what the clips that share batches have in common: one method's, of one seed.

    A method or seed that is added later then leaves the batches of the others as they were.
    """
    return task.cell.method, task.cell.seed


def needs_of(metrics: Iterable[str]) -> set[str]:
    """Return the inputs and models that the metrics need; those of programs need none of ours."""
    ours = (name for name in metrics if name in METRICS)
    return {need for name in ours for need in METRICS.get(name).needs}
