"""Metrics ranked by how they follow raters, question by question, beside what people reach."""

from dataclasses import replace
from typing import NamedTuple

import pandas as pd

from evaluation.stats.meta import PanelStatistic, RankedMetric
from reports.loading import is_number
from reports.parts import Drawing, Part
from reports.people.agreement import SHORT, Agreement, agreements, headline
from reports.people.cells import ends_cell, p_text, plain_cell
from reports.people.joint import Joint
from reports.people.league_figure import league_figure
from reports.people.league_statistics import Others, others, statistics_frame, statistics_table
from reports.people.league_words import ALPHA, done, found_sentence, notes
from reports.subjects import subject
from reports.tables import APART, NOTHING, Cell, Head, Row, Table, number
from reports.wording import listed, plural, those


class _Level(NamedTuple):
    """What people reach, and the ends of the draws."""

    value: float
    low: float
    high: float


@subject("metrics-and-people", "metrics and raters")
def league_part(joint: Joint) -> Part | None:
    """Return the leagues of all questions; None for a run without a metric to rank."""
    if not joint.names:
        return None
    found, level = agreements(joint), joint.people.how.confidence
    ranked = [one for one in found if one.table]
    more = [others(joint, one.question) for one in ranked]
    return Part(
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
    leader = found.ranked[0]
    return Drawing(
        f"league_{found.question}",
        league_figure(found),
        f"{found.question.capitalize()}: dot plot of {plural(len(found.ranked), 'metric')}; "
        f"best {those(found.tops)}, {number(leader.value, 2)}.",
        f"How far metrics follow raters on {found.question}. Filled: metrics meant for it. Bars of "
        f"metrics: {100 * level:g}% intervals over source videos. A line separates clusters: below "
        "it, every metric is significantly worse than all metrics above it. Diamonds and band: "
        f"people in the place of a metric, with bars over the middle {100 * level:g}% of random "
        "draws; they are compared with fewer votes than metrics are, so this is what people reach, "
        "not an upper bound. Dotted: a metric that knows nothing; dashed: one that knows only the "
        "method."
        + (f" Not ranked, and so not drawn: {listed([*found.apart])}." if found.apart else ""),
    )


def _order(found: Agreement) -> list[str]:
    return [row.name for row in found.table.rows] if found.table else []


def _league_table(joint: Joint, found: Agreement) -> Table:
    assert found.table
    ranking, level = SHORT[headline(joint).name], joint.people.how.confidence
    accuracy = headline(joint).name == "acc_eq"
    rows = [Row(row.name, _cells(joint, found, row, accuracy)) for row in found.table.rows]
    panels = [_panel_row("half of the raters", found.halves, accuracy)]
    panels += [_panel_row("one vote an edit", found.vote, accuracy), _rater_row(found, accuracy)]
    if accuracy:
        panels.append(Row("method alone", _people_cells(plain_cell(found.method, 3), accuracy)))
    text = (
        f"Ranked by {ranking}, with {100 * level:g}% intervals over source videos. Bold: the best, "
        "metrics that are not significantly worse, and the axis of those meant for the question. "
        "p: two-sided, of the difference from the best metric on the clips for which both have "
        "values, adjusted over all metrics, since the same data choose the best. A cluster begins "
        "where a metric is worse than every metric above it. No value: of "
        f"{plural(joint.metrics[0].size, 'rated clip')}. Last lines: people in the place of a "
        f"metric, with the middle {100 * level:g}% of random draws or the lowest and the highest "
        "rater, and the method's mean vote on the other videos."
    )
    if found.apart:
        text += f" {APART}: not ranked, as it has values for too few clips."
    return Table(
        f"league_{found.question}",
        f"{found.question.capitalize()}: metrics by how they follow raters",
        text,
        _heads(ranking, accuracy),
        (*rows, *panels),
        first="metric",
    )


def _heads(ranking: str, accuracy: bool) -> tuple[Head, ...]:
    calibrated = (
        Head("out of sample",
             hint="acc_eq where a video's epsilon is calibrated on all other videos"),
        Head("epsilon", hint="differences up to this are ties, in the metric's unit"),
    )  # fmt: skip
    return (
        Head("meant for"),
        Head(ranking),
        *(calibrated if accuracy else ()),
        Head("cluster"),
        Head("p", hint="of the difference from the best metric; adjusted over the metrics"),
        Head("no value", hint="clips without a value of the metric or without a vote"),
    )


def _cells(joint: Joint, found: Agreement, row: RankedMetric, accuracy: bool) -> tuple[Cell, ...]:
    axis = Cell(joint.run.metrics[row.name].axis, best=row.name in found.own)
    calibrated = (plain_cell(row.out_of_sample, 3), Cell(_epsilon(row))) if accuracy else ()
    return (
        axis,
        replace(
            ends_cell(row, 3, best=bool(row.cluster) and not row.p_best < ALPHA, why=row.why_not),
            mark=APART if row.name in found.apart else "",
        ),
        *calibrated,
        Cell(str(row.cluster) if row.cluster else NOTHING),
        Cell(p_text(row.p_best)),
        Cell(str(row.missing)),
    )


def _epsilon(row: RankedMetric) -> str:
    return f"{row.epsilon:.2g}" if is_number(row.epsilon) else NOTHING


def _panel_row(label: str, panel: PanelStatistic, accuracy: bool) -> Row:
    value = ends_cell(_Level(panel.mean, panel.low, panel.high), 3)
    return Row(label, _people_cells(value, accuracy))


def _rater_row(found: Agreement, accuracy: bool) -> Row:
    people = found.table.people if found.table else None
    if not people or not people.raters:
        return Row("single raters", _people_cells(Cell(NOTHING, "no rater"), accuracy))
    label = f"single raters ({people.raters})"
    value = ends_cell(_Level(people.mean, people.low, people.high), 3)
    return Row(label, _people_cells(value, accuracy))


def _people_cells(value: Cell, accuracy: bool) -> tuple[Cell, ...]:
    return (Cell("people"), value, *[Cell(NOTHING)] * (5 if accuracy else 3))


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
