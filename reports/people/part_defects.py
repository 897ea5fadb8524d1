"""Where edits are broken: what raters marked, when, of which kind, and how far they agree."""

from typing import Protocol

import numpy as np
import pandas as pd

from evaluation.stats.agreement import MarkAgreement
from reports.loading import is_number
from reports.parts import Drawing, Part
from reports.people.cells import ends_text
from reports.people.defects import KINDS, Defects, defects_of, of_method
from reports.people.export import Exported
from reports.people.plots_defects import timelines_figure
from reports.subjects import subject
from reports.summary import IntervalSettings
from reports.tables import NOTHING, Cell, Head, Row, Table, number
from reports.wording import listed, plural

MOST_NAMED = 3
NOTE = (
    "Marking was optional: a viewing without a mark does not say that nothing was wrong. Shares "
    "are of all that raters saw of a method, which need not be the same edits."
)
DONE = (
    "Raters could mark when, in which place and in which of {kinds} an edit is broken, with a "
    "severity from 1 to 3. Shares of viewings with a mark count sources alike and are clustered by "
    "rater and source video [@cameron2011]. Agreement is the intersection over union of the marks "
    "of two raters on one clip, over pairs of whom at least one marked something, clips alike and "
    "resampled by source video."
)


class Rated(Protocol):
    """A study of either design in numbers."""

    @property
    def export(self) -> Exported:
        """What was exported."""

    @property
    def how(self) -> IntervalSettings:
        """How intervals are made."""


@subject("defects", "raters", "pairs", after="vote-categories")
def defects_part(study: Rated) -> Part | None:
    """Return timelines, a table and how far raters agree; None if the study did not ask."""
    defects = defects_of(study.export, study.how)
    if defects is None:
        return None
    return Part(
        id="defects",
        title="Where edits are broken",
        found=(f"Faults: {_marked(defects)} {_agreed(defects)}",),
        notes=(NOTE,),
        drawings=(_drawing(defects),) if len(defects.marks) else (),
        tables=(_table(defects, study.how.confidence),),
        frames=(("defects", _frame(defects)),),
        done=(DONE.format(kinds=plural(len(defects.kinds), "way")),),
    )


def _marked(defects: Defects) -> str:
    """Return how often raters marked a fault of each method, in the study's order."""
    if not len(defects.marks):
        return f"nobody marked one in {plural(len(defects.seen), 'viewing')}."
    named = [
        f"{method} in {_percent(defects, place)}" for place, method in enumerate(defects.methods)
    ]
    kinds = defects.marks["defect"].value_counts()
    most = listed([KINDS[str(kind)] for kind in kinds[kinds == kinds.max()].index.sort_values()])
    text = f"raters marked one of {listed(named)} of viewings"
    if len(named) > MOST_NAMED:
        marked = plural(sum(len(one) > 0 for one in defects.boxes), "viewing")
        text = f"raters marked one in {marked} of {len(named)} methods, see the table"
    return f"{text}; most often {most} ({kinds.max()} of {plural(len(defects.marks), 'mark')})."


def _percent(defects: Defects, place: int) -> str:
    share, low, high = (float(one[place]) for one in _ends(defects))
    ends = f" [{100 * low:.0f}, {100 * high:.0f}]" if is_number(low) else ""
    return f"{100 * share:.0f}%{ends}"


def _ends(defects: Defects) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return shares of viewings with a mark and their intervals, which end where shares do."""
    scores = defects.shares
    return scores.mos, np.clip(scores.low, 0, 1), np.clip(scores.high, 0, 1)


def _agreed(defects: Defects) -> str:
    time, place = defects.in_time, defects.in_place
    if not time.pairs:
        return "No two raters saw a clip of which one marked something: agreement cannot be told."
    return (
        f"Where one of two raters marked something, their marks overlap by {_overlap(time)} in "
        f"time and by {_overlap(place)} in time and place ({plural(time.pairs, 'pair')} on "
        f"{plural(time.clips, 'clip')}); marks of two different clips by {_chance(time)} and "
        f"{_chance(place)}."
    )


def _overlap(found: MarkAgreement) -> str:
    one = found.overlap
    return f"{number(one.mid, 2)} {ends_text(one.low, one.high)}"


def _chance(found: MarkAgreement) -> str:
    return number(found.chance, 2) if is_number(found.chance) else "an unknown amount"


def _drawing(defects: Defects) -> Drawing:
    return Drawing(
        "defects",
        timelines_figure(defects),
        f"Timelines of the faults that raters marked in clips of {listed(defects.methods)}.",
        "Share of viewings in which a rater marked each moment of the clip as broken, stacked by "
        "kind of fault; line: any fault. Where a rater marked two kinds at one moment, the stack "
        "is higher than the line. n: viewings.",
    )


def _table(defects: Defects, level: float) -> Table:
    heads = (
        Head("viewings"),
        Head("marked", hint="share of viewings with at least one mark, sources alike"),
        Head("severity", hint="mean over marks, 1 hardly noticeable to 3 disturbing"),
        *(Head(KINDS[kind], hint="share of viewings with such a mark") for kind in defects.kinds),
    )
    rows = [_row(defects, place, method) for place, method in enumerate(defects.methods)]
    return Table(
        "defects",
        "Faults that raters marked",
        f"Share of viewings in which a rater marked a fault, with its {100 * level:g}% interval, "
        "the mean severity of the marks, and the share of viewings with a mark of each kind, every "
        "viewing alike.",
        heads,
        tuple(rows),
    )


def _row(defects: Defects, place: int, method: str) -> Row:
    seen = of_method(defects, method)
    marks = defects.marks[defects.marks["viewing"].isin(seen)]
    share, low, high = (float(one[place]) for one in _ends(defects))
    mean = marks["severity"].mean()
    by_kind = [marks.loc[marks["defect"] == kind, "viewing"].nunique() for kind in defects.kinds]
    return Row(
        method,
        (
            Cell(str(len(seen))),
            Cell(f"{100 * share:.0f}%", ends_text(100 * low, 100 * high, 0)),
            Cell(number(mean, 1) if is_number(mean) else NOTHING),
            *(Cell(f"{100 * count / len(seen):.0f}%") for count in by_kind),
        ),
    )


def _frame(defects: Defects) -> pd.DataFrame:
    """Return a row for every viewing, and for every mark that it has."""
    seen = defects.seen[["rater", "video", "edit", "method", "clip"]]
    names = ["start_s", "end_s", "clip_s", "x", "y", "width", "height", "defect", "severity"]
    marks = defects.marks[["viewing", *names]].set_index("viewing")
    return seen.join(marks, how="left").reset_index(drop=True)
