"""How small a difference a study would find, and how many raters one would take.

Raters and sources are crossed, so the variance of a difference of two methods' means is

    V = 2 (s_mr^2 / I + s_ms^2 / J + s_e^2 / N)

with I raters, J sources, N votes on a method, and deviations of a method's effect from rater to
rater (s_mr), from source to source (s_ms) and of single answers (s_e). It supposes that a rater's
votes are spread evenly over the methods, so that raters' biases cancel. A difference is found with
the wanted power if it is at least (t_(1 - alpha / 2) + t_power) sqrt(V), t with min(I, J) - 1
degrees of freedom (Cohen, Statistical Power Analysis (1988), with this V). Components of a pilot
are uncertain themselves, most of all those from few raters or sources. Of pairs each answer is a
difference already, so the 2 falls away: V is the variance of the share of preferences, ties counted
half, that is held against one half.
"""

import math
from typing import NamedTuple

from scipy import stats as distributions

from dreamix.core.errors import UserError
from dreamix.core.wording import plural
from evaluation.stats.ratings.components import Components

MOST = 1_000_000  # raters that are tried


class Deviations(NamedTuple):
    """What moves a difference of methods, in points of the scale."""

    method_rater: float
    method_source: float
    answer: float
    means: int = 2  # that are compared: 2 of a difference of means, 1 of preferences


class Power(NamedTuple):
    """What a study of a size would find."""

    difference: float  # least, in points; infinite for one rater or one source
    error: float  # standard error of the difference
    freedom: int
    raters: int
    sources: int
    ratings: int  # votes on each method


def deviations_of(pilot: Components) -> Deviations:
    """Return the deviations a pilot showed; a term it could not tell apart counts 0.

    Raises UserError if the pilot leaves no degree of freedom for the answers.
    """
    if math.isnan(pilot.answer):
        raise UserError("the pilot has too few votes to show how much answers vary")
    by_rater, by_source = pilot.of("rater:method"), pilot.of("source:method")
    return Deviations(math.sqrt(by_rater), math.sqrt(by_source), math.sqrt(pilot.answer))


def helped(deviations: Deviations, r: float, rated: int, edits: int) -> Deviations:
    """Return the deviations that are left beside a metric with values on all edits.

    r:     correlation of the metric's differences with those of votes, over rated edits.
    rated: edits with votes, of `edits` that the metric has values on.

    What sources and answers add shrinks by 1 - r^2 (edits - rated) / edits, the variance that
    `powered_difference` leaves; raters' own tastes stay.

    Raises:
        ValueError: for an r that is none, or more rated edits than there are.
    """
    if not 0 <= r < 1 or not 0 < rated <= edits:
        raise ValueError(f"need 0 <= r < 1 and 0 < rated <= edits, got {r}, {rated}, {edits}")
    left = math.sqrt(1 - r**2 * (edits - rated) / edits)
    by_source, answer = deviations.method_source * left, deviations.answer * left
    return deviations._replace(method_source=by_source, answer=answer)


def detectable_difference(
    deviations: Deviations,
    raters: int,
    sources: int,
    ratings: int,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
) -> Power:
    """Return the least difference found with this power, two-sided at level alpha.

    ratings: votes on each method, all raters together.
    One rater or one source leaves no degree of freedom: the difference is infinite.

    Raises:
        ValueError: for counts below 1.
    """
    if min(raters, sources, ratings) < 1 or not 0 < alpha < 1 or not 0 < power < 1:
        raise ValueError(f"need counts >= 1, got {raters}, {sources}, {ratings}; shares in (0, 1)")
    error = difference_error(deviations, raters, sources, ratings)
    freedom = min(raters, sources) - 1
    if not freedom:
        return Power(math.inf, error, freedom, raters, sources, ratings)
    times = sum(float(distributions.t.ppf(q, freedom)) for q in (1 - alpha / 2, power))
    return Power(times * error, error, freedom, raters, sources, ratings)


def difference_error(deviations: Deviations, raters: int, sources: int, ratings: int) -> float:
    """Return the standard error of what is compared, sqrt(V)."""
    by_rater, by_source, answer = (deviation**2 for deviation in deviations[:3])
    return math.sqrt(
        deviations.means * (by_rater / raters + by_source / sources + answer / ratings)
    )


def raters_needed(
    deviations: Deviations,
    difference: float,
    sources: int,
    votes_each: float,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
) -> Power:
    """Return the study with the fewest raters that finds this difference in so many sources.

    votes_each: votes of a rater on each method. Raises UserError if no number of raters does.
    """
    if difference <= 0:
        raise ValueError(f"need a difference above 0, got {difference}")

    def study(raters: int) -> Power:
        ratings = max(1, int(raters * votes_each))
        return detectable_difference(deviations, raters, sources, ratings, alpha=alpha, power=power)

    low, high = 1, 2  # what is found falls with the number of raters
    while study(high).difference > difference:
        low, high = high, 2 * high
        if high > MOST:
            videos = plural(sources, "source")
            raise UserError(
                f"no number of raters finds {difference:g} in {videos}; take more sources"
            )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if study(middle).difference > difference else (low, middle)
    return study(high)
