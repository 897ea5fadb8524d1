"""The heat map of every figure: rows by columns of cells, each with a value, a shade, a hatch."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from reports.figures.style import GRID, INK, MUTED

# Light to dark in equal steps of lightness, so that it reads in grey; dark is better.
SHADES = LinearSegmentedColormap.from_list("better", ["#eef4f9", "#9cc3df", "#3f87b9", "#0b4a7d"])
DARK_TEXT, LIGHT_TEXT = "#10161c", "#fdfeff"  # on a shade; not the ink, which dark mode swaps
LUMA = (0.3, 0.59, 0.11)  # how light red, green and blue look
ALL = "all"  # the column of all categories
Shade = tuple[float, float, float, float]  # red, green, blue, opacity, each 0..1


class HeatCell(NamedTuple):
    """One cell; without a share it has no shade."""

    text: str
    share: float | None = None  # where its value lies: 0 the lightest shade, 1 the darkest
    small: str = ""  # below the text, such as the number of edits
    hatched: bool = False
    muted: bool = False  # the text, where there is no shade


NO_VALUE = HeatCell("none", hatched=True, muted=True)


def share_of(value: float, low: float, high: float, near: float = 0.0) -> float:
    """Return where a value lies between two; the middle where these differ by no more than near."""
    return (value - low) / (high - low) if high - low > near else 0.5


def shade(share: float) -> Shade:
    """Return the colour of a share."""
    red, green, blue, opacity = SHADES(float(share))
    return (red, green, blue, opacity)


def text_on(fill: Shade) -> str:
    """Return the colour of text that can be read on a shade."""
    return LIGHT_TEXT if np.dot(fill[:3], LUMA) < 0.5 else DARK_TEXT


def heat_map(
    axes: Axes,
    columns: Sequence[str],
    rows: Mapping[str, Sequence[HeatCell | None]],
    *,
    title: str = "",
    size: float = 7,
) -> None:
    """Draw cells on axes, the names of columns above and of rows at the left.

    rows: label -> a cell for every column; None leaves its place empty. size: of text in points,
    where nothing stands below it.
    """
    for y, row in enumerate(rows.values()):
        for x, cell in enumerate(row):
            if cell is not None:
                _draw(axes, x, y, cell, size)
    axes.set_title(title, pad=20)
    axes.set_xticks(np.arange(len(columns)) + 0.5, columns)
    axes.set_yticks(np.arange(len(rows)) + 0.5, list(rows))
    axes.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)
    axes.set(xlim=(0, len(columns)), ylim=(len(rows), 0))
    axes.spines[:].set_visible(False)
    if columns[-1] == ALL:
        axes.axvline(len(columns) - 1, color=INK, linewidth=0.8)


def _draw(axes: Axes, x: int, y: int, cell: HeatCell, size: float) -> None:
    fill = None if cell.share is None else shade(cell.share)
    hatch = "////" if cell.hatched else None
    box = Rectangle((x + 0.03, y + 0.05), 0.94, 0.9, edgecolor=GRID, linewidth=0.8, hatch=hatch)
    box.set_facecolor(fill or "none")
    axes.add_patch(box)
    colour = text_on(fill) if fill else MUTED if cell.muted else INK
    middle: dict[str, Any] = {"ha": "center", "va": "center", "color": colour}
    if not cell.small:
        axes.text(x + 0.5, y + 0.5, cell.text, fontsize=size, **middle)
        return
    axes.text(x + 0.5, y + 0.38, cell.text, fontsize=8.5, **middle)
    axes.text(x + 0.5, y + 0.74, cell.small, fontsize=6, **middle)
