"""Success at every threshold: whether an order of methods hangs on the one that was chosen."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dreamix.core.wording import listed
from evaluation.stats.ratings import Success, SuccessRate, success_sweep
from reports.figures.style import (
    ANCHOR,
    INK,
    MUTED,
    SETTINGS,
    MarkerStyle,
    clean,
    figure,
    label_panels,
    legend_below,
)
from reports.parts import Drawing, ReportPart
from reports.people.differences import drawn_on_own
from reports.people.outcome import SUCCESS, People
from reports.subjects import subject

COLUMNS = 4
DASHES = (0, (4, 1.6))
ASIDE = 0.7  # of a plateau, where its interval stands: not on the threshold of the tables
FIRST, LAST, STEPS = 0.125, 0.875, 30  # shares of the scale: 1.5 to 4.5 in tenths on 1 to 5
DONE = (
    "Success was also counted at every threshold from {first:g} to {last:g} in steps of {step:g}; "
    "the headline uses {threshold:g}."
)


def sweep_figure(
    sweep: list[Success], places: dict[str, int], look: dict[str, MarkerStyle], at: float = 2.5
) -> Figure:
    """Return a panel a method: share of success at every threshold, of items and of votes.

    places: of the methods in the rates. The other methods' items stand behind in grey. at: the
    threshold of the tables.
    """
    columns = min(COLUMNS, len(places))
    rows = -(-len(places) // columns)
    with mpl.rc_context(SETTINGS):
        drawing = figure(0.6 + 2.25 * max(columns, 2), 0.65 + 2.1 * rows)
        grid = drawing.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        for axes, name in zip(grid.flat, places, strict=False):
            _panel(axes, sweep, places, name, look[name], at)
        label_panels(grid, len(places), "threshold", "share of success")
        keys = _keys(len(places))
        across = len(keys) if columns > 2 else 2
        legend_below(drawing, keys, across)
    return drawing


def _panel(
    axes: Axes,
    sweep: list[Success],
    places: dict[str, int],
    name: str,
    mark: MarkerStyle,
    at: float,
) -> None:
    thresholds = np.array([one.threshold for one in sweep])
    for other, place in places.items():
        if other != name:
            shares = np.array([one.items.share[place] for one in sweep])
            axes.step(
                thresholds, shares, where="post", color=ANCHOR, linewidth=0.7, alpha=0.7, zorder=1.5
            )
    _curve(axes, thresholds, [one.votes for one in sweep], places[name], mark, dashed=True)
    _curve(axes, thresholds, [one.items for one in sweep], places[name], mark, dashed=False)
    axes.axvline(at, color=INK, linewidth=0.9, linestyle=(0, (1, 2)), zorder=1.2)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlim(thresholds[0], thresholds[-1])
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
    axes.set_title(name, fontsize=9.5 if len(name) < 24 else 7.5)
    clean(axes, "y")


def _curve(
    axes: Axes,
    thresholds: np.ndarray,
    rates: list[SuccessRate],
    place: int,
    mark: MarkerStyle,
    dashed: bool,
) -> None:
    """Draw one level: items solid with a band; votes dashed, each plateau with its interval."""
    share, low, high = (np.array([rate[k][place] for rate in rates]) for k in range(3))
    if not dashed:
        axes.step(thresholds, share, where="post", color=mark.colour, linewidth=2, zorder=3)
        axes.fill_between(thresholds, low, high, step="post", color=mark.colour, alpha=0.2,
                          linewidth=0, zorder=2)  # fmt: skip
        return
    axes.step(thresholds, share, where="post", color=INK, linewidth=1.3, linestyle=DASHES, zorder=3)
    for start, end in plateaus(share):
        at = thresholds[start] + ASIDE * (thresholds[end] - thresholds[start])
        axes.plot([at, at], [low[start], high[start]], color=INK, linewidth=1.1, zorder=3.5)
        axes.plot([at, at], [low[start], high[start]], "_", color=INK, markersize=4.5, zorder=3.5)


def plateaus(share: np.ndarray) -> list[tuple[int, int]]:
    """Return the first and last place of every run of equal values; NaN is in none."""
    known = np.flatnonzero(np.isfinite(share))
    breaks = np.flatnonzero(np.diff(share[known]) != 0) + 1
    return [(int(run[0]), int(run[-1])) for run in np.split(known, breaks) if len(run)]


def _keys(methods: int) -> list[Line2D]:
    """Return what the lines mean."""
    keys = [
        Line2D([], [], color=MUTED, linewidth=2, label="edits (band: interval)"),
        Line2D([], [], color=INK, linewidth=1.3, linestyle=DASHES,
               label="single answers (bars: interval)"),
        Line2D([], [], color=ANCHOR, linewidth=0.7, label="edits of the other methods"),
    ]  # fmt: skip
    return keys if methods > 1 else keys[:2]


@subject("success", "single votes", after="votes")
def success_part(people: People) -> ReportPart | None:
    """Return the sweep; None where no edit has votes on every question."""
    if not np.isfinite(people.kept.success.items.share).any():
        return None
    low, high = people.kept.ratings.scale
    thresholds = np.round(low + np.linspace(FIRST, LAST, STEPS + 1) * (high - low), 9)
    sweep = success_sweep(people.kept.of_success, thresholds, confidence=people.how.confidence)
    first, last, threshold = thresholds[0], thresholds[-1], people.export.threshold
    step = round((last - first) / STEPS, 9)
    said = DONE.format(first=first, last=last, step=step, threshold=threshold)
    return ReportPart(
        id="success",
        title="Success and its threshold",
        drawings=(_drawing(people, sweep),),
        frames=(("success_sweep", _frame(people, sweep)),),
        done=(said,),
    )


def _drawing(people: People, sweep: list[Success]) -> Drawing:
    places = {name: people.kept.ratings.methods.index(name) for name in people.methods}
    return Drawing(
        "success_sweep",
        sweep_figure(sweep, places, people.look, people.export.threshold),
        f"Steps of the share of success of {listed(people.methods)} as its threshold rises.",
        "Share above the threshold on every question: of edits, by their mean votes (solid), and "
        "of raters' single answers (dashed), each with its "
        f"{100 * people.how.confidence:g}% interval. Dotted upright: {people.export.threshold:g}, "
        "the threshold of the tables. Answers are grades, so their share falls only there."
        + drawn_on_own(people, [SUCCESS]),
    )


def _frame(people: People, sweep: list[Success]) -> pd.DataFrame:
    """Return a row for every threshold, method and level."""
    rows = []
    for one in sweep:
        for level, rate in (("items", one.items), ("votes", one.votes)):
            for name in people.methods:
                at = people.kept.ratings.methods.index(name)
                facts = {field: float(values[at]) for field, values in rate._asdict().items()}
                rows.append({"threshold": one.threshold, "method": name, "level": level} | facts)
    return pd.DataFrame(rows)
