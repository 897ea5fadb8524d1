"""Options and commands of `dreamix bench` for more than one machine."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dreamix.core.errors import UserError
from dreamix.core.progress import progress_bar
from dreamix.core.wording import listed
from dreamix.remote.place_type import Place

if TYPE_CHECKING:
    from dreamix.data.suite import Suite

WHERE = (
    click.option(
        "--executor",
        metavar="WHERE",
        help="local:N processes; ray, ray:HOST:PORT or ray:local for a Ray cluster.  "
        "[default: local]",
    ),
    click.option(
        "--gpus-per-worker",
        type=click.FloatRange(0),
        metavar="SHARE",
        help="GPUs of a Ray worker, such as 0.5.  [default: 1 for a pretrained model, else 0]",
    ),
)
SHARD = click.option(
    "--shard",
    metavar="I/N",
    help="Only the I-th of N parts, I from 1 to N, in RUN.shard-I-of-N (see `bench merge`).",
)


@click.command()
@click.argument("out", type=Place("write"))
@click.argument("runs", type=Place(), nargs=-1, required=True)
def merge(out: Path, runs: tuple[Path, ...]) -> None:
    """Join RUNS of one suite into the run folder OUT: parts made with --shard, or methods."""
    from evaluation.cluster.shards import absent
    from evaluation.run.merging import merge_runs
    from evaluation.run.runner import tally
    from evaluation.score.imported_scores import imported_names
    from evaluation.score.merged_imports import imports_of

    with progress_bar("merge") as progress:
        merged = merge_runs(out, runs, progress, imports_of)
    counts, _reasons = tally(merged)
    click.echo(f"{out}: {spell(counts)} clips of {len(runs)} runs")
    if names := imported_names(merged):
        click.echo(f"scores from elsewhere: {listed(names)}; `bench score` computes all others")
    for number, parts in absent(merged.suite, runs):
        click.echo(f"note: shard {number}/{parts} is not among them")
    for line in differing_versions(merged.info.versions, runs):
        click.echo(f"note: {line}")
    if counts.get("missing"):
        raise UserError(
            f"{counts['missing']} of {counts.total()} clips are missing: a part was not finished"
        )


def differing_versions(ours: dict[str, str], runs: tuple[Path, ...]) -> list[str]:
    """Return a line for every run that was made with other versions than the merged one tells."""
    from evaluation.run.folder import RunFolder
    from evaluation.run.versions import spell_differences

    lines = []
    for path in runs:
        if told := spell_differences(RunFolder(path).info.versions, ours):
            lines.append(f"{path} was made with {told}")
    return lines


def part_of(suite: "Suite", edits: list[str], out: Path, shard: str) -> tuple[Path, list[str]]:
    """Return the run folder of a shard, and which of the edits are its."""
    from evaluation.cluster.shards import folder_of, shard_of, videos_of

    wanted = shard_of(shard)
    videos = videos_of(suite, wanted)
    return folder_of(out, wanted), [edit for edit in edits if suite.edit(edit).video in videos]


def spell(counts: dict[str, int]) -> str:
    """Return "508 ok, 3 failed" with the words a reader expects."""
    names = {"ok": "ok", "failed": "failed", "n/a": "do not apply", "missing": "missing"}
    return (
        ", ".join(f"{counts[key]} {word}" for key, word in names.items() if counts.get(key)) or "0"
    )
