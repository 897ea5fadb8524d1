"""Clips that programs of the user's score: asked for, answered, and on disk at once.

Programs run one after the other, beside the processes that decode clips. One that dies or hangs
costs the clip it was at, and is started again for the others; where it twice says nothing, or ten
times ends without an answer, the rest is not asked. Whatever is not answered becomes a row with the
reason.
"""

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from dreamix.core.errors import UserError
from evaluation.schema import ScoreRow
from evaluation.score.answers import Requests
from evaluation.score.command import Command, TimeLimits
from evaluation.score.inquiry import LOOK, Inquiry, Keeps
from evaluation.score.ledger import Ask, ScoreLedger
from evaluation.score.program import ChildProgram, ProgramEnded
from evaluation.score.table import Key

FAREWELL = 10.0  # seconds to end in, for a program that has answered everything
MOST_SILENT, MOST_BARREN = 2, 10  # starts in a row without a line, and without an answer
MOST_TOGETHER = 1000  # lines in one write
WORDS = 300  # letters of what a program wrote to its standard error


class Programs:
    """Has programs and judges answer in a thread of its own, one after the other."""

    def __init__(self, inquiries: Mapping[str, Inquiry]) -> None:
        self._all = dict(inquiries)
        self._error: BaseException | None = None
        self._is_done = threading.Event()  # not `join`, which Ctrl-C leaves in disorder (bpo-45274)
        threading.Thread(target=self._work, daemon=True).start()

    @property
    def names(self) -> list[str]:
        """The metrics."""
        return [*self._all]

    def ask(self, asks: Iterable[Ask]) -> None:
        """Have clips scored; an error of the thread is raised here, or by `finish`."""
        if self._error:
            raise self._error
        for ask in asks:
            self._all[ask.row.metric].ask(ask)

    def finish(self) -> dict[str, Inquiry]:
        """Wait until all is answered or has a reason; return what is known of each metric."""
        for one in self._all.values():
            one.close()
        self._is_done.wait()
        if self._error:
            raise self._error
        return self._all

    def stop(self) -> None:
        """End what runs."""
        for one in self._all.values():
            one.stop()
        self._is_done.wait()

    def _work(self) -> None:
        try:
            for one in self._all.values():
                one.serve()
        except BaseException as error:  # noqa: BLE001 - it is raised where the work was asked for
            self._error = error
        finally:
            self._is_done.set()


class Evaluation(Inquiry):
    """One metric that is a program: its ledger, and the program while that runs."""

    def __init__(
        self, command: Command, ledger: ScoreLedger, requests: Requests,
        keeper: Keeps, limits: TimeLimits, environment: Mapping[str, str],
    ) -> None:  # fmt: skip
        super().__init__(ledger, keeper)
        self._command, self._environment = command, environment
        self._requests, self._limits = requests, limits
        self._silent = self._barren = 0  # starts in a row without a line, without an answer

    def _run_once(self) -> None:
        """Start the program and talk to it until it has ended, or has to be."""
        try:
            program = ChildProgram(self._command.words, self._environment)
        except OSError as error:
            self.ledger.hopeless = f"the program cannot be started: {error.strerror or error}"
            return
        grace, before = 0.0, len(self.ledger.answered)
        try:
            if end := self._talk(program):
                is_barren = len(self.ledger.answered) == before
                self._barren = self._barren + 1 if is_barren else 0
                self._silent = self._silent + 1 if end.is_silent else 0
                self._pay(end, program)
            elif not (self._is_stopped or self.ledger.hopeless):
                grace = FAREWELL  # all is answered: it may end by itself
        finally:
            program.stop(grace)

    def _talk(self, program: ChildProgram) -> "End | None":
        """Return how it ended with clips unanswered; None if there are none, or we stop."""
        is_closed = False
        self._send(program, [*self.ledger.pending])
        watch = Watch(program, self._limits)
        while not (self._is_stopped or self.ledger.hopeless):
            self._send(program, self._new_asks())
            if not is_closed and self._is_all_asked():
                program.close()
                is_closed = True
            if is_closed and not self.ledger.pending:
                return None
            try:
                self._listen(program, watch)
            except ProgramEnded:
                if self.ledger.hopeless:  # by its last line, which says more than its end
                    return None
                return _ended(program, is_closed)._replace(is_silent=watch.is_silent)
            if self.ledger.pending and (end := watch.late()):
                return end
        return None

    def _send(self, program: ChildProgram, names: Iterable[str]) -> None:
        """Ask about clips; of what the run has lost, that is the reason."""
        for name in names:
            ask = self.ledger.pending[name]
            try:
                program.send(self._requests.line(ask.row.cell, ask.clip))
            except UserError as error:
                self._keeper.keep(self.ledger.fail([name], str(error)))

    def _listen(self, program: ChildProgram, watch: "Watch") -> None:
        """Keep what the program has answered, in one write."""
        rows: dict[Key, ScoreRow] = {}
        lines, noises, seconds = 0, self.ledger.noises, LOOK
        try:
            while lines < MOST_TOGETHER and (line := program.take(seconds)) is not None:
                rows |= {row.key: row for row in self.ledger.take(line)}
                lines, seconds = lines + 1, 0.0
        finally:
            if self.ledger.is_heard:
                self._keeper.define(self._command.facts(self.ledger.said))
            self._keeper.keep([*rows.values()])
            watch.saw(lines > self.ledger.noises - noises)

    def _pay(self, end: "End", program: ChildProgram) -> None:
        """Give those their reason that will not be asked again."""
        words = program.last_words[-WORDS:]
        told = f"{end.reason}: {words}" if words else end.reason
        reason = "; ".join(filter(None, (told, self.ledger.noise)))
        if end.costs == "all" or self._silent >= MOST_SILENT or self._barren >= MOST_BARREN:
            self.ledger.hopeless = reason
        elif end.costs == "oldest" and self.ledger.pending:
            self._keeper.keep(self.ledger.fail([next(iter(self.ledger.pending))], reason))


class End(NamedTuple):
    """How a program ended, and which of the clips that it did not answer that costs."""

    reason: str
    costs: Literal["all", "oldest", "nobody"]
    is_silent: bool = False  # it never said anything


class Watch:
    """Tells whether a program has been silent for too long."""

    def __init__(self, program: ChildProgram, limits: TimeLimits) -> None:
        self._program, self._limits = program, limits
        self._heard: float | None = None  # when it last said something

    @property
    def is_silent(self) -> bool:
        """True if it has never said anything."""
        return self._heard is None

    def saw(self, anything: bool) -> None:
        """Take note of whether it just said something."""
        if anything:
            self._heard = time.monotonic()

    def late(self) -> End | None:
        """Return its end, if it is too late; what it has not been given it need not answer."""
        silent = time.monotonic() - max(self._program.given, self._heard or 0.0)
        if self._heard is None and silent > self._limits.start:
            return End(
                f"no answer within {self._limits.start:g} s of its start (--cmd-start)", "all"
            )
        if self._heard is not None and silent > self._limits.clip:
            return End(f"no answer within {self._limits.clip:g} s (--cmd-clip)", "oldest")
        return None


def _ended(program: ChildProgram, is_closed: bool) -> End:
    how = program.ending()
    if not how.endswith("exit code 0"):
        return End(how, "oldest")
    return End(
        "the program ended without an answer for this clip", "all" if is_closed else "nobody"
    )
