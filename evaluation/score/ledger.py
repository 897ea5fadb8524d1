"""What a program was asked, and the rows that its lines come to."""

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from dreamix.core.names import one_line, shown
from evaluation.schema import ClipRow, ScoreRow
from evaluation.score.answers import ProgramAnswer, checked, id_of, understood
from evaluation.score.command import AskedMetric, SelfDescription

SHOWN = 80  # letters of a line that was no answer


class Ask(NamedTuple):
    """A clip that a program is to score: its row, complete but for what the answer will be."""

    row: ScoreRow
    clip: ClipRow


class ScoreLedger:
    """Asks and answers of one metric, over all starts of its program.

    said: what the program said when it last ran. What it says now counts from its first answer on.
    replaces: there are scores of an earlier program. Its rows stay until this one has answered: who
    breaks a script loses nothing.
    """

    def __init__(
        self, command: AskedMetric, said: SelfDescription, *, replaces: bool = False
    ) -> None:
        self.said = said
        self._replaces = replaces
        self.pending: dict[str, Ask] = {}  # in the order in which they were asked
        self.answered: dict[str, ScoreRow] = {}
        self.hopeless: str | None = None  # why nothing more is asked
        self.command = command
        self.is_heard = False  # whether it has answered
        self._telling = SelfDescription()
        self._noise, self.noises = "", 0  # the first line that was no answer, how many

    @property
    def definition(self) -> str:
        """Hash of what the number means, as far as that is known."""
        return self.command.definition_id(self.said)

    @property
    def noise(self) -> str:
        """What was no answer, in words; empty if everything was one."""
        if not self.noises:
            return ""
        lines = "a line" if self.noises == 1 else f"{self.noises} lines"
        return f"{lines} of its output could not be used, such as {self._noise}"

    def add(self, asks: Iterable[Ask]) -> list[str]:
        """Return the ids of those asks that are new."""
        fresh = {id_of(ask.row.cell): ask for ask in asks}
        new = {name: ask for name, ask in fresh.items() if name not in self.answered}
        self.pending |= new
        return [*new]

    def take(self, line: bytes) -> list[ScoreRow]:
        """Return the rows that follow from a line."""
        answer = understood(line)
        if answer is None:
            if line.strip():
                told = line[: 4 * SHOWN].decode(errors="replace")[:SHOWN]
                self._note(shown(one_line(told), SHOWN))
            return []
        return self.hear(answer)

    def hear(self, answer: ProgramAnswer) -> list[ScoreRow]:
        """Return the rows that follow from an answer."""
        if not self._hear(answer) or answer.id is None:
            return []
        if answer.id in self.pending:
            return [*self._settle(), self._answer(answer.id, answer)]
        if answer.id in self.answered:
            return self._again(answer.id, answer)
        self._note(f"an answer for {shown(answer.id)}, which was not asked")
        return []

    def fail(self, names: Iterable[str], reason: str) -> list[ScoreRow]:
        """Return the rows of clips that will have no answer, as far as they may be kept now."""
        rows = [self._enter(name, status="failed", reason=one_line(reason)) for name in [*names]]
        return [] if self._withholds else rows

    @property
    def withheld(self) -> str | None:
        """Why there is no answer at all, where that would cost an earlier program's scores."""
        reasons = [str(row.reason) for row in self.answered.values()] if self._withholds else []
        return reasons[-1] if reasons else None

    @property
    def _withholds(self) -> bool:
        return self._replaces and not self.is_heard

    def _note(self, what: str) -> None:
        self._noise, self.noises = self._noise or what, self.noises + 1

    def _hear(self, answer: ProgramAnswer) -> bool:
        """Take what a line says of the metric; return False if that cannot be."""
        try:
            told = self._telling.with_facts(answer.facts)
        except ValueError as error:
            self.hopeless = f"the program cannot be used: {error}"
            return False
        if self.is_heard and told != self.said:
            self.hopeless = "the program says one thing of its metric now and another before"
            return False
        self._telling = told
        return True

    def _settle(self) -> list[ScoreRow]:
        """Take what was said for what holds, at the first answer; return rows that it changes."""
        if self.is_heard:
            return []
        self.is_heard = True
        if self._telling == self.said and not self._replaces:
            return []
        self.said = self._telling
        rows = {name: self._defined(row) for name, row in self.answered.items()}
        self.answered |= rows
        return [*rows.values()]

    def _answer(self, name: str, answer: ProgramAnswer) -> ScoreRow:
        return self._enter(name, **checked(answer.found, self.said))

    def _enter(self, name: str, **found: object) -> ScoreRow:
        row = self._defined(replace(self.pending.pop(name).row, **found))  # type: ignore[arg-type]
        self.answered[name] = row
        return row

    def _again(self, name: str, answer: ProgramAnswer) -> list[ScoreRow]:
        """Return the row of a clip that is answered twice, if the answers differ."""
        before, found = self.answered[name], checked(answer.found, self.said)
        if all(getattr(before, field) == value for field, value in found.items()):
            return []
        told = [_spelled(vars(before)), _spelled(found)]
        reason = f"answered twice: {told[0]}, then {told[1]}"
        row = replace(before, status="failed", value=None, reason=reason)
        self.answered[name] = row
        return [row]

    def _defined(self, row: ScoreRow) -> ScoreRow:
        return replace(row, definition=self.definition)


def _spelled(found: dict[str, object]) -> str:
    value = found.get("value")
    return f"{value:g}" if isinstance(value, float) else str(found.get("reason"))
