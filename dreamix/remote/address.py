"""Addresses of places elsewhere, and who opens them."""

import importlib.util
import logging
import re
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

from dreamix.core.errors import UserError
from dreamix.core.names import shown
from dreamix.core.places import REFUSED

KEY = "dreamix.remote"  # of the session, in the context of the program
Role = Literal["read", "write", "here"]
ADDRESS = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
NEEDS = {"s3": ("s3fs", "s3"), "gs": ("gcsfs", "gcs"), "https": ("aiohttp", "https")}
LOGGERS = ("aiobotocore", "asyncio", "botocore", "gcsfs", "s3fs", "fsspec")
LOCAL = ("localhost", "127.0.0.1", "[::1]")
SECRET = re.compile(r"(?i)(key|token|signature|secret|credential)[^\s,;]*=[^\s,;&]+")
LONGEST = 1024  # bytes of a name at a store
DENIED = (401, 403)  # what a web server says to whom it does not know
TIMEOUT_S = 60  # without an answer


class Address(NamedTuple):
    """A place at a store: what it is reached by, and the bucket or host with the path below it."""

    protocol: str
    path: str  # without a slash at its end

    def __str__(self) -> str:
        """Return it as it is written."""
        return f"{self.protocol}://{self.path}"

    @property
    def name(self) -> str:
        """The last part of it."""
        return self.path.rpartition("/")[2]

    @property
    def parent(self) -> "Address":
        """The place that holds it."""
        return self._replace(path=self.path.rpartition("/")[0])

    def at(self, name: str = "") -> str:
        """Return what a store calls this place, or something in it."""
        if (
            not self.writable
        ):  # a web address: what would end it, or stand for another sign, is spelled
            return f"{self}/{quote(name)}" if name else str(self)
        return f"{self.path}/{name}" if name else self.path

    @property
    def writable(self) -> bool:
        """Whether anything can be put there."""
        return self.protocol not in ("https", "http")


def parsed(text: str) -> Address:
    """Return an address.

    Raises:
        UserError: if it is of a kind that is not known, holds a password, or is no plain path.
    """
    protocol, _, rest = text.partition("://")
    protocol, path = protocol.lower(), rest.rstrip("/")
    host, _, below = path.partition("/")
    if "@" in host:
        raise UserError(
            f"{protocol}://...@{host.rpartition('@')[2]} holds a name or a password: they belong "
            "into the environment, as docs/storage.md says"
        )
    if protocol == "http" and host.partition(":")[0] not in LOCAL:
        raise UserError(f"{shown(text)}: http can be read by anybody on the way: use https")
    if protocol not in (*NEEDS, "http"):
        raise UserError(f"{shown(text)}: places can be folders, s3://, gs:// or https://")
    if "?" in path or "#" in path:
        raise UserError(f"{protocol}://{shown(host)}/...: an address ends before its ? or #")
    parts = below.split("/") if below else []
    if not host or any(part in REFUSED for part in parts) or not path.isprintable():
        raise UserError(f"{shown(text)} is no address of a folder or a file")
    return Address(protocol, path)


def check_name(name: str, address: Address) -> None:
    """Raise a `UserError` unless what a store lists can be a path in a folder."""
    parts = name.split("/")
    odd = any(part in REFUSED or len(part.encode()) > 255 for part in parts)
    if odd or "\\" in name or not name.isprintable() or len(name.encode()) > LONGEST:
        raise UserError(f"{address} holds {shown(name)}, which is no name of a file: remove it")


def filesystem(address: Address) -> Any:
    """Return fsspec's way to a store.

    Raises:
        UserError: if what it needs is not installed; it says how to.
    """
    module, extra = NEEDS["https" if address.protocol == "http" else address.protocol]
    if importlib.util.find_spec(module) is None:
        raise UserError(
            f"{address.protocol}:// needs {module}: pip install 'dreamix-toolkit[{extra}]'"
        )
    import fsspec

    for name in LOGGERS:  # what goes wrong is one line of ours
        logging.getLogger(name).setLevel(logging.CRITICAL)
    known: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
    if address.protocol == "s3":
        waits = {"connect_timeout": TIMEOUT_S, "read_timeout": TIMEOUT_S}
        known |= {"config_kwargs": {**waits, "retries": {"max_attempts": 5}}}
    return fsspec.filesystem(address.protocol, **known)


def why(error: BaseException) -> str:
    """Return what a store said, without what could be a key."""
    said = {FileNotFoundError: "it is not there", PermissionError: "access is denied"}
    for kind, text in said.items():
        if isinstance(error, kind):
            return text
    if status := getattr(error, "status", None):
        denied = ", access is denied" if status in DENIED else ""
        return f"the server says {status} {getattr(error, 'message', '')}".rstrip() + denied
    text = " ".join(str(error).split()) or type(error).__name__
    if "credentials" in text.lower():
        text = "no credentials were found (docs/storage.md)"
    return SECRET.sub(r"\1=...", text)[:200]
