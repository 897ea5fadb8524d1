"""Where methods stand by votes: on the edits that all ranked ones have votes on.

A gap of a method is an edit that raters saw by another method and not by this one. Whoever is first
only as long as its gaps are not at the end of the scale is not called best. See `reports.ground`.
"""

import numpy as np

from evaluation.stats.mos import item_scores
from evaluation.stats.ratings import Ratings, votes_on
from evaluation.stats.success import item_success
from reports.ground import TIE, Standing, standing

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
