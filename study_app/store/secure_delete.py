"""Overwrites what was erased: in pages that were freed, in the journal, in rows that are dead.

SQLite overwrites what is deleted (PRAGMA secure_delete), but copies that it made when it balanced
its pages may stay in gaps between rows, and old pages stay in the write-ahead log until a
checkpoint has emptied it, which any reader can prevent. So the file is rewritten (VACUUM) and the
checkpoint's result is checked. PostgreSQL keeps dead rows until a vacuum; VACUUM FULL
writes the tables anew.
"""

import mmap
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from study_app.store.address import file_of, without_secrets
from study_app.store.database import Database
from study_app.store.tables import Rater, TableBase

WAIT = 10.0  # seconds for those who read
_SOON = 0.5  # seconds that a rater waits
_DISTINCTIVE = 6  # bytes; what is shorter may stand anywhere
_PAUSE = 0.05


def overwrite_erased(database: Database, seconds: float = WAIT) -> list[str]:
    """Return what could not be overwritten, and why, in words; nothing if all was.

    To be called when what is to be forgotten is erased from the tables.
    """
    if not database.is_sqlite:
        return _vacuum_postgres(database, seconds)
    told = _vacuum(database, seconds)
    if not checkpoint_journal(database, seconds):
        told.append(
            f"{_file(database)} and its journal (-wal) hold it until whoever reads them has ended "
            "(another program, a copy that is being made)"
        )
    return told


def overwrite_erased_soon(database: Database, texts: Sequence[str]) -> None:
    """Overwrite texts that were erased a moment ago; if somebody reads, after the next writing."""
    wanted = [text.encode() for text in texts if len(text.encode()) >= _DISTINCTIVE]

    def try_it(seconds: float) -> bool:
        if not database.is_sqlite:
            return not _vacuum_postgres(database, seconds, (Rater.__tablename__,))
        if not checkpoint_journal(database, seconds):
            return False
        anew = len(wanted) < len(texts) or file_contains(_file(database), wanted)
        return not anew or (
            not _vacuum(database, seconds) and checkpoint_journal(database, seconds)
        )

    if not try_it(_SOON):
        database.deferred.append(lambda: try_it(0.0))


def checkpoint_journal(database: Database, seconds: float) -> bool:
    """Return True once the journal is empty; False if somebody reads for longer than that."""
    end = time.monotonic() + seconds
    with database.engine.connect() as connection, _BusyTimeout(connection, 0.1):
        while True:
            busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
            if not busy or time.monotonic() >= end:
                return not busy
            time.sleep(_PAUSE)


def file_contains(path: Path, texts: Sequence[bytes]) -> bool:
    """Return True if one of the texts stands in a file, byte by byte."""
    if not path.is_file() or not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return any(content.find(text) >= 0 for text in texts)


def _vacuum(database: Database, seconds: float) -> list[str]:
    """Write the file of SQLite anew; return why not, if it cannot be."""
    try:
        with database.engine.connect() as connection, _BusyTimeout(connection, seconds):
            connection.exec_driver_sql("VACUUM")
    except DBAPIError as error:
        why = without_secrets(str(error.orig), database.engine.url)
        return [f"free pages of {_file(database)} may hold it: VACUUM failed ({why})"]
    return []


class _BusyTimeout:
    """Lets a connection of SQLite wait for others so long only, within a block."""

    def __init__(self, connection: Connection, seconds: float) -> None:
        self.connection, self.milliseconds = connection, round(1000 * seconds)

    def __enter__(self) -> None:
        before = self.connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
        self.before = int(before)
        self.connection.exec_driver_sql(f"PRAGMA busy_timeout={self.milliseconds}")

    def __exit__(self, *_: object) -> None:
        with suppress(DBAPIError):
            self.connection.exec_driver_sql(f"PRAGMA busy_timeout={self.before}")


def _vacuum_postgres(
    database: Database, seconds: float, tables: Sequence[str] = tuple(TableBase.metadata.tables)
) -> list[str]:
    engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            if not _older_transactions_ended(connection, seconds):
                return [
                    "PostgreSQL keeps the dead rows as long as a transaction that began before is "
                    "open: end it"
                ]
            connection.exec_driver_sql(f"SET lock_timeout = {max(1, round(1000 * seconds))}")
            try:
                connection.exec_driver_sql(f"VACUUM FULL {', '.join(tables)}")
            finally:
                connection.exec_driver_sql("RESET lock_timeout")
    except DBAPIError as error:
        why = without_secrets(str(error.orig), engine.url)
        return [f"dead rows of PostgreSQL may hold it: VACUUM FULL failed ({why})"]
    return []


def _older_transactions_ended(connection: Connection, seconds: float) -> bool:
    """Return True once nobody is left who may see rows as they were."""
    now = int(connection.exec_driver_sql("SELECT txid_current()").scalar_one()) % 2**32
    older = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
        f"pid <> pg_backend_pid() AND age(backend_xmin) > age('{now}'::xid)"
    )
    end = time.monotonic() + seconds
    while connection.exec_driver_sql(older).scalar_one():
        if time.monotonic() >= end:
            return False
        time.sleep(_PAUSE)
    return True


def _file(database: Database) -> Path:
    path = file_of(database.engine.url)
    assert path is not None
    return path
