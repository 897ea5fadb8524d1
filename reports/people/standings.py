"""Where methods stand by votes: on the edits that all ranked ones have votes on.

A gap of a method is an edit that raters saw by another method and not by this one. Whoever is first
only as long as its gaps are not at the end of the scale is not called best. See `reports.ground`.
"""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from evaluation.stats.multiplicity import holm_adjusted
from evaluation.stats.ratings import (
    Comparison,
    MethodScores,
    Ratings,
    SuccessGap,
    compare_methods,
    compare_success,
    item_scores,
    item_success,
    votes_on,
)
from evaluation.stats.resampling import Resampling
from evaluation.stats.two_way_cluster import Raters
from reports.ground import TIE, Standing, standing

Pair = TypeVar("Pair", Comparison, SuccessGap)

SUCCESS = "success"  # stands beside the questions


def people_standings(ratings: Ratings) -> dict[str, Standing]:
    """Return how methods stand on every question and by SUCCESS, in the order of their places."""
    low, high = ratings.scale
    found = {
        question: _standing(items_of(ratings, question), low, high, ratings.source)
        for question in ratings.questions
    }
    good = item_success(ratings)
    return found | {SUCCESS: _standing(good, 0.0, 1.0, None)}


def items_of(ratings: Ratings, question: str) -> np.ndarray:
    """Return the mean vote of every item, float (methods, edits), NaN without a vote."""
    items = item_scores(votes_on(ratings, question))
    table = np.full((len(ratings.methods), len(ratings.edits)), np.nan)
    table[items.method, items.edit] = items.mos
    return table


def of_methods(ratings: Ratings, names: tuple[str, ...]) -> Ratings:
    """Return the ratings of some methods, which are then numbered as they are named."""
    place = {name: k for k, name in enumerate(names)}
    at = np.array([place.get(name, -1) for name in ratings.methods])
    kept = _where(ratings, at[ratings.method] >= 0)
    return kept._replace(method=at[kept.method], methods=names)


def on_common(ratings: Ratings, standings: dict[str, Standing]) -> Ratings:
    """Return the ratings without the votes on ranked methods that are not on common edits."""
    keep = np.ones(len(ratings.value), bool)
    for k, question in enumerate(ratings.questions):
        of = ratings.question == k
        keep[of] = _kept(ratings, standings[question])[of]
    return _where(ratings, keep)


def on_common_success(ratings: Ratings, standings: dict[str, Standing]) -> Ratings:
    """Return the same by the common edits of success, all questions together."""
    return _where(ratings, _kept(ratings, standings[SUCCESS]))


def compared(
    ratings: Ratings,
    standings: dict[str, Standing],
    *,
    confidence: float,
    raters: Raters = "random",
    resampling: Resampling | None = None,
) -> list[Comparison]:
    """Return every pair on every question: ranked methods on common edits, others on all they have.

    The arguments are those of `compare_methods`. Intervals end where the scale does.
    """

    def of(some: Ratings) -> list[Comparison]:
        return compare_methods(some, confidence=confidence, raters=raters, resampling=resampling)

    low, high = ratings.scale
    apart = {question: _apart(ratings, standings[question]) for question in ratings.questions}
    found = _on_their_edits(
        of(on_common(ratings, standings)), lambda: of(ratings), lambda one: apart[one.question]
    )
    return [_within_range(one, high - low) for one in found]


def compared_success(
    ratings: Ratings,
    standings: dict[str, Standing],
    *,
    confidence: float,
    raters: Raters = "random",
) -> list[SuccessGap]:
    """Return the same of success, as `compare_success` does."""

    def of(some: Ratings) -> list[SuccessGap]:
        return compare_success(some, confidence=confidence, raters=raters)

    apart = _apart(ratings, standings[SUCCESS])
    common = of(on_common_success(ratings, standings))
    return _on_their_edits(common, lambda: of(ratings), lambda _: apart)


def _on_their_edits(
    common: list[Pair], own: Callable[[], list[Pair]], apart: Callable[[Pair], set[str]]
) -> list[Pair]:
    """Return pairs as they are on common edits, those with a method set apart as on all they have.

    apart: gives the methods that are set apart where a pair was compared.
    """
    if not any(map(apart, common)):
        return common
    pairs = zip(common, own(), strict=True)
    return holm_adjusted([other if {one.a, one.b} & apart(one) else one for one, other in pairs])


def whose_edits(standings: dict[str, Standing]) -> str:
    """Return on whose common edits pairs are compared: "{found} have votes on them"."""
    if not any(one.gaps.any() and one.ground.ranked for one in standings.values()):
        return "both"
    if all(one.ground.ranked and not one.ground.apart for one in standings.values()):
        return "all methods"
    return "all ranked methods (in a pair with one that is not ranked, both)"


def within_scale(scores: MethodScores, ratings: Ratings) -> MethodScores:
    """Return the scores with intervals cut at the ends of the scale: no mean is beyond them."""
    names = ("low", "high", "boot_low", "boot_high")
    return scores._replace(
        **{name: np.clip(getattr(scores, name), *ratings.scale) for name in names}
    )


def _within_range(one: Comparison, widest: float) -> Comparison:
    """Return a comparison with its interval cut where no difference on the scale can be."""
    low, high = np.clip([one.difference.low, one.difference.high], -widest, widest)
    difference = one.difference._replace(low=float(low), high=float(high))
    boot_low, boot_high = np.clip([one.boot_low, one.boot_high], -widest, widest)
    return one._replace(difference=difference, boot_low=float(boot_low), boot_high=float(boot_high))


def _apart(ratings: Ratings, one: Standing) -> set[str]:
    """Return the methods that stand beside ranked ones without a rank."""
    return {ratings.methods[m] for m in one.ground.apart if one.ground.ranked}


def _kept(ratings: Ratings, one: Standing) -> np.ndarray:
    """Return which votes are compared, bool (votes,)."""
    ranked = np.isin(ratings.method, one.ground.ranked)
    return ~ranked | one.ground.edits[ratings.edit]


def _where(ratings: Ratings, keep: np.ndarray) -> Ratings:
    names = ("rater", "edit", "method", "question", "value")
    return ratings._replace(**{name: getattr(ratings, name)[keep] for name in names})


def _standing(whole: np.ndarray, low: float, high: float, sources: np.ndarray | None) -> Standing:
    valued = np.isfinite(whole)
    gaps = ~valued & valued.any(axis=0)
    worst, best = (np.where(gaps, end, whole) for end in (low, high))
    return standing(whole, worst, best, gaps, TIE * (high - low), sources)
