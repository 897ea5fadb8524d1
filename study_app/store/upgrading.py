"""Brings the tables of a store to this version, and says what stands in the way in one line."""

import re
from pathlib import Path
from typing import NamedTuple

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, select, text

from dreamix.core.errors import UserError
from study_app.store.address import shown
from study_app.store.tables import TableBase

MIGRATIONS = Path(__file__).with_name("migrations")
_VERSION = re.compile(r"\w{1,32}", re.ASCII)  # what else stands there was not kept, or is damaged
_BOOKKEEPING = ("alembic_version", "spatial_ref_sys")  # tables that are nobody's answers
_LOCK = 0x5D1F  # the lock under which PostgreSQL changes tables; not the one that deals out lists


class Found(NamedTuple):
    """What stands in a database."""

    versions: tuple[str, ...]
    columns: dict[str, set[str]]  # of our tables that are there
    others: set[str]  # tables of somebody else

    @property
    def is_whole(self) -> bool:
        """True if every table and column of this version is there."""
        return all(self.columns.get(name, set()) >= wanted for name, wanted in _OURS.items())


_FIRST = {"rater", "setting", "event", "exclusion", "trial", "answer", "playback"}  # version 0001
_OURS = {name: set(table.columns.keys()) for name, table in TableBase.metadata.tables.items()}


def upgrade(engine: Engine) -> None:
    """Bring the tables to this version of the toolkit: whole or not at all.

    Tables that a killed first migration left without a row are made anew.

    Raises:
        UserError: for a database of a newer version, of another program, or half migrated with
            answers in it.
    """
    with engine.connect() as connection:
        if _is_current(_found(connection)):
            return
    with engine.begin() as connection:
        _alone(connection)
        found = _found(connection)
        _check(engine, connection, found)
        config = _config(connection)
        if found.is_whole:
            command.stamp(config, "head", purge=True)
            return
        if not found.versions:
            _drop_empty(connection, found)
        command.upgrade(config, "head")
        if not (now := _found(connection)).is_whole:
            raise _incomplete(shown(engine.url), now)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _known() -> list[str]:
    """Return the versions that this toolkit knows, the newest first."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]


def _is_current(found: Found) -> bool:
    return found.versions == (_known()[0],) and found.is_whole


def _found(connection: Connection) -> Found:
    looked = inspect(connection)
    names = set(looked.get_table_names())
    columns = {
        name: {column["name"] for column in looked.get_columns(name)} for name in names & set(_OURS)
    }
    others = {name for name in names - set(_OURS) if name not in _BOOKKEEPING}
    heads = MigrationContext.configure(connection).get_current_heads()
    versions = (name for name in heads if isinstance(name, str) and _VERSION.fullmatch(name))
    return Found(tuple(sorted(versions)), columns, others)


def _alone(connection: Connection) -> None:
    """Let nobody else change the tables meanwhile, and let SQLite take back all or nothing."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("BEGIN IMMEDIATE"))
    else:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def _check(engine: Engine, connection: Connection, found: Found) -> None:
    """Raise a `UserError` for what cannot be brought to this version."""
    where, known = shown(engine.url), _known()
    strange = [version for version in found.versions if version not in known]
    foreign = any(not columns <= _OURS[name] for name, columns in found.columns.items())
    if strange and found.columns:
        raise UserError(
            f"the database {where} is of a newer version of the toolkit (its tables are of "
            f"{strange[0]!r}, this one knows them up to {known[0]!r}): upgrade dreamix-toolkit"
        )
    only_others = found.others and not found.columns and engine.dialect.name == "sqlite"
    if strange or only_others or (foreign and not found.versions):
        raise UserError(
            f"the database {where} has tables of another program: name one that is empty, or that "
            "`dreamix study` made"
        )
    damaged = found.versions and not set(found.columns) >= _FIRST
    damaged = damaged or len(found.versions) > 1 or found.versions == (known[0],)
    halfway = not found.versions and found.columns and _has_rows(connection, found)
    if (damaged or halfway) and not found.is_whole:
        raise _incomplete(where, found)


def _incomplete(where: str, found: Found) -> UserError:
    return UserError(
        f"the tables of the database {where} are incomplete ({_lacking(found)}): restore a "
        "backup, or name another"
    )


def _has_rows(connection: Connection, found: Found) -> bool:
    tables = [TableBase.metadata.tables[name] for name in found.columns]
    first = (select(text("1")).select_from(table).limit(1) for table in tables)
    return any(connection.scalar(query) is not None for query in first)


def _lacking(found: Found) -> str:
    """Return the first table or column that is not there, in words."""
    for name, wanted in _OURS.items():
        if name not in found.columns:
            return f"no table {name}"
        if missing := sorted(wanted - found.columns[name]):
            return f"no column {missing[0]} in {name}"
    return "all there"


def _drop_empty(connection: Connection, found: Found) -> None:
    """Drop what a killed first migration left: tables without a row."""
    half_made = [TableBase.metadata.tables[name] for name in found.columns]
    TableBase.metadata.drop_all(connection, tables=half_made)
