"""Configurations: frozen dataclasses that can be written on a command line and hashed."""

import hashlib
import types
import typing
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar

from dreamix.core.errors import UserError
from dreamix.core.names import near_misses
from dreamix.core.records import to_json

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

C = TypeVar("C")
SWITCHES = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(frozen=True)
class NoConfig:
    """The configuration of what has nothing to configure."""


def config_from_text(
    kind: type[C], text: str, owner: str, usual: Mapping[str, Any] | None = None
) -> C:
    """Return a `kind` from "key=value:key=value"; fields left out keep their default.

    owner: who the configuration is for, named in the `UserError` of a wrong key or value.
    usual: values that stand before the defaults where the text says nothing.
    """
    pairs = [part.partition("=") for part in text.split(":") if part.strip()]
    if broken := [key for key, equals, _ in pairs if not equals]:
        raise UserError(f"{owner}: {broken[0]!r} is not key=value")
    told = {key.strip(): value.strip() for key, _, value in pairs}
    return config_from_dict(kind, {**(usual or {}), **told}, owner)


def config_from_dict(kind: type[C], values: dict[str, Any], owner: str) -> C:
    """Return a `kind` with `values`; strings are converted to the types of its fields."""
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    hints = typing.get_type_hints(kind)
    for key in values:
        if key not in known:
            hint = near_misses(key, known)
            legal = ", ".join(known) or "it takes none"
            raise UserError(f"{owner} has no setting {key!r}{hint} (settings: {legal})")
    read = {key: _read(hints[key], value, f"{owner}: {key}") for key, value in values.items()}
    try:
        return kind(**read)
    except TypeError:
        missing = [name for name in known if name not in values]
        raise UserError(f"{owner} needs the setting {missing[0]!r}") from None


def added(default: object) -> Any:
    """Return a field that came after runs were made: at its default it leaves the hash alone."""
    return field(default=default, metadata={"added": True})


def aside(default: object) -> Any:
    """Return a field that says where something is, not what: it leaves the hash alone."""
    return field(default=default, metadata={"aside": True})


def place() -> Any:
    """Return a field like `aside` that is a path, which a run keeps relative to its folder."""
    return field(metadata={"aside": True, "place": True})


def config_hash(config: "DataclassInstance") -> str:
    """Return a short hash that is equal for equal configurations; see `added` for new fields."""
    told = asdict(config)
    for setting in fields(config):
        is_usual = setting.metadata.get("added") and told[setting.name] == setting.default
        if is_usual or setting.metadata.get("aside"):
            del told[setting.name]
    return hashlib.sha256(to_json(told).encode()).hexdigest()[:12]


def _read(hint: Any, value: object, where: str) -> Any:
    """Return `value` as the type `hint`.

    Raises:
        UserError: if the text does not parse as that type.
    """
    if isinstance(hint, types.UnionType):
        if value is None or str(value).lower() == "none":
            return None
        hint = next(part for part in hint.__args__ if part is not type(None))
    if not isinstance(value, str) or hint is str:
        return value
    try:
        return SWITCHES[value.lower()] if hint is bool else hint(value)
    except (KeyError, ValueError):
        raise UserError(f"{where}: {value!r} is not a {hint.__name__}") from None
