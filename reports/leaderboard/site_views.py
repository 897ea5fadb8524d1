"""A leaderboard in memory: its data, and every page's columns and entries."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from dreamix.core.progress import Progress
from evaluation.run.info import LEAST_SHARE
from reports.figures.style import MarkerStyle, marks_of
from reports.leaderboard.board_view import BoardView, EntryFacts
from reports.leaderboard.columns import BoardColumn, metric_board_columns, study_board_columns
from reports.leaderboard.entry import Entry, dated
from reports.leaderboard.metric_columns import board_run, metric_columns, on_edits
from reports.leaderboard.site_data import SiteData, of_latest
from reports.leaderboard.views import EditsView, views_of
from reports.loading import Run
from reports.metrics.cost import method_cost
from reports.summary import IntervalSettings


class LeaderboardSite(NamedTuple):
    """Everything that pages are made from."""

    folder: Path
    data: SiteData
    how: IntervalSettings
    latest: dict[str, Entry]
    older: dict[str, str]
    boards: list[BoardView]  # all edits first

    @property
    def title(self) -> str:
        """What the leaderboard is called."""
        return self.data.board.title or f"{self.data.board.suite.name} leaderboard"

    @property
    def competing(self) -> list[Entry]:
        """Every entry but anchors, in the order in which they came."""
        return dated([one for one in self.data.entries.values() if not one.anchor])

    @property
    def look(self) -> dict[str, MarkerStyle]:
        """How methods are drawn, by their names."""
        return marks_of([*dict.fromkeys(one.facts.name for one in self.competing)])

    @property
    def names(self) -> dict[str, str]:
        """What entries are called, by id."""
        return {id_: one.facts.name for id_, one in self.data.entries.items()}


def site_of(
    folder: Path, data: SiteData, how: IntervalSettings, progress: Progress | None = None
) -> LeaderboardSite:
    """Return a leaderboard with the columns of all its views worked out."""
    latest, older = of_latest(data.entries.values())
    site = LeaderboardSite(folder, data, how, latest, older, [])
    site.boards.extend(_boards(site, progress))
    return site


def _boards(site: LeaderboardSite, progress: Progress | None) -> Iterable[BoardView]:
    board, chosen = site.data.board, [*site.latest.values()]
    run = board_run(board.suite, chosen, board.seeds, site.folder)
    views = views_of(board.suite)
    main: set[str] = set()
    for done, view in enumerate(views):
        if progress:
            progress(done, len(views))
        some = run if not view.kind else on_edits(run, view.edits)
        columns = _columns(site, some, view)
        main = main or {one.key for one in columns if one.main}
        columns = [one._replace(main=one.key in main) for one in columns]
        competing, anchors = (
            [_facts(some, one) for one in chosen if one.anchor is is_anchor]
            for is_anchor in (False, True)
        )
        yield BoardView(view, columns, competing, anchors, site.how)


def _columns(site: LeaderboardSite, run: Run, view: EditsView) -> list[BoardColumn]:
    competing = [one.id for one in site.latest.values() if not one.anchor]
    people = study_board_columns([*site.data.studies.values()], view.key, competing)
    return [*people, *metric_board_columns(metric_columns(run, site.how))]


def _facts(run: Run, entry: Entry) -> EntryFacts:
    clips = [row for cell, row in run.clips.items() if cell.method == entry.id]
    partial = [
        one
        for cell, one in entry.by_cell.items()
        if cell in run.clips and one.covers is not None and one.covers < LEAST_SHARE
    ]
    counts = Counter(row.status for row in clips)
    told = {status: counts[status] for status in ("ok", "failed", "n/a")}
    return EntryFacts(
        entry, method_cost(run, entry.id), told, len(partial), len(run.methods[entry.id].seeds)
    )


def history_columns(site: LeaderboardSite) -> list[BoardColumn]:
    """Return the main metrics with all entries, older ones too, ranked among each other."""
    first = site.boards[0].columns
    main = {one.key for one in first if one.main}
    if not site.older:
        return [one for one in first if one.key in main and not one.group.people]
    anchors = [one for one in site.latest.values() if one.anchor]
    board = site.data.board
    run = board_run(board.suite, [*site.competing, *anchors], board.seeds, site.folder)
    found = metric_board_columns(metric_columns(run, site.how))
    return [one for one in found if one.key in main]
