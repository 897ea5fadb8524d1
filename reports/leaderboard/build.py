"""From SITE/data to the pages of a leaderboard: the same data give the same bytes.

Nothing here reads a clock or a run folder; every draw is seeded. Pages, tables and figures are
written whole, one by one, and what an earlier build left of entries that are gone is removed.
"""

from pathlib import Path

from dreamix.core.places import inside, own_folder
from dreamix.core.progress import Progress
from reports.leaderboard.pages import (
    draw_ranks,
    figure_files,
    write_entries,
    write_history,
    write_view,
)
from reports.leaderboard.site_data import SiteData
from reports.leaderboard.site_views import site_of
from reports.leaderboard.table_files import write_tables
from reports.summary import IntervalSettings

FOLDERS = ("views", "entries", "tables", "figures")
SUFFIXES = (".html", ".csv", ".json", ".svg", ".png", ".pdf")


def build_site(
    folder: Path, data: SiteData, how: IntervalSettings, progress: Progress | None = None
) -> Path:
    """Return the page of a leaderboard, written with all others to the folder of its data."""
    for name in FOLDERS:
        own_folder(inside(folder, name))
    site = site_of(folder, data, how, progress)
    views = [board.view for board in site.boards]
    written = [*write_tables(site), *write_entries(site), *write_history(site)]
    written += [write_view(site, board, views) for board in site.boards[1:]]
    plot = draw_ranks(site)
    written += figure_files(plot.name) if plot else []
    _remove_others(folder, set(written))
    write_view(site, site.boards[0], views, plot)
    return folder / "index.html"


def _remove_others(folder: Path, written: set[str]) -> None:
    """Remove pages and tables of entries and views that are not there any more."""
    for name in FOLDERS:
        for path in sorted((folder / name).iterdir()):
            if path.suffix in SUFFIXES and f"{name}/{path.name}" not in written:
                path.unlink()
