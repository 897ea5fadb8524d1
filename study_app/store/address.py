"""Where a store is: its URL, checked, and as it may be shown: no message has a password in it."""

import re
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


def address_of(text: str) -> URL:
    """Return a URL that can be opened; anything else is a `UserError` that repeats no password."""
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
