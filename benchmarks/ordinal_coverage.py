"""Error rates and coverage of the ordinal models, over simulated studies of known truth.

    OMP_NUM_THREADS=1 python benchmarks/ordinal_coverage.py [--studies 200]

Two of the designs of `stats_coverage.py`, one question; votes are rounded normals, so the probit
model of `ordinal_bayes` is right about them up to the ends of the scale, and the logit model of
`clmm` nearly so. Results are appended to `runs/coverage/ordinal.jsonl`; a stopped run goes on.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from simulated_studies import DESIGNS, EFFECTS, draw_panel, draw_study, true_mos
from stats_coverage import table
from study_results import collect, covered, rejected, rows

from evaluation.stats.ratings import (
    ordinal_comparisons,
    ordinal_methods,
    posterior,
    posterior_differences,
    votes_on,
)

RUNS = Path(__file__).parents[1] / "runs" / "coverage" / "ordinal.jsonl"
NAMES = [name for name in DESIGNS if not name.startswith("100")]
QUESTION, POINTS = "quality", "difference in points, posterior"


def ordinal_study(name: str, number: int) -> dict[str, Any]:
    """Return the p of equal methods, and the credible interval of a difference, a and b."""
    design, rng = DESIGNS[name], np.random.default_rng([6, NAMES.index(name), number])
    study = draw_study(design, draw_panel(design, rng), rng)
    null, real = (votes_on(study.ratings(e), QUESTION) for e in (np.zeros(3), EFFECTS))
    tested = ordinal_comparisons(ordinal_methods(null))[0]
    drawn = posterior(real, rng.spawn(2), draws=500, warm_up=250)
    found = posterior_differences(drawn)[0]
    interval = {POINTS: (found.low, found.mean, found.high)}
    return {"p": {"log-odds, t": tested.p}, "interval": interval, "truth": {}}


def main() -> None:
    """Simulate what is missing and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--results", type=Path, default=RUNS)
    options = parser.parse_args()
    for name in NAMES:
        collect(options.results, name, ordinal_study, options.studies, options.workers)
    studies = {name: rows(options.results, name) for name in NAMES}
    table("false alarms at nominal 5%", {name: rejected(made) for name, made in studies.items()})
    known = {POINTS: true_mos(EFFECTS[1]) - true_mos(EFFECTS[0])}
    held = {name: covered(made, known) for name, made in studies.items()}
    table("truth inside nominal 95%", held)


if __name__ == "__main__":
    main()
