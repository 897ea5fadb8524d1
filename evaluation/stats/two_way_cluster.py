"""Uncertainty of a mean when raters and source videos are crossed: both are samples.

A vote shares its rater with some votes and its source with others, so votes are dependent along two
axes and no test that takes them (or raters alone, or sources alone) for independent holds its error
rate. Here an estimate is a weighted sum of votes, and a vote's *score* is its weight times its
residual. Then (Cameron, Gelbach & Miller, Journal of Business & Economic Statistics 29 (2011))

    V = V_rater + V_source - V_both,   V_g = G / (G - 1) sum over clusters (sum of scores)^2

with G raters, sources, or cells (a rater with a source) that hold a vote: what statsmodels calls
`cov_cluster_2groups`. V is never taken below the greater of V_rater and V_source, since the
subtraction can make it so by chance. Ends and p-values are of Student's t with min(I, J) - 1
degrees of freedom, I raters and J sources (Cameron & Miller, Journal of Human Resources 50 (2015)).

Where raters, or sources, hold unequal shares of the estimate, G / (G - 1) is a factor of their own
each (see `leverage`), and the degrees of freedom are at most Satterthwaite's,

    V^2 / (V_rater^2 / f_rater + (V - V_rater)^2 / f_source)

so that three raters on one method and nine on the other count for about four and not for twelve.

The two-way bootstrap beside it draws raters and sources independently, a vote counting the product
of how often its rater and its source were drawn (Owen, The pigeonhole bootstrap, Annals of Applied
Statistics 1 (2007)). It counts the answers' noise up to three times, and so is cautious where that
is much of the variance; percentiles of few raters or sources are too narrow on the other hand.

Measured share of nominal 95% intervals of a MOS that hold the truth, and of true null differences
(see `ratings.paired`) that are rejected at 5%; votes on 1 to 5, deviations of rater 0.4, source
0.6, edit 0.4, method x rater 0.25, method x source 0.35, answer 0.8; 1,500 studies each (600 of the
second), 250 for the bootstrap:

    raters x sources                        MOS t   bootstrap   rejected t   bootstrap
    24 x 30, half of the sources a rater    94.1%   94.8%       4.5%         1.6%
    100 x 30, half of the sources a rater   94.0%   93.6%       5.2%         4.0%
    12 x 29 x 127 edits, 1 vote an item     95.6%   96.4%       4.7%         0.0%
    12 x 29 x 127 edits, 2 votes an item    95.7%   94.0%       5.2%         2.4%
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from scipy import sparse
from scipy import stats as distributions

from evaluation.stats.intervals import ratio
from evaluation.stats.leverage import leverage
from evaluation.stats.resampling import Resampling

CHUNK = 256  # resamples at a time

Raters = Literal["random", "fixed"]  # others like these are meant, or these alone


class Variance(NamedTuple):
    """Variance of an estimate and its parts; NaN where there is one rater or one source only."""

    total: float
    rater: float
    source: float
    both: float
    raters: int  # that hold a vote
    sources: int
    freedom: float = np.nan  # Satterthwaite's; NaN for none but that of raters and sources
    fewest: int = 0  # raters of the arm that has the fewest; 0 if arms were not told


class ClusteredEstimate(NamedTuple):
    """An estimate, its interval and what it rests on; NaN where nothing can be said."""

    low: float
    mid: float
    high: float
    error: float  # standard error
    p: float  # two-sided, of the estimate being `null`
    freedom: float  # degrees of freedom, at most min(raters, sources) - 1
    raters: int
    sources: int
    fewest: int = 0  # raters who saw the method that the fewest saw; 0 where that is not known


NOTHING = ClusteredEstimate(np.nan, np.nan, np.nan, np.nan, np.nan, 0, 0, 0)  # no vote to go by


def two_way_variance(
    score: np.ndarray,
    rater: np.ndarray,
    source: np.ndarray,
    weight: np.ndarray | None = None,
    arm: np.ndarray | None = None,
) -> Variance:
    """Return the variance of an estimate, clustered by rater and by source.

    score:  float (votes,), each vote's weight in the estimate times its residual.
    rater, source: int (votes,), >= 0, of each vote.
    weight: float (votes,), >= 0: how much a vote counts in the mean of its arm; left out, raters
            and sources are taken to count alike, with factors G / (G - 1).
    arm:    int (votes,): 0 or 1 where the estimate is a difference of two means; left out, 0.

    With one rater in an arm, or one source, the total is NaN: one says nothing about others.
    """
    given = (
        weight if weight is None else (weight, np.zeros(len(score), int) if arm is None else arm)
    )
    by_rater, of_raters, raters, fewest = _clustered(score, rater, given)
    by_source, of_sources, sources, _ = _clustered(score, source, given)
    both = _clustered(score, rater * (source.max(initial=0) + 1) + source)[0]
    alone = min(raters, sources, fewest) < 2
    total = np.nan if alone else max(by_rater + by_source - both, by_rater, by_source)
    freedom = np.nan if weight is None else satterthwaite(total, by_rater, of_raters, of_sources)
    fewest = 0 if weight is None else fewest
    return Variance(total, by_rater, by_source, both, raters, sources, freedom, fewest)


def satterthwaite(total: float, by_rater: float, of_raters: float, of_sources: float) -> float:
    """Return the degrees of freedom of a variance of which `by_rater` rests on the raters."""
    if not total > 0 or of_raters <= 0 or of_sources <= 0:
        return float("nan")
    return total**2 / (by_rater**2 / of_raters + (total - by_rater) ** 2 / of_sources)


def one_way_variance(score: np.ndarray, source: np.ndarray, raters: int) -> Variance:
    """Return the variance of an estimate for these raters: clustered by source alone."""
    by_source, freedom, sources, _ = _clustered(score, source)
    total = np.nan if sources < 2 else by_source
    return Variance(total, 0.0, by_source, 0.0, raters, sources, freedom, raters)


def clustered_estimate(
    mid: float,
    variance: Variance,
    *,
    confidence: float = 0.95,
    null: float = 0.0,
    raters: Raters = "random",
) -> ClusteredEstimate:
    """Return an estimate with its t interval and p-value.

    confidence: of the interval, 0 < confidence < 1.
    raters: "random", a sample of others like them, or "fixed", these and no others: then only the
            sources leave degrees of freedom.

    A variance of zero (all votes alike) gives an interval of no width; its p is 1 if the estimate
    is `null` and NaN otherwise, as votes that do not vary are nothing to judge by.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"need 0 < confidence < 1, got {confidence}")
    few = variance.sources if raters == "fixed" else min(variance.raters, variance.sources)
    freedom = float(max(few - 1, 0))
    if np.isfinite(variance.freedom):
        freedom = min(freedom, variance.freedom)
    if np.isnan(variance.total):
        freedom = 0.0
    error = float(np.sqrt(variance.total))
    half = float(distributions.t.ppf((1 + confidence) / 2, freedom)) * error if freedom else np.nan
    p = p_value(mid - null, error, freedom)
    counts = variance.raters, variance.sources, variance.fewest
    return ClusteredEstimate(mid - half, mid, mid + half, error, p, freedom, *counts)


