"""What one simulated meta-evaluation says: 5 methods, 29 sources, 127 edits, two metrics.

Two metrics are the true quality plus noise of their own, equally much, partly shared by the edits
of a source: what edits taken for independent miss. People are means of three rounded votes of
raters drawn anew for each edit; for acc_eq they are rounded to grades, so that ties matter.
Systems are the same five in all studies, sources are drawn. Where coverage is measured the first
metric also leans towards some systems, or it would rank systems perfectly in the long run.

Rankings, too: 4 systems and 2, 5 or 20 metrics that are the truth plus noise of one size, so that a
metric that is called worse than the best, or a second cluster, is a false alarm; the same with one
metric of half the noise, which should be found; and with two, neither of which should be. Beside
the p-values of `metric_ranking` stands what they would be if the best had been named before looking
(one-sided, Holm's adjustment).
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from naive_tests import swapped_cells, swapped_verdicts

from evaluation.stats.meta import (
    Calibration,
    Kind,
    Level,
    Statistic,
    bootstrap_accuracy,
    bootstrap_correlation,
    bootstrap_soft_pairwise,
    compare_metrics,
    correlate,
    statistic_value,
    tie_calibrated_accuracy,
)
from evaluation.stats.multiplicity import holm, significance_clusters
from evaluation.stats.resampling import Resampling

NAME = "5 methods x 29 sources x 127 edits"
SYSTEMS, SOURCES, EDITS = np.linspace(-0.5, 0.5, 5), 29, 127
LEANING = np.array([0.3, -0.2, 0.1, 0.2, -0.4])[:, None]  # of a metric towards systems
VOTES = 3
RESAMPLES, PERMUTATIONS, SPA_DRAWS = 1000, 999, 400
LARGE = 300  # times as many sources: the population
CORRELATIONS: tuple[tuple[Level, Kind], ...] = (
    ("item", "kendall_b"),
    ("system", "pearson"),
    ("global", "pearson"),
    ("edits", "kendall_b"),
)
RANKINGS = {f"{k} metrics x {s} sources": (k, s) for s in (10, 29) for k in (2, 5, 20)}
FOUND = {f"{name}, one better": size for name, size in RANKINGS.items()}
TIED = {f"{name}, two better": size for name, size in RANKINGS.items() if size[0] > 2}
STATISTICS = {
    "acc_eq": Statistic(),
    "SPA": Statistic("spa"),
    "item tau-b": Statistic("correlation", "item", "kendall_b"),
}
RANKING_DRAWS = 100  # p < 0.05 is then 5 of 101


class Data(NamedTuple):
    """Scores of two metrics and mean votes, float (systems, edits); the source of each edit."""

    first: np.ndarray
    second: np.ndarray
    human: np.ndarray
    sources: np.ndarray


def draw(rng: np.random.Generator, times: int = 1) -> Data:
    """Return a meta-evaluation of `times` as many sources."""
    edits, sources = EDITS * times, SOURCES * times
    source = np.arange(edits) * SOURCES // EDITS

    def noise(shared: float, own: float) -> np.ndarray:
        by_source = rng.normal(size=(len(SYSTEMS), sources))[:, source]
        return np.asarray(shared * by_source + own * rng.normal(size=(len(SYSTEMS), edits)))

    hard = 0.6 * rng.normal(size=sources)[source] + 0.4 * rng.normal(size=edits)
    quality = SYSTEMS[:, None] + hard + noise(0.35, 0.3)
    votes = 3 + quality[..., None] + 0.9 * rng.normal(size=(*quality.shape, VOTES))
    human = np.clip(np.rint(votes), 1, 5).mean(axis=2)
    return Data(quality + noise(0.5, 0.6), quality + noise(0.5, 0.6), human, source)


def meta_study(name: str, number: int) -> dict[str, Any]:
    """Return {"p": by test, "interval": by statistic, "truth": {}}."""
    rng = np.random.default_rng([6, number])
    data = draw(rng)
    return {"p": tests(data, rng), "interval": ends(data, rng), "truth": {}}


def tests(data: Data, rng: np.random.Generator) -> dict[str, float]:
    """Return p-values of two metrics that are equally good."""
    pair, human = (data.first, data.second), data.human
    item: tuple[Level, Kind] = ("item", "kendall_b")

    def by_source(statistic: Statistic) -> float:
        draws = Resampling(rng, permutations=PERMUTATIONS)
        found = compare_metrics(np.stack(pair), human, statistic, draws, sources=data.sources)
        return float(found.alone[0, 1])

    return {
        "PERM-BOTH, item tau-b": by_source(Statistic("correlation", *item)),
        "PERM-BOTH, system Pearson": by_source(Statistic("correlation", "system", "pearson")),
        "swapped verdicts, acc_eq": by_source(Statistic()),
        "PERM-BOTH by cell, item tau-b": swapped_cells(pair, human, *item, rng, PERMUTATIONS),
        "swapped verdicts by pair, acc_eq": swapped_verdicts(pair, human, rng, PERMUTATIONS),
    }


def ends(data: Data, rng: np.random.Generator) -> dict[str, tuple[float, float, float]]:
    """Return (low, mid, high) of the first metric's agreement with people."""
    given = data.first + LEANING, data.human
    draws, sources = Resampling(rng, RESAMPLES), data.sources
    found = {
        f"{level} {kind}": bootstrap_correlation(
            *given, Statistic("correlation", level, kind), draws, sources=sources
        )
        for level, kind in CORRELATIONS
    }
    found["item kendall_b by edit"] = bootstrap_correlation(
        *given, Statistic("correlation", "item", "kendall_b"), draws
    )
    calibrations: dict[str, Calibration | float] = {
        "epsilon kept": "kept",
        "epsilon of other sources": "other sources",
        "epsilon known": population()["epsilon"],
    }
    for name, calibration in calibrations.items():
        found[f"acc_eq, {name}"] = bootstrap_accuracy(
            given[0], np.rint(data.human), draws, calibration=calibration, sources=sources
        )
    few = draws._replace(resamples=SPA_DRAWS)
    found["SPA"] = bootstrap_soft_pairwise(
        given[0][None], data.human, few, sources=sources, permutations=SPA_DRAWS
    )[0]
    return {name: (one.low, one.value, one.high) for name, one in found.items()}


