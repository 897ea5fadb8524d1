"""By how much a composite follows people better than a single metric does, on the same cells.

Everything compared is held out: the composite's scores of a source come from the other sources,
and so does, for the fair rival, the choice of the single metric. The rival in hindsight is the
metric that turned out best on all sources; no one could have named it, so it errs on the safe side.

p: two-sided by PERM-BOTH (correlations) or swapped verdicts (acc_eq), sources as blocks
(permutation.py), and interval by the bootstrap over sources, both rivals on the same draws. Either
takes the scores as given, but those of k folds come from models that share most of their sources,
so that all are right or wrong together. As in the corrected resampled t-test of Nadeau & Bengio
(Machine Learning 52 (2003)), the variance is therefore multiplied: there by 1 + J n2 / n1, n2
tested and n1 learned from in each of J splits, here by 1 + k / (k - 1). Swapped differences are
that much larger before they are counted, and the ends of the interval that much farther out.

Share of simulated studies (12 metrics; sources x edits x methods) whose composite comes out better
by the headline: p of swaps alone < .05 | p as corrected < .05 | verdict "better"
(tests/test_composite_evidence.py):

                      300 of 15 x 3 x 4     150 of 29 x 4 x 5
    no metric knows   15% | 1% | 0%         20% | 8% | 2%
    one alone knows    0% | 0% | 0%          1% | 0% | 0%
    four know         49% | 24% | 24%       97% | 76% | 76%

Items whose votes are all equal can be right for no correlation within items and are left out there;
elsewhere a score without variation counts as a correlation of 0, so that knowing nothing never
pays.
"""

from typing import Literal, NamedTuple

import numpy as np

from evaluation.stats.composite.folds import RatedMetrics, all_best, best_single, metric_agreement
from evaluation.stats.meta import (
    EQUAL_GAP,
    Statistic,
    bootstrap_accuracy,
    bootstrap_correlation,
    common,
    correlation_contest,
    outcome_gaps,
    signs,
    sources_of,
    swaps,
)
from evaluation.stats.resampling import Resampling, percentile_interval

STATISTICS = (
    Statistic("correlation", "item", "pearson", "zero"),  # the headline of two methods or more
    Statistic("correlation", "item", "spearman", "zero"),
    Statistic("acc_eq"),
    Statistic("correlation", "edits", "pearson", "zero"),  # within methods: blind to their levels
    Statistic("correlation", "global", "pearson", "zero"),
)
ALPHA = 0.05
Verdict = Literal["better", "worse", "not shown to be better", "not comparable"]


class Gain(NamedTuple):
    """A composite against one single metric by one statistic; NaN where there is no value."""

    statistic: Statistic
    rival: str  # the metric; of those chosen in folds, the commonest
    folds: int  # sources for which it was chosen; 0: in hindsight, from all
    composite: float
    single: float
    delta: float  # composite less single
    low: float  # interval of delta
    high: float
    p: float  # two-sided
    p_swaps: float  # the same with scores taken as given: too small
    cells: int  # that the composite, the rival and people all have
    even: tuple[str, ...] = ()  # metrics as good as the rival, wherever it was chosen


class _TwoScores(NamedTuple):
    """A composite and a single metric on the cells that both and people have."""

    one: np.ndarray  # float (systems, items)
    other: np.ndarray
    votes: np.ndarray  # NaN also where they can tell nothing apart
    member: np.ndarray  # int (items,): source of each item
    statistic: Statistic


def verdict(gain: Gain, hindsight: Gain) -> Verdict:
    """Return what can be said of a composite by one statistic.

    "better" asks for more than a small p over the metrics chosen in folds: where nothing follows
    people, the choice changes from fold to fold and is worse than chance half of the time. No
    single metric may do better, not even the best in hindsight.
    """
    if not np.isfinite(gain.p):
        return "not comparable"
    if gain.p >= ALPHA:
        return "not shown to be better"
    if gain.delta < 0:
        return "worse"
    return "better" if hindsight.delta > 0 else "not shown to be better"


def statistics_for(systems: int) -> tuple[Statistic, ...]:
    """Return the statistics that so many systems allow, the headline first."""
    return STATISTICS if systems > 1 else STATISTICS[3:]


def gain_in_folds(
    scores: np.ndarray, data: RatedMetrics, statistic: Statistic, resampling: Resampling
) -> Gain:
    """Return the gain over the metric that was best on the other sources, chosen for each.

    scores: float (systems, items), held out.
    """
    single = best_single(data.metrics, data.votes, data.member, data.names, statistic)
    rival, folds = next(iter(single.chosen.items()), ("none", 0))
    two = _side_by_side(scores, single.scores, data, statistic)
    found = _gain(two, resampling)
    return found._replace(rival=rival, folds=folds, even=single.even.get(rival, ()))


