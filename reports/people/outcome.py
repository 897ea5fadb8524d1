"""What raters said, worked out once: with the declared exclusions, and with everybody.

Methods are ranked and compared on the edits that all of them have votes on (`reports.ground`), so
scores, success, differences and letters are of these; what a method has beside is its own. One that
is not ranked, for too few edits in common, is compared on what it and the other have. A gap of a
method is an edit that raters saw by another method and not by this one. Whoever is first only as
long as its gaps are not at the end of the scale is not called best.

The parts of a report read these numbers; what only one part needs it works out itself, from
`People.kept.ratings`, with draws of `People.rng`.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np

from dreamix.core.errors import UserError
from dreamix.core.wording import listed
from evaluation.stats.multiplicity import holm_adjusted
from evaluation.stats.ratings import (
    Comparison,
    MethodScores,
    Ratings,
    Success,
    SuccessGap,
    by_votes,
    compare_methods,
    compare_success,
    item_scores,
    item_success,
    method_scores,
    read_ratings,
    success,
    votes_on,
)
from evaluation.stats.resampling import Resampling
from evaluation.stats.two_way_cluster import Raters
from reports.figures.style import MarkerStyle, marks_of
from reports.ground import TIE, MethodRanks, standing
from reports.people.export import StudyExport
from reports.summary import IntervalSettings

Pair = TypeVar("Pair", Comparison, SuccessGap)
SUCCESS = "success"  # stands beside the questions


def people_standings(ratings: Ratings) -> dict[str, MethodRanks]:
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
    return by_votes(kept._replace(method=at[kept.method], methods=names))


def on_common(ratings: Ratings, standings: dict[str, MethodRanks]) -> Ratings:
    """Return the ratings without the votes on ranked methods that are not on common edits."""
    keep = np.ones(len(ratings.value), bool)
    for k, question in enumerate(ratings.questions):
        of = ratings.question == k
        keep[of] = _kept(ratings, standings[question])[of]
    return _where(ratings, keep)


def on_common_success(ratings: Ratings, standings: dict[str, MethodRanks]) -> Ratings:
    """Return the same by the common edits of success, all questions together."""
    return _where(ratings, _kept(ratings, standings[SUCCESS]))


def compared(
    ratings: Ratings,
    standings: dict[str, MethodRanks],
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
    standings: dict[str, MethodRanks],
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


def whose_edits(standings: dict[str, MethodRanks]) -> str:
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


def _apart(ratings: Ratings, one: MethodRanks) -> set[str]:
    """Return the methods that stand beside ranked ones without a rank."""
    return {ratings.methods[m] for m in one.ground.apart if one.ground.ranked}


def _kept(ratings: Ratings, one: MethodRanks) -> np.ndarray:
    """Return which votes are compared, bool (votes,)."""
    ranked = np.isin(ratings.method, one.ground.ranked)
    return ~ranked | one.ground.edits[ratings.edit]


def _where(ratings: Ratings, keep: np.ndarray) -> Ratings:
    names = ("rater", "edit", "method", "question", "value")
    return ratings._replace(**{name: getattr(ratings, name)[keep] for name in names})


def _standing(
    whole: np.ndarray, low: float, high: float, sources: np.ndarray | None
) -> MethodRanks:
    valued = np.isfinite(whole)
    gaps = ~valued & valued.any(axis=0)
    worst, best = (np.where(gaps, end, whole) for end in (low, high))
    return standing(whole, worst, best, gaps, TIE * (high - low), sources)


class RaterOutcome(NamedTuple):
    """What one set of raters said."""

    ratings: Ratings
    common: Ratings  # of ranked methods the votes on common edits, of others all
    of_success: Ratings  # the same for success, which takes votes on every question
    scores: dict[str, MethodScores]  # by question, of `common`; arrays over ratings.methods
    own: dict[str, MethodScores]  # by question, of `ratings`
    comparisons: list[Comparison]  # of every pair on every question, a before b in ratings.methods
    success: Success
    own_success: Success
    standings: dict[str, MethodRanks]  # by question and SUCCESS, in the order of ratings.methods

    def apart(self, topic: str) -> list[str]:
        """Return methods whose scores are of their own edits, as too few are common to all."""
        one = self.standings[topic].ground
        alone = len(one.ranked) + len(one.apart) < 2
        return [] if alone else [self.ratings.methods[m] for m in one.apart]


class People(NamedTuple):
    """An absolute study (votes on a scale) in numbers."""

    export: StudyExport
    how: IntervalSettings
    kept: RaterOutcome  # without excluded raters: what the report says
    everyone: RaterOutcome | None  # of the same methods; None if nobody is excluded
    look: dict[
        str, MarkerStyle
    ]  # how every method is drawn: as in the figures of the run, if there is one

    @property
    def raters(self) -> Raters:
        """Whose votes a claim is about: where only means are known, the panel as it is."""
        return "fixed" if self.export.means else "random"

    def rng(self, *names: str) -> np.random.Generator:
        """Return the generator for one purpose: it depends on its names and the seed alone."""
        return self.resampling(*names).rng

    def resampling(self, *names: str) -> Resampling:
        """Return the draws for one purpose."""
        return self.how.resampling("people", *names)

    @property
    def questions(self) -> list[str]:
        """What was asked and answered, in the study's order."""
        return [name for name in self.export.questions if name in self.kept.ratings.questions]

    @property
    def methods(self) -> list[str]:
        """Labels with votes, in the study's order."""
        return [name for name in self.export.methods if name in self.kept.ratings.methods]

    def comparison(self, question: str, a: str, b: str) -> Comparison:
        """Return the comparison b - a as it was made: its own a and b may stand the other way."""
        return next(
            one
            for one in self.kept.comparisons
            if one.question == question and {one.a, one.b} == {a, b}
        )


