"""The table of all entries as markup, and what the script that chooses among them works with."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

from markupsafe import Markup

from evaluation.run.info import LEAST_SHARE
from reports.leaderboard.board_view import (
    BoardTableCell,
    BoardView,
    EntryFacts,
    cell_of,
    entry_page,
)
from reports.leaderboard.columns import BoardColumn, places_text
from reports.leaderboard.entry import Entry
from reports.leaderboard.views import ALL, EditsView
from reports.page.shell import macros
from reports.tables import NOTHING, is_number, number

_BOARD = macros("board.html")
ABOUT = "about"  # the group of columns that say what an entry is


class BoardHead(NamedTuple):
    """The head of a column of the table."""

    title: str
    arrow: str = ""
    hint: str = ""
    group: str = ABOUT
    main: bool = True
    people: bool = False
    code: bool = False
    simulated: bool = False
    mark: str = ""


def board_html(page: BoardView, up: str, files: Sequence[tuple[str, str]]) -> Markup:
    """Return the table; up: the way to the top of the site, "" or "../"."""
    about = _about_heads(page)
    heads = [*map(_head, page.columns), *(head for _, head in about)]
    shown = {
        "first": page.first,
        "groups": _groups(page.columns, [group for group, _ in about]),
        "heads": heads,
        "rows": [*_rows(page, up), *_anchor_rows(page)],
        "caption": _caption(page),
        "files": files,
    }
    found: Markup = _BOARD.board(shown)
    return found


def _groups(columns: list[BoardColumn], about: list[str]) -> list[tuple[str, int, bool]]:
    """Return the heads over the columns, how many each spans, and which are people's."""
    runs = [(group, len([*some])) for group, some in groupby(columns, key=lambda one: one.group)]
    found = [(group.title, count, group.people) for group, count in runs]
    return [*found, *((title, len([*some]), False) for title, some in groupby(about))]


def _head(one: BoardColumn) -> BoardHead:
    return BoardHead(
        one.title, one.arrow, one.hint, one.group.key, one.main, one.group.people,
        not one.group.people, one.simulated, one.mark,
    )  # fmt: skip


CLIPS, COST, ENTRY = "Clips", "Cost", "Entry"  # heads over the columns that say what an entry is


def _about_heads(page: BoardView) -> list[tuple[str, BoardHead]]:
    """Return the columns behind those of people and metrics; cost only where somebody knows it."""
    clips = "made, of all edits x seeds; then those that failed, or do not apply"
    cost = [
        BoardHead("s / edit", hint="median wall time of a clip, without finetuning, as recorded"),
        BoardHead("hours", hint="all clips with finetuning, in hours of one process, as recorded"),
        BoardHead("peak GB", hint="highest resident memory of the process that made the clips"),
    ]
    return [
        (CLIPS, BoardHead("clips", hint=clips)),
        *((COST, head) for head in cost if _knows_cost(page)),
        (ENTRY, BoardHead("seeds", hint="clips of an edit")),
        (ENTRY, BoardHead("licence", hint="as the submission states it")),
        (ENTRY, BoardHead("date", hint="as the submission states it")),
        (ENTRY, BoardHead("toolkit", hint="version that made the clips or brought them in")),
    ]


def _knows_cost(page: BoardView) -> bool:
    return any(is_number(one.cost.edit_seconds) for one in page.entries)


def _rows(page: BoardView, up: str) -> list[dict[str, Any]]:
    first = page.first.rows if page.first else {}
    return [
        {
            "id": one.entry.id,
            "anchor": False,
            "place": places_text(first[one.entry.id]) if one.entry.id in first else "",
            "name": one.entry.facts.name,
            "address": up + entry_page(one.entry),
            "under": one.entry.facts.said,
            "cells": [*(cell_of(c, one.entry.id) for c in page.columns), *_about(one, page)],
        }
        for one in page.ordered
    ]


def _anchor_rows(page: BoardView) -> list[dict[str, Any]]:
    return [
        {
            "id": one.entry.id,
            "anchor": True,
            "first": place == 0,
            "name": one.entry.facts.name,
            "cells": [*(_anchor_cell(c, one.entry.id) for c in page.columns), *_about(one, page)],
        }
        for place, one in enumerate(page.anchors)
    ]


