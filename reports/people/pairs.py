"""A pairwise study in numbers: strengths of methods on every question, worked out once."""

from typing import NamedTuple

import numpy as np

from dreamix.core.errors import UserError
from dreamix.core.seeding import rng_for
from evaluation.stats.choice_rows import ChoiceRows, read_choices
from evaluation.stats.preference import (
    Preference,
    PreferenceIntervals,
    bradley_terry,
    preference_intervals,
)
from reports.people.export import Exported
from reports.style import Mark, marks_of
from reports.summary import Resampling


class Chosen(NamedTuple):
    """What raters chose on one question; no model where the likelihood has no maximum."""

    question: str
    rows: ChoiceRows
    model: Preference | None
    ends: PreferenceIntervals | None
    why_not: str  # no model


class Pairs(NamedTuple):
    """A pairwise study: without excluded raters, and with them where there are some."""

    export: Exported
    how: Resampling
    kept: tuple[Chosen, ...]
    everyone: tuple[Chosen, ...]
    look: dict[str, Mark]  # how every method is drawn


def pairs_of(export: Exported, how: Resampling, look: dict[str, Mark] | None = None) -> Pairs:
    """Return a pairwise study's numbers; rows that cannot be read are a one-line `UserError`."""
    kept = tuple(_chosen(export, how, name, False) for name in export.questions)
    everyone: tuple[Chosen, ...] = ()
    if any(one.rows.left_out.excluded for one in kept):
        everyone = tuple(_chosen(export, how, name, True) for name in export.questions)
    return Pairs(export, how, kept, everyone, marks_of(export.methods) | (look or {}))


def _chosen(export: Exported, how: Resampling, question: str, keep_excluded: bool) -> Chosen:
    table = {str(name): export.long[name].to_numpy() for name in export.long}
    rows = read_choices(table, question, keep_excluded=keep_excluded)
    rows = _in_order(rows, export.methods)
    sides = (rows.left, rows.right, rows.outcome, rows.methods)
    try:
        model = bradley_terry(*sides)
        ends = preference_intervals(
            *sides,
            rows.rater,
            rows.source,
            rng=rng_for("pairs", how.seed),
            resamples=how.resamples,
            level=how.level,
        )
    except UserError as error:
        return Chosen(question, rows, None, None, str(error))
    return Chosen(question, rows, model, ends, "")


def _in_order(rows: ChoiceRows, methods: list[str]) -> ChoiceRows:
    """Return the rows with methods numbered as the study lists them."""
    names = tuple(method for method in methods if method in rows.methods)
    place = np.array([names.index(method) for method in rows.methods])
    return rows._replace(left=place[rows.left], right=place[rows.right], methods=names)
