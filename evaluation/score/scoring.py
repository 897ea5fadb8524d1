"""Scores the clips of a run: what is missing is computed, the rest is left as it is.

The work goes video by video, each in one process; the rows of a video are appended in one write
when it is done. At the end the rows are sorted, so that an interrupted and an uninterrupted run
leave the same bytes.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from dreamix.core.errors import UserError
from dreamix.core.progress import Progress
from dreamix.core.records import only_writer
from evaluation.features.base import check_device
from evaluation.judge.judge import JudgeSettings
from evaluation.metrics.base import METRICS
from evaluation.run.folder import RunFolder
from evaluation.run.info import MetricInfo, package_info
from evaluation.run.versions import versions
from evaluation.sample.frames import check_policy
from evaluation.schema import ScoreRow, counted_reasons
from evaluation.score.command import TimeLimits, commands_of, said_before
from evaluation.score.composite_file import Composite, read_composites
from evaluation.score.composite_scores import (
    check_composites,
    composite_facts,
    composite_rows,
    kept_composites,
)
from evaluation.score.imported_scores import imported_names, imported_rows
from evaluation.score.judge_cost import check_cost
from evaluation.score.judging import judge_metrics
from evaluation.score.passes import Keeper, ProgramMetrics, Work
from evaluation.score.plan import Choice, check_room, choose_metrics, plan
from evaluation.score.remarks import gathered, partial
from evaluation.score.settled import Settled, digest_of, settle, settled
from evaluation.score.table import Key, append_scores, is_complete, read_scores, write_scores
from evaluation.settings import ModelSettings

Rows = dict[Key, ScoreRow]
TAKEN = "the run has imported scores of that name: import them under another one to have both"


class Summary(NamedTuple):
    """What one call did, and what the run now holds of the metrics it was asked for."""

    computed: int
    counts: dict[str, int]  # status ("missing": no clip was made) -> scores
    reasons: dict[str, int]  # why scores failed -> how many
    notes: dict[str, int]  # what a reader must know of some values -> how many
    remarks: list[str]  # how clips were read where it is not the plain case, by method
    partial: list[str]  # methods with clips that cover a part of their source
    not_run: dict[str, str]  # metric -> what is missing and how to get it
    seconds: dict[str, float]  # by stage, summed over processes


def score_run(
    out: Path,
    names: list[str],
    settings: ModelSettings,
    *,
    policy: str = "auto",
    least_share: float | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    composite: Path | None = None,
    commands: Sequence[str] = (),
    limits: TimeLimits | None = None,
    judges: Sequence[str] = (),
    judging: JudgeSettings | None = None,
    opened: RunFolder | None = None,
) -> Summary:
    """Return what was done to give every clip of the run at `out` the metrics `names`.

    policy: see evaluation/sample/frames.py. workers: processes; no score depends on how many.
    least_share: of its source; a clip that covers less is partial. None: as the run has it.
    On a suite rendered in a world that has a CLIP of its own, it is that unless `settings` name
    another.
    composite: file of composite metrics to work out from the scores; those of earlier files are
    renewed without it.
    commands: metrics that are programs, as `cmd:NAME=COMMAND`.
    limits: how long those may be silent.
    judges: vision-language models to be asked, as `NAME=openai:URL#MODEL`; judging: how.
    opened: the folder at `out`, if it is open: what was read of it is not read again.
    """
    check_policy(policy)
    run = opened or RunFolder(out)
    run.check()
    given = read_composites(composite) if composite else []
    settings = settings.on(run.suite.world)
    with only_writer(out):
        check_device(settings.device)
        programs = _programs(run, commands, limits)
        judging = judging or JudgeSettings(device=settings.device)
        _add_judges(programs, run, judges, judging, policy)
        choice, held = _chosen(run, names, settings, policy, programs.definitions)
        definitions = _definitions(run, choice)
        check_composites(given, definitions)
        asked = choice.definitions, held, choice.not_run, settings.to_dict(), policy, least_share
        if not given and (known := settled(run, digest_of(run, *asked))):
            return _nothing_to_do(known, choice)
        rows = read_scores(run.scores)
        check_cost(plan(run, choice.definitions, rows), programs.judges, judging, run.suite)
        keeper = Keeper(run, rows, progress)
        Work(run, settings, policy, workers, programs).do(keeper, choice.definitions)
        definitions |= choice.definitions
        composites = kept_composites(run) | {one.name: one for one in given}
        _renew(keeper, run, composites, definitions)
        facts = _facts(choice, settings, policy, programs, run, composites)
        _finish(run, rows, facts, choice, len(keeper.computed), least_share)
        run.keep_rows()
        told = [*choice.definitions, *held, *(one.name for one in given)]
        summary = _summary(run, rows, choice, keeper, told, programs.noise)
        if not given and not plan(run, choice.definitions, rows):
            _settle(run, digest_of(run, *asked), summary)
        return summary


def _programs(run: RunFolder, commands: Sequence[str], limits: TimeLimits | None) -> ProgramMetrics:
    """Return the metrics that are programs, with what they said when they last ran."""
    found = {one.name: one for one in commands_of(commands, run.info.metrics)}
    check_room(run, found, "--metrics")
    said = {name: said_before(one, run.info.metrics) for name, one in found.items()}
    return ProgramMetrics(found, said, limits or TimeLimits())


def _add_judges(
    programs: ProgramMetrics,
    run: RunFolder,
    judges: Sequence[str],
    judging: JudgeSettings,
    policy: str,
) -> None:
    """Put the metrics of judges to those of programs."""
    programs.judges = judge_metrics(run, judges, judging, policy) if judges else {}
    if twice := sorted(set(programs.judges) & set(programs.commands)):
        raise UserError(f"{twice[0]} is both a program and a judge: name one of them otherwise")
    check_room(run, programs.judges, "--judge")
    programs.said |= {name: one.said for name, one in programs.judges.items()}
    programs.together = judging.limits.together


def _chosen(
    run: RunFolder,
    names: list[str],
    settings: ModelSettings,
    policy: str,
    programs: dict[str, str],
) -> tuple[Choice, list[str]]:
    """Return which metrics are computed, and which of `names` were imported and are kept.

    programs: definitions of metrics that are programs.
    """
    imported = set(imported_names(run))
    held = [name for name in names if name in imported]
    computed = [name for name in names if name not in imported]
    choice = choose_metrics(computed, settings, policy, run.info.models)
    ours = {name: TAKEN for name in held if name in METRICS}
    return Choice(choice.definitions | programs, {**choice.not_run, **ours}, choice.found), held


def _renew(
    keeper: Keeper,
    run: RunFolder,
    composites: dict[str, Composite],
    definitions: dict[str, str],
) -> None:
    """Bring rows up to date that follow from others."""
    imported = imported_rows(run, keeper.rows)
    append_scores(run.scores, imported)
    keeper.rows |= {row.key: row for row in imported}
    keeper.keep(composite_rows(run, [*composites.values()], keeper.rows, definitions))


def _settle(run: RunFolder, digest: str | None, found: Summary) -> None:
    """Keep a summary for the next call, which has nothing to do."""
    if digest:
        told = found.counts, found.reasons, found.notes, found.remarks, found.partial
        settle(run, Settled(digest, *told))


def _nothing_to_do(known: Settled, choice: Choice) -> Summary:
    told = known.counts, known.reasons, known.notes, known.remarks, known.partial
    return Summary(0, *told, choice.not_run, {})


def _definitions(run: RunFolder, choice: Choice) -> dict[str, str]:
    """Return the definition of every metric that the run has or is about to get."""
    known = {name: facts.definition_id for name, facts in run.info.metrics.items()}
    return known | choice.definitions


def _finish(
    run: RunFolder,
    rows: Rows,
    facts: dict[str, MetricInfo],
    choice: Choice,
    computed: int,
    least_share: float | None,
) -> None:
    """Sort the scores if they are not, and note in run.json what they mean.

    facts: what this call has to say of each metric it computed.
    """
    if computed or not is_complete(run.scores):
        write_scores(run.scores, rows)
    metrics = {**run.info.metrics, **facts}
    not_run = {**run.info.not_run, **choice.not_run}
    left = {name: why for name, why in not_run.items() if name not in metrics}
    least = run.info.least_share if least_share is None else least_share
    after = replace(run.info, metrics=metrics, not_run=left, models=choice.found, least_share=least)
    if computed or run.info != after:
        run.info = replace(after, scored_with=versions())
        run.save()


def _facts(
    choice: Choice,
    settings: ModelSettings,
    policy: str,
    programs: ProgramMetrics,
    run: RunFolder,
    composites: dict[str, Composite],
) -> dict[str, MetricInfo]:
    """Return what run.json holds about each metric: what it declares, and how it was computed."""
    facts = {name: one.facts(programs.said[name]) for name, one in programs.asked.items()}
    for name, definition in choice.definitions.items():
        if name in facts:
            continue
        metric = METRICS.get(name)
        facts[name] = MetricInfo(
            **metric.facts(),
            definition_id=definition,
            models={model: choice.found[model][1] for model in metric.models},
            settings=settings.to_dict(),
            policy=policy,
            package=package_info(METRICS.brought_by(name)),
        )
    return facts | _composite_facts(run, composites, facts)


def _composite_facts(
    run: RunFolder, composites: dict[str, Composite], facts: dict[str, MetricInfo]
) -> dict[str, MetricInfo]:
    metrics = {**run.info.metrics, **facts}
    return {name: composite_facts(one, metrics) for name, one in composites.items()}


def _summary(
    run: RunFolder,
    rows: Rows,
    choice: Choice,
    keeper: Keeper,
    names: list[str],
    noise: dict[str, str],
) -> Summary:
    keys = [(*cell, name) for cell in run.cells() for name in names]
    found = [rows.get(key) for key in keys]
    counts = Counter(row.status if row else "missing" for row in found)
    failed = [row for row in found if row and row.status == "failed"]
    reasons = counted_reasons((str(row.reason), row.edit) for row in failed)
    judged = {name for name in names if (facts := run.info.metrics.get(name)) and facts.judge}
    notes = Counter(row.note for row in found if row and row.note and row.metric not in judged)
    notes |= {f"{name}: {what}": 1 for name, what in noise.items()}
    there = [row for row in found if row]
    read_as = gathered(there), partial(there, run.info.least_share)
    did = choice.not_run, keeper.seconds
    return Summary(len(keeper.computed), counts, reasons, notes, *read_as, *did)
