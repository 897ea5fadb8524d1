"""The heat map of a report: edit categories against methods."""

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from reports.loading import is_number
from reports.style import ANCHOR, GRID, MUTED, SETTINGS, figure
from reports.summary import Score, Summary
from reports.tables import decimals, number

# Light to dark in equal steps of lightness, so that it reads in grey; dark is better.
SHADES = LinearSegmentedColormap.from_list("better", ["#eef4f9", "#9cc3df", "#3f87b9", "#0b4a7d"])
DARK_TEXT, LIGHT_TEXT = "#10161c", "#fdfeff"  # on a shade; not the ink, which dark mode swaps
ALL = "all"
Shade = tuple[float, float, float, float]  # red, green, blue, opacity, each 0..1


def category_map(summary: Summary, metrics: list[str]) -> Figure:
    """Return one panel a metric: mean of every method in every category, with its n.

    Means are over common edits, so that shades can be compared. Shades run from the worst to the
    best mean of the ranked methods. Anchors and methods that are not ranked have no shade; cells
    without a value are hatched.
    """
    run = summary.run
    columns = len(run.categories) + 1
    with mpl.rc_context({**SETTINGS, "axes.grid": False}):
        height = 0.55 + 0.3 * len(run.methods)
        drawing = figure(1.6 + 0.86 * columns, height * len(metrics))
        for axes, name in zip(
            drawing.subplots(len(metrics), squeeze=False).flat, metrics, strict=True
        ):
            _panel(axes, summary, name)
    return drawing


def _panel(axes: Axes, summary: Summary, metric: str) -> None:
    run = summary.run
    table = {label: _row(summary, label, metric) for label in run.methods}
    everyone = [score for row in table.values() for score in row]
    digits = min(decimals(everyone), decimals(summary.column(metric)))
    ranked = set(summary.ranking(metric))
    scores, near = (
        [s for m in run.ranked if m in ranked for s in table[m]],
        summary.gapped[metric].near,
    )
    shade = _shader(scores, run.metrics[metric].sign, near)
    for y, (label, row) in enumerate(table.items()):
        for x, score in enumerate(row):
            fill = shade(score.interval.mid) if label in ranked else None
            _cell(axes, x, y, score, digits, fill)
    names = [*run.categories, ALL]
    axes.set_title(f"{metric} {run.metrics[metric].arrow}", pad=20)
    axes.set_xticks(np.arange(len(names)) + 0.5, names)
    axes.set_yticks(np.arange(len(table)) + 0.5, list(table))
    axes.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)
    axes.set(xlim=(0, len(names)), ylim=(len(table), 0))
    axes.spines[:].set_visible(False)
    for text, method in zip(axes.get_yticklabels(), run.methods.values(), strict=True):
        if method.anchor:
            text.set(color=ANCHOR, style="italic")


def _row(summary: Summary, label: str, metric: str) -> list[Score]:
    """Return the scores of a method in every category, then over all edits."""
    parts = [summary.common_categories[label, metric, name] for name in summary.run.categories]
    return [*parts, summary.common[label, metric]]


def _shader(scores: list[Score], sign: int, near: float) -> Callable[[float], Shade | None]:
    """Return what turns a mean into a shade, from the worst to the best of `scores`.

    near: below which difference means are equal; then there is one shade.
    """
    mids = [score.interval.mid for score in scores if is_number(score.interval.mid)]
    low, high = min(mids, default=0.0), max(mids, default=0.0)

    def shade(mid: float) -> Shade | None:
        if not is_number(mid):
            return None
        share = (mid - low) / (high - low) if high - low > near else 0.5
        return SHADES(1 - share if sign < 0 else share)

    return shade


def _cell(axes: Axes, x: int, y: int, score: Score, digits: int, fill: Shade | None) -> None:
    """Draw one cell: shaded for a method, plain for an anchor, hatched without a value."""
    valued = is_number(score.interval.mid)
    hatch = None if valued else "////"
    box = Rectangle((x + 0.03, y + 0.05), 0.94, 0.9, edgecolor=GRID, linewidth=0.8, hatch=hatch)
    box.set_facecolor(fill or "none")
    axes.add_patch(box)
    colour = MUTED
    if fill:
        colour = LIGHT_TEXT if np.dot(fill[:3], (0.3, 0.59, 0.11)) < 0.5 else DARK_TEXT
    middle: dict[str, Any] = {"ha": "center", "va": "center", "color": colour}
    if valued:
        axes.text(x + 0.5, y + 0.38, number(score.interval.mid, digits), fontsize=8.5, **middle)
        axes.text(x + 0.5, y + 0.74, f"n={score.edits}", fontsize=6, **middle)
    else:
        why = "n/a" if score.clips["n/a"] else "none"
        axes.text(x + 0.5, y + 0.5, why, fontsize=7, **middle)
