"""Entries over time: every version that was entered, compared with all others on the same edits."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.figures.style import (
    INK,
    MUTED,
    SETTINGS,
    MarkerStyle,
    clean,
    dot,
    figure,
    handle,
    legend_below,
)
from reports.leaderboard.board_view import PlainCell, entry_page
from reports.leaderboard.columns import BoardColumn, places_text
from reports.leaderboard.entry import Entry, dated
from reports.parts import Drawing
from reports.tables import NOTHING

PANEL, TALL = 3.4, 2.4  # inches
TICKS = 3  # days that are named below a panel
MOST_LINES = 12  # methods that a legend names


def history_rows(
    entries: Sequence[Entry], older: dict[str, str], columns: Sequence[BoardColumn]
) -> list[list[PlainCell]]:
    """Return a row for every entry, the newest first."""
    return [_row(one, older, columns) for one in dated(entries)[::-1]]


def _row(one: Entry, older: dict[str, str], columns: Sequence[BoardColumn]) -> list[PlainCell]:
    cells = [
        PlainCell(one.facts.name, _team(one), entry_page(one)),
        PlainCell(one.facts.date or NOTHING),
        PlainCell("older version" if one.id in older else "latest"),
    ]
    for column in columns:
        found = column.rows.get(one.id)
        if found is None:
            cells.append(PlainCell(NOTHING))
            continue
        rank = f" rank {places_text(found)}" if found.worst else ""
        cells.append(PlainCell(column.text(found.value), f"{column.ends(found)}{rank}"))
    return cells


def _team(one: Entry) -> str:
    return one.facts.said


def version_rows(
    family: Sequence[Entry], older: dict[str, str], one: Entry
) -> list[list[PlainCell]]:
    """Return a row for every version of a method, the newest first, seen from an entry's page."""
    if len(family) < 2:
        return []
    return [
        [
            PlainCell(
                other.facts.version or other.id,
                "this page" if other.id == one.id else "",
                "" if other.id == one.id else f"../{entry_page(other)}",
            ),
            PlainCell(other.facts.date or NOTHING),
            PlainCell("older version" if other.id in older else "latest"),
        ]
        for other in dated(family)[::-1]
    ]


def history_drawing(
    entries: Sequence[Entry], columns: Sequence[BoardColumn], look: dict[str, MarkerStyle]
) -> Drawing | None:
    """Return the values of entries over time, a panel a column; None with fewer than two dates.

    look: how a method is drawn, by name.
    """
    shown = [one for one in dated(entries) if one.facts.date]
    if len({one.facts.date for one in shown}) < 2 or not columns:
        return None
    return Drawing(
        "history",
        _figure(shown, columns, look),
        "Values of all entries over time.",
        "Every entry by its date, versions of one method joined; bars: the intervals of the table. "
        "All are means on the same edits. An arrow says which way is better.",
    )


def _figure(
    shown: Sequence[Entry], columns: Sequence[BoardColumn], look: dict[str, MarkerStyle]
) -> Figure:
    with mpl.rc_context(SETTINGS):
        across = min(len(columns), 3)
        down = -(-len(columns) // across)
        drawing = figure(PANEL * across, TALL * down + 0.6)
        grid = drawing.subplots(down, across, squeeze=False, sharex=True)
        for axes, column in zip(grid.flat, columns, strict=False):
            _panel(axes, column, shown, look)
        for axes in grid.flat[len(columns) :]:
            axes.set_axis_off()
        names = [*dict.fromkeys(one.facts.name for one in shown)]
        if len(names) <= MOST_LINES:
            legend_below(drawing, [handle(name, look[name]) for name in names])
    return drawing


def _panel(
    axes: Axes, column: BoardColumn, shown: Sequence[Entry], look: dict[str, MarkerStyle]
) -> None:
    families: dict[tuple[str, str], list[tuple[Any, float]]] = {}
    colours = {one.family: look[one.facts.name].colour for one in shown}
    for one in shown:
        found = column.rows.get(one.id)
        if found is None:
            continue
        day, mark = date.fromisoformat(one.facts.date), look[one.facts.name]
        if found.low is not None and found.high is not None:
            ends = [column.times * found.low, column.times * found.high]
            axes.plot([day, day], ends, color=mark.colour, linewidth=1.2)  # type: ignore[arg-type]
        dot(axes, day, column.times * found.value, mark)  # type: ignore[arg-type]
        families.setdefault(one.family, []).append((day, column.times * found.value))
    for family, points in families.items():
        axes.plot(*zip(*points, strict=True), color=colours[family], linewidth=0.9, zorder=1)
    axes.set_title(f"{column.title} {column.arrow}", color=INK)
    days = sorted(date.fromisoformat(one.facts.date).toordinal() for one in shown)
    ticks = [date.fromordinal(round(day)) for day in np.linspace(days[0], days[-1], TICKS)]
    axes.set_xticks([*dict.fromkeys(ticks)], [*dict.fromkeys(map(str, ticks))])  # type: ignore[arg-type]
    axes.tick_params(axis="x", labelcolor=MUTED)
    axes.margins(x=0.1)
    clean(axes, "y")
