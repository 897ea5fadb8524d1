"""Clips as views: from files of the run folder to frames, each file decoded once."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from dreamix.core.errors import UserError, failure
from dreamix.core.media import Guess, read_clip, sha256_file
from dreamix.core.video import Video
from evaluation.run.folder import RunFolder
from evaluation.sample import Models, View
from evaluation.schema import Cell
from evaluation.score.plan import ScoringTask, TasksOfVideo
from evaluation.score.stages import Stages

FPS = 24.0  # of a source that states none


class Decoder:
    """The clips of one source video. A source that cannot be read is a `UserError`.

    A clip that stands for several cells (the source, an anchor of all edits) is one view, so that
    what is computed on it is computed once for the video, not once for each edit.
    """

    def __init__(
        self, run: RunFolder, unit: TasksOfVideo, features: Models, stages: Stages
    ) -> None:
        self._run, self._features, self._stages = run, features, stages
        self._guesses: dict[str, Guess | None] = {}  # of colours, by key of the clip
        self.source = self._source(unit.video)
        self._shared = self._shared_views(unit) | {self.source.key: self.source}

    def edited(self, task: ScoringTask) -> View:
        """Return the clip of a task, to be decoded when it is first looked at."""
        return self._shared.get(self._key(task)) or self._view(task)

    def guess(self, view: View) -> Guess | None:
        """Return which colour matrix was guessed for a clip that was decoded."""
        return self._guesses.get(view.key)

    def unreadable(self, views: Iterable[tuple[Cell, View]]) -> dict[Cell, str]:
        """Decode clips; return the reasons of those that fail."""
        broken = {}
        for cell, view in views:
            try:
                view.video  # noqa: B018 - decodes it
            except UserError as error:
                broken[cell] = failure(error)
        return broken

    def changed(self, tasks: Iterable[ScoringTask]) -> dict[Cell, str]:
        """Return the reasons of clips that are not as they were made; none is decoded."""
        broken = {}
        for task in tasks:
            try:
                self._check(task)
            except (UserError, OSError) as error:
                broken[task.cell] = failure(error)
        return broken

    def _check(self, task: ScoringTask) -> Path:
        path = self._run.clip_path(task.clip)
        if sha256_file(path) != task.clip.sha256:
            raise UserError(f"{path} has changed since it was made; delete it and run again")
        return path

    def _source(self, video: str) -> View:
        path, colour = self._run.source(video), self._run.suite.colour
        with self._stages.stage("decode"):
            key = key_of(sha256_file(path), colour)
            fps = self._run.suite.videos[video].fps or FPS
            found, self._guesses[key] = read_clip(path, fps, colour)
        return View(found, key, self._features)

    def _shared_views(self, unit: TasksOfVideo) -> dict[str, View]:
        made = [task for task in unit.tasks if task.clip.status == "ok"]
        clips = {self._key(task): task for task in made}
        counts = Counter(self._key(task) for task in made)
        return {key: self._view(clips[key]) for key, n in counts.items() if n > 1}

    def _key(self, task: ScoringTask) -> str:
        return key_of(str(task.clip.sha256), self._run.colour(task.cell.method))

    def _view(self, task: ScoringTask) -> View:
        return View(lambda: self._decode(task), self._key(task), self._features)

    def _decode(self, task: ScoringTask) -> Video:
        with self._stages.stage("decode"):
            path = self._check(task)
            fps = self.source.video.fps  # for edits that state none
            clip = read_clip(path, fps, self._run.colour(task.cell.method))
        self._guesses[self._key(task)] = clip.guess
        return clip.video


def key_of(sha256: str, colour: str | None) -> str:
    """Return what features of a clip are kept under: its file, and how that is read."""
    return f"{sha256}-{colour}" if colour else sha256
