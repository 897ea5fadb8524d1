"""The summary in plain words: computed sentences, no praise, nothing beyond the intervals.

Methods are named in an order by their means on the edits that all ranked ones have, and by these
alone; see `reports.ground`. Equal means share a sentence.
"""

from itertools import combinations

import numpy as np

from dreamix.core.wording import listed as listed
from dreamix.core.wording import plural as plural
from reports.loading import STATUSES, Run
from reports.metrics.results import decimals
from reports.metrics.trade_off import pareto
from reports.summary import RunSummary, clip_counts
from reports.tables import is_number, said_interval, those

ANCHORS_ONLY = (
    "Anchors only: nothing competes in this run. It shows what each metric says of clips whose "
    "place is known beforehand; add methods with `dreamix bench run`."
)
AXES = ("alignment", "fidelity", "quality")
FEW_PAIRS = 3  # pairs that are all named


def summary_sentences(summary: RunSummary) -> list[str]:
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
    seeds = sorted({len(method.seeds) for method in run.methods.values()})
    each = plural(seeds[-1], "seed") if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]} seeds"
    missing = len(run.info.not_run)
    more = f" ({missing} more could not be computed)" if missing else ""
    were = "was run on" if who == "1 method" else "were compared on"
    suite = f"{run.info.suite.name}, version {run.info.suite.version}"
    return (
        f"{who} {were} {plural(len(run.edits), 'edit')} of "
        f"{plural(len(run.videos), 'source video')} ({suite}), with {each} an edit and "
        f"{plural(len(run.metrics) - len(run.idle), 'metric')}{more}."
    )


def _clips(run: Run) -> str:
    counts = {label: clip_counts(run, label) for label in run.methods}
    total = {name: sum(count[name] for count in counts.values()) for name in STATUSES}
    failed = [f"{label} {count['failed']}" for label, count in counts.items() if count["failed"]]
    partial = [f"{label} {count}" for label in run.methods if (count := _partial(run, label))]
    short = f" (partial: {', '.join(partial)})" if partial else ""
    parts = [
        f"{total['ok']} {_were(total['ok'])} made{short}",
        f"{total['failed']} failed" + (f" ({', '.join(failed)})" if failed else ""),
        f"{total['n/a']} did not apply",
        f"{total['missing']} {'is' if total['missing'] == 1 else 'are'} missing",
    ]
    some = [text for text, name in zip(parts, STATUSES, strict=True) if total[name] or name == "ok"]
    clips = f"Of {plural(len(run.cells), 'clip')}, {listed(some)}."
    if total["ok"] == len(run.cells):
        count = len(run.cells)
        clips = f"{f'All {count} clips were' if count > 1 else 'The one clip was'} made{short}."
    scores = int((run.scores["status"] == "failed").sum())
    return f"{clips} {_failed_scores(scores, len(run.scores))}"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _failed_scores(failed: int, total: int) -> str:
    if not failed:
        return "No score failed."
    return f"Of {plural(total, 'score')}, {failed} failed."


def _partial(run: Run, label: str) -> int:
    """Return how many clips of a method cover too little of their source."""
    return sum(cell[0] == label for cell in run.partial_clips)


def _axis(summary: RunSummary, axis: str, metric: str) -> str:
    """Return who is best on the axis, how surely, and which anchors do better still."""
    ranking = summary.ranking(metric)
    if not ranking:
        return f"{axis.capitalize()}: {_unranked(summary, metric)}"
    said = [
        _leaders(summary, metric, ranking),
        *_not_best(summary, metric),
        *_rivals(summary, metric, ranking),
        *_apart(summary, metric),
        *_anchors(summary, metric, ranking[0]),
    ]
    return f"{axis.capitalize()}: {' '.join(said)}"


