"""Seconds and memory of the whole analysis of a large rater study, step by step.

    OMP_NUM_THREADS=2 python benchmarks/stats_speed.py [--rows 1000000] [--profile STEP]

Votes of raters of 100 trials each, three questions a trial, on 127 edits of 29 videos by 5 methods,
from a seed. The steps are all that a report of a study computes; 2,000 resamples wherever there is
a bootstrap. Prints a Markdown table; peak memory is that of the process, the table of votes and
Python included.
"""

import argparse
import cProfile
import pstats
import resource
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from evaluation.stats.agreement import (
    bt500,
    intraclass_correlation,
    krippendorff_alpha,
    leave_one_out,
    p913,
    retest_agreement,
    straight_line,
)
from evaluation.stats.ratings import (
    Ratings,
    Votes,
    compare_methods,
    detectable_difference,
    deviations_of,
    item_scores,
    method_scores,
    rater_model,
    read_ratings,
    success,
    success_sweep,
    vote_components,
    votes_on,
)
from evaluation.stats.resampling import Resampling

QUESTIONS = ("alignment", "fidelity", "quality")
SOURCES, EDITS, METHODS, TRIALS = 29, 127, 5, 100
RESAMPLES = 2000
Steps = dict[str, Callable[[], object]]


def long_table(rows: int) -> pd.DataFrame:
    """Return votes: a rater's trials are 100 different items, graded alike by question."""
    rng = np.random.default_rng(0)
    raters = -(-rows // (TRIALS * len(QUESTIONS)))
    item = np.argsort(rng.random((raters, EDITS * METHODS)), axis=1)[:, :TRIALS].ravel()
    rater, (edit, method) = np.repeat(np.arange(raters), TRIALS), np.divmod(item, METHODS)
    merit = 3 + rng.normal(size=EDITS * METHODS)[item] + 0.4 * rng.normal(size=raters)[rater]
    value = np.rint(merit[:, None] + 0.8 * rng.normal(size=(len(rater), len(QUESTIONS))))
    columns = {
        "rater": _named("rater", rater),
        "source": _named("video", edit * SOURCES // EDITS),
        "edit": _named("edit", edit),
        "method": _named("method", method),
    }
    table = pd.DataFrame({name: column.repeat(len(QUESTIONS)) for name, column in columns.items()})
    table["question"] = np.tile(np.array(QUESTIONS, dtype=object), len(rater))
    table["value"] = np.clip(value, 1, 5).ravel()
    return table[:rows]


def steps(ratings: Ratings) -> Steps:
    """Return what a report computes, by name."""
    rng = np.random.default_rng(1)
    by_question = [votes_on(ratings, question) for question in ratings.questions]

    def each(work: Callable[[Votes], object]) -> Callable[[], object]:
        return lambda: [work(votes) for votes in by_question]

    return {
        "scores of items": each(item_scores),
        "scores of methods, bootstrap": each(
            lambda v: method_scores(v, resampling=Resampling(rng, RESAMPLES))
        ),
        "comparisons with Holm, bootstrap, P(B > A)": lambda: compare_methods(
            ratings, resampling=Resampling(rng, RESAMPLES)
        ),
        "success": lambda: success(ratings),
        "success at nine thresholds": lambda: success_sweep(ratings, np.linspace(2, 4, 9)),
        "rater model": each(lambda v: rater_model(v.value, v.item, v.rater)),
        "screening, BT.500": each(lambda v: bt500(v.value, v.item, v.rater)),
        "screening, P.913": each(lambda v: p913(v.value, v.item, v.rater, v.method)),
        "screening, straight lines": each(lambda v: straight_line(v.value, v.rater)),
        "alpha, bootstrap": each(
            lambda v: krippendorff_alpha(
                v.value, v.item, v.source, resampling=Resampling(rng, RESAMPLES)
            )
        ),
        "variance components, power": each(power),
        "ICC": each(lambda v: intraclass_correlation(v.value, v.item, v.rater)),
        "leave-one-out correlations": each(lambda v: leave_one_out(v.value, v.item, v.rater)),
        "retest": each(lambda v: retest_agreement(v.value[:-1], v.value[1:])),
    }


def power(votes: Votes) -> object:
    """Return the least difference that the study could find, from its own components."""
    size = votes.raters, votes.sources, len(votes.value) // votes.methods
    return detectable_difference(deviations_of(vote_components(votes)), *size)


def timed(work: Callable[[], object]) -> float:
    """Return the wall seconds of a call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _named(what: str, code: np.ndarray) -> np.ndarray:
    """Return labels as a table has them: objects, one string for each code."""
    names = np.array([f"{what} {number:05d}" for number in range(code.max() + 1)], dtype=object)
    return np.asarray(names[code])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--profile", help="profile the steps whose name contains this, only")
    options = parser.parse_args()
    table = long_table(options.rows)
    began = time.perf_counter()
    ratings = read_ratings(table)
    spent = {"reading and checking the table": time.perf_counter() - began}
    for name, work in steps(ratings).items():
        if options.profile and options.profile in name:
            profile = cProfile.Profile()
            profile.runcall(work)
            pstats.Stats(profile).sort_stats("tottime").print_stats(20)
        elif not options.profile:
            spent[name] = timed(work)
    print(f"| {len(table):,} votes of {len(ratings.raters):,} raters | seconds |\n|---|--:|")
    for name, seconds in spent.items():
        print(f"| {name} | {seconds:.2f} |")
    print(f"| all | {sum(spent.values()):.2f} |")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nPeak memory: {peak:.0f} MB")


if __name__ == "__main__":
    main()
