"""Clips of which it is known how good they are, and trials of them whose answer is known.

They come from the sources and, where the run has them, its anchors:

unedited   the source in place of an edit: nothing of what was asked, everything as it was
ideal      the exact edit (rendered suites): all of it, and all else as it was
shuffled   the source with its frames in random order: it looks bad
"""

from dataclasses import dataclass

from dreamix.core.media import read_video
from dreamix.core.seeding import rng_for
from dreamix.core.video import Video
from dreamix.data.suite import Edit
from evaluation.run.folder import RunFolder
from study_app.plan import Item
from study_app.prepare.cells import edited_clip, item_key, source_clip
from study_app.prepare.media import Media, at_height
from study_app.prepare.traps import Words
from study_app.prepare.words import with_words
from study_app.spec.study import Study


@dataclass(frozen=True)
class Known:
    """The known clips of a run."""

    run: RunFolder
    media: Media

    def clip(self, kind: str, what: str, edit: Edit) -> str:
        """Return the media name of a known clip of an edit, in trials of a kind."""
        if what == "ideal":
            return edited_clip(self.run, kind, "ideal", edit.id, self.media)
        role, source = f"{kind} {what} {edit.id}", self.run.source(edit.video)
        colour = self.run.suite.colour
        if what == "unedited":
            return self.media.of_file(source, role, colour)
        video = _shuffled(read_video(source, colour=colour), edit.video)
        name = " ".join(filter(None, ("shuffled", edit.video, colour)))
        return self.media.of_video(name, role, video)

    def item(
        self,
        study: Study,
        edit: Edit,
        kind: str,
        what: str,
        shown: tuple[str, str],
        expected: dict[str, int],
        *,
        language: str | None = None,
    ) -> Item:
        """Return a trial whose answer is known.

        shown: media names of left and right: the source and an edit, or two edits (pairwise).
        """
        source = self.source(kind, edit) if study.design == "pairwise" else None
        return Item(
            key=item_key(study, kind, edit.id, what, language or ""),
            kind=kind,
            video=edit.video,
            edit=edit.id,
            methods=(what,),
            category=edit.category,
            prompt=edit.prompt,
            left=shown[0],
            right=shown[1],
            seconds=self.media.longest(*shown, *filter(None, (source,))),
            reference=source,
            expected=expected,
            language=language,
        )

    def source(self, kind: str, edit: Edit) -> str:
        """Return the media name of an edit's source, in trials of a kind."""
        return source_clip(self.run, kind, edit, self.media)

    def trap(self, method: str, edit: Edit, words: Words) -> str:
        """Return the media name of an edit into which, after a real start, words are written.

        They are written at the size in which the clip is served: enlarged, small letters are not
        to be read.
        """
        row = self.run.clip_row(self.run.first_cell(method, edit.id))
        assert row is not None
        colour = self.run.colour(method)
        video = at_height(read_video(self.run.clip_path(row), colour=colour), self.media.height)
        named = ("trap", row.sha256, words.text, words.lettering.identity(), colour)
        video, name = with_words(video, words.lettering), " ".join(filter(None, named))
        return self.media.of_video(name, f"trap {method} {edit.id}", video)

    def has_ideal(self, edits: list[Edit]) -> bool:
        """Return True if the run has the exact edit of each."""
        if "ideal" not in self.run.info.methods:
            return False
        rows = (self.run.clip_row(self.run.first_cell("ideal", edit.id)) for edit in edits)
        return all(row is not None and row.status == "ok" for row in rows)


def _shuffled(video: Video, name: str) -> Video:
    order = rng_for("study shuffled", name).permutation(len(video))
    return Video(video.frames[order], video.fps, video.times)
