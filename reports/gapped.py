"""The values of a run with its gaps: what each method has on each edit, and what it could have.

A clip has a gap on a metric if a value is due and there is none, or if the clip is partial. A value
is due on an edit that some method has a value for, or that the metric is meant for and no method
could be measured on. A method that refuses an edit on which others have values has a gap there: a
refusal is no way to the top.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from evaluation.run.info import MetricInfo
from reports.ground import Standing, standing, tolerance
from reports.loading import Run


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
    """Return every metric of the run with its gaps."""
    scores = run.scores
    if scores.empty:
        return {}
    counts = (scores["status"] == "ok") & np.isfinite(scores["value"]) & ~run.flag("partial")
    due = _due(run)
    found = {}
    for name, facts in run.metrics.items():
        here = (scores["metric"] == name).to_numpy()
        part = scores[here].assign(counts=counts[here], due=due[here])
        found[name] = _gapped(run, part, facts)
    return found


def stand(found: Gapped, sign: int, rows: list[int]) -> Standing:
    """Return how the methods of these rows stand; sign: 1 if higher is better, -1 if lower is."""
    whole, low, high = (sign * array[rows] for array in (found.whole, found.low, found.high))
    worst, best = (low, high) if sign > 0 else (high, low)
    return standing(whole, worst, best, found.gaps[rows], found.near)


def _due(run: Run) -> np.ndarray:
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
    sides = [value.fillna(end).where(part["due"]) for end in (bounds.low, bounds.high)]
    gaps = part["due"] & ~part["counts"]
    whole, low, high = (_table(run, part, column) for column in (value, *sides))
    missing = _table(run, part, gaps.astype(np.float64)) > 0
    return Gapped(whole, low, high, missing, bounds, tolerance(seen, *facts.ends))


def _bounds(seen: np.ndarray, low: float, high: float) -> Bounds:
    """Return what a gap can be: what is declared, else the extremes of what was seen."""
    least, most = (float(seen.min()), float(seen.max())) if seen.size else (np.nan, np.nan)
    declared = bool(np.isfinite(low)), bool(np.isfinite(high))
    ends = (np.fmin(low, least) if declared[0] else least,
            np.fmax(high, most) if declared[1] else most)  # fmt: skip
    return Bounds(float(ends[0]), float(ends[1]), *declared)


def _table(run: Run, part: pd.DataFrame, column: pd.Series) -> np.ndarray:
    """Return the mean of a column over the seeds of each edit, float (methods, edits)."""
    means = column.groupby([part["method"], part["edit"]]).mean().unstack("edit")
    shaped = means.reindex(index=list(run.methods), columns=list(run.edits))
    return shaped.to_numpy(np.float64)


def _kept(run: Run, standings: dict[str, Standing]) -> dict[tuple[str, str], np.ndarray]:
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
    run: Run, found: dict[str, Gapped], standings: dict[str, Standing], own: pd.DataFrame
) -> pd.DataFrame:
    """Return `own` (edits x (method, metric)) with the values that are compared.

    Those of ranked methods and of anchors are whole ones on the common edits of the metric.
    """
    values, methods = own.copy(), list(run.methods)
    for (label, metric), edits in _kept(run, standings).items():
        whole = found[metric].whole[methods.index(label)]
        values[(label, metric)] = np.where(edits, whole, np.nan)
    return values
