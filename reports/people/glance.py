"""What raters said in the first table of a report: a column a question."""

from dataclasses import replace

import numpy as np
import pandas as pd

from evaluation.stats.compact_letters import letters_of_tests
from evaluation.stats.intervals import Interval
from reports.glance_figure import Column
from reports.loading import is_number
from reports.people.cells import ends_text
from reports.people.gaps import alpha_of, gaps_of
from reports.people.outcome import People
from reports.people.pairs import Chosen, Pairs
from reports.people.part_mos import score_cells
from reports.tables import Cell, Head, number

MOS = (
    "A value is the mean of the raters' votes from {low:g} to {high:g}, with its {level:g}% "
    "interval over raters and source videos."
)
STRENGTH = (
    "A value is the strength of a method in the raters' choices, on the log scale of the "
    "Bradley-Terry model (mean 0), with its {level:g}% interval over raters and source videos."
)


def vote_columns(people: People) -> list[Column]:
    """Return a column for every question of an absolute study."""
    gaps, level = gaps_of(people, people.kept), 100 * people.how.confidence
    low, high = people.kept.ratings.scale
    about = MOS.format(low=low, high=high, level=level)
    found = []
    for question in people.questions:
        scores, own = people.kept.scores[question], people.kept.own[question]
        at = {name: people.kept.ratings.methods.index(name) for name in people.methods}
        cells = score_cells(people, people.kept, gaps, question)
        found.append(
            Column(
                question,
                Head(question, hint=f"mean vote on {question}"),
                {m: replace(cell, small=cell.small.split(";")[0]) for m, cell in cells.items()},
                {m: _interval(scores.low[k], scores.mos[k], scores.high[k]) for m, k in at.items()},
                1,
                {m: int(own.items[k]) for m, k in at.items()},
                about,
            )
        )
    return found


def choice_columns(pairs: Pairs) -> list[Column]:
    """Return a column for every question of a pairwise study on which strengths can be told."""
    alpha = alpha_of(pairs)
    return [_choice_column(pairs, one, alpha) for one in pairs.kept if one.model and one.ends]


def _choice_column(pairs: Pairs, one: Chosen, alpha: float) -> Column:
    assert one.model and one.ends
    names, strength = one.rows.methods, one.model.strength
    ends = [_interval(*three) for three in zip(one.ends.low, strength, one.ends.high, strict=True)]
    letters, best = _letters(one, alpha), float(strength.max())
    return Column(
        one.question,
        Head(one.question, hint="strength, log scale"),
        {
            m: Cell(number(e.mid, 2), ends_text(e.low, e.high), best=e.mid == best, mark=letter)
            for m, e, letter in zip(names, ends, letters, strict=True)
        },
        dict(zip(names, ends, strict=True)),
        1,
        {m: rated_edits(_chosen_on(pairs, one.question, m)) for m in names},
        STRENGTH.format(level=100 * pairs.how.confidence),
    )


def _letters(one: Chosen, alpha: float) -> list[str]:
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


def _interval(low: float, mid: float, high: float) -> Interval:
    ends = (float(low), float(mid), float(high))
    return Interval(*ends) if is_number(mid) else Interval(np.nan, np.nan, np.nan)
