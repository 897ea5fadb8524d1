"""The report in headless Chromium: clips play in step, and nothing is asked for elsewhere."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser_rater import chromium, until
from fabricated_run import EVIL, METHODS, clip, fabricate
from one_source import make, moving, outputs_beside, scored

from dreamix.core.media import sha256_file, write_video
from dreamix.core.records import write_json
from dreamix.core.video import Video
from reports.build import build_report
from reports.summary import IntervalSettings

CLIPS = "[...document.querySelectorAll('#edit-va_motion video')].filter(v => v.duration > 1)"
LOADED = f"{CLIPS}.filter(v => v.readyState > 2).length"
TIMES = f"{CLIPS}.map(v => v.currentTime)"


@pytest.fixture(scope="module")
def browser_page(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The report in headless Chromium, with longer clips; notes errors and requests."""
    folder = fabricate(tmp_path_factory.mktemp("long"), videos=("va", "vb"), media=True)
    for number_, path in enumerate(sorted(folder.glob("clips/*/va_motion/*.mp4"))):
        fps = (24.0, 12.0, 8.0)[number_ % 3]
        write_video(path, clip(20 * number_, fps, round(1.5 * fps)))
        sidecar = path.with_suffix(".json")
        write_json(sidecar, json.loads(sidecar.read_text()) | {"sha256": sha256_file(path)})
    page_file = build_report(folder, folder / "report", IntervalSettings(resamples=100)).page
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.notes, page.asked = [], []
        page.on("console", lambda message: page.notes.append(message.text))
        page.on("pageerror", lambda error: page.notes.append(str(error)))
        page.on("dialog", lambda dialog: page.notes.append("a dialog opened"))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(f"{page_file.as_uri()}#edit-va_motion")
        for _ in range(100):
            if page.evaluate(LOADED) == len(METHODS):
                break
            page.wait_for_timeout(100)
        yield page


@pytest.mark.browser
@pytest.mark.slow
def test_clips_of_a_row_play_in_step(browser_page: Any) -> None:
    """Clips of 24, 12 and 8 frames a second; a frame of the fastest lasts 1/24 s."""

    def spread() -> float:
        times = browser_page.evaluate(TIMES)
        assert len(times) == len(METHODS)
        return float(max(times) - min(times))

    button = browser_page.locator("#edit-va_motion .transport button").first
    slider = browser_page.locator("#edit-va_motion .transport input")
    button.click()
    browser_page.wait_for_timeout(3000)
    spreads = []
    for _ in range(20):
        spreads.append(spread())
        browser_page.wait_for_timeout(113)
    assert np.median(spreads) < 1 / 24
    slider.fill("0.2")  # a jump while playing goes on playing
    browser_page.wait_for_timeout(600)
    assert spread() < 1 / 24
    button.click()
    slider.fill("0.5")
    browser_page.wait_for_timeout(500)
    assert spread() < 1 / 24
    assert browser_page.evaluate(TIMES)[0] == pytest.approx(0.75, abs=1 / 24)


PACED = "[...document.querySelectorAll('#edit-duck_00 video')]"


@pytest.mark.browser
@pytest.mark.slow
def test_a_clip_of_as_many_frames_plays_in_step_whatever_its_rate_says(
    browser_page: Any, tmp_path: Path
) -> None:
    """Case N3: 24 frames at 12 fps, the same at 4: second t of the source is 3 t of the edit."""
    frames = moving(24, 48, 64)
    folder = outputs_beside(tmp_path, Video(frames, 12), {"slow": Video(frames, 4)})
    run = make(folder)
    scored(run, "psnr")
    page_file = build_report(run, run / "report", IntervalSettings(resamples=100)).page
    page = browser_page.context.browser.new_page()
    page.goto(f"{page_file.as_uri()}#edit-duck_00")
    until(page, f"{PACED}.filter(v => v.readyState > 2).length == 2")
    page.locator("#edit-duck_00 .transport input").fill("0.5")
    page.wait_for_timeout(500)
    source, slow = page.evaluate(f"{PACED}.map(v => v.currentTime)")
    assert source == pytest.approx(1, abs=1 / 12) and slow == pytest.approx(3 * source, abs=0.01)
    page.locator("#edit-duck_00 .transport button").first.click()
    page.wait_for_timeout(800)
    source, slow = page.evaluate(f"{PACED}.map(v => v.currentTime)")
    assert slow / 3 == pytest.approx(source, abs=0.15)
    page.close()


@pytest.mark.browser
@pytest.mark.slow
def test_page_asks_for_nothing_from_elsewhere_and_has_no_errors(browser_page: Any) -> None:
    browser_page.get_by_placeholder("prompt or id").fill("alert")
    browser_page.wait_for_timeout(300)
    assert browser_page.locator("article .prompt").first.text_content().startswith(EVIL)
    assert browser_page.locator("#gallery-count").text_content() == "1 of 6 edits"
    assert browser_page.notes == []
    assert {url.split(":")[0] for url in browser_page.asked} == {"file"}
