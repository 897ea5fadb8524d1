"""What is at a place: a store lists it; at an https address a file there has to."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from dreamix.core.errors import Mistakes, UserError
from dreamix.core.media import sha256_file
from dreamix.core.records import SUMS
from dreamix.core.yaml_reading import Limits, parse_document
from dreamix.remote.address import DENIED, Address, check_name, why

MOST_FILES = 2_000_000
MOST_BYTES = 1 << 40  # of one file
MOST_LIST = 1 << 28  # bytes of a list of files
LIMITS = Limits(values=2_000_000, levels=20, aliases=False)  # of a suite, as where it is loaded
# Whichever a store has.
VERSION = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "Last-Modified", "created")
LINE = re.compile(r"([0-9a-f]{64}) [ *](?:\./)?(.+)")
ABSENT = (403, 404, 410)  # S3 says 403 of what is not there to whom it shows no list
SUITE_FILES = ("suite.yaml", "suite.yml")


class Unlisted(UserError):
    """Nothing at a web address says what is there."""


class There(NamedTuple):
    """One file at a store."""

    version: str  # changes when it is written anew
    size: int | None  # bytes; None where only its content is known
    sha256: str | None = None

    def check(self, path: Path, whole: str) -> None:
        """Raise a `UserError` unless a file that was fetched is this one."""
        if self.size is not None and path.stat().st_size != self.size:
            raise UserError(f"{whole} came in part only: run it again")
        if self.sha256 is not None and sha256_file(path) != self.sha256:
            raise UserError(f"{whole} is not the file that {SUMS} lists: ask who put it there")


def there(info: dict[str, Any]) -> There:
    """Return what a store says of an object."""
    known = next((info[key] for key in VERSION if info.get(key)), "")
    size = info.get("size")
    return There(f"{size}:{known}", None if size is None else int(size))


def listed(store: Any, address: Address, only: str | None) -> dict[str, There]:
    """Return the files at an address by their names below it; {} where nothing is.

    only: one file is meant. Names that begin with a dot are left out.

    Raises:
        UserError: if the place cannot be read, is too large or holds names that are none.
    """
    if only is not None:
        return _one(store, address, only)
    found = _walked(store, address) if address.writable else dict(_told(store, address))
    if len(found) > MOST_FILES:
        raise UserError(f"{address} holds more than {MOST_FILES} files")
    for name, one in found.items():
        check_name(name, address)
        if one.size is not None and not 0 <= one.size <= MOST_BYTES:
            raise UserError(f"{address}/{name} is larger than a terabyte")
    return found


def _one(store: Any, address: Address, name: str) -> dict[str, There]:
    try:
        return {name: there(store.info(address.at(name)))}
    except Exception as error:  # noqa: BLE001 - stores raise what their libraries have
        _check_absent(error, address, name)
        cause = error.__cause__ or error
        if getattr(cause, "status", None) in DENIED:
            raise UserError(f"cannot read {address}/{name}: {why(cause)}") from None
        return {}


def _walked(store: Any, address: Address) -> dict[str, There]:
    try:
        found = store.find(address.at(), detail=True)
    except FileNotFoundError:
        return {}
    except Exception as error:  # noqa: BLE001 - see `_one`
        raise UserError(f"cannot read {address}: {why(error)}") from None
    start = len(address.at().lstrip("/")) + 1
    named = {str(path).lstrip("/")[start:]: info for path, info in found.items()}
    return {name: there(info) for name, info in named.items() if name and not _hidden(name)}


def _told(store: Any, address: Address) -> Iterator[tuple[str, There]]:
    """Yield what SHA256SUMS at an address lists, else what its suite.yaml names."""
    denied: list[str] = []
    sums = _text(store, address, SUMS, denied)
    if sums is not None:
        for number, line in enumerate(sums.removesuffix("\n").split("\n"), 1):
            found = LINE.fullmatch(line.removesuffix("\r"))
            if not found:
                raise UserError(f"{address}/{SUMS}:{number}: no line of `sha256sum`")
            yield found[2], There(found[1], None, found[1])
        return
    for name in SUITE_FILES:
        if (text := _text(store, address, name, denied)) is not None:
            for file in (name, *_clips(text, address, name)):
                yield file, _one(store, address, file).get(file, There("", None))
            return
    if denied:
        raise Unlisted(
            f"cannot read {address}: {denied[0]}; who reads it has to be let in without a password "
            f"(and where nothing is there, some servers say that too)"
        )
    raise Unlisted(
        f"{address} has neither {SUMS} nor suite.yaml, which say what is there: in the folder, "
        f"`find . -type f ! -name {SUMS} ! -name '.*' | xargs -d '\\n' sha256sum > {SUMS}`"
    )


def _clips(text: str, address: Address, name: str) -> list[str]:
    found = parse_document(text.encode(), f"{address}/{name}", LIMITS)
    if found.problems:
        raise Mistakes(found.problems)
    try:
        return [str(one["path"]) for one in found.value["videos"] if "path" in one]
    except (KeyError, TypeError) as error:
        raise UserError(f"{address}/{name} is no suite: {why(error)}") from None


def _text(store: Any, address: Address, name: str, denied: list[str]) -> str | None:
    """Return a text at an address; None if it is not there; denied: takes what forbade to look."""
    try:
        with store.open(address.at(name), "rb", block_size=0) as file:
            data = file.read(MOST_LIST + 1)
        if len(data) > MOST_LIST:
            raise UserError(f"{address}/{name} is larger than {MOST_LIST >> 20} MB")
        return str(data.decode("utf-8"))
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001 - see `_one`
        _check_absent(error, address, name)
        cause = error.__cause__ or error
        if getattr(cause, "status", None) in DENIED:
            denied.append(why(cause))
        return None


def _check_absent(error: Exception, address: Address, name: str) -> None:
    """Raise a `UserError` unless an error says that a file is not there.

    Over https fsspec calls all that fails "not found", and keeps the error itself as its cause.
    """
    cause = error.__cause__ if isinstance(error, FileNotFoundError) else error
    if isinstance(cause, FileNotFoundError) or cause is None:
        return
    if isinstance(error, FileNotFoundError) and address.writable:
        return
    if getattr(cause, "status", None) not in ABSENT:
        raise UserError(f"cannot read {address}/{name}: {why(cause)}") from None


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))
