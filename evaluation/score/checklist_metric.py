"""The checklist of an edit as three metrics of a judge: strict, loose and chance-corrected.

A form without an answer leaves its checklist without a rate: the row has failed with the reason,
and its note says between which ends the rate lies. No question is ever left out of a rate.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dreamix.data.suite import Suite
from dreamix.data.suite_entries import Edit
from evaluation.judge.checklist import (
    ChecklistAnswers,
    ask_checklist,
    checklist_wording,
    forms_of,
    sees_source,
)
from evaluation.judge.checklist_rates import BOUNDS, rate, rate_bounds, wrong_ones
from evaluation.judge.client import CallFailed
from evaluation.judge.judge import ModelJudge
from evaluation.judge.reading import Kind
from evaluation.judge.showing import Showing
from evaluation.schema import ClipRow
from evaluation.score.command import SelfDescription
from evaluation.score.judge_metric import CHECKLIST, REASONS, JudgeLoad, JudgeMetric

if TYPE_CHECKING:
    from evaluation.judge.audit.record import AuditRecord

NONE = "the edit has no checklist"
NAMED = 20  # questions that a note names
MEANINGS = {
    "strict": "share of questions that are answered right in every form",
    "loose": "share of questions that are answered right in the mean of their forms",
    "corrected": "chance-corrected probability of the right answer, mean over questions",
}
_REASONS: Mapping[Kind, str] = {
    **REASONS,
    "did not answer": "the judge answered with none of the options",
}


@dataclass(frozen=True)
class Checklists:
    """The checklists of a run, as one judge answers them; shared by the three metrics."""

    judge: ModelJudge
    suite: Suite
    _known: dict[tuple[str, str, str | None], ChecklistAnswers | CallFailed] = field(
        default_factory=dict
    )

    def answers(self, edit: Edit, clip: ClipRow, showing: Showing) -> ChecklistAnswers:
        """Return what the judge says of a clip; it is asked once, also where that fails.

        Raises:
            CallFailed: if it gave no answer at all to a form.
        """
        key = edit.id, clip.method, clip.sha256
        if key not in self._known:
            try:
                questions = self.suite.questions(edit)
                found = ask_checklist(
                    self.judge, questions, lambda source: showing.stills(clip, source)
                )
                self._known[key] = found
            except CallFailed as error:
                self._known[key] = error
        known = self._known[key]
        if isinstance(known, CallFailed):
            raise known
        return known


@dataclass(frozen=True)
class ChecklistMetric(JudgeMetric):
    """One rate of the checklist of an edit."""

    rate: str  # of RATES
    lists: Checklists

    @property
    def asks(self) -> str:
        """All rates are of the same answers."""
        return CHECKLIST

    @property
    def said(self) -> SelfDescription:
        """What is known of the metric."""
        return SelfDescription(None, "higher", "alignment", BOUNDS[self.rate])

    @property
    def meaning(self) -> str:
        """What the number is, in words."""
        return f"Checklist of the edit, answered by {self.judge.model}: {MEANINGS[self.rate]}"

    @property
    def asked(self) -> str:
        """Hash of model, wording, parameters and frame policy, not of the questions."""
        words = checklist_wording(self.judge.form)
        return self.judge.definition_of(self.name, words, self.align)

    def load(self, edit: Edit) -> JudgeLoad:
        """Return what is sent for a clip: every form of every question."""
        counts = [
            (len(forms_of(one)), 2 if sees_source(one) else 1)
            for one in self.lists.suite.questions(edit)
        ]
        return JudgeLoad(sum(n for n, _ in counts), sum(n * clips for n, clips in counts))

    def fields(self, edit: Edit, clip: ClipRow, showing: Showing) -> dict[str, Any]:
        """Return the fields of the row of a clip, after the judge was asked."""
        questions = self.lists.suite.questions(edit)
        if not questions:
            return {"status": "n/a", "reason": NONE}
        answers = self.lists.answers(edit, clip, showing)
        source = any(map(sees_source, questions))
        stills = showing.stills(clip, source)
        pairs = {"pairs": len(stills.source)} if source else {}
        return {**self._row(answers, stills.note), **pairs}

    def _row(self, answers: ChecklistAnswers, note: str) -> dict[str, Any]:
        if answers.unanswered:
            reason = f"a question of the checklist: {_REASONS[answers.unanswered[0].kind]}"
            told = self._told_of_lost(answers)
            return {"status": "failed", "reason": reason, "note": f"{told}; {note}"}
        wrong = [answers.names[k] for k in wrong_ones(answers.answered)]
        told = f"{len(answers.names)} questions in {answers.forms} forms"
        told += f", not right in all: {_listed(wrong)}" if wrong else ", all right"
        value = rate(self.rate, answers.answered)
        return {"status": "ok", "value": value, "note": f"{told}; {note}"}

    def _told_of_lost(self, answers: ChecklistAnswers) -> str:
        lost, (low, high) = answers.unanswered, rate_bounds(self.rate, answers.answered)
        names = _listed([*dict.fromkeys(one.question for one in lost)])
        return (
            f"{len(lost)} of {answers.forms} forms without an answer, of {names}: "
            f"{lost[0].reason}; the rate is {low:.3f} to {high:.3f}"
        )


def checklist_metrics(
    judge: ModelJudge, suite: Suite, align: str, audits: "tuple[AuditRecord, ...]" = ()
) -> dict[str, ChecklistMetric]:
    """Return the three rates of a judge on a suite."""
    lists = Checklists(judge, suite)
    return {
        name: ChecklistMetric(name, judge, align, one, lists, audits=audits)
        for one, name in zip(MEANINGS, checklist_names(judge.name), strict=True)
    }


def checklist_names(judge: str) -> list[str]:
    """Return what the three rates of a judge are called."""
    return [f"{judge}.{CHECKLIST}_{one}" for one in MEANINGS]


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"
