"""YAML that has to have a form: the form is a pydantic model, and every mistake knows its line.

    found = Findings(read_document(path, Limits()))
    thing = found.read_as(Thing)
    if found.problems: raise Mistakes(found.problems)

Pydantic finds all mistakes at once and says where they are by keys and positions, of which
`Document` knows the lines. Its words are about Python; here they are about the file. A validator's
`ValueError` is put behind the place as it is where it begins with a space (" must be above 0"),
and after a colon otherwise. A model whose schema has a `noun` ("a video") is called that.
"""

import difflib
import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from dreamix.core.errors import Problem
from dreamix.core.names import near_misses, shown
from dreamix.core.typed import adapter
from dreamix.core.yaml_reading import (
    Document,
    Place,
    in_quotes,
    kind_of,
    line_of,
    shown_of,
    ticked,
)

T = TypeVar("T")
FEW = 12  # keys that a message lists
MANY = 2000  # mistakes, beyond which names are not compared any more: that takes long
_MAPPING, _LIST, _TEXT = "a mapping of keys to values", "a list", "text"
_NESTED = (_MAPPING, _LIST)
_EXPECTED = {
    "string_type": _TEXT,
    "path_type": _TEXT,
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": _LIST,
    "tuple_type": _LIST,
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "dataclass_type": _MAPPING,
}
_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
_PYTHON = re.compile(r"^(?:Input|String|Tuple|List|Value|Dictionary) should ")
_KEY = "[key]"  # ends the place of a mistake that is a key
_ID = re.compile(r"[A-Za-z0-9_-]{1,60}")


def refuse(mistakes: Iterable[tuple[Place, str]]) -> None:
    """Raise what a validator raises for several mistakes at places of its value; none is fine."""
    details = [
        InitErrorDetails(
            type=PydanticCustomError("value_error", "{why}", {"why": why}), loc=place, input=None
        )
        for place, why in mistakes
    ]
    if details:
        raise ValidationError.from_exception_data("refused", details)


