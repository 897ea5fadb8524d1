"""Where edits are broken: what raters marked, when, of which kind, and how far they agree."""

from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from dreamix.core.wording import listed, plural
from evaluation.stats.agreement import (
    TIME,
    TIME_AND_PLACE,
    MarkAgreement,
    Viewings,
    mark_agreement,
    timeline,
)
from evaluation.stats.ratings import MethodScores, Votes, method_scores
from reports.figures.style import COLOURS, INK, SETTINGS, clean, figure, label_panels, legend_below
from reports.parts import Drawing, ReportPart
from reports.people.export import StudyExport
from reports.people.outcome import People
from reports.people.pairs import Pairs
from reports.subjects import subject
from reports.summary import IntervalSettings
from reports.tables import (
    Head,
    Table,
    TableCell,
    ends_text,
    is_number,
    number,
    plain_cell,
    table_of,
)

KINDS = {  # what tables and figures call what raters could choose from
    "flicker": "flicker",
    "identity": "another person or thing",
    "left_over": "left over from the source",
    "leaked": "changed elsewhere",
    "distorted": "distorted shapes",
    "motion": "unnatural motion",
    "text": "garbled writing",
}
WHOLE = ((0.0, 1.0), (0.0, 1.0))  # place of a mark without a box
COLUMNS = 3
BINS = 60
LEAST = 0.05  # share at which the axis ends at the least
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


class MarkedDefects(NamedTuple):
    """What raters marked, those left out who are excluded."""

    methods: list[str]  # in the study's order, those that were watched
    kinds: list[str]  # that the study offered
    seen: pd.DataFrame  # a row a viewing: rater, video, edit, method
    marks: pd.DataFrame  # a row a mark, with the place of its viewing in `seen`
    boxes: list[np.ndarray]  # of each viewing, see `Viewings`
    shares: MethodScores  # of viewings with a mark, by method; sources alike
    in_time: MarkAgreement
    in_place: MarkAgreement


def defects_of(export: StudyExport, how: IntervalSettings) -> MarkedDefects | None:
    """Return what raters marked; None if the study did not ask, or nobody watched anything."""
    asked = export.study.get("defects") or {}
    if export.marks is None or not (asked.get("ask") or len(export.marks)):
        return None
    seen = _seen(export)
    if not len(seen):
        return None
    methods = [name for name in export.methods if name in set(seen["method"])]
    marks = _placed(export.marks, seen)
    boxes = _of_viewings(marks, np.arange(len(seen)))
    votes = _votes(seen, methods, np.array([len(one) > 0 for one in boxes], float))
    viewings = Viewings(votes.rater, votes.source, votes.item, boxes)
    agreed = (
        mark_agreement(viewings, dimensions, how.resampling("people", "marks", dimensions))
        for dimensions in (TIME, TIME_AND_PLACE)
    )
    offered = [str(kind) for kind in asked.get("kinds", KINDS) if kind in KINDS]
    kinds = [*dict.fromkeys([*offered, *(k for k in KINDS if k in set(marks["defect"]))])]
    shares = method_scores(votes, confidence=how.confidence)
    return MarkedDefects(methods, kinds, seen, marks, boxes, shares, *agreed)


def of_method(defects: MarkedDefects, method: str) -> np.ndarray:
    """Return the places of a method's viewings."""
    return np.flatnonzero((defects.seen["method"] == method).to_numpy())


def boxes_of_kind(defects: MarkedDefects, places: np.ndarray, kind: str) -> list[np.ndarray]:
    """Return the boxes of one kind in each of some viewings."""
    return _of_viewings(defects.marks[defects.marks["defect"] == kind], places)


