"""A part of a report: what one subject adds to it, in every form.

A part is made by one module from numbers that were worked out before. It brings tables, drawings,
rows for CSV files, sentences of the summary, and sentences of the methods paragraph. What was made
from simulated raters is stamped here, in one place, so that no table or figure can lose it.
"""

from dataclasses import replace
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from reports.tables import Table

RATERS, FOLLOW = "What raters said", "How far metrics follow raters"
STAMP = "SIMULATED"
STAMP_COLOUR = "#b35900"
STRIP = 0.27  # inches above a figure
WARNING = "SIMULATED raters: no figure here says anything about people or about the methods."


class Drawing(NamedTuple):
    """A figure that is not saved yet."""

    name: str
    figure: Figure
    alt: str
    caption: str


class ReportPart(NamedTuple):
    """One subject of a report."""

    id: str  # of its section, with hyphens
    title: str
    found: tuple[str, ...] = ()  # of the summary, each "Topic: sentence."
    notes: tuple[str, ...] = ()  # what has to be known before the numbers, a paragraph each
    drawings: tuple[Drawing, ...] = ()
    tables: tuple[Table, ...] = ()
    folded: tuple[Table, ...] = ()  # tables that open on a click
    frames: tuple[tuple[str, pd.DataFrame], ...] = ()  # (name of the CSV file, rows)
    files: tuple[tuple[str, str], ...] = ()  # (name, text) of what other commands read
    done: tuple[str, ...] = ()  # of the methods paragraph, with citations as [@key]
    group: str = RATERS  # under which its sentences stand in the summary
    stamped: bool = False  # made from simulated raters


def stamped(part: ReportPart) -> ReportPart:
    """Return the part with every table, figure, file and sentence saying that it is simulated."""
    return part._replace(
        found=tuple(_stamp_sentence(text) for text in part.found),
        drawings=tuple(map(_stamp_drawing, part.drawings)),
        tables=tuple(map(_stamp_table, part.tables)),
        folded=tuple(map(_stamp_table, part.folded)),
        frames=tuple((_named(name), frame.assign(simulated=True)) for name, frame in part.frames),
        files=tuple((_named(name), text) for name, text in part.files),
        stamped=True,
    )


def grouped(parts: list[ReportPart]) -> list[tuple[str, list[str]]]:
    """Return the sentences of parts under the names of their groups, in the order of the parts."""
    found: dict[str, list[str]] = {}
    for part in parts:
        found.setdefault(part.group, []).extend(part.found)
    return [(name, sentences) for name, sentences in found.items() if sentences]


def _named(name: str) -> str:
    return f"{STAMP.lower()}_{name}"


def _stamp_sentence(text: str) -> str:
    topic, _, rest = text.partition(":")
    return f"{topic} ({STAMP.lower()} raters):{rest}"


def _stamp_table(table: Table) -> Table:
    return replace(
        table,
        name=_named(table.name),
        title=f"{table.title} ({STAMP.lower()})",
        caption=f"{WARNING} {table.caption}",
    )


def _stamp_drawing(drawing: Drawing) -> Drawing:
    """Return the drawing with a stamp inside it: a picture is copied without its caption."""
    _stamp_figure(drawing.figure)
    return drawing._replace(
        name=_named(drawing.name),
        alt=f"{WARNING} {drawing.alt}",
        caption=f"{WARNING} {drawing.caption}",
    )


def _stamp_figure(figure: Figure) -> None:
    """Write the stamp into a strip of its own above what is drawn."""
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + STRIP)
    share = STRIP / (height + STRIP)
    if isinstance(engine := figure.get_layout_engine(), ConstrainedLayoutEngine):
        engine.set(rect=(0, 0, 1, 1 - share))
    else:
        for axes in figure.axes:
            place = axes.get_position()
            left, bottom, wide, high = place.bounds
            axes.set_position((left, bottom * (1 - share), wide, high * (1 - share)))
    figure.text(
        0.99,
        1 - share / 2,
        f"{STAMP} RATERS",
        ha="right",
        va="center",
        fontsize=7,
        weight="bold",
        color=STAMP_COLOUR,
        bbox={"facecolor": "none", "edgecolor": STAMP_COLOUR, "linewidth": 0.8, "pad": 2.5},
    )
