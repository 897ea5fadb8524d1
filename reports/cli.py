"""`dreamix report`: the page, tables and figures of a run."""

from pathlib import Path

import click

PATH = click.Path(path_type=Path)


@click.command()
@click.argument("run", type=PATH)
@click.option(
    "--out", type=PATH, metavar="DIR", help="Folder of the report.  [default: RUN/report]"
)
@click.option("--no-media", is_flag=True, help="Leave out the gallery: no clips are copied.")
@click.option(
    "--level",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Level of the intervals.",
)
@click.option(
    "--resamples",
    type=click.IntRange(100),
    default=2000,
    show_default=True,
    help="Of the bootstrap.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the bootstrap.")
def report(
    run: Path, out: Path | None, no_media: bool, level: float, resamples: int, seed: int
) -> None:
    """Write the report page of a run: RUN/report/index.html, with tables and figures."""
    from evaluation.progress import progress
    from reports.build import build_report
    from reports.summary import Resampling
    from reports.wording import summary_sentences

    resampling = Resampling(level, resamples, seed)
    with progress("clips") as watch:
        done = build_report(run, out or run / "report", resampling, media=not no_media, watch=watch)
    for sentence in summary_sentences(done.summary):
        click.echo(sentence)
    click.echo(f"report page: {done.page}")
