"""Every table of a leaderboard as CSV and as JSON."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from dreamix.core.places import inside
from dreamix.core.records import to_json, write_whole
from reports.leaderboard.board_view import EntryFacts
from reports.leaderboard.columns import BoardColumn, column_records
from reports.leaderboard.site_views import LeaderboardSite
from reports.page.files import csv, utf8
from reports.tables import file_name

FACTS = ("name", "team", "version", "licence", "date", "paper", "code", "hardware")


def write_text(folder: Path, name: str, text: str) -> str:
    """Write a file of the site, unless it is there as it should be; return its name."""
    path = inside(folder, *name.split("/"))
    if not path.is_file() or path.read_bytes() != utf8(text):
        with write_whole(path) as file:
            file.write(utf8(text))
    return name


def table_names(site: LeaderboardSite) -> list[str]:
    """Return the names of all tables, in their folder."""
    views = [file_name(board.view.key) for board in site.boards]
    return [f"{name}.{kind}" for name in (*views, "entries", "history") for kind in ("csv", "json")]


def write_tables(site: LeaderboardSite) -> Iterable[str]:
    """Write the tables of all views and that of the entries; yield their names."""
    for board in site.boards:
        yield from write_records(
            site, file_name(board.view.key), column_records(board.columns, site.names)
        )
    yield from write_records(site, "entries", [_record(one) for one in site.boards[0].entries])


def write_records(site: LeaderboardSite, name: str, records: list[dict[str, Any]]) -> list[str]:
    """Write rows as CSV and as JSON; return the names of the files."""
    folder = site.folder
    return [
        write_text(folder, f"tables/{name}.csv", csv(pd.DataFrame(records))),
        write_text(folder, f"tables/{name}.json", to_json(records, indent=1) + "\n"),
    ]


def _record(one: EntryFacts) -> dict[str, Any]:
    entry, facts, cost = one.entry, one.entry.facts, one.cost
    told = {name: getattr(facts, name) for name in
            FACTS}  # fmt: skip
    numbers = {name: value if value == value else None for name, value in cost._asdict().items()}
    return {
        "entry": entry.id,
        **told,
        "open_licence": facts.is_open,
        "draws": not facts.deterministic,
        "seeds": one.seeds,
        "clips": sum(one.counts.values()),
        "made": one.counts["ok"],
        "failed": one.counts["failed"],
        "does_not_apply": one.counts["n/a"],
        "partial": one.partial,
        **numbers,
        "toolkit": entry.versions.get("dreamix-toolkit", ""),
        "suite_sha256": entry.suite,
    }


def history_records(site: LeaderboardSite, columns: Sequence[BoardColumn]) -> list[dict[str, Any]]:
    """Return a row for every entry, older ones too, and column, with date and version."""
    found = column_records(columns, site.names)
    entries = site.data.entries
    return [
        {**row, "date": entries[row["entry"]].facts.date,
         "version": entries[row["entry"]].facts.version,
         "latest": row["entry"] not in site.older}
        for row in found
    ]  # fmt: skip
