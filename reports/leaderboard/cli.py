"""`dreamix leaderboard`: submissions of many runs and studies, checked, on static pages."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dreamix.core.errors import UserError
from dreamix.core.names import one_line
from dreamix.core.wording import plural
from dreamix.remote.place_type import Place, address_of
from reports.cli import PATH, resampling_options

if TYPE_CHECKING:
    from reports.leaderboard.admission import AdmissionTerms
    from reports.leaderboard.site_data import SiteData
    from reports.summary import IntervalSettings


def _seed_numbers(
    _ctx: click.Context, _option: click.Parameter, given: str | None
) -> tuple[int, ...] | None:
    """Return seeds that are given as "0,1,2"."""
    if given is None:
        return None
    try:
        found = tuple(sorted({int(part) for part in given.split(",")}))
    except ValueError:
        raise click.BadParameter("name whole numbers, as 0,1,2") from None
    return found


def _licence(_ctx: click.Context, _option: click.Parameter, given: str) -> str:
    """Return a licence that pages can show."""
    from reports.leaderboard.entry import plain_line

    try:
        return plain_line(given) if given else ""
    except ValueError as error:
        raise click.BadParameter(str(error).strip()) from None


@click.command()
@click.argument("runs", nargs=-1, type=PATH, metavar="[RUN]...")
@click.option(
    "--out", "site", required=True, type=Place("write"), metavar="SITE", help="Folder of the site."
)
@click.option(
    "--study",
    "studies",
    multiple=True,
    type=PATH,
    metavar="EXPORT",
    help="An export of a rater study of the methods, also an imported one; may be given again.",
)
@click.option("--check", is_flag=True, help="Only check: nothing is written.")
@click.option(
    "--licence",
    default="",
    callback=_licence,
    metavar="TEXT",
    help="Of all methods for which no submission.yaml states one.",
)
@click.option(
    "--seeds",
    callback=_seed_numbers,
    metavar="LIST",
    help="Seeds that count of every method, as 0,1,2.  [default: all have the same]",
)
@click.option("--title", metavar="TEXT", help="Of the site.  [default: that of the suite]")
@resampling_options
def leaderboard(
    runs: tuple[Path, ...],
    site: Path,
    studies: tuple[Path, ...],
    check: bool,
    licence: str,
    seeds: tuple[int, ...] | None,
    title: str | None,
    level: float,
    resamples: int,
    seed: int,
) -> None:
    """Enter the methods of runs on a leaderboard: SITE/index.html, with pages and data beside.

    Every run is checked first: hashes, coverage, scores, licence, seeds. If anything speaks against
    any of them, all reasons are told, nothing is written, and the exit code is 1. What was entered
    earlier stays; without RUN the pages are made anew.
    """
    from dreamix.core.records import only_writer
    from reports.leaderboard.admission import AdmissionTerms
    from reports.summary import IntervalSettings

    terms = AdmissionTerms(licence, title, seeds)
    how = IntervalSettings(level, resamples, seed)
    if check:
        _admitted(site, runs, studies, terms, how)
        click.echo("nothing was written: --check only looks")
        return
    with only_writer(site):
        _write(site, _admitted(site, runs, studies, terms, how), how)


def _admitted(
    site: Path,
    runs: tuple[Path, ...],
    studies: tuple[Path, ...],
    terms: "AdmissionTerms",
    how: "IntervalSettings",
) -> "SiteData":
    """Return the data of the new site; where something is refused, say all of it and end."""
    from dreamix.core.progress import progress_bar
    from reports.leaderboard.admission import admit
    from reports.leaderboard.site_data import read_site

    before = read_site(site)
    if not runs and before is None:
        raise UserError(f"{site} has no leaderboard yet: name the runs to enter")
    with progress_bar("checking clips") as progress:
        found = admit(before, runs, studies, terms, how, progress)
    if found.data is None:
        named = {str(path): address_of(path) for path in (*runs, *studies)}
        for line in _refusals({named.get(k) or k: held for k, held in found.reasons.items()}):
            click.echo(line, err=True)
        raise click.exceptions.Exit(1)
    for one in sorted(found.entered, key=lambda one: one.id):
        lost = f", {len(one.clips) - one.made} without" if one.made < len(one.clips) else ""
        click.echo(f"{one.facts.name}: {plural(one.made, 'clip')}{lost}; entry {one.id}")
    return found.data


def _refusals(reasons: dict[str, list[str]]) -> Iterable[str]:
    """Yield every reason, under what it is about."""
    for where, several in reasons.items():
        yield one_line(f"{where}: refused for {plural(len(several), 'reason')}")
        yield from (one_line(f"  {why}") for why in several)
    yield "nothing was written"


def _write(site: Path, data: "SiteData", how: "IntervalSettings") -> None:
    from dreamix.core.progress import progress_bar
    from reports.leaderboard.build import build_site
    from reports.leaderboard.site_data import write_site_data

    write_site_data(site, data)
    with progress_bar("pages") as progress:
        page = build_site(site, data, how, progress)
    click.echo(f"leaderboard: {page}")
