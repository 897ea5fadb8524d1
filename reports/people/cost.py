"""What a method costs beside what raters think of it."""

from collections.abc import Mapping
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dreamix.core.wording import listed, plural, titled
from evaluation.schema import finetune_seconds
from evaluation.stats.intervals import Interval
from reports.figures.style import (
    INK,
    LEGEND_COLUMNS,
    SETTINGS,
    MarkerStyle,
    clean,
    dot,
    figure,
    handle,
    legend_below,
)
from reports.loading import Run
from reports.parts import Drawing, ReportPart
from reports.people.differences import ALIKE
from reports.people.joint import Joint
from reports.subjects import subject
from reports.tables import (
    APART,
    NOTHING,
    Head,
    Table,
    TableCell,
    ends_text,
    is_number,
    number,
    table_of,
)

LEAST = 0.01  # seconds: less is drawn as this
DONE = (
    "Cost is the median wall time of an edit without finetuning, with its interquartile range over "
    "clips, and the seconds of finetuning divided by the edits that they served."
)
NAMED = 5  # methods that another one beats
LATE = 1.2  # a method this many times as slow as another is called slower


class Cost(NamedTuple):
    """Seconds that an edit by one method took; NaN where no clip tells."""

    editing: float  # median, without finetuning
    low: float  # first and third quartile of it
    high: float
    finetuning: float  # all seconds of finetuning, divided by the edits
    clips: int  # that tell their seconds

    @property
    def total(self) -> float:
        """Seconds of an edit with its share of the finetuning."""
        return self.editing + self.finetuning


