"""Whether the metrics that follow raters do so on every category of edit."""

from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dreamix.core.wording import listed, plural, titled
from evaluation.stats.meta import cells
from reports.figures.heatmap import ALL, NO_VALUE, HeatCell, heat_map
from reports.figures.style import MUTED, SETTINGS, figure
from reports.parts import Drawing, ReportPart
from reports.people.agreement import SHORT, best_of, guessing, headline, why_not, within
from reports.people.joint import FEW_VIDEOS, Joint
from reports.subjects import subject
from reports.tables import (
    Head,
    Table,
    TableCell,
    ends_cell,
    is_number,
    number,
    plain_cell,
    table_of,
)

OWN_SHOWN, OTHERS_SHOWN = 5, 2  # metrics of the question's axis, and better ones of other axes
LEAST, MOST = 0.12, 1.0  # of the shades, for just above guessing and for the best cell
DONE = (
    "The leading metrics were compared with mean votes within each category of edit, with epsilon "
    "calibrated on all edits; a category of fewer than {few} source videos is shown and not judged."
)
DONE_ALONE = (
    "The leading metrics were compared with mean votes within each category of edit; a category of "
    "fewer than {few} source videos is shown and not judged."
)


class Spot(NamedTuple):
    """One metric on one category."""

    low: float
    value: float
    high: float
    edits: int  # on which two methods have a value and a vote (one, if there is one method)
    videos: int
    guess: float  # what a metric that knows nothing reaches there

    @property
    def few(self) -> bool:
        """Whether too few videos stand behind it to say anything."""
        return self.videos < FEW_VIDEOS


class Grid(NamedTuple):
    """The leading metrics of one question on all categories."""

    question: str
    names: tuple[str, ...]  # best first
    own: frozenset[str]  # those that are meant for the question
    categories: tuple[str, ...]  # and ALL
    spots: dict[tuple[str, str], Spot]


def grids(joint: Joint) -> list[Grid]:
    """Return a grid for every question on which metrics can be held against raters."""
    return [grid(joint, question) for question in joint.votes if not why_not(joint, question)]


def grid(joint: Joint, question: str) -> Grid:
    """Return how the leading metrics follow raters on every category and on all edits."""
    shown = _leading(joint, question)
    names = tuple(str(name) for name in np.unique(joint.categories))
    keep = {name: joint.categories == name for name in names}
    keep[ALL] = np.ones(len(joint.edits), bool)
    spots = {
        (joint.names[k], name): _spot(joint, k, question, chosen)
        for k in shown
        for name, chosen in keep.items()
    }
    own = frozenset(joint.names[k] for k in joint.on_axis(question))
    return Grid(question, tuple(joint.names[k] for k in shown), own, (*names, ALL), spots)


def _leading(joint: Joint, question: str) -> list[int]:
    """Return the best metrics of the question's axis, and those of others that beat them."""
    order = best_of(joint, question, list(range(len(joint.names))))
    meant = set(joint.on_axis(question))
    own = [k for k in order if k in meant][:OWN_SHOWN]
    first = order.index(own[0]) if own else len(order)
    others = [k for k in order[:first] if k not in meant][:OTHERS_SHOWN]
    return [k for k in order if k in {*own, *others}]


def _spot(joint: Joint, k: int, question: str, keep: np.ndarray) -> Spot:
    human = joint.mean_votes(question)[:, keep]
    data, needed = cells(joint.metrics[k][:, keep], human), min(2, len(joint.systems))
    counted = np.isfinite(data.metric).sum(axis=0) >= needed
    found = within(joint, k, question, keep, joint.people.how.resamples)
    return Spot(
        found.low,
        found.value,
        found.high,
        int(counted.sum()),
        len(np.unique(joint.sources[keep][counted])),
        guessing(data.human, headline(joint))[1],
    )


def category_figure(grids: list[Grid]) -> Figure:
    """Return one panel a question: metrics by categories, with n, the edits behind each value.

    Shades run from what guessing reaches in the category to the best value of the panel; a value
    that is not above guessing has none. Hatched: too few source videos, or no value.
    """
    columns = max(len(grid.categories) for grid in grids)
    rows = [len(grid.names) for grid in grids]
    with mpl.rc_context({**SETTINGS, "axes.grid": False}):
        drawing = figure(1.7 + 0.86 * columns, sum(0.62 + 0.31 * n for n in rows))
        panels = drawing.subplots(len(grids), squeeze=False, height_ratios=[n + 0.6 for n in rows])
        for axes, grid in zip(panels[:, 0], grids, strict=True):
            _panel(axes, grid)
    return drawing


def _panel(axes: Axes, grid: Grid) -> None:
    above = [spot.value - spot.guess for spot in grid.spots.values() if is_number(spot.value)]
    top = max(above, default=0.0)
    rows = {
        name: [_heat_cell(grid.spots[name, category], top) for category in grid.categories]
        for name in grid.names
    }
    heat_map(axes, grid.categories, rows, title=titled(grid.question))
    for text in axes.get_yticklabels():
        if text.get_text() not in grid.own:
            text.set(color=MUTED, style="italic")


