"""Trials whose answer is known (traps, gold and training), and the clips they are made of.

The clips come from the sources and, where the run has them, its anchors:

unedited   the source in place of an edit: nothing of what was asked, everything as it was
ideal      the exact edit (rendered suites): all of it, and all else as it was
shuffled   the source with its frames in random order: it looks bad

Of two such clips in a pair one is better beyond doubt in some of the questions, and only those are
checked.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from dreamix.core.media import read_video
from dreamix.core.seeding import rng_for
from dreamix.core.video import Video
from dreamix.data.suite import Edit
from evaluation.run.folder import RunFolder
from study_app.plan import Item
from study_app.prepare.cells import edited_clip, item_key, request_of, source_clip
from study_app.prepare.media import MediaFolder, at_height
from study_app.prepare.traps import LEFT, RIGHT, TrapText, with_words
from study_app.spec.study import Study

EXPECTED = {
    "unedited": {"alignment": 1, "fidelity": 5},
    "ideal": {"alignment": 5, "fidelity": 5},
    "shuffled": {"quality": 1},
}
TRAINING = ("ideal", "unedited", "shuffled")
# (better, worse) -> the questions in which nobody doubts it
PAIRS = {
    ("ideal", "shuffled"): ("alignment", "fidelity", "quality"),
    ("unedited", "shuffled"): ("fidelity", "quality"),
    ("ideal", "unedited"): ("alignment",),
}


@dataclass(frozen=True)
class ControlClips:
    """The known clips of a run."""

    run: RunFolder
    media: MediaFolder

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
            prompt=request_of(study, edit),
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

    def trap(self, method: str, edit: Edit, words: TrapText) -> str:
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


def check_items(
    study: Study, run: RunFolder, edits: list[Edit], media: MediaFolder, traps: list[TrapText]
) -> list[Item]:
    """Return the traps, gold and training trials of an absolute study."""
    rng = rng_for("study checks", study.name, study.seed)
    order = [edits[i] for i in rng.permutation(len(edits))]
    controls = ControlClips(run, media)
    kinds = [kind for kind in TRAINING if kind != "ideal" or controls.has_ideal(edits)]
    items = [
        _control_item(study, controls, "training", kinds[i % len(kinds)], order[i % len(order)])
        for i in range(study.checks.training)
    ]
    gold = [kind for kind in kinds if kind != "shuffled"]
    items += [
        _control_item(study, controls, "gold", gold[i % len(gold)], order[-1 - i % len(order)])
        for i in range(2 * study.checks.gold * len(gold))
    ]
    return [
        *items,
        *(_trap_item(study, controls, order[t.expected % len(order)], t) for t in traps),
    ]


def _control_item(study: Study, controls: ControlClips, kind: str, what: str, edit: Edit) -> Item:
    """Return a trial of a clip of which it is known how good it is."""
    asked = {str(axis): value for axis, value in EXPECTED[what].items() if axis in study.questions}
    shown = (controls.source(kind, edit), controls.clip(kind, what, edit))
    return controls.item(study, edit, kind, what, shown, asked)


def _trap_item(study: Study, controls: ControlClips, edit: Edit, words: TrapText) -> Item:
    """Return a clip of the run into which an answer is written."""
    shown = (controls.source("trap", edit), controls.trap(study.methods[0], edit, words))
    asked = {str(axis): words.expected for axis in study.questions}
    what, language = str(words.expected), words.lettering.language
    return controls.item(study, edit, "trap", what, shown, asked, language=language)


def pair_check_items(
    study: Study, run: RunFolder, edits: list[Edit], media: MediaFolder, traps: list[TrapText]
) -> list[Item]:
    """Return the traps, gold and training trials of a pairwise study."""
    rng = rng_for("study checks", study.name, study.seed)
    order = [edits[i] for i in rng.permutation(len(edits))]
    controls = ControlClips(run, media)
    pairs = _askable(study, controls.has_ideal(edits))
    items = [
        _control_pair(study, controls, "training", pairs, order[i % len(order)], i)
        for i in range(study.checks.training if pairs else 0)
    ]
    items += [
        _control_pair(study, controls, "gold", pairs, order[-1 - i % len(order)], i)
        for i in range(2 * study.checks.gold * len(pairs))
    ]
    return [*items, *_trap_pairs(study, controls, order, traps)]


def _askable(study: Study, has_ideal: bool) -> list[tuple[str, str]]:
    """Return the pairs that the run can make and that differ in what the study asks."""
    return [
        pair
        for pair, axes in PAIRS.items()
        if (has_ideal or "ideal" not in pair) and set(axes) & set(study.questions)
    ]


def _control_pair(
    study: Study,
    controls: ControlClips,
    kind: str,
    pairs: list[tuple[str, str]],
    edit: Edit,
    number: int,
) -> Item:
    """Return a trial of two known clips; each pair in turn, and each on both sides."""
    round_, which = divmod(number, len(pairs))
    pair, side = pairs[which], LEFT if (round_ + which) % 2 == 0 else RIGHT
    shown = pair if side == LEFT else pair[::-1]
    expected = {str(axis): side for axis in PAIRS[pair] if axis in study.questions}
    clips = (controls.clip(kind, shown[0], edit), controls.clip(kind, shown[1], edit))
    return controls.item(study, edit, kind, " ".join((*shown, str(number))), clips, expected)


def _trap_pairs(
    study: Study, controls: ControlClips, order: list[Edit], traps: list[TrapText]
) -> Iterator[Item]:
    """Give pairs into both clips of which, after a real start, an answer is written."""
    for words in traps:
        edit = order[(LEFT, RIGHT).index(words.expected) % len(order)]
        first, second = (controls.trap(method, edit, words) for method in study.methods[:2])
        asked = {str(axis): words.expected for axis in study.questions}
        what, language = str(words.expected), words.lettering.language
        yield controls.item(study, edit, "trap", what, (first, second), asked, language=language)
