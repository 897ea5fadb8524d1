"""Seconds of the meta-evaluation: a ranking of 20 metrics, and ours beside scipy's resampling.

    OMP_NUM_THREADS=2 python benchmarks/meta_speed.py [--permutations 10000] [--plain 100]

Data: 5 systems x 127 edits of 29 videos, 20 metrics, votes of 3 raters, from a seed. "Plain" is
scipy.stats.bootstrap and scipy.stats.permutation_test with the statistic written as one would:
a function of the resample that calls scipy's correlation, item by item. It is slow, so it runs
`--plain` resamples and seconds are compared per 1,000 resamples. SPA draws at most 1,000.
"""

import argparse
import resource
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import scipy.stats
from naive_tests import swapped_cells, swapped_verdicts

from evaluation.stats.meta import (
    LEVELS,
    Statistic,
    bootstrap_accuracy,
    bootstrap_correlation,
    metric_ranking,
    tie_calibrated_accuracy,
)
from evaluation.stats.resampling import Resampling

SOURCES = np.arange(127) * 29 // 127
RANKINGS = [
    Statistic("acc_eq"),
    Statistic("correlation", "item", "kendall_b"),
    Statistic("correlation", "system", "kendall_b"),
    Statistic("correlation", "system", "pearson"),
    Statistic("spa"),
]
PLAIN = {
    "pearson": lambda x, y: scipy.stats.pearsonr(x, y).statistic,
    "spearman": lambda x, y: scipy.stats.spearmanr(x, y).statistic,
    "kendall_b": lambda x, y: scipy.stats.kendalltau(x, y).statistic,
}


def data() -> tuple[np.ndarray, np.ndarray]:
    """Return 20 metrics of rising noise, and votes."""
    rng = np.random.default_rng(0)
    votes = rng.integers(1, 6, (5, 127, 1)) + rng.integers(-1, 2, (5, 127, 3)).astype(float)
    noise = np.linspace(0.5, 5, 20)[:, None, None] * rng.normal(size=(20, 5, 127))
    return votes.mean(axis=2) + noise, votes


def timed(work: Callable[[], object]) -> float:
    """Return the wall seconds of a call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def plain_level(level: str, kind: str, metric: np.ndarray, human: np.ndarray) -> float:
    """Return a correlation at a level as one would write it with scipy."""
    coefficient = PLAIN[kind]
    if level == "item":
        return float(
            np.nanmean([coefficient(*pair) for pair in zip(metric.T, human.T, strict=True)])
        )
    if level == "edits":
        return float(np.nanmean([coefficient(*pair) for pair in zip(metric, human, strict=True)]))
    if level == "system":
        return float(coefficient(metric.mean(axis=1), human.mean(axis=1)))
    return float(coefficient(metric.ravel(), human.ravel()))


def plain_bootstrap(statistic: Callable[..., float], resamples: int) -> None:
    """Run scipy.stats.bootstrap over sources: a resample is a vector of source numbers."""
    members = [np.flatnonzero(source == SOURCES) for source in range(29)]

    def of_sources(drawn: np.ndarray) -> float:
        return statistic(np.concatenate([members[source] for source in drawn]))

    scipy.stats.bootstrap(
        (np.arange(29),), of_sources, vectorized=False, n_resamples=resamples,
        method="percentile", rng=np.random.default_rng(1),
    )  # fmt: skip


def plain_permutation(
    statistic: Callable[[np.ndarray], float], first: np.ndarray, second: np.ndarray, draws: int
) -> None:
    """Run scipy.stats.permutation_test on the cells of two metrics."""

    def gap(one: np.ndarray, other: np.ndarray) -> float:
        return statistic(one.reshape(first.shape)) - statistic(other.reshape(first.shape))

    scipy.stats.permutation_test(
        (first.ravel(), second.ravel()), gap, permutation_type="samples", vectorized=False,
        n_resamples=draws, rng=np.random.default_rng(1),
    )  # fmt: skip


def rankings(permutations: int) -> None:
    """Print seconds of whole tables: intervals, p-values of all 190 pairs, raters' row."""
    metrics, votes = data()
    names = [f"metric {place}" for place in range(20)]
    print(f"| ranking of 20 metrics, {permutations} permutations | seconds |\n|---|--:|")
    for statistic in RANKINGS:
        spent = timed(
            partial(
                metric_ranking, metrics, votes, names=names, statistic=statistic, sources=SOURCES,
                resampling=Resampling(np.random.default_rng(1), permutations=permutations),
            )
        )  # fmt: skip
        what = statistic.name
        if what == "correlation":
            what = f"{statistic.level} {statistic.kind}"
        print(f"| {what} | {spent:.2f} |", flush=True)


def beside_scipy(resamples: int, plain: int) -> None:
    """Print seconds per 1,000 resamples, ours and plain, and their ratio."""
    metrics, votes = data()
    first, second, human = metrics[2], metrics[5], votes.mean(axis=2)
    rng = np.random.default_rng(1)
    print("\n| per 1,000 resamples | ours | scipy, plain | times |\n|---|--:|--:|--:|")

    def row(what: str, ours: Callable[[], object], theirs: Callable[[], object]) -> None:
        mine, other = timed(ours) / resamples * 1e3, timed(theirs) / plain * 1e3
        print(f"| {what} | {mine:.4f} | {other:.2f} | {other / mine:.0f} |", flush=True)

    for level in LEVELS:
        for kind in PLAIN:
            value = partial(plain_level, level, kind)
            row(
                f"bootstrap, {level} {kind}",
                partial(
                    bootstrap_correlation, first, human,
                    Statistic("correlation", level, kind),  # type: ignore[arg-type]
                    Resampling(rng, resamples), sources=SOURCES,
                ),
                partial(
                    plain_bootstrap, lambda i, v=value: v(first[:, i], human[:, i]), plain
                ),
            )  # fmt: skip
            row(
                f"permutation, {level} {kind}",
                partial(
                    swapped_cells, (first, second), human, level, kind, rng, resamples,  # type: ignore[arg-type]
                ),
                partial(plain_permutation, lambda m, v=value: v(m, human), first, second, plain),
            )  # fmt: skip
    row(
        "bootstrap, acc_eq calibrated in each draw (plain: our calibration called on copies)",
        partial(
            bootstrap_accuracy,
            first,
            human,
            Resampling(rng, resamples),
            calibration="each draw",
            sources=SOURCES,
        ),
        partial(
            plain_bootstrap,
            lambda i: tie_calibrated_accuracy(first[:, i], human[:, i]).value,
            plain,
        ),
    )
    spent = timed(partial(swapped_verdicts, (first, second), human, rng, resamples))
    print(f"| permutation, acc_eq verdicts | {spent / resamples * 1e3:.4f} | | |")


def main() -> None:
    """Print both tables and the peak memory."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--permutations", type=int, default=10_000)
    parser.add_argument("--resamples", type=int, default=2000)
    parser.add_argument("--plain", type=int, default=100)
    options = parser.parse_args()
    rankings(options.permutations)
    beside_scipy(options.resamples, options.plain)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nPeak memory: {peak:.0f} MB")


if __name__ == "__main__":
    main()
