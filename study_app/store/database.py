"""Opens the database of a study, gives transactions on it, and tries again while it is away."""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from threading import Lock
from typing import Any, TypeVar

from alembic.util import CommandError
from sqlalchemy import URL, Engine, create_engine, event, text
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm import Session

from dreamix.core.errors import UserError
from study_app.store.address import (
    address_of,
    file_of,
    keep_private,
    make_private,
    shown,
    without_secrets,
)
from study_app.store.upgrading import upgrade

_SQLITE = (
    "synchronous=FULL",  # what is committed is on disk
    "foreign_keys=ON",
    "secure_delete=ON",  # what is deleted is overwritten, however SQLite was built
    "temp_store=MEMORY",  # and nothing of it lies in a temporary file
    "busy_timeout=30000",  # milliseconds that a writer waits for another
)
_LOCK = 0x5D1E  # the lock under which PostgreSQL deals out lists; any number will do
DATABASE_AWAY = (OperationalError, InterfaceError, NoConnection)
RETRY_SECONDS = 60.0  # seconds after which the rater is told
RETRY_PAUSE = 0.5
_BUSY_PAUSE = 0.02

T = TypeVar("T")


class Database:
    """The store of one study. Every `with` below is one transaction: all of it is kept, or none."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        self.deferred: list[
            Callable[[], bool]
        ] = []  # each is tried after a write, until it is done
        self._alone = Lock()  # who waits for it holds no connection

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that sees one state of the store and writes nothing."""
        with Session(self.engine) as session:
            yield session

    @contextmanager
    def writing(self, *, alone: bool = False) -> Iterator[Session]:
        """Give a session whose changes are on disk when the block ends.

        alone: no other block that says so runs meanwhile, in any process. In SQLite writers are
               always alone.
        """
        alone = alone or self.is_sqlite
        with (
            self._alone if alone else nullcontext(),
            Session(self.engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            if self.is_sqlite:
                session.execute(text("BEGIN IMMEDIATE"))
            elif alone:
                session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            yield session
        if self.deferred:
            self.deferred = [again for again in self.deferred if not again()]


def open_database(url: str) -> Database:
    """Return the store at a URL, its tables brought to this version.

    url: sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME. The file of SQLite is its owner's
    alone.

    Raises:
        UserError: for what cannot be opened; it does not repeat the password.
    """
    address = address_of(url)
    file = file_of(address)
    if file:
        make_private(file)
    try:
        database = Database(_engine(address))
        upgrade(database.engine)
        if file:
            _let_readers_and_a_writer_in(database.engine)
            keep_private(file)
    except ImportError as error:
        raise UserError(
            f"{address.drivername} is not installed ({error.name}): "
            "pip install 'dreamix-toolkit[postgres]'"
        ) from None
    except UnicodeDecodeError:  # SQLite tells of a damaged schema in its damaged words
        raise _damaged(address, "its text is no UTF-8") from None
    except (DBAPIError, CommandError, sqlite3.Error) as error:
        reason = without_secrets(str(getattr(error, "orig", None) or error), address)
        raise UserError(f"cannot open the database {shown(address)}: {reason}") from None
    return database


@contextmanager
def answering(database: Database) -> Iterator[None]:
    """Turn a database that does not answer, or is damaged, within the block into a `UserError`."""
    url = database.engine.url
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        why = without_secrets(str(error.orig), url)
        raise UserError(f"the database {shown(url)} does not answer: {why}") from None
    except DatabaseError as error:
        if type(error.orig) is not sqlite3.DatabaseError:  # the class of a malformed file
            raise
        raise _damaged(url, str(error.orig)) from None
    except UnicodeDecodeError:
        raise _damaged(url, "its text is no UTF-8") from None


def _damaged(url: URL, why: str) -> UserError:
    return UserError(f"the database {shown(url)} is damaged ({why}): put a backup in its place")


def _let_readers_and_a_writer_in(engine: Engine) -> None:
    """Let a file of SQLite be read while it is written to, once nobody else has it open.

    For this change SQLite does not wait by itself, whatever its busy_timeout.
    """
    with engine.connect() as connection:
        milliseconds = int(connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one())
        end = time.monotonic() + milliseconds / 1000
        while True:
            try:
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")
                return
            except OperationalError as error:
                if not _is_busy(error) or time.monotonic() >= end:
                    raise
                time.sleep(_BUSY_PAUSE)


def _is_busy(error: DBAPIError) -> bool:
    """Return True for a file of SQLite that somebody else has locked."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code is not None and code & 0xFF == sqlite3.SQLITE_BUSY


def _engine(address: URL) -> Engine:
    """Return what gives connections; what it logs of a failure has no values of anybody."""
    engine = create_engine(
        address,
        pool_pre_ping=file_of(address) is None,  # a file does not hang up
        pool_size=10,
        max_overflow=30,
        hide_parameters=True,
    )
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _record: object) -> None:
    """Prepare a connection; transactions begin when `writing` says so, not when the driver does."""
    connection.isolation_level = None
    for setting in _SQLITE:
        connection.execute(f"PRAGMA {setting}")


def now() -> int:
    """Return the time in milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


def retry(act: Callable[[], T], seconds: float = RETRY_SECONDS) -> T:
    """Return what `act` returns, retried for `seconds` while the database is away.

    act: one transaction, which may be run again though it was kept: the answer of a database that
         dies while it answers is lost. What it raises after the last try is passed on.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            return act()
        except DATABASE_AWAY as error:
            if time.monotonic() >= end:
                raise
            why = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
            logging.getLogger(__name__).warning("the database is away: %s", why)
            time.sleep(RETRY_PAUSE)
