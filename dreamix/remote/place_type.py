"""The type of every argument of a command that is a place: a path here, or an address elsewhere.

An address becomes the path of a working copy (`dreamix.remote`), so that all code behind a command
works on folders of this machine. Copies are sent back when the command ends, whatever ended it.
"""

import os
import re
from pathlib import Path
from typing import Any

import click

from dreamix.core.errors import UserError
from dreamix.core.names import shown
from dreamix.remote.address import ADDRESS, KEY, Role

WITHIN = re.compile(r"(?<![a-z0-9+.-])(?:s3|gs|https?)://[^,'\"]+", re.IGNORECASE)
NAMED = re.compile(r"([a-z][a-z0-9+.-]+):/{1,2}([^/].*)")  # a `Path` takes two slashes for one
SLIP = re.compile(r"(s3|gs|gcs|https?):/?(?!/)", re.IGNORECASE)  # an address with a slash too few
GLOB = re.compile(r"[*?\[{]")


class Place(click.Path):
    """A path, or the address of a place elsewhere.

    role: "read" fetches it, and sends back what the command leaves there; "write" takes it for this
    command alone from the beginning, and sends while it works; "here" refuses addresses.
    whole: a file there is fetched with the folder around it, as it names others.
    """

    name = "place"

    def __init__(self, role: Role = "read", *, whole: bool = False, **kinds: Any) -> None:
        super().__init__(path_type=Path, **kinds)
        self.role, self.whole = role, whole

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a path of this machine."""
        if isinstance(value, str) and SLIP.match(value):
            start, _, rest = value.partition(":")
            meant = f"{start}://{rest.lstrip('/')}"
            raise UserError(f"{shown(value)} is neither a folder nor an address: is it {meant}?")
        if isinstance(value, str) and ADDRESS.match(value):
            value = local(value, self.role, ctx, file=not self.dir_okay, whole=self.whole)
        return super().convert(value, param, ctx)


def local(
    text: str,
    role: Role,
    ctx: click.Context | None = None,
    *,
    file: bool = False,
    whole: bool = False,
) -> Path:
    """Return the working copy of an address, kept up until the program ends.

    file: the address is of a file, whatever its name. whole: see `Place`.

    Raises:
        UserError: for an address that is none, or a place that cannot be read or written.
    """
    from dreamix.remote.session import session_of

    session = session_of(ctx or click.get_current_context())
    return session.path(text, role, file=file, whole=whole)


def beside(folder: Path, place: Path) -> Path:
    """Return a place that a file in `folder` names: an address, or a path from there."""
    address = named_address(place)
    return local(address, "read") if address else (folder / place).resolve()


def named_address(place: Path) -> str:
    """Return the address that a file names, "" for a path."""
    found = NAMED.fullmatch(str(place))
    return f"{found[1]}://{found[2]}" if found else ""


def naming(folder: Path, place: Path) -> str:
    """Return what a file in `folder` calls a place: see `beside`."""
    return address_of(place) or os.path.relpath(place.resolve(), folder.resolve())


def address_of(path: Path) -> str:
    """Return the address that a folder is the working copy of; "" for any other folder."""
    ctx = click.get_current_context(silent=True)
    session = ctx.find_root().meta.get(KEY) if ctx else None
    return session.address_of(path) if session else ""


def localized(text: str, ctx: click.Context | None = None) -> str:
    """Return a text with every address in it replaced by the path of its working copy.

    Of `s3://bucket/outputs/*` what stands before the first pattern is fetched.
    """

    def replace(found: re.Match[str]) -> str:
        head, *rest = GLOB.split(found[0], maxsplit=1)
        if not rest:
            return str(local(head, "read", ctx, whole=True))  # a table of outputs names them
        base, _, begun = head.rpartition("/")
        return f"{local(base, 'read', ctx)}/{begun}{found[0][len(head) :]}"

    return WITHIN.sub(replace, text)
