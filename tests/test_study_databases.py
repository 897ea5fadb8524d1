"""What may be given as a database: one line for what cannot be opened, never with a password.

States are made by hand: tables of another version, of another program, half made.
"""

import logging
import os
import re
import sqlite3
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy import text as sql
from sqlalchemy.exc import OperationalError
from study_database import opened

from dreamix.core.errors import UserError
from study_app.store.address import address_of, shown
from study_app.store.backup import backup, leave_notice
from study_app.store.database import Database, answering, open_database, retry
from study_app.store.tables import Setting, TableBase

PASSWORDS = ("sEcret", "s%40c%2Fret", "s/ecret", "s:ecret", "sé cret", "s#c?ret")


def refusal(url: str) -> str:
    """What is said, one line of it."""
    with pytest.raises(UserError) as told:
        open_database(url)
    assert "\n" not in str(told.value)
    return str(told.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgres//u:{0}@127.0.0.1:1/x",
        "postgresql//u:{0}@127.0.0.1:1/x",
        "postgresql:/u:{0}@127.0.0.1:1/x",
        "postgres://u:{0}@127.0.0.1:1/x",
        "postgresql://u:{0}@127.0.0.1:1/x",
        "postgresql+psycopg://u:{0}@127.0.0.1:1/x",
        "postgresql+asyncpg://u:{0}@127.0.0.1:1/x",
        "postgresql://u:{0}@127.0.0.1:port/x",
        "postgresql://u:a@{0}@127.0.0.1:1/x",
        "postgresql://u:{0}",
        "postgresql://127.0.0.1:1/x?user=u&password={0}",
        "postgresql://127.0.0.1:1/x?sslpassword={0}",
        "host=127.0.0.1 port=1 user=u password={0}",
        "host=127.0.0.1 password='{0}'",
        "mysql://u:{0}@127.0.0.1/x",
        "mysterydb://u:{0}@x",
        "sqlite://u:{0}@x/y.sqlite",
        "u:{0}@127.0.0.1",
        "jdbc:postgresql://127.0.0.1/x?password={0}",
        " postgresql://u:{0}@127.0.0.1:1/x\n",
    ],
)
def test_no_message_repeats_a_password(url: str, caplog: pytest.LogCaptureFixture) -> None:
    for password in PASSWORDS:
        told = refusal(url.format(password)) + caplog.text
        for part in (password, "ecret", "cret"):
            assert part not in told, told


def test_a_url_is_shown_without_password_and_query() -> None:
    address = address_of("postgresql://rater:rate@db.example.org/ratings?password=rate")
    assert shown(address) == "postgresql+psycopg://rater:***@db.example.org/ratings"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ratings.sqlite", "'ratings.sqlite' is not the URL of a database: sqlite:///PATH"),
        ("sqlite://ratings.sqlite", "three slashes"),
        ("sqlite://", "keeps nothing"),
        ("sqlite:///:memory:", "keeps nothing"),
        ("", "is not the URL of a database"),
    ],
)
def test_a_url_that_is_none_says_what_one_is(url: str, told: str) -> None:
    assert told in refusal(url)


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert "pip install 'dreamix-toolkit[postgres]'" in refusal("postgresql://u:sEcret@h/x")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ratings.sqlite"


def make(path: Path, *lines: str) -> str:
    with sqlite3.connect(path) as connection:
        for line in lines:
            connection.execute(line)
    connection.close()
    return f"sqlite:///{path}"


