"""How even the votes stay while a thousand raters come and a fifth of them leave.

    python benchmarks/study_balance.py [--raters 1000] [--drop-out 0.2]

The plan has the 127 edits of the benchmark's 29 videos by three methods, 381 cells, none of which
reaches its quota. Simulated raters of 20 ratings and four checks come every 40 seconds, overlap,
and leave in the middle of their lists; what they held goes to others an hour later. They go through
the flow and the store that people go through. Prints Markdown tables.
"""

import argparse
import sys
import tempfile
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
from sqlalchemy import func, select

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))
from small_study import METHODS, PLAN, item, study

from dreamix.data.suite import load_suite
from study_app.allocation import votes_per_cell
from study_app.declaration import Running
from study_app.plan import Plan
from study_app.simulated_raters import Crowd, method_merit, simulate
from study_app.store.database import open_database
from study_app.store.tables import Rater, Trial

SUITE = Path(__file__).parents[1] / "datasets" / "toybox"
CHANGES = {"trials: 9": "trials: 20", "votes: 5": "votes: 1000"}
STAGES = 10


def whole_plan() -> Plan:
    """Return a plan with a cell for every edit and method of the benchmark."""
    edits = load_suite(SUITE).edits
    ratings = [item("rating", e.video, e.id, method) for e in edits for method in METHODS]
    checks = [kept for kept in PLAN.items if kept.kind != "rating"]
    return Plan(
        study="s", declared="h", run="r", items=(*ratings, *checks), left_out={}, clips=PLAN.clips
    )


def stages(running: Running, raters: int, drop_out: float) -> None:
    """Let raters come, a tenth at a time, and print how far votes are apart after each."""
    crowd = Crowd(raters=raters // STAGES, drop_out=drop_out, between=40)
    merit = method_merit(running, {})
    print("| raters | left early | trials taken back | votes given | fewest and most held |")
    print("|--:|--:|--:|--:|--:|")
    start = 0
    for stage in range(STAGES):
        simulate(running, crowd, merit, seed=stage, start=start)
        with running.database.reading() as session:
            start = session.scalar(select(func.max(Rater.seen))) or 0
            came, done = session.execute(
                select(func.count(), func.count(Rater.finished)).select_from(Rater)
            ).one()
            counted = select(Trial.state, func.count()).where(Trial.kind == "rating")
            states = {state: n for state, n in session.execute(counted.group_by(Trial.state))}
            held = votes_per_cell(session, running.plan).values()
        print(
            f"| {came} | {came - done} | {states.get('released', 0)} | {states['rated']} "
            f"| {min(held)}, {max(held)} |"
        )


def balance(running: Running) -> None:
    """Print how evenly methods stand in the lists of raters and at their places."""
    with running.database.reading() as session:
        rows = session.execute(
            select(Trial.rater_id, Trial.place, Trial.item).where(Trial.kind == "rating")
        ).all()
    by_rater: dict[int, Counter[str]] = {}
    by_place: dict[str, list[int]] = {method: [] for method in METHODS}
    for rater, place, key in rows:
        (method,) = running.plan.by_key[key].methods
        by_rater.setdefault(rater, Counter())[method] += 1
        by_place[method].append(place)
    spread = Counter(max(c.values()) - min(c[m] for m in METHODS) for c in by_rater.values())
    print(f"\nmost less fewest ratings of a method in a list: {dict(sorted(spread.items()))}\n")
    first, last = min(map(min, by_place.values())), max(map(max, by_place.values()))
    edges = np.linspace(first, last + 1, 5)
    print("| trials of the list | " + " | ".join(METHODS) + " |\n|---|" + "--:|" * len(METHODS))
    counts = np.stack([np.histogram(by_place[m], edges)[0] for m in METHODS])
    for quarter, (low, high) in enumerate(pairwise(edges)):
        cells = " | ".join(f"{count}" for count in counts[:, quarter])
        print(f"| {np.ceil(low) - first + 1:.0f} to {np.ceil(high) - first:.0f} | {cells} |")


def main() -> None:
    """Simulate, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--raters", type=int, default=1000)
    parser.add_argument("--drop-out", type=float, default=0.2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/ratings.sqlite")
        running = Running(study(**CHANGES), whole_plan(), database)
        stages(running, options.raters, options.drop_out)
        balance(running)
        database.engine.dispose()


if __name__ == "__main__":
    main()