def without_interval(one: ClusteredEstimate) -> ClusteredEstimate:
    """Return the estimate alone: no interval, no p."""
    return one._replace(low=np.nan, high=np.nan, error=np.nan, p=np.nan, freedom=0.0)


def p_value(deviation: float, error: float, freedom: float) -> float:
    """Return the two-sided p of a deviation from the null, by Student's t."""
    if not freedom or np.isnan(error) or np.isnan(deviation):
        return np.nan
    if error < 1e-12:  # rounding of sums of votes, not variation
        return 1.0 if abs(deviation) < 1e-12 else np.nan
    return float(2 * distributions.t.sf(abs(deviation) / error, freedom))


def two_way_weights(
    raters: int, sources: int, resampling: Resampling
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give how often raters (raters, n) and sources (sources, n) are drawn, n resamples at a time.

    Draws are multinomial, raters and sources independently. The n sum to the resamples.
    """
    rng, resamples, *_ = resampling
    for start in range(0, resamples, CHUNK):
        size = min(CHUNK, resamples - start)
        of_raters = rng.multinomial(raters, np.full(raters, 1 / raters), size=size)
        of_sources = rng.multinomial(sources, np.full(sources, 1 / sources), size=size)
        yield of_raters.T.astype(np.float64), of_sources.T.astype(np.float64)


class ItemTotals:
    """Sums and counts of votes by item and rater, for item means under weights of raters."""

    def __init__(self, value: np.ndarray, item: np.ndarray, rater: np.ndarray, raters: int) -> None:
        """Take the votes: value float (votes,), item and rater int (votes,), >= 0."""
        self.items, row = np.unique(item, return_inverse=True)
        shape = (len(self.items), raters)
        self.sums = sparse.csr_matrix((value, (row, rater)), shape)
        self.counts = sparse.csr_matrix((np.ones(len(value)), (row, rater)), shape)

    def means(self, weights: np.ndarray) -> np.ndarray:
        """Return the mean of each item (items, n) under weights (raters, n); NaN without votes."""
        return ratio(self.sums @ weights, self.counts @ weights)


def mean_of_source_means(
    means: np.ndarray, source: np.ndarray, weights: np.ndarray, sources: int
) -> np.ndarray:
    """Return the mean over sources of the mean over a source's items, float (n,).

    means:   float (items, n); NaN is no item.
    source:  int (items,), of each item.
    weights: float (sources, n): how much each source counts.
    """
    present = np.isfinite(means)
    belongs = sparse.csr_matrix(
        (np.ones(len(source)), (source, np.arange(len(source)))), (sources, len(source))
    )
    of_source = ratio(belongs @ np.where(present, means, 0.0), belongs @ present.astype(np.float64))
    known = np.isfinite(of_source)
    total = (weights * np.where(known, of_source, 0.0)).sum(axis=0)
    return ratio(total, (weights * known).sum(axis=0))


def _clustered(
    score: np.ndarray, cluster: np.ndarray, given: tuple[np.ndarray, np.ndarray] | None = None
) -> tuple[float, float, int, int]:
    """Return the variance by cluster, its degrees of freedom, the clusters, those of an arm.

    given: weight and arm of each vote, for factors of each cluster; None takes G / (G - 1).
    """
    _, member = np.unique(cluster, return_inverse=True)
    squares = np.bincount(member, score) ** 2
    many = len(squares)
    if given is None:
        factor = many / (many - 1) if many > 1 else 0.0
        return factor * float(squares.sum()), float(many - 1), many, many
    found = leverage(member, *given)
    if not found.freedom:
        return 0.0, 0.0, many, found.fewest
    return float(found.factor @ squares), found.freedom, many, found.fewest
