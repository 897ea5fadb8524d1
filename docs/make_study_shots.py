"""Takes pictures of every screen of a study into docs/images/study/, as a rater sees them.

python docs/make_study_shots.py [OUT]

It builds a small study of rendered clips, serves it, and walks through it in headless Chromium:
light on a desk; trials also in the dark, in pairs, on a laptop with the bars of a browser, on a
phone upright and sideways, at 200%, and in Arabic.
"""

import argparse
import io
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from browser_rater import BrowserRater, chromium  # noqa: E402
from served_study import Server, make_run, make_study, running_server  # noqa: E402
from store_of_study import new_rater_at, new_rater_at_trials, speak  # noqa: E402

from study_app.open_study import open_study  # noqa: E402
from study_app.state import change_state  # noqa: E402
from study_app.store.database import now  # noqa: E402

DESK = {"viewport": {"width": 1280, "height": 800}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
SIDEWAYS = PHONE | {"viewport": {"width": 844, "height": 390}}
SMALL = {
    "laptop": {"viewport": {"width": 1366, "height": 650}},
    "phone": PHONE,
    "sideways": SIDEWAYS,
    "zoom": {"viewport": {"width": 683, "height": 325}, "device_scale_factor": 2},
}
SHOWN = {  # of a trial in each window
    "trial": {"laptop": "end", "phone": "top end", "sideways": "top", "zoom": "top end"},
    "pair": {"laptop": "end", "phone": "top", "sideways": "top end"},
}
SLOW = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 125_000,
    "uploadThroughput": 125_000,
}
LARGEST = 120_000  # bytes of a picture
STILL = 900  # milliseconds until everything has settled


class Camera:
    """Takes pictures of a page into a folder."""

    def __init__(self, out: Path) -> None:
        self.out = out
        out.mkdir(parents=True, exist_ok=True)

    def take(self, page: Any, name: str, *, whole: bool = False) -> None:
        """Keep what the page shows, with as many colours as fit."""
        page.wait_for_timeout(STILL)
        picture = Image.open(io.BytesIO(page.screenshot(full_page=whole))).convert("RGB")
        for colours in (256, 128, 64, 32):
            found = io.BytesIO()
            picture.quantize(colours, dither=Image.Dither.NONE).save(found, "PNG", optimize=True)
            if found.tell() < LARGEST:
                break
        (self.out / f"{name}.png").write_bytes(found.getvalue())


def desk(browser: Any, url: str, camera: Camera) -> str:
    """Walk through the whole study; return the link of a rater in the middle of it."""
    page = browser.new_page(**DESK, color_scheme="light")
    rater = BrowserRater(page, url)
    rater.arrive()
    rater.sees("I agree")
    camera.take(page, "welcome")
    rater.consent()
    page.locator("button.submit[aria-disabled=false]").wait_for()
    camera.take(page, "device")
    rater.check_device()
    camera.take(page, "instructions")
    rater.press("Next")
    practise(rater, camera)
    camera.take(page, "quiz")
    rater.pass_quiz()
    rater.watch()
    rater.choose(4, 3)
    camera.take(page, "trial")
    rater.finish(lambda: camera.take(page, "break"))
    camera.take(page, "comment")
    rater.press("Next")
    rater.sees("Your code")
    camera.take(page, "thanks")
    page.close()
    return str(page.url)


def practise(rater: BrowserRater, camera: Camera) -> None:
    """Answer the practice trials; take a picture of one and of its feedback."""
    rater.ready()
    camera.take(rater.page, "training")
    rater.answer()
    rater.sees("Most people would answer")
    camera.take(rater.page, "feedback")
    rater.go_on()
    rater.ready()
    rater.answer()
    rater.go_on()
    rater.sees("Is everything clear?")


def trial_only(
    browser: Any,
    server: Server,
    camera: Camera,
    name: str,
    *,
    language: str = "en",
    parts: str = "end",
    **look: Any,
) -> None:
    """Take a picture of a trial in another look.

    parts: top, before anything is answered; end, where one answers.
    """
    page = browser.new_page(**{"color_scheme": "light"} | look)
    rater = BrowserRater(page, server.url)
    token = new_rater_at_trials(server.folder)
    speak(server.folder, token, language)
    rater.arrive(f"?t={token}")
    rater.ready()
    wait_for_toast(page)
    if "top" in parts:
        camera.take(page, f"{name}-top")
    if "end" not in parts:
        page.close()
        return
    for place in range(page.locator("video").count()):
        page.locator("video").nth(place).scroll_into_view_if_needed()
        page.locator("figure").nth(place).and_(page.locator(".all")).wait_for()
    rater.choose(*((1, 3) if "pair" in name else (4, 3)))
    camera.take(page, name)
    page.close()


def wait_for_toast(page: Any) -> None:
    """Wait until what is said to whoever comes back has come and gone."""
    page.get_by_test_id("stToast").wait_for()
    page.get_by_test_id("stToast").wait_for(state="detached")


