"""Draws docs/images/study/admin.png: the researcher's page of a study that is being served.

python docs/make_admin_shot.py URL TOKEN OUT.png     (`make demo-study` prints URL and token)
"""

import shutil
import sys

from playwright.sync_api import sync_playwright

WIDTH = 1280
QUIET = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)
HEIGHT = "document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight"


def main(url: str, token: str, out: str) -> None:
    """Type the token, wait for the charts, and take the whole page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=QUIET.split()
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": 1000})
        page.goto(url)
        page.get_by_label("Token").fill(token)
        page.get_by_role("button", name="Enter").click()
        page.get_by_text("Taking raters").wait_for(timeout=60_000)
        page.wait_for_timeout(4000)
        page.set_viewport_size({"width": WIDTH, "height": page.evaluate(HEIGHT) + 20})
        page.wait_for_timeout(2000)
        page.screenshot(path=out)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:4])
