"""Takes a picture of a leaderboard: on a desk, and on a phone beside it.

    python docs/make_leaderboard_shot.py SITE/index.html OUT.png

Needs Chromium on the path.
"""

import argparse
import shutil
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

HEIGHT = 1000
DESK, PHONE, GAP = 1100, 390, 24


def pictures(page_file: Path) -> list[np.ndarray]:
    """Return the pictures of both screens with a gap between, uint8 (height, width, 3)."""
    found = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"))
        for width in (DESK, PHONE):
            page = browser.new_page(viewport={"width": width, "height": HEIGHT})
            page.goto(page_file.resolve().as_uri())
            page.wait_for_timeout(500)
            shot = Image.open(BytesIO(page.screenshot())).convert("RGB")
            found += [np.array(shot), np.full((HEIGHT, GAP, 3), 200, np.uint8)]
        browser.close()
    return found[:-1]


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser()
    parser.add_argument("page", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    found = Image.fromarray(np.concatenate(pictures(options.page), axis=1))
    found.quantize(128).save(options.out, optimize=True)


if __name__ == "__main__":
    main()
