"""How metrics rank methods, and how far metrics agree with each other: numbers and their figures.

Seeds of an edit are averaged; anchors do not compete. Metrics are turned so that more is better.
Methods are ranked and tested on their common edits, see `reports.ground`.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dreamix.core.seeding import rng_for
from evaluation.stats.meta import (
    ENOUGH,
    MetaInterval,
    Statistic,
    bootstrap_correlation,
    correlate,
    sign_tally,
    signs,
    sources_of,
)
from evaluation.stats.multiplicity import holm, significance_clusters
from reports.figures.heatmap import HeatCell, heat_map
from reports.figures.style import (
    GRID,
    INK,
    LEGEND_COLUMNS,
    MUTED,
    SETTINGS,
    MarkerStyle,
    clean,
    dot,
    figure,
    handle,
    legend_below,
)
from reports.ground import MethodRanks, levelled, standing, tolerance
from reports.loading import AXES
from reports.summary import IntervalSettings, RunSummary
from reports.tables import NOTHING, is_number, number

PERMUTATIONS, RESAMPLES = 10_000, 1000
WITHIN = Statistic("correlation", "item", "kendall_b")  # agreement of two metrics
ALPHA = 0.05
ROW = 0.24  # inches
TITLE = 3.9  # inches of the title of the agreement figure


class Values(NamedTuple):
    """What metrics say of the competing methods."""

    names: tuple[str, ...]  # of metrics with a good direction, axis by axis
    methods: tuple[str, ...]
    values: np.ndarray  # float (metrics, methods, edits), more is better; NaN without a value
    sources: np.ndarray  # str (edits,)
    standings: tuple[MethodRanks, ...] = ()  # of the metrics; left out, there are no gaps

    @property
    def stand(self) -> tuple[MethodRanks, ...]:
        """How methods stand on each metric."""
        near = [tolerance(values) for values in self.values]
        return self.standings or tuple(
            standing(values, near=n) for values, n in zip(self.values, near, strict=True)
        )


class Ranking(NamedTuple):
    """The methods on one metric, best mean on the common edits first; those apart are not in it."""

    metric: str
    methods: tuple[str, ...]
    clusters: tuple[int, ...]  # 1 is the best; a new one where a method is worse than all above
    p: np.ndarray  # float (methods, methods): above better than below, two-sided, Holm; else NaN
    sources: int  # source videos of the common edits
    ranks: tuple[int, ...]  # equal means share one
    best: tuple[str, ...]  # that are called best: first, whatever their gaps hide
    apart: tuple[str, ...]  # with values, and too few edits in common
    edits: int  # common

    @property
    def first(self) -> tuple[str, ...]:
        """Those of the best mean: one, or several that share it."""
        return tuple(m for m, rank in zip(self.methods, self.ranks, strict=True) if rank == 1)

    @property
    def alone(self) -> bool:
        """Whether one method is called best and significantly better than every other."""
        settled = len(self.best) == 1 and not self.apart
        return settled and len(self.methods) > 1 and self.clusters.count(1) == 1

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
    means: np.ndarray  # tau over the methods' means, each metric's on its common edits
    ends: dict[tuple[str, str], MetaInterval]  # of `within`, for pairs of one axis
    methods: int

    @property
    def enough(self) -> bool:
        """Whether tau of so many methods' means says anything."""
        return self.methods >= ENOUGH


def values_of(summary: RunSummary) -> Values:
    """Return the values of the metrics that some competing method has; partial clips have none.

    Values of an edit that differ by rounding are equal, so that no test takes them for a difference
    and no correlation for an order.
    """
    run = summary.run
    names = [facts.name for axis in AXES for facts in run.on_axis(axis) if facts.sign]
    rows = [list(run.methods).index(label) for label in run.ranked]
    found = np.array(
        [
            levelled(summary.gapped[name].whole[rows], summary.gapped[name].near)
            * run.metrics[name].sign
            for name in names
        ]
    ).reshape(len(names), len(run.ranked), len(run.edits))
    valued = np.isfinite(found).any(axis=(1, 2)) if len(names) else np.zeros(0, bool)
    kept = tuple(name for name, there in zip(names, valued, strict=True) if there)
    sources = np.array([edit.video for edit in run.edits.values()])
    stand = tuple(summary.standings[name] for name in kept)
    return Values(kept, tuple(run.ranked), found[valued], sources, stand)


