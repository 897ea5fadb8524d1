"""What a report opens with: one table, one figure, one strip; all else is folded below it."""

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from browser_rater import chromium, until
from fabricated_export import drawn, people, write_export
from PIL import Image

from reports.build import build_report, opening
from reports.figures.style import marks
from reports.metrics.glance import GlanceColumn, glance_part, letters_of_ranking, metric_columns
from reports.metrics.rankings import Ranking
from reports.page.clips import FRAMES, HEIGHT, chosen_edits
from reports.people.build import Said, build_study
from reports.people.export import read_export
from reports.people.mos import vote_columns
from reports.summary import IntervalSettings, RunSummary
from reports.tables import NOTHING, Head, TableCell

HOW = IntervalSettings(resamples=100)


@pytest.mark.slow
def test_table_of_metrics_says_axis_value_letters_and_how_many_edits(summary: RunSummary) -> None:
    """clip_t_gain of alpha is 0.3 + 0.016 over 12 edits; lpips is not for the 4 motion edits.

    Four videos allow no p below 2 / 2^4, so that nobody differs: every letter is a. be_ta lacks
    the clip of an edit of style, so that it has 11 edits, 7 of them not of motion.
    """
    found = glance_part(
        metric_columns(summary),
        {label: m.anchor for label, m in summary.run.methods.items()},
        marks(summary.run),
        len(summary.run.edits),
    )
    (table,) = found.tables
    assert [f"{head.text} {head.arrow}".strip() for head in table.head] == [
        "alignment: clip_t_gain ↑", "fidelity: lpips ↓", "quality: brisque ↓", "edits",
    ]  # fmt: skip
    rows = {row.label: row for row in table.rows}
    alpha = rows["alpha"].cells
    assert alpha[0].main.startswith("0.31") and alpha[0].mark == "a" and alpha[0].best
    assert (
        alpha[3].main == "12 / 8 / 12 of 12" and rows["be_ta"].cells[3].main == "11 / 7 / 11 of 12"
    )
    assert rows["unedited"].anchor and not rows["unedited"].cells[0].mark
    assert "12 have a value, column by column" in table.caption
    assert len(found.drawings) == 1


def test_letters_are_of_the_pairs_that_differ() -> None:
    """p over the diagonal: 1-2 0.5, 1-3 0.01, 2-3 0.2: 1 and 3 differ, so 2 shares with both."""
    p = np.full((3, 3), np.nan)
    p[0, 1], p[0, 2], p[1, 2] = 0.5, 0.01, 0.2
    one = Ranking("m", ("x", "y", "z"), (1, 1, 2), p, 9, (1, 2, 3), ("x",), (), 9)
    assert letters_of_ranking(one) == {"x": "a", "y": "ab", "z": "b"}
    assert letters_of_ranking(one._replace(p=np.full((3, 3), np.nan))) == {}


def test_table_of_votes_has_the_mos_and_the_letters_of_the_table_below(tmp_path: Path) -> None:
    found = people(tmp_path / "e", drawn((0.0, 0.5, 1.0)), methods=("c", "b", "a"))
    columns = vote_columns(found)
    assert [one.axis for one in columns] == ["alignment", "fidelity", "quality"]
    for one in columns:
        scores, names = found.kept.scores[one.axis], found.kept.ratings.methods
        for name, cell in one.cells.items():
            assert cell.main == f"{scores.mos[names.index(name)]:.2f}"
            assert one.edits[name] == 12 and cell.mark
    assert all(columns[2].cells[m].best == (m == "a") for m in "abc")


def test_coverage_is_one_number_where_the_columns_agree() -> None:
    def column(axis: str, edits: dict[str, int]) -> GlanceColumn:
        return GlanceColumn(
            axis, Head(axis), {m: TableCell("1") for m in edits}, {}, 1, edits, "About."
        )

    columns = [column("fidelity", {"x": 3, "y": 5}), column("quality", {"x": 3, "y": 4})]
    (table,) = glance_part(columns, {"x": False, "y": False}, {}, 5).tables
    assert [row.cells[-1].main for row in table.rows] == ["3 of 5", "5 / 4 of 5"]
    assert table.title == "Fidelity and quality of every method"