@pytest.mark.parametrize(
    "content", [b"not a database at all" * 99, b"SQLite format 3\0" + b"\xff" * 4080]
)
def test_a_file_that_is_no_database_stays_as_it_is(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert "cannot open the database" in refusal(f"sqlite:///{path}")
    assert path.read_bytes() == content


def test_a_folder_and_a_missing_folder_are_named(tmp_path: Path) -> None:
    assert "unable to open database file" in refusal(f"sqlite:///{tmp_path}")
    assert "unable to open database file" in refusal(f"sqlite:///{tmp_path}/no/x.sqlite")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "cannot open the database" in refusal(f"sqlite:///{tmp_path}/x.sqlite")
    tmp_path.chmod(0o700)


def test_a_file_that_is_only_to_be_read(path: Path) -> None:
    """As a write-protected disk has it: SQLite is told so by the URL."""
    make(path, "CREATE TABLE setting (key VARCHAR PRIMARY KEY, value TEXT)")
    told = refusal(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert "cannot open the database" in told and "readonly" in told


def test_a_locked_file_is_one_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("study_app.store.database._SQLITE", ("busy_timeout=100",))
    make(path, "CREATE TABLE x (y)", "DROP TABLE x")
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    assert "database is locked" in refusal(f"sqlite:///{path}")
    holder.close()


def test_a_file_is_opened_once_its_writer_has_written(path: Path) -> None:
    """Who reads the file and then wants to change its journal is refused at once by SQLite."""
    with opened(f"sqlite:///{path}"):
        pass
    writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    writer.execute("PRAGMA journal_mode=DELETE")
    writer.execute("BEGIN IMMEDIATE")
    end = threading.Timer(0.3, writer.close)
    end.start()
    is_usable(f"sqlite:///{path}")
    end.join()


def test_a_database_that_goes_away_during_a_command_is_one_line(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Another program holds the file for longer than a writer waits."""
    with opened(f"sqlite:///{path}") as database:
        with database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout=100")
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(UserError, match="does not answer: database is locked") as told:
            with answering(database), database.writing() as session:
                session.add(Setting(key="a", value="1"))
        assert "\n" not in str(told.value)
        with pytest.raises(OperationalError):
            retry(lambda: _writes(database), 0.0)
        assert caplog.text == ""
        holder.close()


def test_a_damaged_file_is_one_line(path: Path) -> None:
    """Pages of the tables overwritten, as a torn copy has them; the first, with the schema, whole.

    SQLite's word for it is SQLITE_CORRUPT, "database disk image is malformed".
    """
    with opened(f"sqlite:///{path}"):
        pass
    with sqlite3.connect(path) as whole:
        (size,) = whole.execute("PRAGMA page_size").fetchone()
        whole.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = path.read_bytes()
    path.write_bytes(data[:size] + b"\x5a" * (len(data) - size))
    database = Database(create_engine(f"sqlite:///{path}"))
    with pytest.raises(UserError, match=r"is damaged .*malformed.*put a backup") as told:
        with answering(database), database.reading() as session:
            session.scalars(select(Setting)).all()
    assert "\n" not in str(told.value)
    assert "malformed" in refusal(f"sqlite:///{path}")


def test_a_damaged_name_in_the_schema_is_one_line(path: Path) -> None:
    """A flipped bit in the name of a table: SQLite tells of it in bytes that are no UTF-8."""
    with opened(f"sqlite:///{path}"):
        pass
    with sqlite3.connect(path) as whole:
        whole.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = path.read_bytes()
    assert b"CREATE TABLE answer" in data
    path.write_bytes(data.replace(b"CREATE TABLE answer", b"CREATE TABL\xc5 \xe1nswer"))
    assert re.search("is damaged .*put a backup|cannot open", refusal(f"sqlite:///{path}"))


def _writes(database: Database) -> None:
    with database.writing() as session:
        session.add(Setting(key="a", value="1"))


@pytest.fixture
def whole(path: Path) -> Path:
    """A database of this version, with a row."""
    with opened(f"sqlite:///{path}") as database, database.writing() as session:
        session.add(Setting(key="a", value="1"))
    return path


def test_a_newer_version_is_said_so(whole: Path) -> None:
    url = make(whole, "UPDATE alembic_version SET version_num = '0009'")
    told = refusal(url)
    assert "newer version of the toolkit" in told and "'0009'" in told and "upgrade" in told


@pytest.mark.parametrize(
    "lines",
    [
        ("CREATE TABLE alembic_version (version_num VARCHAR(32))",
         "INSERT INTO alembic_version VALUES ('ae1027a6acf1')", "CREATE TABLE users (id)"),
        ("CREATE TABLE moz_places (id, url)", "INSERT INTO moz_places VALUES (1, 'x')"),
        ("CREATE TABLE event (id, title)",),
    ],
)  # fmt: skip
def test_a_database_of_another_program_stays_as_it_is(path: Path, lines: tuple[str, ...]) -> None:
    url = make(path, *lines)
    path.chmod(0o644)
    before = path.read_bytes()
    assert "tables of another program" in refusal(url)
    assert path.read_bytes() == before, "not even its journal is changed"
    assert path.stat().st_mode & 0o777 == 0o644


FIRST = "CREATE TABLE rater (id INTEGER NOT NULL PRIMARY KEY, token VARCHAR(200) NOT NULL)"


@pytest.mark.parametrize(
    "lines",
    [
        (FIRST,),
        (FIRST, "CREATE TABLE setting (key VARCHAR(200) PRIMARY KEY, value TEXT)"),
        ("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)", FIRST),
        ("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",),
    ],
)
def test_a_first_migration_that_was_killed_is_made_anew(path: Path, lines: tuple[str, ...]) -> None:
    is_usable(make(path, *lines))


def is_usable(url: str) -> None:
    for _ in range(2):
        with opened(url) as database:
            with database.writing() as session:
                session.merge(Setting(key="b", value="2"))
            with database.reading() as session:
                assert session.scalar(select(Setting.value).where(Setting.key == "b")) == "2"


def test_half_made_tables_with_rows_are_explained_and_kept(path: Path) -> None:
    url = make(path, FIRST, "INSERT INTO rater VALUES (1, 'x')")
    assert "incomplete (no table setting)" in refusal(url)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT token FROM rater").fetchall() == [("x",)]


@pytest.mark.parametrize(
    "line",
    [
        "UPDATE alembic_version SET version_num = '0001'",
        "DELETE FROM alembic_version",
        "INSERT INTO alembic_version VALUES ('0001')",
        "DROP TABLE alembic_version",
        "UPDATE alembic_version SET version_num = ''",
        "UPDATE alembic_version SET version_num = x'ff00'",
        f"UPDATE alembic_version SET version_num = '{'z' * 5000}'",
        "UPDATE alembic_version SET version_num = 'two words'",
    ],
)
def test_whole_tables_whose_version_was_not_kept_go_on(whole: Path, line: str) -> None:
    """A migration that was killed between its change and its number, or a number that is none."""
    is_usable(make(whole, line))
    with sqlite3.connect(whole) as connection:
        (version,) = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        assert re.fullmatch("[0-9]{4}", version[0])
        assert connection.execute("SELECT value FROM setting WHERE key='a'").fetchall() == [("1",)]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("DROP TABLE answer",), "no table answer"),
        (("DROP TABLE answer", "UPDATE alembic_version SET version_num='0001'"), "no table answer"),
        (("ALTER TABLE rater DROP COLUMN comment",), "no column comment in rater"),
    ],
)
def test_tables_that_lack_something_are_explained(
    whole: Path, lines: tuple[str, ...], told: str
) -> None:
    assert told in refusal(make(whole, *lines))


def test_a_migration_is_whole_or_not_at_all(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after its third table: nothing of it is there."""
    from alembic import op

    made: list[str] = []
    create = op.create_table

    def dies(name: str, *columns: object, **more: object) -> object:
        made.append(name)
        if len(made) == 3:
            raise KeyboardInterrupt
        return create(name, *columns, **more)

    monkeypatch.setattr(op, "create_table", dies)
    with pytest.raises(KeyboardInterrupt):
        open_database(f"sqlite:///{path}")
    monkeypatch.undo()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    is_usable(f"sqlite:///{path}")


@pytest.mark.slow
def test_eight_programs_open_an_empty_database_at_once(study_url: str) -> None:
    start = threading.Barrier(8)

    def open_it(_: int) -> None:
        start.wait()
        open_database(study_url).engine.dispose()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(open_it, range(8)))
    is_usable(study_url)


def test_half_made_and_newer_tables_of_postgres(study_url: str) -> None:
    if study_url.startswith("sqlite"):
        pytest.skip("the tests above")
    engine = create_engine(study_url.replace("postgresql", "postgresql+psycopg"))
    with engine.begin() as connection:
        TableBase.metadata.tables["rater"].create(connection)
    is_usable(study_url)
    with engine.begin() as connection:
        connection.execute(sql("UPDATE alembic_version SET version_num = '0009'"))
    engine.dispose()
    assert "newer version" in refusal(study_url)


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    return {p.name: oct(stat.S_IMODE(p.stat().st_mode)) for p in sorted(folder.iterdir())}


@pytest.mark.slow
def test_the_files_of_a_store_are_their_owners(path: Path, umask: int) -> None:
    with opened(f"sqlite:///{path}") as database, database.writing() as session:
        session.add(Setting(key="a", value="1"))
        session.flush()
        names = {"ratings.sqlite", "ratings.sqlite-wal", "ratings.sqlite-shm"}
        assert modes(path.parent) == dict.fromkeys(names, "0o600")


def test_files_that_others_could_read_are_mended_and_it_is_said_once(
    whole: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole.chmod(0o666)
    holder = sqlite3.connect(whole)
    holder.execute("SELECT count(*) FROM setting").fetchone()
    for end in ("-wal", "-shm"):
        assert whole.with_name(whole.name + end).stat().st_mode & 0o077, "SQLite takes its rights"
    with caplog.at_level(logging.WARNING):
        is_usable(f"sqlite:///{whole}")
    assert set(modes(whole.parent).values()) == {"0o600"}
    assert caplog.text.count("could be read by other users") == 1
    holder.close()


def test_a_copy_and_its_folder_are_the_owners(whole: Path, umask: int, tmp_path: Path) -> None:
    seen: set[str] = set()
    replace: Callable[..., Path] = Path.replace

    def watched(self: Path, target: Path) -> Path:
        seen.update(modes(self.parent).values())
        return replace(self, target)

    with opened(f"sqlite:///{whole}") as database, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", watched)
        backup(database, tmp_path / "copies" / "monday")
    assert seen == {"0o600"} == set(modes(tmp_path / "copies").values())
    assert oct(stat.S_IMODE((tmp_path / "copies").stat().st_mode)) == "0o700"


def test_a_dump_has_no_password_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other users of a machine see command lines; a program that prints its own stands in."""
    tool = tmp_path / "pg_dump"
    tool.write_text('#!/bin/sh\necho "$@" "$PGPASSWORD" > "$0.said"\nexit 1\n')
    tool.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    url = "postgresql+psycopg://u@h/x?password=sEcret&sslmode=require"
    with pytest.raises(UserError, match="pg_dump failed"):
        backup(Database(create_engine(url)), tmp_path / "out")
    line = (tmp_path / "pg_dump.said").read_text()
    assert line.split()[-1] == "sEcret" and line.count("sEcret") == 1
    assert "--dbname=postgresql://u@h/x?sslmode=require" in line


def test_beside_a_database_stands_how_it_is_copied(path: Path, umask: int) -> None:
    """A copy of the file alone has none of 63 settings while they are only in the journal; what the
    note says to use has all."""
    database = open_database(f"sqlite:///{path}")
    leave_notice(database)
    with database.writing() as session:
        session.add_all(Setting(key=f"k{number}", value="v") for number in range(63))
    note = path.with_name(f"{path.name}-README.txt")
    assert stat.S_IMODE(note.stat().st_mode) == 0o600
    told = note.read_text()
    assert f"its latest answers are in {path.name}-wal" in told
    assert "dreamix study backup STUDY --out FILE" in told
    by_hand, backed_up = path.with_name("hand.sqlite"), path.with_name("backup.sqlite")
    by_hand.write_bytes(path.read_bytes())
    backup(database, backed_up)
    for copy, wanted in ((by_hand, 0), (backed_up, 63)):
        with sqlite3.connect(copy) as held:
            assert held.execute("SELECT count(*) FROM setting").fetchone() == (wanted,)
    note.write_text("mine")
    leave_notice(database)
    assert note.read_text() == "mine", "what stands there is left"
    database.engine.dispose()
