"""Correlation of a metric with human ratings, at four levels that answer different questions.

system: of the means over items. Does the metric rank the systems as people do?
item:   the mean over items of the correlation over systems within an item. Does it know which
        edit of THIS video is better? (also called input or group-by-item level)
global: over all cells at once. Confounded by how hard each video is.
edits:  the mean over systems of the correlation over items. Does it find a system's failures?

Source: Deutsch, Dror & Roth, A Statistical Analysis of Summarization Evaluation Metrics Using
Resampling Methods, TACL 9 (2021), equations 1 and 2.
"""

from math import factorial
from typing import Literal, NamedTuple, get_args

import numpy as np

from evaluation.stats.intervals import ratio
from evaluation.stats.meta.coefficients import Kind, coefficient
from evaluation.stats.meta.data import cells, merged, why_no_value

Level = Literal["system", "item", "global", "edits"]
LEVELS: tuple[Level, ...] = get_args(Level)
Constants = Literal["omit", "zero"]
ENOUGH = 5  # systems below which a system-level claim cannot be made


class Correlation(NamedTuple):
    """A correlation and all that it rests on; the value is NaN where there is none."""

    value: float
    used: int  # vectors in the mean: items, systems ("edits"), or 1
    constant: int  # vectors whose metric or human values are all equal
    short: int  # vectors with fewer than two cells; never in the mean
    points: int  # points in all vectors: systems ("system"), else cells
    missing: int  # cells without a metric value or without a human one
    why_not: str = ""  # no value


class Vectors(NamedTuple):
    """Correlations of each vector, (..., vectors), and which had two points or more."""

    values: np.ndarray
    enough: np.ndarray


def correlate(
    metric: np.ndarray,
    human: np.ndarray,
    *,
    level: Level,
    kind: Kind = "pearson",
    constants: Constants = "omit",
) -> Correlation:
    """Return the correlation of metric and human ratings at one level, in [-1, 1], and its counts.

    metric:    float (systems, items), higher is better; NaN = missing.
    human:     float (systems, items) or (systems, items, raters); NaN = missing.
    constants: "omit" leaves vectors without variation out of the mean; "zero" counts them as no
               correlation, which punishes a metric that gives all systems the same score. They
               are counted either way. The default is that of mt-metrics-eval.

    System means are over the cells that have both values.

    Raises:
        ValueError: for shapes that do not fit, and an unknown level, kind or choice.
    """
    data = cells(metric, human)
    vectors = level_vectors(data.metric, data.human, level, kind)
    value = mean_of(vectors, constants)
    constant = vectors.enough & np.isnan(vectors.values)
    used = vectors.enough if constants == "zero" else vectors.enough & ~constant
    both = np.isfinite(data.metric)
    return Correlation(
        value=float(value),
        used=int(used.sum()),
        constant=int(constant.sum()),
        short=int((~vectors.enough).sum()),
        points=int(both.any(axis=1).sum() if level == "system" else both.sum()),
        missing=data.missing,
        why_not="" if np.isfinite(value) else why_no_correlation(metric, human, level),
    )


WITHIN: dict[Level, str] = {
    "system": "the systems' means are fewer than two, or do not differ",
    "item": "within no item do two systems differ on the metric and for people",
    "global": "fewer than two cells have both values",
    "edits": "within no system do two items differ on the metric and for people",
}


def why_no_correlation(metric: np.ndarray, human: np.ndarray, level: Level) -> str:
    """Return why there is no correlation at a level: what is missing, or does not vary."""
    return why_no_value(metric, human) or WITHIN[level]


