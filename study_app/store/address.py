"""Where a store is: its URL, checked and shown without passwords, and its file, kept private."""

import logging
import os
import re
from contextlib import suppress
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from dreamix.core.errors import UserError

HOW = "sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME"
_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "postgresql+psycopg2": "postgresql+psycopg2",
}
_TELLS_NOTHING = re.compile(r"[\w./\\+-]{1,200}(://[\w./-]{0,200})?")
_SECRET = re.compile(r"pass|secret|key|token", re.IGNORECASE)  # in names of a query
BESIDE = ("", "-wal", "-shm", "-journal")  # what SQLite writes beside its file takes its rights
_OTHERS = 0o077


def address_of(text: str) -> URL:
    """Return a URL that can be opened.

    Raises:
        UserError: for anything else; it repeats no password.
    """
    text = text.strip()
    scheme, separator, _ = text.partition("://")
    if not separator or scheme.lower() not in _DRIVERS:
        raise UserError(f"{_named(text)} is not the URL of a database: {HOW}")
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise UserError(f"the {scheme} URL is not the URL of a database: {HOW}") from None
    return _checked(url.set(drivername=_DRIVERS[scheme.lower()]))


def shown(url: URL) -> str:
    """Return a URL as messages have it: without its password and what follows the `?`."""
    return url.set(query={}).render_as_string(hide_password=True)


def without_secrets(text: str, url: URL) -> str:
    """Return what a driver says in one line, with the secrets of a URL blotted out."""
    line = next(iter(text.strip().splitlines()), "") or "no reason is given"
    secrets = [str(url.password)] if url.password else []
    secrets += [str(value) for name, value in url.query.items() if _SECRET.search(name)]
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        line = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", line)
    return line


def file_of(url: URL) -> Path | None:
    """Return the file of an SQLite store; None for a server."""
    if url.get_backend_name() != "sqlite":
        return None
    name = str(url.database)
    return Path(name.removeprefix("file:").partition("?")[0] if name.startswith("file:") else name)


def _checked(url: URL) -> URL:
    if url.get_backend_name() == "sqlite":
        if url.host or url.username:
            raise UserError(f"an SQLite URL is not the URL of a database: three slashes, {HOW}")
        if not url.database or url.database == ":memory:":
            raise UserError(f"an SQLite URL without a file keeps nothing: {HOW}")
    elif "@" in f"{url.host}{url.database}":
        raise UserError(
            "the postgresql URL has more than one @: in a name or a password write it as %40, "
            "/ as %2F and : as %3A"
        )
    return url


def _named(text: str) -> str:
    """Return a text that is no URL, if there can be no password in it."""
    if _TELLS_NOTHING.fullmatch(text) and not _SECRET.search(text):
        return repr(text)
    return "what is given as a database (not shown here, a password may be in it)"


def make_private(path: Path) -> None:
    """Make the file of a store, if there is none, for its owner's eyes.

    What cannot be made is left to the database to explain.
    """
    with suppress(OSError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)


def keep_private(path: Path) -> None:
    """Let only its owner read a file and those SQLite has beside it; say so if others could."""
    open_ones = [file for end in BESIDE if _is_open(file := path.with_name(path.name + end))]
    closed = [file.name for file in open_ones if _closed(file)]
    logger = logging.getLogger(__name__)
    if closed:
        logger.warning(
            "%s could be read by other users of this machine (%s); now only its owner can",
            path,
            ", ".join(closed),
        )
    if len(closed) < len(open_ones):
        logger.warning(
            "%s can be read by other users of this machine, and its rights cannot be changed: "
            "`chmod 600` it as its owner",
            path,
        )


def _is_open(path: Path) -> bool:
    return path.is_file() and bool(path.stat().st_mode & _OTHERS)


def _closed(path: Path) -> bool:
    """Return True once only the owner can read a file."""
    try:
        path.chmod(path.stat().st_mode & ~_OTHERS)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