def _leaders(summary: RunSummary, metric: str, ranking: list[str]) -> str:
    """Return who has the best mean, on which edits, and the mean."""
    top = summary.compared(ranking[0], metric)
    value = said_interval(top, decimals(summary.column(metric)))
    if summary.alone(metric):
        partial = _partial_alone(summary, metric, ranking[0])
        return f"{ranking[0]} has a mean {metric}, {value}{partial}."
    named, extreme = summary.top(metric), extreme_of(summary, metric)
    verb = "has" if len(named) == 1 else "share"
    return f"{those(named)} {verb} {extreme} mean {metric}{_edits(summary, metric)}, {value}."


def extreme_of(summary: RunSummary, metric: str) -> str:
    """Return "the highest" or "the lowest": which mean is best."""
    return "the highest" if summary.run.metrics[metric].sign > 0 else "the lowest"


def _edits(summary: RunSummary, metric: str) -> str:
    """Return on which edits methods are ranked, if they do not all have the same."""
    if not summary.uneven(metric):
        return ""
    ranked = summary.ranking(metric)
    who = "both" if len(ranked) == 2 else f"all {len(ranked)} ranked methods"
    edits = int(summary.standings[metric].ground.edits.sum())
    return f" on the {plural(edits, 'edit')} that {who} have"


def _partial_alone(summary: RunSummary, metric: str, label: str) -> str:
    own = summary.gapped[metric].whole[list(summary.run.methods).index(label)]
    short = summary.scores[label, metric].edits - int(np.isfinite(own).sum())
    return f", of which {plural(short, 'edit')} by partial clips" if short > 0 else ""


def _not_best(summary: RunSummary, metric: str) -> list[str]:
    """Return why methods of the best mean are not called best."""
    found, said = summary.standings[metric], []
    for label in summary.top(metric):
        at = summary.run.ranked.index(label)
        if label in summary.best(metric) or summary.alone(metric):
            continue
        gaps = int(found.gaps[at])
        why = (
            f"if its values on the {plural(gaps, 'edit')} that it lacks were the worst possible, "
            f"it would have rank {found.last[at]}"
            if gaps
            else "another method is ahead of it on the edits that these two share"
        )
        said.append(f"{label} is not called best: {why}.")
    return said


def _rivals(summary: RunSummary, metric: str, ranking: list[str]) -> list[str]:
    """Return which intervals overlap the best one's, and the paired lead over the next."""
    named = summary.top(metric)
    others = [label for label in ranking if label not in named]
    top = summary.compared(ranking[0], metric)
    if not others or summary.alone(metric) or not is_number(top.low):
        return []
    said = [_overlap(summary, metric, others)] if len(named) == 1 else []
    ranks = dict(zip(summary.run.ranked, summary.standings[metric].ranks, strict=True))
    next_ = [label for label in others if ranks[label] == ranks[others[0]]]
    return [*said, *_lead(summary, metric, named, next_)]


def _overlap(summary: RunSummary, metric: str, others: list[str]) -> str:
    top = summary.compared(summary.top(metric)[0], metric)
    ends = {label: summary.compared(label, metric) for label in others}
    overlap = [k for k, i in ends.items() if i.low <= top.high and i.high >= top.low]
    if not overlap:
        return "No other interval overlaps it."
    if len(overlap) == len(others) > 1:
        return f"Its interval overlaps those of all {len(others)} others."
    of = "that of" if len(overlap) == 1 else "those of"
    return f"Its interval overlaps {of} {those(overlap)}."


def _lead(summary: RunSummary, metric: str, named: list[str], next_: list[str]) -> list[str]:
    """Return by how much the first is ahead of the next, edit by edit; one of those that tie."""
    pair = (named[0], next_[0]) if summary.run.metrics[metric].sign > 0 else (next_[0], named[0])
    lead = summary.lead(*pair, metric)
    if not is_number(lead.low):
        return []
    value = said_interval(lead, decimals(summary.column(metric)))
    zero = "includes" if lead.low <= 0 <= lead.high else "excludes"
    who = "it" if len(named) == 1 else named[0]
    place = (
        "the next" if len(next_) == 1 else f"which shares the next place with {those(next_[1:])}"
    )
    return [
        f"Edit by edit, {who} is {value} ahead of {next_[0]}, {place}; that interval {zero} zero."
    ]