def _seen(export: StudyExport) -> pd.DataFrame:
    """Return every clip that somebody rated for its own sake, with the trial and the side."""
    wide = export.wide[(export.wide["kind"] == "rating") & ~export.wide["excluded"]]
    if "state" in wide:
        wide = wide[wide["state"] == "rated"]
    sides = {"left": "method_left", "right": "method_right"}
    if export.design == "absolute":
        sides = {"edit": "method"}
    parts = [
        wide[["rater", "video", "edit", "trial"]].assign(clip=side, method=wide[column])
        for side, column in sides.items()
    ]
    return pd.concat(parts, ignore_index=True)


def _placed(marks: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    """Return the marks of these viewings, each with the place of its viewing."""
    keys = seen[["trial", "clip"]].assign(viewing=np.arange(len(seen)))
    return marks.merge(keys, on=["trial", "clip"], how="inner")


def _of_viewings(marks: pd.DataFrame, places: np.ndarray) -> list[np.ndarray]:
    """Return the boxes of each of some viewings."""
    found = {place: _boxes(group) for place, group in marks.groupby("viewing")}
    nothing = np.empty((0, 3, 2))
    return [found.get(place, nothing) for place in places.tolist()]


def _boxes(marks: pd.DataFrame) -> np.ndarray:
    """Return the boxes of marks in shares of the clip, float (marks, 3, 2)."""
    length = marks["clip_s"].to_numpy(float)
    time = np.stack([marks["start_s"] / length, marks["end_s"] / length], axis=-1)
    place = [
        np.where(
            marks[[near]].isna().to_numpy(),
            whole,
            np.stack([marks[near], marks[near] + marks[size]], axis=-1),
        )
        for near, size, whole in (("x", "width", WHOLE[0]), ("y", "height", WHOLE[1]))
    ]
    return np.clip(np.stack([time, *place], axis=1), 0, 1)


def _votes(seen: pd.DataFrame, methods: list[str], value: np.ndarray) -> Votes:
    codes = {name: pd.factorize(seen[name], sort=True) for name in ("rater", "video", "edit")}
    method = np.array([methods.index(name) for name in seen["method"]])
    (rater, raters), (source, sources), (edit, edits) = codes.values()
    many = len(raters), len(sources), len(edits), len(methods)
    return Votes(rater, source, edit, method, value, *many)


def timelines_figure(defects: MarkedDefects) -> Figure:
    """Return the share of viewings that mark each moment, by method, stacked by kind of fault."""
    columns = min(COLUMNS, len(defects.methods))
    rows = -(-len(defects.methods) // columns)
    with mpl.rc_context(SETTINGS):
        drawing = figure(0.6 + 2.6 * max(columns, 2), 0.9 + 1.7 * rows)
        grid = drawing.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        highest = max(
            _panel(a, defects, m) for a, m in zip(grid.flat, defects.methods, strict=False)
        )
        grid[0, 0].set_ylim(0, max(LEAST, 1.08 * highest))
        grid[0, 0].set_xlim(0, 100)
        label_panels(grid, len(defects.methods), "percent of the clip", "share of viewings")
        legend_below(drawing, _keys(defects))
    return drawing


def _panel(axes: mpl.axes.Axes, defects: MarkedDefects, method: str) -> float:
    """Draw one method; return the height that is needed."""
    places = of_method(defects, method)
    at = 100 * (np.arange(BINS) + 0.5) / BINS
    below = np.zeros(BINS)
    for place, kind in enumerate(defects.kinds):
        share = timeline(boxes_of_kind(defects, places, kind), BINS)
        axes.fill_between(
            at, below, below + share, color=_colour(place), linewidth=0, alpha=0.85, step="mid"
        )
        below = below + share
    anything = timeline([defects.boxes[place] for place in places], BINS)
    axes.step(at, anything, where="mid", color=INK, linewidth=1.2)
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
    axes.set_title(f"{method} (n={len(places)})", fontsize=9.5 if len(method) < 20 else 7.5)
    clean(axes, "y")
    return float(max(below.max(), anything.max()))


def _colour(place: int) -> str:
    return COLOURS[place % len(COLOURS)]


def _keys(defects: MarkedDefects) -> list[Patch | mpl.lines.Line2D]:
    keys = [Patch(color=_colour(n), label=KINDS[kind]) for n, kind in enumerate(defects.kinds)]
    return [*keys, mpl.lines.Line2D([], [], color=INK, linewidth=1.2, label="any fault")]


@subject("defects", "raters", "pairs", after="vote-categories")
def defects_part(study: People | Pairs) -> ReportPart | None:
    """Return timelines, a table and how far raters agree; None if the study did not ask."""
    defects = defects_of(study.export, study.how)
    if defects is None:
        return None
    return ReportPart(
        id="defects",
        title="Where edits are broken",
        found=(f"Faults: {_marked(defects)} {_agreed(defects)}",),
        notes=(NOTE,),
        drawings=(_drawing(defects),) if len(defects.marks) else (),
        tables=(_table(defects, study.how.confidence),),
        frames=(("defects", _frame(defects)),),
        done=(DONE.format(kinds=plural(len(defects.kinds), "way")),),
    )


def _marked(defects: MarkedDefects) -> str:
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


def _percent(defects: MarkedDefects, place: int) -> str:
    share, low, high = (float(one[place]) for one in _ends(defects))
    ends = f" [{100 * low:.0f}, {100 * high:.0f}]" if is_number(low) else ""
    return f"{100 * share:.0f}%{ends}"


def _ends(defects: MarkedDefects) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return shares of viewings with a mark and their intervals, which end where shares do."""
    scores = defects.shares
    return scores.mos, np.clip(scores.low, 0, 1), np.clip(scores.high, 0, 1)


def _agreed(defects: MarkedDefects) -> str:
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


def _drawing(defects: MarkedDefects) -> Drawing:
    return Drawing(
        "defects",
        timelines_figure(defects),
        f"Timelines of the faults that raters marked in clips of {listed(defects.methods)}.",
        "Share of viewings in which a rater marked each moment of the clip as broken, stacked by "
        "kind of fault; line: any fault. Where a rater marked two kinds at one moment, the stack "
        "is higher than the line. n: viewings.",
    )


def _table(defects: MarkedDefects, level: float) -> Table:
    seen = [of_method(defects, method) for method in defects.methods]
    marks = [defects.marks[defects.marks["viewing"].isin(places)] for places in seen]
    ends = list(zip(*_ends(defects), strict=True))
    severity = "mean over marks, 1 hardly noticeable to 3 disturbing"
    return table_of(
        "defects",
        "Faults that raters marked",
        f"Share of viewings in which a rater marked a fault, with its {100 * level:g}% interval, "
        "the mean severity of the marks, and the share of viewings with a mark of each kind, every "
        "viewing alike.",
        defects.methods,
        [
            ("viewings", [len(places) for places in seen]),
            (Head("marked", hint="share of viewings with at least one mark, sources alike"), [
                TableCell(f"{100 * share:.0f}%", ends_text(100 * low, 100 * high, 0))
                for share, low, high in ends
            ]),
            (Head("severity", hint=severity),
             [plain_cell(one["severity"].mean(), 1) for one in marks]),
            *((Head(KINDS[kind], hint="share of viewings with such a mark"), [
                f"{100 * one.loc[one['defect'] == kind, 'viewing'].nunique() / len(places):.0f}%"
                for one, places in zip(marks, seen, strict=True)
            ]) for kind in defects.kinds),
        ],
    )  # fmt: skip


def _frame(defects: MarkedDefects) -> pd.DataFrame:
    """Return a row for every viewing, and for every mark that it has."""
    seen = defects.seen[["rater", "video", "edit", "method", "clip"]]
    names = ["start_s", "end_s", "clip_s", "x", "y", "width", "height", "defect", "severity"]
    marks = defects.marks[["viewing", *names]].set_index("viewing")
    return seen.join(marks, how="left").reset_index(drop=True)
