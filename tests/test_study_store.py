"""The store of a study: the same on SQLite and PostgreSQL, and what it said yes to stays."""

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select
from sqlalchemy.exc import IntegrityError

from dreamix.core.errors import UserError
from study_app.store.database import Database, now, open_database
from study_app.store.tables import Answer, Rater, Setting, TableBase, Trial
from study_app.store.upgrading import MIGRATIONS, upgrade


def rater(token: str, platform_id: str | None = None) -> Rater:
    return Rater(
        token=token,
        platform="prolific",
        platform_id=platform_id,
        simulated=False,
        language="en",
        screen="welcome",
        quiz_failures=0,
        created=now(),
        seen=now(),
    )


def test_migrations_make_the_tables_that_the_code_knows(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, TableBase.metadata) == []


def test_opening_twice_changes_nothing(study_url: str, database: Database) -> None:
    with database.writing() as session:
        session.add(Setting(key="plan", value="abc"))
    again = open_database(study_url)
    with again.reading() as session:
        assert session.scalars(select(Setting.value)).all() == ["abc"]
    again.engine.dispose()


def test_a_store_of_an_older_version_is_brought_to_this_one(database: Database) -> None:
    """Back to the first version and open again: its raters are there, and what is new is empty."""
    with database.writing() as session:
        session.add(rater("t1", "PID"))
    migrate(database, "0001")
    assert "platform_study" not in columns(database, "rater")
    upgrade(database.engine)
    with database.reading() as session:
        kept = session.scalars(select(Rater)).one()
    assert (kept.token, kept.platform_id, kept.platform_study) == ("t1", "PID", None)


def migrate(database: Database, version: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, version)


def columns(database: Database, table: str) -> set[str]:
    return {column["name"] for column in inspect(database.engine).get_columns(table)}


def test_a_transaction_is_kept_whole_or_not_at_all(database: Database) -> None:
    def fails() -> None:
        with database.writing() as session:
            session.add(Setting(key="a", value="1"))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    with database.reading() as session:
        assert session.scalars(select(Setting)).all() == []


def test_a_person_a_place_and_a_question_exist_once(database: Database) -> None:
    with database.writing() as session:
        first = rater("t1", "PID")
        session.add(first)
        session.flush()
        trial = Trial(
            rater_id=first.id, place=0, kind="rating", item="x", swapped=False, state="dealt"
        )
        session.add(trial)
        session.flush()
        session.add(Answer(trial_id=trial.id, question="quality", value=3))
        number, place = first.id, trial.id
    twice = [
        lambda: rater("t2", "PID"),
        lambda: rater("t1", "other"),
        lambda: Trial(
            rater_id=number, place=0, kind="gold", item="y", swapped=False, state="dealt"
        ),
        lambda: Answer(trial_id=place, question="quality", value=4),
    ]
    for make in twice:
        with pytest.raises(IntegrityError), database.writing() as session:
            session.add(make())


def test_an_answer_to_no_trial_is_refused(database: Database) -> None:
    """SQLite checks references only when told to."""
    with pytest.raises(IntegrityError), database.writing() as session:
        session.add(Answer(trial_id=99, question="quality", value=4))


def test_lists_are_dealt_out_one_at_a_time(database: Database) -> None:
    """Eight threads, each reads a number and writes it plus one, ten times: 80."""
    with database.writing() as session:
        session.add(Setting(key="number", value="0"))

    def deal(_: int) -> None:
        for _turn in range(10):
            with database.writing(alone=True) as session:
                setting = session.get_one(Setting, "number")
                value = int(setting.value)
                time.sleep(0.001)
                setting.value = str(value + 1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(deal, range(8)))
    with database.reading() as session:
        assert session.get_one(Setting, "number").value == "80"


WRITER = """
import sys
from study_app.store.database import open_database
from study_app.store.tables import Setting
database = open_database(sys.argv[1])
for number in range(10_000):
    with database.writing() as session:
        session.add(Setting(key=str(number), value="x" * 100))
    print(number, flush=True)
"""


@pytest.mark.slow
def test_what_was_acknowledged_survives_a_kill(study_url: str, database: Database) -> None:
    """A writer is killed at some instant; every number that it printed is in the store."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, study_url], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout
    heard = [writer.stdout.readline() for _ in range(40)]
    writer.send_signal(signal.SIGKILL)
    heard += writer.stdout.readlines()
    writer.wait()
    said = {line.strip() for line in heard if line.endswith("\n")}
    with database.reading() as session:
        kept = set(session.scalars(select(Setting.key)))
    assert said <= kept
    assert len(said) >= 40


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("nonsense", "is not the URL of a database"),
        ("mysterydb://x", "is not the URL of a database"),
        ("sqlite:////no/such/folder/x.sqlite", "unable to open database file"),
        ("postgresql://me:secret@127.0.0.1:1/x", "cannot open the database"),
    ],
)
def test_what_cannot_be_opened_is_one_line_without_the_password(address: str, told: str) -> None:
    with pytest.raises(UserError, match=told) as error:
        open_database(address)
    assert "secret" not in str(error.value)
    assert "\n" not in str(error.value)
