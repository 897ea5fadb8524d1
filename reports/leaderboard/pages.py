"""The pages of a leaderboard: one for each view, one for each entry, and the history."""

from collections.abc import Iterable, Sequence
from typing import Any

from markupsafe import Markup

from dreamix.core.wording import plural
from evaluation.run.info import LEAST_SHARE
from reports.leaderboard.board_table import board_html, script_data, views_html
from reports.leaderboard.board_view import BoardView, entry_page
from reports.leaderboard.columns import definitions
from reports.leaderboard.entry import Entry
from reports.leaderboard.entry_page import entry_sections
from reports.leaderboard.history import history_drawing, history_rows, version_rows
from reports.leaderboard.rank_figure import rank_drawing
from reports.leaderboard.reading import entering, in_words, reading, too_few
from reports.leaderboard.site_views import LeaderboardSite, history_columns
from reports.leaderboard.table_files import (
    history_records,
    table_names,
    write_records,
    write_text,
)
from reports.leaderboard.views import EditsView
from reports.page.files import saved
from reports.page.shell import Plot, Section, macros, shell
from reports.subjects import made_with
from reports.tables import file_name

_BOARD, _PIECES, _RESULTS = (macros(f"{name}.html") for name in ("board", "pieces", "results"))
STYLES, SCRIPTS = ("style.css", "board.css"), ("folds.js", "board.js")


def _links(up: str) -> list[tuple[str, str]]:
    return [
        ("Leaderboard", f"{up}index.html"),
        ("History", f"{up}history.html"),
        ("Entries as CSV", f"{up}tables/entries.csv"),
        ("All data", f"{up}index.html#files"),
    ]


def write_view(
    site: LeaderboardSite, board: BoardView, views: Sequence[EditsView], plot: Plot | None = None
) -> str:
    """Write the page of a view; return its name. plot: the ranks, drawn."""
    up = "../" if board.view.kind else ""
    heading = _BOARD.heading(
        f"{site.data.board.suite.name}, version {site.data.board.suite.version}",
        site.title, board.view.said if board.view.kind else "", _facts_of(site, board), _links(up),
    )  # fmt: skip
    text = shell(
        f"{board.view.said}: {site.title}" if board.view.kind else site.title,
        heading,
        _sections(site, board, views, plot),
        data={"board-data": script_data(board)},
        scripts=SCRIPTS,
        styles=STYLES,
    )
    return write_text(site.folder, board.view.page, text)


def _sections(
    site: LeaderboardSite, board: BoardView, views: Sequence[EditsView], plot: Plot | None
) -> list[Section]:
    up, name = "../" if board.view.kind else "", file_name(board.view.key)
    files = [("CSV", f"{up}tables/{name}.csv"), ("JSON", f"{up}tables/{name}.json")]
    few = too_few(board, len(_videos(site, board)))
    caution = _PIECES.note(few) if few else Markup("")
    first = [views_html(views, board.view, up), caution, board_html(board, up, files)]
    said = in_words(board)
    return [
        Section("board", _title(board), Markup("\n").join(first), open=True),
        *([Section("ranks", "Ranks, drawn", _PIECES.plot(plot), open=True)] if plot else []),
        *([Section("summary", "In words", _PIECES.findings(said))] if said else []),
        Section("how", "How to read it", _BOARD.how(reading(board))),
        Section("metrics", "Metrics", _RESULTS.definitions(definitions(board.columns))),
        *_about(site, board),
    ]


def draw_ranks(site: LeaderboardSite) -> Plot | None:
    """Return the figure of the leaderboard, written; None where nothing can be compared."""
    drawing = rank_drawing(site.boards[0], site.look)
    return saved(drawing, site.folder / "figures") if drawing else None


def _title(board: BoardView) -> str:
    kind = {"category": "Category", "tag": "Tag"}.get(board.view.kind)
    return f"{kind} {board.view.name}" if kind else "All edits"


def _videos(site: LeaderboardSite, board: BoardView) -> set[str]:
    """Return the source videos that a view is about."""
    return {one.video for one in site.data.board.suite.edits if one.id in set(board.view.edits)}


def _facts_of(site: LeaderboardSite, board: BoardView) -> list[tuple[str, str]]:
    counts = (
        (len(board.entries), "method"),
        (len(board.view.edits), "edit"),
        (len(_videos(site, board)), "source video"),
        (len(board.columns), "column"),
        (len(site.data.studies), "study"),
    )
    spelled = [(n, plural(n, what).split(" ", 1)[1]) for n, what in counts]
    return [(str(n), what) for n, what in spelled if n]


