"""Methods in pairs by ordinal models, beside the comparison of means: do they say the same?"""

import pandas as pd

from reports.loading import is_number
from reports.parts import Part
from reports.people.cells import ends_text, p_text, plain_cell
from reports.people.gaps import alpha_of, gaps_of
from reports.people.ordinal import CHAINS, OrdinalGap, OrdinalQuestion, Say, ordinal_questions
from reports.people.outcome import People
from reports.subjects import subject
from reports.tables import NOTHING, Cell, Head, Row, Table, number
from reports.wording import listed

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


@subject("ordinal", "ordinal", after="comparisons")
def ordinal_part(people: People, say: Say) -> Part | None:
    """Return both models of every question; None for a single method. say: told where it is."""
    if len(people.methods) < 2:
        return None
    found = ordinal_questions(people, say)
    return Part(
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
    alpha, means = alpha_of(people), gaps_of(people, people.kept)
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
    alpha, level = alpha_of(people), people.how.confidence
    heads = (
        Head("log-odds", hint="of a better grade"),
        Head("p", hint="adjusted by Holm"),
        Head("points", hint="difference of mean votes, posterior"),
        Head("P(ahead)", hint="posterior probability"),
    )
    rows = tuple(Row(f"{gap.a} \N{MINUS SIGN} {gap.b}", _cells(gap, alpha)) for gap in one.gaps)
    return Table(
        f"ordinal_{one.question}",
        f"{one.question.capitalize()}: methods in pairs, by ordinal models",
        CAPTION.format(level=100 * level, alpha=100 * alpha),
        heads,
        rows,
        first="pair",
    )


def _cells(gap: OrdinalGap, alpha: float) -> tuple[Cell, ...]:
    latent = Cell(NOTHING, UNBOUNDED)
    if is_number(gap.latent):
        latent = Cell(
            number(gap.latent, 2), ends_text(gap.low, gap.high), best=gap.sign(alpha) != 0
        )
    points = Cell(number(gap.points, 2), ends_text(gap.points_low, gap.points_high))
    return latent, Cell(p_text(gap.p_holm)), points, Cell(_chance(gap.better))


def _chance(share: float) -> str:
    """Return a posterior probability as far as its draws can tell it."""
    if share > 0.999:
        return ">0.999"
    return "<0.001" if share < 0.001 else number(share, 3)


def _models_table(found: list[OrdinalQuestion]) -> Table:
    terms = list(dict.fromkeys(term for one in found for term in one.spread))
    heads = (
        *(Head(term, hint="standard deviation in log-odds") for term in terms),
        Head("R-hat", hint="1 where the chains have met; above 1.01 they have not"),
        Head("effective draws", hint="of the mean votes; under 400 the ends are rough"),
    )
    rows = tuple(
        Row(one.question, (*(plain_cell(one.spread.get(term, float("nan"))) for term in terms),
                           *_mixing_cells(one)))
        for one in found
    )  # fmt: skip
    title = "The ordinal models"
    caption = (
        "Standard deviations of the random effects of the mixed model, in log-odds (answers have "
        "1.81), and how well the chains mixed. Effects that cannot be told apart are left out."
    )
    return Table("ordinal_models", title, caption, heads, rows, first="question")


def _mixing_cells(one: OrdinalQuestion) -> tuple[Cell, Cell]:
    if one.mixing is None:
        return Cell(NOTHING, one.why_not), Cell(NOTHING)
    hint = "" if one.mixing.met else "the chains have not met: take the points with care"
    return Cell(f"{one.mixing.rhat:.3f}", hint=hint), Cell(f"{one.mixing.draws:.0f}")


def _frame(found: list[OrdinalQuestion]) -> pd.DataFrame:
    rows = [{"question": one.question} | gap._asdict() for one in found for gap in one.gaps]
    return pd.DataFrame(rows, columns=["question", *OrdinalGap._fields])
