"""A name -> object table that fills itself: from the files of one package, and from other packages.

A new method or metric is one new file: the first look-up imports every module of the package, and
each module registers what it holds with a decorator. Nothing else has to be edited. Modules of
other packages, found through the entry points of `group`, are then imported too. What they bring
does not take the place of ours; a package that fails is noted (`packages.noted`), the rest goes on.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from dreamix.core.errors import UserError
from dreamix.core.names import near_misses
from dreamix.core.packages import EntryPoint, Package, entries, load, note, package_of

T = TypeVar("T")


class Registry(Generic[T]):
    """Names of one kind of thing, found in the modules of `package` and through `group`."""

    def __init__(self, kind: str, package: str = "", group: str = "") -> None:
        self.kind = kind
        self.package = package
        self.group = group
        self._entries: dict[str, T] = {}
        self._packages: dict[str, Package | None] = {}  # who brings each; None: ours
        self._walked = False
        _registries.append(self)

    def add(self, name: str, entry: T, module: str = "") -> T:
        """Return `entry`, stored under `name`; two entries of one name in a package are a defect.

        module: that holds it, which tells the package that brings it. Ours come before those of
        other packages, and these by the names of the packages; what is left out is noted.
        """
        self._store(name, entry, package_of(module) if module else None)
        return entry

    def get(self, name: str) -> T:
        """Return the entry called `name`.

        Raises:
            UserError: for an unknown name, with near misses.
        """
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

    def __contains__(self, name: object) -> bool:
        """Return True if there is an entry of that name."""
        self._walk()
        return name in self._entries

    def brought_by(self, name: str) -> Package | None:
        """Return the package that brings the entry called `name`; None for ours."""
        self._walk()
        return self._packages.get(name)

    def _store(self, name: str, entry: Any, package: Package | None) -> None:
        if name in self._entries:
            other = self._packages.get(name)
            if package == other:
                raise ValueError(f"{self.kind} {name!r} is registered twice")
            first, left = sorted((package, other), key=lambda one: one or ())
            whose = "the toolkit" if first is None else f"package {first}"
            note(f"package {left}: {self.kind} {name!r} is left out: {whose} has one of that name")
            if first == other:
                return
        self._entries[name], self._packages[name] = entry, package

    def _walk(self) -> None:
        """Import every module of the package once, and those of other packages."""
        if self._walked:
            return
        self._walked = True
        if self.package:
            _import_all(EntryPoint("", self.package))
        for entry in entries(self.group) if self.group else ():
            self._bring(entry)

    def _bring(self, entry: EntryPoint) -> None:
        """Import what an entry names; a package that fails is noted."""
        try:
            with _whole_or_not_at_all(entry.package):
                _import_all(entry)
        except UserError as error:
            note(str(error))


class NamedRegistry(Registry[T]):
    """A registry whose names are those of entry points: each is imported when it is asked for."""

    def __init__(self, kind: str, group: str) -> None:
        super().__init__(kind, "", group)

    def get(self, name: str) -> T:
        """Return the entry called `name`.

        Raises:
            UserError: if the package that brings it fails.
        """
        found: Any = super().get(name)
        return load(found) if isinstance(found, EntryPoint) else found

    def entry(self, name: str) -> EntryPoint | None:
        """Return where a name is found; None for one that was added here."""
        found: Any = super().get(name)
        return found if isinstance(found, EntryPoint) else None

    def pairs(self) -> Iterator[tuple[str, T]]:
        """Yield names and entries, ours first; a package that fails is noted."""
        for name in sorted(self.names(), key=lambda one: (self.brought_by(one) or (), one)):
            try:
                yield name, self.get(name)
            except UserError as error:
                note(str(error))

    def each(self) -> Iterator[T]:
        """Yield all entries, as `pairs` does."""
        return (entry for _, entry in self.pairs())

    def _bring(self, entry: EntryPoint) -> None:
        try:
            self._store(entry.name, entry, entry.package)
        except ValueError as error:
            note(f"package {entry.package}: {error}")


_registries: list[Registry[Any]] = []  # all there are, in the order in which they were made


@contextmanager
def _whole_or_not_at_all(package: Package | None) -> Iterator[None]:
    """Take back what a package registers in the block, wherever it does, if it fails."""
    before = [(one, one._entries.copy()) for one in _registries]
    try:
        yield
    except UserError:
        for one, kept in before:
            for name in [n for n, whose in one._packages.items() if whose == package]:
                if name not in kept:
                    del one._entries[name], one._packages[name]
        raise


def _import_all(entry: EntryPoint) -> None:
    """Import the module of an entry; of a package all modules that lie in it."""
    import pkgutil  # which lists of commands do without

    found = load(entry)
    for module in pkgutil.iter_modules(getattr(found, "__path__", ())):
        if not module.name.startswith("__"):
            load(entry._replace(place=f"{entry.module}.{module.name}"))
