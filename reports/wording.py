"""The summary in plain words: computed sentences, no praise, nothing beyond the intervals."""

from reports.loading import STATUSES, Run, is_number
from reports.plots import pareto_front
from reports.summary import Summary, clip_counts
from reports.tables import decimals, interval_text, number

ANCHORS_ONLY = (
    "Anchors only: nothing competes in this run. It shows what each metric says of clips whose "
    "place is known beforehand; add methods with `dreamix bench run`."
)
AXES = ("alignment", "fidelity", "quality")


def summary_sentences(summary: Summary) -> list[str]:
    """Return the report's summary, a sentence or two an item: what was done, then each axis."""
    if not summary.run.ranked:
        return [_compared(summary.run), _clips(summary.run), ANCHORS_ONLY]
    axes = [_axis(summary, axis, name) for axis in AXES if (name := summary.headline(axis))]
    return [_compared(summary.run), _clips(summary.run), *axes, *_front(summary)]


def _compared(run: Run) -> str:
    anchors = len(run.methods) - len(run.ranked)
    who = plural(len(run.ranked), "method")
    if anchors:
        who += f" and {plural(anchors, 'anchor')}"
    seeds = sorted({method.seeds for method in run.methods.values()})
    each = plural(seeds[-1], "seed") if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]} seeds"
    missing = len(run.info.get("not_run", {}))
    more = f" ({missing} more could not be computed)" if missing else ""
    return (
        f"{who} on {plural(len(run.edits), 'edit')} of {plural(len(run.videos), 'source video')} "
        f"({run.info['suite']['name']}, version {run.info['suite']['version']}), "
        f"{each} an edit, {plural(len(run.metrics) - len(run.idle), 'metric')}{more}."
    )


def _clips(run: Run) -> str:
    counts = {label: clip_counts(run, label) for label in run.methods}
    total = {name: sum(count[name] for count in counts.values()) for name in STATUSES}
    failed = [f"{label} {count['failed']}" for label, count in counts.items() if count["failed"]]
    parts = [
        f"{total['ok']} made",
        f"{total['failed']} failed" + (f" ({', '.join(failed)})" if failed else ""),
        f"{total['n/a']} not applicable",
        f"{total['missing']} missing",
    ]
    scores = int((run.scores["status"] == "failed").sum())
    return (
        f"Of {plural(len(run.cells), 'clip')}: {', '.join(parts)}. "
        f"Of {plural(len(run.scores), 'score')}, {scores} failed."
    )


def _axis(summary: Summary, axis: str, metric: str) -> str:
    """Return who is best on the axis, how surely, and which anchors do better still."""
    facts, ranking = summary.run.metrics[metric], summary.ranking(metric)
    digits = decimals(summary.column(metric))
    top = summary.interval(ranking[0], metric)
    extreme = "the highest" if facts.sign > 0 else "the lowest"
    text = (
        f"{axis.capitalize()}: {ranking[0]} has {extreme if ranking[1:] else 'a'} mean {metric}, "
        f"{number(top.mid, digits)} {interval_text(top, digits)}."
    )
    return text + _rivals(summary, metric, ranking) + _anchors(summary, metric, top.mid)


def _rivals(summary: Summary, metric: str, ranking: list[str]) -> str:
    """Return which intervals overlap the best one's, and the paired lead over the next."""
    top = summary.interval(ranking[0], metric)
    if len(ranking) == 1 or not is_number(top.low):
        return ""
    others = {label: summary.interval(label, metric) for label in ranking[1:]}
    overlap = [k for k, i in others.items() if i.low <= top.high and i.high >= top.low]
    text = (
        f" Its interval overlaps that of {listed(overlap)}."
        if overlap
        else " No other interval overlaps it."
    )
    order = ranking[:2] if summary.run.metrics[metric].sign > 0 else ranking[1::-1]
    lead = summary.lead(order[0], order[1], metric)
    if not is_number(lead.low):
        return text
    digits = decimals(summary.column(metric))
    zero = "includes" if lead.low <= 0 <= lead.high else "excludes"
    return text + (
        f" Edit by edit it is {number(lead.mid, digits)} {interval_text(lead, digits)} ahead of "
        f"{ranking[1]}, the next; that interval {zero} zero."
    )


def _anchors(summary: Summary, metric: str, best: float) -> str:
    """Return the anchors with a better mean than the best method, which cautions the reader."""
    sign = summary.run.metrics[metric].sign
    labels = [label for label, method in summary.run.methods.items() if method.anchor]
    better = [m for m in labels if sign * (summary.interval(m, metric).mid - best) > 0]
    return f" Anchors with a better mean: {listed(better)}." if better else ""


def _front(summary: Summary) -> list[str]:
    """Return the sentence about the trade-off, if there is one to speak of."""
    x, y = summary.headline("alignment"), summary.headline("fidelity")
    if not (x and y and len(summary.run.ranked) > 1):
        return []
    front = pareto_front(summary, x, y)
    verb = "is" if len(front) == 1 else "are"
    return [
        f"Trade-off: {listed(front)} {verb} on the Pareto front of {x} against {y}: "
        "by their means, no method is better on both."
    ]


def plural(count: int, noun: str) -> str:
    """Return "1 video", "2 videos"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listed(names: list[str]) -> str:
    """Return "a, b and c"."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
