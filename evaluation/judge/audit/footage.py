"""The probes that can be asked of real clips: the untouched source, and what people agreed on.

Of real footage no exact edit is known. The source itself is: it keeps everything, and makes no
change. Where people have rated edits, those that all of them called a success or a failure stand in
the place of the exact edit and of the source. A source's value is the mean over its clips.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from dreamix.core.errors import UserError
from dreamix.core.media import read_clip
from dreamix.core.seeding import seed_for
from dreamix.core.video import Video
from dreamix.data.suite_entries import Edit
from dreamix.data.worlds import AuditEdit
from evaluation.judge.audit.answers import Answers
from evaluation.judge.audit.clips import AuditSource, VotedClip
from evaluation.judge.audit.exam import Exam
from evaluation.judge.audit.finding import Finding, above, mean_of, share_of
from evaluation.judge.audit.plan import (
    AskedAs,
    AuditQuestion,
    ask_pair,
    ask_score,
    both_ways,
    without_picture,
)
from evaluation.judge.audit.probes import answered, first_of_alike, identical, led, nothing
from evaluation.judge.audit.rules import ACCEPTED
from evaluation.judge.frames import FramePolicy, Stills, stills_of_both
from evaluation.judge.showing import FPS
from evaluation.run.folder import RunFolder
from evaluation.schema import Cell

MOST_VOTED = 3  # clips of a source that all call a success, and as many that all call a failure
Voted = Mapping[str, Sequence[VotedClip]]  # by source video


class FootageSource(AuditSource):
    """A real source, with clips of a run that people were of one mind about."""

    exact = "source"

    def __init__(self, run: RunFolder, edit: AuditEdit, other: str, voted: Sequence[VotedClip]):
        super().__init__(edit)
        self.voted = {
            f"{'success' if one.is_success else 'failure'} {number}": one
            for number, one in enumerate(voted, 1)
        }
        self._run, self._other = run, other

    def stills(self, shown: str, policy: FramePolicy, beside_source: bool = True) -> Stills:
        """Return the stills of a clip; of another length than the source, by its own moments."""
        if beside_source and (shown == "other" or shown in self.voted):
            return stills_of_both(self.clip("source"), self.clip(shown), policy)
        return super().stills(shown, policy, beside_source)

    def _make(self, shown: str) -> Video:
        if shown in ("source", "other"):
            return self._footage(self.edit.id if shown == "source" else self._other)
        if shown in self.voted:
            one = self.voted[shown]
            row = self._run.clip_row(Cell(one.method, one.edit, one.seed))
            if row is None or row.status != "ok":
                raise UserError(f"{one.method}/{one.edit}/{one.seed} was rated, and has no clip")
            colour = self._run.colour(one.method)
            return read_clip(self._run.clip_path(row), self.clip("source").fps, colour).video
        return super()._make(shown)

    def _footage(self, video: str) -> Video:
        suite = self._run.suite
        return read_clip(
            self._run.source(video), suite.videos[video].fps or FPS, suite.colour
        ).video


class FootageExam(Exam):
    """The sources of a run's suite, each with one of its requests."""

    showings = ("source", "other", "frozen", "shuffled", "captioned", "grey")
    note = (
        "These are real clips, of which no exact edit is known: the untouched source stands for "
        "itself, and clips that all their raters called a success or a failure for the rest."
    )

    def __init__(self, run: RunFolder, sources: int, seed: int, voted: Voted) -> None:
        by_video: dict[str, list[Edit]] = {}
        for edit in run.suite.edits:
            by_video.setdefault(edit.video, []).append(edit)
        if len(by_video) < 2:
            raise UserError(f"{run.suite.name} has one source video, and an audit needs two")
        videos = sorted(by_video, key=lambda one: seed_for("judge audit", seed, one))[:sources]
        super().__init__([_edit_of(one, by_video[one], seed) for one in videos])
        self.title, self._run, self._voted = run.suite.name, run, voted
        self._others = dict(zip(videos, [*videos[1:], videos[0]], strict=True))

    def source_of(self, edit: AuditEdit) -> AuditSource:
        """Return the source of an edit, with its clips."""
        voted = _some(self._voted.get(edit.id, ()))
        return FootageSource(self._run, edit, self._others[edit.id], voted)

    def of_source(
        self, source: AuditSource, asked: AskedAs, *, is_steady: bool
    ) -> Iterator[AuditQuestion]:
        """Yield what is asked about a source, but for what is asked again."""
        for shown, question in (
            ("source", "alignment"), ("source", "fidelity"), ("source", "quality"),
            ("other", "fidelity"), ("frozen", "fidelity"), ("shuffled", "quality"),
            ("captioned", "alignment"),
        ):  # fmt: skip
            yield ask_score(source, asked, shown, question)
        yield from without_picture(source, asked)
        yield from both_ways(source, asked, "source")
        yield ask_pair(source, asked, "source", "source", source.edit.wordings[0])
        for name, one in source.voted.items():
            told = one.instruction, one.prompt
            yield ask_score(source, asked, name, "alignment", told[0], f"{name}/alignment", told[1])

    def findings(self, answers: Answers, policy: FramePolicy) -> list[Finding]:
        """Return all statistics."""
        return [*self.findings_in(answers, ""), *nothing(answers), *_polarity(answers),
                *first_of_alike(answers, "source"), *answered(answers), *led(answers),
                *identical(answers, ("source",))]  # fmt: skip

    def findings_in(self, answers: Answers, category: str) -> list[Finding]:
        """Return those that can be told apart by category."""
        part = answers.within(category) if category else answers
        kept = part.score("source/fidelity")
        found = [
            share_of("unedited", part.accepted("source/alignment")),
            share_of("unedited.fidelity", part.accepted("source/fidelity")),
            share_of("wrong_clip", above(kept, part.score("other/fidelity"))),
            share_of("frozen.others", above(kept, part.score("frozen/fidelity"))),
            share_of(
                "shuffled", above(part.score("source/quality"), part.score("shuffled/quality"))
            ),
        ]
        return [*found, *_by_votes(part)]