def gain_in_hindsight(
    scores: np.ndarray, data: RatedMetrics, statistic: Statistic, resampling: Resampling
) -> Gain:
    """Return the gain over the metric that is best on all sources; arguments as above."""
    best = all_best(data.metrics, data.votes, data.names, statistic)
    nothing = np.full(data.votes.shape, np.nan)
    rival, values = (data.names[best[0]], data.metrics[best[0]]) if best else ("none", nothing)
    found = _gain(_side_by_side(scores, values, data, statistic), resampling)
    return found._replace(rival=rival, even=tuple(data.names[k] for k in best[1:]))


def informative(people: np.ndarray, statistic: Statistic) -> np.ndarray:
    """Return the votes (systems, items), NaN on items that cannot tell metrics apart."""
    if (statistic.name, statistic.level) != ("correlation", "item"):
        return people
    some = np.isfinite(people).any(axis=0)
    least = np.where(some, np.where(np.isfinite(people), people, np.inf).min(axis=0), 0.0)
    most = np.where(some, np.where(np.isfinite(people), people, -np.inf).max(axis=0), 0.0)
    return np.where(most - least > 1e-12, people, np.nan)


def _side_by_side(
    scores: np.ndarray, single: np.ndarray, data: RatedMetrics, statistic: Statistic
) -> _TwoScores:
    one, other, votes, _ = common(scores, single, data.votes)
    return _TwoScores(one, other, informative(votes, statistic), data.member, statistic)


def _gain(two: _TwoScores, resampling: Resampling) -> Gain:
    """Return the gain without the name of the rival."""
    # What both say, on the same cells.
    cells, nan = np.isfinite(two.votes), float("nan")
    first, second = (
        metric_agreement(side, two.votes, two.statistic) for side in (two.one, two.other)
    )
    delta = first - second
    found = Gain(two.statistic, "", 0, first, second, delta, nan, nan, nan, nan, int(cells.sum()))
    sources = len(np.unique(two.member[cells.any(axis=0)]))
    if not np.isfinite(delta) or sources < 2:
        return found

    # How surely: swaps and resamples of sources, both wider since folds share their data.
    wider = (1 + sources / (sources - 1)) ** 0.5
    swapped = np.abs(_swapped(two, resampling))
    low, high = _interval(two, resampling)
    return found._replace(
        low=delta + wider * (low - delta),
        high=delta + wider * (high - delta),
        p=_share_at_least(swapped * wider, abs(delta)),
        p_swaps=_share_at_least(swapped, abs(delta)),
    )


def _share_at_least(drawn: np.ndarray, seen: float) -> float:
    """Return (1 + draws of at least what was seen) / (1 + draws); a draw without value is one."""
    return (1 + int((~(drawn < seen - EQUAL_GAP)).sum())) / (1 + len(drawn))


def _swapped(two: _TwoScores, resampling: Resampling) -> np.ndarray:
    """Return the differences (permutations,) after sources swapped the two scores at random."""
    rng, permutations = resampling.rng, resampling.permutations
    if two.statistic.name == "acc_eq":
        gaps = outcome_gaps(two.one, two.other, two.votes)[0].sum(axis=0)
        units = sources_of(len(two.member), two.member).totals(gaps)
        drawn = signs(len(units), 1, rng, permutations, False)
        return np.concatenate([block @ units for block in drawn])
    _, level, kind, constants = two.statistic
    contest = correlation_contest(two.one, two.other, two.votes, level, kind, constants)
    swapped = swaps(two.votes.shape, "sources", two.member, rng, permutations, False)
    return np.concatenate([contest.delta(block) for block in swapped])


def _interval(two: _TwoScores, resampling: Resampling) -> tuple[float, float]:
    """Return the ends of the difference's percentile interval over resampled sources."""
    seed = int(resampling.rng.integers(2**63))
    sides = [_draws(two, side, seed, resampling) for side in (two.one, two.other)]
    return percentile_interval(sides[0] - sides[1], resampling.confidence)


def _draws(two: _TwoScores, side: np.ndarray, seed: int, resampling: Resampling) -> np.ndarray:
    """Return the statistic of each resample of sources; equal seeds draw the same sources."""
    again = resampling._replace(rng=np.random.default_rng(seed))
    if two.statistic.name == "acc_eq":
        return bootstrap_accuracy(side, two.votes, again, sources=two.member).draws
    return bootstrap_correlation(side, two.votes, two.statistic, again, sources=two.member).draws
