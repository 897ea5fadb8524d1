"""Copies of the database while the study runs, and the notice beside its file that says how."""

import os
import shutil
import sqlite3
import subprocess
import uuid
from contextlib import closing, suppress
from pathlib import Path
from string import Template

from sqlalchemy.engine import URL

from dreamix.core.errors import UserError
from dreamix.core.records import storing
from study_app.store.address import file_of
from study_app.store.database import Database

END = "-README.txt"
_NOTICE = Template("""\
$name holds the answers of a rater study, and the ids of its raters.

Do not copy it by hand while the study is served: its latest answers are in $name-wal,
and a copy of $name alone lacks them. Nor delete $name-wal or $name-shm.

These commands can be used at any time (STUDY: the folder with study.yaml):

    dreamix study backup STUDY --out FILE    a whole copy of the database
    dreamix study export STUDY               tables to analyse, under pseudonyms

To open tables in Excel or another spreadsheet program, follow README.md of the export.
""")


def leave_notice(database: Database) -> None:
    """Write how a database is copied beside its file, unless that stands there.

    A server has no file, and a folder in which nothing can be written goes without.
    """
    file = file_of(database.engine.url)
    if file is None:
        return
    text = _NOTICE.substitute(name=file.name)
    with suppress(OSError):
        path = file.with_name(file.name + END)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as notice:
            notice.write(text)


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