def level_vectors(
    metric: np.ndarray,
    human: np.ndarray,
    level: Level,
    kind: Kind,
    items: np.ndarray | None = None,
    systems: np.ndarray | None = None,
) -> Vectors:
    """Return the correlation of every vector of a level, before they are averaged.

    metric, human: float (..., systems, items) with the same missing cells.
    items:   float (draws, items): how often each item counts in each draw; left out, once.
    systems: float (draws, systems), likewise. With either, the leading axis is the draws.
    """
    if level not in LEVELS:
        raise ValueError(f"unknown level {level!r}; one of {', '.join(LEVELS)}")
    # One coefficient an item, over systems.
    if level == "item":
        by_item = np.swapaxes(metric, -1, -2), np.swapaxes(human, -1, -2)
        weight = None if systems is None else systems[:, None, :]
        found = coefficient(*by_item, kind, weight)
        return Vectors(found, _counts(metric, None, systems).sum(axis=-2) > 1)
    # One a system, over items.
    if level == "edits":
        found = _within_systems(metric, human, kind, items)
        return Vectors(found, _counts(metric, items, None).sum(axis=-1) > 1)
    # One, over means of systems.
    if level == "system":
        means = [system_means(values, items) for values in (metric, human)]
        there = np.isfinite(means[0]) * (1.0 if systems is None else systems)
        found = coefficient(means[0], means[1], kind, systems)
        return Vectors(found[..., None], there.sum(axis=-1)[..., None] > 1)
    # Global: one, over all cells.
    count = _counts(metric, items, systems)
    flat = [values.reshape(*values.shape[:-2], -1) for values in (metric, human, count)]
    weight = None if items is None and systems is None else flat[2]
    found = coefficient(flat[0], flat[1], kind, weight)
    return Vectors(found[..., None], flat[2].sum(axis=-1)[..., None] > 1)


def mean_of(
    vectors: Vectors, constants: Constants, weights: np.ndarray | float = 1.0
) -> np.ndarray:
    """Return the mean over vectors (..., vectors) -> (...), constant ones treated as asked."""
    if constants not in ("omit", "zero"):
        raise ValueError(f"constants must be 'omit' or 'zero', not {constants!r}")
    defined = np.isfinite(vectors.values)
    counted = vectors.enough if constants == "zero" else vectors.enough & defined
    weight = counted * weights
    return ratio(
        (weight * np.where(defined, vectors.values, 0.0)).sum(axis=-1), weight.sum(axis=-1)
    )


def system_means(values: np.ndarray, items: np.ndarray | None = None) -> np.ndarray:
    """Return the mean over items (..., systems, items) -> (..., systems), NaN with no value.

    items: float (draws, items), how often each item counts; the leading axis is then the draws.
    """
    present = np.isfinite(values)
    if not present.any():
        return np.full(
            values.shape[:-1] if items is None else (len(items), values.shape[-2]), np.nan
        )
    origin = values[present][0]  # so that equal values have equal means, to the last bit
    filled = np.where(present, values - origin, 0.0)
    if items is None:
        return merged(ratio(filled.sum(axis=-1), present.sum(axis=-1))) + origin
    if values.ndim == 2:
        return merged(ratio(items @ filled.T, items @ present.T.astype(np.float64))) + origin
    total = np.einsum("dsi,di->ds", filled, items)
    return merged(ratio(total, np.einsum("dsi,di->ds", present, items))) + origin


def smallest_p(systems: int) -> float:
    """Return the smallest p an exact one-sided test of tau or rho over n systems can give: 1/n!.

    That is the share of orders that agree with people's completely. P of no system is 1.
    """
    return 1 / factorial(systems)


def system_note(systems: int) -> str:
    """Return the plain words that go beside a system-level correlation; "" with five or more."""
    if systems >= ENOUGH:
        return ""
    return (
        f"{systems} systems cannot support a claim at system level: even a perfect ranking has "
        f"p = 1/{systems}! = {smallest_p(systems):.3f} in an exact one-sided test, before any "
        "correction for having looked at several metrics."
    )


def _counts(metric: np.ndarray, items: np.ndarray | None, systems: np.ndarray | None) -> np.ndarray:
    """Return how often each cell counts: (..., systems, items)."""
    count = np.isfinite(metric).astype(np.float64)
    if items is not None:
        count = count * items[:, None, :]
    return count if systems is None else count * systems[:, :, None]


def _within_systems(
    metric: np.ndarray, human: np.ndarray, kind: Kind, items: np.ndarray | None
) -> np.ndarray:
    if metric.ndim == 2:
        rows = zip(metric, human, strict=True)
        return np.stack([coefficient(x, y, kind, items) for x, y in rows], axis=-1)
    return coefficient(metric, human, kind, None if items is None else items[:, None, :])
