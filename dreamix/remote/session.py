"""The working copies of one call of the program, closed when it ends."""

import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO, cast

import click

from dreamix.core.errors import StorageError, UserError
from dreamix.core.progress import progress_bar
from dreamix.core.records import only_writer
from dreamix.core.wording import plural
from dreamix.remote.address import KEY, Address, Role, filesystem, parsed
from dreamix.remote.listing import SUITE_FILES, Unlisted
from dreamix.remote.working_copy import WorkingCopy, cache_of

FILES = (".yaml", ".yml", ".csv", ".tsv", ".json", ".jsonl", ".parquet", ".xlsx", ".gz", ".zip",
         ".txt", ".png", ".mp4")  # fmt: skip


class Telling:
    """An output stream that calls working copies by their addresses, which the user knows."""

    def __init__(self, stream: TextIO, copies: Iterable[WorkingCopy]) -> None:
        self._stream, self._copies = stream, copies

    def write(self, text: str) -> int:
        """Write a text with addresses in it."""
        for copy in self._copies:
            text = text.replace(str(copy.folder), str(copy.address))
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        """Return what the stream has by that name."""
        return getattr(self._stream, name)


class Session:
    """The working copies that a call has open."""

    def __init__(self) -> None:
        self._copies: dict[tuple[Address, str | None], WorkingCopy] = {}
        self._locks = ExitStack()
        # To the end of the program, for an error is told after the session.
        told = self._copies.values()
        sys.stdout, sys.stderr = (cast(TextIO, Telling(s, told)) for s in (sys.stdout, sys.stderr))

    def path(self, text: str, role: Role, *, file: bool, whole: bool) -> Path:
        """Return the path here of an address; see `local`."""
        address = parsed(text)
        if role == "here":
            raise UserError(
                f"{address}: a folder of this machine is wanted here; docs/storage.md says what "
                "can be elsewhere"
            )
        if role == "write" and not address.writable:
            raise UserError(f"{address} can be read only: write to a folder, s3:// or gs://")
        if "/" in address.path and (file or address.name.lower().endswith(FILES)):
            whole = whole or address.name in SUITE_FILES
            return self._with_folder(address, role, whole=whole).folder / address.name
        return self._open(address, None, role).folder

    def _with_folder(self, address: Address, role: Role, *, whole: bool) -> WorkingCopy:
        """Return the copy of a file's folder; of the file alone if `whole` is not asked or known.

        A table at a web address may stand alone: no list of what is beside it is needed.
        """
        if whole:
            try:
                return self._open(address.parent, None, role)
            except Unlisted:
                if address.name in SUITE_FILES:
                    raise
        return self._open(address.parent, address.name, role)

    def address_of(self, path: Path) -> str:
        """Return the address that a folder is the copy of; "" for any other folder."""
        return next((str(c.address) for c in self._copies.values() if c.folder == path), "")

    def _open(self, address: Address, only: str | None, role: Role) -> WorkingCopy:
        key = address, only
        if key not in self._copies:
            store = filesystem(address)
            with ExitStack() as lock:
                lock.enter_context(only_writer(cache_of(address, only), reads=True))
                copy = WorkingCopy(store, address, only)
                with progress_bar(f"fetching {address}") as progress:
                    count = copy.fetch(progress)
                if not count and role == "read":
                    raise UserError(f"there is nothing at {address}{f'/{only}' if only else ''}")
                self._copies[key] = copy
                self._locks.push(lock.pop_all())
        if role == "write":
            self._copies[key].keep_sending()
        return self._copies[key]

    def close(self) -> None:
        """Send what changed and give places back.

        What cannot be sent is a `StorageError`, or a line of its own where the command had failed
        before.
        """
        failed = sys.exc_info()[0] is not None
        try:
            said = [line for copy in self._copies.values() if (line := _closed(copy))]
        finally:
            self._locks.close()
        if said and not failed:
            raise StorageError("; ".join(said))
        for line in said:
            click.echo(f"dreamix: {line}", err=True)


def session_of(ctx: click.Context) -> Session:
    """Return the session of the running program, which ends with it."""
    root = ctx.find_root()
    if KEY not in root.meta:
        root.meta[KEY] = Session()
        root.call_on_close(root.meta[KEY].close)
    found = root.meta[KEY]
    assert isinstance(found, Session)
    return found


def _closed(copy: WorkingCopy) -> str:
    """Return what went wrong in sending a copy back, "" if nothing did."""
    if not copy.address.writable:
        if copy.changed_here():
            click.echo(f"note: {copy.address} can be read only; what is new is in {copy.cache}")
        return ""
    try:
        with progress_bar(f"sending to {copy.address}") as progress:
            sent = copy.close(progress)
    except StorageError as error:
        return str(error)
    if sent:
        click.echo(f"{copy.address}: {plural(sent, 'file')} sent")
    return ""
