"""A database that goes away for a while: raters wait, and nothing is lost or doubled."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import postgres
import pytest
from drawn_page import DrawnPage
from served_study import make_run, make_study
from sqlalchemy import event, func, select
from sqlalchemy.exc import IntegrityError, OperationalError

from study_app.app.app_state import Site, open_site
from study_app.store.database import retry
from study_app.store.tables import Answer, Rater

WITHOUT_CHECKS = {
    "training: 3": "training: 0",
    "traps: 1": "traps: 0",
    "gold: 1": "gold: 0",
    "repeats: 1": "repeats: 0",
}


def away() -> OperationalError:
    return OperationalError("SELECT 1", None, Exception("the server closed the connection"))


@pytest.mark.slow
def test_an_act_is_tried_until_it_comes_through() -> None:
    answers = iter([away(), away(), "kept"])

    def act() -> str:
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    assert retry(act) == "kept"


def test_what_waiting_does_not_mend_is_passed_on_at_once() -> None:
    calls = []

    def act() -> None:
        calls.append(1)
        raise IntegrityError("INSERT", None, Exception("it is there already"))

    with pytest.raises(IntegrityError):
        retry(act)
    assert len(calls) == 1


def test_patience_ends() -> None:
    def act() -> None:
        raise away()

    with pytest.raises(OperationalError):
        retry(act, seconds=0.2)


@pytest.fixture(scope="module")
def folder(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("patience")
    return make_study(base / "study", make_run(base / "run", root, videos=4), **WITHOUT_CHECKS)


@pytest.mark.slow
def test_a_page_waits_for_its_database(folder: Path, tmp_path: Path) -> None:
    """The first three statements fail; the rater sees the page that they asked for."""
    site = open_site(folder, f"sqlite:///{tmp_path / 'ratings.sqlite'}")
    failures = [away() for _ in range(3)]

    @event.listens_for(site.running.database.engine, "before_cursor_execute")
    def fail(*_: object) -> None:
        if failures:
            raise failures.pop()

    page = DrawnPage(site)
    assert not failures
    assert "I agree" in page.text
    failures.extend(away() for _ in range(3))
    page.press("I agree")
    assert "Does this clip play smoothly?" in page.text
    with site.running.database.reading() as session:
        assert session.scalars(select(Rater)).one().consented


@pytest.fixture
def killable() -> Iterator[postgres.Postgres]:
    if not postgres.programs():
        pytest.skip("PostgreSQL is not installed")
    server = postgres.Postgres(postgres.new_folder())
    server.start()
    yield server
    server.stop()


@pytest.mark.slow
def test_raters_outlive_a_killed_postgresql(folder: Path, killable: postgres.Postgres) -> None:
    """SIGKILL of every process of the server before an answer: it is kept once it is back."""
    site: Site = open_site(folder, killable.url)
    page = DrawnPage(site).press("I agree").check_device().press("Next")
    for radio, answer in zip(page.app.radio, (1, 2), strict=True):
        radio.set_value(answer)
    page.press("Next")
    for number in range(1, 3):
        trial = page.player["trial"]
        back = threading.Thread(target=killable.start)

        def watch_while_it_dies(seconds: float, back: threading.Thread = back) -> None:
            time.sleep(seconds)
            killable.kill()
            back.start()

        page.answer(watch_while_it_dies)
        back.join()
        assert page.player["trial"] != trial, "the next trial is there"
        with site.running.database.reading() as session:
            assert session.scalar(select(func.count()).select_from(Answer)) == 3 * number
    site.running.database.engine.dispose()
