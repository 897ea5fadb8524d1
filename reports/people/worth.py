"""What a difference in a metric is worth: how probably people prefer the edit that is ahead."""

from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dreamix.core.wording import listed, titled
from evaluation.stats.meta import Worth, difference_worth
from reports.figures.style import COLOURS, GRID, INK, MUTED, SETTINGS, clean, figure
from reports.parts import FOLLOW, Drawing, ReportPart
from reports.people.joint import Joint, apart
from reports.subjects import subject
from reports.tables import (
    NOTHING,
    Head,
    Table,
    TableCell,
    is_number,
    number,
    prose_digits,
    said,
    table_of,
)

LEAST = 0.6  # share of people whose preference makes a difference worth reporting
SURE = 0.75
PANEL = 2.5  # inches
RESAMPLES = 500  # at most
FEWEST = 10  # sources of a category
DONE = (
    "What a difference in a metric is worth was estimated by a logistic model of raters' "
    "preferences between two methods on one edit (ties half, every source alike, a log-F prior "
    "[@greenland2015]), with {level:g}% intervals over source videos and raters."
)
CAPTION = (
    "Of two methods on one edit, the one that is ahead by the metric is preferred by raters with a "
    "probability that grows with the lead; no difference counts half. Usual lead: root mean square "
    "difference of two methods on an edit. Preferred: probability at a usual lead, with its "
    "{level:g}% interval. Lead for 60%, 75%: at which so many prefer it. Worth reporting: the lead "
    "from which on the lower end of the interval is above {least:g}%; none, where it is for no "
    "lead that there was."
)


class Valued(NamedTuple):
    """A metric on a question, maybe within a category."""

    question: str
    metric: str
    worth: Worth
    category: str = ""

    @property
    def worth_reporting(self) -> float:
        """The least lead at which LEAST prefer it, for certain; infinite where there was none."""
        lead = self.worth.difference(LEAST)[2]
        return lead if lead <= self.worth.most else np.inf


@subject("difference-worth", "metrics and raters", after="metric-scatter")
def worth_part(joint: Joint) -> ReportPart | None:
    """Return what leads are worth in the metrics meant for each question; None without any."""
    if not joint.names or len(joint.systems) < 2:
        return None
    found = {question: valued(joint, question) for question in joint.votes}
    found = {question: several for question, several in found.items() if several}
    if not found:
        return None
    level = 100 * joint.people.how.confidence
    every = [one for several in found.values() for one in several]
    parts = [one for several in found.values() for one in _categories(joint, several[0])]
    first = [several[0] for several in found.values()]
    return ReportPart(
        id="difference-worth",
        title="What a difference in a metric is worth",
        found=tuple(_sentence(one) for one in first),
        drawings=(_drawing(joint, first),),
        tables=tuple(_table(q, several, level) for q, several in found.items()),
        folded=(_category_table(parts, level),) if parts else (),
        frames=(("difference_worth", pd.DataFrame([_row(one) for one in [*every, *parts]])),),
        done=(DONE.format(level=level),),
        group=FOLLOW,
    )


def valued(joint: Joint, question: str) -> list[Valued]:
    """Return the metrics that are meant for a question, the one people follow most first."""
    aside = apart(joint, question)
    places = [k for k in joint.on_axis(question) if k not in aside]
    found = [
        Valued(
            question, joint.names[k], _worth(joint, question, k, np.ones(len(joint.edits), bool))
        )
        for k in places
    ]
    known = [one for one in found if is_number(one.worth.slope)]
    return sorted(known, key=lambda one: (-one.worth.slope * one.worth.deviation, one.metric))


def _worth(joint: Joint, question: str, metric: int, edits: np.ndarray) -> Worth:
    draws = joint.people.resampling("difference worth", question)
    return difference_worth(
        joint.metrics[metric][:, edits],
        joint.votes[question][:, edits],
        sources=joint.sources[edits],
        resampling=draws._replace(resamples=min(draws.resamples, RESAMPLES)),
    )


def _categories(joint: Joint, one: Valued) -> list[Valued]:
    """Return the first metric of a question in every category with enough sources."""
    found = []
    for category in sorted(set(joint.categories)):
        edits = joint.categories == category
        if edits.all() or len(np.unique(joint.sources[edits])) < FEWEST:
            continue
        worth = _worth(joint, one.question, joint.names.index(one.metric), edits)
        if is_number(worth.slope):
            found.append(one._replace(worth=worth, category=str(category)))
    return found


def _sentence(one: Valued) -> str:
    """Return what a usual lead is worth, and from which on one is worth reporting."""
    low, mid, high = one.worth.probability(one.worth.deviation)
    text = (
        f"Worth of {one.metric} on {one.question}: an edit that is ahead by a usual lead, "
        f"{_lead(one.worth.deviation)}, is preferred with a probability of {number(mid, 2)}"
    )
    text += f" [{number(low, 2)}, {number(high, 2)}]" if is_number(low) else ""
    least = one.worth_reporting
    if not is_number(least):
        return f"{text}; no lead there was makes it certain that {100 * LEAST:g}% prefer it."
    return f"{text}; from a lead of {_lead(least)} on, at least {100 * LEAST:g}% prefer it."


