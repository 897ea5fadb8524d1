"""Opens the database of a study and gives transactions on it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Lock
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import Session

from dreamix.core.errors import UserError

MIGRATIONS = Path(__file__).with_name("migrations")
_SQLITE = (
    "journal_mode=WAL",  # readers do not wait for a writer
    "synchronous=FULL",  # what is committed is on disk
    "foreign_keys=ON",
    "busy_timeout=30000",  # milliseconds that a writer waits for another
)
_LOCK = 0x5D1E  # the lock under which PostgreSQL deals out lists; any number will do


class Database:
    """The store of one study. Every `with` below is one transaction: all of it is kept, or none."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
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


def open_database(url: str) -> Database:
    """Return the store at a URL, its tables brought to this version.

    url: sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME. What cannot be opened is a
    `UserError`, which does not repeat the password.
    """
    try:
        address = make_url(url)
        if address.drivername == "postgresql":
            address = address.set(drivername="postgresql+psycopg")
        engine = create_engine(address, pool_pre_ping=True, pool_size=10, max_overflow=30)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _set_up_sqlite)
        upgrade(engine)
    except (ArgumentError, NoSuchModuleError):
        raise UserError(
            f"{url!r} is not the URL of a database: sqlite:///PATH or postgresql://HOST/NAME"
        ) from None
    except DBAPIError as error:
        shown = make_url(url).render_as_string(hide_password=True)
        reason = str(error.orig).strip().splitlines()[0]
        raise UserError(f"cannot open the database {shown}: {reason}") from None
    return Database(engine)


def _set_up_sqlite(connection: Any, _record: object) -> None:
    """Prepare a connection; transactions begin when `writing` says so, not when the driver does."""
    connection.isolation_level = None
    for setting in _SQLITE:
        connection.execute(f"PRAGMA {setting}")


def upgrade(engine: Engine) -> None:
    """Bring the tables to this version of the toolkit."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def now() -> int:
    """Return the time in milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000
