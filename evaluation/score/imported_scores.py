"""Scores of a run that were computed elsewhere: brought in from a table, and kept up.

What a table says of a clip becomes a row like any other; a clip of which it says nothing gets a row
with that reason. The file is not needed again: every later scoring leaves the rows as they are,
marks those whose clip has been made anew since, and adds what other metrics tell of how the clip
was read.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from dreamix.core.errors import Mistakes, Problem
from dreamix.core.records import only_writer
from evaluation.run.folder import RunFolder
from evaluation.run.info import MetricInfo
from evaluation.run.versions import versions
from evaluation.schema import Cell, ClipRow, ScoreRow
from evaluation.score.composite_scores import composite_rows, kept_composites
from evaluation.score.plan import check_room, no_clip
from evaluation.score.scores_file import (
    ReadMetric,
    ScoresFile,
    imported_definition,
    read_scores_file,
)
from evaluation.score.table import (
    HowRead,
    Key,
    append_scores,
    how_read,
    is_complete,
    read_scores,
    write_scores,
)

Rows = dict[Key, ScoreRow]
NO_MODEL = "none"  # frame policy of what pairs no frames


class Imported(NamedTuple):
    """What one import did."""

    metrics: list[str]
    changed: int  # rows
    replaced: list[str]  # metrics that were here, from a file that has changed
    removed: list[str]  # metrics that were here from this file, which no longer has them
    without_clip: list[Cell]  # cells of which the file has a score and the run has no clip
    rows: list[ScoreRow]  # of the metrics, as they are now


def import_scores(
    out: Path, table: Path, *, missing: Iterable[float] | None = None, replace_others: bool = False
) -> Imported:
    """Return what was done to give the run at `out` the scores of a table.

    missing: numbers in it that stand for no score; None if nobody said.
    replace_others: take the place of metrics of these names that came from another table.

    Raises:
        UserError: with all that is wrong with the table; nothing is written then.
    """
    run = RunFolder(out)
    run.check()
    with only_writer(out):
        found = read_scores_file(table, run, missing)
        facts = {name: _facts(run, found, one) for name, one in found.metrics.items()}
        _check_others(run, found, facts, replace_others)
        removed = _left_by(run, found, facts)
        rows = {key: row for key, row in read_scores(run.scores).items() if key[3] not in removed}
        read_as = how_read(rows.values())
        new = [
            row
            for cell, clip in made_clips(run).items()
            for name in found.metrics
            if (row := _row(run, cell, clip, found, facts[name], read_as)) != rows.get(row.key)
        ]
        replaced = [name for name in facts if _differs(run.info.metrics.get(name), facts[name])]
        rows |= {row.key: row for row in new}
        composites, definitions = kept_composites(run), _ids({**run.info.metrics, **facts})
        renewed = composite_rows(run, [*composites.values()], rows, definitions)
        append_scores(run.scores, [*new, *renewed])
        rows |= {row.key: row for row in renewed}
        finish_import(run, rows, facts, removed, changed=bool(new or removed))
        told = [rows[*cell, name] for cell in made_clips(run) for name in facts]
        return Imported([*facts], len(new), replaced, removed, _without_clip(run, found), told)


def imported_rows(run: RunFolder, rows: Rows) -> list[ScoreRow]:
    """Return the rows of all imported metrics that are no longer right, as they should be."""
    kept = {name: run.info.metrics[name] for name in imported_names(run)}
    if not kept:
        return []
    read_as = how_read(rows.values())
    found = [
        _renewed(run, cell, clip, facts, rows.get((*cell, name)), read_as)
        for cell, clip in made_clips(run).items()
        for name, facts in kept.items()
    ]
    return [row for row in found if row != rows.get(row.key)]


def imported_names(run: RunFolder) -> list[str]:
    """Return the metrics of the run that were computed elsewhere."""
    return [name for name, facts in run.info.metrics.items() if facts.imported]


def _ids(metrics: Mapping[str, MetricInfo]) -> dict[str, str]:
    return {name: facts.definition_id for name, facts in metrics.items()}


def made_clips(run: RunFolder) -> dict[Cell, ClipRow]:
    """Return the rows of all clips, failed ones too."""
    return {cell: row for cell in run.cells() if (row := run.clip_row(cell))}


def _facts(run: RunFolder, found: ScoresFile, one: ReadMetric) -> MetricInfo:
    """Return what run.json holds of an imported metric, in the form of all others."""
    told = found.info(one, os.path.relpath(found.path.resolve(), run.path.resolve()))
    return MetricInfo(
        name=one.name,
        axis=one.axis,
        better=one.better,
        bounds=("-inf", "inf"),
        needs=(),
        not_for=(),
        version=1,
        definition=f"Imported from {found.path.name}, computed by {one.source}",
        definition_id=imported_definition(one.name, one.better, one.axis, told),
        models={},
        policy=NO_MODEL,
        imported=told,
    )


def _check_others(
    run: RunFolder, found: ScoresFile, facts: Mapping[str, MetricInfo], replace_others: bool
) -> None:
    """Raise a `UserError` for names that the run has from elsewhere, or for too many scores."""
    before = {name.casefold(): one for name, one in run.info.metrics.items()}
    problems = []
    for name, new in facts.items():
        old = before.get(name.casefold())
        why = _clash(old, new, replace_others) if old else None
        if why:
            problems.append(Problem(str(found.path), 1, why))
    if problems:
        raise Mistakes(problems)
    check_room(run, facts, str(found.path))


def _clash(old: MetricInfo, new: MetricInfo, replace_others: bool) -> str | None:
    assert new.imported is not None
    if old.imported is None or old.name != new.name:
        return f"the run has a metric {old.name} already; call this one differently"
    if replace_others or new.imported.sha256 == old.imported.sha256:
        return None
    if old.imported.place == new.imported.place:
        return None
    table = old.imported.place or old.imported.file  # of merged runs nobody knows where
    return (
        f"{new.name} was imported from another table, {table}: put all its rows in one file, or "
        "say --replace"
    )


def _differs(old: MetricInfo | None, new: MetricInfo) -> bool:
    return old is not None and old.definition_id != new.definition_id


def _left_by(run: RunFolder, found: ScoresFile, facts: Mapping[str, MetricInfo]) -> list[str]:
    """Return the metrics that came from this file before and are no longer in it."""
    place = next(iter(facts.values())).imported
    assert place is not None
    kept = {name: run.info.metrics[name].imported for name in imported_names(run)}
    there = [name for name, one in kept.items() if one and one.place == place.place]
    return [name for name in there if name not in facts]


def _without_clip(run: RunFolder, found: ScoresFile) -> list[Cell]:
    """Return the cells of which the table has a score and the run has no clip."""
    scored = {cell for one in found.metrics.values() for cell, value in one.values.items()}
    made = {cell for cell, clip in made_clips(run).items() if clip.status == "ok"}
    return sorted(scored - made)


def _row(
    run: RunFolder,
    cell: Cell,
    clip: ClipRow,
    found: ScoresFile,
    facts: MetricInfo,
    read_as: HowRead,
) -> ScoreRow:
    """Return what the table says of a clip."""
    row = blank_row(run, cell, clip, facts)
    if clip.status != "ok":
        return row
    told = found.metrics[facts.name].values.get(cell)
    row = replace(row, **read_as.get((cell, clip.sha256), {}))
    if isinstance(told, float):
        return replace(row, status="ok", value=told, reason=None)
    return replace(row, reason=told or f"{found.path.name} has no row of this clip")


def _renewed(
    run: RunFolder,
    cell: Cell,
    clip: ClipRow,
    facts: MetricInfo,
    before: ScoreRow | None,
    read_as: HowRead,
) -> ScoreRow:
    """Return the row of a clip as it should be, without the table."""
    blank = blank_row(run, cell, clip, facts)
    if clip.status != "ok":
        return blank
    if before is not None and before.definition != facts.definition_id:
        return before  # an import that was cut off: the same command ends it
    if before is None or before.clip != clip.sha256:
        assert facts.imported is not None
        when = "has been made since" if before is None else "is another than"
        return replace(
            blank, reason=f"the clip {when} {facts.imported.file} was imported: import it again"
        )
    return replace(before, **read_as.get((cell, clip.sha256), {}))


def blank_row(run: RunFolder, cell: Cell, clip: ClipRow, facts: MetricInfo) -> ScoreRow:
    """Return the row of a metric on a clip, without a value."""
    edit = run.suite.edit(cell.edit)
    lost = clip.status != "ok"
    return ScoreRow(
        *cell,
        metric=facts.name,
        status=clip.status if lost else "failed",
        video=edit.video,
        category=edit.category,
        definition=facts.definition_id,
        clip=clip.sha256,
        reason=no_clip(clip) if lost else None,
    )


def finish_import(
    run: RunFolder,
    rows: Rows,
    facts: Mapping[str, MetricInfo],
    removed: list[str],
    *,
    changed: bool,
) -> None:
    """Sort the scores if they are not, then note in run.json what they mean."""
    if changed or not is_complete(run.scores):
        write_scores(run.scores, rows)
    kept = {name: one for name, one in run.info.metrics.items() if name not in removed}
    after = replace(run.info, metrics={**kept, **facts})
    if after != run.info:
        run.info = replace(after, scored_with=run.info.scored_with or versions())
        run.save()
    run.keep_rows()