def cost_figure(
    joint: Joint,
    costs: Mapping[str, Cost],
    votes: dict[str, dict[str, Interval]],
    apart: Mapping[str, set[str]],
) -> Figure:
    """Return a panel a question: seconds an edit across (logarithmic), mean votes up.

    apart: by question, methods that are drawn hollow: their scores are of other edits.
    """
    look = joint.people.look
    lines = -(-len(costs) // LEGEND_COLUMNS)
    with mpl.rc_context(SETTINGS):
        drawing = figure(0.5 + 2.7 * len(votes), 2.9 + 0.2 * lines)
        grid = drawing.subplots(1, len(votes), squeeze=False, sharey=True, sharex=True)
        for axes, (question, scores) in zip(grid[0], votes.items(), strict=True):
            for label, cost in costs.items():
                filled = look[label].filled and label not in apart[question]
                _method(axes, cost, scores[label], look[label]._replace(filled=filled))
            _set_axes(axes, question, costs)
        grid[0, 0].set_ylabel("mean opinion score", color=INK)
        legend_below(drawing, [handle(label, look[label]) for label in costs])
    return drawing


def _method(axes: Axes, cost: Cost, score: Interval, mark: MarkerStyle) -> None:
    alone, total = max(cost.editing, LEAST), max(cost.total, LEAST)
    if not is_number(score.mid):
        return
    axes.plot([total, total], [score.low, score.high], color=mark.colour, linewidth=1.6, zorder=2)
    if total > alone * 1.02:
        axes.plot(
            [alone, total], [score.mid] * 2, color=mark.colour, linewidth=1.2, linestyle=":",
            zorder=2,
        )  # fmt: skip
        axes.plot(alone, score.mid, "|", color=mark.colour, markersize=8, markeredgewidth=1.6)
    dot(axes, total, score.mid, mark, 7.5, inside="white", edges=(0.6, 1.3))


def _set_axes(axes: Axes, question: str, costs: Mapping[str, Cost]) -> None:
    ends = [max(end, LEAST) for cost in costs.values() for end in (cost.editing, cost.total)]
    low, high = min(ends), max(ends)
    room = max((high / low) ** 0.15, 1.5)
    axes.set_xscale("log")
    axes.set_xlim(low / room, high * room)
    axes.xaxis.set_major_locator(mpl.ticker.FixedLocator(_ticks(low / room, high * room)))
    axes.xaxis.set_major_formatter(mpl.ticker.FormatStrFormatter("%g"))
    axes.xaxis.set_minor_locator(mpl.ticker.NullLocator())
    axes.margins(y=0.15)
    axes.set_title(titled(question))
    axes.set_xlabel("seconds an edit", color=INK)
    clean(axes, "both")


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers between the ends: 1, 2, 5 of each power of ten, or 1 alone if many."""
    powers = [10.0**k for k in range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))))]
    fine = [step * power for power in powers for step in (1, 2, 5) if low <= step * power <= high]
    return fine if len(fine) <= 5 else [p for p in [*powers, 10 * powers[-1]] if low <= p <= high]


@subject("cost-and-votes", "metrics and raters", after="composites")
def cost_part(joint: Joint) -> ReportPart | None:
    """Return seconds an edit beside mean votes; None if no clip tells its seconds."""
    costs = {label: cost_of(joint.run, label) for label in joint.systems}
    known = {label: cost for label, cost in costs.items() if cost.clips}
    if not known:
        return None
    votes = {question: _votes(joint, question) for question in joint.people.questions}
    return ReportPart(
        id="cost-and-votes",
        title="Cost beside quality",
        found=(_sentence(known, _ranked(joint, votes)),),
        drawings=(_drawing(joint, known, votes),),
        tables=(_table(joint, costs, votes),),
        frames=(("cost_and_votes", _frame(costs, votes)),),
        done=(DONE,),
    )


def cost_of(run: Run, label: str) -> Cost:
    """Return what the clips of a method took; all that were made here count, anchors too."""
    made = run.timed(label)
    if not made:
        return Cost(np.nan, np.nan, np.nan, np.nan, 0)
    spent = np.array([finetune_seconds(clip.facts) for clip in made])
    alone = np.array([clip.seconds for clip in made], np.float64) - spent
    low, middle, high = np.percentile(alone, (25, 50, 75))
    return Cost(float(middle), float(low), float(high), float(spent.sum() / len(made)), len(made))


def _votes(joint: Joint, question: str) -> dict[str, Interval]:
    """Return the mean opinion score of every method with its interval."""
    scores, names = joint.people.kept.scores[question], joint.people.kept.ratings.methods
    ends = np.stack([scores.low, scores.mos, scores.high], axis=1)
    return {label: Interval(*map(float, ends[names.index(label)])) for label in joint.systems}


def _ranked(joint: Joint, votes: dict[str, dict[str, Interval]]) -> dict[str, dict[str, Interval]]:
    """Return the scores of the methods that are ranked, on the edits that all of these have."""
    kept = joint.people.kept
    names = kept.ratings.methods
    return {
        question: {
            label: interval
            for label, interval in scores.items()
            if kept.standings[question].ranks[names.index(label)]
        }
        for question, scores in votes.items()
    }


def _sentence(costs: dict[str, Cost], votes: dict[str, dict[str, Interval]]) -> str:
    """Return the cheapest and dearest method, and which methods another beats on all counts."""
    order = sorted(costs, key=lambda label: (costs[label].total, label))
    each = [f"{label} {_seconds(costs[label].total)}" for label in order]
    text = f"Cost: Seconds per edit, its share of finetuning included: {listed(each)}."
    if len(order) == 1:
        return text
    pairs = [(a, b) for a in order if (b := _beaten_by(a, order, costs, votes))]
    if not pairs:
        return f"{text} No method is both slower than another and below it on every question."
    beaten = [f"{a} is slower than {b} and below it on every question" for a, b in pairs[:NAMED]]
    if rest := len(pairs) - NAMED:
        beaten += [f"so {'is' if rest == 1 else 'are'} {plural(rest, 'more method')}"] * (rest > 0)
    return f"{text} {'; '.join(beaten)}."


def _beaten_by(
    label: str, order: list[str], costs: dict[str, Cost], votes: dict[str, dict[str, Interval]]
) -> str | None:
    """Return a method that is clearly faster and has higher mean votes on every question."""
    for other in order:
        ours, theirs = (max(costs[name].total, LEAST) for name in (label, other))
        faster = theirs * LATE < ours
        if faster and all(_above(score, other, label) for score in votes.values()):
            return other
    return None


def _above(score: dict[str, Interval], one: str, other: str) -> bool:
    """Return whether one method is ranked above another."""
    both = one in score and other in score
    return both and score[one].mid > score[other].mid + ALIKE


def _drawing(
    joint: Joint, costs: dict[str, Cost], votes: dict[str, dict[str, Interval]]
) -> Drawing:
    return Drawing(
        "cost_and_votes",
        cost_figure(joint, costs, votes, {q: {*joint.people.kept.apart(q)} for q in votes}),
        f"Scatter of seconds an edit against mean votes on {listed(list(votes))}.",
        "Seconds per edit, on a logarithmic axis, against the mean opinion score with its interval "
        "over raters and source videos. A mark stands at all the seconds that an edit took, its "
        "share of finetuning included; where there is finetuning, a dotted line leads to it from a "
        "small tick, which is editing alone. Further left and further up is better. Hollow: an "
        "anchor, or the score on a method's own edits, where too few are common.",
    )


def _table(joint: Joint, costs: dict[str, Cost], votes: dict[str, dict[str, Interval]]) -> Table:
    apart = any(joint.people.kept.apart(question) for question in votes)
    each = [costs[label] for label in joint.systems]
    editing = "median without finetuning; below: interquartile range over clips"
    tuning = "all seconds of finetuning divided by the edits"
    return table_of(
        "cost_and_votes",
        "Cost and mean votes",
        "Wall time, each process on one core, without writing the clips; below it the quartiles "
        "over clips. Mean opinion scores with their intervals over raters and source videos. "
        "Clips that were made elsewhere and brought in have none."
        + (f" {APART}: on its own edits, too few being common." if apart else ""),
        joint.systems,
        [
            (Head("s / edit", hint=editing), [_editing_cell(cost) for cost in each]),
            (Head("finetuning s / edit", hint=tuning),
             [_seconds(c.finetuning) if c.clips and c.finetuning else NOTHING for c in each]),
            ("s / edit, all", [_seconds(cost.total) if cost.clips else NOTHING for cost in each]),
            *((f"MOS {q}", [_score(joint, q, label, votes) for label in joint.systems])
              for q in votes),
            (Head("clips", hint="that tell their seconds"), [cost.clips for cost in each]),
        ],
        anchors=[label for label in joint.systems if joint.run.methods[label].anchor],
    )  # fmt: skip


def _editing_cell(cost: Cost) -> TableCell:
    if not cost.clips:
        return TableCell(NOTHING)
    ends = ends_text(cost.low, cost.high, _digits(cost.editing))
    return TableCell(_seconds(cost.editing), ends)


def _score(
    joint: Joint, question: str, label: str, votes: dict[str, dict[str, Interval]]
) -> TableCell:
    score = votes[question][label]
    if not is_number(score.mid):
        return TableCell(NOTHING)
    mark = f" {APART}" if label in joint.people.kept.apart(question) else ""
    return TableCell(f"{number(score.mid, 2)}{mark}", ends_text(score.low, score.high))


def _seconds(value: float) -> str:
    return number(value, _digits(value))


def _digits(value: float) -> int:
    """Return decimals that say something of so many seconds."""
    return 2 if value < 10 else 1 if value < 100 else 0


def _frame(costs: dict[str, Cost], votes: dict[str, dict[str, Interval]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"method": label} | cost._asdict() | {"total": cost.total, "question": question}
            | {f"mos_{name}": end for name, end in score[label]._asdict().items()}
            for label, cost in costs.items()
            for question, score in votes.items()
        ]
    )  # fmt: skip
