"""Error rates of tests and coverage of intervals, ours and the usual ones, over simulated studies.

    OMP_NUM_THREADS=1 python benchmarks/stats_coverage.py [--studies 2000] [--meta 600]

Three designs of rater studies (`rating_coverage.py`), studies whose raters see one method each
(`arms_coverage.py`) or whose votes pile up at the end of the scale (`ceiling_coverage.py`), one
meta-evaluation, and rankings of metrics (`meta_coverage.py`; `--rankings`, half as many of 20
metrics), each drawn from a known truth. Every study has a seed of its own;
results are appended to `runs/coverage/studies.jsonl`, so that a stopped run goes on, and do not
depend on `--workers`. Prints Markdown tables, percent with Monte Carlo standard error, and draws
`docs/images/coverage.png`.
"""

import argparse
from pathlib import Path

from arms_coverage import ARMS, arms_study
from ceiling_coverage import CEILING, ceiling_study, ceiling_truths
from coverage_figure import draw
from meta_coverage import (
    FOUND,
    RANKINGS,
    TIED,
    better_study,
    meta_study,
    population,
    ranking_study,
    tied_study,
)
from meta_coverage import NAME as META
from rating_coverage import rating_study, truths
from simulated_studies import DESIGNS
from study_results import Share, collect, covered, rejected, rows

RUNS = Path(__file__).parents[1] / "runs" / "coverage" / "studies.jsonl"
FIGURE = Path(__file__).parents[1] / "docs" / "images" / "coverage.png"
NULL = "null difference, bootstrap"


def main() -> None:
    """Simulate what is missing, print, draw."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--meta", type=int, default=600)
    parser.add_argument("--rankings", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--results", type=Path, default=RUNS)
    options = parser.parse_args()
    for name in DESIGNS:
        collect(options.results, name, rating_study, options.studies, options.workers)
    collect(options.results, META, meta_study, options.meta, options.workers)
    for name in ARMS:
        collect(options.results, name, arms_study, options.studies, options.workers)
    for name in CEILING:
        collect(options.results, name, ceiling_study, options.studies, options.workers)
    for study, rankings in ((ranking_study, RANKINGS), (better_study, FOUND), (tied_study, TIED)):
        for name, (metrics, _) in rankings.items():
            many = options.rankings // 2 if metrics > 5 else options.rankings
            collect(options.results, name, study, many, options.workers)
    alarms, held = by_design(options.results)
    table("false alarms at nominal 5%", alarms)
    table("truth inside nominal 95%", held)
    studies = rows(options.results, META)
    table("false alarms at nominal 5%", {META: rejected(studies)})
    table("truth inside nominal 95%", {META: covered(studies, population())})
    table(
        "false alarms at nominal 5%", {name: rejected(rows(options.results, name)) for name in ARMS}
    )
    table(
        "truth inside nominal 95%",
        {name: covered(rows(options.results, name), ceiling_truths()) for name in CEILING},
    )
    alarm = "false alarms at nominal 5%"
    for title, rankings in ((alarm, RANKINGS), ("found at 5%", FOUND), (alarm, TIED)):
        table(title, {name: rejected(rows(options.results, name)) for name in rankings})
    draw(alarms, held, FIGURE)


def by_design(
    file: Path,
) -> tuple[dict[str, dict[str, Share]], dict[str, dict[str, Share]]]:
    """Return false alarms and coverage of each rater design."""
    alarms, held = {}, {}
    for name in DESIGNS:
        studies = rows(file, name)
        held[name] = covered(studies, truths(name))
        inside = held[name].pop(NULL)
        alarms[name] = rejected(studies)
        alarms[name]["difference, bootstrap"] = Share(1 - inside.value, inside.studies)
    return alarms, held


def table(title: str, columns: dict[str, dict[str, Share]]) -> None:
    """Print a Markdown table with a column for each design."""
    lines = list(dict.fromkeys(name for column in columns.values() for name in column))
    print(f"\n| {title} | " + " | ".join(columns) + " |\n|---|" + "--:|" * len(columns))
    for line in lines:
        cells = [str(column[line]) if line in column else "" for column in columns.values()]
        print(f"| {line} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
