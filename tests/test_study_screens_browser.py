"""Small windows, long requests and languages from right to left, in Chromium."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from browser_rater import BrowserRater, chromium
from served_study import Server, make_run, make_study, running_server
from store_of_study import kept, new_rater_at, new_rater_at_trials, speak

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LEAST, MOST = 210, 360
WINDOWS = {
    "laptop": {"viewport": {"width": 1366, "height": 650}},
    "upright": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
    "sideways": {"viewport": {"width": 844, "height": 390}, "is_mobile": True, "has_touch": True},
    "zoomed": {"viewport": {"width": 683, "height": 325}},
    "desk": {"viewport": {"width": 1280, "height": 800}},
}
PLAIN = {
    "display_height: 360": f"display_height: {MOST}",
    "least_height: 200": f"least_height: {LEAST}",
    "trials: 20": "trials: 3",
    "break_after: 12": "break_after: 50",
    "traps: 1": "traps: 0",
    "gold: 1": "gold: 0",
    "repeats: 1": "repeats: 0",
}
ROOT = """
    const root = [...document.querySelectorAll('*')].map((e) => e.shadowRoot)
        .find((found) => found?.querySelector('.trial'));
    const box = (e) => { const b = e.getBoundingClientRect();
        return { x: b.left, y: b.top, width: b.width, height: b.height }; };
