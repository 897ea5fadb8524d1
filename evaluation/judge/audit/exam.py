"""Exams of judges: which sources, what is asked about each, and what follows from the answers."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

from dreamix.data.worlds import AuditEdit, World
from evaluation.judge.audit.answers import Answers
from evaluation.judge.audit.clips import AuditSource, RenderedSource
from evaluation.judge.audit.finding import Finding
from evaluation.judge.audit.plan import STEADY, AskedAs, AuditQuestion, questions, repeated
from evaluation.judge.audit.probes import findings, findings_in
from evaluation.judge.frames import FramePolicy, Stills


class Exam(ABC):
    """Sources, and what a judge is asked about them."""

    title: str  # of where the clips are from
    note: str  # what has to be known of such clips
    showings: tuple[str, ...]  # what stands in the place of an edit, as the page draws it

    def __init__(self, edits: Sequence[AuditEdit]) -> None:
        self.edits = edits

    @abstractmethod
    def source_of(self, edit: AuditEdit) -> AuditSource:
        """Return the source of an edit, with its clips."""

    @abstractmethod
    def of_source(
        self, source: AuditSource, asked: AskedAs, *, is_steady: bool
    ) -> Iterator[AuditQuestion]:
        """Yield what is asked about a source, but for what is asked again."""

    @abstractmethod
    def findings(self, answers: Answers, policy: FramePolicy) -> list[Finding]:
        """Return all statistics."""

    @abstractmethod
    def findings_in(self, answers: Answers, category: str) -> list[Finding]:
        """Return those that can be told apart by category."""

    def questions(
        self, asked: AskedAs, *, are_shown: bool = True
    ) -> Iterator[tuple[AuditEdit, AuditQuestion]]:
        """Yield all questions, by source, then what is asked again; are_shown: with stills."""
        for number, edit in enumerate(self.edits):
            source = self._source(edit, are_shown)
            for question in self.of_source(source, asked, is_steady=number < STEADY):
                yield edit, question
        for edit in self.edits[:STEADY]:
            source = self._source(edit, are_shown)
            yield from ((edit, question) for question in repeated(source, asked))

    def planned(self, asked: AskedAs) -> int:
        """Return the number of questions."""
        return sum(1 for _ in self.questions(asked, are_shown=False))

    def _source(self, edit: AuditEdit, is_shown: bool) -> AuditSource:
        source = self.source_of(edit)
        return source if is_shown else _Unmade(source)


class _Unmade(AuditSource):
    """A source of which the questions are counted, and no clip is made."""

    def __init__(self, source: AuditSource) -> None:
        super().__init__(source.edit)
        self.exact, self.voted = source.exact, source.voted

    def stills(self, shown: str, policy: FramePolicy, beside_source: bool = True) -> Stills:
        """Return none."""
        return Stills((), ())

    def seated(self, shown: str, policy: FramePolicy, letter: str) -> Stills:
        """Return none."""
        return Stills((), ())


class RenderedExam(Exam):
    """Edits of a world, of which all is known."""

    note = (
        "The clips are rendered: to pass here is necessary, and not enough. How well the judge "
        "follows people on real clips is for gold data to say (dreamix meta)."
    )
    showings = (
        "source", "exact", "both", "extra", "other", "frozen", "shuffled", "captioned", "grey",
    )  # fmt: skip

    def __init__(self, world: World, edits: Sequence[AuditEdit], title: str = "") -> None:
        super().__init__(edits)
        self.world, self.title = world, title or world.title

    def source_of(self, edit: AuditEdit) -> AuditSource:
        """Return the source of an edit, with its clips."""
        return RenderedSource(self.world, edit)

    def of_source(
        self, source: AuditSource, asked: AskedAs, *, is_steady: bool
    ) -> Iterator[AuditQuestion]:
        """Yield what is asked about a source, but for what is asked again."""
        return questions(source, asked, is_steady=is_steady)

    def findings(self, answers: Answers, policy: FramePolicy) -> list[Finding]:
        """Return all statistics."""
        return findings(answers, policy)

    def findings_in(self, answers: Answers, category: str) -> list[Finding]:
        """Return those that can be told apart by category."""
        return findings_in(answers, category)


def exam_of(world: World, sources: int, seed: int) -> RenderedExam:
    """Return the first edits of a world's endless list; more sources are these and others."""
    return RenderedExam(world, [world.audit_edit(number, seed) for number in range(sources)])
