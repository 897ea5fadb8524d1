"""How far raters agree on the edits of each method: ordinal alpha, method by method."""

import numpy as np
import pandas as pd

from evaluation.stats.agreement import Alpha, krippendorff_alpha
from evaluation.stats.ratings import votes_on
from reports.parts import ReportPart
from reports.people.outcome import People
from reports.subjects import subject
from reports.tables import NOTHING, Head, Table, TableCell, ends_text, is_number, number, table_of

Found = dict[str, dict[str, Alpha]]  # by question and method
CAPTION = (
    "Krippendorff's ordinal alpha of the votes on each method's own edits, with {level:g}% "
    "intervals over source videos. It is low, or not defined, where nearly all edits of a method "
    "get the same vote, however well raters agree."
)


@subject("agreement-by-method", "single votes", after="raters")
def agreement_part(people: People) -> ReportPart | None:
    """Return alpha by method and question; None where no method has two votes on an edit."""
    found = {question: _of(people, question) for question in people.questions}
    if not any(is_number(one.mid) for by in found.values() for one in by.values()):
        return None
    return ReportPart(
        id="agreement-by-method",
        title="How far raters agree on each method",
        folded=(_table(people, found),),
        frames=(("agreement_by_method", _frame(found)),),
    )


def _of(people: People, question: str) -> dict[str, Alpha]:
    votes, ratings = votes_on(people.kept.ratings, question), people.kept.ratings
    draws = people.resampling("alpha by method", question)
    found = {}
    for name in people.methods:
        own = votes.where(votes.method == ratings.methods.index(name))
        found[name] = krippendorff_alpha(own.value, own.item, own.source, resampling=draws)
    return found


def _table(people: People, found: Found) -> Table:
    columns = [
        (Head(question, hint=f"alpha on {question}"), [_cell(by[name]) for name in people.methods])
        for question, by in found.items()
    ]
    caption = CAPTION.format(level=100 * people.how.confidence)
    title = "Agreement of the raters, method by method"
    return table_of("agreement_by_method", title, caption, people.methods, columns)


def _cell(one: Alpha) -> TableCell:
    if not is_number(one.mid):
        return TableCell(NOTHING, hint=one.why_not)
    return TableCell(number(one.mid, 2), ends_text(one.low, one.high))


def _frame(found: Found) -> pd.DataFrame:
    rows = [
        {"question": question, "method": name, "alpha": one.mid, "low": one.low, "high": one.high,
         "why_not": one.why_not or np.nan}
        for question, by in found.items()
        for name, one in by.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)
