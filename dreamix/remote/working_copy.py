"""A place at a store as a folder on this machine: fetched first, sent back as it changes.

What was fetched or sent is noted in an index beside the folder, with the version that the store
gave it and the size and time of the file here. So a later call fetches what changed there and sends
what changed here, also after a kill; what changed on both sides is neither lost nor guessed.

A pass of sending looks at the folder once. Clips go before everything else, since records name
them: at no instant does a record at the store name a clip that is not there. Names that begin with
a dot (locks, halves of files, notes on times of this machine) stay here.
"""

import hashlib
import os
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from dreamix.core.errors import StorageError, UserError
from dreamix.core.places import inside
from dreamix.core.progress import Progress
from dreamix.core.records import SUMS, read_json, spell_size, storing, write_json
from dreamix.core.wording import listed as in_words
from dreamix.remote.address import Address, why
from dreamix.remote.lease import Lease
from dreamix.remote.listing import There, listed, there

AT_ONCE = 8  # transfers
EVERY_S = 10.0  # between two passes, or five times as long as the last one took
SAVED_S = 5.0  # between two writings of the index
RECORDS = (".json", ".jsonl", ".csv", ".parquet", ".yaml", ".html", ".md", ".txt")
CACHE = "DREAMIX_REMOTE_CACHE"


class KnownFile(NamedTuple):
    """What the index has on a file."""

    version: str  # at the store; "" where there was none
    size: int
    changed: int  # nanoseconds, of the file here
    sending: bool = False  # on its way when this was noted


