"""JSON that has to have a shape: the shape is a frozen dataclass, held to by pydantic.

    @dataclass(frozen=True)
    class Thing:
        __pydantic_config__ = STRICT
        name: Name
        size: float | None = None

    thing = read_typed(path, Thing)

A field that is unknown, missing or of another type is a `UserError` of one line that names the file
and the field: JSON is not turned into what might have been meant ("3" is no number).
"""

from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from dreamix.core.errors import UserError
from dreamix.core.names import plain_name, shown
from dreamix.core.records import MOST, parse_json, read_bytes, to_json

STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
Name = Annotated[str, AfterValidator(plain_name)]  # of a file in its folder

T = TypeVar("T")
WORDS = {
    "missing": "is missing",
    "missing_argument": "is missing",
    "unexpected_keyword_argument": "is unknown here",
    "extra_forbidden": "is unknown here",
    "dataclass_type": "should be an object",
    "finite_number": "should be a finite number",
}


def read_typed(path: Path, kind: type[T], most: int = MOST) -> T:
    """Return what a JSON file holds as a `kind`.

    Raises:
        UserError: if the content is of another kind.
    """
    return parse_typed(read_bytes(path, most), kind, str(path))


def parse_typed(data: bytes, kind: type[T], where: str) -> T:
    """Return JSON text as a `kind`; `where` names it in a `UserError`."""
    try:
        parse_json(data)  # keys that stand twice, numbers without end: pydantic lets them pass
    except (ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise UserError(f"{where} is not valid JSON ({why[:200]}); remove or restore it") from None
    return parse_line(data.removeprefix(b"\xef\xbb\xbf"), kind, where)


def parse_line(data: bytes, kind: type[T], where: str) -> T:
    """Return what `parse_typed` does without looking for repeated keys: for many short lines."""
    try:
        return adapter(kind).validate_json(data)
    except ValidationError as error:
        raise UserError(f"{where}: {first_mistake(error)}; remove or restore it") from None


def as_typed(value: object, kind: type[T], where: str) -> T:
    """Return a JSON value that is in memory as a `kind`; `where` names it in a `UserError`."""
    try:
        text = to_json(value).encode()
    except (TypeError, ValueError) as error:
        raise UserError(f"{where} holds what JSON has no word for ({error})") from None
    return parse_line(text, kind, where)


_adapters: dict[type[Any], TypeAdapter[Any]] = {}  # made once: it takes milliseconds


def adapter(kind: type[T]) -> TypeAdapter[T]:
    """Return what turns JSON into a `kind`."""
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def first_mistake(error: ValidationError) -> str:
    """Return the first thing that is wrong, with its field, and how many more there are."""
    mistakes = error.errors(include_url=False)
    more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
    return f"{_spelled(mistakes[0])}{more}"


def _spelled(mistake: ErrorDetails) -> str:
    message = str(mistake["msg"]).removeprefix("Value error, ")
    message = WORDS.get(mistake["type"], f"{message[:1].lower()}{message[1:]}")
    place = ".".join(_part(part) for part in mistake["loc"])
    given = f", not {shown(mistake['input'], 40)}" if message.startswith("should be") else ""
    return f"{place} {message}{given}" if place else f"{message}{given}"


def _part(part: int | str) -> str:
    text = str(part)
    return text if len(text) <= 60 and text.isprintable() else shown(text)
