"""The heat map of how metrics follow raters on each category of edit."""

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from reports.heatmap import DARK_TEXT, LIGHT_TEXT, SHADES, Shade
from reports.loading import is_number
from reports.people.by_category import ALL, Grid, Spot
from reports.style import GRID, INK, MUTED, SETTINGS, figure
from reports.tables import number

LEAST, MOST = 0.12, 1.0  # of the shades, for just above guessing and for the best cell


def category_figure(grids: list[Grid]) -> Figure:
    """Return one panel a question: metrics by categories, with n, the edits behind each value.

    Shades run from what guessing reaches in the category to the best value of the panel; a value
    that is not above guessing has none. Hatched: too few source videos, or no value.
    """
    columns = max(len(grid.categories) for grid in grids)
    rows = [len(grid.names) for grid in grids]
    with mpl.rc_context({**SETTINGS, "axes.grid": False}):
        drawing = figure(1.7 + 0.86 * columns, sum(0.62 + 0.31 * n for n in rows))
        panels = drawing.subplots(len(grids), squeeze=False, height_ratios=[n + 0.6 for n in rows])
        for axes, grid in zip(panels[:, 0], grids, strict=True):
            _panel(axes, grid)
    return drawing


def _panel(axes: Axes, grid: Grid) -> None:
    top = max(
        (spot.value - spot.guess for spot in grid.spots.values() if is_number(spot.value)),
        default=0.0,
    )
    for y, name in enumerate(grid.names):
        for x, category in enumerate(grid.categories):
            _cell(axes, x, y, grid.spots[name, category], top)
    axes.set_title(grid.question.capitalize(), pad=20)
    axes.set_xticks(np.arange(len(grid.categories)) + 0.5, grid.categories)
    axes.set_yticks(np.arange(len(grid.names)) + 0.5, grid.names)
    axes.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)
    axes.set(xlim=(0, len(grid.categories)), ylim=(len(grid.names), 0))
    axes.spines[:].set_visible(False)
    axes.axvline(grid.categories.index(ALL), color=INK, linewidth=0.8)
    for text in axes.get_yticklabels():
        if text.get_text() not in grid.own:
            text.set(color=MUTED, style="italic")


def _cell(axes: Axes, x: int, y: int, spot: Spot, top: float) -> None:
    """Draw one cell; a few videos leave it hatched and without a shade."""
    valued = is_number(spot.value)
    fill = _shade(spot.value - spot.guess, top) if valued and not spot.few else None
    box = Rectangle(
        (x + 0.03, y + 0.05), 0.94, 0.9, edgecolor=GRID, linewidth=0.8,
        hatch="////" if spot.few or not valued else None,
    )  # fmt: skip
    box.set_facecolor(fill or "none")
    axes.add_patch(box)
    colour = INK
    if fill:
        colour = LIGHT_TEXT if np.dot(fill[:3], (0.3, 0.59, 0.11)) < 0.5 else DARK_TEXT
    if not valued:
        axes.text(x + 0.5, y + 0.5, "none", fontsize=7, ha="center", va="center", color=MUTED)
        return
    shown = number(spot.value, 2)
    axes.text(x + 0.5, y + 0.38, shown, fontsize=8.5, ha="center", va="center", color=colour)
    size = f"n={spot.edits}"
    axes.text(x + 0.5, y + 0.74, size, fontsize=6, ha="center", va="center", color=colour)


def _shade(above: float, top: float) -> Shade | None:
    if above <= 0 or top <= 0:
        return None
    red, green, blue, opacity = SHADES(LEAST + (MOST - LEAST) * above / top)
    return (red, green, blue, opacity)
