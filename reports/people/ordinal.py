"""Methods in pairs by ordinal models, beside the comparison of means: do they say the same?

Two models compare methods without distances between grades; they are worked out once for a report.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from dreamix.core.wording import listed, titled
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
from reports.parts import ReportPart
from reports.people.differences import gaps_of
from reports.people.outcome import People
from reports.subjects import subject
from reports.tables import (
    HOLM,
    NOTHING,
    Head,
    Table,
    TableCell,
    ends_text,
    is_number,
    number,
    p_text,
    plain_cell,
    table_of,
)

Say = Callable[[str], None]
CHAINS = 4
DONE = (
    "As a check that does not take the grades for equally far apart, the votes were modelled by a "
    "cumulative link mixed model [@mccullagh1980; @christensen2018] with random effects of raters, "
    "sources, edits and of raters and sources by method, fitted by Laplace's approximation; pairs "
    "were tested with Student's t on at most min(raters, sources) \N{MINUS SIGN} 1 degrees of "
    "freedom and Holm's correction over all pairs and questions.",
    "The same model with a probit link was sampled by {chains} chains of a Gibbs sampler "
    "[@albert1993; @cowles1996; @liu2000] under weak priors (method effects normal with deviation "
    "5, deviations of random effects half-t with 3 degrees of freedom and scale 1 [@huang2013]); "
    "R-hat and effective draws are rank-normalised [@vehtari2021].",
)
CAPTION = (
    "First method minus second. Log-odds: of a better grade, by the cumulative link mixed model, "
    "with its {level:g}% interval and p adjusted by Holm over all pairs and questions. Points: "
    "posterior mean difference of the mean votes of a new rater on a new source, with its "
    "{level:g}% credible interval, and the posterior probability that the first is ahead. Bold: "
    "significant at the {alpha:g}% level."
)
NAMED = 5  # comparisons in a sentence
MIXED = "The cumulative link mixed model"
UNBOUNDED = "the votes do not bound this: a method's are at one end of the scale"


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
            votes, rngs, progress=lambda done, of: say(f"{question}: Gibbs sampler {done}/{of}")
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


@subject("ordinal", "ordinal", after="pairs-overlap")
def ordinal_part(people: People, say: Say) -> ReportPart | None:
    """Return both models of every question; None for a single method. say: told where it is."""
    if len(people.methods) < 2:
        return None
    found = ordinal_questions(people, say)
    return ReportPart(
        id="ordinal",
        title="Methods in pairs, by ordinal models",
        found=(_sentence(people, found),),
        notes=(
            *(f"{one.question}: {one.why_not}." for one in found if one.why_not),
            *_notes_apart(people),
        ),
        tables=tuple(_table(people, one) for one in found if one.gaps),
        folded=(_models_table(found),),
        frames=(("ordinal", _frame(found)),),
        done=tuple(text.format(chains=CHAINS) for text in DONE),
    )


def _notes_apart(people: People) -> tuple[str, ...]:
    """Return which votes the models of pairs with a method that is not ranked are of."""
    apart = {name for question in people.questions for name in people.kept.apart(question)}
    if not apart:
        return ()
    named = listed([name for name in people.methods if name in apart])
    return (
        f"Not ranked on every question: {named}. Pairs with a method that is not ranked are by the "
        "same models of all votes, and left out where they have no edit in common.",
    )


def _sentence(people: People, found: list[OrdinalQuestion]) -> str:
    """Return whether the mixed model's verdicts are those of the means."""
    alpha, means = people.how.alpha, gaps_of(people, people.kept)
    pairs, other = 0, []
    for one in found:
        verdicts = {(gap.a, gap.b): gap.sign(alpha) for gap in means[one.question]}
        for gap in one.gaps:
            pairs += 1
            if gap.sign(alpha) != verdicts[gap.a, gap.b]:
                other.append(f"{gap.a} and {gap.b} on {one.question} ({_verdict(gap, alpha)})")
    if not pairs:
        return "Ordinal models: No pair of methods could be modelled."
    every = "the one comparison" if pairs == 1 else f"all {pairs} comparisons"
    if not other:
        return f"Ordinal models: {MIXED} agrees with the means on {every}."
    some = every if pairs == 1 else f"{len(other)} of {pairs} comparisons"
    if len(other) > NAMED:
        other = [*other[:NAMED], f"{len(other) - NAMED} more"]
    return f"Ordinal models: {MIXED} disagrees with the means on {some}: {listed(other)}."


def _verdict(gap: OrdinalGap, alpha: float) -> str:
    sign = gap.sign(alpha)
    return f"{gap.a if sign > 0 else gap.b} ahead" if sign else "no difference shown"


def _table(people: People, one: OrdinalQuestion) -> Table:
    alpha, level, gaps = people.how.alpha, people.how.confidence, one.gaps
    return table_of(
        f"ordinal_{one.question}",
        f"{titled(one.question)}: methods in pairs, by ordinal models",
        CAPTION.format(level=100 * level, alpha=100 * alpha),
        [f"{gap.a} \N{MINUS SIGN} {gap.b}" for gap in gaps],
        [
            (Head("log-odds", hint="of a better grade"), [_latent(gap, alpha) for gap in gaps]),
            (HOLM, [p_text(gap.p_holm) for gap in gaps]),
            (Head("points", hint="difference of mean votes, posterior"), [
                TableCell(number(gap.points, 2), ends_text(gap.points_low, gap.points_high))
                for gap in gaps
            ]),
            (Head("P(ahead)", hint="posterior probability"), [_chance(gap.better) for gap in gaps]),
        ],
        first="pair",
    )  # fmt: skip


def _latent(gap: OrdinalGap, alpha: float) -> TableCell:
    if not is_number(gap.latent):
        return TableCell(NOTHING, UNBOUNDED)
    ends = ends_text(gap.low, gap.high)
    return TableCell(number(gap.latent, 2), ends, best=gap.sign(alpha) != 0)


def _chance(share: float) -> str:
    """Return a posterior probability as far as its draws can tell it."""
    if share > 0.999:
        return ">0.999"
    return "<0.001" if share < 0.001 else number(share, 3)


def _models_table(found: list[OrdinalQuestion]) -> Table:
    terms = list(dict.fromkeys(term for one in found for term in one.spread))
    deviation = "standard deviation in log-odds"
    return table_of(
        "ordinal_models",
        "The ordinal models",
        "Standard deviations of the random effects of the mixed model, in log-odds (answers have "
        "1.81), and how well the chains mixed. Effects that cannot be told apart are left out.",
        [one.question for one in found],
        [
            *((Head(term, hint=deviation), [plain_cell(o.spread.get(term, np.nan)) for o in found])
              for term in terms),
            (Head("R-hat", hint="1 where the chains have met; above 1.01 they have not"),
             [_rhat(one) for one in found]),
            (Head("effective draws", hint="of the mean votes; under 400 the ends are rough"),
             [f"{one.mixing.draws:.0f}" if one.mixing else NOTHING for one in found]),
        ],
        first="question",
    )  # fmt: skip


def _rhat(one: OrdinalQuestion) -> TableCell:
    if one.mixing is None:
        return TableCell(NOTHING, one.why_not)
    hint = "" if one.mixing.met else "the chains have not met: take the points with care"
    return TableCell(f"{one.mixing.rhat:.3f}", hint=hint)


def _frame(found: list[OrdinalQuestion]) -> pd.DataFrame:
    rows = [{"question": one.question} | gap._asdict() for one in found for gap in one.gaps]
    return pd.DataFrame(rows, columns=["question", *OrdinalGap._fields])
