"""Methods compared without distances between grades: two models, worked out once for a report."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import stats

from evaluation.stats.multiplicity import holm_of
from evaluation.stats.ratings import (
    Mixing,
    OrdinalMethods,
    Posterior,
    Votes,
    ordinal_comparisons,
    ordinal_methods,
    posterior,
    posterior_differences,
    votes_on,
)
from reports.people.outcome import People

Say = Callable[[str], None]
CHAINS = 4


class OrdinalGap(NamedTuple):
    """How far a is ahead of b; NaN where the votes do not bound it."""

    a: str
    b: str
    latent: float  # log-odds, of the mixed model
    low: float
    high: float
    p: float
    p_holm: float  # over all pairs and questions
    points: float  # posterior mean of the difference of mean votes
    points_low: float
    points_high: float
    better: float  # posterior probability that a is ahead

    def sign(self, alpha: float) -> int:
        """Return 1 if the mixed model has a significantly ahead, -1 if b, else 0."""
        return int(np.sign(self.latent)) if self.p_holm < alpha else 0


class OrdinalQuestion(NamedTuple):
    """What both models say of one question."""

    question: str
    gaps: list[OrdinalGap]  # a before b in the study's order
    spread: dict[str, float]  # standard deviations of the mixed model's terms, in log-odds
    mixing: Mixing | None
    why_not: str  # without models


def ordinal_questions(people: People, say: Say) -> list[OrdinalQuestion]:
    """Return both models of every question; say: told where the work is."""
    found = [_question(people, question, say) for question in people.questions]
    adjusted = iter(holm_of([gap.p for one in found for gap in one.gaps]).tolist())
    return [
        one._replace(gaps=[gap._replace(p_holm=next(adjusted)) for gap in one.gaps])
        for one in found
    ]


def _question(people: People, question: str, say: Say) -> OrdinalQuestion:
    """Return the models of the votes that are compared.

    Pairs with a method that is not ranked are by models of all votes; a pair without an edit in
    common is left out.
    """
    kept = people.kept
    ranked, apart = kept.standings[question].ground.ranked, {*kept.apart(question)}
    found = _models(people, question, votes_on(kept.common, question), say)
    if ranked and apart and not found.why_not:
        own = _models(people, question, votes_on(kept.ratings, question), say)
        pairs = zip(found.gaps, own.gaps, strict=True)
        found = found._replace(
            gaps=[other if {one.a, one.b} & apart else one for one, other in pairs],
            mixing=_worse(found.mixing, own.mixing),
        )
    return found._replace(
        gaps=[g for g in found.gaps if people.comparison(question, g.a, g.b).edits]
    )


def _worse(one: Mixing | None, other: Mixing | None) -> Mixing | None:
    """Return how badly chains mixed, of two models."""
    both = [each for each in (one, other) if each is not None]
    return max(both, key=lambda each: each.rhat, default=None)


def _models(people: People, question: str, votes: Votes, say: Say) -> OrdinalQuestion:
    try:
        say(f"{question}: cumulative link mixed model")
        fitted = ordinal_methods(votes)
        rngs = [people.rng("ordinal", question, str(chain)) for chain in range(CHAINS)]
        drawn = posterior(
            votes, rngs, watch=lambda done, of: say(f"{question}: Gibbs sampler {done}/{of}")
        )
    except ValueError as why:
        return OrdinalQuestion(question, [], {}, None, str(why))
    return OrdinalQuestion(
        question, _gaps(people, fitted, drawn), fitted.fitted.spread, drawn.mixing, ""
    )


def _gaps(people: People, fitted: OrdinalMethods, drawn: Posterior) -> list[OrdinalGap]:
    """Return pairs in the study's order, each as the first less the second."""
    names, confidence = people.kept.ratings.methods, people.how.confidence
    at = {int(method): k for k, method in enumerate(fitted.methods)}
    place = {name: k for k, name in enumerate(people.methods)}
    made = []
    for one, other in zip(
        ordinal_comparisons(fitted),
        posterior_differences(drawn, confidence=confidence),
        strict=True,
    ):
        turn = place[names[one.a]] < place[names[one.b]]  # both are b - a
        sign = -1 if turn else 1
        a, b = (names[one.a], names[one.b]) if turn else (names[one.b], names[one.a])
        freedom = fitted.of_pairs[at[one.a], at[one.b]]
        reach = stats.t.ppf((1 + confidence) / 2, freedom) if freedom else np.nan
        mid, half = sign * one.difference, reach * one.error
        low, high = sorted((sign * other.low, sign * other.high))
        better = 1 - other.better if turn else other.better
        mixed = a, b, mid, mid - half, mid + half, one.p, np.nan
        made.append(OrdinalGap(*mixed, sign * other.mean, low, high, better))
    return sorted(made, key=lambda gap: (place[gap.a], place[gap.b]))
