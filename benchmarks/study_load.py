"""Many raters at once in one study: how long from an answer to the next trial, and is all there?

    python benchmarks/study_load.py --raters 200 [--store postgresql] [--kill 20] [--study STUDY]

STUDY is a folder that `dreamix study build` made, whose own ratings are not touched; without one, a
study of 29 Toybox videos is built, 28 ratings and three checks a rater. A server is
started with `dreamix study serve` on an empty database: an SQLite file, or a PostgreSQL of its own.
Raters are websocket sessions that run every page (study_bots.py); they arrive over the first half
minute, watch clips in real time and think for a while. With --kill the server or PostgreSQL, as
chance says, is killed (SIGKILL) after so many seconds on average, again and again.

Afterwards every answer that was acknowledged is looked for in the database. Prints a row of a
Markdown table; exit code 1 if an answer was lost or doubled,
or if there was none.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sqlalchemy import select
from study_bots import Bot, Judge, Notes
from study_servers import Postgres, Server, built_study, database

from study_app.plan import read_plan
from study_app.spec.study import read_study
from study_app.store.backup import backup
from study_app.store.database import open_database
from study_app.store.tables import Answer

HEAD = (
    "| database | raters | trials | p50 ms | p95 | p99 | connections lost | refused "
    "| answers lost | changed or doubled | memory MB | processor s |"
)


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


async def crowd(
    server: Server, store: Postgres | None, options: argparse.Namespace, notes: Notes
) -> None:
    """Let raters come and rate until the time is over."""
    study = read_study(options.study)
    until = time.monotonic() + options.arrival + 60 * options.minutes
    liked = dict(word.split("=") for word in options.like)
    means = {method: float(mean) for method, mean in liked.items()}
    judge = Judge(read_plan(options.study), means) if means else None
    bots = [
        Bot(n, server.url, study, options.think, notes, until, judge)
        for n in range(options.first, options.first + options.raters)
    ]

    async def come(bot: Bot) -> None:
        await asyncio.sleep(bot.rng.uniform(0, options.arrival))
        await bot.live()

    tasks = [asyncio.create_task(come(bot)) for bot in bots]
    killed = [server, store] if store else [server]
    killer = options.kill and asyncio.create_task(_killing(killed, options.kill, until))
    await asyncio.gather(*tasks)
    if killer:
        await killer


async def _killing(servers: list[Server | Postgres], every: float, until: float) -> None:
    """Kill one of the servers, whichever chance says, and start it again."""
    rng = random.Random(0)
    while time.monotonic() < until - 15:
        await asyncio.sleep(rng.uniform(0.5, 1.5) * every)
        chosen = rng.choice(servers)
        await asyncio.to_thread(chosen.kill)
        await asyncio.to_thread(chosen.start)
        print(f"killed and started: {type(chosen).__name__}", file=sys.stderr, flush=True)


def row(options: argparse.Namespace, server: Server, notes: Notes, found: Found) -> str:
    """Return the figures as a row."""
    p50, p95, p99 = np.percentile(notes.seconds or [np.nan], [50, 95, 99]) * 1000
    kind = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[options.store]
    return (
        f"| {kind} | {options.raters} | {len(notes.acknowledged)} | {p50:.0f} | {p95:.0f} | "
        f"{p99:.0f} | {notes.lost} | {notes.refused + len(notes.errors)} | {found.lost} | "
        f"{found.changed + found.doubled} | {server.megabytes():.0f} | {server.processor():.0f} |"
    )


def main() -> None:
    """Run, compare, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--study", type=Path)
    parser.add_argument("--raters", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--arrival", type=float, default=30.0, help="seconds over which they come")
    parser.add_argument("--think", type=float, default=10.0, help="mean seconds before an answer")
    parser.add_argument("--store", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--kill", type=float, help="kill a server after so many seconds, often")
    parser.add_argument("--port", type=int, default=8599)
    parser.add_argument("--first", type=int, default=0, help="number of the first rater")
    like = "raters pass checks, and votes on a method have this mean"
    parser.add_argument("--like", action="append", default=[], metavar="METHOD=MEAN", help=like)
    parser.add_argument("--keep", type=Path, help="where the database is copied to afterwards")
    options = parser.parse_args()
    notes = Notes()
    with tempfile.TemporaryDirectory() as folder, database(options.store) as (url, store):
        options.study = options.study or built_study(Path(folder))
        server = Server(options.study, options.port, url)
        server.start()
        try:
            asyncio.run(crowd(server, store, options, notes))
            found = compared(url, notes, len(read_study(options.study).questions))
            if options.keep:
                backup(open_database(url), options.keep)
            print(HEAD + "\n|---|" + "--:|" * 11)
            print(row(options, server, notes, found))
        finally:
            server.kill()
    print(*notes.errors[:5], sep="\n", file=sys.stderr)
    sys.exit(not notes.acknowledged or bool(found.lost or found.changed or found.doubled))


if __name__ == "__main__":
    main()