def _heat_cell(spot: Spot, top: float) -> HeatCell:
    """Return one cell; a few videos leave it hatched and without a shade."""
    if not is_number(spot.value):
        return NO_VALUE
    above = spot.value - spot.guess
    shaded = not spot.few and above > 0 and top > 0
    share = LEAST + (MOST - LEAST) * above / top if shaded else None
    return HeatCell(number(spot.value, 2), share, f"n={spot.edits}", hatched=spot.few)


@subject("metrics-by-category", "metrics and raters", after="metric-scatter")
def category_part(joint: Joint) -> ReportPart | None:
    """Return the leading metrics by category; None where there is only one, or nothing to hold."""
    found = grids(joint)
    if not found or len(found[0].categories) < 3:
        return None
    name = SHORT[headline(joint).name]
    said = DONE if headline(joint).name == "acc_eq" else DONE_ALONE
    return ReportPart(
        id="metrics-by-category",
        title="Metrics and raters by category of edit",
        found=(_sentence(found, name),),
        drawings=(_drawing(found, name),),
        folded=tuple(_table(one, name, joint.people.how.confidence) for one in found),
        frames=(("metric_categories", _frame(found)),),
        done=(said.format(few=FEW_VIDEOS),),
    )


def _sentence(found: list[Grid], name: str) -> str:
    """Return where the metrics that lead over all edits are not shown to be above guessing."""
    judged = [one for one in found if _judged(one)]
    if not judged:
        return "Metrics by category: Every category has too few source videos to judge a metric by."
    few = [
        c
        for c in found[0].categories
        if c != ALL and all(one.spots[one.names[0], c].few for one in found)
    ]
    text = f"Metrics by category: Judged by {name}, {'; '.join(map(_clause, judged))}."
    return text + (f" There are too few videos to judge {listed(few)} edits." if few else "")


def _judged(found: Grid) -> dict[str, Spot]:
    """Return the leading metric on the categories that have enough videos."""
    spots = {c: found.spots[found.names[0], c] for c in found.categories if c != ALL}
    return {c: spot for c, spot in spots.items() if not spot.few and is_number(spot.low)}


def _clause(found: Grid) -> str:
    leader, judged = found.names[0], _judged(found)
    failing = [c for c, spot in judged.items() if spot.low <= spot.guess]
    overall = found.spots[leader, ALL]
    above = is_number(overall.low) and overall.low > overall.guess
    if not failing:
        return f"{leader} beats guessing on {found.question} for {listed(list(judged))} edits"
    edits = f"for {listed(failing)} edits"
    if len(failing) == len(judged) or not above:
        return f"{leader} is not shown to beat guessing on {found.question} {edits}"
    return f"{leader} beats guessing on {found.question} overall but is not shown to {edits}"


def _drawing(found: list[Grid], name: str) -> Drawing:
    return Drawing(
        "metric_categories",
        category_figure(found),
        f"Heat maps of {name}: metrics by categories of edit, for {_questions(found)}.",
        f"The leading metrics' {name} on each category of edit; n: the edits behind it. Shades run "
        "from what guessing reaches in the category to the best value of the panel; a value "
        "without a shade is not above guessing. Hatched: fewer than "
        f"{FEW_VIDEOS} source videos, or no value. Italic: meant for another axis, but better than "
        "the metrics meant for the question. Intervals are in the tables below.",
    )


def _questions(found: list[Grid]) -> str:
    return listed([one.question for one in found])


def _table(found: Grid, name: str, level: float) -> Table:
    first = found.names[0]
    columns = []
    for category in found.categories:
        cells = [_cell(found.spots[each, category]) for each in found.names]
        guess = plain_cell(found.spots[first, category].guess)
        hint = _counts(found.spots[first, category])
        columns.append((Head(category, hint=hint), [*cells, guess]))
    return table_of(
        f"metric_categories_{found.question}",
        f"{titled(found.question)}: metrics by category of edit",
        f"The metrics' {name}, with {100 * level:g}% intervals over source videos. Bold: the "
        f"interval lies above guessing and rests on {FEW_VIDEOS} videos or more. Last line: what "
        "guessing reaches in the category.",
        [*found.names, "guessing"],
        columns,
        first="metric",
    )


def _counts(spot: Spot) -> str:
    of = f"{plural(spot.edits, 'edit')} of {plural(spot.videos, 'video')}"
    return f"{of} for the first metric"


def _cell(spot: Spot) -> TableCell:
    return ends_cell(spot, best=not spot.few and spot.low > spot.guess)


def _frame(found: list[Grid]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"question": one.question, "metric": name, "category": category} | spot._asdict()
            for one in found
            for (name, category), spot in one.spots.items()
        ]
    )
