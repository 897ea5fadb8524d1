"""How metrics rank methods, and how far metrics agree with each other: numbers, without people.

Seeds of an edit are averaged; anchors do not compete. Metrics are turned so that more is better.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np

from dreamix.core.seeding import rng_for
from evaluation.stats.correlation import ENOUGH, correlate
from evaluation.stats.intervals import ratio
from evaluation.stats.meta import sources_of
from evaluation.stats.meta_bootstrap import MetaInterval, bootstrap_correlation
from evaluation.stats.multiplicity import holm, significance_clusters
from evaluation.stats.permutation import sign_tally
from evaluation.stats.soft_pairwise import signs
from reports.loading import AXES
from reports.summary import Resampling, Summary, per_edit

PERMUTATIONS, RESAMPLES = 10_000, 1000
ALPHA = 0.05


class Values(NamedTuple):
    """What metrics say of the competing methods."""

    names: tuple[str, ...]  # of metrics with a good direction, axis by axis
    methods: tuple[str, ...]
    values: np.ndarray  # float (metrics, methods, edits), more is better; NaN without a value
    sources: np.ndarray  # str (edits,)


class Ranking(NamedTuple):
    """The methods on one metric, best mean first; those without a value are not in it."""

    metric: str
    methods: tuple[str, ...]
    clusters: tuple[int, ...]  # 1 is the best; a new one where a method is worse than all above
    p: np.ndarray  # float (methods, methods): above better than below, two-sided, Holm; else NaN
    sources: int  # source videos on which two methods have a value

    @property
    def hopeless(self) -> bool:
        """Whether no difference could be significant: the smallest p of so few sources is large."""
        return min(1.0, 2.0 ** (1 - self.sources)) * max(self.tested, 1) >= ALPHA

    @property
    def differing(self) -> int:
        """How many pairs of methods differ significantly."""
        return int((self.p < ALPHA).sum())

    @property
    def tested(self) -> int:
        """How many pairs of methods could be compared."""
        return int(np.isfinite(self.p).sum())


class Agreements(NamedTuple):
    """Kendall's tau-b of every pair of metrics, float (metrics, metrics), NaN where undefined."""

    names: tuple[str, ...]
    within: np.ndarray  # mean over edits of tau over the methods within the edit
    means: np.ndarray  # tau over the methods' means
    ends: dict[tuple[str, str], MetaInterval]  # of `within`, for pairs of one axis
    methods: int

    @property
    def enough(self) -> bool:
        """Whether tau of so many methods' means says anything."""
        return self.methods >= ENOUGH


def values_of(summary: Summary) -> Values:
    """Return the values of the metrics that some competing method has."""
    run = summary.run
    table = per_edit(run, "value")
    names = [facts.name for axis in AXES for facts in run.on_axis(axis) if facts.sign]
    found = np.array(
        [[table[method, name] * run.metrics[name].sign for method in run.ranked] for name in names]
    ).reshape(len(names), len(run.ranked), len(run.edits))
    valued = np.isfinite(found).any(axis=(1, 2)) if len(names) else np.zeros(0, bool)
    kept = tuple(name for name, there in zip(names, valued, strict=True) if there)
    sources = np.array([edit.video for edit in run.edits.values()])
    return Values(kept, tuple(run.ranked), found[valued], sources)


def rankings(given: Values, seed: int) -> list[Ranking]:
    """Return the ranking of the methods by every metric, with its clusters.

    Two methods are compared on the edits that both have, by a paired test in which the differences
    of a source video change sign together; p is two-sided and Holm-adjusted over a metric's pairs.
    """
    pairs = list(combinations(range(len(given.methods)), 2))
    totals = sources_of(len(given.sources), given.sources).totals
    gaps = given.values[:, [a for a, _ in pairs]] - given.values[:, [b for _, b in pairs]]
    p = _two_sided(totals(np.where(np.isfinite(gaps), gaps, 0.0)), seed)
    p = np.where(np.isfinite(gaps).any(axis=2), p, np.nan)
    return [
        _ranking(given, k, pairs, holm(row)) for k, row in enumerate(p.reshape(len(p), len(pairs)))
    ]


def _two_sided(sums: np.ndarray, seed: int) -> np.ndarray:
    """Return p-values (metrics, pairs) of sums over sources (metrics, pairs, sources)."""
    units = sums.shape[2]
    columns = sums.reshape(-1, units).T
    listed = 2**units <= PERMUTATIONS
    rng = rng_for("metric rankings", seed)
    counted = sign_tally(columns, signs(units, columns.shape[1], rng, PERMUTATIONS, listed))
    extra = 0 if listed else 1  # listed signs hold the observed ones already
    return ((counted.two_sided + extra) / (counted.draws + extra)).reshape(sums.shape[:2])


def _ranking(given: Values, k: int, pairs: list[tuple[int, int]], p: np.ndarray) -> Ranking:
    means = ratio(np.nansum(given.values[k], axis=1), np.isfinite(given.values[k]).sum(axis=1))
    order = [m for m in np.argsort(-np.nan_to_num(means, nan=-np.inf), kind="stable").tolist()]
    order = [m for m in order if np.isfinite(means[m])]
    square = np.full((len(given.methods),) * 2, np.nan)
    for (a, b), value in zip(pairs, p, strict=True):
        square[a, b] = square[b, a] = value
    upper = np.triu(np.ones((len(order),) * 2, bool), 1)
    above = np.where(upper, square[np.ix_(order, order)], np.nan)
    clusters = significance_clusters(above, ALPHA)
    methods = tuple(given.methods[m] for m in order)
    shared = np.isfinite(given.values[k]).sum(axis=0) > 1
    sources = len(np.unique(given.sources[shared]))
    return Ranking(given.names[k], methods, tuple(clusters), above, sources)


def agreements(given: Values, axes: dict[str, str], how: Resampling) -> Agreements:
    """Return how far metrics agree; axes: axis by metric. Intervals are over source videos."""
    count = len(given.names)
    within, means = np.full((2, count, count), np.nan)
    ends = {}
    for i, j in combinations(range(count), 2):
        one, other = given.values[i], given.values[j]
        for level, table in (("item", within), ("system", means)):
            value = correlate(one, other, level=level, kind="kendall_b").value  # type: ignore[arg-type]
            table[i, j] = table[j, i] = value
        names = given.names[i], given.names[j]
        if axes[names[0]] == axes[names[1]]:
            rng = rng_for("metric agreement", how.seed)
            ends[names] = bootstrap_correlation(
                one, other, level="item", kind="kendall_b", sources=given.sources, rng=rng,
                resamples=min(how.resamples, RESAMPLES), confidence=how.level,
            )  # fmt: skip
    return Agreements(given.names, within, means, ends, len(given.methods))
