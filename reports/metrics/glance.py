"""What a report opens with: one table and one figure, a column an axis.

An axis is a question that raters answered; where nobody was asked, the headline metric of the axis.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dreamix.core.wording import listed, titled
from evaluation.stats.compact_letters import letters_of_tests
from evaluation.stats.intervals import Interval
from reports.figures.style import ANCHOR, MUTED, SETTINGS, MarkerStyle, clean, dot, families, figure
from reports.metrics.rankings import ALPHA, Ranking, Values, rankings, values_of
from reports.metrics.results import compared_cell, decimals
from reports.parts import Drawing, ReportPart
from reports.summary import RunSummary
from reports.tables import (
    NOTHING,
    Head,
    Table,
    TableCell,
    interval_text,
    is_number,
    number,
    prose_digits,
    table_of,
)

PANEL, ROW, LETTER = 1.9, 0.36, 0.08  # inches
AXES = ("alignment", "fidelity", "quality")
LETTERS = (
    "Methods that share a letter in a column do not differ significantly (Holm's correction). "
    "Bold: the best of the column."
)
EDITS = "Edits: how many of the {total} have a value{each}."


class GlanceColumn(NamedTuple):
    """One axis: what stands in its column, and where its marks are drawn."""

    axis: str
    head: Head
    cells: dict[str, TableCell]  # by method: a value, its interval, its letters
    points: dict[str, Interval]  # by method
    sign: int  # 1 where more is better, -1 where less is
    edits: dict[str, int]  # by method: how many have a value
    about: str  # what a value is, with its interval; a sentence


def glance_figure(
    columns: list[GlanceColumn], methods: dict[str, bool], look: dict[str, MarkerStyle]
) -> Figure:
    """Return the dot plots; methods: label -> whether it is an anchor."""
    with mpl.rc_context(SETTINGS):
        names = 0.4 + LETTER * max(map(len, methods))
        drawing = figure(names + PANEL * len(columns), 0.95 + ROW * len(methods))
        grid = drawing.subplots(1, len(columns), squeeze=False, sharey=True)[0]
        for axes, column in zip(grid, columns, strict=True):
            _panel(axes, column, list(methods), look)
        grid[0].set_yticks(range(len(methods)), list(methods))
        grid[0].set_ylim(len(methods) - 0.5, -0.5)
        _names(grid[0], methods.values())
    return drawing


def _panel(
    axes: Axes, column: GlanceColumn, methods: list[str], look: dict[str, MarkerStyle]
) -> None:
    for place, label in enumerate(methods):
        if label not in column.points or not is_number(column.points[label].mid):
            continue
        low, mid, high = column.points[label]
        mark = look[label]
        axes.plot([low, high], [place, place], color=mark.colour, linewidth=1.6)
        dot(axes, mid, place, mark)
        axes.text(
            1.02, place, column.cells[label].mark, transform=axes.get_yaxis_transform(),
            fontsize=7.5, color=MUTED, va="center",
        )  # fmt: skip
    named = f"{column.head.text} {column.head.arrow}".removeprefix(column.axis).lstrip(": ")
    axes.set_title(column.axis)
    axes.set_xlabel(named.strip(), color=MUTED, fontsize=8)
    axes.xaxis.set_inverted(column.sign < 0)
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(4))
    axes.margins(x=0.1)
    clean(axes, "both")


def _names(axes: Axes, anchors: Iterable[bool]) -> None:
    for text, anchor in zip(axes.get_yticklabels(), anchors, strict=True):
        text.set_fontfamily(families(text.get_text()))
        if anchor:
            text.set(color=ANCHOR, style="italic")


def glance_part(
    columns: list[GlanceColumn], methods: dict[str, bool], look: dict[str, MarkerStyle], edits: int
) -> ReportPart:
    """Return the opening of a report.

    methods: label -> whether it is an anchor. edits: how many there are to have values on.
    """
    some = bool(columns) and bool(methods)
    return ReportPart(
        id="glance",
        title="At a glance",
        notes=() if some else ("There is no value to compare methods by.",),
        drawings=(_drawing(columns, methods, look),) if some else (),
        tables=(_table(columns, methods, edits),) if some else (),
    )


def interval_of(low: float, mid: float, high: float) -> Interval:
    """Return a point with its ends; all are NaN where there is no point."""
    ends = (float(low), float(mid), float(high))
    return Interval(*ends) if is_number(mid) else Interval(np.nan, np.nan, np.nan)


def metric_columns(summary: RunSummary, axes: tuple[str, ...] = AXES) -> list[GlanceColumn]:
    """Return a column for every axis that has a headline metric."""
    named = [(axis, name) for axis in axes if (name := summary.headline(axis))]
    given = values_of(summary)
    keep = [k for k, name in enumerate(given.names) if name in [metric for _, metric in named]]
    some = Values(
        tuple(given.names[k] for k in keep), given.methods, given.values[keep], given.sources,
        tuple(given.stand[k] for k in keep),
    )  # fmt: skip
    ranked = {one.metric: one for one in rankings(some, summary.resampling.seed)}
    return [_metric_column(summary, axis, name, ranked.get(name)) for axis, name in named]


def _metric_column(
    summary: RunSummary, axis: str, metric: str, ranked: Ranking | None
) -> GlanceColumn:
    labels, facts = list(summary.run.methods), summary.run.metrics[metric]
    letters = letters_of_ranking(ranked) if ranked else {}
    digits = prose_digits(
        decimals(summary.column(metric)), *(summary.compared(m, metric).mid for m in labels)
    )
    return GlanceColumn(
        axis,
        Head(f"{axis}: {metric}", facts.arrow, facts.definition),
        {m: _metric_cell(summary, m, metric, letters.get(m, ""), max(digits, 0)) for m in labels},
        {m: summary.compared(m, metric) for m in labels},
        facts.sign,
        {m: summary.scores[m, metric].edits for m in labels},
        "A metric's value is its mean over edits, with its "
        f"{100 * summary.resampling.confidence:g}% interval over source videos.",
    )


def letters_of_ranking(ranked: Ranking) -> dict[str, str]:
    """Return the letters of the methods of a ranking; none where no two could be compared."""
    if not ranked.tested:
        return {}
    letters = letters_of_tests(ranked.p, ALPHA, range(len(ranked.methods)))
    return dict(zip(ranked.methods, letters, strict=True))


def _metric_cell(
    summary: RunSummary, label: str, metric: str, letters: str, digits: int
) -> TableCell:
    """Return the cell of the tables below: value and interval alone, with fewer digits."""
    cell, compared = compared_cell(summary, label, metric), summary.compared(label, metric)
    if not is_number(compared.mid):
        return cell
    ends = interval_text(compared, digits)
    return replace(cell, main=number(compared.mid, digits), small=ends, mark=cell.mark or letters)


def _table(columns: list[GlanceColumn], methods: dict[str, bool], edits: int) -> Table:
    counts = [_coverage(columns, label, edits) for label in methods]
    several = any(" / " in count for count in counts)
    shown = [[one.cells.get(label, TableCell(NOTHING)) for label in methods] for one in columns]
    about = [*dict.fromkeys(one.about for one in columns)]
    about += [LETTERS] if any(cell.mark for cells in shown for cell in cells) else []
    about += [EDITS.format(total=edits, each=", column by column" if several else "")]
    return table_of(
        "glance",
        f"{titled(listed([one.axis for one in columns]))} of every method",
        " ".join(about),
        [*methods],
        [*((one.head, cells) for one, cells in zip(columns, shown, strict=True)),
         (Head("edits", hint="with a value"), counts)],
        anchors=[label for label, anchor in methods.items() if anchor],
    )  # fmt: skip


def _coverage(columns: list[GlanceColumn], label: str, edits: int) -> str:
    """Return "12 of 12", or "9 / 13 / 24 of 24" where columns differ."""
    counts = [one.edits.get(label, 0) for one in columns]
    some = [counts[0]] if len(set(counts)) == 1 else counts
    return f"{' / '.join(map(str, some))} of {edits}"


def _drawing(
    columns: list[GlanceColumn], methods: dict[str, bool], look: dict[str, MarkerStyle]
) -> Drawing:
    axes = listed([one.axis for one in columns])
    known = any(is_number(i.low) for one in columns for i in one.points.values())
    bars = "Bars: the intervals of the table. " if known else ""
    anchors = " Hollow and grey: anchors." if any(methods.values()) else ""
    return Drawing(
        "glance",
        glance_figure(columns, methods, look),
        f"Dot plots of every method on {axes}.",
        f"{bars}Right is better in every panel; letters as in the table.{anchors}",
    )
