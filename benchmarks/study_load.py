"""Many raters at once in one study: how long from an answer to the next trial, and is all there?

    python benchmarks/study_load.py STUDY --raters 200 [--database URL] [--minutes 3] [--kill 20]

STUDY is a folder that `dreamix study build` made; its own ratings are not touched. A server is
started as `dreamix study serve` does, on an empty database: an SQLite file, or an empty PostgreSQL
database at URL. Raters are websocket sessions that run every page (study_bots.py); they arrive
over the first half minute, watch clips in real time and think for a while. With --kill the server
is killed (SIGKILL) after so many seconds on average, again and again, and started anew.

Afterwards every answer that was acknowledged is looked for in the database. Prints a row of a
Markdown table; exit code 1 if an answer was lost or doubled.
"""

import argparse
import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sqlalchemy import select
from study_bots import Bot, Notes

from study_app.spec.reading import read_study
from study_app.store.database import open_database
from study_app.store.tables import Answer

DREAMIX = Path(sys.executable).with_name("dreamix")
ARRIVAL = 30.0  # seconds over which raters come


@dataclass
class Server:
    """The served study, in a process of its own."""

    study: Path
    port: int
    database: str
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [DREAMIX, "study", "serve", self.study, "--port", str(self.port)]
        log = Path(tempfile.gettempdir()) / "study_load.log"
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [*command, "--database", self.database], stdout=out, stderr=out
            )
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{self.url}/health", timeout=2)
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit(f"the server does not start; see {log}")

    def kill(self) -> None:
        """Kill it as a power cut would."""
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def megabytes(self) -> float:
        """Return the most memory that it has held so far."""
        assert self.process
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024

    def processor(self) -> float:
        """Return the seconds of processor time that it has used."""
        assert self.process
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Found(NamedTuple):
    """What the database holds of what raters were told is saved."""

    answers: int
    lost: int
    changed: int
    doubled: int


def compared(database: str, notes: Notes, questions: int) -> Found:
    """Return what is missing, other, or there twice."""
    store = open_database(database)
    with store.reading() as session:
        rows = session.execute(select(Answer.trial_id, Answer.question, Answer.value)).all()
    store.engine.dispose()
    counts = Counter((trial, question) for trial, question, _ in rows)
    there: dict[int, dict[str, int]] = {}
    for trial, question, value in rows:
        there.setdefault(trial, {})[question] = value
    lost = sum(trial not in there for trial in notes.acknowledged)
    changed = sum(there.get(t, a) != a for t, a in notes.acknowledged.items())
    changed += sum(t in there and there[t] != a for t, a in notes.sent.items())
    halves = sum(len(answers) != questions for answers in there.values())
    doubled = sum(count > 1 for count in counts.values())
    return Found(len(rows), lost, changed + halves, doubled)


async def crowd(server: Server, options: argparse.Namespace, notes: Notes) -> None:
    """Let raters come and rate until the time is over."""
    study = read_study(options.study)
    until = time.monotonic() + ARRIVAL + 60 * options.minutes
    bots = [
        Bot(n, server.url, study, options.think, notes, until)
        for n in range(options.first, options.first + options.raters)
    ]

    async def come(bot: Bot) -> None:
        await asyncio.sleep(bot.rng.uniform(0, ARRIVAL))
        await bot.live()

    tasks = [asyncio.create_task(come(bot)) for bot in bots]
    killer = asyncio.create_task(_killing(server, options.kill, until)) if options.kill else None
    await asyncio.gather(*tasks)
    if killer:
        killer.cancel()


async def _killing(server: Server, every: float, until: float) -> None:
    rng = random.Random(0)
    while time.monotonic() < until - 15:
        await asyncio.sleep(rng.uniform(0.5, 1.5) * every)
        server.kill()
        await asyncio.to_thread(server.start)
        print("killed and started", file=sys.stderr, flush=True)


@contextmanager
def database(url: str | None) -> Iterator[str]:
    """Give the URL of the database: as asked, or a new SQLite file."""
    with tempfile.TemporaryDirectory() as folder:
        yield url or f"sqlite:///{folder}/ratings.sqlite"


def row(options: argparse.Namespace, server: Server, notes: Notes, found: Found) -> str:
    """Return the figures as a row."""
    p50, p95, p99 = np.percentile(notes.seconds or [np.nan], [50, 95, 99]) * 1000
    kind = "SQLite" if server.database.startswith("sqlite") else "PostgreSQL"
    return (
        f"| {kind} | {options.raters} | {len(notes.acknowledged)} | {p50:.0f} | {p95:.0f} | "
        f"{p99:.0f} | {notes.lost} | {notes.refused + len(notes.errors)} | {found.lost} | "
        f"{found.changed + found.doubled} | {server.megabytes():.0f} | {server.processor():.0f} |"
    )


def main() -> None:
    """Run, compare, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("study", type=Path)
    parser.add_argument("--raters", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--think", type=float, default=10.0, help="mean seconds before an answer")
    parser.add_argument("--database")
    parser.add_argument("--kill", type=float, help="kill the server after so many seconds, often")
    parser.add_argument("--port", type=int, default=8599)
    parser.add_argument("--first", type=int, default=0, help="number of the first rater")
    options = parser.parse_args()
    notes = Notes()
    with database(options.database) as url:
        server = Server(options.study, options.port, url)
        server.start()
        try:
            asyncio.run(crowd(server, options, notes))
            found = compared(url, notes, len(read_study(options.study).questions))
            print(
                "| database | raters | trials | p50 ms | p95 | p99 | connections lost | refused "
                "| answers lost | changed or doubled | memory MB | processor s |"
            )
            print("|---|" + "--:|" * 11)
            print(row(options, server, notes, found))
            for error in notes.errors[:5]:
                print(error, file=sys.stderr)
        finally:
            server.kill()
    sys.exit(bool(found.lost or found.changed or found.doubled))


if __name__ == "__main__":
    main()
