"""Methods in pairs on all edits that both have, where hardly any edit is common to all methods.

Scores and letters are about the edits that all ranked methods have (`reports.ground`). Where each
method was rated on many edits and few are common, most votes take no part in them. Here every pair
is compared on all edits that both have, so that more is known of each pair; the pairs are then
about different edits, and no one order of the methods follows from them.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from dreamix.core.wording import listed, plural, titled
from evaluation.stats.ratings import Comparison, compare_methods
from reports.parts import ReportPart
from reports.people.outcome import People
from reports.subjects import subject
from reports.tables import Head, Table, TableCell, number, table_of

FEW = 0.5  # of the edits of the median pair, below which those common to all are few
NOTE = (
    "Only {common} are common to all ranked methods, while the median pair of methods shares "
    "{pair}. Here every pair is compared on all edits that both have. These pairs are about "
    "different edits: they tell who is ahead of whom, and no mean of a method follows from them."
)
DONE = (
    "As few edits are common to all methods, every pair was also compared on all edits that both "
    "have, in the same way, with p-values adjusted over all pairs and questions [@holm1979]."
)


class PairTally(NamedTuple):
    """How a method stands against the others on one question."""

    ahead: int  # of so many significantly
    behind: int
    edits: float  # shared with another method, the median


@subject("pairs-overlap", "raters", after="comparisons")
def overlap_part(people: People) -> ReportPart | None:
    """Return who is ahead of whom on all shared edits; None where enough edits are common."""
    if not (few := _few(people)):
        return None
    found = compare_methods(
        people.kept.ratings, confidence=people.how.confidence, raters=people.raters
    )
    tallies = {q: _tallies(people, found, q) for q in people.questions}
    common, pair = few
    note = NOTE.format(common=plural(common, "edit"), pair=plural(pair, "edit"))
    return ReportPart(
        id="pairs-overlap",
        title="Methods in pairs, on all edits that both have",
        found=tuple(_sentence(q, by) for q, by in tallies.items()),
        notes=(note,),
        tables=(_table(people, tallies),),
        frames=(("pairs_overlap", _frame(found)),),
        done=(DONE,),
    )


def _few(people: People) -> tuple[int, int] | None:
    """Return how many edits are common to all, and to the median pair, on the question of fewest.

    None where these are not few, or fewer than three methods are ranked.
    """
    ratings, found = people.kept.ratings, []
    for k, question in enumerate(ratings.questions):
        ground = people.kept.standings[question].ground
        if len(ground.ranked) < 3:
            continue
        has = np.zeros((len(ratings.methods), len(ratings.edits)), bool)
        of = ratings.question == k
        has[ratings.method[of], ratings.edit[of]] = True
        shared = [int((has[a] & has[b]).sum()) for a, b in combinations(ground.ranked, 2)]
        found.append((int(ground.edits.sum()), int(np.median(shared))))
    common, pair = min(found, default=(1, 1))
    return (common, pair) if common < FEW * pair else None


def _tallies(people: People, found: list[Comparison], question: str) -> dict[str, PairTally]:
    """Return the methods, those that are ahead of most first."""
    tallies = {}
    for name in people.methods:
        own = [one for one in found if one.question == question and name in (one.a, one.b)]
        signs = [_sign(one, name, people.how.alpha) for one in own]
        edits = float(np.median([one.edits for one in own]))
        tallies[name] = PairTally(signs.count(1), signs.count(-1), edits)
    return dict(sorted(tallies.items(), key=lambda one: one[1].behind - one[1].ahead))


def _sign(one: Comparison, name: str, alpha: float) -> int:
    """Return 1 if a method is significantly ahead in a pair, -1 if behind, else 0."""
    if not one.p_holm < alpha:
        return 0
    return int(np.sign(one.difference.mid)) * (1 if one.b == name else -1)


def _sentence(question: str, tallies: dict[str, PairTally]) -> str:
    best = next(iter(tallies.values()))
    tops = [n for n, one in tallies.items() if one[:2] == best[:2]]
    others = len(tallies) - 1
    behind = f" and behind {best.behind}" if best.behind else ""
    each = "each " if len(tops) > 1 else ""
    whom = f"all {others}" if best.ahead == others else f"{best.ahead} of the {others}"
    verb = "are" if len(tops) > 1 else "is"
    return (
        f"{titled(question)}, on all edits that two methods share: {listed(tops)} {verb} {each}"
        f"significantly ahead of {whom} others{behind}."
    )


def _table(people: People, tallies: dict[str, dict[str, PairTally]]) -> Table:
    first = next(iter(tallies.values()))
    columns = [
        (Head(question, hint="methods it is significantly ahead of"), [_cell(by[n]) for n in first])
        for question, by in tallies.items()
    ]
    alpha = 100 * people.how.alpha
    return table_of(
        "pairs_overlap",
        "Who is ahead of whom, on all edits that both have",
        f"Of how many other methods a method is significantly ahead, and behind how many it is "
        f"(Holm's correction over all pairs and questions, {alpha:g}% level), every pair on all "
        f"edits that both have; n: how many edits it shares with another method, median. "
        f"Ordered by {next(iter(tallies))}.",
        list(first),
        columns,
    )


def _cell(one: PairTally) -> TableCell:
    return TableCell(f"{one.ahead} ahead", f"{one.behind} behind; n={number(one.edits, 0)}")


def _frame(found: list[Comparison]) -> pd.DataFrame:
    """Return a row for every pair and question: b - a, unrounded."""
    return pd.DataFrame(
        {"question": one.question, "a": one.a, "b": one.b, "difference": one.difference.mid,
         "low": one.difference.low, "high": one.difference.high, "p_holm": one.p_holm,
         "edits": one.edits}
        for one in found
    )  # fmt: skip