def rankings(given: Values, seed: int) -> list[Ranking]:
    """Return the ranking of the methods by every metric, with its clusters.

    Two methods are compared on the common edits, by a paired test in which the differences of a
    source video change sign together; p is two-sided and Holm-adjusted over a metric's pairs. A
    pair whose difference turns round where all the edits that both have are taken is not shown to
    differ: its p is 1.
    """
    if not given.names:
        return []
    pairs = list(combinations(range(len(given.methods)), 2))
    stand = given.stand
    totals = sources_of(len(given.sources), given.sources).totals
    shared = given.values[:, [a for a, _ in pairs]] - given.values[:, [b for _, b in pairs]]
    on = np.array([[_edits(one, a, b) for a, b in pairs] for one in stand]).reshape(shared.shape)
    gaps = np.where(on, shared, np.nan)
    there = totals(np.isfinite(gaps).astype(np.float64)) > 0
    sums = totals(np.where(np.isfinite(gaps), gaps, 0.0))
    p = np.array([_two_sided(one, on, seed) for one, on in zip(sums, there, strict=True)])
    p = np.where(_mean(gaps) * _mean(shared) < 0, 1.0, p)
    p = np.where(np.isfinite(gaps).any(axis=2), p, np.nan)
    return [_ranking(given, k, one, pairs, holm(p[k])) for k, one in enumerate(stand)]


def _edits(one: MethodRanks, a: int, b: int) -> np.ndarray:
    """Return the edits on which two methods are compared: the common ones, if both are ranked."""
    both = one.ranks[a] and one.ranks[b]
    return one.ground.edits if both else np.ones(len(one.ground.edits), bool)


def _mean(values: np.ndarray) -> np.ndarray:
    """Return means over the last axis, NaN left out; 0 without any."""
    known = np.isfinite(values)
    return np.where(known, values, 0.0).sum(axis=-1) / np.maximum(known.sum(axis=-1), 1)


def _two_sided(sums: np.ndarray, there: np.ndarray, seed: int) -> np.ndarray:
    """Return p-values (pairs,) of sums over sources (pairs, sources), those that are there."""
    sums = sums[:, there.any(axis=0)]
    units = sums.shape[1]
    size = np.abs(sums).sum(axis=1, keepdims=True)
    columns = (sums / np.where(size > 0, size, 1.0)).T  # a test does not depend on the unit
    listed = 2**units <= PERMUTATIONS
    rng = rng_for("metric rankings", seed)
    counted = sign_tally(columns, signs(units, columns.shape[1], rng, PERMUTATIONS, listed))
    extra = 0 if listed else 1  # listed signs hold the observed ones already
    return (counted.two_sided + extra) / (counted.draws + extra)


def _ranking(
    given: Values, k: int, one: MethodRanks, pairs: list[tuple[int, int]], p: np.ndarray
) -> Ranking:
    square = np.full((len(given.methods),) * 2, np.nan)
    for (a, b), value in zip(pairs, p, strict=True):
        square[a, b] = square[b, a] = value
    order = list(one.order)
    upper = np.triu(np.ones((len(order),) * 2, bool), 1)
    above = np.where(upper, square[np.ix_(order, order)], np.nan)
    best, apart, methods = (
        tuple(given.methods[m] for m in places)
        for places in (one.called_best, one.ground.apart, order)
    )
    return Ranking(
        given.names[k],
        methods,
        tuple(significance_clusters(above, ALPHA)),
        above,
        len(np.unique(given.sources[one.ground.edits])),
        tuple(int(one.ranks[m]) for m in order),
        best,
        apart,
        int(one.ground.edits.sum()),
    )


def agreements(given: Values, axes: dict[str, str], how: IntervalSettings) -> Agreements:
    """Return how far metrics agree; axes: axis by metric. Intervals are over source videos."""
    count, stand = len(given.names), given.stand
    within, means = np.full((2, count, count), np.nan)
    ends = {}
    for i, j in combinations(range(count), 2):
        one, other = given.values[i], given.values[j]
        value = correlate(one, other, level=WITHIN.level, kind=WITHIN.kind).value
        within[i, j] = within[j, i] = value
        means[i, j] = means[j, i] = _tau_of_ranks(stand[i].ranks, stand[j].ranks)
        names = given.names[i], given.names[j]
        if axes[names[0]] == axes[names[1]]:
            draws = how.resampling("metric agreement")
            draws = draws._replace(resamples=min(how.resamples, RESAMPLES))
            ends[names] = bootstrap_correlation(one, other, WITHIN, draws, sources=given.sources)
    return Agreements(given.names, within, means, ends, len(given.methods))


