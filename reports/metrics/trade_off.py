"""The trade-off of two metrics: the Pareto front, and the scatter. Right and up is better."""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

from evaluation.run.info import MetricInfo
from evaluation.stats.intervals import Interval
from reports.figures.style import (
    INK,
    MUTED,
    SETTINGS,
    MarkerStyle,
    clean,
    dot,
    families,
    figure,
    marks,
    quiet,
)
from reports.summary import RunSummary
from reports.tables import is_number

NEAR = 7  # points between a label and its dot; a label further off gets a line to it


class Front(NamedTuple):
    """The methods on the front, by the first metric, worst first."""

    members: list[str]
    open: list[str]  # those of them that would be beaten with their gaps at the worst


def pareto(summary: RunSummary, x: str, y: str) -> Front:
    """Return the front of the methods that are ranked on both metrics, by their ranks.

    A method is beaten if another is at least as good on both and better on one; equal means are
    equally good. Methods are ranked on common edits, see `reports.ground`.
    """
    places = {label: _ranks(summary, label, x, y) for label in summary.run.ranked}
    ranked = {label: place for label, place in places.items() if min(place)}
    front = [m for m, place in ranked.items() if not any(_beats(o, place) for o in ranked.values())]
    members = sorted(front, key=lambda label: (-ranked[label][0], label))
    return Front(members, [m for m in members if _beaten_at_worst(summary, m, x, y)])


def _ranks(summary: RunSummary, label: str, x: str, y: str) -> tuple[int, int]:
    """Return the ranks on both metrics, 0 where the method is not ranked; alone it is the first."""
    at = summary.run.ranked.index(label)
    ranks = [
        int(label in summary.ranking(name))
        if summary.alone(name)
        else int(summary.standings[name].ranks[at])
        for name in (x, y)
    ]
    return ranks[0], ranks[1]


def _beats(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] <= other[0] and one[1] <= other[1] and one != other


def _beaten_at_worst(summary: RunSummary, label: str, x: str, y: str) -> bool:
    """Return whether another method beats this one where all of its gaps are at the worst."""
    for other in summary.run.ranked:
        gaps = [_ahead(summary, other, label, name) for name in (x, y)]
        if other != label and None not in gaps:
            near = [summary.gapped[name].near for name in (x, y)]
            signs = [int(g > n) - int(g < -n) for g, n in zip(gaps, near, strict=True)]  # type: ignore[operator]
            if min(signs) >= 0 and max(signs) > 0:
                return True
    return False


def _ahead(summary: RunSummary, other: str, label: str, metric: str) -> float | None:
    """Return how far another is ahead on the edits that it has; None without an edit."""
    found, sign = summary.gapped[metric], summary.run.metrics[metric].sign
    methods = list(summary.run.methods)
    worst = found.low if sign > 0 else found.high
    gap = sign * (found.whole[methods.index(other)] - worst[methods.index(label)])
    return float(np.nanmean(gap)) if np.isfinite(gap).any() else None


class LabelPlace(NamedTuple):
    """Where a label may stand beside its dot, in points, and which of its ends is nearest."""

    x: int
    y: int
    side: Literal["left", "center", "right"]

    @property
    def distance(self) -> int:
        """Points from the dot, along the axis that is further."""
        return max(abs(self.x), abs(self.y))


def _places() -> list[LabelPlace]:
    sides: dict[int, Literal["left", "center", "right"]] = {1: "left", 0: "center", -1: "right"}
    around = [(1, 0), (1, 1), (1, -1), (-1, 0), (-1, 1), (-1, -1), (0, 1), (0, -1)]
    return [
        LabelPlace(distance * x, distance * y, sides[x])
        for distance in (NEAR, 2 * NEAR, 4 * NEAR)
        for x, y in around
    ]


def trade_off(summary: RunSummary, x: str, y: str) -> Figure:
    """Return the scatter of two metrics with intervals on both axes and the Pareto front."""
    run, look = summary.run, looks(summary, [x, y])
    points = _both(summary, x, y)
    with mpl.rc_context(SETTINGS):
        drawing = figure(7.2, 5.2)
        axes = drawing.add_subplot()
        front = pareto_front(summary, x, y)
        for label, (across, up) in points.items():
            _cross(axes, across, up, look[label])
        line = np.array([[points[label][0].mid, points[label][1].mid] for label in front])
        if len(line):
            axes.plot(*line.T, color=INK, linewidth=1, linestyle=(0, (4, 3)), zorder=1.5)
        _orient(axes, run.metrics[x], "x")
        _orient(axes, run.metrics[y], "y")
        axes.margins(0.12)
        clean(axes, "both")
        axes.set_title("better is up and right", color=MUTED, fontsize=8, loc="right")
        with quiet():
            drawing.draw_without_rendering()
            drawing.set_layout_engine("none")
            _place_labels(drawing, axes, points, look)
    return drawing


