"""What is erased is gone, what is copied is whole, and only its owner reads it."""

import json
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest
from small_study import study
from sqlalchemy import create_engine, func, select
from study_people import OWN, VARIED, add_rater, opened_in
from two_raters import KNOWN, PID, PROLIFIC, SESSION, rows, two_raters

from dreamix.core.errors import UserError
from study_app.allocation import votes_per_cell
from study_app.erasure import erase
from study_app.exclusion import reject
from study_app.export.writing import export
from study_app.open_study import Opened
from study_app.state import read_setting
from study_app.store.backup import backup
from study_app.store.database import Database, open_database
from study_app.store.tables import Answer, Event, Exclusion, Playback, Rater, Trial


@pytest.fixture
def running(database: Database, tmp_path: Path) -> Opened:
    return opened_in(tmp_path, database, study(**PROLIFIC), KNOWN)


@pytest.fixture
def two(running: Opened) -> Opened:
    return two_raters(running)


def file_of(database: Database) -> Path:
    return Path(str(database.engine.url.database))


def test_erasing_takes_what_identifies_and_leaves_the_answers(two: Opened) -> None:
    before = export(two, two.folder / "before", 0).folder
    with two.database.reading() as session:
        rater = session.scalars(select(Rater).where(Rater.platform_id == PID)).one()
    erase(two, [rater], 77)
    with two.database.reading() as session:
        row = session.get_one(Rater, rater.id)
        assert (row.platform_id, row.session, row.comment, row.device) == (None,) * 4
        assert row.token != rater.token
        events = select(Event).where(Event.rater_id == rater.id)
        assert session.scalars(events).all() == []
        assert read_setting(session, "erased 1") == {"at": 77, "raters": 1, "answers": False}
        kept = select(func.count(Answer.id)).join(Trial).where(Trial.rater_id == rater.id)
        assert session.scalar(kept) == 8 * 3
    after = export(two, two.folder / "after", 0).folder
    assert rows(after, "ratings_long") == rows(before, "ratings_long"), "pseudonyms stay"


def test_nothing_erased_is_left_in_the_file(two: Opened) -> None:
    if not two.database.is_sqlite:
        pytest.skip("PostgreSQL frees its pages by vacuum")
    path = file_of(two.database)
    with two.database.reading() as session:
        rater = session.scalars(select(Rater).where(Rater.platform_id == PID)).one()
    erase(two, [rater], 1)
    stored = b"".join(p.read_bytes() for p in path.parent.glob(f"{path.name}*"))
    for text in (PID, SESSION, "Ann", rater.token):
        assert text.encode() not in stored


def test_what_a_researcher_wrote_names_nobody_any_more(two: Opened) -> None:
    with two.database.reading() as session:
        rater = session.scalars(select(Rater).where(Rater.platform_id == PID)).one()
    reject(two, rater, f"{PID.upper()} wrote to us (session {SESSION}): 7 clips froze", 5)
    erase(two, [rater], 77)
    with two.database.reading() as session:
        (row,) = session.scalars(select(Exclusion).where(~Exclusion.automatic))
    assert row.reason == "(erased) wrote to us (session (erased)): 7 clips froze"


def test_erasing_answers_leaves_a_number_and_the_votes_are_wanted_again(two: Opened) -> None:
    with two.database.reading() as session:
        rater = session.scalars(select(Rater).where(Rater.platform_id == PID)).one()
        assert sum(votes_per_cell(session, KNOWN).values()) == 10
    erase(two, [rater], 5, answers=True)
    with two.database.reading() as session:
        assert session.get_one(Rater, rater.id).number == 0, "numbers of lists stay what they were"
        theirs = select(func.count(Trial.id)).where(Trial.rater_id == rater.id)
        assert session.scalar(theirs) == 0
        assert sum(votes_per_cell(session, KNOWN).values()) == 4
        assert session.scalar(select(func.count(Answer.id))) == 6
        assert session.scalar(select(func.count()).select_from(Playback)) == 2
        assert PID not in json.dumps(read_setting(session, "erased 1"))


def test_who_is_erased_while_rating_leaves_their_trials_to_others(running: Opened) -> None:
    rater = add_rater(running.database, VARIED[:1], dealt=OWN[3:6])
    with running.database.reading() as session:
        found = session.get_one(Rater, rater)
    erase(running, [found], 5)
    with running.database.reading() as session:
        assert sum(votes_per_cell(session, KNOWN).values()) == 1
        assert session.get_one(Rater, rater).screen == "left"


def test_a_copy_holds_every_answer_and_is_for_the_owners_eyes(
    two: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not two.database.is_sqlite and shutil.which("pg_dump") is None:
        pytest.skip("pg_dump is not installed")
    out = tmp_path / "copies" / "monday"
    assert backup(two.database, out) == out.stat().st_size > 0
    assert out.stat().st_mode & 0o077 == 0
    if two.database.is_sqlite:
        with sqlite3.connect(out) as copy:
            assert copy.execute("SELECT count(*) FROM answer").fetchone() == (30,)
    else:
        listed = subprocess.run(["pg_restore", "--list", out], capture_output=True, text=True)
        assert "TABLE DATA public answer" in listed.stdout
    with pytest.raises(UserError, match="exists: name another file"):
        backup(two.database, out)
    assert {path.name for path in out.parent.iterdir()} == {"monday"}, "nothing half written"


def test_a_copy_is_made_while_somebody_writes(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    add_rater(database, VARIED)
    with database.writing() as session:
        session.add(Event(rater_id=1, at=1, kind="x", data=None))
        session.flush()
        backup(database, tmp_path / "copy")
    with sqlite3.connect(tmp_path / "copy") as copy:
        assert copy.execute("SELECT count(*) FROM answer").fetchone() == (18,)
        assert copy.execute("SELECT count(*) FROM event").fetchone() == (0,), "not said yes to"


def test_without_pg_dump_the_line_is_said_and_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    database = Database(create_engine("postgresql+psycopg://ann:secret@db/study"))
    with pytest.raises(UserError, match="pg_dump is not installed here") as told:
        backup(database, tmp_path / "x")
    assert "--dbname=postgresql://ann@db/study" in str(told.value)
    assert "secret" not in str(told.value)
