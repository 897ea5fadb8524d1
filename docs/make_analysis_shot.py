r"""Takes a picture of a study's analysis: scores and pairs at the left, a league at the right.

    dreamix study new runs/toybox-full --out STUDY && dreamix study build STUDY
    dreamix study simulate STUDY --seed 3 --raters 110 --careless 0.1 \
        --follow alignment=judge_alignment --follow fidelity=toybox_nearness \
        --follow quality=judge_quality
    dreamix study analyze STUDY --database sqlite:///STUDY/simulated.sqlite --no-media
    python docs/make_analysis_shot.py STUDY/analysis/index.html OUT.png

Needs Chromium on the path.
"""

import argparse
import shutil
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

WIDTH, GAP = 1100, 24
LEFT = ("#mos .table", "#comparisons figure svg", "#votes figure svg")
RIGHT = "#metrics-and-people figure svg"


def shot(page: Page, selector: str) -> Image.Image:
    """Return the picture of the first element that fits."""
    return Image.open(BytesIO(page.locator(selector).first.screenshot())).convert("RGB")


def column(pictures: list[Image.Image], width: int) -> Image.Image:
    """Return pictures below each other, each as wide as the column."""
    sized = [one.resize((width, round(one.height * width / one.width))) for one in pictures]
    height = sum(one.height + GAP for one in sized)
    paper, at = Image.new("RGB", (width, height), "white"), GAP // 2
    for one in sized:
        paper.paste(one, (0, at))
        at += one.height + GAP
    return paper


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser()
    parser.add_argument("page", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light")
        page.goto(options.page.resolve().as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
        left = column([shot(page, selector) for selector in LEFT], WIDTH)
        right = shot(page, RIGHT)
        browser.close()
    right = right.resize((round(right.width * left.height / right.height), left.height))
    paper = Image.new("RGB", (WIDTH + GAP + right.width, left.height), "white")
    paper.paste(left, (0, 0))
    paper.paste(right, (WIDTH + GAP, 0))
    paper.save(options.out, optimize=True)


if __name__ == "__main__":
    main()