def pareto_front(summary: RunSummary, x: str, y: str) -> list[str]:
    """Return the competing methods whose means no other one beats on both metrics, by x."""
    return pareto(summary, x, y).members


def looks(summary: RunSummary, metrics: list[str]) -> dict[str, MarkerStyle]:
    """Return how methods are drawn: one that is not ranked on all of the metrics is hollow."""
    ranked = [set(summary.ranking(name)) for name in metrics if summary.run.metrics[name].sign]
    out = [m for m in summary.run.ranked if not all(m in names for names in ranked)]
    look = marks(summary.run)
    return look | {label: look[label]._replace(filled=False) for label in out}


def _both(summary: RunSummary, x: str, y: str) -> dict[str, tuple[Interval, Interval]]:
    """Return the intervals on two metrics of the methods that have both."""
    pairs = {m: (summary.compared(m, x), summary.compared(m, y)) for m in summary.run.methods}
    return {m: pair for m, pair in pairs.items() if all(is_number(i.mid) for i in pair)}


def _cross(axes: Axes, across: Interval, up: Interval, mark: MarkerStyle) -> None:
    """Draw a point with its two intervals; an interval that is NaN draws nothing."""
    line: dict[str, Any] = {"color": mark.colour, "linewidth": 1.4, "alpha": 0.75, "zorder": 2}
    axes.plot([across.low, across.high], [up.mid, up.mid], **line)
    axes.plot([across.mid, across.mid], [up.low, up.high], **line)
    dot(axes, across.mid, up.mid, mark, 7.5, edges=(0.6, 1.3))


def _orient(axes: Axes, facts: MetricInfo, axis: str) -> None:
    """Label an axis and turn it so that better is right or up."""
    label = f"{facts.name} {facts.arrow}  ({facts.axis})"
    if axis == "x":
        axes.set_xlabel(label)
        axes.xaxis.set_inverted(facts.sign < 0)
    else:
        axes.set_ylabel(label)
        axes.yaxis.set_inverted(facts.sign < 0)


def _place_labels(
    drawing: Figure,
    axes: Axes,
    points: dict[str, tuple[Interval, Interval]],
    look: dict[str, MarkerStyle],
) -> None:
    """Write each method's name where it covers least of the points and of other names."""
    renderer = FigureCanvasAgg(drawing).get_renderer()
    taken = [box for pair in points.values() for box in _boxes(axes, *pair)]
    for label, (across, up) in points.items():
        text = axes.annotate(
            label,
            (across.mid, up.mid),
            xytext=(0, 0),
            textcoords="offset points",
            color=INK if look[label].filled else MUTED,
            style="normal" if look[label].filled else "italic",
            fontsize=8.5,
            family=families(label),
            va="center",
            arrowprops={"arrowstyle": "-", "color": MUTED, "linewidth": 0.6, "shrinkA": 0},
        )
        costs = {
            place: _cost(_moved(text, place, renderer), taken, axes.bbox) + 4 * place.distance
            for place in _places()
        }
        taken.append(_moved(text, min(costs, key=lambda place: costs[place]), renderer))


def _moved(text: Annotation, place: LabelPlace, renderer: RendererBase) -> Bbox:
    """Put a label at a place; return what it covers, in pixels."""
    text.set(position=(place.x, place.y), horizontalalignment=place.side)
    if text.arrow_patch is not None:
        text.arrow_patch.set_visible(place.distance > NEAR)
    text.update_positions(renderer)
    return Text.get_window_extent(text, renderer)  # without the line


def _boxes(axes: Axes, across: Interval, up: Interval) -> Iterator[Bbox]:
    """Yield what a point and its two intervals cover, in pixels."""
    middle = np.array([across.mid, up.mid])
    ends = np.array([[across.low, up.mid], [across.high, up.mid], [across.mid, up.low],
                     [across.mid, up.high]])  # fmt: skip
    ends = axes.transData.transform(np.where(np.isnan(ends), middle, ends))
    (x, y), thin = axes.transData.transform(middle), 1.0
    yield Bbox.from_extents(x - 6, y - 6, x + 6, y + 6)
    yield Bbox.from_extents(ends[:2, 0].min(), y - thin, ends[:2, 0].max(), y + thin)
    yield Bbox.from_extents(x - thin, ends[2:, 1].min(), x + thin, ends[2:, 1].max())


def _cost(box: Bbox, taken: list[Bbox], inside: Bbox) -> float:
    """Return the area that `box` shares with others, and what of it leaves the axes."""
    shared = [part for other in taken if (part := Bbox.intersection(box, other))]
    kept = Bbox.intersection(box, inside)
    lost = box.width * box.height - (kept.width * kept.height if kept else 0.0)
    return sum(part.width * part.height for part in shared) + lost
