"""The tables of a run: means by axis and category, what gaps could hide, counts and cost."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dreamix.core.wording import plural
from evaluation.run.info import MetricInfo
from reports.ground import Bounds
from reports.loading import AXES, STATUSES, Run
from reports.metrics.cost import cost_table
from reports.summary import RunSummary, Score, clip_counts
from reports.tables import (
    APART,
    NOTHING,
    Head,
    Table,
    TableCell,
    interval_text,
    is_number,
    number,
    table_of,
)

AXIS_TITLES = {
    "alignment": "Alignment with the prompt",
    "fidelity": "Fidelity to the source",
    "quality": "Quality",
    "motion": "Amount of motion",
    "other": "Metrics without an axis",
}
STATUS_HINTS = {
    "ok": "a clip, or a score, was made",
    "failed": "an error stopped it; the reasons are listed below",
    "n/a": "declared as without meaning here",
    "missing": "not made or not scored yet",
}
PARTIAL = "clips that cover too little of their source: never best, bounded like failures"


def all_tables(summary: RunSummary) -> list[Table]:
    """Return every table of the report but those of gaps, in the order in which it shows them."""
    axes = [axis_table(summary, axis) for axis in AXES if summary.run.on_axis(axis)]
    headlines = [summary.headline(axis) for axis in ("alignment", "fidelity", "quality")]
    categories = [category_table(summary, metric) for metric in headlines if metric]
    return [*axes, *categories, counts_table(summary.run), cost_table(summary.run)]


def axis_table(summary: RunSummary, axis: str) -> Table:
    """Return methods x metrics of one axis, with intervals and the counts of what has no value."""
    run = summary.run
    metrics = [facts.name for facts in run.on_axis(axis)]
    scores = {label: [summary.scores[label, name] for name in metrics] for label in run.methods}
    return table_of(
        axis,
        AXIS_TITLES[axis],
        " ".join(
            [caption(summary), *ground_caption(summary, metrics), *elsewhere(run, metrics)]
        ),
        [*run.methods],
        [
            *((metric_head(run.metrics[name]), [compared_cell(summary, m, name) for m in scores])
              for name in metrics),
            *_count_columns(run, scores, metrics),
        ],
        anchors=run.anchors,
    )  # fmt: skip


def compared_cell(summary: RunSummary, label: str, metric: str) -> TableCell:
    """Return a method's mean on the edits on which it is compared; below it that on its own."""
    digits, expected = decimals(summary.column(metric)), summary.expected(metric)
    best = label in summary.best(metric)
    cell = score_cell(summary.common[label, metric], digits, expected, best)
    mark = APART if summary.run.metrics[metric].sign and label in summary.apart(metric) else ""
    text, own = cell.small, summary.scores[label, metric]
    if summary.more(label, metric):
        few = not summary.common[label, metric].edits
        ends = interval_text(summary.compared(label, metric), digits)
        text = "none in common" if few else ends
        text += f"; own {number(own.interval.mid, digits)} n={own.edits}"
    if partial := summary.run.partial_scores[label, metric]:
        text += f"; {partial} partial"
    return replace(cell, small=text, mark=mark)


def elsewhere(run: Run, metrics: Sequence[str]) -> list[str]:
    """Return which of the metrics the toolkit did not compute, and what did."""
    found: dict[str, list[str]] = {}
    for name in metrics:
        if source := run.metrics[name].elsewhere:
            found.setdefault(source, []).append(name)
    told = [f"{', '.join(names)} ({source})" for source, names in found.items()]
    return [f"Computed elsewhere: {', '.join(told)}."] if told else []


