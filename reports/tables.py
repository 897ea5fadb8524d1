"""The tables of a report: what stands in them. `reports.formats` writes them down.

Every cell is text, decided here once, so that the page, Markdown and LaTeX agree to the digit.
CSV files carry the unrounded numbers instead.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.stats.intervals import Interval
from reports.loading import AXES, FIELDS, STATUSES, MetricFacts, Run, is_number
from reports.summary import Gap, Score, Summary, clip_counts, gaps

AXIS_TITLES = {
    "alignment": "Alignment with the prompt",
    "fidelity": "Fidelity to the source",
    "quality": "Quality",
    "motion": "Amount of motion",
}
STATUS_HINTS = {
    "ok": "a clip, or a score, was made",
    "failed": "an error stopped it; the reasons are listed below",
    "n/a": "declared as without meaning here",
    "missing": "not made or not scored yet",
}
NOTHING = "\N{EN DASH}"


@dataclass(frozen=True)
class Cell:
    """Text of one cell, and what a reader can ask of it."""

    main: str
    small: str = ""  # below or behind the main text: the interval, or why there is none
    hint: str = ""  # shown on hover
    best: bool = False


@dataclass(frozen=True)
class Head:
    """A column's name; `arrow` says which way is good, for a metric."""

    text: str
    arrow: str = ""
    hint: str = ""
    code: bool = False  # an identifier, to be set in a fixed-width face


@dataclass(frozen=True)
class Row:
    """One line: a method and its cells. Anchors are greyed."""

    label: str
    cells: tuple[Cell, ...]
    anchor: bool = False


@dataclass(frozen=True)
class Table:
    """A table ready to be written in any format. `name` is its file name and its anchor."""

    name: str
    title: str
    caption: str
    head: tuple[Head, ...]
    rows: tuple[Row, ...]


def all_tables(summary: Summary) -> list[Table]:
    """Return every table of the report, in the order in which it shows them."""
    axes = [axis_table(summary, axis) for axis in AXES if summary.run.on_axis(axis)]
    headlines = [summary.headline(axis) for axis in ("alignment", "fidelity", "quality")]
    categories = [category_table(summary, metric) for metric in headlines if metric]
    return [*axes, *categories, counts_table(summary.run)]


def axis_table(summary: Summary, axis: str) -> Table:
    """Return methods x metrics of one axis, with intervals and the counts of what has no value."""
    run = summary.run
    metrics = [facts.name for facts in run.on_axis(axis)]
    digits = {name: decimals(summary.column(name)) for name in metrics}
    best = {name: summary.best(name) for name in metrics}
    rows = []
    for label, method in run.methods.items():
        scores = [summary.scores[label, name] for name in metrics]
        cells = [
            score_cell(score, digits[name], summary.expected(name), label in best[name])
            for name, score in zip(metrics, scores, strict=True)
        ]
        rows.append(Row(label, (*cells, *_count_cells(scores)), method.anchor))
    heads = (*(metric_head(run.metrics[name]) for name in metrics), *_count_heads())
    return Table(axis, AXIS_TITLES[axis], caption(summary), heads, tuple(rows))


def category_table(summary: Summary, metric: str) -> Table:
    """Return methods x edit categories of one metric, with intervals and counts."""
    run = summary.run
    sizes = run.categories
    everyone = [summary.categories[m, metric, c] for m in run.methods for c in sizes]
    digits = decimals(everyone)
    rows = []
    for label, method in run.methods.items():
        scores = [summary.categories[label, metric, name] for name in sizes]
        cells = [
            score_cell(score, digits, size, best=False)
            for score, size in zip(scores, sizes.values(), strict=True)
        ]
        rows.append(Row(label, (*cells, *_count_cells(scores)), method.anchor))
    heads = (*(Head(name, hint=f"{n} edits") for name, n in sizes.items()), *_count_heads())
    title = f"{metric} {run.metrics[metric].arrow} by edit category"
    return Table(f"category_{metric}", title, caption(summary), heads, tuple(rows))


def counts_table(run: Run) -> Table:
    """Return how many clips each method made, failed at and declined, and what they cost."""
    rows = [
        Row(label, tuple(Cell(text) for text in _count_texts(run, label)), method.anchor)
        for label, method in run.methods.items()
    ]
    heads = (
        Head("clips", hint="edits x seeds"),
        *(Head(name, hint=STATUS_HINTS[name]) for name in STATUSES),
        Head("median s", hint="median wall time of the method for one clip, in seconds"),
        Head("peak MB", hint="highest resident memory of the process, in megabytes"),
    )
    text = "Clips of each method. A failure is recorded and left out of the means, never hidden."
    return Table("counts", "Clips, failures and cost", text, heads, tuple(rows))


