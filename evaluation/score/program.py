"""A program that runs beside us: lines go in, lines come out, and it ends when we say so.

It has a process group of its own, so that Ctrl-C reaches it through us alone and what it started
ends with it. Neither side waits for the other: three threads feed it, listen to it and keep the end
of what it writes to its standard error.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from queue import Empty, Full, Queue, SimpleQueue
from typing import IO

MOST_LINE = 1 << 20  # bytes of a line; a longer one is none of ours
MOST_WAITING = 1000  # lines that wait to be taken; with more, the program waits
TAIL = 4000  # bytes of its standard error that are kept
GRACE = 2.0  # seconds between asking it to end and ending it
TOO_LONG = b"(a line without end)"  # stands for one


class ProgramEnded(Exception):
    """There will be no more lines."""


class ChildProgram:
    """A program that was started; stop it, whatever happens."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [*words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environment),
            start_new_session=True,
            bufsize=0,
        )
        self.given = time.monotonic()  # when it was last given something
        self.started = self.given
        self._tail, self._stopped = b"", threading.Event()
        self._in: SimpleQueue[bytes | None] = SimpleQueue()
        self._lines: Queue[bytes | None] = Queue(MOST_WAITING)
        self._threads = [
            threading.Thread(target=work, daemon=True)
            for work in (self._feed, self._listen, self._overhear)
        ]
        for thread in self._threads:
            thread.start()

    def send(self, line: bytes) -> None:
        """Give it a line, as soon as it takes it."""
        self._in.put(line)

    def close(self) -> None:
        """Let it know that there are no more lines."""
        self._in.put(None)

    def take(self, seconds: float) -> bytes | None:
        """Return its next line, None if it wrote none for so long.

        Raises:
            ProgramEnded: if there will be none.
        """
        try:
            line = self._lines.get(timeout=seconds)
        except Empty:
            if self._has_exited():  # what it started may hold its output open
                return self._last_line()
            return None
        if line is None:
            raise ProgramEnded
        return line

    def ending(self) -> str:
        """Return how it ended, once its lines have."""
        deadline = time.monotonic() + GRACE
        while not self._has_exited() and time.monotonic() < deadline:
            time.sleep(0.005)
        if not self._has_exited():
            return "the program closed its output"
        found = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        status = found.si_status if found else 0
        if found and found.si_code != os.CLD_EXITED:
            named = {one.value: one.name for one in signal.Signals}
            return f"the program was ended by signal {status} ({named.get(status, 'unknown')})"
        return f"the program ended with exit code {status}"

    @property
    def last_words(self) -> str:
        """The end of what it wrote to its standard error, as one line."""
        self._threads[2].join(0.5 if self._has_exited() else 0)
        text = self._tail.decode(errors="replace")
        return " ".join(text.split())

    def stop(self, grace: float = GRACE) -> None:
        """End it and all that it started.

        grace: seconds for it to end by itself, before it is asked to.
        """
        self._stopped.set()
        self._in.put(None)
        for sign, seconds in ((None, grace), (signal.SIGTERM, GRACE), (signal.SIGKILL, None)):
            if sign is not None:
                self._signal(sign)
            if self._exits_within(seconds):
                break
        self._signal(signal.SIGKILL)  # what it left behind, while its group is still its own
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            with suppress(OSError):
                assert pipe is not None
                pipe.close()

    def _exits_within(self, seconds: float | None) -> bool:
        deadline = None if seconds is None else time.monotonic() + seconds
        while not self._has_exited():
            if deadline is not None and time.monotonic() >= deadline:
                return False
            time.sleep(0.005)
        return True

    def _has_exited(self) -> bool:
        """Return True if it has; it is not reaped, so that its number stays its own."""
        flags = os.WEXITED | os.WNOWAIT | os.WNOHANG
        try:
            return os.waitid(os.P_PID, self._process.pid, flags) is not None
        except ChildProcessError:
            return True

    def _signal(self, sign: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, sign)

    def _last_line(self) -> bytes | None:
        try:
            line = self._lines.get(timeout=0.2)
        except Empty:
            line = None
        if line is None:
            raise ProgramEnded
        return line

    def _feed(self) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        with suppress(OSError, ValueError):  # it ended, or was stopped
            while (line := self._in.get()) is not None:
                _write(pipe, line)
                self.given = time.monotonic()
        with suppress(OSError):
            pipe.close()

    def _listen(self) -> None:
        pipe, rest, skipping = self._process.stdout, b"", False
        assert pipe is not None
        with suppress(OSError, ValueError):
            while chunk := pipe.read(1 << 16):
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    self._put(TOO_LONG if skipping else line)
                    skipping = False
                if len(rest) > MOST_LINE:
                    rest, skipping = b"", True
        if rest and not skipping:
            self._put(rest)  # a last line without its end may be whole
        self._put(None)

    def _put(self, line: bytes | None) -> None:
        while not self._stopped.is_set():
            with suppress(Full):
                self._lines.put(line, timeout=0.2)
                return

    def _overhear(self) -> None:
        pipe = self._process.stderr
        assert pipe is not None
        with suppress(OSError, ValueError):
            while chunk := pipe.read(1 << 16):
                self._tail = (self._tail + chunk)[-TAIL:]


def _write(pipe: IO[bytes], data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[pipe.write(view) :]
