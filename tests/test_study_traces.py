"""What is erased, or was never agreed to, is in no byte of the store; what could not be is said.

The bytes are those of the database, its journal and its shared memory, searched as they lie there.
"""

import os
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from console import program
from postgres import programs
from small_study import study
from sqlalchemy import event, insert, select, text
from study_database import new_database
from study_people import VARIED, add_rater, opened_in
from two_raters import KNOWN, PROLIFIC

from study_app import flow
from study_app.enrollment import EntryLink, enroll
from study_app.erasure import erase, files_containing, identifying_texts
from study_app.export.writing import export
from study_app.open_study import Opened
from study_app.pseudonyms import all_raters
from study_app.state import change_state
from study_app.store.backup import backup
from study_app.store.database import open_database
from study_app.store.secure_delete import overwrite_erased
from study_app.store.tables import Rater

PID, SESSION = "5f1e0a9c7b3344556677aabb", "sess-1a2b3c4d5e6f"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Opened]:
    database = open_database(f"sqlite:///{tmp_path / 'ratings.sqlite'}")
    yield opened_in(tmp_path, database, study(**PROLIFIC), KNOWN)
    database.engine.dispose()


def crowd(running: Opened, many: int = 40) -> list[str]:
    """Raters with what tells who they are; returned is all of that."""
    for number in range(many):
        who = {"platform_id": secrets.token_hex(12), "session": secrets.token_hex(12)}
        who |= {"platform": "prolific", "comment": f"it was me, {secrets.token_hex(20)}"}
        add_rater(running.database, VARIED[:1], number=number, start=number, **who)
    return identifying_texts(all_raters(running))


def bytes_of(running: Opened) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(running.folder.glob("ratings.sqlite*")))


def left_in(running: Opened, texts: list[str]) -> list[str]:
    stored = bytes_of(running)
    return [text for text in texts if text.encode() in stored]