class Findings:
    """What is wrong with a document, gathered while it is looked at."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.places: set[Place] = set()  # of values that cannot be used
        self._problems = list(document.problems)

    @property
    def problems(self) -> list[Problem]:
        """All that was found, in the order of the lines."""
        return sorted(self._problems, key=lambda problem: problem.line)

    def add(self, place: Place, message: str, *, key: bool = False) -> None:
        """Add a problem of the value at a place, or of its key; see the words of this module."""
        line = self.document.line(place, key=key)
        where = _spelled(place, self.document)
        gap = "" if message[:1] == " " or not where else ": "
        text = f"{where}{gap}{message}" if where else message.lstrip()
        self._problems.append(Problem(self.document.file, line, text))

    def read_as(self, kind: type[T]) -> T | None:
        """Return the document as a `kind`; None where it is none, after adding every mistake."""
        try:
            return adapter(kind).validate_python(self.document.value)
        except ValidationError as error:
            mistakes = error.errors(include_url=False, include_context=True)
        unknown: dict[Place, list[str]] = defaultdict(list)  # keys by what they stand in
        for mistake in mistakes:
            if mistake["type"] in _UNKNOWN:
                unknown[mistake["loc"][:-1]].append(str(mistake["loc"][-1]))
        for mistake in mistakes:
            self.places.add(mistake["loc"])
            if not (_is_slip(mistake, unknown) or self._is_known(mistake)):
                self._add(mistake, kind)
        return None

    def _is_known(self, mistake: ErrorDetails) -> bool:
        """Return whether YAML itself has told of a value."""
        value, known = mistake["input"], self.document.problems
        if value is None and not mistake["loc"]:
            return bool(known)  # nothing could be read of it
        return isinstance(value, yaml.Node) and any(p.line == line_of(value) for p in known)

    def _add(self, mistake: ErrorDetails, kind: type) -> None:
        place: Place = mistake["loc"]
        if mistake["type"] in _UNKNOWN:
            hint = len(self._problems) < MANY
            self.add(place, _no_such_key(place, kind, hint=hint), key=True)
        elif mistake["type"] == "missing":
            noun = _noun(kind, place[:-1])
            needs = f"{noun} needs the key {ticked(str(place[-1]))}"
            self.add(place[:-1] if noun else place, needs if noun else " is missing")
        elif place and place[-1] == _KEY:
            self.add(place[:-1], _of_key(mistake, str(place[-2])), key=True)
        else:
            self.add(place, self._of_value(mistake, kind))

    def _of_value(self, mistake: ErrorDetails, kind: type) -> str:
        """Return what is wrong with a value: what it must be, and what it is."""
        node = self.document.at(mistake["loc"])
        wanted = _EXPECTED.get(mistake["type"])
        if node is None or (wanted and mistake["input"] is None):
            return " is empty"
        if wanted is None:
            message = _message(mistake)
            return f"{message}, got {shown_of(node)}" if message.startswith(" must be") else message
        if wanted == _TEXT:
            return f" must be text, got {kind_of(node)}{in_quotes(node)}"
        if wanted == _MAPPING and (noun := _noun(kind, mistake["loc"])):
            return f"{noun} must be {wanted}, got {kind_of(node)}"
        return f" must be {wanted}, got {(kind_of if wanted in _NESTED else shown_of)(node)}"


def _message(mistake: ErrorDetails) -> str:
    """Return pydantic's words, or a validator's, as words about a value of a file."""
    if mistake["type"] == "string_too_short" and not mistake["input"]:
        return " is empty"
    if mistake["type"] == "too_short" and mistake["ctx"]["min_length"] == 1:
        return " is empty: at least one is needed"
    message = str(mistake["msg"]).removeprefix("Value error, ")
    message = message.replace(" after validation", "")
    return _PYTHON.sub(" must ", message)


def _of_key(mistake: ErrorDetails, key: str) -> str:
    return f" is no key that is known here:{_message(mistake)}, got {shown(key)}"


def _is_slip(mistake: ErrorDetails, unknown: dict[Place, list[str]]) -> bool:
    """Return whether a key is missing because it is misspelled, which is one mistake."""
    place = mistake["loc"]
    if mistake["type"] != "missing" or len(others := unknown.get(place[:-1], [])) > MANY:
        return False
    return bool(difflib.get_close_matches(str(place[-1]), others, n=1))


def _no_such_key(place: Place, kind: type, *, hint: bool) -> str:
    known = [*_schema_at(kind, place[:-1]).get("properties", {})]
    noun, key = _noun(kind, place[:-1]), str(place[-1])
    what = f"{noun} has no key {ticked(key)}" if noun else "there is no such setting"
    listed = f" (known: {', '.join(known)})" if 0 < len(known) <= FEW else ""
    return f"{what}{near_misses(key, known) if hint else ''}{listed}"


def _noun(kind: type, place: Place) -> str:
    return str(_schema_at(kind, place).get("noun", ""))


def _spelled(place: Place, document: Document) -> str:
    """Return a place in words: "edits.duck_00.prompt"; a row without an id by its position."""
    parts = []
    value = document.value
    for part in place:
        is_there = part in value if isinstance(value, dict) else isinstance(value, list)
        value = value[part] if is_there else None
        named = value.get("id") if isinstance(part, int) and isinstance(value, dict) else None
        text = named if isinstance(named, str) and _ID.fullmatch(named) else str(part)
        parts.append(text if text.isprintable() and len(text) <= 60 else shown(text))
    return ".".join(parts)


@cache
def _schema(kind: type) -> dict[str, Any]:
    return adapter(kind).json_schema()


def _schema_at(kind: type, place: Place) -> dict[str, Any]:
    """Return what is known of a place: the JSON schema of the model or value that belongs there."""
    whole = _schema(kind)
    node = _resolved(whole, whole)
    for part in place:
        if isinstance(part, int):
            inner = node.get("items")
        else:
            inner = node.get("properties", {}).get(part) or node.get("additionalProperties")
        node = _resolved(inner, whole) if isinstance(inner, dict) else {}
    return node


def _resolved(node: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    """Return what a node of a schema refers to; of several that it may be the one not null."""
    options = [one for one in node.get("anyOf", [node]) if one.get("type") != "null"]
    name = str(options[0].get("$ref", "")).rpartition("/")[2] if options else ""
    return whole["$defs"][name] if name else (options or [node])[0]
