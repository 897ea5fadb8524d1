"""The scatter of a metric against mean votes, with the mapping from one to the other."""

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from evaluation.stats.meta import predict
from reports.ground import common_ground
from reports.loading import is_number
from reports.people.joint import Joint
from reports.people.prediction import Predicted, Question
from reports.style import INK, MUTED, SETTINGS, Mark, clean, figure
from reports.tables import number

PANEL = 2.9  # inches
LEGEND_COLUMNS = 4


def scatter_figure(joint: Joint, found: list[Question]) -> Figure:
    """Return a panel for every question: its best metric across, mean votes up, by method.

    Small: an edit. Large: the mean of a method on common edits, hollow if these are too few. Line:
    the mapping of the metric to the scale.
    """
    look = joint.people.look
    lines = -(-len(joint.systems) // LEGEND_COLUMNS)
    with mpl.rc_context(SETTINGS):
        drawing = figure(0.5 + PANEL * len(found), 3.3 + 0.2 * lines)
        grid = drawing.subplots(1, len(found), squeeze=False, sharey=True)
        for axes, one in zip(grid[0], found, strict=True):
            _panel(axes, joint, one, look)
        grid[0, 0].set_ylabel("mean vote of an edit", color=INK)
        names = [handle(label, look[label]) for label in joint.systems]
        columns = min(LEGEND_COLUMNS, len(names))
        drawing.legend(handles=names, loc="outside lower center", ncols=columns, fontsize=8)
    return drawing


def numbers(found: Question) -> str:
    """Return the numbers of the best metric, two lines."""
    best = found.metrics[0]
    ends = (
        f" [{number(best.pearson.low, 2)}, {number(best.pearson.high, 2)}]"
        if is_number(best.pearson.low)
        else ""
    )
    ceiling = f", ceiling {number(found.ceiling, 2)}" if is_number(found.ceiling) else ""
    star = (
        f", RMSE* {number(best.values.rmse_star, 2)}, outliers {best.values.outlier_ratio:.0%}"
        if is_number(best.values.rmse_star)
        else ""
    )
    r = f"r = {number(best.values.pearson, 2)}" if is_number(best.values.pearson) else "no r"
    first = f"{r}{ends}{ceiling}"
    return f"{first}\nRMSE {number(best.values.rmse, 2)}{star}"


def _panel(axes: Axes, joint: Joint, found: Question, look: dict[str, Mark]) -> None:
    best = found.metrics[0]
    k, facts = joint.names.index(best.name), joint.run.metrics[best.name]
    shown = joint.metrics[k] * facts.sign
    for label, across, up in zip(joint.systems, shown, found.mos, strict=True):
        _points(axes, across, up, look[label])
    for label, at, filled in method_means(joint, found):
        _mean(axes, *at, look[label]._replace(filled=filled and look[label].filled))
    _curve(axes, best, facts.sign)
    axes.set_title(found.question.capitalize(), pad=30)
    axes.text(
        0, 1.03, numbers(found), transform=axes.transAxes, fontsize=7.5, color=MUTED, va="bottom"
    )
    axes.set_xlabel(f"{best.name} {facts.arrow}", color=INK)
    axes.xaxis.set_inverted(facts.sign < 0)
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(4))
    low, high = joint.people.kept.ratings.scale
    axes.set_ylim(low - 0.15, high + 0.15)
    clean(axes, "both")


def _points(axes: Axes, across: np.ndarray, up: np.ndarray, mark: Mark) -> None:
    axes.plot(
        across,
        up,
        mark.marker,
        markersize=3.6,
        color=mark.colour,
        markerfacecolor=mark.colour if mark.filled else "none",
        markeredgewidth=0 if mark.filled else 0.8,
        alpha=0.5,
        zorder=2,
    )


def method_means(joint: Joint, found: Question) -> list[tuple[str, tuple[float, float], bool]]:
    """Return (label, (metric, mean vote), compared) of every method that has both somewhere.

    What is compared is taken over the edits on which all compared methods have both
    (`reports.ground`); of a method that has too few of these, over its own. Votes are averaged over
    sources and edits of a source, as scores are, the metric over edits, as in its table.
    """
    best = found.metrics[0]
    across = joint.metrics[joint.names.index(best.name)] * joint.run.metrics[best.name].sign
    both = np.isfinite(across) & np.isfinite(found.mos)
    ground = common_ground(both)
    said = []
    for m, label in enumerate(joint.systems):
        edits = ground.edits if m in ground.ranked else both[m]
        if edits.any():
            _, of = np.unique(joint.sources[edits], return_inverse=True)
            up = np.bincount(of, found.mos[m, edits]) / np.bincount(of)
            at = float(across[m, edits].mean()), float(up.mean())
            said.append((label, at, m in ground.ranked or both.any(axis=1).sum() == 1))
    return said


def _mean(axes: Axes, x: float, y: float, mark: Mark) -> None:
    axes.plot(
        x, y, mark.marker, markersize=9, color=mark.colour,
        markerfacecolor=mark.colour if mark.filled else "white",
        markeredgecolor=INK if mark.filled else mark.colour,
        markeredgewidth=1.1, zorder=5,
    )  # fmt: skip


def _curve(axes: Axes, best: Predicted, sign: int) -> None:
    """Draw the mapping where it was fitted; there is none from too few values."""
    mapping = best.values.mapping
    if not np.isfinite(mapping.coefficients).all():
        return
    across = np.linspace(mapping.low, mapping.high, 200)
    up = predict(mapping, across)
    axes.plot(sign * across, up, color=INK, linewidth=1.6, zorder=4)


def handle(label: str, mark: Mark) -> Line2D:
    """Return a method's entry in a legend."""
    return Line2D(
        [],
        [],
        linestyle="none",
        marker=mark.marker,
        markersize=6.5,
        color=mark.colour,
        markerfacecolor=mark.colour if mark.filled else "white",
        markeredgecolor=INK if mark.filled else mark.colour,
        markeredgewidth=0.6 if mark.filled else 1.2,
        label=label,
    )
