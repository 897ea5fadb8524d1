"""Clips that are asked about in the thread of the programs: what is open, and when all is done."""

import threading
import time
from collections.abc import Sequence
from typing import Protocol

from dreamix.core.errors import UserError
from evaluation.run.info import MetricInfo
from evaluation.schema import ScoreRow
from evaluation.score.ledger import Ask, ScoreLedger

LOOK = 0.01  # seconds between two looks for more to ask


class Keeps(Protocol):
    """What rows are given to, as they come, from the thread of the programs."""

    def define(self, facts: MetricInfo) -> None:
        """Keep what the number of a metric means."""

    def keep(self, rows: Sequence[ScoreRow]) -> None:
        """Keep rows; they are on disk when this returns."""


class Inquiry:
    """One metric that is asked for: its ledger, and what has come in for it.

    A kind of metric says in `_run_once` how it answers.
    """

    who = "the program"

    def __init__(self, ledger: ScoreLedger, keeper: Keeps) -> None:
        self.ledger, self.seconds = ledger, 0.0
        self._keeper = keeper
        self._lock = threading.Lock()  # of the inbox and whether it is closed
        self._inbox: list[Ask] = []
        self._is_closed = self._is_stopped = False
        self._is_first = True  # start

    @property
    def remarks(self) -> dict[str, str]:
        """What a reader has to know of how it went, by what that is about."""
        return {self.ledger.command.name: noise} if (noise := self.ledger.noise) else {}

    def ask(self, ask: Ask) -> None:
        """Have a clip scored, if it was not before."""
        with self._lock:
            self._inbox.append(ask)

    def close(self) -> None:
        """Let it be known that nothing more will be asked."""
        with self._lock:
            self._is_closed = True

    def stop(self) -> None:
        """End it, whatever is unanswered."""
        self._is_stopped = True

    def serve(self) -> None:
        """Answer all that is asked, until nothing more will be."""
        began = time.monotonic()
        while not self._is_done():
            if self.ledger.hopeless:
                self._keeper.keep(self.ledger.fail(self.ledger.pending, self.ledger.hopeless))
            elif self.ledger.pending or self._is_first:
                self._run_once()  # at first without clips too: it may load its model meanwhile
                self._is_first = False
                continue
            time.sleep(LOOK)
        self.seconds = time.monotonic() - began
        if why := self.ledger.withheld:
            raise UserError(
                f"{self.ledger.command.name}: {self.who} is another than the one that scored this "
                f"run, and answered nothing; the scores of that are kept: {why}"
            )

    def _run_once(self) -> None:
        """Answer what is open."""
        raise NotImplementedError

    def _is_done(self) -> bool:
        self._new_asks()
        return self._is_stopped or (self._is_all_asked() and not self.ledger.pending)

    def _is_all_asked(self) -> bool:
        with self._lock:
            return self._is_closed and not self._inbox

    def _new_asks(self) -> list[str]:
        """Return the ids of clips that were asked for since the last call."""
        with self._lock:
            asks, self._inbox = self._inbox, []
        return self.ledger.add(asks)
