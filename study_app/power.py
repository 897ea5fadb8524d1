"""The smallest difference that a study would find, and how many raters a difference takes.

Without a pilot the deviations are guesses. A pilot is an export of any absolute study with answers
to the same questions; its deviations come from the variance components of its votes
(`vote_components` of `evaluation.stats.ratings`), for each question apart.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from dreamix.core.errors import UserError
from dreamix.core.wording import plural
from evaluation.stats.ratings import (
    Deviations,
    Power,
    detectable_difference,
    deviations_of,
    helped,
    raters_needed,
    read_ratings,
    vote_components,
    votes_on,
)
from study_app.plan import Plan
from study_app.prepare.build import raters_for_quota
from study_app.spec.study import Study
from study_app.spec.texts import WIDTH

ASSUMED = Deviations(method_rater=0.25, method_source=0.35, answer=0.8)  # points of the scale
# Of preferences, as shares. No answer of a pair deviates by more than a half.
PREFERENCES = Deviations(method_rater=0.1, method_source=0.15, answer=0.5, means=1)
RATERS = (12, 24, 50, 100, 200)  # for which the table says what would be found
FEW = 12  # raters or sources of a pilot below which its components say little


class Prospect(NamedTuple):
    """What a study of a size would find, and the deviations that were assumed."""

    power: Power
    assumed: Deviations


def study_power(study: Study, plan: Plan) -> Prospect:
    """Return what a study would find if all its votes are given."""
    cells = plan.of_kind("rating")
    raters = raters_for_quota(study, len(cells))
    if study.size.raters is not None:
        raters = min(raters, study.size.raters)
    given = min(len(cells) * study.size.votes, raters * study.size.trials)
    compared = len({item.methods for item in cells})  # methods, or pairs of them
    assumed = ASSUMED if study.design == "absolute" else PREFERENCES
    sources, ratings = len({item.video for item in cells}), max(1, given // compared)
    power = detectable_difference(assumed, raters, sources, ratings)
    return Prospect(power, assumed)


class Pilot(NamedTuple):
    """What a pilot showed, and how much of it there was."""

    deviations: dict[str, Deviations]  # by question
    raters: int
    sources: int
    votes: int
    simulated: bool


class Aim(NamedTuple):
    """What the planned study should find."""

    difference: float | None  # points; None: only say what is found
    power: float = 0.8
    level: float = 0.05
    follows: float | None = None  # correlation of a metric's differences with those of votes
    edits: int | None = None  # that the metric has values on


def read_pilot(folder: Path) -> Pilot:
    """Return the deviations that the export of a pilot shows; `UserError` if it is none."""
    import pandas as pd

    found = sorted(folder.glob("*ratings_long.parquet"))
    if not found:
        raise UserError(f"{folder} is no export of a study: `dreamix study export STUDY` makes one")
    table = pd.read_parquet(found[0])
    if "method" not in table:
        raise UserError(f"{folder} is of a pairwise study; a pilot has votes from 1 to 5")
    ratings = read_ratings({str(name): table[name].to_numpy() for name in table})
    deviations = {
        question: deviations_of(vote_components(votes_on(ratings, question)))
        for question in ratings.questions
    }
    counts = (len(ratings.raters), len(ratings.sources), len(ratings.value))
    return Pilot(deviations, *counts, ratings.simulated)


def planning_lines(study: Study, plan: Plan, pilot: Pilot | None, aim: Aim) -> list[str]:
    """Return what the study would find of each question, a line each."""
    if study.design == "pairwise":
        raise UserError(
            f"{study.name} is pairwise: `dreamix study build` says what it would find; a pilot's "
            "components are of votes from 1 to 5"
        )
    size = study_power(study, plan).power
    supposed = pilot.deviations if pilot else dict.fromkeys(study.questions, ASSUMED)
    if missing := [question for question in study.questions if question not in supposed]:
        raise UserError(f"the pilot has no answers on {missing[0]}")
    asked = {str(question): supposed[question] for question in study.questions}
    return [
        *_pilot_lines(pilot, asked),
        *_found_lines(size, asked, aim),
        *_table_lines(size, asked, aim),
        *_raters_lines(size, asked, aim),
        *_helped_lines(size, asked, aim, len({item.edit for item in plan.of_kind("rating")})),
    ]


def _helped_lines(size: Power, asked: Mapping[str, Deviations], aim: Aim, rated: int) -> list[str]:
    """Return what votes and a metric together would find; nothing without a metric."""
    if aim.follows is None:
        if aim.edits is not None:
            raise UserError("--edits is of a metric: say how far it follows votes too, --r")
        return []
    if aim.edits is None or aim.edits <= rated:
        raise UserError(
            f"--edits: a metric helps where it has values on more edits than the {rated} that are "
            "rated; say on how many"
        )
    head = (
        f"with metric r {aim.follows:g} on {aim.edits} edits, {rated} of them rated: votes and "
        "metric together find differences from"
    )
    found = {q: helped(d, aim.follows, rated, aim.edits) for q, d in asked.items()}
    return [head, *(f"{question:11} {_points(size, d, aim)}" for question, d in found.items())]


def _pilot_lines(pilot: Pilot | None, asked: Mapping[str, Deviations]) -> list[str]:
    head = "pilot       none: deviations are guesses, those of a pilot replace them (--pilot)"
    if pilot:
        who = "SIMULATED rater" if pilot.simulated else "rater"
        head = (
            f"pilot       {plural(pilot.votes, 'answer')} of {plural(pilot.raters, who)} on "
            f"{plural(pilot.sources, 'video')}"
        )
    lines = [head]
    if pilot and min(pilot.raters, pilot.sources) < FEW:
        lines.append("            so few say little of deviations: take what follows as rough")
    return lines + [
        f"{question:11} method x rater {d.method_rater:.2f}, method x video {d.method_source:.2f}, "
        f"answers {d.answer:.2f} points"
        for question, d in asked.items()
    ]


def _found_lines(size: Power, asked: Mapping[str, Deviations], aim: Aim) -> list[str]:
    head = (
        f"this study  {plural(size.raters, 'rater')}, {plural(size.sources, 'video')}, "
        f"{plural(size.ratings, 'vote')} on each method: with a power of {aim.power:.0%} "
        f"(two-sided {aim.level:.0%}) it finds differences from"
    )
    return [head, *(f"{question:11} {_points(size, d, aim)}" for question, d in asked.items())]


def _points(size: Power, deviations: Deviations, aim: Aim) -> str:
    found = detectable_difference(
        deviations, size.raters, size.sources, size.ratings, alpha=aim.level, power=aim.power
    )
    if found.difference > WIDTH:
        return f"none: even {WIDTH} points, the width of the scale, would be too few"
    return f"{found.difference:.2f} points"


def _table_lines(size: Power, asked: Mapping[str, Deviations], aim: Aim) -> list[str]:
    """Return the least difference for other numbers of raters with as many votes each."""
    each = size.ratings / size.raters

    def cell(deviations: Deviations, raters: int) -> str:
        ratings = max(1, round(raters * each))
        found = detectable_difference(
            deviations, raters, size.sources, ratings, alpha=aim.level, power=aim.power
        )
        return f"{found.difference:8.2f}"

    head = "raters      " + "".join(f"{raters:8}" for raters in RATERS)
    return [
        head,
        *(f"{q:11} " + "".join(cell(d, raters) for raters in RATERS) for q, d in asked.items()),
    ]


def _raters_lines(size: Power, asked: Mapping[str, Deviations], aim: Aim) -> list[str]:
    """Return how many raters find the difference that is aimed at; nothing without an aim."""
    if aim.difference is None:
        return []
    lines = [f"to find     {aim.difference:g} points in {_these(size.sources)} takes"]
    for question, deviations in asked.items():
        lines.append(f"{question:11} {_needed(deviations, size, aim, aim.difference)}")
    return lines


def _needed(deviations: Deviations, size: Power, aim: Aim, difference: float) -> str:
    try:
        found = raters_needed(
            deviations,
            difference,
            size.sources,
            size.ratings / size.raters,
            alpha=aim.level,
            power=aim.power,
        )
    except UserError as error:
        return str(error)
    each = size.ratings / size.raters
    return f"{plural(found.raters, 'rater')} with {each:.1f} votes each on a method"


def _these(sources: int) -> str:
    return "this one video" if sources == 1 else f"these {sources} videos"
