"""Rows of scores: what every row of a clip says, and the rows of metrics without a value."""

from dataclasses import dataclass, replace
from typing import Any

from evaluation.run.folder import RunFolder
from evaluation.sample import View
from evaluation.sample.frames import pair_frames
from evaluation.schema import ScoreRow, Status
from evaluation.score.decoding import Decoder
from evaluation.score.plan import ScoringTask
from evaluation.score.remarks import Look, remarks_on


@dataclass(frozen=True)
class Rows:
    """Makes the rows of one scoring."""

    run: RunFolder
    definitions: dict[str, str]  # metric -> hash of what its number means
    policy: str

    def row(self, task: ScoringTask, metric: str, fields: dict[str, Any]) -> ScoreRow:
        """Return the row of a metric on a clip with these fields."""
        return replace(self._blank(task, metric), **fields)

    def gap(self, task: ScoringTask, metric: str, status: Status, reason: str | None) -> ScoreRow:
        """Return the row of a metric that has no value here."""
        return replace(self._blank(task, metric), status=status, reason=reason)

    def all_failed(self, tasks: list[ScoringTask], reason: str) -> list[ScoreRow]:
        """Return the rows of all metrics of some clips, none of which has a value."""
        pairs = [(task, name) for task in tasks for name in task.metrics]
        return [self.gap(task, name, "failed", reason) for task, name in pairs]

    def read_as(self, video: str, view: View, decoder: Decoder) -> dict[str, Any]:
        """Return how much of its source a clip covers, and the remarks on how it was read."""
        if (self.run.suite.videos[video].stills or 1) > 1:
            return {}  # several stills are no clip that an edit could be a part of
        source = decoder.source
        pairing = pair_frames(source.video, view.video, self.policy)
        ours, theirs = (Look(clip.video, decoder.guess(clip)) for clip in (source, view))
        remarks = remarks_on(ours, theirs, pairing)
        return {"covers": round(pairing.covers, 6), "remarks": remarks or None}

    def _blank(self, task: ScoringTask, metric: str) -> ScoreRow:
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