def _apart(summary: RunSummary, metric: str) -> list[str]:
    """Return which methods have too few edits in common with the others to be ranked."""
    labels = summary.apart(metric)
    if not labels:
        return []
    counts = [
        f"{label} ({plural(summary.scores[label, metric].edits, 'edit')})" for label in labels
    ]
    verb, rest = ("has", "is") if len(labels) == 1 else ("have", "are")
    few = "too few whole clips in common with the others"
    return [f"{listed(counts)} {verb} {few} and {rest} not ranked."]


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _unranked(summary: RunSummary, metric: str) -> str:
    """Return that nobody is ranked, and what can be said of each two methods."""
    labels = summary.apart(metric)
    text = f"{those(labels)} have too few whole clips in common to be ranked on {metric}."
    pairs = [said for pair in combinations(labels, 2) if (said := _pair(summary, metric, *pair))]
    if not 0 < len(pairs) <= FEW_PAIRS:
        return text
    return f"{text} On the edits that each two have, {'; '.join(pairs)}."


def _pair(summary: RunSummary, metric: str, a: str, b: str) -> str:
    """Return which of two methods is ahead on the edits that both have; "" if there is none."""
    whole, methods = summary.gapped[metric].whole, list(summary.run.methods)
    edits = int(np.isfinite(whole[methods.index(a)] - whole[methods.index(b)]).sum())
    if not edits:
        return ""
    gap = summary.lead(a, b, metric)
    on = f"({plural(edits, 'edit')})"
    if abs(gap.mid) <= summary.gapped[metric].near:
        return f"{a} and {b} have the same mean {on}"
    ahead = summary.run.metrics[metric].sign * gap.mid > 0
    first, second = (a, b) if ahead else (b, a)
    gap = summary.lead(a, b, metric) if gap.mid > 0 else summary.lead(b, a, metric)
    value = said_interval(gap, decimals(summary.column(metric)))
    return f"{first} is {value} ahead of {second} {on}"


def _anchors(summary: RunSummary, metric: str, best: str) -> list[str]:
    """Return the anchors with a better mean than the best method, which cautions the reader.

    Each on the edits that the anchor and the best method are compared on.
    """
    sign, methods = summary.run.metrics[metric].sign, list(summary.run.methods)
    found, edits = summary.gapped[metric], summary.standings[metric].ground.edits
    gaps = sign * (found.whole - found.whole[methods.index(best)])
    gaps = gaps if summary.alone(metric) else np.where(edits, gaps, np.nan)
    better = [
        label
        for label, gap in zip(methods, gaps, strict=True)
        if summary.run.methods[label].anchor
        and np.isfinite(gap).any()
        and np.nanmean(gap) > found.near
    ]
    return [f"Anchors with a better mean: {listed(better)}."] if better else []


def _front(summary: RunSummary) -> list[str]:
    """Return the sentence about the trade-off, if there is one to speak of."""
    x, y = summary.headline("alignment"), summary.headline("fidelity")
    if not (x and y and len(summary.run.ranked) > 1):
        return []
    front = pareto(summary, x, y)
    if not front.members:
        return [f"Trade-off: no method is ranked on both {x} and {y}."]
    text = (
        f"Trade-off: {listed(front.members)} {_is(front.members)} on the Pareto front of {x} "
        f"against {y}: by the means, no other method is better on both."
    )
    if front.open:
        one = len(front.open) == 1
        text += (
            f" The place{'' if one else 's'} of {listed(front.open)} depend{'s' if one else ''} on "
            "missing values or on the choice of edits."
        )
    return [text]
