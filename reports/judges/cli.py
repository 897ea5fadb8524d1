"""`dreamix judge`: judges of edits, examined."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dreamix.core.errors import UserError
from dreamix.core.progress import progress_bar
from dreamix.data.worlds import WORLDS
from dreamix.remote.place_type import Place
from evaluation.options import ASKING_OPTIONS, AUDIT_OPTION, judge_settings

if TYPE_CHECKING:
    from evaluation.judge.audit.exam import Exam


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
@click.option(
    "--run",
    type=Place(),
    metavar="RUN",
    help="Ask about the real clips of a run instead: its sources, and what raters agreed on.",
)
@click.option(
    "--votes",
    type=Place(),
    metavar="EXPORT",
    help="With --run: the export of a study of it, for clips that all raters called the same.",
)
@click.option("--device", help="A torch device, for NAME=local:FOLDER.  [default: cpu]")
@ASKING_OPTIONS
def audit(
    judge: str,
    sources: int,
    out: Path,
    world: str,
    seed: int,
    run: Path | None,
    votes: Path | None,
    device: str | None,
    **asking: Any,
) -> None:
    """Ask a judge about edits of which all is known: which of its abilities can be believed?

    NAME=local:FOLDER is a model on this machine; NAME=archive: makes page and record again from the
    answers in FOLDER. The same command goes on where it was interrupted; more sources add to those
    that were asked about.
    """
    from dreamix.core.records import only_writer
    from evaluation.judge.audit.audit import audit as examined
    from evaluation.judge.audit.audit import enough
    from evaluation.judge.audit.exam import exam_of
    from reports.judges.audit_page import write_page

    settings = judge_settings(asking, device or "cpu")
    if votes and not run:
        raise UserError("--votes are of clips of a run: name that with --run")
    exam = _of_run(run, votes, sources, seed) if run else exam_of(WORLDS.get(world), sources, seed)
    click.echo(enough(len(exam.edits)))
    with only_writer(out), progress_bar("questions") as progress:
        done = examined(judge, exam, seed, out, settings, progress)
        page = write_page(done, out)
    for ability, verdict in done.record.abilities.items():
        click.echo(f"{ability}: {verdict}")
    for note in done.record.notes:
        click.echo(f"note: {note}")
    click.echo(f"audit page: {page}")


@judge.command()
@click.argument("judge", metavar="NAME=openai:URL#MODEL")
@click.argument("run", type=Place("write"))
@click.option(
    "--out",
    type=Place("write"),
    metavar="FOLDER",
    help="Page and tables.  [default: RUN/pairs/NAME]",
)
@click.option("--methods", multiple=True, metavar="NAME[,NAME...]", help="[default: all]")
@click.option(
    "--questions",
    multiple=True,
    metavar="NAME[,NAME...]",
    help="Of alignment, fidelity, quality, exclusivity.  [default: all]",
)
@click.option(
    "--align",
    type=click.Choice(["auto", "pts", "span", "index"]),
    default="auto",
    show_default=True,
    help="How frames of edit and source are paired.",
)
@AUDIT_OPTION
@click.option("--device", help="A torch device, for NAME=local:FOLDER.  [default: cpu]")
@ASKING_OPTIONS
def pairs(
    judge: str,
    run: Path,
    out: Path | None,
    methods: tuple[str, ...],
    questions: tuple[str, ...],
    align: str,
    device: str | None,
    **asking: Any,
) -> None:
    """Have a judge compare all pairs of methods on every edit, in both orders.

    Answers are kept in the run folder, as those of a scoring; the same command goes on where it was
    interrupted.
    """
    from dreamix.core.records import only_writer
    from evaluation.judge.judge import spec_of
    from evaluation.options import words
    from evaluation.run.folder import RunFolder
    from evaluation.score.judge_pairs import compare
    from reports.judges.pairs import write_pairs_page

    settings = judge_settings(asking, device or "cpu")
    opened, folder = RunFolder(run), out or run / "pairs" / spec_of(judge).name
    opened.check()
    with only_writer(run), progress_bar("pairs") as progress:
        asked = words(methods), words(questions)
        done = compare(opened, judge, *asked, settings, align, progress)
    with only_writer(folder):
        page, found = write_pairs_page(done.rows, done.judge, done.audit, folder)
    for line in (*found, *(f"note: {note}" for note in done.judge.notes)):
        click.echo(line)
    click.echo(f"pairs page: {page}")


def _of_run(run: Path, votes: Path | None, sources: int, seed: int) -> "Exam":
    """Return the exam on the clips of a run."""
    from evaluation.judge.audit.footage import FootageExam
    from evaluation.run.folder import RunFolder
    from reports.judges.votes import voted_clips
    from reports.people.export import read_export

    opened = RunFolder(run)
    opened.check()
    voted = voted_clips(read_export(votes), opened) if votes else {}
    return FootageExam(opened, sources, seed, voted)
