"""Figures of metrics without people: methods by every metric, and metrics by each other."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from reports.heatmap import DARK_TEXT, LIGHT_TEXT, SHADES
from reports.loading import is_number
from reports.metric_rankings import Agreements, Ranking
from reports.style import GRID, INK, MUTED, SETTINGS, Mark, clean, figure
from reports.tables import NOTHING, number

ROW = 0.24  # inches
LEGEND_COLUMNS = 4
TITLE = 3.9  # inches of the title of the agreement figure


def ranking_figure(
    found: list[Ranking], axes_of: dict[str, str], look: dict[str, Mark], methods: Sequence[str]
) -> Figure:
    """Return a row of marks for every metric, the best method at the left.

    A bar joins methods that stand in one cluster; lines part the axes of the metrics.
    """
    lines = -(-len(methods) // LEGEND_COLUMNS)
    with mpl.rc_context(SETTINGS):
        drawing = figure(2.4 + 0.55 * max(len(methods), 5), 0.8 + ROW * len(found) + 0.2 * lines)
        axes = drawing.add_subplot()
        for y, ranking in enumerate(found):
            _row(axes, y, ranking, look)
        _parts(axes, [axes_of[ranking.metric] for ranking in found])
        axes.set_yticks(range(len(found)), [ranking.metric for ranking in found], fontsize=8)
        axes.set(ylim=(len(found) - 0.5, -0.5), xlim=(0.4, len(methods) + 0.6))
        axes.set_xticks(range(1, len(methods) + 1))
        axes.set_xlabel("order by the metric's mean on common edits; 1 is best", color=INK)
        clean(axes, "x")
        names = [_handle(method, look[method]) for method in methods]
        columns = min(LEGEND_COLUMNS, len(names))
        drawing.legend(handles=names, loc="outside lower center", ncols=columns, fontsize=8)
    return drawing


def _row(axes: Axes, y: int, ranking: Ranking, look: dict[str, Mark]) -> None:
    for one in sorted(set(ranking.clusters)):
        places = [k + 1 for k, cluster in enumerate(ranking.clusters) if cluster == one]
        ends = [places[0] - 0.28, places[-1] + 0.28]
        axes.plot(ends, [y, y], color=GRID, linewidth=11, solid_capstyle="round", zorder=1)
    for k, method in enumerate(ranking.methods):
        mark = look[method]
        if k and ranking.ranks[k] == ranking.ranks[k - 1]:
            axes.text(k + 0.5, y, "=", ha="center", va="center", fontsize=8, color=INK, zorder=3)
        axes.plot(
            k + 1, y, mark.marker, markersize=6.5, color=mark.colour, markeredgecolor=INK,
            markeredgewidth=0.6, zorder=3,
        )  # fmt: skip


def _parts(axes: Axes, of: list[str]) -> None:
    """Part the axes by lines and name each at the right."""
    for axis in dict.fromkeys(of):
        places = [k for k, name in enumerate(of) if name == axis]
        if places[0]:
            axes.axhline(places[0] - 0.5, color=MUTED, linewidth=0.6)
        middle = (places[0] + places[-1]) / 2
        axes.annotate(
            axis, (1.0, middle), xycoords=("axes fraction", "data"), xytext=(4, 0),
            textcoords="offset points", fontsize=8, color=MUTED, va="center",
        )  # fmt: skip


def _handle(label: str, mark: Mark) -> Line2D:
    return Line2D(
        [], [], linestyle="none", marker=mark.marker, markersize=6.5, color=mark.colour,
        markeredgecolor=INK, markeredgewidth=0.6, label=label,
    )  # fmt: skip


def agreement_figure(found: Agreements, axes_of: dict[str, str]) -> Figure:
    """Return the matrix of metrics against metrics, Kendall's tau in hundredths.

    Below the diagonal: within edits; above: of the methods' means, if they are enough. Shades run
    from 0 to 1; hatched is below 0, where the two metrics disagree.
    """
    count = len(found.names)
    side = 0.27 * count
    with mpl.rc_context({**SETTINGS, "axes.grid": False}):
        drawing = figure(max(1.9 + side, TITLE), 1.5 + side)
        axes = drawing.add_subplot()
        for i in range(count):
            for j in range(count if found.enough else i):
                if i != j:
                    _square(axes, j, i, (found.within if j < i else found.means)[i, j])
        _borders(axes, [axes_of[name] for name in found.names])
        axes.set_xticks(np.arange(count) + 0.5, found.names, rotation=90, fontsize=7.5)
        axes.set_yticks(np.arange(count) + 0.5, found.names, fontsize=7.5)
        axes.tick_params(length=0)
        axes.set(xlim=(0, count), ylim=(count, 0), aspect="equal")
        axes.spines[:].set_visible(False)
        above = "above: of the methods' means; " if found.enough else ""
        drawing.suptitle(f"{above}below: within edits", fontsize=8, color=MUTED)
    return drawing


def _square(axes: Axes, x: int, y: int, tau: float) -> None:
    known = is_number(tau)
    fill = SHADES(float(tau)) if known and tau >= 0 else None
    box = Rectangle(
        (x + 0.04, y + 0.04), 0.92, 0.92, edgecolor=GRID, linewidth=0.6,
        hatch="/////" if known and tau < 0 else None,
    )  # fmt: skip
    box.set_facecolor(fill or "none")
    axes.add_patch(box)
    colour = INK
    if fill:
        colour = LIGHT_TEXT if np.dot(fill[:3], (0.3, 0.59, 0.11)) < 0.5 else DARK_TEXT
    text = number(100 * tau, 0) if known else NOTHING
    axes.text(x + 0.5, y + 0.52, text, fontsize=6.2, ha="center", va="center", color=colour)


def _borders(axes: Axes, of: list[str]) -> None:
    for k in range(1, len(of)):
        if of[k] != of[k - 1]:
            axes.axhline(k, color=INK, linewidth=0.9)
            axes.axvline(k, color=INK, linewidth=0.9)
