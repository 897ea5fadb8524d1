"""What raters said, worked out once: with the declared exclusions, and with everybody.

The parts of a report read these numbers; what only one part needs it works out itself, from
`People.kept.ratings`, with draws of `People.rng`.
"""

from typing import NamedTuple

import numpy as np

from dreamix.core.seeding import rng_for
from evaluation.stats.mos import MethodScores, method_scores
from evaluation.stats.paired import Comparison, compare_methods
from evaluation.stats.ratings import Ratings, read_ratings, votes_on
from evaluation.stats.success import Success, success
from reports.people.export import Exported
from reports.style import Mark, marks_of
from reports.summary import Resampling


class Outcome(NamedTuple):
    """What one set of raters said."""

    ratings: Ratings
    scores: dict[str, MethodScores]  # by question; arrays over ratings.methods
    comparisons: list[Comparison]  # of every pair on every question, a before b in ratings.methods
    success: Success


class People(NamedTuple):
    """An absolute study (votes from 1 to 5) in numbers."""

    export: Exported
    how: Resampling
    kept: Outcome  # without excluded raters: what the report says
    everyone: Outcome | None  # None if nobody is excluded
    look: dict[
        str, Mark
    ]  # how every method is drawn: as in the figures of the run, if there is one

    def rng(self, *names: str) -> np.random.Generator:
        """Return the draws for one purpose: they depend on its names and the seed alone."""
        return rng_for("people", *names, self.how.seed)

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


def people_of(export: Exported, how: Resampling, look: dict[str, Mark] | None = None) -> People:
    """Return an absolute study's numbers; votes that cannot be read are a one-line `UserError`.

    look: how methods are drawn elsewhere; left out, by their places in the study.
    """
    kept = _outcome(export, how, keep_excluded=False)
    some = kept.ratings.left_out.excluded > 0
    everyone = _outcome(export, how, keep_excluded=True) if some else None
    return People(export, how, kept, everyone, marks_of(export.methods) | (look or {}))


def _outcome(export: Exported, how: Resampling, *, keep_excluded: bool) -> Outcome:
    table = {str(name): export.long[name].to_numpy() for name in export.long}
    ratings = read_ratings(table, keep_excluded=keep_excluded)
    scores = {
        question: method_scores(
            votes_on(ratings, question),
            level=how.level,
            rng=rng_for("people", "mos", how.seed),
            resamples=how.resamples,
        )
        for question in ratings.questions
    }
    rng = rng_for("people", "compare", how.seed)
    compared = compare_methods(ratings, level=how.level, rng=rng, resamples=how.resamples)
    return Outcome(ratings, scores, compared, success(ratings, level=how.level))
