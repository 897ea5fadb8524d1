"""A number that a judge gives a clip, as a metric: what it means, what it costs, and its row."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from dreamix.data.suite_entries import Edit
from evaluation.judge.judge import ModelJudge
from evaluation.judge.prompts import SCALE, JudgeQuestion
from evaluation.judge.reading import Kind, Reading
from evaluation.judge.showing import Showing
from evaluation.run.elsewhere import JudgeInfo
from evaluation.run.info import MetricInfo
from evaluation.schema import ClipRow
from evaluation.score.command import SelfDescription

if TYPE_CHECKING:
    from evaluation.judge.audit.record import AuditRecord

CHECKLIST = "checklist"
REASONS: Mapping[Kind, str] = {
    "refused": "the judge refused",
    "moderated": "moderated by the judge's server",
    "truncated": "the judge's answer is cut off",
    "empty": "the judge's answer is empty",
    "did not answer": "the judge did not answer with a score",
    "no probabilities": "the judge's server gave no probabilities",
    "other scale": "the judge answered on another scale",
    "unreadable": "the judge's answer cannot be read",
}


class JudgeLoad(NamedTuple):
    """What a judge is sent about one clip."""

    requests: int
    clips: int  # shown in all of them together: two where the source is shown too


@dataclass(frozen=True)
class JudgeMetric(ABC):
    """A number that a judge gives; metrics of a judge that ask the same share the answers."""

    name: str
    judge: ModelJudge
    align: str
    audits: "tuple[AuditRecord, ...]" = field(default=(), kw_only=True)

    @property
    @abstractmethod
    def asks(self) -> str:
        """What is asked for it, in a word."""

    @property
    @abstractmethod
    def said(self) -> SelfDescription:
        """What is known of the metric: axis and bounds; higher is better."""

    @property
    @abstractmethod
    def meaning(self) -> str:
        """What the number is, in words."""

    @property
    @abstractmethod
    def asked(self) -> str:
        """Hash of model, wording, parameters and frame policy."""

    @abstractmethod
    def load(self, edit: Edit) -> JudgeLoad:
        """Return what is sent for a clip of an edit, if none of it was asked before."""

    @abstractmethod
    def fields(self, edit: Edit, clip: ClipRow, showing: Showing) -> dict[str, Any]:
        """Return the fields of the row of a clip, after the judge was asked."""

    def definition_id(self, said: SelfDescription) -> str:
        """Return a hash of model, wording, parameters, frame policy and what the audit found."""
        if not self.audits:
            return self.asked
        told = " ".join([self.asked, *sorted(audit.digest for audit in self.audits)])
        return hashlib.sha256(told.encode()).hexdigest()[:12]

    def why_not(self, edit: Edit, *, is_motion: bool) -> str | None:
        """Return why it does not apply to an edit, as an audit found; None where it does.

        is_motion: whether the edit asks for one.
        """
        asked = self.asks, edit.category
        reasons = (audit.why_not(*asked, is_motion=is_motion) for audit in self.audits)
        return next((why for why in reasons if why), None)

    def facts(self, said: SelfDescription) -> MetricInfo:
        """Return what run.json holds of it, in the form of all others."""
        return MetricInfo(
            name=self.name,
            axis=said.axis,
            better=said.better,
            bounds=said.bounds,
            needs=(),
            not_for=(),
            version=1,
            definition=self.meaning,
            definition_id=self.definition_id(said),
            models={},
            policy=self.align,
            judge=self._info,
        )

    @property
    def told(self) -> dict[str, Any]:
        """What is known of the metric, as a program would tell it."""
        said = self.said
        return {"direction": said.better, "axis": said.axis, "bounds": [*said.bounds]}

    @property
    def _info(self) -> JudgeInfo:
        judge, line = self.judge, "; ".join(audit.line for audit in self.audits) or None
        kind: Literal["scale", "checklist"] = "checklist" if self.asks == CHECKLIST else "scale"
        return JudgeInfo(judge.model, judge.form, judge.frames.facts(), line, kind)


@dataclass(frozen=True)
class ScaleMetric(JudgeMetric):
    """One question with an answer from 1 to 5."""

    question: JudgeQuestion

    @property
    def asks(self) -> str:
        """The question's name."""
        return self.question.name

    @property
    def said(self) -> SelfDescription:
        """What is known of the metric."""
        return SelfDescription(None, "higher", self.question.axis, (SCALE.low, SCALE.high))

    @property
    def meaning(self) -> str:
        """What the number is, in words."""
        return f"What {self.judge.model} answers: {self.question.text}"

    @property
    def asked(self) -> str:
        """Hash of model, wording, parameters and frame policy."""
        return self.judge.definition_id(self.name, self.question, self.align)

    def load(self, edit: Edit) -> JudgeLoad:
        """Return what is sent for a clip: one request."""
        return JudgeLoad(1, 2 if self.question.sees_source else 1)

    def fields(self, edit: Edit, clip: ClipRow, showing: Showing) -> dict[str, Any]:
        """Return the fields of the row of a clip, after the judge was asked."""
        stills = showing.stills(clip, self.question.sees_source)
        read = self.judge.score(self.question, stills, edit.instruction, edit.prompt)
        pairs = {"pairs": len(stills.source)} if self.question.sees_source else {}
        return {**_row_of(read, stills.note), **pairs}


def _row_of(read: Reading, note: str) -> dict[str, Any]:
    if read.kind == "ok":
        return {"status": "ok", "value": read.value, "note": note}
    return {
        "status": "failed",
        "reason": REASONS[read.kind],
        "note": f"{read.reason}; {note}",
    }
