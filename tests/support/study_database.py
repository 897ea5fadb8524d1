"""Databases for tests of the study."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from sqlalchemy import create_engine, text

from study_app.store.database import Database, open_database

_names = count()


def new_database(server: str) -> str:
    """Return the URL of a database with nothing in it, on a PostgreSQL server."""
    name = f"study{next(_names)}"
    engine = create_engine(server.replace("postgresql", "postgresql+psycopg"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.replace("/postgres", f"/{name}")


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """Give the store at a URL, and let go of it afterwards."""
    found = open_database(url)
    yield found
    found.engine.dispose()
