"""`dreamix bench`: check a suite, make its edits, score them, compare methods."""

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dreamix.core.names import one_line
from dreamix.core.progress import progress_bar
from dreamix.core.threads import cores
from dreamix.core.wording import plural
from dreamix.remote.place_type import Place
from evaluation.cluster.cli import SHARD, merge, part_of, spell
from evaluation.import_cli import import_scores
from evaluation.options import (
    PATH,
    RUN_OPTIONS,
    SCORE_OPTIONS,
    WORKERS,
    judge_settings,
    matching,
    method_specs,
    metric_specs,
    model_settings,
    odd_seeds,
)

if TYPE_CHECKING:
    from evaluation.run.folder import RunFolder
    from evaluation.score.scoring import Summary

SHORT = 0.5  # seconds of a stage, below which it is not named


@click.group()
def bench() -> None:
    """Make, score and compare edits on a suite."""


bench.add_command(merge)
bench.add_command(import_scores)


@bench.command()
@click.argument("suite", type=PATH)
@click.option("--media-root", type=PATH, help="Folder that the suite's paths start from.")
def check(suite: Path, media_root: Path | None) -> None:
    """Report every problem of a suite at once, with file and line.

    SUITE is a suite.yaml, the folder that holds one, or the name of one that comes with the
    toolkit, as `dreamix bench list` has them.
    """
    from dreamix.data.suite import load_suite
    from dreamix.data.suite_check import check_suite
    from dreamix.data.suite_entries import spell_groups

    problems = check_suite(suite, media_root)
    for problem in problems:
        click.echo(str(problem))
    if problems:
        click.echo(f"{len(problems)} problem{'s' * (len(problems) > 1)}", err=True)
        sys.exit(2)
    found = load_suite(suite, media_root)
    counted = f"{plural(len(found.videos), 'video')}, {plural(len(found.edits), 'edit')}"
    click.echo(f"{found.name}: {counted}, no problems")
    for line in spell_groups(found.edits):
        click.echo(line)


@bench.command()
@click.argument("suite", type=PATH)
@RUN_OPTIONS
@SHARD
@WORKERS
def run(**wanted: Any) -> None:
    """Make the edits of a suite: edits x methods x seeds. Resumed by the same command.

    SUITE is a path, or a suite that comes with the toolkit (see `dreamix bench list`).
    """
    sys.exit(make(**wanted)[0])


@bench.command()
@click.argument("run", type=Place("write"))
@SCORE_OPTIONS
@WORKERS
def score(run: Path, workers: int | None, **wanted: Any) -> None:
    """Score the clips of a run; what has a score already keeps it."""
    sys.exit(measure(run, workers=workers or cores(), **wanted))


@bench.command()
@click.argument("suite", type=PATH)
@RUN_OPTIONS
@SCORE_OPTIONS
@WORKERS
@click.pass_context
def compare(
    context: click.Context, suite: Path, out: Path, workers: int | None, **wanted: Any
) -> None:
    """Run, score and report in one go: from a suite to a page.

    SUITE is a path, or a suite that comes with the toolkit (see `dreamix bench list`).
    """
    from evaluation.run.report_stamp import is_current, leave_stamp

    of_run = ("methods", "seeds", "edits", "media_root", "backend", "executor", "gpus_per_worker")
    run_options = {name: wanted.pop(name) for name in of_run}
    code, opened = make(suite, out=out, workers=workers, **run_options)
    codes = [code, measure(out, workers=workers or cores(), opened=opened, **wanted)]
    program = context.find_root().command
    if isinstance(program, click.Group) and (report := program.get_command(context, "report")):
        if is_current(out):
            click.echo(f"report page: {out / 'report' / 'index.html'} (nothing has changed)")
        else:
            context.invoke(report, run=out)
            leave_stamp(out)
    sys.exit(max(codes))


def make(
    suite: Path,
    *,
    methods: tuple[str, ...],
    seeds: int | None,
    edits: tuple[str, ...],
    media_root: Path | None,
    backend: str,
    out: Path,
    workers: int | None,
    executor: str | None = None,
    gpus_per_worker: float | None = None,
    shard: str | None = None,
) -> "tuple[int, RunFolder | None]":
    """Make the clips and say how it went; return the exit code and the run folder, open."""
    from dreamix.backends.base import open_backend
    from dreamix.methods.base import ExpansionContext, needs_model, variants
    from evaluation.cluster.executors import executor_of
    from evaluation.run.read_before import note_suite, suite_for
    from evaluation.run.runner import run_suite, tally

    makers = executor_of(executor, workers, gpus_per_worker, cores())
    loaded = suite_for(suite, media_root, out)
    specs = method_specs(methods)
    model = open_backend(backend) if any(map(needs_model, specs)) else None
    asked = ExpansionContext(loaded.edit_ids, lambda text: click.echo(f"note: {text}"))
    columns = [column for spec in specs for column in variants(spec, model, asked)]
    for line in odd_seeds(columns, seeds):
        click.echo(f"note: {line}")
    chosen = matching([edit.id for edit in loaded.edits], edits)
    if shard:
        out, chosen = part_of(loaded, chosen, out, shard)
        if not chosen:
            click.echo(f"shard {shard} has no videos: nothing to do")
            return 0, None
    with progress_bar("edits") as progress:
        made = run_suite(
            loaded,
            columns,
            out,
            seeds=seeds,
            edits=chosen,
            backend=backend,
            progress=progress,
            executor=makers,
        )
    note_suite(suite, media_root, loaded, made)
    counts, reasons = tally(made)
    click.echo(f"{out}: {spell(counts)} clips")
    for remark, count in Counter(makers.remarks).items():
        click.echo(f"note: {count} x {remark}")
    show_reasons(reasons)
    return (1 if counts.get("failed") else 0), made


