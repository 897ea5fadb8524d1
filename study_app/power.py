"""The smallest difference between two methods that a study would find.

Raters and sources are crossed, so the variance of a difference of means is

    V = 2 (s_mr^2 / I + s_ms^2 / J + s_e^2 / N)

with I raters, J sources, N ratings of a method, and deviations of the method's effect from rater to
rater (s_mr), from source to source (s_ms) and of single answers (s_e). It is found with the wanted
power if it is at least (t_(1 - level / 2) + t_power) sqrt(V), t with min(I, J) - 1 degrees of
freedom. Of pairs each answer is a difference already, so the 2 falls away: V is the variance of the
share of preferences, ties counted half, that is held against one half.
"""

import math
from typing import NamedTuple

from study_app.plan import Plan
from study_app.prepare.build import raters_needed
from study_app.spec.study import Study


class Components(NamedTuple):
    """Deviations in points of the scale. These are assumed; a pilot's take their place."""

    method_rater: float = 0.25
    method_source: float = 0.35
    answer: float = 0.8


# Of preferences, as shares. No answer of a pair deviates by more than a half.
PREFERENCES = Components(method_rater=0.1, method_source=0.15, answer=0.5)


class Power(NamedTuple):
    """What a study of a size would find."""

    difference: float  # points of the scale; of pairs, share of preferences away from one half
    error: float  # standard error of what is estimated
    freedom: int
    raters: int
    sources: int
    ratings: int  # of each method, or of each pair of methods
    assumed: Components


def detectable(
    raters: int,
    sources: int,
    ratings: int,
    assumed: Components | None = None,
    *,
    means: int = 2,
    level: float = 0.05,
    power: float = 0.8,
) -> Power:
    """Return the smallest difference found with this power, two-sided at this level.

    means: 2 for a difference of two means, 1 for preferences. One rater or one source leaves no
           degree of freedom: the difference is infinite.
    """
    from scipy import stats

    parts = assumed or (Components() if means == 2 else PREFERENCES)
    variance = means * (
        parts.method_rater**2 / raters
        + parts.method_source**2 / sources
        + parts.answer**2 / ratings
    )
    error, freedom = math.sqrt(variance), min(raters, sources) - 1
    times = stats.t.ppf(1 - level / 2, freedom) + stats.t.ppf(power, freedom) if freedom else None
    difference = math.inf if times is None else float(times) * error
    return Power(difference, error, freedom, raters, sources, ratings, parts)


def study_power(study: Study, plan: Plan) -> Power:
    """Return what a study would find if all its votes are given."""
    cells = plan.of_kind("rating")
    raters = raters_needed(study, len(cells))
    if study.size.raters is not None:
        raters = min(raters, study.size.raters)
    given = min(len(cells) * study.size.votes, raters * study.size.trials)
    compared = len({item.methods for item in cells})  # methods, or pairs of them
    means = 2 if study.design == "absolute" else 1
    sources = len({item.video for item in cells})
    return detectable(raters, sources, max(1, given // compared), means=means)
