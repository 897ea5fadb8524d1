"""What raters said, worked out once: with the declared exclusions, and with everybody.

Methods are ranked and compared on the edits that all of them have votes on (`reports.ground`), so
scores, success, differences and letters are of these; what a method has beside is its own. One that
is not ranked, for too few edits in common, is compared on what it and the other have.

The parts of a report read these numbers; what only one part needs it works out itself, from
`People.kept.ratings`, with draws of `People.rng`.
"""

from typing import NamedTuple

import numpy as np

from evaluation.stats.ratings import (
    Comparison,
    MethodScores,
    Ratings,
    Success,
    method_scores,
    read_ratings,
    success,
    votes_on,
)
from evaluation.stats.resampling import Resampling
from reports.ground import Standing
from reports.people.export import Exported
from reports.people.standings import (
    compared,
    of_methods,
    on_common,
    on_common_success,
    people_standings,
    within_scale,
)
from reports.style import Mark, marks_of
from reports.summary import IntervalSettings


class Outcome(NamedTuple):
    """What one set of raters said."""

    ratings: Ratings
    common: Ratings  # of ranked methods the votes on common edits, of others all
    of_success: Ratings  # the same for success, which takes votes on every question
    scores: dict[str, MethodScores]  # by question, of `common`; arrays over ratings.methods
    own: dict[str, MethodScores]  # by question, of `ratings`
    comparisons: list[Comparison]  # of every pair on every question, a before b in ratings.methods
    success: Success
    own_success: Success
    standings: dict[str, Standing]  # by question and SUCCESS, in the order of ratings.methods

    def apart(self, topic: str) -> list[str]:
        """Return methods whose scores are of their own edits, as too few are common to all."""
        one = self.standings[topic].ground
        alone = len(one.ranked) + len(one.apart) < 2
        return [] if alone else [self.ratings.methods[m] for m in one.apart]


class People(NamedTuple):
    """An absolute study (votes from 1 to 5) in numbers."""

    export: Exported
    how: IntervalSettings
    kept: Outcome  # without excluded raters: what the report says
    everyone: Outcome | None  # of the same methods; None if nobody is excluded
    look: dict[
        str, Mark
    ]  # how every method is drawn: as in the figures of the run, if there is one

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
    export: Exported, how: IntervalSettings, look: dict[str, Mark] | None = None
) -> People:
    """Return an absolute study's numbers; votes that cannot be read are a one-line `UserError`.

    look: how methods are drawn elsewhere; left out, by their places in the study.
    """
    table = {str(name): export.long[name].to_numpy() for name in export.long}
    ratings = read_ratings(table, keep_excluded=False)
    kept, everyone = _outcome(ratings, how), None
    if ratings.left_out.excluded:
        theirs = of_methods(read_ratings(table, keep_excluded=True), ratings.methods)
        everyone = _outcome(theirs, how)
    return People(export, how, kept, everyone, marks_of(export.methods) | (look or {}))


def _outcome(ratings: Ratings, how: IntervalSettings) -> Outcome:
    standings = people_standings(ratings)
    common, of_success = on_common(ratings, standings), on_common_success(ratings, standings)
    draws = how.resampling("people", "compare")
    comparisons = compared(ratings, standings, confidence=how.confidence, resampling=draws)
    return Outcome(
        ratings=ratings,
        common=common,
        of_success=of_success,
        scores=_scores(common, how),
        own={
            q: within_scale(method_scores(votes_on(ratings, q), confidence=how.confidence), ratings)
            for q in ratings.questions
        },
        comparisons=comparisons,
        success=success(of_success, confidence=how.confidence),
        own_success=success(ratings, confidence=how.confidence),
        standings=standings,
    )


def _scores(ratings: Ratings, how: IntervalSettings) -> dict[str, MethodScores]:
    return {
        question: within_scale(
            method_scores(
                votes_on(ratings, question),
                confidence=how.confidence,
                resampling=how.resampling("people", "mos"),
            ),
            ratings,
        )
        for question in ratings.questions
    }