def people_of(
    export: StudyExport, how: IntervalSettings, look: dict[str, MarkerStyle] | None = None
) -> People:
    """Return an absolute study's numbers.

    look: how methods are drawn elsewhere; left out, by their places in the study.

    Raises:
        UserError: for votes that cannot be read.
    """
    table = {str(name): export.long[name].to_numpy() for name in export.long}
    scale, threshold = export.scale, export.threshold
    raters: Raters = "fixed" if export.means else "random"
    ratings = read_ratings(table, scale=scale, threshold=threshold)
    _check_known(export, ratings)
    kept, everyone = _outcome(ratings, how, raters), None
    if ratings.left_out.excluded:
        every = read_ratings(table, scale=scale, threshold=threshold, keep_excluded=True)
        everyone = _outcome(of_methods(every, ratings.methods), how, raters)
    return People(export, how, kept, everyone, marks_of(export.methods) | (look or {}))


def _check_known(export: StudyExport, ratings: Ratings) -> None:
    """Raise a `UserError` where the votes are on nothing that the study names."""
    for what, named, found in (
        ("questions", export.questions, ratings.questions),
        ("methods", export.methods, ratings.methods),
    ):
        if not set(named) & set(found):
            raise UserError(
                f"{export.folder}: study.yaml has the {what} {listed(named)}, the votes are on "
                f"{listed(found)}; export the study again"
            )
    if unknown := sorted(set(ratings.methods) - set(export.methods)):
        raise UserError(
            f"{export.folder}: there are votes on {listed(unknown)}, which study.yaml does not "
            "name; export the study again"
        )


def _outcome(ratings: Ratings, how: IntervalSettings, raters: Raters) -> RaterOutcome:
    standings = people_standings(ratings)
    common, of_success = on_common(ratings, standings), on_common_success(ratings, standings)
    draws = how.resampling("people", "compare")
    comparisons = compared(
        ratings, standings, confidence=how.confidence, raters=raters, resampling=draws
    )
    return RaterOutcome(
        ratings=ratings,
        common=common,
        of_success=of_success,
        scores=_scores(common, how, raters),
        own={
            q: within_scale(
                method_scores(votes_on(ratings, q), confidence=how.confidence, raters=raters),
                ratings,
            )
            for q in ratings.questions
        },
        comparisons=comparisons,
        success=success(of_success, confidence=how.confidence),
        own_success=success(ratings, confidence=how.confidence),
        standings=standings,
    )


def _scores(ratings: Ratings, how: IntervalSettings, raters: Raters) -> dict[str, MethodScores]:
    return {
        question: within_scale(
            method_scores(
                votes_on(ratings, question),
                confidence=how.confidence,
                resampling=how.resampling("people", "mos"),
                raters=raters,
            ),
            ratings,
        )
        for question in ratings.questions
    }
