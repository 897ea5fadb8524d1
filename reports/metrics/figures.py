"""Figures of the metrics of a run: trade-off, by category of edit, and against the source."""

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dreamix.core.wording import listed
from reports.figures.heatmap import ALL, NO_VALUE, HeatCell, heat_map, share_of
from reports.figures.style import ANCHOR, INK, MUTED, SETTINGS, clean, dot, figure, marks
from reports.loading import Run
from reports.metrics.results import decimals
from reports.metrics.trade_off import looks, pareto_front, trade_off
from reports.parts import Drawing
from reports.summary import RunSummary, Score
from reports.tables import is_number, number


def run_drawings(summary: RunSummary) -> list[Drawing]:
    """Return every figure that the run has numbers for."""
    x, y, quality = (summary.headline(axis) for axis in ("alignment", "fidelity", "quality"))
    drawn: list[Drawing] = []
    if x and y:
        words = _trade_off_words(summary, x, y)
        drawn.append(Drawing("trade_off", trade_off(summary, x, y), *words))
    if chosen := [name for name in (x, y, quality) if name]:
        words = _category_words(summary.run, chosen)
        drawn.append(Drawing("categories", category_map(summary, chosen), *words))
    if names := [facts.name for facts in summary.run.on_axis("quality")]:
        drawn.append(Drawing("quality", quality_deltas(summary, names), *_quality_words(names)))
    return drawn


def _trade_off_words(summary: RunSummary, x: str, y: str) -> tuple[str, str]:
    """Return the text alternative and the caption."""
    front = pareto_front(summary, x, y)
    nobody = "no method is ranked on both" if summary.run.ranked else "only anchors were run"
    who = listed(front) if front else f"nothing, for {nobody}"
    alt = f"Scatter of {x} against {y}; on the Pareto front: {who}."
    return alt, (
        f"Alignment ({x}) against fidelity ({y}), both turned so that better is up and right. "
        "Means are over the edits that all ranked methods have; crosses are intervals over source "
        "videos. Dashed: the Pareto front of the means, the methods that no other beats on both. "
        "Hollow: anchors (grey) and methods that are not ranked, at their own means."
    )


def _category_words(run: Run, metrics: list[str]) -> tuple[str, str]:
    alt = f"Heat maps of {listed(metrics)}: methods by {listed(list(run.categories))} edits."
    return alt, (
        "Mean of every method on every category of edit, over the edits that all ranked methods "
        "have; n: the edits behind it. Darker is better, from the worst to the best mean of the "
        "ranked methods in the panel. No shade: anchors and methods that are not ranked. Hatched: "
        "no value. A category with few edits says little; intervals are in the tables below."
    )


def _quality_words(metrics: list[str]) -> tuple[str, str]:
    return f"Dot plots of {listed(metrics)}: difference of every method from the source.", (
        "Quality of the edited clip minus quality of its source (the line at zero), with "
        "intervals over source videos, over the edits that all ranked methods have (hollow but not "
        "grey: not ranked, over its own edits). Axes are turned so that right is better. A method "
        "to the right of the line makes clips that the metric prefers to the footage it was given."
    )


def category_map(summary: RunSummary, metrics: list[str]) -> Figure:
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


def _panel(axes: Axes, summary: RunSummary, metric: str) -> None:
    run = summary.run
    table = {label: _row(summary, label, metric) for label in run.methods}
    everyone = [score for row in table.values() for score in row]
    digits = min(decimals(everyone), decimals(summary.column(metric)))
    ranked = set(summary.ranking(metric))
    mids = [
        s.interval.mid
        for m in run.ranked
        if m in ranked
        for s in table[m]
        if is_number(s.interval.mid)
    ]
    low, high = min(mids, default=0.0), max(mids, default=0.0)
    sign, near = run.metrics[metric].sign, summary.gapped[metric].near

    def cell(label: str, score: Score) -> HeatCell:
        if not is_number(mid := score.interval.mid):
            return NO_VALUE._replace(text="n/a" if score.clips["n/a"] else "none")
        share = share_of(mid, low, high, near)
        share = 1 - share if sign < 0 else share
        shown, count = share if label in ranked else None, f"n={score.edits}"
        return HeatCell(number(mid, digits), shown, count, muted=True)

    rows = {label: [cell(label, score) for score in row] for label, row in table.items()}
    names, title = [*run.categories, ALL], f"{metric} {run.metrics[metric].arrow}"
    heat_map(axes, names, rows, title=title)
    for text, method in zip(axes.get_yticklabels(), run.methods.values(), strict=True):
        if method.anchor:
            text.set(color=ANCHOR, style="italic")


def _row(summary: RunSummary, label: str, metric: str) -> list[Score]:
    """Return the scores of a method in every category, then over all edits."""
    parts = [summary.common_categories[label, metric, name] for name in summary.run.categories]
    return [*parts, summary.common[label, metric]]


def quality_deltas(summary: RunSummary, metrics: list[str]) -> Figure:
    """Return one dot plot a metric: each method's mean difference from the source, zero = source.

    A metric without such a difference shows its plain mean and no line at zero.
    """
    look = marks(summary.run)
    columns = 2 if len(metrics) == 4 else min(3, len(metrics))
    rows = -(-len(metrics) // columns)
    with mpl.rc_context(SETTINGS):
        drawing = figure(1.5 + 2.5 * columns, rows * (0.8 + 0.24 * len(look)))
        grid = drawing.subplots(rows, columns, sharey=True, squeeze=False)
        for axes, name in zip(grid.flat, metrics, strict=False):
            _delta_panel(axes, summary, name)
        for axes in grid.flat[len(metrics) :]:
            axes.set_axis_off()
        names = list(look)
        grid[0, 0].set_yticks(range(len(names)), names)
        grid[0, 0].set_ylim(len(names) - 0.4, -0.6)
        for axes in grid[:, 0]:
            _grey_anchor_names(axes, summary)
    return drawing


def _delta_panel(axes: Axes, summary: RunSummary, name: str) -> None:
    look = looks(summary, [name])
    deltas = {label: summary.common_deltas[label, name].interval for label in look}
    has_delta = any(is_number(interval.mid) for interval in deltas.values())
    shown = deltas if has_delta else {label: summary.compared(label, name) for label in look}
    if has_delta:
        axes.axvline(0, color=INK, linewidth=1, zorder=1.2)
    for place, (label, interval) in enumerate(shown.items()):
        axes.plot(
            [interval.low, interval.high], [place, place], color=look[label].colour, linewidth=1.6
        )
        dot(axes, interval.mid, place, look[label], 6, edges=(0.6, 1.3))
    facts = summary.run.metrics[name]
    axes.set_title(f"{name} {facts.arrow}")
    if not has_delta:
        axes.set_xlabel("the mean itself, not a difference", color=MUTED, fontsize=8)
    axes.xaxis.set_inverted(facts.sign < 0)
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(5))
    axes.margins(x=0.1)
    clean(axes, "x")


def _grey_anchor_names(axes: Axes, summary: RunSummary) -> None:
    for text, method in zip(axes.get_yticklabels(), summary.run.methods.values(), strict=False):
        if method.anchor:
            text.set(color=ANCHOR, style="italic")
