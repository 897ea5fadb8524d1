"""A copy of the database while the study goes on."""

import os
import shutil
import sqlite3
import subprocess
import uuid
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import URL

from dreamix.core.errors import UserError
from dreamix.core.records import storing
from study_app.store.database import Database


def backup(database: Database, out: Path) -> int:
    """Return the size of the copy in bytes; it is whole, checked, and for the owner's eyes.

    SQLite: a database file, by its online backup. PostgreSQL: an archive for pg_restore, by
    pg_dump. A file that is there is not overwritten.
    """
    if out.exists():
        raise UserError(f"{out} exists: name another file, the copies of each day side by side")
    temporary = out.with_name(f".{out.name}.{uuid.uuid4().hex}.tmp")
    with storing(out):
        out.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary.touch(mode=0o600)
        try:
            copy = _copy_sqlite if database.is_sqlite else _dump_postgres
            copy(database.engine.url, temporary)
            temporary.replace(out)
        finally:
            temporary.unlink(missing_ok=True)
    return out.stat().st_size


def _copy_sqlite(url: URL, out: Path) -> None:
    """Copy page by page; the copy is one file without a journal beside it."""
    with closing(sqlite3.connect(str(url.database))) as source, closing(sqlite3.connect(out)) as to:
        source.backup(to)
        to.execute("PRAGMA journal_mode=DELETE")
        (verdict,) = to.execute("PRAGMA integrity_check").fetchone()
    if verdict != "ok":
        raise UserError(f"the copy of {url.database} is damaged ({verdict}): look at the disk")


def _dump_postgres(url: URL, out: Path) -> None:
    """Let pg_dump copy; the password goes by its environment, not by the command line."""
    query = {name: value for name, value in url.query.items() if name != "password"}
    bare = URL.create("postgresql", url.username, None, url.host, url.port, url.database, query)
    named, password = bare.render_as_string(), url.password or url.query.get("password")
    line = ["pg_dump", "--format=custom", f"--dbname={named}"]
    if shutil.which("pg_dump") is None:
        shown = " ".join([*line, "--file=FILE"])
        raise UserError(f"pg_dump is not installed here; where it is, run: {shown}")
    line.append(f"--file={out}")
    secret = {"PGPASSWORD": str(password)} if password else {}
    done = subprocess.run(line, env={**os.environ, **secret}, capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"pg_dump failed: {(done.stderr.strip() or '?').splitlines()[-1]}")
