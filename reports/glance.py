"""What a report opens with: one table and one figure, a column an axis.

An axis is a question that raters answered; where nobody was asked, the headline metric of the axis.
"""

from dataclasses import replace

from evaluation.stats.compact_letters import letters_of_tests
from reports.glance_figure import Column, glance_figure
from reports.loading import is_number
from reports.metric_rankings import ALPHA, Ranking, Values, rankings, values_of
from reports.parts import Drawing, Part
from reports.prose import prose_digits
from reports.style import Mark
from reports.summary import Summary
from reports.tables import (
    NOTHING,
    Cell,
    Head,
    Row,
    Table,
    compared_cell,
    decimals,
    interval_text,
    number,
)
from reports.wording import listed

AXES = ("alignment", "fidelity", "quality")
LETTERS = (
    "Methods that share a letter in a column do not differ significantly (Holm's correction). "
    "Bold: the best of the column."
)
EDITS = "Edits: how many of the {total} have a value{each}."


def glance_part(
    columns: list[Column], methods: dict[str, bool], look: dict[str, Mark], edits: int
) -> Part:
    """Return the opening of a report.

    methods: label -> whether it is an anchor. edits: how many there are to have values on.
    """
    some = bool(columns) and bool(methods)
    return Part(
        id="glance",
        title="At a glance",
        notes=() if some else ("There is no value to compare methods by.",),
        drawings=(_drawing(columns, methods, look),) if some else (),
        tables=(_table(columns, methods, edits),) if some else (),
    )


def metric_columns(summary: Summary, axes: tuple[str, ...] = AXES) -> list[Column]:
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


def _metric_column(summary: Summary, axis: str, metric: str, ranked: Ranking | None) -> Column:
    labels, facts = list(summary.run.methods), summary.run.metrics[metric]
    letters = letters_of_ranking(ranked) if ranked else {}
    digits = prose_digits(
        decimals(summary.column(metric)), *(summary.compared(m, metric).mid for m in labels)
    )
    return Column(
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


def _metric_cell(summary: Summary, label: str, metric: str, letters: str, digits: int) -> Cell:
    """Return the cell of the tables below: value and interval alone, with fewer digits."""
    cell, compared = compared_cell(summary, label, metric), summary.compared(label, metric)
    if not is_number(compared.mid):
        return cell
    ends = interval_text(compared, digits)
    return replace(cell, main=number(compared.mid, digits), small=ends, mark=cell.mark or letters)


def _table(columns: list[Column], methods: dict[str, bool], edits: int) -> Table:
    rows = tuple(
        Row(label, (*(one.cells.get(label, Cell(NOTHING)) for one in columns),
                    Cell(_coverage(columns, label, edits))), anchor)
        for label, anchor in methods.items()
    )  # fmt: skip
    several = any(" / " in row.cells[-1].main for row in rows)
    about = [*dict.fromkeys(one.about for one in columns)]
    about += [LETTERS] if any(cell.mark for row in rows for cell in row.cells) else []
    about += [EDITS.format(total=edits, each=", column by column" if several else "")]
    return Table(
        "glance",
        f"{listed([one.axis for one in columns]).capitalize()} of every method",
        " ".join(about),
        (*(one.head for one in columns), Head("edits", hint="with a value")),
        rows,
    )


def _coverage(columns: list[Column], label: str, edits: int) -> str:
    """Return "12 of 12", or "9 / 13 / 24 of 24" where columns differ."""
    counts = [one.edits.get(label, 0) for one in columns]
    some = [counts[0]] if len(set(counts)) == 1 else counts
    return f"{' / '.join(map(str, some))} of {edits}"


def _drawing(columns: list[Column], methods: dict[str, bool], look: dict[str, Mark]) -> Drawing:
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