def cache_of(address: Address, only: str | None = None) -> Path:
    """Return the folder that holds the working copy of an address and its index."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    base = os.environ.get(CACHE) or os.path.join(home, "dreamix", "remote")
    key = hashlib.sha256(f"{address}\n{only or ''}".encode()).hexdigest()[:16]
    return Path(base) / key


class WorkingCopy:
    """The working copy of an address; `folder` is where it is.

    only: one file there is meant, not the folder.
    """

    def __init__(self, store: Any, address: Address, only: str | None = None) -> None:
        self.store, self.address, self.only = store, address, only
        self.cache = cache_of(address, only)
        self.folder = self.cache / (address.name if "/" in address.path else "content")
        self._index = _read_index(self.cache / "index.json")
        self._saved = 0.0
        self._lease: Lease | None = None
        self._done = threading.Event()
        self._sender: threading.Thread | None = None

    # What is there, fetched.

    def fetch(self, progress: Progress) -> int:
        """Return how many files are at the store; they are all in `folder` now.

        Raises:
            UserError: if something changed on both sides, or the store does not let us.
            StorageError: if there is no room for it.
        """
        with storing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        found = listed(self.store, self.address, self.only)
        self._settle_sides(found)
        wanted = {name: one for name, one in found.items() if not self._has(name, one)}
        self._check_room(sum(one.size or 0 for one in wanted.values()))
        self._each(wanted, lambda name: self._fetch_one(name, wanted[name]), progress)
        for name in [name for name in self._index if name not in found]:
            if not self._index[name].sending:
                self._drop(name)
            self._index.pop(name)
        self._save()
        return len(found)

    def _settle_sides(self, found: dict[str, There]) -> None:
        """Take note of what a kill left unnoted; what changed on both sides is a `UserError`."""
        torn = []
        for name in self.changed_here():
            kept, one = self._index.get(name), found.get(name)
            if one is None:
                torn += [name] if kept and kept.version else []
            elif kept and kept.version == one.version:
                continue  # the one that was replaced here
            elif kept and kept.sending and kept.size == one.size:
                self._index[name] = kept._replace(version=one.version, sending=False)  # it arrived
            elif not self._is_same(name, one):
                torn.append(name)
        if torn:
            some = in_words(sorted(torn)[:3]) + (" and others" if len(torn) > 3 else "")
            raise UserError(
                f"{some} changed both at {self.address} and in its working copy {self.cache}: "
                "move that folder away to take what is there, or use its files under another name"
            )

    def _is_same(self, name: str, one: There) -> bool:
        """Return whether a file here is the one there, and note that it is."""
        path = self._path(name)
        if one.size is not None and one.size != path.stat().st_size:
            return False
        part = self._fetched(name, one)
        try:
            same = part.read_bytes() == path.read_bytes()
        finally:
            part.unlink(missing_ok=True)
        if same:
            self._note(name, one.version)
        return same

    def _drop(self, name: str) -> None:
        """Remove a file that is gone there, and folders that are empty then: a store has none."""
        path = self._path(name)
        path.unlink(missing_ok=True)
        with suppress(OSError):  # not empty
            while (path := path.parent) != self.folder:
                path.rmdir()

    def _has(self, name: str, one: There) -> bool:
        kept = self._index.get(name)
        return bool(kept and kept.version == one.version and self._path(name).is_file())

    def _check_room(self, size: int) -> None:
        free = shutil.disk_usage(self.folder).free
        if size > free:
            raise StorageError(
                f"{self.address} needs {spell_size(size)} in {self.cache}, {spell_size(free)} are "
                f"free: name another folder with {CACHE}"
            )

    def _fetch_one(self, name: str, one: There) -> None:
        self._fetched(name, one).replace(self._path(name))
        self._note(name, one.version)

    def _fetched(self, name: str, one: There) -> Path:
        """Return a file of its own with what is there, whole."""
        path = self._path(name)
        part = path.with_name(f".{uuid.uuid4().hex}.part")
        with storing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.store.get_file(self.address.at(name), str(part))
            one.check(part, f"{self.address}/{name}")
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        return part

    # What changed here, sent.

    def keep_sending(self) -> None:
        """Take the place for writing, and send from now on whatever changes, until `close`."""
        self._held()
        self._sender = threading.Thread(target=self._send_on, name="sending", daemon=True)
        self._sender.start()

    def _send_on(self) -> None:
        pause = EVERY_S
        while not self._done.wait(pause):
            began = time.monotonic()
            try:
                self._held().renew()
                self.send()
            except Exception:  # noqa: BLE001 - see `close`; the last pass tells
                pass  # the next one tries again
            pause = max(EVERY_S, 5 * (time.monotonic() - began))

    def send(self, progress: Progress | None = None) -> int:
        """Return how many files were sent or removed there; the store has what is here now."""
        changed = self.changed_here()
        gone = [name for name in self._index if not self._path(name).exists()]
        if not changed and not gone:
            return 0
        self._held()
        told = progress or _untold
        for stage in range(3):
            names = [name for name in changed if _stage(name) == stage]
            for name in names:  # written down first: a kill must not make our own file a stranger's
                self._on_its_way(name)
            self._save()
            self._each(names, self._send_one, told)
        self._each(gone, self._remove_one, told)
        return len(changed) + len(gone)

    def close(self, progress: Progress | None = None) -> int:
        """Return how many files the last pass sent; the place is free for others then.

        Raises:
            StorageError: if not all could be sent; what was not is sent by the next call.
        """
        self._done.set()
        if self._sender:
            self._sender.join()
        try:
            if self._lease:
                self._lease.confirm()
            sent = self.send(progress)
        except Exception as error:  # noqa: BLE001 - stores raise what their libraries have
            said = str(error) if isinstance(error, UserError) else why(error)
            raise StorageError(
                f"not everything was sent to {self.address}: {said}; it is kept in {self.cache}, "
                "and the next call with this address sends it"
            ) from None
        finally:
            if self._lease:
                with suppress(Exception):  # it ends by itself
                    self._lease.release()
        return sent

    def _held(self) -> Lease:
        if self._lease is None:
            lease = Lease(self.store, self.address)
            try:
                lease.take()
            except UserError:
                raise
            except Exception as error:  # noqa: BLE001 - see `close`
                raise UserError(f"cannot write to {self.address}: {why(error)}") from None
            self._lease = lease
        return self._lease

    def changed_here(self) -> list[str]:
        """Return the names of files that are not as the index has them, older ones first."""
        found = []
        for above, folders, files in os.walk(self.folder):
            folders[:] = [one for one in folders if not one.startswith(".")]
            for file in files:
                path = os.path.join(above, file)
                name = os.path.relpath(path, self.folder)
                if file.startswith(".") or os.path.islink(path) or self.only not in (None, name):
                    continue
                try:
                    state = os.stat(path)
                except FileNotFoundError:
                    continue  # replaced or removed just now
                kept = self._index.get(name)
                now = (state.st_size, state.st_mtime_ns)
                if not kept or kept.sending or (kept.size, kept.changed) != now:
                    found.append((state.st_mtime_ns, name))
        return [name for _, name in sorted(found)]

    def _send_one(self, name: str) -> None:
        before, to = self._on_its_way(name), self.address.at(name)
        self.store.put_file(str(self._path(name)), to)
        self._index[name] = KnownFile(there(self.store.info(to)).version, *before)

    def _on_its_way(self, name: str) -> tuple[int, int]:
        kept, state = self._index.get(name), self._state(name)
        self._index[name] = KnownFile(kept.version if kept else "", *state, sending=True)
        return state

    def _remove_one(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self.store.rm_file(self.address.at(name))
        self._index.pop(name)

    # The index.

    def _each(self, names: Iterable[str], work: Callable[[str], None], told: Progress) -> None:
        """Do the work on every name, a few at once; what was done is noted whatever follows."""
        names = [*names]
        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            for done, _ in enumerate(pool.map(self._tried(work), names), 1):
                told(done, len(names))
                if time.monotonic() - self._saved > SAVED_S:
                    self._save()
                    if self._lease:
                        self._lease.renew()
        finally:
            pool.shutdown(cancel_futures=True)
            self._save()

    def _tried(self, work: Callable[[str], None]) -> Callable[[str], None]:
        def tried(name: str) -> None:
            try:
                work(name)
            except UserError:
                raise
            except Exception as error:  # noqa: BLE001 - see `close`
                raise UserError(f"{self.address}/{name}: {why(error)}; run it again") from None

        return tried

    def _path(self, name: str) -> Path:
        return inside(self.folder, *name.split("/"))

    def _state(self, name: str) -> tuple[int, int]:
        state = self._path(name).stat()
        return state.st_size, state.st_mtime_ns

    def _note(self, name: str, version: str) -> None:
        self._index[name] = KnownFile(version, *self._state(name))

    def _save(self) -> None:
        rows = {name: list(kept) for name, kept in list(self._index.items())}
        write_json(self.cache / "index.json", rows)
        self._saved = time.monotonic()


def _stage(name: str) -> int:
    """Return when a file is sent: clips, then the records that name them, then the list of all."""
    return 2 if name.rpartition("/")[2] == SUMS else int(name.endswith(RECORDS))


def _read_index(path: Path) -> dict[str, KnownFile]:
    if not path.exists():
        return {}
    return {name: KnownFile(*kept) for name, kept in read_json(path, 1 << 30).items()}


def _untold(done: int, total: int) -> None:
    """Take note of nothing."""
