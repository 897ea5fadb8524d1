"""A pairwise study in numbers: strengths of methods on every question, worked out once."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from dreamix.core.errors import UserError
from dreamix.core.wording import listed
from evaluation.stats.compact_letters import letters_of_tests
from evaluation.stats.multiplicity import holm
from evaluation.stats.preference import (
    ChoiceRows,
    Preference,
    PreferenceIntervals,
    PreferencePair,
    bradley_terry,
    compare_preferences,
    preference_intervals,
    read_choices,
)
from evaluation.stats.two_way_cluster import ClusteredEstimate
from reports.figures.style import MarkerStyle, marks_of
from reports.metrics.glance import GlanceColumn, interval_of
from reports.people.export import StudyExport
from reports.summary import IntervalSettings
from reports.tables import Head, TableCell, ends_text, number

STRENGTH = (
    "A value is the strength of a method in the raters' choices, on the log scale of the "
    "Bradley-Terry model (mean 0), with its {level:g}% interval over raters and source videos."
)


class QuestionChoices(NamedTuple):
    """What raters chose on one question; no model where the likelihood has no maximum."""

    question: str
    rows: ChoiceRows
    model: Preference | None
    ends: PreferenceIntervals | None
    gaps: tuple[PreferencePair, ...]  # every pair, a before b in `rows.methods`
    p_holm: np.ndarray  # (methods, methods), symmetric; over all pairs and questions
    why_not: str  # no model

    def gap(self, a: int, b: int) -> ClusteredEstimate:
        """Return the difference of strengths a - b."""
        found = next(one.difference for one in self.gaps if {one.a, one.b} == {a, b})
        if a < b:
            return found
        return found._replace(mid=-found.mid, low=-found.high, high=-found.low)

    def shown(self, a: int, b: int, alpha: float) -> bool:
        """Return True if a is significantly preferred to b."""
        return bool(self.p_holm[a, b] < alpha and self.gap(a, b).mid > 0)


class Pairs(NamedTuple):
    """A pairwise study: without excluded raters, and with them where there are some."""

    export: StudyExport
    how: IntervalSettings
    kept: tuple[QuestionChoices, ...]
    everyone: tuple[QuestionChoices, ...]
    look: dict[str, MarkerStyle]  # how every method is drawn


def pairs_of(
    export: StudyExport, how: IntervalSettings, look: dict[str, MarkerStyle] | None = None
) -> Pairs:
    """Return a pairwise study's numbers.

    Raises:
        UserError: for rows that cannot be read.
    """
    kept = _adjusted([_chosen(export, how, name, False) for name in export.questions])
    everyone: tuple[QuestionChoices, ...] = ()
    if any(one.rows.left_out.excluded for one in kept):
        everyone = _adjusted([_chosen(export, how, name, True) for name in export.questions])
    return Pairs(export, how, kept, everyone, marks_of(export.methods) | (look or {}))


def _chosen(
    export: StudyExport, how: IntervalSettings, question: str, keep_excluded: bool
) -> QuestionChoices:
    table = {str(name): export.long[name].to_numpy() for name in export.long}
    rows = read_choices(table, question, keep_excluded=keep_excluded)
    rows = _in_order(rows, export.methods)
    try:
        model = bradley_terry(rows.left, rows.right, rows.outcome, rows.methods)
        ends = preference_intervals(rows, how.resampling("pairs"))
        gaps = compare_preferences(rows, confidence=how.confidence)
    except UserError as error:
        return QuestionChoices(question, rows, None, None, (), np.empty((0, 0)), str(error))
    return QuestionChoices(question, rows, model, ends, tuple(gaps), np.empty((0, 0)), "")


def _adjusted(several: list[QuestionChoices]) -> tuple[QuestionChoices, ...]:
    """Return the questions with Holm's p over all pairs and questions."""
    p = np.array([gap.difference.p for one in several for gap in one.gaps])
    adjusted = iter(holm(p).tolist())
    return tuple(one._replace(p_holm=_table(one, adjusted)) for one in several)


def _table(one: QuestionChoices, adjusted: Iterator[float]) -> np.ndarray:
    """Return the next adjusted p-values as a symmetric table."""
    table = np.full((len(one.rows.methods),) * 2, np.nan)
    for gap in one.gaps:
        table[gap.a, gap.b] = table[gap.b, gap.a] = next(adjusted)
    return table


def _in_order(rows: ChoiceRows, methods: list[str]) -> ChoiceRows:
    """Return the rows with methods numbered as the study lists them."""
    names = tuple(method for method in methods if method in rows.methods)
    if unknown := sorted(set(rows.methods) - set(names)):
        raise UserError(f"there are choices of {listed(unknown)}, which study.yaml does not name")
    place = np.array([names.index(method) for method in rows.methods])
    return rows._replace(left=place[rows.left], right=place[rows.right], methods=names)


def choice_columns(pairs: Pairs) -> list[GlanceColumn]:
    """Return a column for every question of a pairwise study on which strengths can be told."""
    alpha = pairs.how.alpha
    return [_choice_column(pairs, one, alpha) for one in pairs.kept if one.model and one.ends]


def _choice_column(pairs: Pairs, one: QuestionChoices, alpha: float) -> GlanceColumn:
    assert one.model and one.ends
    names, strength = one.rows.methods, one.model.strength
    ends = [
        interval_of(*three) for three in zip(one.ends.low, strength, one.ends.high, strict=True)
    ]
    letters, best = _letters(one, alpha), float(strength.max())
    return GlanceColumn(
        one.question,
        Head(one.question, hint="strength, log scale"),
        {
            m: TableCell(
                number(e.mid, 2), ends_text(e.low, e.high), best=e.mid == best, mark=letter
            )
            for m, e, letter in zip(names, ends, letters, strict=True)
        },
        dict(zip(names, ends, strict=True)),
        1,
        {m: rated_edits(_chosen_on(pairs, one.question, m)) for m in names},
        STRENGTH.format(level=100 * pairs.how.confidence),
    )


def _letters(one: QuestionChoices, alpha: float) -> list[str]:
    """Return the letters of the methods; none where no preference could be tested."""
    assert one.model
    order = np.argsort(-one.model.strength, kind="stable").tolist()
    return letters_of_tests(one.p_holm, alpha, order)


def _chosen_on(pairs: Pairs, question: str, method: str) -> pd.DataFrame:
    """Return the choices that count between a method and another."""
    own = pairs.export.own
    side = (own["method_left"] == method) | (own["method_right"] == method)
    return own[side & (own["question"] == question) & ~own["excluded"].astype(bool)]


def rated_edits(rows: pd.DataFrame) -> int:
    """Return how many edits stand in trials that are ratings; of an export's plan: to be rated."""
    return int(rows.loc[rows["kind"] == "rating", "edit"].nunique())
