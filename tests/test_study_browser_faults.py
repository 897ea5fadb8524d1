"""Whatever happens to a page or the server: nothing is lost, nothing doubled, nothing unlocked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_rater import BrowserRater, chromium
from cut_line import line_to
from served_study import Server, make_run, make_study, running_server
from store_of_study import Kept, kept, new_rater_at_trials

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SHORT = {
    "trials: 20": "trials: 4",
    "break_after: 12": "break_after: 50",
    "training: 3": "training: 0",
    "traps: 1": "traps: 0",
    "gold: 1": "gold: 0",
    "repeats: 1": "repeats: 0",
}
TOTAL = 4
GIVEN = {"alignment": 4, "fidelity": 3, "quality": 5}


@pytest.fixture(scope="module")
def server(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    base = tmp_path_factory.mktemp("faults")
    run = make_run(base / "run", root, videos=4)
    with running_server(make_study(base / "study", run, **SHORT)) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def context(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context
    context.close()


class Sitting:
    """A rater at the first trial of their list."""

    def __init__(self, context: Any, server: Server, url: str | None = None) -> None:
        self.server, self.token = server, new_rater_at_trials(server.folder)
        self.context, self.url = context, url or server.url
        self.rater = self.tab()
        self.page = self.rater.page

    def tab(self) -> BrowserRater:
        rater = BrowserRater(self.context.new_page(), self.url)
        rater.arrive(f"?t={self.token}")
        rater.ready()
        return rater

    @property
    def kept(self) -> Kept:
        return kept(self.server.folder, self.token)

    def has(self, number: int) -> None:
        """Check that exactly the first `number` trials are answered, each with three answers."""
        found = self.kept
        assert found.states == ["rated"] * number + ["dealt"] * (TOTAL - number)
        assert list(found.answers.values()) == [GIVEN] * number
        assert len(found.ledgers) == number


@pytest.fixture
def sitting(context: Any, server: Server) -> Sitting:
    return Sitting(context, server)


def at(number: int) -> str:
    return f"{number} of {TOTAL}"


def test_a_refresh_in_the_middle_of_a_trial_begins_it_again(sitting: Sitting) -> None:
    rater = sitting.rater
    rater.answer()
    rater.left(at(1))
    rater.choose(1, 1)
    sitting.page.reload()
    rater.ready()
    assert rater.progress == at(2)
    assert sitting.page.locator("input:checked").count() == 0
    rater.answer()
    rater.left(at(2))
    sitting.has(2)


def test_the_back_button_loses_nothing(context: Any, server: Server) -> None:
    """Back leads to the address before the token was in it; a refresh there is no new rater."""
    page = context.new_page()
    rater = BrowserRater(page, server.url)
    page.goto("about:blank")
    rater.arrive("?SESSION_ID=s")
    rater.consent()
    page.wait_for_url("**/?t=*")
    address = page.url
    page.go_back()
    page.wait_for_timeout(700)
    if page.url != "about:blank":
        page.reload()
        rater.sees("Does this clip play smoothly?")
    else:
        page.go_forward()
        rater.sees("Does this clip play smoothly?")
    assert page.url == address


def test_two_tabs_are_one_rater(sitting: Sitting) -> None:
    first, second = sitting.rater, sitting.tab()
    first.page.bring_to_front()
    first.answer()
    first.left(at(1))
    second.page.bring_to_front()
    second.page.wait_for_timeout(300)
    second.answer(1, 1, 1)
    second.left(at(1))
    assert second.progress == at(2), "the answer of the second tab came too late"
    sitting.has(1)
    second.answer()
    second.left(at(2))
    sitting.has(2)
    assert "second_tab" in sitting.kept.events


def test_a_double_click_saves_once(sitting: Sitting) -> None:
    rater = sitting.rater
    rater.watch()
    rater.choose(4, 3, 5)
    sitting.page.locator("button.submit").dblclick()
    rater.left(at(1))
    sitting.page.wait_for_timeout(700)
    assert rater.progress == at(2)
    sitting.has(1)


def test_a_lost_line_is_mended_and_the_answer_arrives_once(context: Any, server: Server) -> None:
    with line_to(server.port) as line:
        sitting = Sitting(context, server, line.url)
        rater = sitting.rater
        rater.watch()
        rater.choose(4, 3, 5)
        line.cut()
        sitting.page.locator("button.submit").click()
        sitting.page.wait_for_timeout(1500)
        sitting.has(0)
        line.mend()
        sitting.page.locator(".progress span", has_text=at(2)).wait_for(timeout=25_000)
        sitting.has(1)


def test_a_server_that_is_killed_and_started_again_goes_on(sitting: Sitting) -> None:
    """Killed by SIGKILL after an answer, while the next one is being given."""
    rater, server = sitting.rater, sitting.server
    rater.answer()
    rater.left(at(1))
    rater.watch()
    rater.choose(4, 3, 5)
    server.kill()
    sitting.has(1)
    sitting.page.locator("button.submit").click()
    server.start()
    sitting.page.locator(".progress span", has_text=at(3)).wait_for(timeout=25_000)
    sitting.has(2)


def test_an_answer_survives_a_kill_right_after_it(sitting: Sitting) -> None:
    rater, server = sitting.rater, sitting.server
    rater.answer()
    rater.left(at(1))
    server.kill()
    server.start()
    sitting.has(1)
    sitting.page.goto(f"{server.url}/?t={sitting.token}")
    rater.ready()
    assert rater.progress == at(2)


TAMPER = {
    "seeking to the end": "v.currentTime = v.duration - 0.01",
    "playing fast": "v.playbackRate = 8",
    "both": "v.playbackRate = 4; v.currentTime += 0.5",
}


@pytest.mark.parametrize("how", TAMPER)
def test_seeking_and_fast_playback_do_not_unlock(sitting: Sitting, how: str) -> None:
    """Tampered with every 20 ms, for longer than the clip takes."""
    page, rater = sitting.page, sitting.rater
    page.reload()
    rater.ready()
    page.locator("video").first.evaluate(
        "(_, code) => { window.tamper = setInterval(() => eval(code), 20); }",
        f"deepVideos().forEach((v) => {{ {TAMPER[how]} }})".replace("deepVideos()", VIDEOS),
    )
    rater.choose(4, 3, 5)
    page.wait_for_timeout(3000)
    page.locator("button.submit").click(force=True)
    page.wait_for_timeout(500)
    assert rater.progress == at(1)
    sitting.has(0)
    page.evaluate("clearInterval(window.tamper)")
    rater.watch()
    page.locator("button.submit").click()
    rater.left(at(1))
    sitting.has(1)
    assert int(str(sitting.kept.ledgers[0]["seeks"])) > 0, "and it is in the ledger"


VIDEOS = (
    "[...document.querySelectorAll('*')].flatMap((e) => "
    "e.shadowRoot ? [...e.shadowRoot.querySelectorAll('video')] : [])"
)
HIDE = """(hidden) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
    const state = hidden ? 'hidden' : 'visible';
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
    document.dispatchEvent(new Event('visibilitychange'));
}"""


def test_a_hidden_tab_does_not_unlock(sitting: Sitting) -> None:
    """The page is told that it is hidden, as when another tab is in front."""
    page, rater = sitting.page, sitting.rater
    page.reload()
    rater.ready()
    page.evaluate(HIDE, True)
    share = page.locator(".watched").inner_text()
    page.wait_for_timeout(3000)
    assert page.locator(".watched").inner_text() == share != "Watched: 100%"
    page.evaluate(HIDE, False)
    rater.answer()
    rater.left(at(1))
    assert int(str(sitting.kept.ledgers[0]["hidden_ms"])) >= 2500


def test_clips_out_of_sight_do_not_count(sitting: Sitting) -> None:
    page, rater = sitting.page, sitting.rater
    page.set_viewport_size({"width": 390, "height": 420})
    page.reload()
    rater.ready()
    page.locator("button.submit").scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    share = page.locator(".watched").inner_text()
    page.wait_for_timeout(2500)
    assert page.locator(".watched").inner_text() == share != "Watched: 100%"


def test_a_clip_that_does_not_come_says_why_and_lets_the_rater_go_on(
    context: Any, server: Server
) -> None:
    context.route("**/v/**", lambda route: route.fulfill(status=404))
    token = new_rater_at_trials(server.folder)
    rater = BrowserRater(context.new_page(), server.url)
    rater.arrive(f"?t={token}")
    rater.sees("The clips could not be loaded (HTTP 404).")
    rater.press("It does not play")
    rater.press("Skip this trial")
    rater.left(at(1))
    found = kept(server.folder, token)
    assert found.states == ["unplayable"] + ["dealt"] * (TOTAL - 1)
    assert "load_failed" in found.events and "unplayable" in found.events