def _count_texts(run: Run, label: str) -> list[str]:
    """Return the numbers of one method in `counts_table`."""
    counts = clip_counts(run, label)
    made = [clip for cell, clip in run.clips.items() if cell[0] == label]
    seconds = [clip.seconds for clip in made if clip.seconds is not None]
    memory = [clip.peak_memory_mb for clip in made if clip.peak_memory_mb is not None]
    return [
        str(sum(counts.values())),
        *(str(counts[name]) for name in STATUSES),
        number(float(np.median(seconds)), 2) if seconds else NOTHING,
        number(max(memory), 0) if memory else NOTHING,
    ]


def metric_head(facts: MetricFacts) -> Head:
    """Return the column head of a metric."""
    return Head(facts.name, facts.arrow, facts.definition, code=True)


def score_cell(score: Score, digits: int, expected: int, best: bool) -> Cell:
    """Return the cell of a mean: its interval below, `n` too where some edits have no value.

    expected: edits that would be in the mean if none were missing.
    """
    without = [name for name in STATUSES[1:] if score.clips[name]]
    hint = f"{score.edits} of {expected} edits, {score.videos} videos" + "".join(
        f"; {score.clips[name]} {name}" for name in without
    )
    if not score.edits:
        return Cell(NOTHING, " / ".join(without) or "no edits", hint)
    partial = f" n={score.edits}" if score.edits < expected else ""
    small = interval_text(score.interval, digits) + partial
    return Cell(number(score.interval.mid, digits), small, hint, best)


def interval_text(interval: Interval, digits: int) -> str:
    """Return "[low, high]", or why there is no interval."""
    if not is_number(interval.low):
        return "[one video]"
    return f"[{number(interval.low, digits)}, {number(interval.high, digits)}]"


def decimals(scores: list[Score]) -> int:
    """Return the decimals at which a column is honest: two digits of its typical half interval.

    Without intervals: three digits of its largest value. Between 0 and 5.
    """
    ends = np.array([(score.interval.low, score.interval.high) for score in scores])
    half = (ends[:, 1] - ends[:, 0]) / 2
    half = half[np.isfinite(half) & (half > 0)]
    if half.size:
        return _places(float(np.median(half)), 2)
    sizes = [abs(score.interval.mid) for score in scores if is_number(score.interval.mid)]
    return _places(max(sizes, default=0.0), 3)


def _places(size: float, digits: int) -> int:
    """Return the decimals that show `digits` significant digits of a number of this size."""
    if size == 0:
        return digits
    return int(np.clip(digits - 1 - math.floor(math.log10(size)), 0, 5))


def number(value: float, digits: int) -> str:
    """Return the number with fixed decimals and a real minus sign; a rounded zero has none."""
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


def caption(summary: Summary) -> str:
    """Return the sentence that stands below every table of means."""
    return (
        f"Mean over edits with its {100 * summary.resampling.level:g}% interval (bootstrap over "
        f"source videos, {summary.resampling.resamples} resamples). Grey: anchors."
    )


def _count_heads() -> tuple[Head, ...]:
    first = Head("scores", hint="scores of this table with a value: clips x metrics")
    return (first, *(Head(name, hint=STATUS_HINTS[name]) for name in STATUSES[1:]))


def _count_cells(scores: list[Score]) -> list[Cell]:
    totals = {name: sum(score.clips[name] for score in scores) for name in STATUSES}
    return [Cell(str(total)) for total in totals.values()]


def scores_frame(summary: Summary) -> pd.DataFrame:
    """Return one row per method and metric with unrounded numbers, for CSV."""
    return pd.DataFrame(
        [
            {
                "method": label,
                "anchor": summary.run.methods[label].anchor,
                "metric": metric,
                "axis": summary.run.metrics[metric].axis,
                "better": summary.run.metrics[metric].better,
                **_flat(score),
                "delta_low": summary.deltas[label, metric].interval.low,
                "delta": summary.deltas[label, metric].interval.mid,
                "delta_high": summary.deltas[label, metric].interval.high,
            }
            for (label, metric), score in summary.scores.items()
        ]
    )


def categories_frame(summary: Summary) -> pd.DataFrame:
    """Return one row per method, metric and category with unrounded numbers, for CSV."""
    names = ("method", "metric", "category")
    rows = summary.categories.items()
    return pd.DataFrame([dict(zip(names, key, strict=True)) | _flat(score) for key, score in rows])


def _flat(score: Score) -> dict[str, float | int]:
    return {
        "value": score.interval.mid,
        "low": score.interval.low,
        "high": score.interval.high,
        "edits": score.edits,
        "videos": score.videos,
        **score.clips,
    }


def items_frame(run: Run) -> pd.DataFrame:
    """Return one row per score that there should be, with the reason where there is none."""
    return run.scores[["method", "edit", "video", "category", "seed", "metric", *FIELDS]]


def gaps_frame(run: Run) -> pd.DataFrame:
    """Return `summary.gaps` as a table, for CSV."""
    frame = pd.DataFrame(gaps(run), columns=list(Gap._fields))
    lists = {name: [" ".join(names) for names in frame[name]] for name in ("methods", "metrics")}
    return frame.assign(**lists)
