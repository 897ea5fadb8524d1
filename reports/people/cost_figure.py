"""The figure of cost beside mean votes."""

from collections.abc import Mapping
from typing import Protocol

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evaluation.stats.intervals import Interval
from reports.loading import is_number
from reports.people.joint import Joint
from reports.people.scatter_figure import LEGEND_COLUMNS, handle
from reports.style import INK, SETTINGS, Mark, clean, figure

LEAST = 0.01  # seconds: less is drawn as this


class Seconds(Protocol):
    """What an edit takes."""

    @property
    def editing(self) -> float:
        """Without finetuning."""

    @property
    def total(self) -> float:
        """With its share of finetuning."""


def cost_figure(
    joint: Joint,
    costs: Mapping[str, Seconds],
    votes: dict[str, dict[str, Interval]],
    apart: Mapping[str, set[str]],
) -> Figure:
    """Return a panel a question: seconds an edit across (logarithmic), mean votes up.

    apart: by question, methods that are drawn hollow: their scores are of other edits.
    """
    look = joint.people.look
    lines = -(-len(costs) // LEGEND_COLUMNS)
    with mpl.rc_context(SETTINGS):
        drawing = figure(0.5 + 2.7 * len(votes), 2.9 + 0.2 * lines)
        grid = drawing.subplots(1, len(votes), squeeze=False, sharey=True, sharex=True)
        for axes, (question, scores) in zip(grid[0], votes.items(), strict=True):
            for label, cost in costs.items():
                filled = look[label].filled and label not in apart[question]
                _method(axes, cost, scores[label], look[label]._replace(filled=filled))
            _frame(axes, question, costs)
        grid[0, 0].set_ylabel("mean opinion score", color=INK)
        names = [handle(label, look[label]) for label in costs]
        columns = min(LEGEND_COLUMNS, len(names))
        drawing.legend(handles=names, loc="outside lower center", ncols=columns, fontsize=8)
    return drawing


def _method(axes: Axes, cost: Seconds, score: Interval, mark: Mark) -> None:
    alone, total = max(cost.editing, LEAST), max(cost.total, LEAST)
    if not is_number(score.mid):
        return
    axes.plot([total, total], [score.low, score.high], color=mark.colour, linewidth=1.6, zorder=2)
    if total > alone * 1.02:
        axes.plot(
            [alone, total], [score.mid] * 2, color=mark.colour, linewidth=1.2, linestyle=":",
            zorder=2,
        )  # fmt: skip
        axes.plot(alone, score.mid, "|", color=mark.colour, markersize=8, markeredgewidth=1.6)
    axes.plot(
        total, score.mid, mark.marker, markersize=7.5, color=mark.colour,
        markerfacecolor=mark.colour if mark.filled else "white",
        markeredgecolor=INK if mark.filled else mark.colour,
        markeredgewidth=0.6 if mark.filled else 1.3, zorder=3,
    )  # fmt: skip


def _frame(axes: Axes, question: str, costs: Mapping[str, Seconds]) -> None:
    ends = [max(end, LEAST) for cost in costs.values() for end in (cost.editing, cost.total)]
    low, high = min(ends), max(ends)
    room = max((high / low) ** 0.15, 1.5)
    axes.set_xscale("log")
    axes.set_xlim(low / room, high * room)
    axes.xaxis.set_major_locator(mpl.ticker.FixedLocator(_ticks(low / room, high * room)))
    axes.xaxis.set_major_formatter(mpl.ticker.FormatStrFormatter("%g"))
    axes.xaxis.set_minor_locator(mpl.ticker.NullLocator())
    axes.margins(y=0.15)
    axes.set_title(question.capitalize())
    axes.set_xlabel("seconds an edit", color=INK)
    clean(axes, "both")


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers between the ends: 1, 2, 5 of each power of ten, or 1 alone if many."""
    powers = [10.0**k for k in range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))))]
    fine = [step * power for power in powers for step in (1, 2, 5) if low <= step * power <= high]
    return fine if len(fine) <= 5 else [p for p in [*powers, 10 * powers[-1]] if low <= p <= high]
