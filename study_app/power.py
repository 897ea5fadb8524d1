"""The smallest difference between two methods that a study would find.

Raters and sources are crossed, so the variance of a difference of means is

    V = 2 (s_mr^2 / I + s_ms^2 / J + s_e^2 / N)

with I raters, J sources, N ratings of a method, and deviations of the method's effect from rater to
rater (s_mr), from source to source (s_ms) and of single answers (s_e). It is found with the wanted
power if it is at least (t_(1 - level / 2) + t_power) sqrt(V), t with min(I, J) - 1 degrees of
freedom.
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


class Power(NamedTuple):
    """What a study of a size would find."""

    difference: float  # points of the scale
    error: float  # standard error of the difference of two means
    freedom: int
    raters: int
    sources: int
    ratings: int  # of each method


def detectable(
    raters: int,
    sources: int,
    ratings: int,
    components: Components | None = None,
    *,
    level: float = 0.05,
    power: float = 0.8,
) -> Power:
    """Return the smallest difference found with this power, two-sided at this level.

    One rater or one source leaves no degree of freedom: the difference is infinite.
    """
    from scipy import stats

    parts = components or Components()
    variance = 2 * (
        parts.method_rater**2 / raters
        + parts.method_source**2 / sources
        + parts.answer**2 / ratings
    )
    error, freedom = math.sqrt(variance), min(raters, sources) - 1
    times = stats.t.ppf(1 - level / 2, freedom) + stats.t.ppf(power, freedom) if freedom else None
    difference = math.inf if times is None else float(times) * error
    return Power(difference, error, freedom, raters, sources, ratings)


def study_power(study: Study, plan: Plan) -> Power | None:
    """Return what a study would find if all its votes are given; None in the pairwise design.

    How preferences vary from rater to rater is not assumed: that needs a pilot.
    """
    if study.design != "absolute":
        return None
    cells = plan.of_kind("rating")
    raters = raters_needed(study, len(cells))
    if study.size.raters is not None:
        raters = min(raters, study.size.raters)
    given = min(len(cells) * study.size.votes, raters * study.size.trials)
    ratings = max(1, given // len(study.methods))
    return detectable(raters, len({item.video for item in cells}), ratings)