def ground_caption(summary: RunSummary, metrics: list[str]) -> list[str]:
    """Return what has to be said of the edits of these metrics where methods have not the same."""
    uneven = [name for name in metrics if summary.uneven(name) and summary.ranking(name)]
    counts = [f"{name} {int(summary.standings[name].ground.edits.sum())}" for name in uneven
              if not summary.alone(name)]  # fmt: skip
    said = []
    if counts:
        said.append(
            "Methods have values on different edits, so a value is the mean on those that all "
            f"ranked methods have ({', '.join(counts)}), by which they are ranked; own: the mean "
            "on all edits of the method."
        )
    if any(summary.apart(name) and summary.ranking(name) for name in metrics):
        said.append(f"{APART} not ranked, for too few whole clips in common: its own mean.")
    if circle := [n for n in metrics if summary.apart(n) and not summary.ranking(n)
                  and summary.run.metrics[n].sign]:  # fmt: skip
        said.append(
            f"Methods have too few whole clips in common to be ranked on {', '.join(circle)}: each "
            f"has its own mean ({APART})."
        )
    return said


def category_table(summary: RunSummary, metric: str) -> Table:
    """Return methods x edit categories of one metric, with intervals and counts."""
    run, sizes, apart = summary.run, summary.run.categories, summary.apart(metric)
    scores = {
        label: [summary.common_categories[label, metric, name] for name in sizes]
        for label in run.methods
    }
    digits = decimals([score for row in scores.values() for score in row])
    columns = []
    for place, (name, size) in enumerate(sizes.items()):
        cells = [
            replace(score_cell(row[place], digits, size, best=False), mark=APART * (m in apart))
            for m, row in scores.items()
        ]
        columns.append((Head(name, hint=plural(size, "edit")), cells))
    return table_of(
        f"category_{metric}",
        f"{metric} {run.metrics[metric].arrow} by edit category",
        " ".join([caption(summary), *ground_caption(summary, [metric])]),
        [*run.methods],
        [*columns, *_count_columns(run, scores, [metric])],
        anchors=run.anchors,
    )


def counts_table(run: Run) -> Table:
    """Return how many clips each method made, failed at and declined."""
    counts = [clip_counts(run, label) for label in run.methods]
    first, *rest = ((Head(s, hint=STATUS_HINTS[s]), [one[s] for one in counts]) for s in STATUSES)
    text = "The clips of each method. Failures are recorded and left out of the means, not hidden."
    if run.partial_clips:
        partial = [sum(cell[0] == label for cell in run.partial_clips) for label in run.methods]
        rest.insert(0, (Head("of them partial", hint=PARTIAL), partial))
        text += (
            f" Partial: a clip that covers less than {100 * run.least_share:g}% of its source; it "
            "counts as a failure where methods are compared."
        )
    every = (Head("clips", hint="edits x seeds"), [sum(one.values()) for one in counts])
    columns = [every, first, *rest]
    labels, title = [*run.methods], "Clips and failures"
    return table_of("counts", title, text, labels, columns, anchors=run.anchors)


def metric_head(facts: MetricInfo) -> Head:
    """Return the column head of a metric."""
    return Head(facts.name, facts.arrow, facts.definition, code=True)


def score_cell(score: Score, digits: int, expected: int, best: bool) -> TableCell:
    """Return the cell of a mean: its interval below, `n` too where some edits have no value.

    expected: edits that would be in the mean if none were missing.
    """
    without = [name for name in STATUSES[1:] if score.clips[name]]
    hint = (
        f"{score.edits} of {plural(expected, 'edit')}, {plural(score.videos, 'video')}"
        + "".join(f"; {score.clips[name]} {name}" for name in without)
    )
    if not score.edits:
        return TableCell(NOTHING, " / ".join(without) or "no edits", hint)
    partial = f" n={score.edits}" if score.edits < expected else ""
    small = interval_text(score.interval, digits) + partial
    return TableCell(number(score.interval.mid, digits), small, hint, best)


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


def caption(summary: RunSummary) -> str:
    """Return the sentence that stands below every table of means."""
    return (
        f"Mean over edits with its {100 * summary.resampling.confidence:g}% interval (bootstrap "
        f"over source videos, {summary.resampling.resamples} resamples). Grey: anchors."
    )


