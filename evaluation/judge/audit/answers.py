"""The answers of an audit as columns: a number a source, by the names of the questions."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from dreamix.data.worlds import AuditEdit
from evaluation.judge.audit.rules import ACCEPTED


class AuditAnswer(NamedTuple):
    """What came of a question."""

    status: str  # "ok", or why there is no value
    value: float | None = None  # a score of 1 to 5, or the share of the first option
    shares: Mapping[str, float] | None = None  # of the options, where there are any
    mass: float | None = None  # probability that was on the scale or the options
    reason: str | None = None


Table = Mapping[tuple[str, str], AuditAnswer]  # (edit, question)


class Answers:
    """All answers about some edits; columns are float (edits,), NaN where there is no value."""

    def __init__(self, edits: Sequence[AuditEdit], table: Table) -> None:
        self.edits, self.table = edits, table

    def within(self, category: str) -> "Answers":
        """Return those about the edits of a category."""
        return Answers([one for one in self.edits if one.category == category], self.table)

    def only(self, kept: Sequence[bool]) -> "Answers":
        """Return those about some of the edits."""
        return Answers(
            [one for one, keep in zip(self.edits, kept, strict=True) if keep], self.table
        )

    def asked(self, *questions: str) -> "Answers":
        """Return those about the edits that were asked all of some questions."""
        return self.only(
            [all((one.id, name) in self.table for name in questions) for one in self.edits]
        )

    def score(self, question: str) -> np.ndarray:
        """Return the scores, or the shares of the first option."""
        return np.array([self._value(one, question) for one in self.edits], dtype=float)

    def accepted(self, question: str) -> np.ndarray:
        """Return 1 where the score accepts the edit, 0 where not."""
        scores = self.score(question)
        return np.where(np.isnan(scores), np.nan, scores > ACCEPTED)

    def share(self, question: str, option: str) -> np.ndarray:
        """Return how likely an option was."""
        found = [self.table.get((one.id, question)) for one in self.edits]
        return np.array(
            [np.nan if a is None or a.shares is None else a.shares[option] for a in found],
            dtype=float,
        )

    def _value(self, edit: AuditEdit, question: str) -> float:
        found = self.table.get((edit.id, question))
        return np.nan if found is None or found.value is None else found.value