def draw_scores(
    rng: np.random.Generator, metrics: int, sources: int, noise: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return metrics (metrics, systems, edits) with this noise each, people, sources of edits."""
    edits = round(sources * EDITS / SOURCES)
    source = np.sort(np.concatenate([np.arange(sources), rng.choice(sources, edits - sources)]))

    def normal(shared: float, own: float, *more: int) -> np.ndarray:
        by_source = rng.normal(size=(*more, 4, sources))[..., source]
        return np.asarray(shared * by_source + own * rng.normal(size=(*more, 4, edits)))

    truth = rng.normal(0, 0.3, (4, 1)) + normal(0.4, 0.5)
    ground = 3.5 + rng.normal(0, 0.5, sources)[source]
    votes = np.rint(ground + truth)[..., None] + np.rint(rng.normal(0, 0.9, (4, edits, 5)))
    scores = truth + noise[:, None, None] * normal(1.0, 1.0, metrics)
    return scores, np.clip(votes, 1, 5).mean(axis=2), source


def ranking_study(name: str, number: int) -> dict[str, Any]:
    """Return {"p": what is claimed of metrics that are equally good, ...} of one ranking."""
    metrics, sources = RANKINGS[name]
    p: dict[str, float] = {}
    for statistic, one in _claims(name, number, np.full(metrics, 0.6), sources).items():
        p[f"{statistic}, any worse than the best"] = float(one.adjusted[0].min(initial=1.0))
        clusters = significance_clusters(one.square)
        p[f"{statistic}, any second cluster"] = float(max(clusters) == 1)
        p[f"{statistic}, as if named before"] = float(one.before.min())
    return {"p": p, "interval": {}, "truth": {}}


def better_study(name: str, number: int) -> dict[str, Any]:
    """Return {"p": that the metric of half the noise is better than every other, ...}."""
    metrics, sources = FOUND[name]
    noise = np.full(metrics, 0.6)
    noise[0] = 0.3
    p: dict[str, float] = {}
    for statistic, one in _claims(name, number, noise, sources).items():
        wrong = float(one.order[0] != 0)
        p[f"{statistic}, better than every other"] = max(wrong, float(one.adjusted[0].max()))
        p[f"{statistic}, better than some other"] = max(wrong, float(one.adjusted[0].min()))
        p[f"{statistic}, every other, as if named before"] = max(wrong, float(one.before.max()))
    return {"p": p, "interval": {}, "truth": {}}


def tied_study(name: str, number: int) -> dict[str, Any]:
    """Return {"p": that one of the two equally best is called worse than the best, ...}."""
    metrics, sources = TIED[name]
    noise = np.full(metrics, 0.6)
    noise[:2] = 0.3
    p = {}
    for statistic, one in _claims(name, number, noise, sources).items():
        p[f"{statistic}, one of two equals"] = float(one.adjusted[0, one.order[1:] < 2].min())
    return {"p": p, "interval": {}, "truth": {}}


class Claims(NamedTuple):
    """What a ranking claims of its best metric."""

    order: np.ndarray  # (metrics,): which metric is first, second, ...
    square: np.ndarray  # (metrics, metrics), best first: as in `MetricRanking.p`
    before: np.ndarray  # (metrics - 1,): Holm's one-sided p if the best had been named before

    @property
    def adjusted(self) -> np.ndarray:
        """P-values against every other metric, a row."""
        return self.square[:1, 1:]


def _claims(name: str, number: int, noise: np.ndarray, sources: int) -> dict[str, Claims]:
    rng = np.random.default_rng([9, list(RANKINGS | FOUND | TIED).index(name), number])
    metrics, people, source = draw_scores(rng, len(noise), sources, noise)
    found = {}
    for label, statistic in STATISTICS.items():
        values = [statistic_value(each, people, statistic, rng, source) for each in metrics]
        order = np.argsort(-np.array(values), kind="stable")
        tests = compare_metrics(
            metrics[order],
            people,
            statistic,
            Resampling(rng, permutations=RANKING_DRAWS),
            sources=source,
        )
        square = np.where(tests.delta < 0, 1.0, tests.adjusted)
        square[0, 1:] = np.where(tests.delta[0, 1:] < 0, 1.0, tests.not_best[1:])
        before = holm(tests.alone[0, 1:] / 2)  # a sign test's one-sided p is half the other
        found[label] = Claims(order, square, before)
    return found


@cache
def population() -> dict[str, float]:
    """Return the best accuracy, its epsilon and the correlations among 300 times the sources."""
    data = draw(np.random.default_rng(7), LARGE)
    given = data.first + LEANING, data.human
    best = tie_calibrated_accuracy(given[0], np.rint(data.human))
    found = {
        f"{level} {kind}": correlate(*given, level=level, kind=kind).value
        for level, kind in CORRELATIONS
    }
    found["item kendall_b by edit"] = found["item kendall_b"]
    for name in ("epsilon kept", "epsilon of other sources", "epsilon known"):
        found[f"acc_eq, {name}"] = best.value
    return found | {"epsilon": best.epsilon}
