"""The columns of metrics: entries as the methods of one run, ranked as a report ranks methods."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from dreamix.core.errors import UserError
from dreamix.data.suite import Edit
from evaluation.run.folder import RunFolder
from evaluation.run.info import LEAST_SHARE, MethodInfo, MetricInfo, RunInfo, SuiteInfo
from evaluation.schema import AXES, FORMAT, Cell, ClipRow
from reports.ground import Gapped
from reports.leaderboard.entry import BoardSuite, Entry, EntryClip, meaning
from reports.leaderboard.standing import Standing, kept_leads, standing_of
from reports.loading import KEY, NUMBERS, Run
from reports.metrics.rankings import Ranking, rankings, values_of
from reports.summary import IntervalSettings, RunSummary, summarize

NOT_ENTERED = "entered without this metric"


class MetricColumn(NamedTuple):
    """One metric, as one definition has it, on all entries."""

    name: str  # with a part of the definition's hash where the board has several
    facts: MetricInfo
    headline: bool  # stands for its axis
    standing: Standing  # of the competing entries
    anchors: Standing  # of the anchors, which are not ranked
    lacking: dict[str, int]  # entry -> edits that are due and have no value, or a partial clip
    own: dict[str, tuple[float, int]]  # entry -> mean on all of its edits, and how many, if others


def board_run(
    suite: BoardSuite, entries: Sequence[Entry], seeds: tuple[int, ...] | None, where: Path
) -> Run:
    """Return all entries as the methods of one run, under their ids.

    seeds: that count, of entries that have them; None for all of each.

    Raises:
        UserError: if there is no clip, or no metric.
    """
    edits = {one.id: Edit(one.id, one.video, "", one.category, tags=one.tags)
             for one in suite.edits}  # fmt: skip
    named = metric_names(entries)
    facts = {name: replace(one, name=name) for name, one in sorted(named.values(), key=_by_axis)}
    kept = {one.id: counted_seeds(one, seeds) for one in entries}
    methods = {one.id: MethodInfo(one.method, one.config, one.anchor, kept[one.id])
               for one in sorted(entries, key=lambda one: one.anchor)}  # fmt: skip
    about = SuiteInfo(suite.name, suite.version, suite.licence, suite.sha256)
    info = RunInfo(FORMAT, about, tuple(edits), methods, metrics=facts)
    rows = [row for one in entries for row in _rows(one, kept[one.id], named, facts, edits)]
    if not rows:
        raise UserError(f"{where}: its entries hold no clip with a metric: remove or restore them")
    scores = pd.DataFrame(rows)
    for name in NUMBERS:
        scores[name] = pd.to_numeric(scores[name]).astype("float64")
    scores["partial"] = scores["covers"] < LEAST_SHARE
    clips = {cell: _clip_row(cell, clip) for one in entries
             for cell, clip in one.by_cell.items() if cell.seed in kept[one.id]}  # fmt: skip
    return Run(RunFolder(where), info, methods, facts, edits, clips, scores, suite.sha256)


def counted_seeds(entry: Entry, seeds: tuple[int, ...] | None) -> tuple[int, ...]:
    """Return the seeds of an entry that count."""
    return tuple(seed for seed in entry.seeds if not seeds or seed in seeds) or entry.seeds


def metric_names(entries: Sequence[Entry]) -> dict[tuple[str, str], tuple[str, MetricInfo]]:
    """Return the columns of metrics: (metric, meaning) -> name, and what is known of it.

    Where a metric means several things among entries, each has a column of its own.
    """
    found: dict[str, dict[str, MetricInfo]] = {}
    for entry in sorted(entries, key=lambda one: one.id):
        for name, facts in entry.metrics.items():
            found.setdefault(name, {}).setdefault(meaning(facts), facts)
    return {
        (name, definition): (name if len(several) == 1 else f"{name}@{definition[:8]}", facts)
        for name, several in sorted(found.items())
        for definition, facts in sorted(several.items())
    }


def _by_axis(named: tuple[str, MetricInfo]) -> tuple[int, str]:
    return AXES.index(named[1].axis), named[0]


def _rows(
    entry: Entry,
    seeds: tuple[int, ...],
    named: dict[tuple[str, str], tuple[str, MetricInfo]],
    metrics: dict[str, MetricInfo],
    edits: dict[str, Edit],
) -> Iterator[dict[str, Any]]:
    """Yield one row for every score that there should be, as `Run.scores` has them."""
    own = {named[name, meaning(facts)][0]: name for name, facts in entry.metrics.items()}
    for clip in entry.clips:
        if clip.seed not in seeds:
            continue
        edit = edits[clip.edit]
        for column in metrics:
            key = dict(zip(KEY, (entry.id, clip.edit, clip.seed, column), strict=True))
            known = {"video": edit.video, "category": edit.category, "covers": clip.covers,
                     "made": clip.status == "ok", "note": None, "remarks": ()}  # fmt: skip
            yield {**dict.fromkeys(NUMBERS), **key, **known, **_score(clip, own.get(column))}


def _score(clip: EntryClip, metric: str | None) -> dict[str, Any]:
    if metric is None:
        return {"status": "missing", "reason": NOT_ENTERED}
    if metric in clip.values:
        return {"status": "ok", "value": clip.values[metric], "reason": None}
    told = clip.reason or "no reason given"
    status, reason = clip.lacks.get(metric, (clip.status, told))
    return {"status": status, "reason": reason}


def _clip_row(cell: Cell, clip: EntryClip) -> ClipRow:
    return ClipRow(
        *cell,
        clip.status,
        clip.reason,
        sha256=clip.sha256,
        seconds=clip.seconds,
        peak_memory_mb=clip.peak_memory_mb,
        facts={"finetune_seconds": clip.finetune_seconds},
    )


def on_edits(run: Run, ids: Sequence[str]) -> Run:
    """Return a run as if its suite had these edits alone."""
    wanted = set(ids)
    kept = run.scores[run.scores["edit"].isin(wanted)].reset_index(drop=True)
    edits = {id_: edit for id_, edit in run.edits.items() if id_ in wanted}
    clips = {cell: row for cell, row in run.clips.items() if cell.edit in wanted}
    return Run(run.files, run.info, run.methods, run.metrics, edits, clips, kept, run.scores_sha256)


def metric_columns(run: Run, how: IntervalSettings) -> list[MetricColumn]:
    """Return a column for every metric that applies to some clip, axis by axis."""
    summary = summarize(run, how)
    headlines = {summary.headline(axis) for axis in AXES}
    ranked = {one.metric: one for one in rankings(values_of(summary), how.seed)}
    names = [name for name in run.metrics if name not in run.idle]
    return [_column(summary, name, ranked.get(name), name in headlines) for name in names]


def _column(
    summary: RunSummary, name: str, ranking: Ranking | None, headline: bool
) -> MetricColumn:
    run, facts, labels = summary.run, summary.run.metrics[name], summary.run.ranked
    found = summary.gapped[name]
    ahead = _ahead(run, found, facts.sign, ranking, summary.resampling.alpha)
    stands = summary.standings[name]
    places = [int(place) for place in stands.ranks] if facts.sign else [0] * len(labels)
    gaps = {label: int(count) for label, count in zip(labels, stands.gaps, strict=True)}
    return MetricColumn(
        name,
        facts,
        headline,
        _standing(summary, name, labels, places, ahead),
        _standing(summary, name, run.anchors, [0] * len(run.anchors), None),
        {label: count for label, count in gaps.items() if count and _entered(run, label, name)},
        {label: _own(summary, label, name) for label in labels if summary.more(label, name)},
    )


def _standing(
    summary: RunSummary, name: str, labels: list[str], places: list[int], ahead: np.ndarray | None
) -> Standing:
    ends = [summary.compared(label, name) for label in labels]
    edits = [summary.common[label, name].edits for label in labels]
    nobody = np.zeros((len(labels),) * 2, bool)
    return standing_of(tuple(labels), ends, edits, places, nobody if ahead is None else ahead)


def _own(summary: RunSummary, label: str, name: str) -> tuple[float, int]:
    score = summary.scores[label, name]
    return float(score.interval.mid), score.edits


def _entered(run: Run, label: str, name: str) -> bool:
    """Return whether an entry has the metric at all."""
    rows = run.scores[(run.scores["method"] == label) & (run.scores["metric"] == name)]
    return bool((rows["reason"] != NOT_ENTERED).any())


def _ahead(
    run: Run, found: Gapped, sign: int, ranking: Ranking | None, alpha: float
) -> np.ndarray | None:
    """Return who is shown to be ahead of whom, whatever values they lack; None if nobody is."""
    if ranking is None or not sign:
        return None
    labels = run.ranked
    shown = np.zeros((len(labels),) * 2, bool)
    places = [labels.index(label) for label in ranking.methods]
    shown[np.ix_(places, places)] = ranking.p < alpha
    rows = [list(run.methods).index(label) for label in labels]
    whole, low, high = (sign * array[rows] for array in (found.whole, found.low, found.high))
    worst, best = (low, high) if sign > 0 else (high, low)
    return shown & kept_leads(whole, worst, best, found.near)
