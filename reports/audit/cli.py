"""`dreamix judge`: judges of edits, examined."""

from pathlib import Path
from typing import Any

import click

from dreamix.core.progress import progress_bar
from dreamix.data.worlds import WORLDS
from dreamix.remote.place_type import Place
from evaluation.options import ASKING_OPTIONS, judge_settings


@click.group()
def judge() -> None:
    """Examine judges of edits on exact truth."""


@judge.command()
@click.argument("judge", metavar="NAME=openai:URL#MODEL")
@click.option(
    "--sources",
    type=click.IntRange(2, 10_000),
    default=40,
    show_default=True,
    help="Source clips; 40 find bad judges, about 160 can certify good ones.",
)
@click.option(
    "--out", type=Place("write"), required=True, metavar="FOLDER", help="Page, record and answers."
)
@click.option(
    "--world", type=click.Choice(WORLDS.names()), default=WORLDS.names()[0], show_default=True,
    help="Whose scenes are rendered.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the scenes.")
@click.option("--device", help="A torch device, for NAME=local:FOLDER.  [default: cpu]")
@ASKING_OPTIONS
def audit(
    judge: str, sources: int, out: Path, world: str, seed: int, device: str | None, **asking: Any
) -> None:
    """Ask a judge about edits of which all is known: which of its abilities can be believed?

    NAME=local:FOLDER is a model on this machine; NAME=archive: makes page and record again from the
    answers in FOLDER. The same command goes on where it was interrupted; more sources add to those
    that were asked about.
    """
    from dreamix.core.records import only_writer
    from evaluation.judge.audit.audit import audit as examined
    from evaluation.judge.audit.audit import enough
    from reports.audit.page import write_page

    settings = judge_settings(asking, device or "cpu")
    click.echo(enough(sources))
    with only_writer(out), progress_bar("questions") as progress:
        done = examined(judge, world, sources, seed, out, settings, progress)
        page = write_page(done, out)
    for ability, verdict in done.record.abilities.items():
        click.echo(f"{ability}: {verdict}")
    for note in done.record.notes:
        click.echo(f"note: {note}")
    click.echo(f"audit page: {page}")