def _by_votes(answers: Answers) -> Iterator[Finding]:
    """Yield what follows from clips that all raters of them called the same."""
    good, bad = (_scores(answers, kind) for kind in ("success", "failure"))
    for name, scores in (("voted_successes", good), ("voted_failures", bad)):
        if scores:
            shares = [np.where(np.isnan(one), np.nan, one > ACCEPTED) for one in scores.values()]
            yield share_of(name, np.array([one.mean() for one in shares]))
    pairs = [
        above(good[source][:, None], bad[source][None, :]).mean() for source in good.keys() & bad
    ]
    if pairs:
        yield share_of("voted_pairs", np.array(sorted(pairs)))


def _scores(answers: Answers, kind: str) -> dict[str, np.ndarray]:
    """Return the alignment scores of the clips of a kind, by source; NaN without an answer."""
    found: dict[str, list[float]] = {}
    known = {edit.id for edit in answers.edits}
    for (edit, question), answer in sorted(answers.table.items()):
        if edit in known and question.startswith(f"{kind} "):
            value = np.nan if answer.value is None else answer.value
            found.setdefault(edit, []).append(value)
    return {source: np.array(values) for source, values in found.items()}


def _polarity(answers: Answers) -> Iterator[Finding]:
    yield mean_of("polarity", answers.score("yes/source") + answers.score("no/source") - 1)


def _edit_of(video: str, edits: Sequence[Edit], seed: int) -> AuditEdit:
    """Return one of a video's requests, drawn."""
    one = edits[seed_for("judge audit", seed, video, "edit") % len(edits)]
    instruction = one.instruction or ""
    return AuditEdit(
        id=video, category=one.category, prompt=one.prompt or "",
        wordings=(instruction, instruction, instruction), source={}, exact={}, extra={}, other={},
        both={}, both_wording="", is_motion=False, has_order=True,
    )  # fmt: skip


def _some(voted: Sequence[VotedClip]) -> list[VotedClip]:
    """Return a few of each kind, which do not depend on the order they came in."""
    ordered = sorted(voted, key=lambda one: seed_for("voted", one.edit, one.method, one.seed))
    return [
        *[one for one in ordered if one.is_success][:MOST_VOTED],
        *[one for one in ordered if not one.is_success][:MOST_VOTED],
    ]
