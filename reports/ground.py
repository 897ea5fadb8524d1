"""Where methods can be compared: on the edits that all have, and what their gaps could hide.

A mean over easy edits is no better than a mean over all of them. So methods are ranked by their
means on *common* edits, those on which every ranked method has a value: then the order of two
methods, the sign of their paired difference and a test of it cannot contradict each other, and an
order of three has no circle. A method that would cost the others more than half of their common
edits is set apart: it is shown and not ranked.

A gap (a clip that failed, was refused, is missing or covers a part of its source only) is bounded:
with all its gaps at the worst value that is possible a method has its worst mean and rank, with all
at the best its best ones, the other methods being as they are. A method whose place at the top
hangs on its gaps, or on which of the edits are compared, is not called best.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

from evaluation.run.info import MetricInfo
from evaluation.stats.intervals import ratio
from evaluation.stats.meta import sources_of
from reports.loading import Run

TIE = 1e-9  # of the range: values nearer than this are equal
FEWEST = 2  # methods that can be ranked


class Ground(NamedTuple):
    """The edits on which methods are ranked; methods by their places."""

    ranked: tuple[int, ...]  # none, or two and more
    apart: tuple[int, ...]  # those with values that are not ranked
    edits: np.ndarray  # bool (edits,): on which every ranked method has a value


class MethodRanks(NamedTuple):
    """How methods stand on one metric, more being better; arrays are over the methods."""

    ground: Ground
    order: tuple[int, ...]  # the ranked ones, best first; equal ones by their places
    means: np.ndarray  # float, on the ground; NaN if not ranked
    ranks: np.ndarray  # int, equal means share one: 1, 1, 3; 0 if not ranked
    worst: np.ndarray  # float: mean with every gap at the worst value; NaN where nothing is due
    best: np.ndarray  # float: with every gap at the best value
    last: np.ndarray  # int: the worst rank that the gaps allow, others being as they are
    first: np.ndarray  # int: the best rank that the gaps allow
    gaps: np.ndarray  # int: edits with a gap

    @property
    def top(self) -> tuple[int, ...]:
        """Those of the highest mean on the ground: one, or several that share it."""
        return tuple(m for m in self.order if self.ranks[m] == 1)

    @property
    def called_best(self) -> tuple[int, ...]:
        """Those at the top that stay there with all of their gaps at the worst."""
        return tuple(m for m in self.top if self.last[m] == 1)


def tolerance(values: np.ndarray, low: float = -np.inf, high: float = np.inf) -> float:
    """Return below which difference two means of such values are equal.

    values:    float, any shape, NaN where there is none.
    low, high: what the values can be at all; infinite where nothing is declared.
    """
    known = values[np.isfinite(values)]
    if not known.size:
        return 0.0
    declared = high - low if np.isfinite(high - low) else 0.0
    return TIE * max(declared, float(np.ptp(known)), float(np.abs(known).max()))


def levelled(values: np.ndarray, near: float | np.ndarray) -> np.ndarray:
    """Return values in which those of a column that differ by rounding are equal.

    values: float (rows, columns), NaN where there is none.
    near:   below which difference two values are equal, one for all columns or one each; a value
            becomes the least one that it is no farther from.
    """
    order = np.argsort(values, axis=0, kind="stable")
    rising = np.take_along_axis(values, order, axis=0)
    for before, here in pairwise(rising):
        here[:] = np.where(here - before <= near, before, here)
    found = np.empty_like(values)
    np.put_along_axis(found, order, rising, axis=0)
    return found


def common_ground(has: np.ndarray) -> Ground:
    """Return the edits that methods have in common, has: bool (methods, edits).

    While leaving one method out would more than double the common edits of the others, it is left
    out; of several that would gain the others as much, all are.
    """
    valued = [m for m in range(len(has)) if has[m].any()]
    kept = list(valued)
    while len(kept) > FEWEST:
        without = [int(has[[o for o in kept if o != m]].all(axis=0).sum()) for m in kept]
        if 2 * int(has[kept].all(axis=0).sum()) >= max(without):
            break
        kept = [m for m, gain in zip(kept, without, strict=True) if gain < max(without)]
    edits = np.asarray(has[kept].all(axis=0)) & (len(kept) >= FEWEST)
    ranked = tuple(kept) if edits.any() else ()
    return Ground(ranked, tuple(m for m in valued if m not in ranked), edits)


def standing(
    whole: np.ndarray,
    worst: np.ndarray | None = None,
    best: np.ndarray | None = None,
    gaps: np.ndarray | None = None,
    near: float = 0.0,
    sources: np.ndarray | None = None,
) -> MethodRanks:
    """Return how methods stand, more being better; without `gaps` there are none.

    whole: float (methods, edits), NaN where there is no whole value.
    worst, best: the same with gaps at the worst and the best value; NaN where no value is due.
    gaps:  bool (methods, edits): where a value that is due is missing or not whole.
    near:  below which difference two means are equal.
    sources: (edits,) labels: a mean is the mean of the means of sources; left out, of edits.
    """
    worst, best = (whole if filled is None else filled for filled in (worst, best))
    count = np.zeros(len(whole), np.int64) if gaps is None else gaps.sum(axis=1)
    has = np.isfinite(whole)
    ground = common_ground(has)
    means = np.full(len(whole), np.nan)
    if ground.ranked:
        means[list(ground.ranked)] = means_over(
            np.where(ground.edits, whole[list(ground.ranked)], np.nan), sources
        )
    order = tuple(sorted(ground.ranked, key=lambda m: (-means[m], m)))
    ranks = _ranks(means, order, near)
    order = tuple(sorted(order, key=lambda m: (ranks[m], m)))
    last, first = (
        np.array(
            [1 + _ahead(filled[m], whole, m, near, sources) for m in range(len(whole))], np.int64
        )
        for filled in (worst, best)
    )
    placed = ranks > 0
    last, first = np.maximum(last, ranks), np.where(placed, np.minimum(first, ranks), first)
    ends = means_over(worst, sources), means_over(best, sources)
    return MethodRanks(ground, order, means, ranks, *ends, last, first, count)


def _ranks(means: np.ndarray, order: tuple[int, ...], near: float) -> np.ndarray:
    """Return the rank of each method; one within `near` of the first of a rank shares it."""
    ranks, leader, rank = np.zeros(len(means), np.int64), np.inf, 0
    for place, m in enumerate(order):
        if leader - means[m] > near:
            leader, rank = means[m], place + 1
        ranks[m] = rank
    return ranks


def _ahead(
    filled: np.ndarray, whole: np.ndarray, m: int, near: float, sources: np.ndarray | None
) -> int:
    """Return how many others are ahead of a method, each on the edits that the other has."""
    gaps = means_over(whole - filled, sources)
    return sum(bool(gap > near) for other, gap in enumerate(gaps) if other != m)


def means_over(values: np.ndarray, sources: np.ndarray | None) -> np.ndarray:
    """Return means over edits (methods, edits), NaN left out, or the means of sources' means."""
    known = np.isfinite(values)
    sums, counts = np.where(known, values, 0.0), known.astype(np.float64)
    if sources is not None:
        totals = sources_of(values.shape[1], sources).totals
        sums, counts = totals(sums), totals(counts)
        sums, counts = ratio(sums, counts), counts > 0
        sums = np.where(counts, sums, 0.0)
    return ratio(sums.sum(axis=1), counts.sum(axis=1))


