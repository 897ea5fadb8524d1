"""`dreamix suite`: suites of other benchmarks and of spreadsheets, in and out."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dreamix.core.wording import plural
from dreamix.remote.place_type import Place, localized

if TYPE_CHECKING:
    from dreamix.data.suite import Suite

PATH = Place()
FILE = Place("write", dir_okay=False)
LICENCE = click.option("--licence", help="Terms of clips and requests, where the format has none.")
FPS = click.option("--fps", type=click.FloatRange(0, min_open=True), help="Of folders of frames.")


@click.group()
def suite() -> None:
    """Bring suites in from other benchmarks or a spreadsheet, or write them out."""


@suite.command()
def formats() -> None:
    """List the formats: what their files are, how outputs lie, under which terms."""
    from dreamix.suite_formats.base import FORMATS

    for name in FORMATS.names():
        found = FORMATS.get(name)
        also = "" if found.write is None else " Can be written."
        click.echo(f"{name:15} {found.title}: {found.licence or 'terms of your own'}")
        click.echo(f"{'':15} {found.definition}{also}")


@suite.command("import")
@click.argument("format_", metavar="FORMAT")
@click.argument("path", type=Place(exists=True, whole=True))
@click.option(
    "--out",
    type=Place("write", file_okay=False),
    required=True,
    help="Folder to write suite.yaml to.",
)
@click.option(
    "--media-root",
    type=Place(file_okay=False),
    help="Folder of the clips.  [default: that of PATH]",
)
@click.option(
    "--outputs",
    multiple=True,
    metavar="FOLDER/*|NAME=FOLDER",
    help="Outputs of methods in the benchmark's layout, for outputs.csv; repeatable.",
)
@click.option("--partial", is_flag=True, help="Outputs may be missing: failures of their method.")
@click.option(
    "--copy", is_flag=True, help="Put the clips beside suite.yaml, where that is allowed."
)
@click.option("--commit", help="Of the benchmark's repository; kept in the suite.")
@click.option("--name", help="Of the suite.  [default: that of the format]")
@LICENCE
@FPS
def import_(
    format_: str, path: Path, out: Path, outputs: tuple[str, ...], *, partial: bool, **told: Any
) -> None:
    """Make a suite of another benchmark's files; `dreamix suite formats` lists FORMATs.

    Clips stay where they are. Nothing is written unless all is right.
    """
    from dreamix.suite_formats.base import FORMATS
    from dreamix.suite_formats.importing import ImportChoices, import_suite
    from dreamix.suite_formats.outputs import method_folders, outputs_of, write_outputs

    kind, folders = FORMATS.get(format_), method_folders(tuple(map(localized, outputs)))
    made = import_suite(
        kind,
        path,
        out,
        ImportChoices(**told),
        lambda rows: outputs_of(rows, folders, partial=partial),
    )
    for note in made.notes:
        click.echo(f"note: {note}")
    _say_what(made.suite)
    methods = ["unedited"]
    if folders:
        methods = [f"external:{write_outputs(out, made.outputs)}", *methods]
    _say_next(made.suite, out, methods)


@suite.command()
@click.argument("format_", metavar="FORMAT")
@click.argument("suite_", metavar="SUITE", type=PATH)
@click.option("--out", type=FILE, required=True, help="File to write.")
def export(format_: str, suite_: Path, out: Path) -> None:
    """Write a suite as another benchmark's file; clips stay where they are."""
    from dreamix.core.errors import UserError
    from dreamix.core.records import write_whole
    from dreamix.data.suite import load_suite
    from dreamix.suite_formats.base import FORMATS
    from dreamix.suite_formats.writing import left_out, written

    kind = FORMATS.get(format_)
    if kind.write is None:
        able = [name for name in FORMATS.names() if FORMATS.get(name).write]
        raise UserError(f"{kind.title} cannot be written; these can: {', '.join(able)}")
    found = load_suite(suite_, files=False)
    text = written(kind, found)
    for line in left_out(kind, found):
        click.echo(f"note: {line}")
    with write_whole(out) as file:
        file.write(text.encode())
    click.echo(f"{out}: {_counted(found)} for {kind.title}")


@suite.command()
@click.argument("folder", type=Place(exists=True, file_okay=False))
@click.option("--requests", type=PATH, help="Table of requests.  [default: FOLDER/requests.csv]")
@click.option("--name", help="Of the suite.  [default: that of the folder]")
@LICENCE
@FPS
def init(folder: Path, requests: Path | None, **told: Any) -> None:
    """Make a suite of a FOLDER of clips and a table of requests.

    Where there is no table yet, one is written with a row for every clip, to be filled in.
    """
    from dreamix.suite_formats.starting import init_suite, write_requests

    table = requests or folder / "requests.csv"
    if not table.exists():
        count = write_requests(folder, table)
        again = shlex.join(["dreamix", "suite", "init", str(folder)])
        click.echo(f"{table}: {plural(count, 'clip')}; fill it in, then call `{again}` again")
        return
    made = init_suite(folder, table, told)
    for note in made.notes:
        click.echo(f"note: {note}")
    _say_what(made.suite)
    _say_next(made.suite, folder, ["unedited"])


def _counted(found: "Suite") -> str:
    return f"{found.name}: {plural(len(found.videos), 'video')}, {plural(len(found.edits), 'edit')}"


def _say_what(found: "Suite") -> None:
    """Show what a suite has in it."""
    from dreamix.data.suite_entries import spell_groups

    for line in (_counted(found), *spell_groups(found.edits)):
        click.echo(line)


def _say_next(found: "Suite", out: Path, methods: list[str]) -> None:
    """Show the command that compares methods on the suite."""
    here = [] if found.media_root == found.root else ["--media-root", str(found.media_root)]
    words = ["dreamix", "bench", "compare", str(out), *here, "--methods", ",".join(methods)]
    click.echo(f"next: {shlex.join([*words, '--out', 'runs/mine'])}")
