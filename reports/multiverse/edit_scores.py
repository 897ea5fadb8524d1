"""Scores of edits under a protocol: metrics on one scale, joined clip by clip, seeds averaged.

A metric that is not due on an edit (it does not apply to its category) is left out of the joining
there, for all methods alike. A metric that is due and has no value, since the clip failed, is
partial, or the judge gave no answer, is a gap: the clip has no whole score then, but a lowest one
with all its gaps at the bottom of their scales, and a highest one.
"""

from collections import Counter
from typing import NamedTuple

import numpy as np

from dreamix.core.names import one_line
from evaluation.run.info import MetricInfo
from reports.ground import counted_scores, due_scores
from reports.loading import Run
from reports.multiverse.protocols import Join, MetricGroup, Protocol, ScaledMetric

DIGITS = 12  # of a score: what is behind is rounding
NO_AUDIT = "not audited"
NO_JUDGE = "no judge was asked (`bench score --judge`)"


class JudgeAsked(NamedTuple):
    """A judge of the run, as its metrics tell of it."""

    name: str
    model: str
    frames: str  # which stills it was shown
    audit: str  # what its examination said


class Resolved(NamedTuple):
    """A protocol with the run's metrics in its places."""

    protocol: Protocol
    judge: JudgeAsked | None
    names: dict[str, str]  # the protocol's word for a metric -> the metric


class UnscoredProtocol(NamedTuple):
    """A protocol that this run cannot be scored by, and what is missing."""

    protocol: Protocol
    judge: JudgeAsked | None
    missing: tuple[str, ...]


class EditScores(NamedTuple):
    """Scores on a scale of 0 to 1, 1 best; float (methods, edits), NaN without."""

    whole: np.ndarray  # mean over the seeds without a gap
    low: np.ndarray  # mean over all that are due, gaps at the bottom
    high: np.ndarray  # gaps at the top
    gaps: np.ndarray  # bool: some seed has a gap


class ClipTable(NamedTuple):
    """A metric on all clips of a run, arrays (methods, edits, seeds)."""

    value: np.ndarray  # float, in the metric's own unit; NaN where none counts
    due: np.ndarray  # bool


def judges_of(run: Run) -> list[JudgeAsked]:
    """Return the judges that were asked, by name."""
    found, audits = {}, {}
    for name, facts in run.metrics.items():
        if facts.judge is not None:
            count, side = (_number(facts.judge.frames.get(key)) for key in ("count", "side"))
            told = one_line(facts.judge.model), f"{count} of {side} px"
            found[name.partition(".")[0]] = told
            audits[name.partition(".")[0]] = one_line(facts.judge.audit or NO_AUDIT)
    alike = Counter(found.values())
    return [
        JudgeAsked(
            name, model if alike[model, told] == 1 else f"{model} ({name})", told, audits[name]
        )
        for name, (model, told) in sorted(found.items())
    ]


def _number(held: object) -> str:
    """Return a number of a frame policy; a run folder may be a stranger's."""
    is_known = isinstance(held, int) and not isinstance(held, bool) and 0 < held < 100_000
    return str(held) if is_known else "?"


def resolved(
    run: Run, protocols: tuple[Protocol, ...]
) -> tuple[list[Resolved], list[UnscoredProtocol]]:
    """Return the protocols that the run has all scores for, judge by judge, and the others."""
    judges, kept, left = judges_of(run), list[Resolved](), list[UnscoredProtocol]()
    for one in protocols:
        if one.needs_judge and not judges:
            left.append(UnscoredProtocol(one, None, (NO_JUDGE,)))
        for judge in judges if one.needs_judge else [None]:
            names = {m.metric: _named(m, judge) for m in one.metrics}
            missing = [why for m in one.metrics if (why := _why_not(run, m, names[m.metric]))]
            if missing:
                left.append(UnscoredProtocol(one, judge, tuple(dict.fromkeys(missing))))
            else:
                kept.append(Resolved(one, judge or _named_judge(names, judges), names))
    return kept, left


def _named(one: ScaledMetric, judge: JudgeAsked | None) -> str:
    return f"{judge.name}.{one.of_judge}" if judge and one.of_judge is not None else one.metric


def _named_judge(names: dict[str, str], judges: list[JudgeAsked]) -> JudgeAsked | None:
    """Return the judge whose metrics a protocol calls by their own names."""
    called = {name.partition(".")[0] for name in names.values()}
    return next((judge for judge in judges if judge.name in called), None)


def _why_not(run: Run, one: ScaledMetric, name: str) -> str:
    """Return why a metric cannot take part, "" if it can."""
    facts = run.metrics.get(name)
    if facts is None:
        why = run.info.not_run.get(name, "")
        asks = " (`--judge-asks checklist`)" if ".checklist_" in name else ""
        return f"{name}: {why}" if why else f"{name} was not scored{asks}"
    if name in run.idle:
        return f"{name} applies to no clip"
    if not facts.sign:
        return f"{name} has no good direction"
    if one.scale is None and not np.isfinite(facts.ends).all():
        return f"{name} has no declared ends: give it a scale"
    return ""


