"""`dreamix report` and `dreamix study analyze`: pages of a run, of a study, or of both.

A report reads files only. Ratings that are elsewhere, such as in the database of a study, are
exported first by the package that keeps them: entry points of the group `dreamix.ratings` name
functions (folder, database, out) that return the folder of the export, or None where there is
nothing of theirs.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dreamix.core.errors import UserError
from dreamix.core.places import inside
from dreamix.core.registry import NamedRegistry
from dreamix.core.wording import command
from dreamix.remote.place_type import Place, named_address

if TYPE_CHECKING:
    from reports.multiverse.protocols import Protocol
    from reports.parts import ReportPart
    from reports.summary import IntervalSettings

PATH = Place()
Say = Callable[[str], None]
Exporter = Callable[[Path, str | None, Path], Path | None]
RATINGS: NamedRegistry[Exporter] = NamedRegistry("exporter of ratings", "dreamix.ratings")
DATABASE = click.option(
    "--database", metavar="URL", help="Of the study's ratings, if not ratings.sqlite in its folder."
)
OUT = click.option("--out", type=Place("write"), metavar="DIR", help="Folder of the report.")
NO_MEDIA = click.option(
    "--no-media", is_flag=True, help="Leave out the gallery: no clips are copied."
)
ORDINAL = click.option(
    "--ordinal",
    is_flag=True,
    help="Fit ordinal models to the votes as well: minutes where there are thousands.",
)
HELPERS = click.option(
    "--with",
    "helpers",
    multiple=True,
    metavar="METRIC",
    help="Differences by votes and this metric together, where raters saw a part of the edits.",
)


def resampling_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command with the options of intervals: level, resamples, seed."""
    for option in (
        click.option("--seed", type=int, default=0, show_default=True, help="Of all draws."),
        click.option(
            "--resamples",
            type=click.IntRange(100),
            default=2000,
            show_default=True,
            help="Of the bootstrap.",
        ),
        click.option(
            "--level",
            type=click.FloatRange(0, 1, min_open=True, max_open=True),
            default=0.95,
            show_default=True,
            help="Level of the intervals.",
        ),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("run", type=PATH)
@click.option(
    "--study", type=PATH, metavar="DIR", help="A rater study of the run, or an export of one."
)
@DATABASE
@OUT
@NO_MEDIA
@ORDINAL
@HELPERS
@click.option(
    "--multiverse",
    is_flag=True,
    help="Compare the methods under protocols like those of other benchmarks as well.",
)
@click.option(
    "--protocols",
    type=PATH,
    metavar="FILE",
    help="With --multiverse: protocols of your own beside those.",
)
@resampling_options
def report(
    run: Path,
    study: Path | None,
    database: str | None,
    out: Path | None,
    no_media: bool,
    ordinal: bool,
    helpers: tuple[str, ...],
    multiverse: bool,
    protocols: Path | None,
    level: float,
    resamples: int,
    seed: int,
) -> None:
    """Write the report page of a run: RUN/report/index.html, with tables and figures.

    With --study the page says what raters said of the clips, and how far metrics follow them.
    """
    from reports.multiverse.protocols import protocols_of
    from reports.summary import IntervalSettings

    if ordinal and not study:
        raise UserError("--ordinal models ratings: name the study too, --study DIR")
    if helpers and not study:
        raise UserError("--with helps votes: name the study too, --study DIR")
    if protocols and not multiverse:
        raise UserError("--protocols are those of --multiverse: say that too")
    universes = protocols_of(protocols) if multiverse else ()
    how = IntervalSettings(level, resamples, seed)
    folder = out or inside(run, "report")
    export = _export_of(study, database, folder) if study else None
    with _told(ordinal) as say:
        _write_run(run, folder, how, export, not no_media, say, helpers, universes)


@click.command()
@click.argument("study", type=PATH)
@click.option("--run", type=PATH, metavar="RUN", help="[default: the run that study.yaml names]")
@click.option("--no-run", is_flag=True, help="Raters alone: no metrics beside them.")
@DATABASE
@OUT
@NO_MEDIA
@ORDINAL
@HELPERS
@resampling_options
def analyze(
    study: Path,
    run: Path | None,
    no_run: bool,
    database: str | None,
    out: Path | None,
    no_media: bool,
    ordinal: bool,
    helpers: tuple[str, ...],
    level: float,
    resamples: int,
    seed: int,
) -> None:
    """Write tables, figures and methods paragraph of a study: STUDY/analysis/index.html.

    STUDY is the folder of a study or of an export. Where the run's scores are at hand, the page has
    them too.
    """
    from reports.people.export import read_export
    from reports.summary import IntervalSettings

    how = IntervalSettings(level, resamples, seed)
    folder = out or inside(study, "analysis")
    export = _export_of(study, database, folder)
    if no_run and helpers:
        raise UserError("--with names a metric of a run, and --no-run leaves that out")
    beside = None if no_run else run or _run_of(study, read_export(export).study)
    with _told(ordinal) as say:
        if beside:
            _write_run(beside, folder, how, export, not no_media, say, helpers)
        elif helpers:
            raise UserError("--with names a metric of a run: name that too, --run RUN")
        else:
            _write_study(export, folder, how, say)


@contextmanager
def _told(ordinal: bool) -> Iterator[Say | None]:
    """Yield what shows where the fit of ordinal models is; None where none is asked for."""
    if not ordinal:
        yield None
        return
    from dreamix.editing_options import live_line

    with live_line() as say:
        yield lambda text: say(f"ordinal models, {text}")


def _export_of(study: Path, database: str | None, out: Path) -> Path:
    """Return the export of a study as it stands now, in out/ratings; an export is what it is."""
    from reports.people.export import is_export

    if is_export(study):
        return study
    for exported in RATINGS.each():
        if export := exported(study, database, inside(out, "ratings")):
            return export
    raise UserError(f"{study} is neither a study (no study.yaml) nor an export of one")


def _run_of(study: Path, says: dict[str, Any]) -> Path | None:
    """Return the run that a study names, if it is there and has scores; say so if it is not."""
    if says.get("origin") and not says.get("run"):
        if inside(study, "scores.csv").is_file():
            hint = f"{command('meta', 'report', study)} has the metrics of scores.csv as well"
            click.echo(f"raters alone: {hint}", err=True)
        return None
    named = Path(str(says.get("run", "")))
    if address := named_address(named):  # an export may be a stranger's: it sends us nowhere
        click.echo(f"raters alone: the run is at {address}; --run {address} has it too", err=True)
        return None
    run = (study / named).resolve()
    if (run / "scores.jsonl").is_file():
        return run
    click.echo(f"no scores in {run}: raters alone; --run names the run folder", err=True)
    return None


def _write_run(
    run: Path,
    out: Path,
    how: "IntervalSettings",
    export: Path | None,
    media: bool,
    ordinal: Say | None,
    helpers: tuple[str, ...],
    protocols: "tuple[Protocol, ...]" = (),
) -> None:
    from dreamix.core.progress import progress_bar
    from reports.build import build_report
    from reports.metrics.sentences import summary_sentences

    compared = progress_bar("protocols") if protocols else nullcontext()
    with progress_bar("clips") as progress, compared as told:
        done = build_report(
            run, out, how, export=export, ordinal=ordinal, helpers=helpers, protocols=protocols,
            media=media, progress=progress, compared=told,
        )  # fmt: skip
    first, clips, *rest = summary_sentences(done.summary)
    metrics = ["", "What metrics say:"] if done.parts else []
    found = [*rest, *(sentence for part in done.rankings for sentence in part.found)]
    _tell([first, clips, *_found(done.parts), *metrics, *found], done.page)


def _write_study(export: Path, out: Path, how: "IntervalSettings", ordinal: Say | None) -> None:
    from reports.people.build import build_study
    from reports.people.export import read_export

    page, parts = build_study(read_export(export), out, how, ordinal)
    _tell(_found(parts), page)


def _found(parts: list["ReportPart"]) -> list[str]:
    """Return what parts say, under the names of their groups."""
    from reports.parts import grouped

    return [line for name, found in grouped(parts) for line in ("", f"{name}:", *found)]


def _tell(sentences: list[str], page: Path) -> None:
    for sentence in sentences:
        click.echo(sentence)
    click.echo(f"report page: {page}")
