"""From columns of answers to statistics with intervals and verdicts.

The unit is the source. Shares have Wilson's interval, means Student's; what is measured in the
judge's own gap between the exact edit and the source has a bootstrap over sources. Where answers
lack, a verdict has to be the same however they would have turned out.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats as distributions

from dreamix.core.seeding import rng_for
from evaluation.judge.audit.answers import Answers
from evaluation.judge.audit.rules import CANNOT, RULES, Verdict
from evaluation.stats.intervals import ratio
from evaluation.stats.resampling import cluster_counts, percentile_interval
from evaluation.stats.shares import wilson

CONFIDENCE, RESAMPLES = 0.95, 2000
PREFERS = 1e-6  # by which two scores or shares may differ and still be a tie


class Finding(NamedTuple):
    """One statistic; NaN where it has no value."""

    name: str
    value: float
    low: float
    high: float
    sources: int  # with an answer
    verdict: Verdict | None  # None: it is shown, and decides nothing


class Measured(NamedTuple):
    """A value with the ends of its interval; NaN where there is none."""

    value: float
    low: float
    high: float


NONE = Measured(np.nan, np.nan, np.nan)


def share_of(name: str, values: np.ndarray) -> Finding:
    """Return the mean of values from 0 to 1, one a source."""
    extremes: tuple[Measured, ...] = ()
    if np.isnan(values).any():
        extremes = tuple(Measured(*wilson(filled(values, end))) for end in (0.0, 1.0))
    return decided(name, Measured(*wilson(values, CONFIDENCE)), count_of(values), extremes)


def mean_of(name: str, values: np.ndarray) -> Finding:
    """Return the mean of values from -1 to 1, one a source, with Student's interval."""
    kept = values[np.isfinite(values)]
    if len(kept) < 2:
        return decided(name, NONE, len(kept))
    half = distributions.t.ppf((1 + CONFIDENCE) / 2, len(kept) - 1) * kept.std(ddof=1)
    mean, half = float(kept.mean()), float(half / len(kept) ** 0.5)
    return decided(name, Measured(mean, mean - half, mean + half), len(kept))


def in_gaps(name: str, answers: Answers, values: np.ndarray) -> Finding:
    """Return the mean of values over the mean gap between exact edit and source.

    values: one a source, NaN where it was not asked; the gap is that of all sources.
    """
    gaps = answers.score("exact/alignment") - answers.score("source/alignment")
    count = int(np.isfinite(values).sum())
    if count < 2 or not _is_above_nothing(gaps[np.isfinite(gaps)]):
        return decided(name, NONE, count)
    return decided(name, ratio_of_means(name, values, gaps), count)


def _is_above_nothing(gaps: np.ndarray) -> bool:
    """Return True if the mean gap is above 0 with its whole interval: else it is no yardstick."""
    if len(gaps) < 2:
        return False
    spread = gaps.std(ddof=1) / len(gaps) ** 0.5
    return bool(gaps.mean() > distributions.t.ppf((1 + CONFIDENCE) / 2, len(gaps) - 1) * spread)


def ratio_of_means(name: str, above: np.ndarray, below: np.ndarray) -> Measured:
    """Return a ratio of two means over sources with its percentile interval.

    Each mean is over those sources that have a value; both are drawn together.
    """
    counts = cluster_counts(len(above), RESAMPLES, rng_for("judge audit", name))
    drawn = ratio(_drawn_means(counts, above), _drawn_means(counts, below))
    value = float(np.nanmean(above) / np.nanmean(below))
    return Measured(value, *percentile_interval(drawn, CONFIDENCE))


def _drawn_means(counts: np.ndarray, values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    return ratio(counts @ np.where(known, values, 0.0), counts @ known.astype(float))


def median_of(values: np.ndarray) -> Measured:
    """Return a median with its interval by order statistics, which is that of a binomial."""
    ordered, n = np.sort(values), len(values)
    low = int(distributions.binom.ppf((1 - CONFIDENCE) / 2, n, 0.5))
    return Measured(float(np.median(values)), float(ordered[max(0, low - 1)]),
                     float(ordered[min(n - 1, n - low)]))  # fmt: skip


def correlation_of(first: np.ndarray, second: np.ndarray) -> Measured:
    """Return Spearman's rank correlation with Fisher's interval; none where a side is constant."""
    kept = np.isfinite(first) & np.isfinite(second)
    first, second = first[kept], second[kept]
    if len(first) < 4 or np.ptp(first) < PREFERS or np.ptp(second) < PREFERS:
        return NONE
    value = float(distributions.spearmanr(first, second).statistic)
    half = float(distributions.norm.ppf((1 + CONFIDENCE) / 2)) * (1.06 / (len(first) - 3)) ** 0.5
    middle = np.arctanh(np.clip(value, -1 + 1e-9, 1 - 1e-9))
    return Measured(value, float(np.tanh(middle - half)), float(np.tanh(middle + half)))


def decided(
    name: str, estimate: Measured, sources: int, extremes: Sequence[Measured] = ()
) -> Finding:
    """Return a finding with its verdict, which holds however the answers that lack turned out."""
    rule = RULES.get(name)
    if rule is None:
        return Finding(name, *estimate, sources, None)
    verdicts = {rule.verdict(*one) for one in (estimate, *extremes)}
    verdict = verdicts.pop() if len(verdicts) == 1 else CANNOT
    return Finding(name, *estimate, sources, verdict)


def above(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return 1 where the first is higher, a half where they tie."""
    difference = first - second
    found = np.where(np.abs(difference) <= PREFERS, 0.5, difference > 0)
    return np.where(np.isnan(difference), np.nan, found)


def in_order(low: np.ndarray, middle: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return 1 where three scores rise, 0 where they do not."""
    found = (middle - low > PREFERS) & (high - middle > PREFERS)
    return np.where(np.isnan(low + middle + high), np.nan, found)


def filled(values: np.ndarray, end: float) -> np.ndarray:
    """Return values with `end` where there was no answer."""
    return np.where(np.isnan(values), end, values)


def count_of(*columns: np.ndarray) -> int:
    """Return the number of sources that have a value in every column."""
    return int(np.isfinite(np.sum(columns, axis=0)).sum())
