"""Seconds that the researcher's side of a study takes with 100,000 ratings: status, export, page.

    python benchmarks/study_operation.py [--ratings 100000]

A rating is an answer to one question. The store is filled by bulk with rows as the flow writes
them: 508 clips (127 edits by four methods), lists of 20 with a trap, a gold trial, a repetition and
three of training, ledgers of the player, raters who are careless, leave or are rejected. A command
is timed from the start of the program to its end, the page as Streamlit runs its script, without
the browser. PostgreSQL is a server of its own on this machine, as in the tests.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import insert, text
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import postgres  # noqa: E402

from study_app.declaration import declared_hash  # noqa: E402
from study_app.export.writing import export  # noqa: E402
from study_app.monitor import DAY, study_status  # noqa: E402
from study_app.open_study import Opened, open_study  # noqa: E402
from study_app.plan import Item, Plan, ServedClip, write_plan  # noqa: E402
from study_app.spec.study import STUDY_FILE, study_from_text  # noqa: E402
from study_app.spec.template import TEMPLATE  # noqa: E402
from study_app.store.database import now  # noqa: E402
from study_app.store.tables import Answer, Playback, Rater, Trial  # noqa: E402

DREAMIX = Path(sys.executable).with_name("dreamix")
QUESTIONS = ("alignment", "fidelity", "quality")
METHODS = ("dreamix", "plug-and-play", "sdedit", "text-to-video")
CLIPS = dict.fromkeys(("l", "r"), ServedClip(2.0, "0" * 64))
KINDS = ["training"] * 3 + ["rating"] * 20 + ["trap", "gold", "repeat"]
LEDGER = {
    "stretches": [{"start": 0.0, "end": 2.0, "rate": 1.0, "seen": True, "took": 2.0}] * 3,
    "plays": 3,
    "seeks": 1,
    "stalls": 0,
    "hidden_ms": 120,
    "width": 480,
}
TOKEN = "0123456789abcdef"
TURNS = 5


def write_study(folder: Path, votes: int) -> None:
    """Write a study of the size of the paper's, without clips."""
    words = TEMPLATE.read_text().replace("$name", "large").replace("$run", "none")
    words = words.replace("$methods", json.dumps(METHODS)).replace("votes: 5", f"votes: {votes}")
    study = study_from_text(words, "study.yaml")
    folder.mkdir(parents=True)
    (folder / STUDY_FILE).write_text(words)
    (folder / "secret").write_bytes(b"0" * 64)
    rated = [(f"v{i % 29}", f"e{i}", method) for i in range(127) for method in METHODS]
    items = [item("rating", *names, None) for names in rated]
    asked = {"trap": dict.fromkeys(QUESTIONS, 2), "gold": {"alignment": 1, "fidelity": 5}}
    items += [item(kind, "v0", "e0", "x", asked.get(kind)) for kind in ("trap", "gold", "training")]
    plan = Plan("large", "", "r", tuple(items), {}, CLIPS)
    write_plan(folder, replace(plan, declared=declared_hash(study, plan)))


def item(kind: str, video: str, edit: str, method: str, expected: dict[str, int] | None) -> Item:
    """Return an item whose clip nobody plays."""
    key = f"{kind}-{edit}-{method}"
    return Item(
        key, kind, video, edit, (method,), "style", "a prompt", "l", "r", 2.0, expected=expected
    )