def measure(
    run: Path,
    *,
    opened: "RunFolder | None" = None,
    metrics: tuple[str, ...],
    align: str,
    workers: int,
    least_share: float | None = None,
    composite: Path | None = None,
    cmd_start: float | None = None,
    cmd_clip: float | None = None,
    judges: tuple[str, ...] = (),
    **models: Any,
) -> int:
    """Score the clips and say how it went; return the exit code."""
    from evaluation.run.folder import RunFolder
    from evaluation.score.command import TimeLimits, check_programs
    from evaluation.score.imported_scores import imported_names
    from evaluation.score.plan import metric_names
    from evaluation.score.scoring import score_run

    judging = judge_settings(models, models.get("device") or "cpu")
    settings = model_settings(models)
    opened = opened or RunFolder(run)
    held = {name: str(opened.info.metrics[name].axis) for name in imported_names(opened)}
    wanted, programs = metric_specs(metrics)
    check_programs(wanted, opened.info.metrics)
    names = metric_names(wanted, held) if wanted or not (programs or judges) else []
    given = {"start": cmd_start, "clip": cmd_clip}
    limits = TimeLimits(**{name: seconds for name, seconds in given.items() if seconds is not None})
    with progress_bar("scores") as progress:
        done = score_run(
            run,
            names,
            settings,
            policy=align,
            least_share=least_share,
            workers=workers,
            progress=progress,
            composite=composite,
            commands=programs,
            limits=limits,
            judges=judges,
            judging=judging,
            opened=opened,
        )
    tell(run, done)
    asked_in_vain = bool(metrics) and bool(done.not_run)
    return 1 if done.counts.get("failed") or done.counts.get("missing") or asked_in_vain else 0


def tell(run: Path, done: "Summary") -> None:
    """Say how a scoring went."""
    click.echo(f"{run}: {done.computed} scores computed; now {spell(done.counts)}")
    if done.seconds:
        click.echo(f"seconds by stage: {spell_seconds(done.seconds)}")
    for why in dict.fromkeys(done.not_run.values()):
        names = [name for name, reason in done.not_run.items() if reason == why]
        click.echo(one_line(f"not run: {', '.join(names)}: {why}"))
    for note, count in done.notes.items():
        click.echo(one_line(f"note: {count} x {note}"))
    for remark in done.remarks:
        click.echo(one_line(f"note: {remark}"))
    for method in done.partial:
        click.echo(one_line(f"partial: {method}"))
    show_reasons(done.reasons)


def spell_seconds(seconds: dict[str, float]) -> str:
    """Return the stages and their seconds, the longest first; short ones together."""
    ordered = sorted(seconds.items(), key=lambda pair: -pair[1])
    told = [f"{name} {spent:.1f}" for name, spent in ordered if spent >= SHORT]
    rest = [spent for _, spent in ordered if spent < SHORT]
    others = [f"{len(rest)} other{'s' * (len(rest) > 1)} {sum(rest):.1f}"] if rest else []
    return ", ".join(told + others)


def show_reasons(reasons: dict[str, int], most: int = 10) -> None:
    """Print why things failed, the commonest reason first."""
    ordered = sorted(reasons.items(), key=lambda pair: -pair[1])
    for reason, count in ordered[:most]:
        click.echo(one_line(f"failed: {count} x {reason}"))
    if len(ordered) > most:
        click.echo(f"failed: ... and {len(ordered) - most} other reasons, all in the rows")


@bench.command("list")
def list_() -> None:
    """List the suites, methods and metrics of this installation, and what the metrics need."""
    from dreamix.data.known_suites import known_suites
    from dreamix.methods.base import METHODS
    from evaluation.metrics.base import METRICS

    click.echo(f"suites that come with the toolkit: {', '.join(known_suites())}")
    click.echo("\nmethods")
    for name in METHODS.names():
        found = METHODS.get(name)
        click.echo(f"  {name:24} {'anchor  ' if found.anchor else '        '}{found.definition}")
    click.echo("\nmetrics (axis, better, needs)")
    for name in METRICS.names():
        metric = METRICS.get(name)
        arrow = {"higher": "up", "lower": "down", "neither": "-"}[metric.better]
        click.echo(f"  {name:24} {metric.axis:10} {arrow:5} {', '.join(metric.needs)}")