def _count_columns(
    run: Run, scores: dict[str, list[Score]], metrics: list[str]
) -> list[tuple[Head, list[int]]]:
    """Return how many scores there are of each status, by method."""
    hints = STATUS_HINTS | {"ok": "scores of this table with a value: clips x metrics"}
    first, *rest = (
        (Head("scores" if name == "ok" else name, hint=hints[name]),
         [sum(score.clips[name] for score in row) for row in scores.values()])
        for name in STATUSES
    )  # fmt: skip
    if not run.partial_clips:
        return [first, *rest]
    partial = [sum(run.partial_scores[label, metric] for metric in metrics) for label in scores]
    return [first, (Head("partial", hint=PARTIAL), partial), *rest]


def bounds_tables(summary: RunSummary) -> list[Table]:
    """Return a table for every axis on which some competing method has a gap."""
    tables = [_bounds_table(summary, axis) for axis in AXES if summary.run.on_axis(axis)]
    return [table for table in tables if table.rows]


def _bounds_table(summary: RunSummary, axis: str) -> Table:
    run = summary.run
    names = [facts.name for facts in run.on_axis(axis)]
    gapped = [m for m in run.ranked if any(_gaps(summary, m, name) for name in names)]
    return table_of(
        f"bounds_{axis}",
        f"{AXIS_TITLES[axis]}: what gaps could hide",
        _caption(run, {name: summary.gapped[name].bounds for name in names}),
        gapped,
        [(metric_head(run.metrics[name]), [_cell(summary, m, name) for m in gapped])
         for name in names],
    )  # fmt: skip


def _gaps(summary: RunSummary, label: str, metric: str) -> int:
    return int(summary.standings[metric].gaps[summary.run.ranked.index(label)])


def _cell(summary: RunSummary, label: str, metric: str) -> TableCell:
    """Return a method's mean over what there is, and below it what it could be."""
    count = _gaps(summary, label, metric)
    if not count:
        return TableCell(NOTHING, "no gap")
    own, digits = summary.scores[label, metric], decimals(summary.column(metric))
    main = number(own.interval.mid, digits) if own.edits else NOTHING
    low, high = mean_bounds(summary, label, metric)
    names = ("worst", "best") if summary.run.metrics[metric].sign else ("lowest", "highest")
    ends = f"{names[0]} {number(low, digits)}, {names[1]} {number(high, digits)}"
    edits = "edit" if count == 1 else "edits"
    return TableCell(main, f"{ends}{_ranks(summary, label, metric)}; gaps on {count} {edits}")


def mean_bounds(summary: RunSummary, label: str, metric: str) -> tuple[float, float]:
    """Return a competing method's mean at the worst and at the best; lowest first if neither is."""
    found, sign = summary.standings[metric], summary.run.metrics[metric].sign or 1
    at = summary.run.ranked.index(label)
    return sign * float(found.worst[at]), sign * float(found.best[at])


def rank_bounds(summary: RunSummary, label: str, metric: str) -> tuple[int, int] | None:
    """Return the best and the worst rank that a method's gaps allow; None without a direction."""
    if not summary.run.metrics[metric].sign:
        return None
    found, at = summary.standings[metric], summary.run.ranked.index(label)
    return int(found.first[at]), int(found.last[at])


def _ranks(summary: RunSummary, label: str, metric: str) -> str:
    ends = rank_bounds(summary, label, metric)
    if ends is None:
        return ""
    return f"; rank {ends[0]}" if ends[0] == ends[1] else f"; rank {ends[0]} to {ends[1]}"


def _caption(run: Run, bounds: dict[str, Bounds]) -> str:
    ends = ", ".join(f"{name} {_end(b.low, b.low_declared)} and {_end(b.high, b.high_declared)}"
                     for name, b in bounds.items())  # fmt: skip
    return (
        "The mean over the values there are; below it the mean if every gap (a clip that failed, "
        "was refused, is missing or partial) had the worst or the best value, and the rank the "
        f"method would then have, the others being as they are. Gaps are set to {ends} (*: not "
        "declared by the metric; the most extreme value of any method in this run). A method whose "
        "first place depends on its gaps is not called best."
    )


def _end(value: float, declared: bool) -> str:
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}") + ("" if declared else "*")