def fill(running: Opened, ratings: int) -> None:
    """Put so many answers to ratings into the store, and what comes with them."""
    rng = np.random.default_rng(0)
    raters = -(-ratings // (20 * len(QUESTIONS)))
    rated = running.plan.of_kind("rating")
    start = now() - DAY
    tables: dict[Any, list[dict[str, Any]]] = {Rater: [], Trial: [], Answer: [], Playback: []}
    for number in range(raters):
        began = start + number * DAY // raters
        gone = rng.random() < 0.05
        tables[Rater].append(rater_row(number, began, gone, rejected=rng.random() < 0.02))
        places = [*KINDS]
        own = [rated[(20 * number + i) % len(rated)] for i in range(20)]
        for place, kind in enumerate(places):
            shown = own[place - 3] if kind == "rating" else own[0] if kind == "repeat" else None
            key = shown.key if shown else running.plan.of_kind(kind)[0].key
            trial = len(tables[Trial]) + 1
            left = gone and place > 15
            at = began + place * 30_000
            tables[Trial].append(trial_row(trial, number + 1, place, kind, key, at, left))
            if left:
                continue
            tables[Playback].append({"trial_id": trial, "coverage": 0.99, "ledger": LEDGER})
            values = rng.integers(1, 6, 3) if kind != "trap" or rng.random() < 0.1 else (2, 2, 2)
            tables[Answer] += [
                {"trial_id": trial, "question": question, "value": int(value)}
                for question, value in zip(QUESTIONS, values, strict=True)
            ]
    with running.database.writing() as session:
        for table, rows in tables.items():
            session.execute(insert(table), rows)
    with running.database.writing() as session:
        session.execute(text("ANALYZE"))  # as PostgreSQL does by itself within a minute


def rater_row(number: int, began: int, gone: bool, *, rejected: bool) -> dict[str, Any]:
    """Return a rater of twelve minutes."""
    end = began + 720_000
    return {
        "id": number + 1,
        "token": f"token-{number}",
        "platform": "prolific",
        "platform_id": f"pid-{number}",
        "simulated": True,
        "language": "en",
        "screen": "trials" if gone else "finished",
        "number": number,
        "quiz_failures": 0,
        "created": began,
        "seen": end,
        "consented": began,
        "finished": None if gone else end,
        "rejected": end if rejected else None,
        "device": {"width": 1280, "phone": False},
    }


def trial_row(
    id_: int, rater: int, place: int, kind: str, key: str, at: int, left: bool
) -> dict[str, Any]:
    """Return a trial that took 25 seconds, or one that a rater left."""
    return {
        "id": id_,
        "rater_id": rater,
        "place": place,
        "kind": kind,
        "item": key,
        "swapped": False,
        "state": "dealt" if left else "rated",
        "opened": None if left else at,
        "answered": None if left else at + 25_000,
    }


def page(running: object, token: object) -> None:
    """The script of the admin page."""
    from study_app.app.admin import draw

    draw(running, token)


class Spent(NamedTuple):
    """Seconds of some turns."""

    middle: float  # median, wall
    longest: float  # wall
    processor: float  # median; of this process and of the programs that it called


def timed(work: Callable[[], object], turns: int = TURNS) -> Spent:
    """Return what some turns take."""
    wall, processor = [], []
    for _ in range(turns):
        began, before = time.perf_counter(), processor_seconds()
        work()
        wall.append(time.perf_counter() - began)
        processor.append(processor_seconds() - before)
    return Spent(median(wall), max(wall), median(processor))


def processor_seconds() -> float:
    """Return what was used until now; a database server is not in it."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def command(*words: object) -> None:
    """Run the program."""
    subprocess.run([str(DREAMIX), "study", *map(str, words)], check=True, capture_output=True)


def exported(work: Callable[[Path], object], folder: Path) -> None:
    """Export to a folder that is taken away afterwards."""
    work(folder / "out")
    shutil.rmtree(folder / "out")


def measure(folder: Path, url: str, ratings: int) -> Iterator[tuple[str, Spent]]:
    """Give what was timed and its seconds."""
    running = open_study(folder, url)
    fill(running, ratings)
    yield "`watch()`, what status and page count", timed(lambda: study_status(running, now()))
    yield (
        "`dreamix study status`, the whole command",
        timed(lambda: command("status", folder, "--database", url)),
    )
    yield (
        "`export()`, every table as CSV and Parquet",
        timed(lambda: exported(lambda out: export(running, out, now()), folder)),
    )
    words = ("export", folder, "--database", url, "--out")
    yield (
        "`dreamix study export`, the whole command",
        timed(lambda: exported(lambda out: command(*words, out), folder)),
    )
    script = AppTest.from_function(page, args=(running, TOKEN), default_timeout=60).run()
    script.text_input[0].set_value(TOKEN)
    yield "admin page, first look", timed(lambda: script.button[0].click().run(), 1)
    assert script.metric and not script.exception
    yield "admin page, each look after", timed(lambda: script.run())
    running.database.engine.dispose()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ratings", type=int, default=100_000)
    options = parser.parse_args()
    print("| what | store | median s | longest s | processor s |\n|---|---|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "study"
        write_study(folder, votes=-(-options.ratings // (len(QUESTIONS) * 508)))
        show("SQLite", measure(folder, f"sqlite:///{folder / 'x.sqlite'}", options.ratings))
        if postgres.programs():
            place = postgres.new_folder()
            with postgres.server(place) as url:
                show("PostgreSQL", measure(folder, url, options.ratings))
            shutil.rmtree(place)


def show(store: str, found: Iterator[tuple[str, Spent]]) -> None:
    """Print a line for everything that was timed."""
    for what, spent in found:
        print(f"| {what} | {store} | {' | '.join(f'{s:.2f}' for s in spent)} |", flush=True)


if __name__ == "__main__":
    main()