def _lead(value: float) -> str:
    return said(value, prose_digits(6, value))


def _table(question: str, several: list[Valued], level: float) -> Table:
    return table_of(
        f"worth_{question}",
        f"{titled(question)}: what a lead in a metric is worth",
        CAPTION.format(level=level, least=100 * LEAST),
        [one.metric for one in several],
        _columns(several),
        first="metric",
    )


def _category_table(parts: list[Valued], level: float) -> Table:
    return table_of(
        "worth_by_category",
        "What a lead is worth by category",
        f"The first metric of each question. {CAPTION.format(level=level, least=100 * LEAST)}",
        [f"{one.question}, {one.metric}: {one.category}" for one in parts],
        _columns(parts),
        first="category",
    )


def _columns(several: list[Valued]) -> list[tuple[Head | str, list[TableCell | str | int]]]:
    ends = [one.worth.probability(one.worth.deviation) for one in several]
    return [
        (Head("usual lead", hint="root mean square"), [_lead(o.worth.deviation) for o in several]),
        (Head("preferred", hint="at a usual lead"), [_ends(*each, 2) for each in ends]),
        ("lead for 60%", [_leads(one.worth, LEAST) for one in several]),
        ("lead for 75%", [_leads(one.worth, SURE) for one in several]),
        ("worth reporting", [_from(one.worth_reporting) for one in several]),
        (Head("pairs", hint="of methods on an edit"), [one.worth.pairs for one in several]),
    ]


def _ends(low: float, mid: float, high: float, digits: int) -> TableCell:
    small = f"[{number(low, digits)}, {number(high, digits)}]" if is_number(low) else ""
    return TableCell(number(mid, digits), small)


def _leads(worth: Worth, share: float) -> TableCell:
    low, mid, high = worth.difference(share)
    if not is_number(mid):
        return TableCell(NOTHING, hint="people do not prefer the edit that is ahead")
    if mid > worth.most:
        return TableCell(f"over {_lead(worth.most)}", hint="more than the largest lead there was")
    top = _lead(high) if is_number(high) else "\N{INFINITY}"
    return TableCell(_lead(mid), f"[{_lead(low)}, {top}]" if is_number(low) else "")


def _from(lead: float) -> str:
    return f"from {_lead(lead)}" if is_number(lead) else "none"


def _row(one: Valued) -> dict[str, object]:
    names = ("slope", "low", "high", "deviation", "pairs", "sources")
    facts = {name: getattr(one.worth, name) for name in names}
    where = {"question": one.question, "metric": one.metric, "category": one.category}
    more = {
        f"lead_for_{share:.0%}".rstrip("%"): one.worth.difference(share)[1]
        for share in (LEAST, SURE)
    }
    return where | facts | more | {"worth_reporting": one.worth_reporting}


def _drawing(joint: Joint, several: list[Valued]) -> Drawing:
    level = 100 * joint.people.how.confidence
    topics = listed([one.question for one in several])
    return Drawing(
        "difference_worth",
        worth_figure(joint, several),
        f"Curves of the probability to be preferred against the lead in a metric, on {topics}.",
        f"Line: the model, with its {level:g}% interval; points: shares of pairs that are about as "
        "far apart, their size by how many. Where points leave the line, the model does not fit.",
    )


def worth_figure(joint: Joint, several: list[Valued]) -> Figure:
    """Return a panel for every question: the lead across, the share that prefers it up."""
    with mpl.rc_context(SETTINGS):
        drawing = figure(0.6 + PANEL * max(len(several), 2), 2.8)
        grid = drawing.subplots(1, len(several), squeeze=False, sharey=True)[0]
        for axes, one in zip(grid, several, strict=True):
            _panel(axes, one, joint.run.metrics[one.metric].arrow)
        grid[0].set_ylabel("share that prefers it", color=INK)
    return drawing


def _panel(axes: Axes, one: Valued, arrow: str) -> None:
    slices = one.worth.slices
    most = 1.05 * max([part.difference for part in slices] or [one.worth.deviation])
    across = np.linspace(0, most, 60)
    low, mid, high = np.array([one.worth.probability(lead) for lead in across]).T
    axes.axhline(0.5, color=MUTED, linewidth=0.7, linestyle=":")
    if is_number(one.worth.low):
        axes.fill_between(across, low, high, color=GRID, linewidth=0, zorder=1)
    axes.plot(across, mid, color=INK, linewidth=1.5, zorder=2)
    top = max([part.pairs for part in slices] or [1])
    axes.scatter(
        [part.difference for part in slices], [part.share for part in slices],
        s=[10 + 30 * part.pairs / top for part in slices], color=COLOURS[0], zorder=3,
    )  # fmt: skip
    axes.set_title(titled(one.question))
    axes.set_xlabel(f"lead in {one.metric} {arrow}", color=INK)
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(4))
    axes.set_ylim(0.2, 1.02)
    clean(axes, "both")
