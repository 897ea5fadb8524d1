"""Takes a picture of a report page: how it opens, and its gallery beside it.

    python docs/make_report_shot.py RUN/report/index.html OUT.png

Needs Chromium on the path.
"""

import argparse
import shutil
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

SIZE = {"width": 1280, "height": 1020}


def pictures(page_file: Path) -> list[np.ndarray]:
    """Return the pictures of both parts, uint8 (height, width, 3)."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page(viewport=SIZE)
        page.goto(page_file.resolve().as_uri())
        page.wait_for_timeout(1000)
        found = [page.screenshot()]
        page.evaluate("location.hash = '#gallery'")  # a link opens what is folded
        page.wait_for_timeout(3000)
        found.append(page.screenshot())
        browser.close()
    return [np.array(Image.open(BytesIO(shot)).convert("RGB")) for shot in found]


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser()
    parser.add_argument("page", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    Image.fromarray(np.concatenate(pictures(options.page), axis=1)).save(options.out)


if __name__ == "__main__":
    main()
