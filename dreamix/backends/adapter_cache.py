"""Adapters kept between edits: a folder each, whole or not there, shared by processes."""

import atexit
import logging
import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp

from dreamix.backends.adapter_files import UnfitAdapter
from dreamix.core.records import storing

log = logging.getLogger(__name__)


class AdapterCache:
    """Adapters by key, in `folder`, or in one that lasts as long as the process."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    @cached_property
    def folder(self) -> Path:
        """Where adapters are."""
        if self._folder is None:
            made = Path(mkdtemp(prefix="dreamix-"))
            atexit.register(shutil.rmtree, made, ignore_errors=True)
            return made
        return self._folder

    def load(self, key: str, read: Callable[[Path], None]) -> bool:
        """Return whether there is an adapter of `key` and `read` could use it.

        One that cannot be read is put away, with a warning, so that it is made anew.
        """
        if not (self.folder / key).exists():
            return False
        try:
            read(self.folder / key)
        except UnfitAdapter as error:
            log.warning("%s; it is made anew", error)
            self._put_away(key)
            return False
        return True

    def _put_away(self, key: str) -> None:
        with storing(self.folder):
            gone = Path(mkdtemp(dir=self.folder, prefix=".gone-"))
            with suppress(FileNotFoundError):  # another process was first
                (self.folder / key).rename(gone / key)
        shutil.rmtree(gone, ignore_errors=True)

    def keep(self, key: str, write: Callable[[Path], object]) -> None:
        """Let `write` put an adapter into a folder, which then becomes that of `key`."""
        with storing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            half = Path(mkdtemp(dir=self.folder, prefix=".half-"))
        try:
            write(half)
            with suppress(OSError):  # another process was first
                half.rename(self.folder / key)
        finally:
            shutil.rmtree(half, ignore_errors=True)
