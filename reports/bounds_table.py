"""What the gaps of a method could hide: its mean and rank at the worst and at the best."""

from reports.gapped import Bounds
from reports.loading import AXES, Run
from reports.summary import Summary
from reports.tables import AXIS_TITLES, NOTHING, Cell, Row, Table, decimals, metric_head, number


def bounds_tables(summary: Summary) -> list[Table]:
    """Return a table for every axis on which some competing method has a gap."""
    tables = [_bounds_table(summary, axis) for axis in AXES if summary.run.on_axis(axis)]
    return [table for table in tables if table.rows]


def _bounds_table(summary: Summary, axis: str) -> Table:
    run = summary.run
    names = [facts.name for facts in run.on_axis(axis)]
    gapped = {label for label in run.ranked for name in names if _gaps(summary, label, name)}
    rows = tuple(
        Row(label, tuple(_cell(summary, label, name) for name in names))
        for label in run.ranked
        if label in gapped
    )
    return Table(
        f"bounds_{axis}",
        f"{AXIS_TITLES[axis]}: what gaps could hide",
        _caption(run, {name: summary.gapped[name].bounds for name in names}),
        tuple(metric_head(run.metrics[name]) for name in names),
        rows,
    )


def _gaps(summary: Summary, label: str, metric: str) -> int:
    return int(summary.standings[metric].gaps[summary.run.ranked.index(label)])


def _cell(summary: Summary, label: str, metric: str) -> Cell:
    """Return a method's mean over what there is, and below it what it could be."""
    count = _gaps(summary, label, metric)
    if not count:
        return Cell(NOTHING, "no gap")
    own, digits = summary.scores[label, metric], decimals(summary.column(metric))
    main = number(own.interval.mid, digits) if own.edits else NOTHING
    low, high = mean_bounds(summary, label, metric)
    names = ("worst", "best") if summary.run.metrics[metric].sign else ("lowest", "highest")
    ends = f"{names[0]} {number(low, digits)}, {names[1]} {number(high, digits)}"
    edits = "edit" if count == 1 else "edits"
    return Cell(main, f"{ends}{_ranks(summary, label, metric)}; gaps on {count} {edits}")


def mean_bounds(summary: Summary, label: str, metric: str) -> tuple[float, float]:
    """Return a competing method's mean at the worst and at the best; lowest first if neither is."""
    found, sign = summary.standings[metric], summary.run.metrics[metric].sign or 1
    at = summary.run.ranked.index(label)
    return sign * float(found.worst[at]), sign * float(found.best[at])


def rank_bounds(summary: Summary, label: str, metric: str) -> tuple[int, int] | None:
    """Return the best and the worst rank that a method's gaps allow; None without a direction."""
    if not summary.run.metrics[metric].sign:
        return None
    found, at = summary.standings[metric], summary.run.ranked.index(label)
    return int(found.first[at]), int(found.last[at])


def _ranks(summary: Summary, label: str, metric: str) -> str:
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
