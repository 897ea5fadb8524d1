"""The leaderboard in headless Chromium, on a phone and on a desk: read, filtered, ranked anew."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_rater import chromium
from click.testing import CliRunner
from submitted_runs import steps, submitted

from reports.leaderboard.cli import leaderboard

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SIZES = {"phone": (390, 844), "desk": (1366, 768)}
VALUES = {"best": 0.8, "free": 0.6, "middle": 0.5, "also": 0.4, "last": 0.2}
BOTH = "1\N{EN DASH}2"
LONG = "A method whose name goes on and on, without_a_place_to_break_it_" + "x" * 60
PLACES = """[...document.querySelectorAll('#board-table tbody tr:not(.anchor):not(.unshown)')]
  .map(row => [row.querySelector('a').textContent, row.querySelector('.place').textContent])"""
WIDTHS = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five methods; on motion the order is turned round; `free` and `also` have open licences."""
    folder = tmp_path_factory.mktemp("board")
    turned = {label: steps(value, 0.5 - value) for label, value in VALUES.items()}
    said = {
        "licence": "proprietary", "team": "Example Lab", "code": "https://example.org/code",
        "methods": {**dict.fromkeys(VALUES), "free": {"licence": "MIT"},
                    "also": {"licence": "Apache-2.0"}, "last": {"name": LONG}},
    }  # fmt: skip
    run = submitted(folder / "run", turned | {"unedited": steps(0.1)}, anchors=("unedited",),
                    said=said, tags=("count",), each=3, sources=10)  # fmt: skip
    done = CliRunner().invoke(leaderboard, [str(run), "--out", str(folder / "site")])
    assert done.exit_code == 0, done.output
    return folder / "site"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture(params=SIZES)
def page(request: pytest.FixtureRequest, browser: Any, site: Path) -> Iterator[Any]:
    """The first page, and what went wrong on it."""
    width, height = SIZES[request.param]
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.notes, page.asked = [], []
    page.on("console", lambda message: page.notes.append(message.text))
    page.on("pageerror", lambda error: page.notes.append(str(error)))
    page.on("request", lambda request: page.asked.append(request.url))
    page.goto((site / "index.html").as_uri())
    yield page
    context.close()


def test_every_page_fits_the_screen_and_asks_for_nothing_elsewhere(page: Any, site: Path) -> None:
    for path in sorted(site.rglob("*.html")):
        page.goto(path.as_uri())
        wide, there = page.evaluate(WIDTHS)
        assert wide <= there, path.name
    assert not page.notes
    assert all(address.startswith("file:") for address in page.asked)
    first = page.locator("tbody th").first
    left = first.bounding_box()["x"]
    page.goto((site / "index.html").as_uri())
    page.evaluate("document.querySelector('.board .scroll').scrollLeft = 400")
    page.wait_for_timeout(200)
    assert page.locator("#board-table tbody th").first.bounding_box()["x"] == pytest.approx(
        left, abs=2
    )


def test_a_filter_ranks_what_is_left_among_itself(page: Any) -> None:
    """By hand: all have v + (0.5 - v) = 0.5 on style, one of three edits of a source, and
    v - (0.5 - v) = 2 v - 0.5 on motion. Ten sources: p = 10 x 2 / 1024 = 0.02 after Holm."""
    everybody = page.evaluate(PLACES)
    assert [place for _, place in everybody] == ["1", "2", "3", "4", "5"]
    assert [name for name, _ in everybody][:4] == ["best", "free", "middle", "also"]
    page.get_by_label("Licence").select_option("open")
    assert page.evaluate(PLACES) == [["free", "1"], ["also", "2"]]
    assert "2 of 5 entries" in page.locator("#board-tools output").inner_text()
    assert "licence=open" in page.url
    page.locator(".views a", has_text="style").click()
    page.wait_for_url("**/category-style.html#*")
    assert page.evaluate(PLACES) == [["also", BOTH], ["free", BOTH]]
    page.go_back()
    assert page.evaluate(PLACES) == [["free", "1"], ["also", "2"]]
    assert not page.notes


def test_all_is_there_without_scripts(browser: Any, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "index.html").as_uri())
    text = page.locator("#board-table").inner_text()
    assert all(name in text for name in ("best", "free", "middle", "also", "unedited"))
    assert "rank 1 · n=30" in text and "proprietary" in text
    assert not page.locator("#board-tools").is_visible()
    context.close()