class Bounds(NamedTuple):
    """The values that stand for a gap in a metric, in its own unit, and where they come from."""

    low: float
    high: float
    low_declared: bool  # else the lowest value of any method in the run
    high_declared: bool


class Gapped(NamedTuple):
    """One metric on all methods and edits of a run, in its own unit."""

    whole: np.ndarray  # float (methods, edits): mean over seeds of what counts; NaN without
    low: np.ndarray  # float: mean over all seeds that are due, gaps at the lowest value
    high: np.ndarray  # float: gaps at the highest
    gaps: np.ndarray  # bool: some seed has a gap
    bounds: Bounds
    near: float  # below which difference two means are equal


def gapped(run: Run) -> dict[str, Gapped]:
    """Return every metric of the run with its gaps.

    A clip has a gap on a metric if a value is due and there is none, or if the clip is partial. A
    value is due on an edit that some method has a value for, or that the metric is meant for and no
    method could be measured on. A method that refuses an edit on which others have values has a gap
    there: a refusal is no way to the top.
    """
    scores = run.scores
    if scores.empty:
        return {}
    counts, due = counted_scores(run), due_scores(run)
    found = {}
    for name, facts in run.metrics.items():
        here = (scores["metric"] == name).to_numpy()
        part = scores[here].assign(counts=counts[here], due=due[here])
        found[name] = _gapped(run, part, facts)
    return found


