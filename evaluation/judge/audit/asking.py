"""Asks a judge all questions of its audit, several at once; each answer is on disk as it comes.

Sources are made one after the other, so that their clips never fill the memory. What is to be sent
a second time is sent after everything else: a model that drifts has moved by then.
"""

from functools import partial

from dreamix.core.progress import Progress
from evaluation.judge.audit.answers import AuditAnswer
from evaluation.judge.audit.exam import Exam
from evaluation.judge.audit.plan import AskedAs, AuditQuestion
from evaluation.judge.client import CallFailed
from evaluation.judge.judge import ModelJudge
from evaluation.judge.reading import OptionShares, Reading
from evaluation.judge.together import ask_together

IN_VAIN = 30  # questions in a row without any reply, after which no more are sent
NO_REPLY = "no answer"


def answers_of(
    judge: ModelJudge, exam: Exam, together: int, progress: Progress = lambda *_: None
) -> dict[tuple[str, str], AuditAnswer]:
    """Return the answers to all questions, by edit and question.

    together: how many are under way at once.

    Raises:
        UserError: if nothing more can be asked; what was answered is in the archive.
    """
    asked = AskedAs(judge.form, judge.frames)
    desk = _Desk(judge)
    jobs = (
        ((edit.id, question.name), partial(desk.answer, question))
        for edit, question in exam.questions(asked)
    )
    total, kept = exam.planned(asked), "answers are kept"
    found = ask_together(jobs, total, together, progress, judge.name, kept)
    judge.watch_again()
    return found


class _Desk:
    """Sends questions, until it is plain that no reply will come."""

    def __init__(self, judge: ModelJudge) -> None:
        self._judge = judge
        self._in_vain, self._is_heard = 0, False

    def answer(self, question: AuditQuestion) -> AuditAnswer:
        """Return what came of a question."""
        judge = self._judge
        if self._in_vain >= IN_VAIN and not self._is_heard:
            return AuditAnswer(NO_REPLY, reason=f"not asked: {IN_VAIN} questions had no reply")
        try:
            answer = judge.ask(judge.request(question.parts), question.again)
        except CallFailed as error:
            self._in_vain += 1
            return AuditAnswer(NO_REPLY, reason=str(error))
        self._is_heard = True
        if question.options:
            return _chosen(judge.chosen(answer, question.options), question.options[0])
        return _scored(judge.scored(answer))


def _scored(read: Reading) -> AuditAnswer:
    status = "ok" if read.kind == "ok" else str(read.kind)
    return AuditAnswer(status, read.value, mass=read.mass, reason=read.reason)


def _chosen(read: OptionShares, first: str) -> AuditAnswer:
    if read.kind != "ok":
        return AuditAnswer(str(read.kind), mass=read.mass, reason=read.reason)
    return AuditAnswer("ok", read.shares[first], read.shares, read.mass)
