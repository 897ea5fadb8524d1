"""A name -> object table that fills itself from the files of one package.

A new method or metric is one new file: the first look-up imports every module of the package, and
each module registers what it holds with a decorator. Nothing else has to be edited.
"""

import difflib
import importlib
import pkgutil
from typing import Generic, TypeVar

from dreamix.core.errors import UserError

T = TypeVar("T")


MOST_KNOWN, MOST_LETTERS = 2000, 200


def near_misses(name: str, known: list[str]) -> str:
    """Return ", did you mean a or b?" for the names closest to `name`, or an empty string."""
    if len(known) > MOST_KNOWN or len(name) > MOST_LETTERS:
        return ""  # comparing all with all would take longer than reading the list
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    return f", did you mean {' or '.join(close)}?" if close else ""


class Registry(Generic[T]):
    """Names of one kind of thing (`kind`), found in the modules of `package`."""

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self.package = package
        self._entries: dict[str, T] = {}
        self._walked = False

    def add(self, name: str, entry: T) -> T:
        """Return `entry`, stored under `name`; two entries of one name are a defect."""
        if name in self._entries:
            raise ValueError(f"{self.kind} {name!r} is registered twice")
        self._entries[name] = entry
        return entry

    def get(self, name: str) -> T:
        """Return the entry called `name`; an unknown name is a `UserError` with near misses."""
        self._walk()
        if name not in self._entries:
            hint = near_misses(name, self.names())
            known = ", ".join(self.names())
            raise UserError(f"unknown {self.kind} {name!r}{hint} (known: {known})")
        return self._entries[name]

    def names(self) -> list[str]:
        """Return every registered name, sorted."""
        self._walk()
        return sorted(self._entries)

    def _walk(self) -> None:
        """Import every module of the package once, so that its decorators have run."""
        if self._walked:
            return
        self._walked = True
        package = importlib.import_module(self.package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self.package}.{module.name}")
