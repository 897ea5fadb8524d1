"""People in the place of a metric, in any design: half of a panel, and one vote an item.

half_panels: the mean of one random half of the raters is the metric, that of the other half people,
with any statistic a metric gets. Each half has about half of the votes, so a metric that knew the
true means could do better than this against the whole panel: it is a level people do reach, not
the highest one there is.

one_vote: of every item one random vote is the metric, the mean of its other votes people. Where no
rater sees two methods of an edit, single raters cannot be compared within edits; single votes can,
with the biases of raters as part of their noise.

systems_alone: a metric that looks at no clip and knows only how people rate each system elsewhere.
What follows people no better than this may have found out which system made a clip, and no more.

After the noise ceilings of Deutsch, Foster & Freitag (EMNLP 2023) and of `noise_ceiling`, which
see.
"""

from typing import NamedTuple

import numpy as np

from evaluation.stats.intervals import ratio
from evaluation.stats.meta.data import PairStatistic, mean_votes, sources_of
from evaluation.stats.resampling import percentile_interval


class PanelStatistic(NamedTuple):
    """A statistic over random draws of who plays the metric; NaN where no draw has a value."""

    mean: float
    low: float  # ends of the middle 95% of the draws: how much the draw matters, no more
    high: float
    draws: int  # draws that have a value
    votes: float  # mean number of votes that a value of the metric rests on


def half_panels(
    votes: np.ndarray,
    statistic: PairStatistic,
    *,
    rng: np.random.Generator,
    draws: int = 200,
    confidence: float = 0.95,
) -> PanelStatistic:
    """Return the statistic of one half of the raters as a metric of the other half.

    votes: float (systems, items, raters), NaN where a rater did not see a cell. Of an odd panel one
    rater sits out, another in each draw. With fewer than two raters there is none.
    confidence: share of the draws between the ends.
    """
    raters, size = votes.shape[2], votes.shape[2] // 2
    values, counts = [], []
    for _ in range(draws if size else 0):
        order = rng.permutation(raters)
        one, other = votes[:, :, order[:size]], votes[:, :, order[size : 2 * size]]
        values.append(statistic(mean_votes(one), mean_votes(other)))
        counts.append(_mean_count(one))
    return _panel(values, counts, confidence)


def one_vote(
    votes: np.ndarray,
    statistic: PairStatistic,
    *,
    rng: np.random.Generator,
    draws: int = 200,
    confidence: float = 0.95,
) -> PanelStatistic:
    """Return the statistic of one random vote an item as a metric of the item's other votes.

    Items with fewer than two votes are missing. Arguments as `half_panels`.
    """
    there = np.isfinite(votes)
    filled, count = np.where(there, votes, 0.0), there.sum(axis=2)
    total, values = filled.sum(axis=2), []
    for _ in range(draws):
        chosen = np.argmax(np.where(there, rng.random(votes.shape), -1.0), axis=2)
        vote = np.take_along_axis(filled, chosen[..., None], axis=2)[..., 0]
        vote = np.where(count > 1, vote, np.nan)
        values.append(statistic(vote, ratio(total - vote, np.maximum(count - 1, 0))))
    return _panel(values, [1.0] * len(values), confidence)


def systems_alone(human: np.ndarray, sources: np.ndarray | None = None) -> np.ndarray:
    """Return each system's mean human value over the items of all other sources.

    human: float (systems, items) or votes (systems, items, raters). sources: (items,) labels; left
    out, each item is its own. Float (systems, items), NaN where there is no other source.
    """
    human = mean_votes(human)
    source = sources_of(human.shape[1], sources)
    there = np.isfinite(human)
    sums, counts = (source.totals(np.where(there, part, 0.0)) for part in (human, 1.0))
    rest = sums.sum(axis=1, keepdims=True) - sums, counts.sum(axis=1, keepdims=True) - counts
    return ratio(*rest)[:, source.member]


def _mean_count(votes: np.ndarray) -> float:
    count = np.isfinite(votes).sum(axis=2)
    return float(ratio(count.sum(), (count > 0).sum()))


def _panel(values: list[float], counts: list[float], confidence: float) -> PanelStatistic:
    found = np.array(values, dtype=np.float64)
    defined = np.isfinite(found)
    if not defined.any():
        return PanelStatistic(np.nan, np.nan, np.nan, 0, np.nan)
    low, high = percentile_interval(found, confidence)
    votes = float(np.mean(np.array(counts)[defined]))
    return PanelStatistic(float(found[defined].mean()), low, high, int(defined.sum()), votes)