def _tau_of_ranks(one: np.ndarray, other: np.ndarray) -> float:
    """Return Kendall's tau-b of the methods that both metrics rank, NaN where it is undefined."""
    both = (one > 0) & (other > 0)
    sides = (-ranks[both].astype(np.float64)[:, None] for ranks in (one, other))
    return correlate(*sides, level="global", kind="kendall_b").value if both.sum() > 1 else np.nan


def ranking_figure(
    found: list[Ranking],
    axes_of: dict[str, str],
    look: dict[str, MarkerStyle],
    methods: Sequence[str],
) -> Figure:
    """Return a row of marks for every metric, the best method at the left.

    A bar joins methods that stand in one cluster; lines part the axes of the metrics.
    """
    lines = -(-len(methods) // LEGEND_COLUMNS)
    with mpl.rc_context(SETTINGS):
        drawing = figure(2.4 + 0.55 * max(len(methods), 5), 0.8 + ROW * len(found) + 0.2 * lines)
        axes = drawing.add_subplot()
        for y, ranking in enumerate(found):
            _row(axes, y, ranking, look)
        _parts(axes, [axes_of[ranking.metric] for ranking in found])
        axes.set_yticks(range(len(found)), [ranking.metric for ranking in found], fontsize=8)
        axes.set(ylim=(len(found) - 0.5, -0.5), xlim=(0.4, len(methods) + 0.6))
        axes.set_xticks(range(1, len(methods) + 1))
        axes.set_xlabel("order by the metric's mean on common edits; 1 is best", color=INK)
        clean(axes, "x")
        legend_below(drawing, [handle(method, look[method]) for method in methods])
    return drawing


def _row(axes: Axes, y: int, ranking: Ranking, look: dict[str, MarkerStyle]) -> None:
    for one in sorted(set(ranking.clusters)):
        places = [k + 1 for k, cluster in enumerate(ranking.clusters) if cluster == one]
        ends = [places[0] - 0.28, places[-1] + 0.28]
        axes.plot(ends, [y, y], color=GRID, linewidth=11, solid_capstyle="round", zorder=1)
    for k, method in enumerate(ranking.methods):
        mark = look[method]
        if k and ranking.ranks[k] == ranking.ranks[k - 1]:
            axes.text(k + 0.5, y, "=", ha="center", va="center", fontsize=8, color=INK, zorder=3)
        dot(axes, k + 1, y, mark)


def _parts(axes: Axes, of: list[str]) -> None:
    """Part the axes by lines and name each at the right."""
    for axis in dict.fromkeys(of):
        places = [k for k, name in enumerate(of) if name == axis]
        if places[0]:
            axes.axhline(places[0] - 0.5, color=MUTED, linewidth=0.6)
        middle = (places[0] + places[-1]) / 2
        axes.annotate(
            axis, (1.0, middle), xycoords=("axes fraction", "data"), xytext=(4, 0),
            textcoords="offset points", fontsize=8, color=MUTED, va="center",
        )  # fmt: skip


def agreement_figure(found: Agreements, axes_of: dict[str, str]) -> Figure:
    """Return the matrix of metrics against metrics, Kendall's tau in hundredths.

    Below the diagonal: within edits; above: of the methods' means, if they are enough. Shades run
    from 0 to 1; hatched is below 0, where the two metrics disagree.
    """
    count = len(found.names)
    side = 0.27 * count
    with mpl.rc_context({**SETTINGS, "axes.grid": False}):
        drawing = figure(max(1.9 + side, TITLE), 1.5 + side)
        axes = drawing.add_subplot()
        rows = {name: [_tau_cell(found, i, j) for j in range(count)]
                for i, name in enumerate(found.names)}  # fmt: skip
        heat_map(axes, found.names, rows, size=6.2)
        _borders(axes, [axes_of[name] for name in found.names])
        axes.tick_params(labeltop=False, labelbottom=True, labelsize=7.5)
        axes.tick_params(axis="x", labelrotation=90)
        axes.set_aspect("equal")
        above = "above: of the methods' means; " if found.enough else ""
        drawing.suptitle(f"{above}below: within edits", fontsize=8, color=MUTED)
    return drawing


def _tau_cell(found: Agreements, i: int, j: int) -> HeatCell | None:
    if i == j or (j > i and not found.enough):
        return None
    tau = float((found.within if j < i else found.means)[i, j])
    if not is_number(tau):
        return HeatCell(NOTHING)
    return HeatCell(number(100 * tau, 0), tau if tau >= 0 else None, hatched=tau < 0)


def _borders(axes: Axes, of: list[str]) -> None:
    for k in range(1, len(of)):
        if of[k] != of[k - 1]:
            axes.axhline(k, color=INK, linewidth=0.9)
            axes.axvline(k, color=INK, linewidth=0.9)
