"""Composite metrics of a run: rows worked out from the rows of other metrics, like theirs in form.

run.json keeps each composite beside its facts, so that every later scoring renews its rows: where a
clip, a score or a definition has changed the old number does not stay. A clip that lacks a metric
which the composite needs gets no number but the reason.
"""

from typing import Any

from dreamix.core.errors import UserError
from evaluation.run.folder import RunFolder
from evaluation.run.info import MetricInfo
from evaluation.schema import Cell, ClipRow, ScoreRow
from evaluation.score.composite_file import Composite, Term, composite_of, stored
from evaluation.score.table import Key

Rows = dict[Key, ScoreRow]
SIMULATED = "SIMULATED: learned from simulated ratings"
OWN = "learned from ratings of this suite: not held out here"


def kept_composites(run: RunFolder) -> dict[str, Composite]:
    """Return the composites that were applied to the run before, by name."""
    metrics = run.info.metrics
    kept = [
        composite_of(facts.composite, f"{run.path}/run.json: metrics.{name}.composite")
        for name, facts in metrics.items()
        if facts.composite is not None
    ]
    return {one.name: one for one in kept}


def check_composites(composites: list[Composite], definitions: dict[str, str]) -> None:
    """Raise a `UserError` if a metric is not there, or is of another definition.

    definitions: metric -> definition id, as the run has them when it is scored.
    """
    for one in composites:
        for term in one.terms:
            if why := _mismatch(term, definitions):
                raise UserError(f"{one.name} {why}")


def composite_rows(
    run: RunFolder, composites: list[Composite], rows: Rows, definitions: dict[str, str]
) -> list[ScoreRow]:
    """Return the rows of all composites on all clips that differ from those in `rows`."""
    if not composites:
        return []
    found = [
        _row(run, one, cell, clip, rows, definitions)
        for cell in run.cells()
        if (clip := run.clip_row(cell))
        for one in composites
    ]
    return [row for row in found if rows.get(row.key) != row]


def composite_facts(one: Composite, metrics: dict[str, MetricInfo]) -> MetricInfo:
    """Return what run.json holds of a composite, in the form of the other `metrics`."""
    policies = {metrics[term.metric].policy for term in one.terms if term.metric in metrics}
    return MetricInfo(
        name=one.name,
        axis=one.axis,
        better="higher",
        bounds=("-inf", "inf"),
        needs=tuple(term.metric for term in one.terms),
        not_for=(),
        version=1,
        definition=definition(one),
        definition_id=one.definition_id,
        models={},
        policy=", ".join(sorted(filter(None, policies))) or "none",
        simulated=one.simulated,
        composite=stored(one),
    )


def definition(one: Composite) -> str:
    """Return what the number means, where the weights come from and what they are worth."""
    low, high = one.origin.scale
    parts = [f"{_sign(term)} {term.weight:.3f} z({term.metric})" for term in one.terms]
    on = one.entry.learned_on
    who = "simulated raters" if one.simulated else "raters"
    text = (
        f"Predicted mean vote on {one.axis} (scale {low:g} to {high:g}): "
        f"{' '.join([f'{one.intercept:.3f}', *parts])}; z by means and deviations of the run it "
        f"was learned from: {one.origin.raters} {who}, {on.get('rated')} edits of "
        f"{on.get('sources')} source videos by {on.get('methods')} methods, study "
        f"{one.origin.study}. {one.entry.sentence}"
    ).strip()
    return f"{SIMULATED}. {text}" if one.simulated else text


def _sign(term: Term) -> str:
    return "+" if term.better == "higher" else "-"


def _mismatch(term: Term, definitions: dict[str, str]) -> str:
    """Return why the run cannot serve a term, or ""."""
    there = definitions.get(term.metric)
    if there is None:
        return (
            f"needs {term.metric}, of which the run has no scores: "
            f"`dreamix bench score RUN --metrics {term.metric}`"
        )
    if there != term.definition_id:
        return (
            f"was learned with definition {term.definition_id} of {term.metric}, the run has "
            f"{there}: score it with the same models and frame policy, or learn it anew"
        )
    return ""


def _row(
    run: RunFolder,
    one: Composite,
    cell: Cell,
    clip: ClipRow,
    rows: Rows,
    definitions: dict[str, str],
) -> ScoreRow:
    edit = run.suite.edit(cell.edit)
    blank: dict[str, Any] = {
        **cell._asdict(),
        "metric": one.name,
        "video": edit.video,
        "category": edit.category,
        "definition": one.definition_id,
        "clip": clip.sha256,
        "note": _note(run, one),
    }
    blank |= _read_as([rows.get((*cell, term.metric)) for term in one.terms])
    gaps = [_gap(rows.get((*cell, t.metric)), t, clip, definitions) for t in one.terms]
    if lacks := sorted(gap for gap in gaps if gap):  # "failed" comes before "n/a"
        return ScoreRow(**blank, status=lacks[0][0], reason=lacks[0][1])
    points = sum(term.points(_value(rows[*cell, term.metric])) for term in one.terms)
    return ScoreRow(**blank, status="ok", value=one.intercept + points)


def _read_as(parts: list[ScoreRow | None]) -> dict[str, Any]:
    """Return how the clip was read, which the scores of all its metrics say alike."""
    told = next((row for row in parts if row and row.covers is not None), None)
    return {"covers": told.covers, "remarks": told.remarks} if told else {}


def _gap(
    row: ScoreRow | None, term: Term, clip: ClipRow, definitions: dict[str, str]
) -> tuple[Any, str] | None:
    """Return status and reason of a clip that has no number for a term; None if it has one."""
    if why := _mismatch(term, definitions):
        return "failed", why
    if row is None or not row.is_of(clip, term.definition_id):
        return "failed", f"{term.metric}: this clip has no score of it yet"
    return None if row.status == "ok" else (row.status, f"{term.metric}: {row.reason}")


def _value(row: ScoreRow) -> float:
    assert row.value is not None, "status ok"
    return row.value


def _note(run: RunFolder, one: Composite) -> str | None:
    own = one.origin.suite_sha256 == run.info.suite.sha256
    return "; ".join(filter(None, [SIMULATED * one.simulated, OWN * own])) or None
