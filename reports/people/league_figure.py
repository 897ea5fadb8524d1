"""The figure of a league: every metric's agreement with people, clusters, and what people reach."""

from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evaluation.stats.meta import RankedMetric
from reports.people.agreement import Agreement
from reports.style import COLOURS, GRID, INK, MUTED, SETTINGS, clean, figure

OWN, OTHER, PEOPLE = COLOURS[0], MUTED, COLOURS[1]
ROW = 0.19  # inches
AXIS = {
    "acc_eq": "acc_eq: pairs of methods, within an edit, that the metric orders as raters do",
    "correlation": "Kendall's tau with raters between the edits of a method",
}


def league_figure(found: Agreement) -> Figure:
    """Return a dot and interval for every metric, best first, below what people themselves reach.

    Metrics that are meant for the question are filled. Every other cluster is shaded. The band is
    where half of the raters come out against the other half; dotted is guessing, dashed knowing
    the method alone.
    """
    people = [pair for pair in _people(found) if np.isfinite(pair[1].mean)]
    height = 0.95 + ROW * (len(found.ranked) + len(people))
    with mpl.rc_context(SETTINGS):
        drawing = figure(6.6, height)
        axes = drawing.add_subplot()
        _references(axes, found)
        for place, (_, panel) in enumerate(people):
            _line(axes, place, panel.low, panel.mean, panel.high, PEOPLE, "D", True)
        for place, row in enumerate(found.ranked, start=len(people)):
            own = row.name in found.own
            _line(axes, place, row.low, row.value, row.high, OWN if own else OTHER, "o", own)
        _clusters(axes, found.ranked, len(people))
        _names(axes, [name for name, _ in people], found)
        axes.set_xlabel(AXIS[found.table.statistic.name] if found.table else "", color=INK)
        clean(axes, "x")
    return drawing


def _people(found: Agreement) -> list[tuple[str, Any]]:
    return [("half of the raters", found.halves), ("one vote an edit", found.vote)]


def _line(
    axes: Axes, y: int, low: float, mid: float, high: float, colour: str, marker: str, filled: bool
) -> None:
    axes.plot([low, high], [y, y], color=colour, linewidth=1.5, zorder=3, solid_capstyle="butt")
    axes.plot(
        mid,
        y,
        marker,
        markersize=5.5,
        color=colour,
        markerfacecolor=colour if filled else "white",
        markeredgecolor=INK if filled else colour,
        markeredgewidth=0.6 if filled else 1.2,
        zorder=4,
    )


def _references(axes: Axes, found: Agreement) -> None:
    """Draw what people reach as a band and what guessing gives as a line."""
    if np.isfinite(found.halves.low):
        axes.axvspan(found.halves.low, found.halves.high, color=PEOPLE, alpha=0.13, linewidth=0)
    _reference(axes, found.guess, "guessing", (1, 2), "right")
    _reference(axes, found.method, "method alone", (5, 2), "left")


def _reference(
    axes: Axes, at: float, name: str, dashes: tuple[int, int], side: Literal["left", "right"]
) -> None:
    if not np.isfinite(at):
        return
    axes.axvline(at, color=INK, linewidth=1, linestyle=(0, dashes), zorder=2)
    axes.annotate(
        name, (at, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 3),
        textcoords="offset points", fontsize=7, color=MUTED, ha=side,
    )  # fmt: skip


def _clusters(axes: Axes, ranked: list[RankedMetric], start: int) -> None:
    """Shade every other cluster and write the number of each at the right."""
    for number in sorted({row.cluster for row in ranked}):
        places = [k for k, row in enumerate(ranked, start=start) if row.cluster == number]
        top, bottom = places[0] - 0.5, places[-1] + 0.5
        axes.axhline(top, color=MUTED, linewidth=0.6, zorder=1)
        if number % 2 == 0:
            axes.axhspan(top, bottom, color=GRID, alpha=0.4, linewidth=0, zorder=0)
        axes.annotate(
            str(number),
            (1.0, (top + bottom) / 2),
            xycoords=("axes fraction", "data"),
            xytext=(5, 0),
            textcoords="offset points",
            fontsize=8,
            color=MUTED,
            va="center",
        )


def _names(axes: Axes, people: list[str], found: Agreement) -> None:
    """Write the names at the left; metrics of other axes are muted."""
    names = [*people, *(row.name for row in found.ranked)]
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_ylim(len(names) - 0.5, -0.5)
    for text in axes.get_yticklabels():
        if text.get_text() not in found.own and text.get_text() not in people:
            text.set_color(MUTED)
        if text.get_text() in people:
            text.set(style="italic")
    if people:
        axes.annotate(
            "cluster", (1.0, 0.0), xycoords=("axes fraction", "data"), xytext=(5, 0),
            textcoords="offset points", fontsize=7, color=MUTED, va="center",
        )  # fmt: skip
