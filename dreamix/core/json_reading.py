"""JSON of strangers as a `Document`: plain values of which each knows its line.

Python's `json` says where a value is in a text that it cannot read, and of no other. What is read
here is held to a form, mistake by mistake with its line, by `dreamix.core.yaml_typed`, as YAML is.
"""

import re
from bisect import bisect_right
from json import JSONDecodeError
from json.decoder import scanstring  # type: ignore[attr-defined]
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from dreamix.core.errors import Problem
from dreamix.core.records import read_bytes
from dreamix.core.yaml_reading import MOST_DIGITS, NULL, STR, TAG, Document, Limits, Pairs, ticked

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORDS = {"true": (True, "bool"), "false": (False, "bool"), "null": (None, "null")}


class _Mark(NamedTuple):
    """Where a value begins; the part of PyYAML's marks that a `Document` looks at."""

    line: int


class _Wrong(Exception):
    """A mistake after which there is nothing more to read: (position, message)."""


def read_json_document(path: Path, limits: Limits) -> Document:
    """Return a JSON file; see `parse_json_document`.

    Raises:
        UserError: if the file cannot be read at all.
    """
    return parse_json_document(read_bytes(path, limits.size), str(path), limits)


def parse_json_document(content: bytes, file: str, limits: Limits) -> Document:
    """Return a JSON text as far as it can be read, and what is wrong with it.

    Not UTF-8, a mistake of syntax and what is beyond the limits end the reading. A repeated key is
    a problem, and the first value counts.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        odd = f"not UTF-8 (byte 0x{content[error.start]:02x}): save the file as UTF-8"
        return Document(file, None, None, [Problem(file, line, odd)], {})
    return _Parser(text, file, limits).document()


class _Parser:
    """Reads one text from its beginning to its end."""

    def __init__(self, text: str, file: str, limits: Limits) -> None:
        self._text, self._file, self._limits = text, file, limits
        # An open bracket is noticed after the last line: that one is told.
        self._breaks = [found.start() for found in re.finditer("\n", text.rstrip())]
        self._problems: list[Problem] = []
        self._pairs: Pairs = {}
        self._count = 0

    def document(self) -> Document:
        """Return the whole text."""
        root, value = None, None
        try:
            root, value, end = self._value(self._skip(0), 0)
            if (rest := self._skip(end)) < len(self._text):
                raise _Wrong(rest, "not JSON: something stands behind its end")
        except _Wrong as wrong:
            self._add(*wrong.args)
            root = value = None
        return Document(self._file, root, value, self._problems, self._pairs)

    def _skip(self, at: int) -> int:
        found = _SPACE.match(self._text, at)
        return found.end() if found else at

    def _mark(self, at: int) -> Any:
        return _Mark(bisect_right(self._breaks, at - 1))

    def _add(self, at: int, message: str) -> None:
        self._problems.append(Problem(self._file, self._mark(at).line + 1, message))

    def _value(self, at: int, level: int) -> tuple[yaml.Node, Any, int]:
        """Return the node, the value and the end of what begins at a place."""
        self._count += 1
        if self._count > self._limits.values:
            raise _Wrong(at, f"more than {self._limits.values} values")
        if level > self._limits.levels:
            raise _Wrong(at, f"nested more than {self._limits.levels} levels deep")
        sign = self._text[at : at + 1]
        if sign == '"':
            return self._string(at)
        if sign == "{":
            return self._object(at, level)
        if sign == "[":
            return self._array(at, level)
        return self._word(at)

    def _string(self, at: int) -> tuple[yaml.Node, str, int]:
        try:
            value, end = scanstring(self._text, at + 1, True)
        except JSONDecodeError as error:
            raise _Wrong(error.pos, f"not JSON: {error.msg}") from None
        return self._scalar("str", value, at), value, end

    def _scalar(self, tag: str, text: str, at: int) -> yaml.Node:
        return yaml.ScalarNode(STR if tag == "str" else TAG + tag, text, self._mark(at))

    def _word(self, at: int) -> tuple[yaml.Node, Any, int]:
        for word, (value, tag) in _WORDS.items():
            if self._text.startswith(word, at):
                node = yaml.ScalarNode(NULL if value is None else TAG + tag, word, self._mark(at))
                return node, value, at + len(word)
        if not (found := _NUMBER.match(self._text, at)):
            raise _Wrong(at, "not JSON: a value is expected here")
        if len(found[0]) > MOST_DIGITS:
            raise _Wrong(at, f"a number of more than {MOST_DIGITS} digits")
        whole = found[1] is None and found[2] is None
        number = int(found[0]) if whole else float(found[0])
        return self._scalar("int" if whole else "float", found[0], at), number, found.end()

    def _array(self, at: int, level: int) -> tuple[yaml.Node, list[Any], int]:
        nodes, values, end = [], [], self._skip(at + 1)
        while self._text[end : end + 1] != "]":
            node, value, end = self._value(end, level + 1)
            nodes.append(node)
            values.append(value)
            end = self._next(end, "]")
        return yaml.SequenceNode(TAG + "seq", nodes, self._mark(at)), values, end + 1

    def _object(self, at: int, level: int) -> tuple[yaml.Node, dict[str, Any], int]:
        node = yaml.MappingNode(TAG + "map", [], self._mark(at))
        own: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        values: dict[str, Any] = {}
        end = self._skip(at + 1)
        while self._text[end : end + 1] != "}":
            end = self._pair(end, level, own, values)
        self._pairs[id(node)] = own
        node.value.extend(own.values())
        return node, values, end + 1

    def _pair(
        self,
        at: int,
        level: int,
        own: dict[str, tuple[yaml.Node, yaml.Node]],
        values: dict[str, Any],
    ) -> int:
        """Take in a key and its value; return where the next is, or the end of the object."""
        if self._text[at : at + 1] != '"':
            raise _Wrong(at, "not JSON: a key in double quotes is expected here")
        key_node, key, end = self._string(at)
        end = self._skip(end)
        if self._text[end : end + 1] != ":":
            raise _Wrong(end, "not JSON: a colon is expected here")
        node, value, end = self._value(self._skip(end + 1), level + 1)
        if key in own:
            first = own[key][0].start_mark.line + 1
            self._add(at, f"the key {ticked(key)} is repeated (first on line {first})")
        else:
            own[key], values[key] = (key_node, node), value
        return self._next(end, "}")

    def _next(self, end: int, closing: str) -> int:
        """Return where the next value is; where the closing bracket is, if there is no other."""
        end = self._skip(end)
        sign = self._text[end : end + 1]
        if sign == closing:
            return end
        if sign != ",":
            raise _Wrong(end, f"not JSON: a comma or {closing} is expected here")
        after = self._skip(end + 1)
        if self._text[after : after + 1] == closing:
            raise _Wrong(end, f"not JSON: a comma before {closing}")
        return after
