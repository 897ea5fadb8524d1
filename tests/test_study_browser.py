"""A rater in Chromium, from consent to the code: mouse, keyboard, phone, dark, read aloud."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from browser_rater import BrowserRater, chromium
from served_study import ANCHORS, METHODS, Server, make_run, make_study, running_server
from store_of_study import kept, new_rater_at, new_rater_at_trials

from study_app.declaration import declared_hash
from study_app.plan import read_plan, write_plan
from study_app.spec.study import read_study

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SHORT = {
    "trials: 20": "trials: 2",
    "break_after: 12": "break_after: 2",
    "training: 3": "training: 1",
    "traps: 1": "traps: 0",
    "repeats: 1": "repeats: 0",
}
DESK = {"viewport": {"width": 1280, "height": 800}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}
EVIL = "<img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script>"


@pytest.fixture(scope="module")
def server(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    base = tmp_path_factory.mktemp("browser")
    run = make_run(base / "run", root, videos=4)
    folder = make_study(base / "study", run, **SHORT)
    plan = read_plan(folder)
    training = [replace(item, prompt=EVIL) for item in plan.of_kind("training")]
    others = [item for item in plan.items if item.kind != "training"]
    plan = replace(plan, items=(*training, *others))
    write_plan(folder, replace(plan, declared=declared_hash(read_study(folder), plan)))
    with running_server(folder) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


def token(page: Any) -> str:
    return str(page.url.split("t=")[1])


def test_by_mouse_from_consent_to_the_code_and_nothing_is_told(
    browser: Any, server: Server
) -> None:
    """All traffic and every page is searched for what a rater must not know."""
    context = browser.new_context(**DESK)
    page = context.new_page()
    traffic: list[str] = []
    page.on("request", lambda request: traffic.append(f"{request.url} {request.post_data or ''}"))
    page.on("response", lambda answer: traffic.append(f"{answer.url} {answer.all_headers()}"))
    page.on("websocket", lambda found: _listen(found, traffic))
    rater = BrowserRater(page, server.url)
    rater.to_trials(f"?PROLIFIC_PID={quote(f'x {EVIL}')}&SESSION_ID={quote(EVIL)}")
    assert re.fullmatch(rf"{server.url}/\?t=[A-Za-z0-9_-]{{32}}", page.url)
    pages = [page.content(), page.locator(".dreamix").evaluate("e => e.innerHTML")]
    assert rater.finish(lambda: pages.append(page.content())) == 3
    assert not any("DONE-4711" in text for text in (*traffic, *pages))
    page.get_by_role("textbox").fill(EVIL)
    rater.press("Next")
    rater.sees("DONE-4711")
    assert page.title() == "Which edit is better?", "no prompt, no name, no comment is run"
    found = kept(server.folder, token(page))
    assert (found.screen, found.states) == ("finished", ["rated"] * 3)
    assert all(values == {"alignment": 4, "fidelity": 3, "quality": 5} for values in
               found.answers.values())  # fmt: skip
    assert len(found.answers) == 4, "with the practice"
    storage = page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    told = "\n".join((*traffic, *pages, storage, str(context.cookies()))).lower()
    for word in (*METHODS, *ANCHORS, "frozen", "shuffled", "sources/", "clips/"):
        assert word not in told.replace("dreamixclips", ""), word
    hosts = {line.split("/")[2] for line in traffic if line.startswith("http")}
    assert hosts == {server.url.split("/")[2]}, "and nobody else is asked"
    context.close()


def _listen(socket: Any, traffic: list[str]) -> None:
    def heard(payload: str | bytes) -> None:
        text = payload if isinstance(payload, str) else payload.decode("latin-1")
        traffic.append(f"ws {text}")

    socket.on("framereceived", heard)
    socket.on("framesent", heard)


def test_by_keyboard_alone(browser: Any, server: Server) -> None:
    page = browser.new_page(**DESK)
    rater = BrowserRater(page, server.url)
    rater.arrive()
    rater.sees("I agree")
    _tab_to(page, "I agree")
    page.keyboard.press("Enter")
    rater.ready()
    page.locator("button.submit[aria-disabled=false]").wait_for()
    _tab_to(page, "It plays well")
    page.keyboard.press("Enter")
    rater.sees("What to do")
    _tab_to(page, "Next")
    page.keyboard.press("Enter")
    rater.ready()
    _answer_by_keys(rater, "2", "5", "1")
    rater.sees("Most people would answer")
    page.keyboard.press("Enter")
    rater.sees("Is everything clear?")
    for arrows in (("Space",), ("ArrowDown",)):
        _tab_to(page, "", kind="radio")
        for key in arrows:
            page.keyboard.press(key)
    page.get_by_role("radio").nth(3).wait_for(state="attached")
    _tab_to(page, "Next")
    page.keyboard.press("Enter")
    for place in range(3):
        page.locator(".progress span, h2:visible").first.wait_for()
        if rater.shows("A short break?"):
            _tab_to(page, "Next")
            page.keyboard.press("Enter")
        page.locator(".progress span", has_text=f"{place + 1} of 3").wait_for()
        rater.ready()
        _answer_by_keys(rater, "1", "2", "3")
        rater.left(f"{place + 1} of 3")
    rater.sees("Almost done")
    _tab_to(page, "Next")
    page.keyboard.press("Enter")
    rater.sees("DONE-4711")
    found = kept(server.folder, token(page))
    assert list(found.answers.values())[1:] == [{"alignment": 1, "fidelity": 2, "quality": 3}] * 3
    page.close()


def _answer_by_keys(rater: BrowserRater, *keys: str) -> None:
    for key in keys:
        rater.page.keyboard.press(key)
    checked = rater.page.locator(".options input:checked")
    assert checked.count() == 3, "each key goes on to the next question"
    rater.watch()
    rater.page.keyboard.press("Enter")


def _tab_to(page: Any, label: str, kind: str = "") -> None:
    """Press Tab until something is reached; fail if it cannot be reached."""
    script = """() => {
        let e = document.activeElement;
        while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
        const fresh = e?.type === 'radio' && !document.querySelector(`[name="${e.name}"]:checked`);
        return [e?.innerText?.trim() ?? '', fresh ? 'radio' : ''];
    }"""
    for _ in range(40):
        page.keyboard.press("Tab")
        text, found = page.evaluate(script)
        if (kind and found == kind) or (not kind and text == label):
            return
    raise AssertionError(f"Tab does not reach {label or kind}")


def test_on_a_phone_in_portrait_nothing_is_cut_off(browser: Any, server: Server) -> None:
    page = browser.new_page(**PHONE)
    rater = BrowserRater(page, server.url)
    rater.to_trials()
    wide = "document.documentElement.scrollWidth <= innerWidth"
    assert page.evaluate(wide)
    boxes = [page.locator("video").nth(place).bounding_box() for place in range(2)]
    assert boxes[1]["y"] > boxes[0]["y"] + boxes[0]["height"], "one above the other"
    assert boxes[1]["y"] + boxes[1]["height"] < 844, "and both on the screen at once"
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)
    drawn = page.locator("video.small").first.evaluate("v => getComputedStyle(v).imageRendering")
    assert drawn == "pixelated", "small clips are enlarged without smoothing"
    for place in range(15):
        box = page.locator(".options label").nth(place).bounding_box()
        assert box["height"] >= 44 and box["width"] >= 44, "large enough for a thumb"
        assert box["x"] + box["width"] <= 390
    rater.watch()
    for question in range(3):
        page.locator(".question").nth(question).locator("label").nth(1).tap()
    page.locator("button.submit").tap()
    rater.left("1 of 3")
    assert kept(server.folder, token(page)).states[0] == "rated"
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_can_be_told_apart(browser: Any, server: Server, scheme: str) -> None:
    """WCAG AA: 4.5 for text. Measured on what is drawn, options chosen and not."""
    page = browser.new_page(**DESK, color_scheme=scheme)
    rater = BrowserRater(page, server.url)
    rater.arrive(f"?t={new_rater_at_trials(server.folder)}")
    rater.ready()
    rater.choose(4, 3)
    page.wait_for_timeout(400)
    back = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert (_light(_rgb(back)) > 0.5) == (scheme == "light")
    for selector in (".ask", ".label", ".key", "h2", "h2 small", ".progress span", ".watched",
                     ".keys", "button.quiet", "button.submit", "figcaption"):  # fmt: skip
        for place in range(page.locator(selector).count()):
            found = page.locator(selector).nth(place).evaluate(COLOURS)
            ratio = _contrast(_rgb(found[0]), _rgb(found[1] or back))
            assert ratio >= 4.5, (selector, place, found, ratio)
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("screen", "selector"),
    [
        ("quiz", "[data-testid=stRadioOption] > div > div:first-child"),
        ("comment", "[data-testid=stTextAreaRootElement]"),
        ("break", ".stButton button[kind=secondary]"),
    ],
)
def test_what_can_be_pressed_or_filled_in_has_an_edge(
    browser: Any, server: Server, scheme: str, screen: str, selector: str
) -> None:
    """WCAG AA: 3 for edges. Streamlit draws its own with a fifth of the ink, and renames them."""
    page = browser.new_page(**DESK, color_scheme=scheme)
    page.goto(f"{server.url}/?t={new_rater_at(server.folder, screen)}")
    edge = page.locator(selector).first
    edge.wait_for()
    page.wait_for_timeout(400)
    style, red, green, blue, *alpha = edge.evaluate(
        "e => [getComputedStyle(e).borderTopStyle, ..."
        "getComputedStyle(e).borderTopColor.match(/[0-9.]+/g).map(Number)]"
    )
    back = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert (style, alpha) == ("solid", [])
    assert _contrast((red, green, blue), _rgb(back)) >= 3
    page.close()


COLOURS = """e => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const plain = (colour) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return canvas.getImageData(0, 0, 1, 1).data;
    };
    const written = (data) => `rgb(${data[0]}, ${data[1]}, ${data[2]})`;
    const text = written(plain(getComputedStyle(e).color));
    for (let node = e; node; node = node.parentElement ?? node.getRootNode().host) {
        const back = plain(getComputedStyle(node).backgroundColor);
        if (back[3] > 250) return [text, written(back)];
    }
    return [text, null];
}"""


def _rgb(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in re.findall(r"[\d.]+", text)[:3])


def _light(rgb: tuple[float, ...]) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [c / 255 for c in rgb]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return float(sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True)))


def _contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    low, high = sorted((_light(one), _light(other)))
    return (high + 0.05) / (low + 0.05)


def test_clips_play_in_step_and_the_next_ones_are_there(browser: Any, server: Server) -> None:
    page = browser.new_page(**DESK)
    rater = BrowserRater(page, server.url)
    rater.arrive(f"?t={new_rater_at_trials(server.folder)}")
    rater.ready()
    page.wait_for_timeout(800)
    drifts = []
    for _ in range(25):
        times = page.locator("video").evaluate_all("all => all.map((v) => v.currentTime)")
        drifts.append(max(times) - min(times))
        page.wait_for_timeout(67)
    assert sorted(drifts)[len(drifts) // 2] < 1 / 8, "a frame of these clips"
    asked = page.evaluate("performance.getEntriesByType('resource').map((e) => e.name)")
    assert len({url for url in asked if "/v/" in url}) >= 3, "the next clips are there already"
    page.close()


def test_the_page_can_be_read_aloud(browser: Any, server: Server) -> None:
    """Names and groups are where a screen reader looks for them."""
    page = browser.new_page(**DESK)
    rater = BrowserRater(page, server.url)
    rater.arrive(f"?t={new_rater_at_trials(server.folder)}")
    rater.ready()
    group = page.get_by_role("radiogroup", name="How good does the edited clip look?")
    assert group.get_by_role("radio", name="Excellent").count() == 1
    assert group.get_by_role("radio").count() == 5
    assert page.get_by_role("heading", level=2).count() == 1
    assert page.locator("video").first.get_attribute("aria-label") == "Original"
    group.get_by_role("radio", name="Good").focus()
    page.keyboard.press("ArrowRight")
    assert group.get_by_role("radio", name="Excellent").is_checked(), "arrows work as ever"
    page.close()
