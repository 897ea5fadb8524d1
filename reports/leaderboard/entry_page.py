"""The page of an entry: what is known of it, its scores, its failures, where it comes from."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from markupsafe import Markup

from evaluation.schema import counted_reasons
from reports.leaderboard.board_view import BoardView, PlainCell, cell_of
from reports.leaderboard.columns import BoardColumn, places_text
from reports.leaderboard.entry import Entry
from reports.page.shell import Section, macros
from reports.tables import NOTHING

_BOARD, _PIECES = macros("board.html"), macros("pieces.html")
MOST_REASONS = 50
OLDER = "An older version: its numbers are on the page of the history."
NO_VALUE = "No clip of this entry has a value: its failures say why."


def entry_sections(
    entry: Entry,
    boards: Sequence[BoardView],
    names: dict[str, str],
    history: list[list[PlainCell]],
    suite: dict[str, Any],
    *,
    older: bool,
) -> list[Section]:
    """Return the sections of an entry's page; boards: of all views, that of all edits first.

    history: rows of all versions of the method. older: this is not the latest.
    """
    scores = _scores(entry, boards[0].columns, names) or _PIECES.note(OLDER if older else NO_VALUE)
    sections = [
        Section("scores", "Scores", scores, open=True),
        Section("categories", "Categories and tags", _by_view(entry, boards)),
        Section("failures", "Failures", _BOARD.reasons(_reasons(entry))),
        Section("versions", "Versions", _BOARD.plain("Versions", VERSION_HEADS, history, ())),
        Section("provenance", "Provenance", _provenance(entry, suite)),
    ]
    return [one for one in sections if one.body and not (one.id == "versions" and not history)]


VERSION_HEADS = ("version", "date", "standing")


def _scores(entry: Entry, columns: list[BoardColumn], names: dict[str, str]) -> Markup:
    rows = []
    for column in columns:
        one = column.rows.get(entry.id)
        if one is None:
            continue
        cell = cell_of(column, entry.id)
        ahead = [id_ for id_, other in column.rows.items() if entry.id in other.behind]
        ranked = sum(bool(place) for place in column.standing.places)
        rows.append([
            PlainCell(f"{column.title} {column.arrow}".strip(), column.group.title),
            PlainCell(cell.main, cell.ends),
            PlainCell(places_text(one) or NOTHING, f"of {ranked}" if ranked else ""),
            PlainCell(cell.edits),
            PlainCell(_named(ahead, names)),
            PlainCell(_named(one.behind, names)),
        ])  # fmt: skip
    if not rows:
        return Markup("")
    head = ("column", "value", "rank", "edits", "shown to be better than", "shown to be worse than")
    found: Markup = _BOARD.plain("Scores", head, rows, ())
    return found


def _named(ids: Iterable[str], names: dict[str, str]) -> str:
    return ", ".join(sorted(names[id_] for id_ in ids)) or NOTHING


def _by_view(entry: Entry, boards: Sequence[BoardView]) -> Markup:
    """Return the main columns on every category and tag."""
    main = [one for one in boards[0].columns if one.main and entry.id in one.rows]
    if not main or len(boards) < 2:
        return Markup("")
    rows = []
    for page in boards[1:]:
        by_key = {one.key: one for one in page.columns}
        cells = [PlainCell(page.view.name, page.view.kind, f"../{page.view.page}")]
        for column in main:
            here = by_key.get(column.key)
            one = here.rows.get(entry.id) if here else None
            if here is None or one is None:
                cells.append(PlainCell(NOTHING))
                continue
            rank = f"rank {places_text(one)} · n={one.edits}" if one.worst else f"n={one.edits}"
            cells.append(PlainCell(here.text(one.value), f"{here.ends(one)} {rank}"))
        rows.append(cells)
    head = ("edits", *(f"{one.title} {one.arrow}".strip() for one in main))
    found: Markup = _BOARD.plain("Categories and tags", head, rows, ())
    return found


def _reasons(entry: Entry) -> list[dict[str, Any]]:
    """Return every reason for a missing clip or score, with how many clips it concerns."""
    clips = [one for one in entry.clips if one.status != "ok"]
    found: list[dict[str, Any]] = []
    for status in ("failed", "n/a"):
        told = [
            (one.reason or "no reason given", one.edit) for one in clips if one.status == status
        ]
        found += [{"status": f"{status}", "reason": why, "clips": n, "metrics": "no clip"}
                  for why, n in counted_reasons(told).most_common()]  # fmt: skip
        by_reason: dict[str, Counter[str]] = {}
        for clip in entry.clips:
            for metric, (of, why) in clip.lacks.items():
                if clip.status == "ok" and of == status:
                    by_reason.setdefault(why, Counter())[metric] += 1
        found += [
            {"status": status, "reason": why, "clips": max(counts.values()),
             "metrics": ", ".join(sorted(counts))}
            for why, counts in sorted(by_reason.items(), key=lambda pair: -max(pair[1].values()))
        ]  # fmt: skip
    return found[:MOST_REASONS]


def _provenance(entry: Entry, suite: dict[str, Any]) -> Markup:
    facts, backend, package = entry.facts, entry.backend, entry.package
    about = {
        "entry": entry.id,
        "method": entry.method,
        "definition": entry.definition,
        "package": str(package) if package else "",
        "backend": backend.name if backend else "",
        "weights": backend.identity if backend else "",
        "seeds": "draws no random numbers"
        if facts.deterministic
        else ", ".join(map(str, entry.seeds)),
        "hardware": facts.hardware or "not stated",
        "licence": facts.licence or "not stated",
        "contact": facts.contact,
    }
    scored = {
        name: ", ".join(filter(None, (f"definition {one.definition_id}", one.elsewhere)))
        for name, one in sorted(entry.metrics.items())
    }
    blocks = {
        "Entry": {name: text for name, text in about.items() if text},
        "Suite": suite,
        "Clips made with": entry.versions,
        "Scores computed with": entry.scored_with,
        "Metrics": scored,
    }
    config = json.dumps(entry.config, indent=1, sort_keys=True, ensure_ascii=False)
    found: Markup = _BOARD.settings(config, blocks)
    return found