def stand(found: Gapped, sign: int, rows: list[int]) -> MethodRanks:
    """Return how the methods of these rows stand; sign: 1 if higher is better, -1 if lower is."""
    whole, low, high = (sign * array[rows] for array in (found.whole, found.low, found.high))
    worst, best = (low, high) if sign > 0 else (high, low)
    return standing(whole, worst, best, found.gaps[rows], found.near)


def counted_scores(run: Run) -> pd.Series:
    """Return which scores count, bool (scores,): there is a value, and the clip is whole."""
    scores = run.scores
    return (scores["status"] == "ok") & np.isfinite(scores["value"]) & ~run.flag("partial")


def due_scores(run: Run) -> np.ndarray:
    """Return of which scores there should be a value, bool (scores,)."""
    scores = run.scores
    by = [scores["metric"], scores["edit"]]
    valued = ((scores["status"] == "ok") & scores["value"].notna()).groupby(by).transform("any")
    refused = (scores["status"] == "n/a") & ~run.flag("made", without=True)
    undefined = ((scores["status"] == "n/a") & ~refused).groupby(by).transform("any")
    not_for = {name: set(facts.not_for) for name, facts in run.metrics.items()}
    meant = np.array(
        [c not in not_for[m] for m, c in zip(scores["metric"], scores["category"], strict=True)],
        bool,
    )
    return np.asarray(valued | (~undefined & meant), bool)


def _gapped(run: Run, part: pd.DataFrame, facts: MetricInfo) -> Gapped:
    seen = part.loc[part["status"] == "ok", "value"].to_numpy(np.float64)
    bounds = _bounds(seen[np.isfinite(seen)], *facts.ends)
    value = part["value"].where(part["counts"])
    low, high = (value.fillna(end).where(part["due"]) for end in (bounds.low, bounds.high))
    gaps = (part["due"] & ~part["counts"]).astype(np.float64)
    columns = pd.DataFrame({"whole": value, "low": low, "high": high, "gaps": gaps})
    tables = _tables(run, part, columns)
    missing = tables["gaps"] > 0
    ends = tolerance(seen, *facts.ends)
    return Gapped(tables["whole"], tables["low"], tables["high"], missing, bounds, ends)


def _bounds(seen: np.ndarray, low: float, high: float) -> Bounds:
    """Return what a gap can be: what is declared, else the extremes of what was seen."""
    least, most = (float(seen.min()), float(seen.max())) if seen.size else (np.nan, np.nan)
    declared = bool(np.isfinite(low)), bool(np.isfinite(high))
    ends = (np.fmin(low, least) if declared[0] else least,
            np.fmax(high, most) if declared[1] else most)  # fmt: skip
    return Bounds(float(ends[0]), float(ends[1]), *declared)


def _tables(run: Run, part: pd.DataFrame, columns: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the mean of each column over the seeds of an edit, float (methods, edits)."""
    methods, edits = pd.Index(list(run.methods)), pd.Index(list(run.edits))
    means = columns.groupby([part["method"], part["edit"]]).mean()
    rows = methods.get_indexer(means.index.get_level_values(0))
    places = edits.get_indexer(means.index.get_level_values(1))
    known = (rows >= 0) & (places >= 0)
    found = {str(name): np.full((len(methods), len(edits)), np.nan) for name in columns}
    for name, table in found.items():
        table[rows[known], places[known]] = means[name].to_numpy(np.float64)[known]
    return found


def _kept(run: Run, standings: dict[str, MethodRanks]) -> dict[tuple[str, str], np.ndarray]:
    """Return the common edits, bool (edits,), of ranked methods and anchors: (method, metric)."""
    chosen = {}
    for metric, one in standings.items():
        ranked = {run.ranked[place] for place in one.ground.ranked}
        if not ranked or not run.metrics[metric].sign:
            continue
        for label, method in run.methods.items():
            if method.anchor or label in ranked:
                chosen[label, metric] = one.ground.edits
    return chosen


def compared_values(
    run: Run, found: dict[str, Gapped], standings: dict[str, MethodRanks], own: pd.DataFrame
) -> pd.DataFrame:
    """Return `own` (edits x (method, metric)) with the values that are compared.

    Those of ranked methods and of anchors are whole ones on the common edits of the metric.
    """
    values, methods = own.copy(), list(run.methods)
    for (label, metric), edits in _kept(run, standings).items():
        whole = found[metric].whole[methods.index(label)]
        values[(label, metric)] = np.where(edits, whole, np.nan)
    return values