class ClipTables:
    """The metrics of a run as tables of clips, made when they are asked for."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._counts, self._due = counted_scores(run).to_numpy(), due_scores(run)
        self._seeds = {label: list(method.seeds) for label, method in run.methods.items()}
        self._made: dict[str, ClipTable] = {}

    def of(self, name: str) -> ClipTable:
        """Return the table of a metric."""
        if name not in self._made:
            self._made[name] = self._table(name)
        return self._made[name]

    def _table(self, name: str) -> ClipTable:
        scores = self.run.scores
        here = (scores["metric"] == name).to_numpy()
        part = scores[here]
        places = (
            [list(self.run.methods).index(label) for label in part["method"]],
            [self._edits[edit] for edit in part["edit"]],
            [self._seeds[m].index(s) for m, s in zip(part["method"], part["seed"], strict=True)],
        )
        shape = len(self.run.methods), len(self.run.edits), max(map(len, self._seeds.values()))
        value, due = np.full(shape, np.nan), np.zeros(shape, bool)
        value[places] = np.where(self._counts[here], part["value"].to_numpy(np.float64), np.nan)
        due[places] = self._due[here]
        return ClipTable(value, due)

    @property
    def _edits(self) -> dict[str, int]:
        return {edit: place for place, edit in enumerate(self.run.edits)}


def edit_scores(tables: ClipTables, one: Resolved) -> EditScores:
    """Return the scores of all edits by all methods under a protocol."""
    whole, low, high = (_clip_scores(tables, one, fill) for fill in (np.nan, 0.0, 1.0))
    due = np.isfinite(low)  # some metric of the protocol is
    return EditScores(
        np.round(over_seeds(whole), DIGITS),
        np.round(over_seeds(low), DIGITS),
        np.round(over_seeds(high), DIGITS),
        (due & ~np.isfinite(whole)).any(axis=2),
    )


def on_scale(facts: MetricInfo, value: np.ndarray, scale: tuple[float, float] | None) -> np.ndarray:
    """Return values of a metric on a scale of 0 to 1, 1 best; what is beyond it is at its end."""
    low, high = scale or facts.ends
    share = np.clip((value - low) / (high - low), 0.0, 1.0)
    return share if facts.sign > 0 else 1.0 - share


def over_seeds(values: np.ndarray) -> np.ndarray:
    """Return means over the last axis, NaN left out."""
    known = np.isfinite(values)
    sums = np.where(known, values, 0.0).sum(axis=-1)
    return np.where(known.any(axis=-1), sums / np.maximum(known.sum(axis=-1), 1), np.nan)


def _clip_scores(tables: ClipTables, one: Resolved, fill: float) -> np.ndarray:
    """Return scores (methods, edits, seeds) with gaps at `fill`; NaN where nothing is due."""
    protocol = one.protocol
    groups = {name: _group(tables, one, group, fill) for name, group in protocol.groups.items()}
    parts = np.stack([score for score, _ in groups.values()])
    there = np.stack([due for _, due in groups.values()])
    if protocol.never_above is not None:
        cap, known = groups[protocol.never_above]
        parts = np.where(known, np.minimum(parts, cap), parts)
    weights = [group.weight for group in protocol.groups.values()]
    return joined(parts, there, weights, protocol.by, protocol.above)


def _group(
    tables: ClipTables, one: Resolved, group: MetricGroup, fill: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores of a group, and where any of its metrics is due."""
    parts, there = [], []
    for metric in group.of:
        name = one.names[metric.metric]
        table = tables.of(name)
        value = on_scale(tables.run.metrics[name], table.value, metric.scale)
        parts.append(np.where(np.isnan(value), fill, value))
        there.append(table.due)
    weights, due = [metric.weight for metric in group.of], np.stack(there)
    some: np.ndarray = np.asarray(due.any(axis=0))
    return joined(np.stack(parts), due, weights, group.by, one.protocol.above), some


def joined(
    parts: np.ndarray, there: np.ndarray, weights: list[float], by: Join, above: float
) -> np.ndarray:
    """Return parts (parts, ...) joined into one; NaN where none is there, or one there is NaN.

    there: bool, which parts count. by: their mean or geometric mean, as weighted; the least of
    them; or 1 where all exceed `above`, else 0.
    """
    weight = np.where(there, np.reshape(weights, (-1,) + (1,) * (parts.ndim - 1)), 0.0)
    share = weight / np.maximum(weight.sum(axis=0), 1e-300)
    if by == "geometric":
        found = np.prod(np.where(there, parts, 1.0) ** share, axis=0)
    elif by == "mean":
        found = (np.where(there, parts, 0.0) * share).sum(axis=0)
    else:
        found = np.where(there, parts, np.inf).min(axis=0)
    if by == "all":
        found = np.where(np.isnan(found), np.nan, 1.0 * (found > above))
    return np.where(there.any(axis=0), found, np.nan)