def _about(site: LeaderboardSite, board: BoardView) -> list[Section]:
    if board.view.kind:
        return []
    suite, how = site.data.board.suite, site.how
    seeds = site.data.board.seeds
    blocks = {
        "Suite": _suite_facts(site),
        "Pages made with": made_with() | how.facts(),
        "Rules": {
            "seeds that count": ", ".join(map(str, seeds)) if seeds else "all, the same of each",
            "partial clips": f"cover less than {100 * LEAST_SHARE:g}% of their source",
            "edits": f"all {len(suite.edits)} of the suite",
        },
    }
    files = [f"tables/{name}" for name in sorted(table_names(site))]
    files += [f"data/entries/{id_}.json" for id_ in sorted(site.data.entries)]
    files += [f"data/studies/{id_}.json" for id_ in sorted(site.data.studies)] + ["data/board.json"]
    return [
        Section("enter", "Enter a method", _BOARD.how(entering(board, suite))),
        Section("provenance", "Provenance", _PIECES.columns(blocks)),
        Section("files", "Data", _PIECES.files(files)),
    ]


def _suite_facts(site: LeaderboardSite) -> dict[str, Any]:
    suite = site.data.board.suite
    return {"name": suite.name, "version": suite.version, "licence": suite.licence,
            "SHA-256": suite.sha256}  # fmt: skip


def write_entries(site: LeaderboardSite) -> Iterable[str]:
    """Write the page of every entry, older versions too; yield their names."""
    families: dict[tuple[str, str], list[Entry]] = {}
    for one in site.competing:
        families.setdefault(one.family, []).append(one)
    for one in site.competing:
        facts = one.facts
        history = version_rows(families[one.family], site.older, one)
        sections = entry_sections(one, site.boards, site.names, history, _suite_facts(site),
                                  older=one.id in site.older)  # fmt: skip
        addresses = [(name, text) for name, text in
                     (("Paper", facts.paper), ("Code", facts.code)) if text]  # fmt: skip
        heading = Markup("\n").join([
            _BOARD.heading(
                facts.team or site.title, facts.name, facts.version, _entry_facts(site, one),
                _links("../"),
            ),
            _BOARD.addresses(addresses) if addresses else Markup(""),
        ])  # fmt: skip
        text = shell(
            f"{facts.name}: {site.title}", heading, sections, scripts=("folds.js",), styles=STYLES
        )
        yield write_text(site.folder, entry_page(one), text)


def _entry_facts(site: LeaderboardSite, one: Entry) -> list[tuple[str, str]]:
    facts = one.facts
    later = site.older.get(one.id)
    told = [
        (f"{one.made}/{len(one.clips)}", "clips made"),
        (facts.licence, "licence"),
        (facts.date, "entered"),
        ("older version" if later else "", "see the versions below for the latest"),
    ]
    return [(text, label) for text, label in told if text]


def write_history(site: LeaderboardSite) -> Iterable[str]:
    """Write the page of the history, its figure and its tables; yield their names."""
    entries, columns = site.competing, history_columns(site)
    head = ("method", "date", "standing", *(f"{one.title} {one.arrow}".strip() for one in columns))
    files = [("CSV", "tables/history.csv"), ("JSON", "tables/history.json")]
    rows = history_rows(entries, site.older, columns)
    body = [_PIECES.note(HISTORY), _BOARD.plain("Entries", head, rows, files)]
    if drawing := history_drawing(entries, columns, site.look):
        body.insert(1, _PIECES.plot(saved(drawing, site.folder / "figures")))
        yield from figure_files(drawing.name)
    sections = [Section("history", "Entries over time", Markup("\n").join(body), open=True)]
    heading = _BOARD.heading(
        site.title,
        "History",
        "",
        [(str(len(entries)), "entry" if len(entries) == 1 else "entries")],
        _links(""),
    )
    yield from write_records(site, "history", history_records(site, columns))
    text = shell(f"History: {site.title}", heading, sections, scripts=("folds.js",), styles=STYLES)
    yield write_text(site.folder, "history.html", text)


def figure_files(name: str) -> list[str]:
    """Return the files of a figure, seen from the top of the site."""
    return [f"figures/{name}.{kind}" for kind in ("svg", "png", "pdf")]


HISTORY = (
    "Every version that was entered, older ones too, ranked among all of them on the edits that "
    "all have. People's ratings stand on the leaderboard itself."
)
