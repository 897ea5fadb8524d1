"""Clips of which it is known how good they are, from the sources and, where they are, anchors.

unedited   the source in place of an edit: nothing of what was asked, everything as it was
ideal      the exact edit (rendered suites): all of it, and all else as it was
shuffled   the source with its frames in random order: it looks bad
"""

from dataclasses import dataclass

from dreamix.core.media import read_video
from dreamix.core.seeding import rng_for
from dreamix.core.video import Video
from dreamix.data.suite import Edit
from evaluation.runs import RunFolder
from evaluation.schema import Cell as ClipCell
from study_app.prepare.cells import edited_clip
from study_app.prepare.media import Media


@dataclass(frozen=True)
class Known:
    """The known clips of a run."""

    run: RunFolder
    media: Media

    def clip(self, what: str, edit: Edit) -> str:
        """Return the media name of a known clip of an edit."""
        source = self.run.source(edit.video)
        if what == "ideal":
            return edited_clip(self.run, "ideal", edit.id, self.media)
        if what == "unedited":
            return self.media.of_file(source)
        video = _shuffled(read_video(source), edit.video)
        return self.media.of_video(f"shuffled {edit.video}", video)

    def has_ideal(self, edits: list[Edit]) -> bool:
        """Return True if the run has the exact edit of each."""
        rows = (self.run.clip_row(ClipCell("ideal", edit.id, 0)) for edit in edits)
        return all(row is not None and row.status == "ok" for row in rows)


def _shuffled(video: Video, name: str) -> Video:
    order = rng_for("study shuffled", name).permutation(len(video))
    return Video(video.frames[order], video.fps, video.times)