def _anchor_cell(column: BoardColumn, id_: str) -> BoardTableCell:
    one = column.anchors.rows.get(id_)
    if one is None:
        return BoardTableCell(NOTHING, people=column.group.people)
    return BoardTableCell(column.text(one.value), column.ends(one), edits=f"n={one.edits}")


def _about(one: EntryFacts, page: BoardView) -> list[BoardTableCell]:
    facts, counts, cost = one.entry.facts, one.counts, one.cost
    lost = [f"{counts[status]} {status}" for status in ("failed", "n/a") if counts[status]]
    lost += [f"{one.partial} partial"] if one.partial else []
    hint = f"partial: covers less than {100 * LEAST_SHARE:g}% of its source" if one.partial else ""
    seeds = "no draws" if facts.deterministic else str(one.seeds)
    amounts = (
        (cost.edit_seconds, 1),
        (cost.total_seconds / 3600, 2),
        (cost.peak_memory_mb / 1024, 1),
    )
    shown = [BoardTableCell(_amount(*each)) for each in amounts]
    return [
        BoardTableCell(f"{counts['ok']}/{sum(counts.values())}", ", ".join(lost), hint=hint),
        *(shown if _knows_cost(page) else []),
        BoardTableCell("" if one.entry.anchor else seeds),
        BoardTableCell(facts.licence),
        BoardTableCell(facts.date),
        BoardTableCell(one.entry.versions.get("dreamix-toolkit", "")),
    ]


def _amount(value: float, digits: int) -> str:
    return number(value, digits) if is_number(value) else NOTHING


def _caption(page: BoardView) -> str:
    level = f"{100 * page.how.confidence:g}%"
    bold = "Bold: can be the best of its column, where not all can."
    which = f"Means of {page.view.said}, ranked anew on these edits. " if page.view.kind else ""
    below = f"Below each mean, its {level} interval and the ranks that it can have."
    return f"{which}{below} {bold}"


def script_data(page: BoardView) -> dict[str, Any]:
    """Return what the page's script works with."""
    ranked = [
        {"key": c.key, "at": at, "title": c.title,
         "name": f"{c.title} ({c.group.title})" if c.group.people else c.title,
         "rows": {id_: {"place": one.place, "behind": list(one.behind)}
                  for id_, one in c.rows.items() if one.place}}
        for at, c in enumerate(page.columns)
        if c.ranked and c.rows
    ]  # fmt: skip
    groups = dict.fromkeys(c.group for c in page.columns)
    return {
        "first": page.first.key if page.first else "",
        "ranked": ranked,
        "groups": [[one.key, one.title] for one in groups],
        "entries": {one.entry.id: _filtered(one.entry) for one in page.entries},
        "filters": _filters(page.entries),
    }


def _filtered(entry: Entry) -> dict[str, str]:
    facts = entry.facts
    return {
        "licence": "open" if facts.is_open else "other",
        "seeds": "none" if facts.deterministic else "drawn",
        "text": f"{facts.name} {facts.team} {entry.label}".lower(),
    }


FILTERS = {
    "licence": ("Licence", {"open": "open", "other": "other terms"}),
    "seeds": ("Random numbers", {"drawn": "drawn", "none": "none drawn"}),
}


def _filters(entries: list[EntryFacts]) -> list[list[Any]]:
    """Return the filters by which some entries differ."""
    found = []
    for name, (label, texts) in FILTERS.items():
        there = {_filtered(one.entry)[name] for one in entries}
        if len(there) > 1:
            found.append(
                [name, label, [[key, text] for key, text in texts.items() if key in there]]
            )
    return found


def views_html(views: Sequence[EditsView], current: EditsView, up: str) -> Markup:
    """Return the links to the pages of all views."""
    groups: list[tuple[str, list[tuple[str, int, str, str]]]] = []
    for kind, some in groupby(views[1:], key=lambda view: view.kind):
        first = [("all", len(views[0].edits), up + views[0].page, ALL)] if not groups else []
        several = [(one.name, len(one.edits), up + one.page, one.key) for one in some]
        groups.append(({"category": "Category", "tag": "Tag"}[kind], [*first, *several]))
    found: Markup = _BOARD.views(groups, current.key)
    return found
