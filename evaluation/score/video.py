"""Scores all edits of one source video: decode once, embed in batches, measure clip by clip."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, NamedTuple

from dreamix.core.errors import DoesNotApply, StorageError, UserError, failure
from dreamix.core.media import Guess, read_clip, sha256_file
from dreamix.core.video import Video
from evaluation.features.base import Encoder
from evaluation.features.store import Features
from evaluation.metrics.base import METRICS, Metric
from evaluation.run.folder import RunFolder
from evaluation.sample import Sample, View
from evaluation.sample.frames import pair_frames
from evaluation.schema import Cell, ScoreRow, Status
from evaluation.score.measured import Measured, measured
from evaluation.score.plan import Task, TasksOfVideo, no_clip
from evaluation.score.remarks import Look, remarks_on
from evaluation.score.truth import Known

ENCODERS = ("clip", "conse")


class Scored(NamedTuple):
    """Rows of a unit and the seconds each stage took."""

    rows: list[ScoreRow]
    seconds: dict[str, float]


@dataclass
class VideoScorer:
    """Scores units of one run; holds the models of its process."""

    run: RunFolder
    features: Features
    policy: str
    definitions: dict[str, str]  # metric -> hash of what its number means
    seconds: dict[str, float] = field(default_factory=dict)
    shared: dict[str, View] = field(default_factory=dict)  # clips of several cells, by key
    guesses: dict[str, Guess | None] = field(default_factory=dict)  # of colours, by key of the clip
    fps: float = 24.0  # the source's, for edits that state none

    def score(self, unit: TasksOfVideo) -> Scored:
        """Return the missing scores of all clips of one source video."""
        self.seconds, self.guesses = {}, {}
        try:
            source = self._source(unit.video)
        except UserError as error:
            return Scored(self._all_failed(unit, f"no source: {error}"), self.seconds)
        needs = needs_of(name for task in unit.tasks for name in task.metrics)
        known = Known(self.run, unit.video, self.features, needs)
        self.shared = self._shared_views(unit, source)
        rows: list[ScoreRow] = []
        for _, tasks in groupby(sorted(unit.tasks, key=batch_mates), key=batch_mates):
            rows += self._rows_of(list(tasks), source, known)
        return Scored(rows, self.seconds)

    def _source(self, video: str) -> View:
        path, colour = self.run.source(video), self.run.suite.colour
        with self._stage("decode"):
            key = key_of(sha256_file(path), colour)
            fps = self.run.suite.videos[video].fps or 24.0
            found, self.guesses[key] = read_clip(path, fps, colour)
        self.fps = found.fps
        return View(found, key, self.features)

    def _all_failed(self, unit: TasksOfVideo, reason: str) -> list[ScoreRow]:
        pairs = [(task, name) for task in unit.tasks for name in task.metrics]
        return [self._gap(task, name, "failed", reason) for task, name in pairs]

    def _rows_of(self, tasks: list[Task], source: View, known: Known) -> list[ScoreRow]:
        """Return the rows of one method's clips; want of memory costs these and no others."""
        try:
            return list(self._score_group(tasks, source, known))
        except MemoryError:
            reason = "there is not memory enough for these clips at once"
            return self._all_failed(TasksOfVideo("", tasks), reason)

    def _score_group(self, tasks: list[Task], source: View, known: Known) -> Iterator[ScoreRow]:
        """Score one method's clips of a video; they share batches."""
        gaps = [self._obstacles(task, known) for task in tasks]
        for task, obstacles in zip(tasks, gaps, strict=True):
            yield from (self._gap(task, name, *why) for name, why in obstacles.items())
        able = [task.without(obstacles) for task, obstacles in zip(tasks, gaps, strict=True)]
        views = {task.cell: self._edited(task) for task in tasks if task.clip.status == "ok"}
        broken = self._embed(able, views, source)
        for task in able:
            if why := broken.get(task.cell):
                yield from (self._gap(task, name, "failed", why) for name in task.metrics)
            elif task.metrics:
                yield from self._score_clip(task, views.pop(task.cell), source, known)

    def _obstacles(self, task: Task, known: Known) -> dict[str, tuple[Status, str]]:
        """Return the metrics that cannot be computed for this clip, as known beforehand."""
        edit = self.run.suite.edit(task.cell.edit)
        found: dict[str, tuple[Status, str]] = {}
        for name in task.metrics:
            if why := known.obstacle(METRICS.get(name), edit):
                found[name] = "n/a", why
            elif task.clip.status != "ok":
                found[name] = task.clip.status, no_clip(task.clip)
        return found

    def _shared_views(self, unit: TasksOfVideo, source: View) -> dict[str, View]:
        """Return the clips that stand for several cells: the source, and anchors of all edits.

        What is computed on one of them is computed once for the video, not once for each edit.
        """
        made = [task for task in unit.tasks if task.clip.status == "ok"]
        clips = {self._key(task): task for task in made}
        counts = Counter(self._key(task) for task in made)
        views = {key: self._view(clips[key]) for key, n in counts.items() if n > 1}
        return views | {source.key: source}

    def _key(self, task: Task) -> str:
        return key_of(str(task.clip.sha256), self.run.colour(task.cell.method))

    def _edited(self, task: Task) -> View:
        return self.shared.get(self._key(task)) or self._view(task)

    def _view(self, task: Task) -> View:
        return View(lambda: self._decode(task), self._key(task), self.features)

    def _decode(self, task: Task) -> Video:
        path = self.run.clip_path(task.clip)
        with self._stage("decode"):
            if sha256_file(path) != task.clip.sha256:
                raise UserError(f"{path} has changed since it was made; delete it and run again")
            clip = read_clip(path, self.fps, self.run.colour(task.cell.method))
        self.guesses[self._key(task)] = clip.guess
        return clip.video

    def _embed(self, tasks: list[Task], views: dict[Cell, View], source: View) -> dict[Cell, str]:
        """Embed the source and all clips of the group; return why clips cannot be read."""
        needs = needs_of(name for task in tasks for name in task.metrics)
        encoders = [name for name in ENCODERS if name in needs]
        missing = [name for name in encoders if not self.features.stored(name, [*views.values()])]
        broken = self._unreadable(tasks, views, all_of_them=bool(missing))
        whole = [view for cell, view in views.items() if cell not in broken]
        for name in encoders:
            try:
                with self._stage(f"embed {name}"):
                    self.features.prefetch(name, [source])
                    self.features.prefetch(name, whole)
            except StorageError:
                raise  # ends the scoring
            except Exception as error:  # noqa: BLE001 - a model's failure becomes rows
                return broken | {task.cell: f"{name}: {failure(error)}" for task in tasks}
        return broken

    def _unreadable(
        self, tasks: list[Task], views: dict[Cell, View], all_of_them: bool
    ) -> dict[Cell, str]:
        """Decode the clips that will be looked at; return the reasons of those that fail."""
        looked_at = {task.cell for task in tasks if task.metrics or all_of_them}
        broken = {}
        for cell in looked_at & set(views):
            try:
                views[cell].video  # noqa: B018 - decodes it
            except UserError as error:
                broken[cell] = failure(error)
        return broken

    def _score_clip(self, task: Task, view: View, source: View, known: Known) -> Iterator[ScoreRow]:
        edit = self.run.suite.edit(task.cell.edit)
        sample = known.sample(edit, view, source, self.policy)
        read_as = self._read_as(edit.video, view, source)
        for name in task.metrics:
            with self._stage(f"metric {name}"):
                blank = replace(self._blank(task, name), **read_as)
                yield self._measure(METRICS.get(name), sample, blank)

    def _read_as(self, video: str, view: View, source: View) -> dict[str, Any]:
        """Return how much of its source a clip covers, and the remarks on how it was read."""
        if (self.run.suite.videos[video].stills or 1) > 1:
            return {}  # several stills are no clip that an edit could be a part of
        pairing = pair_frames(source.video, view.video, self.policy)
        ours, theirs = (Look(clip.video, self.guesses.get(clip.key)) for clip in (source, view))
        remarks = remarks_on(ours, theirs, pairing)
        return {"covers": round(pairing.covers, 6), "remarks": remarks or None}

    def _measure(self, metric: Metric, sample: Sample, blank: ScoreRow) -> ScoreRow:
        """Return the row of one metric; whatever goes wrong is its reason."""
        try:
            value, frames = self._value(metric, sample)
            row = replace(blank, status="ok", value=value, frames=frames)
            return replace(row, **self._context(metric, sample, value))
        except DoesNotApply as reason:
            return replace(blank, status="n/a", reason=str(reason))
        except StorageError:
            raise  # ends the scoring: it is not the metric's failure
        except Exception as error:  # noqa: BLE001 - a metric's failure becomes a row
            return replace(blank, status="failed", reason=failure(error))

    def _context(self, metric: Metric, sample: Sample, value: float) -> dict[str, Any]:
        """Return what a reader needs beside the value: delta to the source, share compared."""
        note = self._note(metric, sample)
        if metric.compares:
            pairing = sample.pair.pairing
            return {"pairs": len(pairing.source), "share": round(pairing.share, 6), "note": note}
        on_source = self._on_source(metric, sample)
        delta = None if on_source is None else value - on_source
        return {"source_value": on_source, "delta": delta, "note": note}

    def _value(self, metric: Metric, sample: Sample) -> Measured:
        """Return the value, computed once for a clip that stands for several cells."""
        texts_or_truth = {"caption", "keep", "ideal"} & set(metric.needs)
        particular = metric.axis == "alignment" or texts_or_truth
        asked = (sample.prompt, sample.category) if particular else ()
        return sample.edited.once(f"{metric.name} {asked}", lambda: measured(metric, sample))

    def _on_source(self, metric: Metric, sample: Sample) -> float | None:
        """Return the metric on the source itself, None if it is undefined there."""
        try:
            return self._value(metric, sample.of_source()).value
        except DoesNotApply:
            return None

    def _note(self, metric: Metric, sample: Sample) -> str | None:
        """Return what a reader has to know about the value: what of a text was not read."""
        if metric.axis != "alignment":
            return None
        texts = {"prompt": sample.prompt}
        if "caption" in metric.needs:
            texts["caption"] = sample.caption or ""
        found: list[str] = []
        for encoder in sorted(set(ENCODERS) & set(metric.needs)):
            model: Encoder = self.features.model(encoder)
            for what, text in texts.items():
                if model.truncated(text):
                    found.append(f"the {what} is longer than {encoder} reads; its end was ignored")
                if count := model.unknown(text):
                    words = "a word" if count == 1 else f"{count} words"
                    found.append(f"the {what} has {words} that {encoder} does not know")
        return "; ".join(found) or None

    def _blank(self, task: Task, metric: str) -> ScoreRow:
        edit = self.run.suite.edit(task.cell.edit)
        return ScoreRow(
            *task.cell,
            metric,
            "failed",
            video=edit.video,
            category=edit.category,
            definition=self.definitions[metric],
            clip=task.clip.sha256,
        )

    def _gap(self, task: Task, metric: str, status: Status, reason: str | None) -> ScoreRow:
        """Return the row of a metric that has no value here."""
        return replace(self._blank(task, metric), status=status, reason=reason)

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        """Add the time of the block to a stage, without that of stages inside it."""
        began, inside = time.perf_counter(), sum(self.seconds.values())
        try:
            yield
        finally:
            nested = sum(self.seconds.values()) - inside
            spent = time.perf_counter() - began - nested
            self.seconds[name] = self.seconds.get(name, 0.0) + spent


def key_of(sha256: str, colour: str | None) -> str:
    """Return what features of a clip are kept under: its file, and how that is read."""
    return f"{sha256}-{colour}" if colour else sha256


def batch_mates(task: Task) -> tuple[str, int]:
    """Return what the clips that share batches have in common: one method's, of one seed.

    A method or seed that is added later then leaves the batches of the others as they were.
    """
    return task.cell.method, task.cell.seed


def needs_of(metrics: Iterable[str]) -> set[str]:
    """Return the inputs and models that the metrics need."""
    return {need for name in metrics for need in METRICS.get(name).needs}