"""


@pytest.fixture(scope="module")
def servers(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    """The same run as ratings and as pairs, in English and Arabic."""
    base = tmp_path_factory.mktemp("screens")
    run = make_run(base / "run", root, videos=4)
    pairs = PLAIN | {"design: absolute": "design: pairwise"}
    with (
        running_server(make_study(base / "one", run, "ar", "de", **PLAIN)) as ratings,
        running_server(make_study(base / "two", run, "ar", "de", **pairs)) as both,
    ):
        yield {"absolute": ratings, "pairwise": both}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


def at_trial(browser: Any, server: Server, window: str, language: str = "en") -> BrowserRater:
    token = new_rater_at_trials(server.folder)
    speak(server.folder, token, language)
    rater = BrowserRater(browser.new_page(**WINDOWS[window]), server.url)
    rater.arrive(f"?t={token}")
    rater.ready()
    return rater


def boxes(page: Any, selector: str) -> list[dict[str, float]]:
    script = f"(s) => {{ {ROOT} return [...root.querySelectorAll(s)].map(box); }}"
    return list(page.evaluate(script, selector))


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("design", ["absolute", "pairwise"])
def test_clips_are_never_lower_than_declared_and_all_can_be_watched_and_saved(
    browser: Any, servers: dict[str, Server], design: str, window: str
) -> None:
    """Whoever scrolls past every clip, a loop each, and then to the end can answer and save."""
    server = servers[design]
    rater = at_trial(browser, server, window)
    page = rater.page
    clips = boxes(page, "video")
    assert all(LEAST <= clip["height"] <= MOST for clip in clips), clips
    assert max(clip["height"] for clip in clips) - min(clip["height"] for clip in clips) < 1
    assert all(clip["x"] >= 0 for clip in clips)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if window in ("laptop", "desk"):
        assert all(clip["height"] >= 0.64 * MOST for clip in clips), "near the declared height"
        assert len({clip["y"] for clip in clips}) == 1, "side by side"
    for place in range(len(clips)):
        page.locator("video").nth(place).scroll_into_view_if_needed()
        page.wait_for_timeout(200)
        page.locator("figure").nth(place).and_(page.locator(".all")).wait_for()
    rater.watch()
    for question in range(3):
        page.locator(".question").nth(question).locator("label").nth(1).click()
    page.locator("button.submit").click()
    rater.left("1 of 3")
    assert kept(server.folder, page.url.split("t=")[1]).states[0] == "rated"
    page.close()


def test_a_clip_below_the_window_does_not_count_and_does_once_it_is_there(
    browser: Any, servers: dict[str, Server]
) -> None:
    """Three clips one above the other in a window as low as one of them."""
    rater = at_trial(browser, servers["pairwise"], "zoomed")
    page = rater.page
    page.locator("figure.all").first.wait_for()
    page.wait_for_timeout(2500)
    assert page.locator("figure.all").count() == 1, "only the source was on the screen"
    assert page.locator(".watched").inner_text() == "Watched: 0%"
    page.locator("video").nth(2).scroll_into_view_if_needed()
    page.locator("figure").nth(2).and_(page.locator(".all")).wait_for()
    page.close()


def test_a_window_that_is_too_narrow_for_the_least_height_is_told_so(
    browser: Any, servers: dict[str, Server]
) -> None:
    """Clips are 5:3: 210 pixels high they are 350 wide."""
    server = servers["absolute"]
    page = browser.new_page(viewport={"width": 330, "height": 700})
    rater = BrowserRater(page, server.url)
    rater.arrive()
    rater.consent()
    page.locator("button.submit[aria-disabled=false]").wait_for()
    clip = boxes(page, "video")[0]
    assert clip["height"] >= LEAST and clip["x"] >= 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the stage scrolls"
    page.locator("button.submit").click()
    rater.sees("This window is 330 pixels wide, but the clips need 350.")
    page.set_viewport_size({"width": 700, "height": 330})
    page.locator("button.submit[aria-disabled=false]").click()
    rater.sees("What to do")
    page.close()


BROKEN = f"""() => {{ {ROOT}
    const lines = (node, from, to) => {{
        const range = document.createRange();
        range.setStart(node, from);
        range.setEnd(node, to);
        return new Set([...range.getClientRects()].map((r) => Math.round(r.top))).size;
    }};
    return [...root.querySelectorAll('.options .label')].flatMap((label) => {{
        const node = label.firstChild;
        const words = [...node.data.matchAll(/\\S+/g)];
        return words.filter((w) => lines(node, w.index, w.index + w[0].length) > 1).map(String);
    }}); }}"""
LONG_LABELS = ["Donaudampfschifffahrt", "Überhaupt nicht", "Teilweise", "Weitgehend", "Vollständig"]


@pytest.mark.parametrize("width", [320, 390, 480, 700])
@pytest.mark.parametrize(
    ("design", "language"),
    [("absolute", "en"), ("absolute", "de"), ("absolute", "ar"), ("pairwise", "de")],
)
def test_no_word_of_an_answer_is_broken_on_a_phone(
    browser: Any, servers: dict[str, Server], design: str, language: str, width: int
) -> None:
    """Nor is one when it is chosen, and so in bold; all questions are set alike."""
    server = servers[design]
    token = new_rater_at_trials(server.folder)
    speak(server.folder, token, language)
    view = {"viewport": {"width": width, "height": 844}, "is_mobile": True, "has_touch": True}
    page = browser.new_page(**view)
    rater = BrowserRater(page, server.url)
    rater.arrive(f"?t={token}")
    rater.ready()
    count = 5 if design == "absolute" else 3
    for value in range(count):
        for question in range(3):
            page.locator(".question").nth(question).locator("label").nth(value).click()
        assert page.evaluate(BROKEN) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    layouts = page.locator(".options").evaluate_all("(all) => all.map((one) => one.className)")
    assert len(set(layouts)) == 1
    page.close()


def test_answers_stand_one_below_the_other_where_words_have_no_room(
    browser: Any, servers: dict[str, Server]
) -> None:
    """A long compound: in rows on a phone, side by side again when the phone is turned."""
    rater = at_trial(browser, servers["absolute"], "upright")
    page = rater.page
    page.evaluate(
        f"""(texts) => {{ {ROOT} root.querySelectorAll('.question').forEach((question) =>
            question.querySelectorAll('.label').forEach((label, n) =>
                (label.textContent = texts[n]))); }}""",
        LONG_LABELS,
    )
    page.set_viewport_size({"width": 391, "height": 844})
    page.locator(".options.rows").first.wait_for()
    found = boxes(page, ".question:first-child .options label")
    assert len({box["x"] for box in found}) == 1 and len({box["y"] for box in found}) == 5
    assert page.evaluate(BROKEN) == []
    page.set_viewport_size({"width": 1000, "height": 600})
    page.locator(".options.rows").first.wait_for(state="detached")
    assert len({box["y"] for box in boxes(page, ".question:first-child .options label")}) == 1
    page.close()


def words(count: int) -> str:
    some = "make the small blue ball in the corner of the room roll slowly over the carpet"
    return " ".join((some.split() * count)[:count])


LONG = {
    "48 words": ("laptop", words(48)),
    "140 words": ("desk", words(140)),
    "one word": ("laptop", "a" * 200),
    "one word on a phone": ("upright", "a" * 200),
    "140 words on a phone": ("upright", words(140)),
    "from right to left": ("laptop", "حوّل الكرة الزرقاء إلى نجمة حمراء " * 8),
}


@pytest.mark.parametrize("case", LONG)
def test_a_long_request_wraps_and_what_saves_stays_in_view(
    browser: Any, servers: dict[str, Server], case: str
) -> None:
    window, prompt = LONG[case]
    rater = at_trial(browser, servers["absolute"], window)
    page = rater.page
    page.evaluate(
        f"""(text) => {{ {ROOT} const said = root.querySelector('h2 span');
            said.textContent = text;
            said.parentElement.classList.toggle('long', text.length > 160); }}""",
        prompt,
    )
    page.wait_for_timeout(400)
    width, height = (WINDOWS[window]["viewport"][side] for side in ("width", "height"))  # type: ignore[index]
    label, said = boxes(page, "h2 small")[0], boxes(page, "h2 span")[0]
    assert label["height"] < 24, "Request stands in one line"
    assert said["x"] >= 0
    assert said["x"] + said["width"] <= width
    assert said["y"] + said["height"] <= boxes(page, ".stage")[0]["y"], "and nothing overlaps it"
    save = boxes(page, "button.submit")[0]
    assert save["y"] + save["height"] <= height
    assert all(clip["height"] >= LEAST for clip in boxes(page, "video"))
    page.locator(".foot").evaluate("(foot) => foot.scrollIntoView()")
    order = [boxes(page, s)[-1] for s in ("h2", ".stage", ".transport", ".questions", ".foot")]
    for above, below in pairwise(order):
        assert above["y"] + above["height"] <= below["y"] + 1, "at the end nothing covers anything"
    page.close()


def test_from_right_to_left_left_is_left_and_keys_count_from_one(
    browser: Any, servers: dict[str, Server]
) -> None:
    """In tests/support/texts_ar.yaml the left edit is called al-aysar, the right one al-ayman."""
    rater = at_trial(browser, servers["pairwise"], "desk", "ar")
    page = rater.page
    told = page.evaluate("[document.documentElement.lang, document.documentElement.dir]")
    assert (told, page.title()) == (["ar", "rtl"], "أيّ تعديل أفضل؟")
    names = page.locator("figcaption").all_inner_texts()
    at = dict(zip(names, (clip["x"] for clip in boxes(page, "video")), strict=True))
    assert at["الأيسر"] < at["الأيمن"] < at["الأصل"], "the source where one begins to read"
    for choice in range(3):
        found = boxes(page, f".question:nth-child({choice + 1}) .options label")
        assert [box["x"] for box in found] == sorted(box["x"] for box in found), "left is left"
    rater.watch()
    for key in ("1", "٣", "2"):
        page.keyboard.press(key) if key.isascii() else page.evaluate(KEY, key)
    page.keyboard.press("Enter")
    page.locator(".progress span", has_text="2 من 3").wait_for()
    answers = kept(servers["pairwise"].folder, page.url.split("t=")[1]).answers
    assert next(iter(answers.values())) == {"alignment": -1, "fidelity": 1, "quality": 0}
    page.close()


KEY = """(key) => document.activeElement.dispatchEvent(
    new KeyboardEvent('keydown', { key, code: 'Digit3', bubbles: true, composed: true }))"""


def test_screens_from_right_to_left_begin_at_the_right(
    browser: Any, servers: dict[str, Server]
) -> None:
    """Every paragraph and heading ends at the right edge of its column."""
    server = servers["absolute"]
    page = browser.new_page(**WINDOWS["desk"])
    rater = BrowserRater(page, server.url)
    rater.arrive("?lang=ar")
    page.get_by_role("button", name="أوافق", exact=True).wait_for()
    for screen in ("welcome", "instructions", "quiz", "comment", "break"):
        if screen != "welcome":
            token = new_rater_at(server.folder, screen)
            speak(server.folder, token, "ar")
            rater.arrive(f"?t={token}")
            page.locator(".st-key-narrow h2:visible").wait_for()
        aligned = page.locator(".st-key-narrow :is(h1, h2, p, li):visible").evaluate_all(
            "all => all.map((e) => [getComputedStyle(e).direction, getComputedStyle(e).textAlign])"
        )
        assert aligned and {direction for direction, _ in aligned} == {"rtl"}
        assert {align for _, align in aligned} <= {"start", "right", "center"}, screen
    page.close()


def test_a_language_that_is_chosen_is_that_of_the_page(
    browser: Any, servers: dict[str, Server]
) -> None:
    page = browser.new_page(**WINDOWS["desk"])
    rater = BrowserRater(page, servers["absolute"].url)
    rater.arrive()
    rater.press("العربية")
    page.wait_for_function("document.documentElement.dir === 'rtl'")
    assert page.evaluate("document.documentElement.lang") == "ar"
    page.wait_for_function("document.title === 'أيّ تعديل أفضل؟'")
    page.get_by_role("button", name="English", exact=True).click()
    page.wait_for_function("document.documentElement.dir === 'ltr'")
    assert page.evaluate("document.documentElement.lang") == "en"
    page.close()
