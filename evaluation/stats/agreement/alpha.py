"""Krippendorff's alpha: agreement of raters beyond chance, for any number of raters with gaps.

    alpha = 1 - D_observed / D_expected,   D = sum over pairs of grades of coincidences x delta^2

Coincidences o_ck count, within each unit (item), pairs of votes c, k of two raters, each unit with
m votes weighing its pairs by 1 / (m - 1); units with a single vote have none. delta^2 is how far
apart two grades are: nominal 1 unless equal; interval (c - k)^2; ordinal the squared number of
votes between them, those on c and on k counting half.

Source: Krippendorff, Content Analysis, 4th edition (2018), chapter 12. alpha is 1 where all agree,
0 where they agree as by chance, below where they disagree by system. A rater's bias lowers it,
though the ranking of items may be shared: read it beside `leave_one_out`.

Its interval is of the studentized bootstrap over sources (Efron & Tibshirani, An Introduction to
the Bootstrap (1993), chapter 12): draws of (alpha* - alpha) / error*, errors by the jackknife over
sources, which mends the bias and the skewness of alpha from few sources: plain percentiles of 30
sources hold the truth in 88 to 91% where 95% are asked. It is about other sources and these raters;
`benchmarks/README.md` has the measured coverage.
"""

from typing import Literal, NamedTuple

import numpy as np

from evaluation.stats.resampling import Resampling, percentile_interval

Measurement = Literal["nominal", "ordinal", "interval"]
FEWEST = 5  # sources for an interval
BLOCK = 2**21  # numbers in one block of resamples


class Alpha(NamedTuple):
    """Alpha, at most 1, and its interval; NaN where it is not defined."""

    low: float
    mid: float
    high: float
    units: int  # with two votes or more
    single: int  # units left out, with one vote
    sources: int  # that hold a unit with two votes or more
    why_not: str = ""  # no alpha


def krippendorff_alpha(
    value: np.ndarray,
    unit: np.ndarray,
    source: np.ndarray,
    *,
    measurement: Measurement = "ordinal",
    resampling: Resampling | None = None,
) -> Alpha:
    """Return Krippendorff's alpha with a studentized bootstrap interval over sources.

    value:  float (votes,), one vote a rater and unit. unit, source: int (votes,), >= 0.
    measurement: level of measurement of the grades, by which two of them are apart.
    resampling: of the cluster bootstrap of sources with all of their units; None leaves the ends
            NaN, as do fewer than five sources.

    Without a unit with two votes, or if all votes are the same grade, alpha is NaN: agreement about
    things that do not differ shows nothing.
    """
    if not len(value) == len(unit) == len(source):
        raise ValueError(f"{len(value)} votes need as many units and sources")
    grades, tables, single, units = _coincidences(value, unit, source)
    mid = float(alpha_of(tables.sum(axis=0, keepdims=True), grades, measurement)[0])
    low = high = np.nan
    many = len(tables)
    if resampling is not None and many >= FEWEST and np.isfinite(mid):
        low, high = _interval(tables, grades, measurement, resampling)
    why = ""
    if not np.isfinite(mid):
        why = "all votes are the same grade" if units else "nothing has the votes of two raters"
    return Alpha(low, mid, high, units, single, many, why)


