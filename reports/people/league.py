"""Metrics ranked by how they follow raters, question by question, beside what people reach."""

from dataclasses import replace
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dreamix.core.wording import listed, plural, titled
from evaluation.stats.meta import WITHIN, MetaInterval, RankedMetric
from reports.figures.style import (
    COLOURS,
    GRID,
    INK,
    MUTED,
    SETTINGS,
    MarkerStyle,
    clean,
    dot,
    figure,
)
from reports.parts import Drawing, ReportPart
from reports.people.agreement import (
    KINDS,
    LEVELS,
    SHORT,
    Agreement,
    Others,
    agreements,
    headline,
    others,
)
from reports.people.joint import Joint
from reports.people.league_words import ALPHA, done, found_sentence, notes
from reports.subjects import subject
from reports.tables import (
    APART,
    NOTHING,
    Estimate,
    Head,
    Table,
    TableCell,
    ends_cell,
    is_number,
    number,
    p_text,
    plain_cell,
    table_of,
    those,
)

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
    dot(axes, mid, y, MarkerStyle(colour, marker, filled), 5.5, inside="white", zorder=4)


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
    for cluster in sorted({row.cluster for row in ranked}):
        places = [k for k, row in enumerate(ranked, start=start) if row.cluster == cluster]
        top, bottom = places[0] - 0.5, places[-1] + 0.5
        axes.axhline(top, color=MUTED, linewidth=0.6, zorder=1)
        if cluster % 2 == 0:
            axes.axhspan(top, bottom, color=GRID, alpha=0.4, linewidth=0, zorder=0)
        axes.annotate(
            str(cluster),
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


@subject("metrics-and-people", "metrics and raters")
def league_part(joint: Joint) -> ReportPart | None:
    """Return the leagues of all questions; None for a run without a metric to rank."""
    if not joint.names:
        return None
    found, level = agreements(joint), joint.people.how.confidence
    ranked = [one for one in found if one.table]
    more = [others(joint, one.question) for one in ranked]
    return ReportPart(
        id="metrics-and-people",
        title="How far metrics follow the raters",
        found=tuple(found_sentence(one) for one in found),
        notes=notes(joint, found),
        drawings=tuple(_drawing(one, level) for one in ranked),
        tables=tuple(_league_table(joint, one) for one in ranked),
        folded=tuple(
            statistics_table(each, _order(one), level)
            for one, each in zip(ranked, more, strict=True)
        ),
        frames=_frames(joint, ranked, more),
        done=done(joint, ranked),
    )


def _drawing(found: Agreement, level: float) -> Drawing:
    leader, people = found.ranked[0], ""
    if np.isfinite(found.halves.mean):
        people = (
            f"Diamonds and band: people in the place of a metric, with bars over the middle "
            f"{100 * level:g}% of random draws; they are compared with fewer votes than metrics "
            "are, so this is what people reach, not an upper bound. "
        )
    return Drawing(
        f"league_{found.question}",
        league_figure(found),
        f"{titled(found.question)}: dot plot of {plural(len(found.ranked), 'metric')}; "
        f"best {those(found.tops)}, {number(leader.value, 2)}.",
        f"How far metrics follow raters on {found.question}. Filled: metrics meant for it. Bars of "
        f"metrics: {100 * level:g}% intervals over source videos. A line separates clusters: below "
        f"it, every metric is significantly worse than all metrics above it. {people}Dotted: a "
        "metric that knows nothing; dashed: one that knows only the method."
        + (f" Not ranked, and so not drawn: {listed([*found.apart])}." if found.apart else ""),
    )


def _order(found: Agreement) -> list[str]:
    return [row.name for row in found.table.rows] if found.table else []


def _league_table(joint: Joint, found: Agreement) -> Table:
    assert found.table
    ranking, rows = SHORT[headline(joint).name], found.table.rows
    accuracy = headline(joint).name == "acc_eq"
    panels = _panels(found, accuracy, joint.people.export.means)
    blank = [NOTHING] * len(panels)
    sampled = "acc_eq where a video's epsilon is calibrated on all other videos"
    calibrated: list[tuple[Head, list[TableCell | str | int]]] = [
        (Head("out of sample", hint=sampled),
         [*(plain_cell(row.out_of_sample, 3) for row in rows), *blank]),
        (Head("epsilon", hint="differences up to this are ties, in the metric's unit"),
         [*(f"{row.epsilon:.2g}" if is_number(row.epsilon) else NOTHING for row in rows), *blank]),
    ]  # fmt: skip
    columns: list[tuple[Head, list[TableCell | str | int]]] = [
        (Head("meant for"),
         [*(_axis_cell(joint, found, row) for row in rows), *["people"] * len(panels)]),
        (Head(ranking), [*(_value_cell(found, row) for row in rows), *panels.values()]),
        *(calibrated if accuracy else []),
        (Head("cluster"), [*(row.cluster or NOTHING for row in rows), *blank]),
        (Head("p", hint="of the difference from the best metric; adjusted over the metrics"),
         [*(p_text(row.p_best) for row in rows), *blank]),
        (Head("no value", hint="clips without a value of the metric or without a vote"),
         [*(row.missing for row in rows), *blank]),
    ]  # fmt: skip
    return table_of(
        f"league_{found.question}",
        f"{titled(found.question)}: metrics by how they follow raters",
        _league_caption(joint, found, ranking),
        [*(row.name for row in rows), *panels],
        columns,
        first="metric",
    )


def _league_caption(joint: Joint, found: Agreement, ranking: str) -> str:
    level = joint.people.how.confidence
    last = "Last line: the method's mean vote on the other videos."
    if not joint.people.export.means:
        last = (
            f"Last lines: people in the place of a metric, with the middle {100 * level:g}% of "
            "random draws or the lowest and the highest rater, and the method's mean vote on the "
            "other videos."
        )
    text = (
        f"Ranked by {ranking}, with {100 * level:g}% intervals over source videos. Bold: the best, "
        "metrics that are not significantly worse, and the axis of those meant for the question. "
        "p: two-sided, of the difference from the best metric on the clips for which both have "
        "values, adjusted over all metrics, since the same data choose the best. A cluster begins "
        "where a metric is worse than every metric above it. No value: of "
        f"{plural(joint.metrics[0].size, 'rated clip')}. {last}"
    )
    if not found.apart:
        return text
    return f"{text} {APART}: not ranked, as it has values for too few clips."


def _axis_cell(joint: Joint, found: Agreement, row: RankedMetric) -> TableCell:
    return TableCell(joint.run.metrics[row.name].axis, best=row.name in found.own)


def _value_cell(found: Agreement, row: RankedMetric) -> TableCell:
    best = bool(row.cluster) and not row.p_best < ALPHA
    cell = ends_cell(row, 3, best=best, why=row.why_not)
    return replace(cell, mark=APART if row.name in found.apart else "")


def _panels(found: Agreement, accuracy: bool, means: bool) -> dict[str, TableCell]:
    """Return what people reach in the place of a metric, by the label of its line.

    means: there are no single votes, so there are no people to put in that place.
    """
    alone = {"method alone": plain_cell(found.method, 3)} if accuracy else {}
    if means:
        return alone
    cells = {
        label: ends_cell(Estimate(panel.low, panel.mean, panel.high), 3)
        for label, panel in (("half of the raters", found.halves), ("one vote an edit", found.vote))
    }
    people = found.table.people if found.table else None
    if people and people.raters:
        single = Estimate(people.low, people.mean, people.high)
        cells[f"single raters ({people.raters})"] = ends_cell(single, 3)
    else:
        cells["single raters"] = TableCell(NOTHING, "no rater")
    return cells | alone


def _frames(
    joint: Joint, ranked: list[Agreement], more: list[Others]
) -> tuple[tuple[str, pd.DataFrame], ...]:
    if not ranked:
        return ()
    rows = [
        {"question": one.question, "axis": joint.run.metrics[row.name].axis} | row._asdict()
        for one in ranked
        if one.table
        for row in one.table.rows
    ]
    table = pd.concat([statistics_frame(each) for each in more])
    return (("metric_league", pd.DataFrame(rows)), ("metric_statistics", table))


def statistics_table(found: Others, order: list[str], confidence: float) -> Table:
    """Return a row for every metric, in the order of the league."""
    spa = "soft pairwise accuracy: are methods ranked with the raters' confidence?"
    columns: list[tuple[Head, list[TableCell | str | int]]] = [
        (Head("SPA", hint=spa),
         [*(ends_cell(found.spa[m], why=found.why_not[m]) for m in order), NOTHING])
    ]  # fmt: skip
    for level, hint in LEVELS.items():
        for kind, name in KINDS.items():
            cells = [
                ends_cell(found.correlations[m][level, kind], why=found.why_not[m] or WITHIN[level])
                for m in order
            ]
            ceiling = plain_cell(found.ceilings[level].ceiling) if kind == "pearson" else NOTHING
            columns.append((Head(f"{name}, {level}", hint=hint), [*cells, ceiling]))
    equal = "the metric or the raters give all methods the same"
    columns.append((Head("edits all equal", hint=equal),
                    [*(found.constant[m] for m in order), NOTHING]))  # fmt: skip
    return table_of(
        f"metric_statistics_{found.question}",
        f"{titled(found.question)}: other statistics of the metrics",
        "Not ranked by: SPA over pairs of methods; correlations within an edit (item), between the "
        f"edits of a method (edits), and over all (global), with {100 * confidence:g}% "
        "intervals over source videos. Last line: Pearson that a metric knowing the true means "
        "would reach, from the agreement of halves of the panel. Edits where all are equal have no "
        "correlation and are left out of the means.",
        [*order, "ceiling (people)"],
        columns,
        first="metric",
    )


def statistics_frame(found: Others) -> pd.DataFrame:
    """Return one row for every metric and statistic, unrounded."""
    rows = []
    for name, values in found.correlations.items():
        ends: dict[tuple[str, str], MetaInterval] = {("SPA", ""): found.spa[name]}
        ends |= {(str(level), str(kind)): one for (level, kind), one in values.items()}
        for (level, kind), one in ends.items():
            row = {"question": found.question, "metric": name, "level": level, "kind": kind}
            rows.append(row | {"value": one.value, "low": one.low, "high": one.high})
    return pd.DataFrame(rows)
