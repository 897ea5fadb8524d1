"""The ranks that entries can have, drawn: bars from the best place to the worst."""

from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.figures.style import GRID, MUTED, SETTINGS, MarkerStyle, clean, dot, families, figure
from reports.leaderboard.board_view import BoardView
from reports.leaderboard.columns import BoardColumn
from reports.leaderboard.entry import Entry
from reports.parts import Drawing

PANEL, ROW, LETTER = 1.9, 0.27, 0.08  # inches
MOST_PANELS, MOST_ROWS = 5, 60
LONGEST = 26  # letters of a name


def rank_drawing(page: BoardView, look: dict[str, MarkerStyle]) -> Drawing | None:
    """Return the figure of a page's main columns; None where nothing can be compared.

    look: how a method is drawn, by its name.
    """
    columns = [one for one in page.columns if one.main and one.ranked and len(one.rows) > 1]
    entries = [one.entry for one in page.ordered][:MOST_ROWS]
    if not columns or len(entries) < 2:
        return None
    some = f" The first {MOST_ROWS} entries." if len(page.entries) > MOST_ROWS else ""
    return Drawing(
        "ranks",
        _figure(columns[:MOST_PANELS], entries, look),
        "The places that each entry can have, in every main column.",
        "Bar: the places that an entry can have. Mark: its place by the value alone. 1 is "
        f"best.{some}",
    )


def _figure(
    columns: Sequence[BoardColumn], entries: Sequence[Entry], look: dict[str, MarkerStyle]
) -> Figure:
    names = [_short(one.facts.name) for one in entries]
    with mpl.rc_context(SETTINGS):
        wide = 0.4 + LETTER * max(map(len, names))
        drawing = figure(wide + PANEL * len(columns), 0.75 + ROW * len(entries))
        grid = drawing.subplots(1, len(columns), squeeze=False, sharey=True)[0]
        for axes, column in zip(grid, columns, strict=True):
            _panel(axes, column, entries, look)
        grid[0].set_yticks(range(len(names)), names)
        grid[0].set_ylim(len(names) - 0.5, -0.5)
        for text in grid[0].get_yticklabels():
            text.set_fontfamily(families(text.get_text()))
    return drawing


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"


def _panel(
    axes: Axes, column: BoardColumn, entries: Sequence[Entry], look: dict[str, MarkerStyle]
) -> None:
    rows = column.rows
    for y, entry in enumerate(entries):
        one = rows.get(entry.id)
        if one is None or not one.worst:
            continue
        axes.plot([one.best, one.worst], [y, y], color=GRID, linewidth=8, solid_capstyle="round",
                  zorder=1)  # fmt: skip
        dot(axes, one.place, y, look[entry.facts.name])
    count = sum(bool(place) for place in column.standing.places)
    axes.set_xlim(0.4, count + 0.6)
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(min(count, 7), integer=True))
    axes.set_title(f"{column.title} {column.arrow}")
    axes.set_xlabel(
        _short(column.group.title) if column.group.people else "rank", color=MUTED, fontsize=8
    )
    clean(axes, "x")
