"""Scores from elsewhere of runs that are merged: one metric of all, or why it cannot be one.

Other scores are computed on the whole again; these are with nobody else. What they mean is then the
values themselves: the hash is theirs, so that the same parts give the same metric in any order.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from dreamix.core.errors import Mistakes, Problem
from dreamix.core.records import to_json
from evaluation.run.folder import RunFolder
from evaluation.run.info import MetricInfo
from evaluation.schema import Cell, ScoreRow
from evaluation.score.imported_scores import blank_row, finish_import, imported_names, made_clips
from evaluation.score.scores_file import imported_definition
from evaluation.score.table import read_scores

Found = dict[str, list[tuple[RunFolder, MetricInfo, dict[Cell, ScoreRow]]]]  # by metric
APART = "; "  # between the names of tables
NOBODYS = "no run that was merged has a score of this clip"


def imports_of(runs: Sequence[RunFolder]) -> Callable[[RunFolder], None]:
    """Return what puts the imported scores of some runs into the run that they are merged into.

    Raises:
        Mistakes: with all that these runs say differently of a metric or a clip.
    """
    found = _found(runs)
    problems = [*_clashes(runs), *chain.from_iterable(map(_contradictions, found.values()))]
    if problems:
        raise Mistakes(problems)
    return lambda run: _bring(run, found)


def _found(runs: Sequence[RunFolder]) -> Found:
    found: Found = {}
    for run in runs:
        names = imported_names(run)
        rows = read_scores(run.scores).values() if names else ()
        for name in names:
            facts = run.info.metrics[name]
            held = {
                row.cell: row
                for row in rows
                if row.metric == name and row.definition == facts.definition_id
            }
            found.setdefault(name, []).append((run, facts, held))
    return found


def _clashes(runs: Sequence[RunFolder]) -> Iterator[Problem]:
    """Yield the names that mean an imported metric in one run and something else in another."""
    first: dict[str, tuple[RunFolder, MetricInfo]] = {}
    of_all = [(run, facts) for run in runs for facts in run.info.metrics.values()]
    for run, facts in sorted(of_all, key=lambda one: one[1].imported is None):
        other, before = first.setdefault(facts.name.casefold(), (run, facts))
        is_known = before.name == facts.name and facts.imported is not None
        if before.imported is not None and not is_known:
            yield _at(run, f"{facts.name} is another metric than {before.name}, which {other.path} "
                           "has from elsewhere: import that under another name")  # fmt: skip


def _contradictions(
    several: list[tuple[RunFolder, MetricInfo, dict[Cell, ScoreRow]]],
) -> Iterator[Problem]:
    """Yield what runs say differently of one metric, and of one clip."""
    (first, facts, _), *others = several
    for run, told, _ in others:
        for what, ours, theirs in zip(_CLAIMS, _claims(facts), _claims(told), strict=True):
            if ours != theirs:
                yield _at(run, f"{what} of {facts.name} is {theirs!r} here and {ours!r} in "
                               f"{first.path}: import it again into one of them")  # fmt: skip
    values: dict[tuple[Cell, str | None], tuple[RunFolder, float | None]] = {}
    for run, told, rows in several:
        for cell, row in rows.items():
            if row.status == "ok":
                other, value = values.setdefault((cell, row.clip), (run, row.value))
                if value != row.value:
                    where = f"{cell.method}, {cell.edit}, seed {cell.seed}"
                    yield _at(run, f"{told.name} of {where} is {row.value:g} here and {value:g} in "
                                   f"{other.path}: import it again into one of them")  # fmt: skip


_CLAIMS = ("direction", "axis", "source", "numbers that mean no score")


def _claims(facts: MetricInfo) -> tuple[object, ...]:
    assert facts.imported is not None
    return facts.better, facts.axis, facts.imported.source, facts.imported.missing


def _at(run: RunFolder, why: str) -> Problem:
    return Problem(str(run.path / "run.json"), 1, why)


def _bring(run: RunFolder, found: Found) -> None:
    """Write the scores and what they mean."""
    if not found:
        return
    rows = read_scores(run.scores)
    before, metrics = dict(rows), {}
    for name, several in found.items():
        own = _rows(run, several)
        facts = metrics[name] = _facts(several, own)
        rows |= {(*cell, name): replace(row, definition=facts.definition_id)
                 for cell, row in own.items()}  # fmt: skip
    finish_import(run, rows, metrics, [], changed=rows != before)


def _rows(
    run: RunFolder, several: list[tuple[RunFolder, MetricInfo, dict[Cell, ScoreRow]]]
) -> dict[Cell, ScoreRow]:
    """Return a row for every cell: a value that a run has, else the first reason why there is none.

    What was scored of another clip than the merged run has is left out.
    """
    found = {}
    for cell, clip in made_clips(run).items():
        blank = blank_row(run, cell, clip, several[0][1])
        told = [
            rows[cell] for _, _, rows in several if cell in rows and rows[cell].clip == clip.sha256
        ]
        if clip.status != "ok":
            found[cell] = blank
        elif told:
            found[cell] = min(told, key=lambda row: row.status != "ok")
        else:
            found[cell] = replace(blank, reason=NOBODYS)
    return found


def _facts(
    several: list[tuple[RunFolder, MetricInfo, dict[Cell, ScoreRow]]], rows: dict[Cell, ScoreRow]
) -> MetricInfo:
    """Return what run.json holds of a metric that several tables told of."""
    facts = several[0][1]
    assert facts.imported is not None
    tables = {
        file for _, one, _ in several if one.imported for file in one.imported.file.split(APART)
    }
    values = [[*cell, row.clip, row.value, row.reason] for cell, row in sorted(rows.items())]
    sha256 = hashlib.sha256(to_json(values).encode()).hexdigest()
    names = APART.join(sorted(tables))
    whole = replace(facts.imported, file=names, place="", sha256=sha256)
    return replace(
        facts,
        imported=whole,
        definition=f"Imported from {names}, computed by {whole.source}",
        definition_id=imported_definition(facts.name, facts.better, facts.axis, whole),
    )
