"""Timelines of where edits are broken: a panel a method, a colour a kind of fault."""

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from evaluation.stats.agreement import timeline
from reports.people.defects import KINDS, Defects, boxes_of_kind, of_method
from reports.style import COLOURS, INK, SETTINGS, clean, figure, label_panels

COLUMNS = 3
BINS = 60
LEAST = 0.05  # share at which the axis ends at the least


def timelines_figure(defects: Defects) -> Figure:
    """Return the share of viewings that mark each moment, by method, stacked by kind of fault."""
    columns = min(COLUMNS, len(defects.methods))
    rows = -(-len(defects.methods) // columns)
    with mpl.rc_context(SETTINGS):
        drawing = figure(0.6 + 2.6 * max(columns, 2), 0.9 + 1.7 * rows)
        grid = drawing.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        highest = max(
            _panel(a, defects, m) for a, m in zip(grid.flat, defects.methods, strict=False)
        )
        grid[0, 0].set_ylim(0, max(LEAST, 1.08 * highest))
        grid[0, 0].set_xlim(0, 100)
        label_panels(grid, len(defects.methods), "percent of the clip", "share of viewings")
        drawing.legend(handles=_keys(defects), loc="outside lower center", ncols=4, fontsize=8)
    return drawing


def _panel(axes: mpl.axes.Axes, defects: Defects, method: str) -> float:
    """Draw one method; return the height that is needed."""
    places = of_method(defects, method)
    at = 100 * (np.arange(BINS) + 0.5) / BINS
    below = np.zeros(BINS)
    for number, kind in enumerate(defects.kinds):
        share = timeline(boxes_of_kind(defects, places, kind), BINS)
        axes.fill_between(
            at, below, below + share, color=_colour(number), linewidth=0, alpha=0.85, step="mid"
        )
        below = below + share
    anything = timeline([defects.boxes[place] for place in places], BINS)
    axes.step(at, anything, where="mid", color=INK, linewidth=1.2)
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
    axes.set_title(f"{method} (n={len(places)})", fontsize=9.5 if len(method) < 20 else 7.5)
    clean(axes, "y")
    return float(max(below.max(), anything.max()))


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _keys(defects: Defects) -> list[Patch | mpl.lines.Line2D]:
    keys = [Patch(color=_colour(n), label=KINDS[kind]) for n, kind in enumerate(defects.kinds)]
    return [*keys, mpl.lines.Line2D([], [], color=INK, linewidth=1.2, label="any fault")]
