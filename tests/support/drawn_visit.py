"""The steps of a visit on drawn pages, and the server's time, which tests move."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from drawn_page import DrawnPage
from sqlalchemy import func, select

from study_app.app import app_state, screen_context
from study_app.app.app_state import Site, open_site
from study_app.store.tables import Rater


class Clock:
    """The server's time, which tests move."""

    def __init__(self) -> None:
        self.time = 1_000_000

    def __call__(self) -> int:
        return self.time

    def wait(self, seconds: float) -> None:
        self.time += round(1000 * seconds)


def opened(folder: Path, tmp_path: Path) -> Iterator[Site]:
    site = open_site(folder, f"sqlite:///{tmp_path / 'ratings.sqlite'}")
    yield site
    site.running.database.engine.dispose()


def moved_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return the clock that pages read from now on."""
    clock = Clock()
    monkeypatch.setattr(screen_context, "now", clock)
    monkeypatch.setattr(app_state, "now", clock)
    return clock


def rater_of(site: Site, page: DrawnPage) -> Rater:
    with site.running.database.reading() as session:
        return session.scalars(select(Rater).where(Rater.token == page.token)).one()


def rows(site: Site, table: Any) -> int:
    with site.running.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def to_practice(page: DrawnPage) -> DrawnPage:
    return page.press("I agree").check_device().press("Next")


def pass_quiz(page: DrawnPage, *answers: int) -> DrawnPage:
    for radio, answer in zip(page.app.radio, answers or (1, 2), strict=True):
        radio.set_value(answer)
    return page.press("Next")


def to_trials(page: DrawnPage, clock: Clock) -> DrawnPage:
    to_practice(page)
    while page.player:
        page.answer(clock.wait)
        page.say("seen", trial=page.player["trial"])
    return pass_quiz(page)
