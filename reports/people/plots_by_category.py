"""The heat map of mean votes: methods by categories of edit."""

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from evaluation.stats.ratings import MethodScores
from reports.heatmap import DARK_TEXT, LIGHT_TEXT, SHADES
from reports.loading import is_number
from reports.people.by_category import ALL, FEW_VIDEOS
from reports.style import GRID, INK, MUTED, SETTINGS, figure
from reports.tables import number

Scores = dict[str, MethodScores]  # by category, all of them last


def categories_figure(
    by_question: dict[str, Scores], places: dict[str, int], apart: dict[str, set[int]]
) -> Figure:
    """Return one panel a question: MOS of every method on every category, and n, its edits.

    places: of the methods in the scores. apart: by question, places of methods whose scores are of
    other edits. Shades run from the lowest to the highest shaded MOS of a panel. Hatched: fewer
    than FEW_VIDEOS source videos, no vote, or other edits.
    """
    columns = max(len(scores) for scores in by_question.values())
    label = 0.075 * max(len(name) for name in places)
    with mpl.rc_context({**SETTINGS, "axes.grid": False}):
        height = 0.62 + 0.31 * len(places)
        drawing = figure(0.6 + label + 0.86 * columns, height * len(by_question))
        panels = drawing.subplots(len(by_question), squeeze=False)
        for axes, (question, scores) in zip(panels[:, 0], by_question.items(), strict=True):
            _panel(axes, question, scores, places, apart[question])
    return drawing


def _panel(
    axes: Axes, question: str, scores: Scores, places: dict[str, int], apart: set[int]
) -> None:
    known = np.array(
        [
            one.mos[at]
            for one in scores.values()
            for at in places.values()
            if one.sources[at] >= FEW_VIDEOS and at not in apart
        ]
    )
    low, high = (known.min(), known.max()) if len(known) else (0.0, 0.0)
    for x, one in enumerate(scores.values()):
        for y, at in enumerate(places.values()):
            share = (one.mos[at] - low) / (high - low) if high > low else 0.5
            _cell(axes, x, y, one, at, None if at in apart else float(share))
    axes.set_title(question.capitalize(), pad=20)
    axes.set_xticks(np.arange(len(scores)) + 0.5, list(scores))
    axes.set_yticks(np.arange(len(places)) + 0.5, list(places))
    axes.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)
    axes.set(xlim=(0, len(scores)), ylim=(len(places), 0))
    axes.spines[:].set_visible(False)
    axes.axvline(list(scores).index(ALL), color=INK, linewidth=0.8)


def _cell(axes: Axes, x: int, y: int, one: MethodScores, at: int, share: float | None) -> None:
    """Draw one cell; few videos, or no share, leave it hatched and without a shade."""
    valued, few = is_number(one.mos[at]), one.sources[at] < FEW_VIDEOS
    shaded = valued and not few and share is not None
    fill = SHADES(0.05 + 0.95 * (share or 0.0)) if shaded else None
    box = Rectangle(
        (x + 0.03, y + 0.05), 0.94, 0.9, edgecolor=GRID, linewidth=0.8,
        hatch=None if fill else "////",
    )  # fmt: skip
    box.set_facecolor(fill or "none")
    axes.add_patch(box)
    colour = INK
    if fill:
        colour = LIGHT_TEXT if np.dot(fill[:3], (0.3, 0.59, 0.11)) < 0.5 else DARK_TEXT
    if not valued:
        axes.text(x + 0.5, y + 0.5, "none", fontsize=7, ha="center", va="center", color=MUTED)
        return
    mean, size = number(float(one.mos[at]), 2), f"n={int(one.items[at])}"
    axes.text(x + 0.5, y + 0.38, mean, fontsize=8.5, ha="center", va="center", color=colour)
    axes.text(x + 0.5, y + 0.74, size, fontsize=6, ha="center", va="center", color=colour)
