"""One writer at a time: an object at the store that says who writes, renewed while they do."""

import json
import os
import socket
import time
import uuid
from typing import Any

from dreamix.core.errors import UserError
from dreamix.remote.address import Address

NAME = ".dreamix-writer"
LEASE_S = 300.0  # a writer that was not heard of for so long is gone
RENEWED_S = 60.0


class Lease:
    """The right to write to a place, held until `release` or the end of the process.

    A writer that was killed on this machine leaves it at once, one on another machine when it has
    not been renewed for LEASE_S.
    """

    def __init__(self, store: Any, address: Address) -> None:
        self.store, self.address = store, address
        self.path = address.at(NAME)
        self.token = uuid.uuid4().hex
        self.renewed = 0.0

    def take(self) -> None:
        """Take it.

        Raises:
            UserError: if somebody else writes there.
        """
        if self._create():
            return
        held = self._read()
        if held and not _gone(held):
            raise UserError(
                f"{held.get('host', 'another machine')} is writing to {self.address}; wait for it, "
                f"or {LEASE_S:.0f} s if it is gone"
            )
        self.store.rm_file(self.path)
        if not self._create() or self._read().get("token") != self.token:
            raise UserError(f"another command has begun to write to {self.address}; wait for it")

    def renew(self) -> None:
        """Say that the writer is still there, at most every RENEWED_S.

        Raises:
            UserError: if somebody else has taken the place.
        """
        if time.monotonic() - self.renewed < RENEWED_S:
            return
        self.confirm()
        self.store.pipe_file(self.path, self._said())
        self.renewed = time.monotonic()

    def confirm(self) -> None:
        """Raise a `UserError` if somebody else has taken the place since."""
        held = self._read()
        if not held:
            raise UserError(f"{self.address} was emptied or removed while this command wrote to it")
        if held.get("token") != self.token:
            raise UserError(f"another command writes to {self.address} now: this one stops")

    def release(self) -> None:
        """Give it back, if it is still ours."""
        if self._read().get("token") == self.token:
            self.store.rm_file(self.path)

    def _create(self) -> bool:
        """Return whether the object is ours now: a store makes it for one of two at once."""
        try:
            self.store.pipe_file(self.path, self._said(), mode="create")
        except Exception:
            if self._read():  # each store has an error of its own for "it is there already"
                return False
            raise
        self.renewed = time.monotonic()
        return True

    def _said(self) -> bytes:
        who = {"token": self.token, "host": socket.gethostname(), "process": os.getpid()}
        return json.dumps(who | {"boot": _boot(), "time": time.time()}).encode()

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self.store.cat_file(self.path))
        except (FileNotFoundError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def _boot() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _gone(held: dict[str, Any]) -> bool:
    """Return whether a writer has ended: known on this machine, told by its silence elsewhere."""
    if held.get("host") == socket.gethostname() and held.get("boot") == _boot():
        process = held.get("process")
        return not isinstance(process, int) or process <= 0 or not _runs(process)
    said = held.get("time")
    return not isinstance(said, int | float) or time.time() - said > LEASE_S
