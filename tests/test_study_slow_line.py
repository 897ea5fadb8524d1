"""A line of 1 Mbit/s, and clips that take their time."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_rater import BrowserRater, chromium
from served_study import Server, running_server

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SLOW = {
    "offline": False,
    "latency": 150,  # milliseconds
    "downloadThroughput": 1e6 / 8,  # bytes a second
    "uploadThroughput": 1e6 / 8,
}


@pytest.fixture(scope="module")
def server(built_study: Path) -> Iterator[Server]:
    with running_server(built_study) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


def test_at_1_mbit_something_is_there_within_3_seconds_and_the_first_screen_within_10(
    browser: Any, server: Server
) -> None:
    """Measured by Chromium, which slows its own network; nothing is in its cache."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", SLOW)
    arrived: dict[str, int] = {}
    whole = "Network.loadingFinished"
    line.on(whole, lambda told: arrived.update({told["requestId"]: told["encodedDataLength"]}))
    began = time.monotonic()
    page.goto(server.url, wait_until="commit")
    page.get_by_role("heading", name="Which edit is better?").wait_for(timeout=3000)
    page.get_by_text("This page is loading.").wait_for(timeout=3000)
    page.get_by_role("button", name="I agree", exact=True).wait_for(timeout=15_000)
    screen = time.monotonic() - began
    paint = page.evaluate(
        "performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000"
    )
    print(f"something after {paint:.1f} s, first screen after {screen:.1f} s, "
          f"{sum(arrived.values()) / 1000:.0f} kB in {len(arrived)} requests")  # fmt: skip
    assert paint < 3
    assert screen < 10
    assert not page.get_by_text("This page is loading.").count(), "and what was said has gone"
    assert sum(arrived.values()) < 1_000_000
    context.close()


def test_a_clip_that_arrives_after_20_seconds_is_slow_and_not_unplayable(
    browser: Any, server: Server
) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    rater = BrowserRater(page, server.url)

    def late(route: Any) -> None:
        page.wait_for_timeout(20_000)
        route.continue_()

    page.route("**/v/**", late)
    rater.arrive()
    rater.press("I agree")
    page.get_by_text("The connection is slow").wait_for(timeout=25_000)
    page.get_by_role("button", name="It does not play").click()
    rater.sees("your connection is slow")
    assert not rater.shows("could not play"), "whoever says so meanwhile is told the same"
    submit = page.locator("button.submit")
    assert submit.get_attribute("aria-disabled") == "true", "neither well nor badly so far"
    page.locator("button.submit[aria-disabled=false]").wait_for(timeout=30_000)
    submit.click()
    rater.sees("What to do")
    page.close()
