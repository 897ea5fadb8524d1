"""The figure that a report opens with: a panel an axis, a line a method."""

from collections.abc import Iterable
from typing import NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evaluation.stats.intervals import Interval
from reports.glyphs import families
from reports.loading import is_number
from reports.style import ANCHOR, INK, MUTED, SETTINGS, Mark, clean, figure
from reports.tables import Cell, Head

PANEL, ROW, LETTER = 1.9, 0.36, 0.08  # inches


class Column(NamedTuple):
    """One axis: what stands in its column, and where its marks are drawn."""

    axis: str
    head: Head
    cells: dict[str, Cell]  # by method: a value, its interval, its letters
    points: dict[str, Interval]  # by method
    sign: int  # 1 where more is better, -1 where less is
    edits: dict[str, int]  # by method: how many have a value
    about: str  # what a value is, with its interval; a sentence


def glance_figure(columns: list[Column], methods: dict[str, bool], look: dict[str, Mark]) -> Figure:
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


def _panel(axes: Axes, column: Column, methods: list[str], look: dict[str, Mark]) -> None:
    for place, label in enumerate(methods):
        if label not in column.points or not is_number(column.points[label].mid):
            continue
        low, mid, high = column.points[label]
        mark = look[label]
        axes.plot([low, high], [place, place], color=mark.colour, linewidth=1.6)
        axes.plot(
            mid, place, mark.marker, markersize=6.5, color=mark.colour,
            markerfacecolor=mark.colour if mark.filled else "none",
            markeredgecolor=INK if mark.filled else mark.colour,
            markeredgewidth=0.6 if mark.filled else 1.2, zorder=3,
        )  # fmt: skip
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