def _interval(
    tables: np.ndarray, grades: np.ndarray, measurement: Measurement, resampling: Resampling
) -> tuple[float, float]:
    """Return the ends of the studentized bootstrap over sources, from their coincidences."""
    rng, resamples, confidence, _ = resampling
    many = len(tables)
    counts = rng.multinomial(many, np.full(many, 1 / many), size=resamples)
    counts = np.vstack([np.ones(many), counts])  # the study itself first
    rows = max(1, BLOCK // (many * len(grades) ** 2))
    blocks = [counts[start : start + rows] for start in range(0, len(counts), rows)]
    found = [_alpha_and_error(tables, block, grades, measurement) for block in blocks]
    values, errors = np.concatenate(found, axis=1)
    return _studentized(values, errors, confidence)


def _studentized(values: np.ndarray, errors: np.ndarray, confidence: float) -> tuple[float, float]:
    """Return the ends from alphas and errors (1 + resamples,), those of the study itself first."""
    mid, error = values[0], errors[0]
    if error < 1e-12:  # all sources alike
        return mid, mid
    t = np.divide(values - mid, errors, out=np.full(len(values), np.nan), where=errors > 1e-12)
    low, high = percentile_interval(t[1:], confidence)
    return mid - high * error, min(mid - low * error, 1.0)


def _alpha_and_error(
    tables: np.ndarray, counts: np.ndarray, grades: np.ndarray, measurement: Measurement
) -> np.ndarray:
    """Return alpha and its jackknife error under counts of sources (n, sources): (2, n)."""
    # Alpha without each source, once.
    total, size = np.tensordot(counts, tables, axes=1), len(grades)
    without = alpha_of((total[:, None] - tables).reshape(-1, size, size), grades, measurement)
    without = np.where(counts > 0, without.reshape(counts.shape), 0.0)

    # The jackknife: spread of these over the drawn sources.
    drawn = counts.sum(axis=1)
    gap = without - ((counts * without).sum(axis=1) / drawn)[:, None]
    squares = (counts * gap**2).sum(axis=1) * (drawn - 1) / drawn
    return np.stack([alpha_of(total, grades, measurement), np.sqrt(squares)])


def alpha_of(coincidences: np.ndarray, grades: np.ndarray, measurement: Measurement) -> np.ndarray:
    """Return alpha of each table of coincidences (n, grades, grades), float (n,)."""
    marginal = coincidences.sum(axis=2)  # (n, grades)
    delta = _distance(marginal, grades, measurement)
    total = marginal.sum(axis=1)
    observed = (coincidences * delta).sum(axis=(1, 2))
    expected = (marginal[:, :, None] * marginal[:, None, :] * delta).sum(axis=(1, 2))
    ratio = np.divide(
        (total - 1) * observed, expected, out=np.full(len(total), np.nan), where=expected > 0
    )
    return np.asarray(1 - ratio)


def _distance(marginal: np.ndarray, grades: np.ndarray, measurement: Measurement) -> np.ndarray:
    """Return delta^2 (n or 1, grades, grades)."""
    if measurement == "nominal":
        return (1.0 - np.eye(len(grades)))[None]
    if measurement == "interval":
        return np.asarray(((grades[:, None] - grades) ** 2)[None])
    if (
        measurement == "ordinal"
    ):  # half of c, all between, half of k: the difference of middle ranks
        middle = marginal.cumsum(axis=1) - marginal / 2
        return np.asarray((middle[:, :, None] - middle[:, None, :]) ** 2)
    raise ValueError(f"no measurement {measurement!r}; there are nominal, ordinal, interval")


def _coincidences(
    value: np.ndarray, unit: np.ndarray, source: np.ndarray
) -> tuple[np.ndarray, np.ndarray, int, int]:
    """Return the grades, coincidences by source, and the units with one vote and with more.

    The coincidences of a unit with n_c votes of grade c, of m: (n_c n_k - [c = k] n_c) / (m - 1).
    """
    # Votes of each grade in each unit; units of one vote are left out.
    grades, grade = np.unique(value, return_inverse=True)
    _, first, member = np.unique(unit, return_index=True, return_inverse=True)
    counts = np.zeros((len(first), len(grades)))
    np.add.at(counts, (member, grade), 1)
    paired = counts.sum(axis=1) > 1
    counts, of_unit = counts[paired], source[first][paired]

    # Their coincidences, added up by source.
    names, cluster = np.unique(of_unit, return_inverse=True)
    weighted = counts / (counts.sum(axis=1, keepdims=True) - 1)
    tables = np.zeros((len(names), len(grades), len(grades)))
    for place in range(len(names)):
        at = cluster == place
        tables[place] = weighted[at].T @ counts[at] - np.diag(weighted[at].sum(axis=0))
    return grades, tables, int((~paired).sum()), int(paired.sum())
