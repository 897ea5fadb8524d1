"""A rater in headless Chromium: the screens of the study and what one does there."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WAIT = 15_000  # milliseconds, for whatever should happen; the machine may be busy


@contextmanager
def chromium() -> Iterator[Any]:
    """Give a browser; the test is skipped where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no Chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield browser
        browser.close()


def until(page: Any, condition: str) -> None:
    """Wait for a condition; the page's policy forbids `wait_for_function`, which evaluates text."""
    for _ in range(WAIT // 100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"never true: {condition}")


class BrowserRater:
    """One page, driven by the mouse."""

    def __init__(self, page: Any, url: str) -> None:
        self.page, self.url = page, url
        page.set_default_timeout(WAIT)

    def arrive(self, query: str = "") -> None:
        self.page.goto(f"{self.url}/{query}")

    def press(self, label: str) -> None:
        self.page.get_by_role("button", name=label, exact=True).click()

    def sees(self, text: str) -> None:
        self.page.get_by_text(text).first.wait_for()

    def consent(self) -> None:
        self.press("I agree")
        self.sees("Does this clip play smoothly?")

    def check_device(self) -> None:
        self.page.locator("button.submit[aria-disabled=false]").click()
        self.sees("What to do")

    def ready(self) -> None:
        """Wait until the clips of a trial play."""
        self.page.locator(".stage.ready").wait_for()

    def choose(self, *values: int) -> None:
        for place, value in enumerate(values):
            self.page.locator(".question").nth(place).locator("label").nth(value - 1).click()

    def answer(self, *values: int) -> None:
        """Answer all questions and save, once the clips are watched."""
        self.watch()
        self.choose(*(values or (4, 3, 5)))
        self.page.locator("button.submit").click()

    def go_on(self) -> None:
        """Leave the feedback."""
        self.page.locator("button.submit", has_text="Next").click()
        self.page.get_by_text("Most people would answer").first.wait_for(state="detached")

    def finish(self, at_break: Callable[[], object] = lambda: None) -> int:
        """Answer trials until there are no more; return how many were answered."""
        answered = 0
        while True:
            self.page.locator(".progress, .st-key-narrow h2:visible").first.wait_for()
            if self.shows("A short break?"):
                at_break()
                self.press("Next")
                self.page.get_by_text("A short break?").wait_for(state="detached")
            elif self.shows("Almost done"):
                return answered
            else:
                before = self.progress
                self.answer()
                answered += 1
                self.left(before)

    def shows(self, text: str) -> bool:
        return bool(self.page.get_by_text(text).count())

    def left(self, progress: str) -> None:
        """Wait until the trial that is `progress` is no more on the screen."""
        shown = self.page.locator(".progress span", has_text=progress)
        shown.wait_for(state="detached")

    def watch(self) -> None:
        self.page.locator(".watched.all").wait_for()

    @property
    def progress(self) -> str:
        return str(self.page.locator(".progress span").inner_text())

    def practise(self) -> None:
        """Answer the trials of the training and read the feedback."""
        self.press("Next")
        self.page.locator(".progress, [data-testid=stForm]").first.wait_for()
        while not self.shows("Is everything clear?"):
            self.ready()
            self.answer()
            self.go_on()
            self.page.locator(".progress, [data-testid=stForm]").first.wait_for()

    def pass_quiz(self) -> None:
        self.page.get_by_text("A high number").click()
        self.page.get_by_text("The one about everything else").click()
        self.press("Next")
        self.sees("1 of ")

    def to_trials(self, query: str = "") -> None:
        self.arrive(query)
        self.consent()
        self.check_device()
        self.practise()
        self.pass_quiz()
