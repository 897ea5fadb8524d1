"""The smallest difference between two methods that a study would find, before there is a pilot."""

from typing import NamedTuple

from evaluation.stats.ratings import Deviations, Power, detectable_difference
from study_app.plan import Plan
from study_app.prepare.build import raters_needed
from study_app.spec.study import Study

ASSUMED = Deviations(method_rater=0.25, method_source=0.35, answer=0.8)  # points of the scale
# Of preferences, as shares. No answer of a pair deviates by more than a half.
PREFERENCES = Deviations(method_rater=0.1, method_source=0.15, answer=0.5, means=1)


class Prospect(NamedTuple):
    """What a study of a size would find, and the deviations that were assumed."""

    power: Power
    assumed: Deviations


def study_power(study: Study, plan: Plan) -> Prospect:
    """Return what a study would find if all its votes are given."""
    cells = plan.of_kind("rating")
    raters = raters_needed(study, len(cells))
    if study.size.raters is not None:
        raters = min(raters, study.size.raters)
    given = min(len(cells) * study.size.votes, raters * study.size.trials)
    compared = len({item.methods for item in cells})  # methods, or pairs of them
    assumed = ASSUMED if study.design == "absolute" else PREFERENCES
    sources, ratings = len({item.video for item in cells}), max(1, given // compared)
    power = detectable_difference(assumed, raters, sources, ratings)
    return Prospect(power, assumed)
