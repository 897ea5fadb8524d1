"""Differences watched while votes come in: intervals that hold at every look, and a rule to stop.

The unit is the rater: each value is one rater's own difference of mean votes on two methods of a
balanced list, and raters come in the order in which they finished. After t raters with mean m and
standard deviation s the asymptotic confidence sequence

    m +- s sqrt( (t q + 1) / (t^2 q) log((t q + 1) / a^2) )
    q = (-2 log a + log(-2 log a + 1)) / t0

holds the mean at all t from `first` on together with probability 1 - a, narrowest near t0 raters
(Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, arXiv 2103.06476, theorem 2.2 and appendix B.2).
So one may look after every rater, and stop. That is about raters like these on these very clips.

For clips like these, what the source videos of the study happen to add to a difference counts too.
It is the same at all times, so it needs no sequence: with variance v between sources of the
differences of source means, less what the votes alone add, and S sources, its half width is
t(S - 1) sqrt(v / S). The two halves are independent, each is taken at a / 2, and they join as a
root of squares: that is measured to hold (`benchmarks/adaptive_studies.py`), not proven; their sum
would be, and decides hardly anything.

a is the level's rest shared over all pairs and questions (Bonferroni): each sequence holds whatever
the others do, so methods may be taken out while others go on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
from scipy import stats as distributions

from evaluation.stats.intervals import ratio

State = Literal["open", "different", "alike"]
Clips = Literal["sample", "fixed"]


@dataclass(frozen=True)
class StoppingRule:
    """When a pair of methods is decided on a question."""

    first: int = 20  # raters of both methods, below which nothing is decided
    planned: int = 40  # raters at which the sequence is narrowest
    ahead: float = 0.0  # different: the whole interval is beyond this many points
    alike: float = 0.25  # alike: the whole interval is within so many points of zero
    level: float = 0.95  # of all intervals together
    clips: Clips = "sample"  # about clips like these; "fixed": about these alone


class RaterVotes(NamedTuple):
    """Votes on a question by who gave them, arrays (raters, methods, sources).

    Raters in the order in which they finished.
    """

    counts: np.ndarray
    sums: np.ndarray
    squares: np.ndarray  # sums of squares

    @property
    def means(self) -> np.ndarray:
        """Each rater's mean vote on a method, (raters, methods); NaN without one."""
        return ratio(self.sums.sum(axis=2), self.counts.sum(axis=2))


class Course(NamedTuple):
    """Two methods on a question, as they stand: the second less the first."""

    question: str
    a: str
    b: str
    state: State
    decided_after: int | None  # raters; None while it is open
    raters: int  # with votes on both
    mean: float  # of all of them; NaN without any
    low: float  # of the sequence, at the last rater; NaN before the first look
    high: float


def sequence_bounds(
    values: np.ndarray, alpha: float, planned: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the sequence after each value, arrays (values,); NaN after the first."""
    t = np.arange(1, len(values) + 1, dtype=float)
    mean = np.cumsum(values) / t
    square = np.cumsum(np.square(values)) / t - mean**2
    deviation = np.sqrt(np.maximum(square, 0.0) * t / np.maximum(t - 1, 1))
    q = (-2 * np.log(alpha) + np.log(-2 * np.log(alpha) + 1)) / planned
    half = deviation * np.sqrt((t * q + 1) / (t**2 * q) * np.log((t * q + 1) / alpha**2))
    half[:1] = np.nan
    return mean - half, mean + half


def courses(
    votes: Mapping[str, RaterVotes], methods: tuple[str, ...], rule: StoppingRule
) -> list[Course]:
    """Return how all pairs stand on all questions; votes: by question."""
    pairs = list(combinations(range(len(methods)), 2))
    alpha = (1 - rule.level) / max(1, len(pairs) * len(votes))
    return [
        _course(question, methods[i], methods[k], _pair(table, i, k), alpha, rule)
        for question, table in votes.items()
        for i, k in pairs
    ]


def open_methods(found: list[Course], methods: tuple[str, ...]) -> set[str]:
    """Return the methods that some open pair needs votes on."""
    needed = {name for one in found if one.state == "open" for name in (one.a, one.b)}
    return needed & set(methods)


def _pair(votes: RaterVotes, i: int, k: int) -> RaterVotes:
    """Return the votes on two methods of the raters who have both."""
    both = (votes.counts[:, [i, k]].sum(axis=2) > 0).all(axis=1)
    return RaterVotes(*(part[both][:, [i, k]] for part in votes))


def _course(
    question: str, a: str, b: str, votes: RaterVotes, alpha: float, rule: StoppingRule
) -> Course:
    means = votes.means
    values, first = means[:, 1] - means[:, 0], max(rule.first, 2)
    many = len(values)
    if many < first:
        mean = float(values.mean()) if many else np.nan
        return Course(question, a, b, "open", None, many, mean, np.nan, np.nan)
    part = alpha / 2 if rule.clips == "sample" else alpha
    low, high = sequence_bounds(values, part, rule.planned)
    middle, half = (low + high) / 2, (high - low) / 2
    if rule.clips == "sample":
        half = np.hypot(half, _source_half(votes, part))
    low, high = middle - half, middle + half
    different = (low > rule.ahead) | (high < -rule.ahead)
    alike = (low > -rule.alike) & (high < rule.alike)
    decided = np.flatnonzero((different | alike)[first - 1 :]) + first - 1
    state: State = "open"
    if len(decided):
        state = "different" if different[decided[0]] else "alike"
    when = int(decided[0]) + 1 if len(decided) else None
    ends = float(low[-1]), float(high[-1])
    return Course(question, a, b, state, when, many, float(values.mean()), *ends)


def _source_half(votes: RaterVotes, alpha: float) -> np.ndarray:
    """Return the half width that sources add, after each rater (raters,); infinite with one."""
    counts, sums, squares = (np.cumsum(part, axis=0) for part in votes)  # (raters, 2, sources)
    known = (counts > 0).all(axis=1)
    means = ratio(sums, counts)
    gaps = np.where(known, means[:, 1] - means[:, 0], np.nan)
    many = known.sum(axis=1)

    # Within cells, a vote's variance; of a difference of two cell means, what votes alone add.
    spare = np.maximum(counts - 1, 0).sum(axis=(1, 2))
    within = ratio((squares - np.where(counts > 0, sums * means, 0)).sum(axis=(1, 2)), spare)
    noise = within[:, None] * ratio(np.ones_like(counts), counts).sum(axis=1)
    with np.errstate(invalid="ignore"):
        centre = ratio(np.nansum(gaps, axis=1), many)
        between = ratio(np.nansum((gaps - centre[:, None]) ** 2, axis=1), many - 1)
    noise = np.where(known, noise, 0).sum(axis=1)
    variance = np.maximum(between - np.nan_to_num(ratio(noise, many)), 0.0)
    quantile = distributions.t.ppf(1 - alpha / 2, np.maximum(many - 1, 1))
    return np.where(many > 1, quantile * np.sqrt(variance / np.maximum(many, 1)), np.inf)