def reader_of(running: Opened) -> sqlite3.Connection:
    """Another program that has begun to read."""
    other = sqlite3.connect(running.folder / "ratings.sqlite", isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM rater").fetchone()
    return other


@pytest.mark.parametrize("answers", [False, True])
def test_nothing_of_forty_raters_is_left_where_sqlite_does_not_overwrite(
    running: Opened, answers: bool
) -> None:
    """As python.org, conda and macOS build it: PRAGMA secure_delete=OFF on every connection."""

    def turn_off(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA secure_delete=OFF")

    event.listen(running.database.engine, "connect", turn_off)
    running.database.engine.dispose()
    texts = crowd(running)
    assert len(left_in(running, texts)) == len(texts) == 160
    assert erase(running, all_raters(running), 9, answers=answers) == []
    assert left_in(running, texts) == []


def test_every_connection_overwrites_what_is_deleted(running: Opened) -> None:
    for _ in range(2):
        with running.database.reading() as session:
            assert session.scalar(text("PRAGMA secure_delete")) == 1
        running.database.engine.dispose()


def test_a_reader_is_named_and_when_it_has_ended_nothing_is_left(
    running: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overwrite_erased, "__defaults__", (0.3,))
    texts = crowd(running, 5)
    reader = reader_of(running)
    (told,) = erase(running, all_raters(running), 9)
    assert "ratings.sqlite and its journal (-wal) hold it until whoever reads" in told
    assert left_in(running, texts) == texts, "as it says"
    reader.close()
    assert overwrite_erased(running.database) == []
    assert left_in(running, texts) == []


def test_the_command_fails_while_somebody_reads_and_the_rest_is_done_afterwards(
    built_study: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(overwrite_erased, "__defaults__", (0.3,))
    dreamix = program(monkeypatch, capsys)
    url = f"sqlite:///{tmp_path / 'ratings.sqlite'}"
    database = open_database(url)
    add_rater(database, platform="prolific", platform_id=PID, session=SESSION)
    running = opened_in(tmp_path, database, study(), KNOWN)
    reader = reader_of(running)
    line = ("study", "erase", built_study, "--database", url)
    code, out, err = dreamix(*line, PID)
    assert (code, "what identifies 1 rater is erased" in out) == (2, True)
    assert "not yet overwritten" in err and "--rest" in err and err.count("\n") == 1
    assert PID not in out + err
    reader.close()
    assert dreamix(*line, "--rest")[0] == 0
    assert left_in(running, [PID, SESSION]) == []


def test_files_that_still_hold_it_are_named(running: Opened) -> None:
    """An export with payment and comments, a copy of the database; not one without them."""
    crowd(running, 3)
    public = export(running, running.folder / "public", 0).folder
    export(running, running.folder / "paid", 0, payment=True, comments=True)
    backup(running.database, running.folder / "monday.sqlite")
    texts = identifying_texts(all_raters(running))
    erase(running, all_raters(running), 9)
    found = {str(p.relative_to(running.folder)) for p in files_containing(running.folder,
             running.database, texts)}  # fmt: skip
    assert found == {"paid/payment.csv", "paid/comments.csv", "monday.sqlite"}
    assert public.is_dir()


def comes(running: Opened, *, nameless: bool = False) -> int:
    rater = enroll(running, EntryLink(platform_id=PID, session=SESSION), 1, nameless=nameless)
    assert rater
    return rater.id


def test_of_who_does_not_agree_nothing_was_ever_written(running: Opened) -> None:
    """The first button that they press: their row never has a name, not even in the journal."""
    flow.decline(running, comes(running, nameless=True), 2)
    assert left_in(running, [PID, SESSION]) == []


def test_who_chose_a_language_and_does_not_agree_leaves_nothing(running: Opened) -> None:
    rater = comes(running)
    assert left_in(running, [PID, SESSION]) == [PID, SESSION]
    flow.consent(running, rater, False, 2)
    assert left_in(running, [PID, SESSION]) == []


@pytest.mark.slow
def test_who_does_not_agree_while_somebody_reads_is_gone_after_the_next_writing(
    running: Opened,
) -> None:
    rater = comes(running)
    reader = reader_of(running)
    flow.decline(running, rater, 2)
    assert left_in(running, [PID]) == [PID], "the reader sees it"
    change_state(running.database, "paused", 3)
    reader.close()
    change_state(running.database, "open", 4)
    assert left_in(running, [PID, SESSION]) == []
    assert not running.database.deferred


def test_many_who_decline_one_after_another_leave_nothing(running: Opened) -> None:
    """Rows are moved about as others come: copies that stay in gaps of pages are found and go."""
    texts = []
    for number in range(60):
        names = [secrets.token_hex(12), secrets.token_hex(60)]
        rater = enroll(running, EntryLink(platform_id=names[0], session=names[1]), number)
        assert rater
        crowd(running, 0)
        if number % 2:
            flow.consent(running, rater.id, False, number)
            texts += names
    assert len(texts) == 60 and left_in(running, texts) == []


def test_what_is_said_of_a_statement_that_fails_has_no_value_of_it(running: Opened) -> None:
    comes(running)
    with pytest.raises(Exception, match="UNIQUE") as told, running.database.writing() as session:
        row = session.scalars(select(Rater)).one()
        fields = {c.key: getattr(row, c.key) for c in Rater.__table__.columns if c.key != "id"}
        session.execute(insert(Rater).values(**fields))
    assert PID not in str(told.value) and fields["token"] not in str(told.value)


@pytest.mark.slow
@pytest.mark.skipif(programs() is None, reason="no PostgreSQL is installed")
def test_dead_rows_of_postgres_are_gone_from_its_files(
    postgres_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read where the server keeps its tables; while somebody may see old rows that is said."""
    database = open_database(new_database(postgres_server))
    running = opened_in(tmp_path, database, study(**PROLIFIC), KNOWN)
    texts = crowd(running, 5)
    folder = files_of(running)
    monkeypatch.setattr(overwrite_erased, "__defaults__", (0.3,))
    with database.engine.connect() as reader:
        reader.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        reader.execute(text("SELECT 1"))
        (told,) = erase(running, all_raters(running), 9)
        assert "as long as a transaction that began before is open" in told
    assert overwrite_erased(database, 20.0) == []
    assert left_there(running, folder, texts) == []
    database.engine.dispose()


def files_of(running: Opened) -> Path:
    """Where a PostgreSQL server keeps the tables of a study."""
    with running.database.reading() as session:
        folder = Path(str(session.scalar(text("SHOW data_directory"))))
        number = session.scalar(
            text("SELECT oid FROM pg_database WHERE datname=current_database()")
        )
    if not os.access(folder, os.R_OK):
        pytest.skip("the files of the server cannot be read")
    return folder / "base" / str(number)


def left_there(running: Opened, folder: Path, texts: list[str]) -> list[str]:
    engine = running.database.engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CHECKPOINT"))
    stored = b"".join(file.read_bytes() for file in folder.iterdir())
    return [text for text in texts if text.encode() in stored]


@pytest.mark.slow
@pytest.mark.skipif(programs() is None, reason="no PostgreSQL is installed")
def test_who_chose_a_language_and_does_not_agree_leaves_no_dead_row(
    postgres_server: str, tmp_path: Path
) -> None:
    database = open_database(new_database(postgres_server))
    running = opened_in(tmp_path, database, study(**PROLIFIC), KNOWN)
    folder, rater = files_of(running), comes(running)
    assert left_there(running, folder, [PID]) == [PID]
    with database.engine.connect() as reader:
        reader.execute(text("SELECT count(*) FROM rater"))
        flow.decline(running, rater, 2)
    assert database.deferred
    change_state(database, "paused", 3)
    assert not database.deferred
    assert left_there(running, folder, [PID, SESSION]) == []
    database.engine.dispose()
