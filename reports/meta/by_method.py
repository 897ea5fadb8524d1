"""How far metrics follow people on the edits of each method: correlations, method by method."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from dreamix.core.wording import titled
from evaluation.stats.meta import Kind, MetaInterval, Statistic, bootstrap_correlation, correlate
from reports.parts import ReportPart
from reports.people.agreement import KINDS, best_of
from reports.people.joint import Joint
from reports.tables import NOTHING, Head, Table, TableCell, ends_text, is_number, number, table_of

DRAWS = 500  # resamples, at most: there are as many intervals as metrics times methods
CAPTION = (
    "{kind} correlation of each metric with the mean vote on {question}, over the edits of one "
    "method at a time, with {level:g}% intervals over source videos. Metrics in the order of the "
    "league. It tells whether a metric knows good edits of a method from bad ones; methods whose "
    "edits all have the same vote have none."
)
DONE = (
    "Spearman's correlation of every metric with mean votes was also taken over the edits of each "
    "method [@spearman1910]."
)
Found = dict[str, dict[str, MetaInterval]]  # by metric and method


def by_method_part(joint: Joint, question: str) -> ReportPart:
    """Return Spearman's correlation of every metric and method as a table, all kinds as rows."""
    order = [joint.names[k] for k in best_of(joint, question, list(range(len(joint.names))))]
    found = {name: _of(joint, question, name) for name in order}
    return ReportPart(
        id="metrics-by-method",
        title="Metrics and people, method by method",
        folded=(_table(joint, question, found),),
        frames=(("metrics_by_method", _frame(joint, question, found)),),
        done=(DONE,),
    )


def _of(joint: Joint, question: str, name: str) -> dict[str, MetaInterval]:
    human, metric = joint.mean_votes(question), joint.metrics[joint.names.index(name)]
    few = min(DRAWS, joint.people.how.resamples)
    draws = joint.people.resampling("by method", question)._replace(resamples=few)
    spearman = Statistic("correlation", "edits", "spearman")
    return {
        method: bootstrap_correlation(
            metric[at : at + 1], human[at : at + 1], spearman, draws, sources=joint.sources
        )
        for at, method in enumerate(joint.systems)
    }


def _table(joint: Joint, question: str, found: Found) -> Table:
    columns = [
        (
            Head(method, hint=f"on the edits of {method}"),
            [_cell(by[method]) for by in found.values()],
        )
        for method in joint.systems
    ]
    level = 100 * joint.people.how.confidence
    return table_of(
        f"metrics_by_method_{question}",
        f"{titled(question)}: metrics and people, method by method",
        CAPTION.format(kind="Spearman's", question=question, level=level),
        list(found),
        columns,
        first="metric",
    )


def _cell(one: MetaInterval) -> TableCell:
    if not is_number(one.value):
        return TableCell(NOTHING, hint="the metric or the votes have no value, or all the same")
    return TableCell(number(one.value, 3), ends_text(one.low, one.high, 2))


def by_method_frame(joint: Joint, question: str, names: Iterable[str]) -> pd.DataFrame:
    """Return a row for every metric of these and every method: all correlations, unrounded."""
    human, rows = joint.mean_votes(question), []
    for name in names:
        metric = joint.metrics[joint.names.index(name)]
        for at, method in enumerate(joint.systems):
            row: dict[str, Any] = {"question": question, "metric": name, "method": method}
            rows.append(row | {str(kind): _value(metric[at], human[at], kind) for kind in KINDS})
    return pd.DataFrame(rows)


def _frame(joint: Joint, question: str, found: Found) -> pd.DataFrame:
    """Return the same with the intervals of Spearman's."""
    ends = [one for by in found.values() for one in by.values()]
    return by_method_frame(joint, question, found).assign(
        spearman_low=[one.low for one in ends], spearman_high=[one.high for one in ends]
    )


def _value(metric: np.ndarray, human: np.ndarray, kind: Kind) -> float:
    return correlate(metric[None], human[None], level="edits", kind=kind).value