def small(browser: Any, server: Server, camera: Camera, name: str) -> None:
    """Take pictures of a trial in small windows."""
    for window, parts in SHOWN[name].items():
        shot = f"{name}-{window}"
        trial_only(browser, server, camera, shot, parts=parts, **SMALL[window])


def arabic(browser: Any, server: Server, camera: Camera) -> None:
    """Take pictures of what somebody sees who reads from right to left, on a slow line at first."""
    context = browser.new_context(**DESK, color_scheme="light")
    page = context.new_page()
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", SLOW)
    page.goto(f"{server.url}/?lang=ar", wait_until="commit")
    page.locator("#opening").wait_for()
    camera.take(page, "opening-ar")
    page.locator(".st-key-consent").wait_for(timeout=30_000)
    page.locator("#opening").wait_for(state="detached")
    camera.take(page, "welcome-ar")
    context.close()
    page = browser.new_page(**DESK, color_scheme="light")
    for screen in ("instructions", "quiz"):
        token = new_rater_at(server.folder, screen)
        speak(server.folder, token, "ar")
        page.goto(f"{server.url}/?t={token}")
        page.locator(".st-key-narrow h2:visible").wait_for()
        wait_for_toast(page)
        camera.take(page, f"{screen}-ar")
    page.close()
    trial_only(browser, server, camera, "trial-ar", language="ar", **DESK)


def full(browser: Any, server: Server, camera: Camera) -> None:
    """Take a picture of what whoever comes sees while all places are taken."""
    new_rater_at_trials(server.folder)
    page = browser.new_page(**DESK, color_scheme="light")
    rater = BrowserRater(page, server.url)
    rater.arrive()
    rater.press("I agree")
    rater.sees("All places are taken")
    camera.take(page, "full")
    page.close()


def ends(browser: Any, url: str, camera: Camera) -> None:
    """Take pictures of the ways to end early."""
    page = browser.new_page(**DESK, color_scheme="light")
    rater = BrowserRater(page, url)
    rater.arrive("?t=nobody")
    rater.sees("does not belong")
    camera.take(page, "unknown-link")
    page.set_viewport_size({"width": 300, "height": 760})
    rater.arrive()
    rater.consent()
    rater.ready()
    page.locator("button.submit[aria-disabled=false]").click()
    rater.sees("pixels wide")
    camera.take(page, "unfit")
    page.close()
    page = browser.new_page(**DESK, color_scheme="light")
    rater = BrowserRater(page, url)
    rater.arrive()
    rater.press("I do not agree")
    rater.sees("Nothing was kept")
    camera.take(page, "declined")
    page.close()


def other_ends(browser: Any, server: Server, camera: Camera) -> None:
    """Take pictures of the ends that others decide: rules, quotas, the rater, the researcher."""
    page = browser.new_page(**DESK, color_scheme="light")
    for screen in ("failed", "no_play", "left"):
        page.goto(f"{server.url}/?t={new_rater_at(server.folder, screen)}")
        page.locator(".st-key-code").wait_for()
        camera.take(page, screen.replace("_", "-"))
    database, rater = open_study(server.folder).database, new_rater_at_trials(server.folder)
    late = new_rater_at(server.folder, "closed")
    change_state(database, "closed", now())
    page.goto(f"{server.url}/?t={late}")
    page.locator(".st-key-code").wait_for()
    camera.take(page, "closed")
    change_state(database, "paused", now())
    page.goto(f"{server.url}/?t={rater}")
    page.get_by_text("The study is paused").wait_for()
    camera.take(page, "on-hold")
    page.close()


def main() -> None:
    """Build, serve, walk and take pictures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path, nargs="?", default=ROOT / "docs" / "images" / "study")
    camera = Camera(parser.parse_args().out)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        run = make_run(Path(folder) / "run", ROOT)
        large = {"display_height: 360": "display_height: 360"}  # not as small as in tests
        with running_server(make_study(Path(folder) / "one", run, **large)) as server:
            desk(browser, server.url, camera)
            ends(browser, server.url, camera)
            trial_only(browser, server, camera, "trial-dark", **DESK, color_scheme="dark")
            small(browser, server, camera, "trial")
            other_ends(browser, server, camera)
        pairs = large | {"design: absolute": "design: pairwise"}
        with running_server(make_study(Path(folder) / "two", run, "ar", **pairs)) as server:
            trial_only(browser, server, camera, "pair", **DESK)
            small(browser, server, camera, "pair")
            trial_only(browser, server, camera, "pair-ar", language="ar", **DESK)
        with running_server(make_study(Path(folder) / "three", run, "ar", **large)) as server:
            arabic(browser, server, camera)
        one = large | {"raters: null": "raters: 1"}
        with running_server(make_study(Path(folder) / "four", run, **one)) as server:
            full(browser, server, camera)


if __name__ == "__main__":
    main()