def test_edits_of_the_strip_follow_the_rule() -> None:
    """Categories b and c by name; first of each, then second of each, by id; four at most."""
    kinds = {"e9": "c", "e1": "c", "e5": "b", "e4": "c", "e7": "b", "e8": "b"}
    edits = {k: SimpleNamespace(id=k, category=c) for k, c in kinds.items()}
    run: Any = SimpleNamespace(edits=edits, categories={"b": 3, "c": 3})
    assert [edit.id for edit in chosen_edits(run)] == ["e5", "e1", "e7", "e4"]
    run.edits = {k: e for k, e in edits.items() if k in ("e9", "e8")}
    assert [edit.id for edit in chosen_edits(run)] == ["e8", "e9"]


@pytest.mark.slow
def test_strip_shows_frames_of_the_clips_and_why_there_are_none(made: Path) -> None:
    """The clips are 64 x 48 of one shade with a square; be_ta failed at va_style."""
    text = (made / "index.html").read_text()
    strip = text[text.index('class="strip"') : text.index("Open", text.index('class="strip"'))]
    strip = strip[: strip.index("</table>")]
    rows = re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', strip)
    assert [label for label, _ in rows] == ["source", "alpha", "be_ta", "gamma"]
    assert re.findall(r'href="#edit-(\w+)"', strip) == [
        "va_motion", "va_object", "va_style", "vb_motion",
    ]  # fmt: skip
    assert '<span class="gap">failed</span>' in rows[2][1]
    pictures = [re.findall(r"base64,([^\"]+)", row) for _, row in rows]
    assert [len(row) for row in pictures] == [4, 4, 3, 4]
    source = np.asarray(Image.open(io.BytesIO(base64.b64decode(pictures[0][3]))))
    width = round(64 * HEIGHT / 48)
    assert source.shape == (HEIGHT, FRAMES * width + 2 * (FRAMES - 1), 3)
    assert abs(int(source[-4, 4].mean()) - 40) < 6  # vb is of shade 40, its square of 215
    squares = [int((source[HEIGHT // 2, k * (width + 2) :][:width].mean(axis=1) > 128).argmax())
               for k in range(FRAMES)]  # fmt: skip
    assert squares[0] < squares[1] < squares[2]  # first, middle and last frame: it moves right


@pytest.mark.slow
def test_strip_of_an_earlier_report_does_not_stay(run_folder: Path, tmp_path: Path) -> None:
    build_report(run_folder, tmp_path, HOW)
    assert len([*(tmp_path / "figures").glob("strip_*.jpg")]) == 15
    page = build_report(run_folder, tmp_path, HOW, media=False).page.read_text()
    assert not [*(tmp_path / "figures").glob("strip_*.jpg")]
    assert "No clips are shown: this report was made with --no-media." in page


@pytest.mark.slow
def test_study_without_a_run_says_that_it_has_no_clips(tmp_path: Path) -> None:
    export = write_export(tmp_path / "e", drawn((0.0, 1.0)), simulated=True)
    page, _ = build_study(read_export(export), tmp_path / "out", HOW)
    text = page.read_text()
    first = text[text.index('id="glance"') : text.index('id="summary"')]
    assert "No clips are shown" in first and "SIMULATED" in first
    assert (tmp_path / "out/tables/simulated_glance.tex").is_file()


def test_only_the_first_section_stands_open(made: Path) -> None:
    text = (made / "index.html").read_text()
    sections = re.findall(r"<section([^>]*)>(<details[^>]*>)?", text)
    ids = [re.search(r'id="([\w-]+)"', attributes)[1] for attributes, _ in sections]  # type: ignore[index]
    assert ids == [
        "glance", "summary", "results", "trade-off", "categories", "quality-delta", "gallery",
        "failures", "cost", "methods", "metrics", "provenance", "files",
    ]  # fmt: skip
    assert [bool(fold) for _, fold in sections] == [False] + [True] * 12
    assert " open" not in "".join(fold for _, fold in sections)


@pytest.fixture(scope="module")
def window(made: Path) -> Iterator[Any]:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.notes = []
        page.on("pageerror", lambda error: page.notes.append(str(error)))
        page.address = (made / "index.html").as_uri()
        yield page


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize(
    "anchor",
    ["results", "table-fidelity", "metric-lpips", "edit-vb_style", "provenance", "trade-off",
     "table-category_brisque"],
)  # fmt: skip
def test_a_link_to_what_is_folded_opens_it(window: Any, anchor: str) -> None:
    """By the address itself, and by a link on the page; table-category_brisque is folded twice."""
    window.goto("about:blank")
    window.goto(f"{window.address}#{anchor}")
    until(window, f"document.getElementById('{anchor}')?.getClientRects().length > 0")
    seen = "(id => { const b = document.getElementById(id).getBoundingClientRect();"
    seen += " return b.bottom > 0 && b.top < innerHeight; })"
    until(window, f"{seen}('{anchor}')")
    window.goto("about:blank")
    window.goto(window.address)
    assert window.evaluate("document.querySelectorAll('details[open]').length") == 0
    window.evaluate(f"location.hash = '{anchor}'")
    until(window, f"{seen}('{anchor}')")
    assert window.evaluate(
        f"(document.getElementById('{anchor}').closest('details.fold')"
        f" ?? document.querySelector('#{anchor} > details.fold')).open"
    )
    assert not window.notes


@pytest.mark.browser
@pytest.mark.slow
def test_a_link_opens_again_what_was_folded_by_hand(window: Any) -> None:
    window.goto(window.address)
    window.click("nav a[href='#results']")
    until(window, "document.querySelector('#results > details').open")
    window.evaluate("document.querySelector('#results > details').open = false")
    window.click("nav a[href='#results']")
    until(window, "document.querySelector('#results > details').open")
    window.click(".open-all button")
    assert window.evaluate("[...document.querySelectorAll('details.fold')].every(d => d.open)")
    window.click(".open-all button")
    assert window.evaluate("[...document.querySelectorAll('details.fold')].every(d => !d.open)")
    window.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert window.evaluate("[...document.querySelectorAll('details')].every(d => d.open)")


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_page_is_never_wider_than_the_window(window: Any, width: int) -> None:
    window.set_viewport_size({"width": width, "height": 800})
    window.goto("about:blank")
    window.goto(window.address)
    assert window.evaluate("document.documentElement.scrollWidth") <= width
    assert window.evaluate("document.querySelector('#glance table').getClientRects().length") == 1


def test_run_with_a_study_opens_with_what_people_said(summary: RunSummary, tmp_path: Path) -> None:
    """Questions stand in their places; a metric stands where nobody was asked; anchors stay."""
    asked = ("alignment", "quality")
    found = people(tmp_path / "e", drawn((0.0, 1.0)), methods=("alpha", "gamma"), questions=asked)
    part = opening(summary, Said([], "", vote_columns(found), found.look), simulated=True)
    (table,) = part.tables
    assert [head.text for head in table.head] == [
        "alignment", "fidelity: lpips", "quality", "edits",
    ]  # fmt: skip
    rows = {row.label: row.cells for row in table.rows}
    assert rows["be_ta"][0].main == NOTHING and rows["be_ta"][1].main != NOTHING
    assert rows["alpha"][3].main == "12 / 8 / 12 of 12" and "unedited" in rows
    assert table.name == "simulated_glance" and part.stamped
