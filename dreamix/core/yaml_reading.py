"""YAML of strangers: as plain values of which each knows its line, or every mistake with its line.

PyYAML parses; the tree is built here, in one pass over its events, because its own composer keeps
neither a limit on nesting nor a count of what aliases unfold to: nine lines of them can unfold to
gigabytes ("billion laughs"). `dreamix.core.yaml_typed` holds what was read to a form.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import yaml
from yaml.constructor import SafeConstructor
from yaml.reader import Reader

from dreamix.core.errors import Mistakes, Problem
from dreamix.core.names import shown
from dreamix.core.records import read_bytes

# The C parser is about ten times as fast; a PyYAML built without libyaml lacks it.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
TAG = "tag:yaml.org,2002:"
MOST_DIGITS = 100  # of a number
MAP, SEQ, STR, NULL = (TAG + name for name in ("map", "seq", "str", "null"))
KINDS = {
    STR: "text",
    TAG + "int": "a number",
    TAG + "float": "a number",
    TAG + "bool": "true or false",
    NULL: "nothing",
    TAG + "timestamp": "a date",
    SEQ: "a list",
    MAP: "a mapping",
    TAG + "merge": "a merge",
}
_SAFE = SafeConstructor()
_READ: dict[str, Callable[[yaml.ScalarNode], Any]] = {
    TAG + "int": _SAFE.construct_yaml_int,
    TAG + "float": _SAFE.construct_yaml_float,
    TAG + "bool": _SAFE.construct_yaml_bool,
    TAG + "timestamp": _SAFE.construct_yaml_timestamp,
}
# What these raise for a value that is not what its tag says: `!!int x`, 2024-13-32.
_ODD = (ValueError, OverflowError, TypeError, AttributeError, KeyError)

Place = tuple[int | str, ...]  # of a value: the keys and positions that lead to it


class Limits(NamedTuple):
    """What a file may be; beyond that nothing of it is built."""

    size: int = 4 << 20  # bytes
    values: int = 200_000  # with aliases unfolded
    levels: int = 40
    aliases: bool = True  # and merge keys; a shared value has no line of its own


@dataclass(slots=True, eq=False)
class Node:
    """A value and where it stands. A scalar that is not what its tag says is its own value."""

    line: int  # counted from 1
    tag: str
    value: Any  # plain: None, bool, int, float, str, date, list, dict with text keys
    written: str = ""  # a scalar as the file has it
    items: Sequence["Node"] = ()  # of a list
    keys: Mapping[str, tuple[int, "Node"]] = MappingProxyType({})  # of a mapping, with lines
    size: int = 1  # values in it, aliases unfolded
    height: int = 0  # levels in it

    @property
    def kind(self) -> str:
        """Return what it is, in words: "a number", "a list"; an unknown tag as it is written."""
        return KINDS.get(self.tag, self.tag)

    @property
    def shown(self) -> str:
        """Return a scalar in quotes as it is written, shortened; what else it is in words."""
        return self.kind if self.tag in (MAP, SEQ) else shown(self.written)

    def inner(self, part: int | str) -> "tuple[int, Node] | None":
        """Return the line of a key and its value, or an item's; None where there is none."""
        if isinstance(part, str):
            return self.keys.get(part)
        found = self.items[part] if 0 <= part < len(self.items) else None
        return (found.line, found) if found else None


@dataclass(frozen=True)
class Document:
    """A YAML file as it was read, with the mistakes that are YAML's own."""

    file: str
    root: Node | None  # None: an empty file, or one that is not YAML
    problems: list[Problem]

    @property
    def value(self) -> Any:
        """Return the file as plain values."""
        return self.root.value if self.root else None

    def at(self, place: Place) -> Node | None:
        """Return the value at a place, or the one around it that is there."""
        node = self.root
        for part in place:
            found = node.inner(part) if node else None
            node = found[1] if found else node
        return node

    def line(self, place: Place, *, key: bool = False) -> int:
        """Return the line of a value, or of its key; of what is around it where it is missing."""
        node = self.at(place[:-1])
        found = node.inner(place[-1]) if node and place else None
        if found:
            return found[0] if key else found[1].line
        return node.line if node else 1


class _Stop(Exception):
    """A mistake after which there is nothing more to read: (line, message)."""


def read_document(path: Path, limits: Limits, as_written: Collection[str] = ()) -> Document:
    """Return a YAML file; see `parse_document`. One that cannot be read at all is a `UserError`."""
    return parse_document(read_bytes(path, limits.size), str(path), limits, as_written)


def parse_document(
    content: bytes, file: str, limits: Limits, as_written: Collection[str] = ()
) -> Document:
    """Return a YAML file as far as it can be read, and what is wrong with it.

    as_written: keys whose numbers and dates stay text, such as versions: 1.10 is not 1.1.

    Not UTF-8, characters that YAML forbids, a syntax error, several documents and what is beyond
    the limits end the reading. A repeated key is a problem, and the first value counts.
    """
    problems: list[Problem] = []
    try:
        text = _decoded(content)
        root = _Builder(text, file, limits, as_written, problems).document()
    except _Stop as stop:
        line, message = stop.args
        return Document(file, None, [*problems, Problem(file, line, message)])
    return Document(file, root, problems)


def read_yaml(path: Path) -> Any:
    """Return what a YAML file says as plain values; mistakes in it are a `UserError`."""
    return _plain(read_document(path, Limits()))


def parse_yaml(text: str, where: str) -> Any:
    """Return what YAML text says as plain values; `where` names it in a `UserError`."""
    return _plain(parse_document(text.encode(errors="surrogatepass"), where, Limits()))


def _plain(document: Document) -> Any:
    if document.problems:
        raise Mistakes(document.problems)
    return document.value


def _decoded(content: bytes) -> str:
    """Return the text of the file; a byte order mark, which Windows editors add, is dropped."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        odd = content[error.start]
        raise _Stop(line, f"not UTF-8 (byte 0x{odd:02x}): save the file as UTF-8") from None
    if forbidden := Reader.NON_PRINTABLE.search(text):
        line = text.count("\n", 0, forbidden.start()) + 1
        code = ord(forbidden.group())
        raise _Stop(line, f"the character U+{code:04X} is not allowed in YAML")
    return text


class _Builder:
    """Builds the tree of a document from the events of PyYAML's parser."""

    def __init__(
        self,
        text: str,
        file: str,
        limits: Limits,
        as_written: Collection[str],
        problems: list[Problem],
    ) -> None:
        self._parser = LOADER(text)
        self._last = text.rstrip("\n").count("\n") + 1
        self._file = file
        self._limits = limits
        self._as_written = as_written
        self._problems = problems
        self._anchors: dict[str, Node] = {}
        self._depth = 0

    def document(self) -> Node | None:
        """Return the root of the only document, None of an empty file; else stop."""
        try:
            self._next()  # the stream starts
            if isinstance(self._next(), yaml.StreamEndEvent):
                return None
            root = self._node(self._next())
            self._next()  # the document ends
            if not isinstance(event := self._next(), yaml.StreamEndEvent):
                line = _line(event)
                raise _Stop(line, "not YAML of one document: a second one starts here")
            return root
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            reason = " ".join(part for part in (error.context, error.problem) if part)
            # An open bracket is noticed after the last line.
            line = 1 if mark is None else min(mark.line + 1, self._last)
            raise _Stop(line, f"not YAML: {reason}") from None
        except yaml.YAMLError as error:
            raise _Stop(1, f"not YAML: {str(error)[:200]}") from None

    def _next(self) -> Any:
        return self._parser.get_event()

    def _add(self, line: int, message: str) -> None:
        self._problems.append(Problem(self._file, line, message))

    def _node(self, event: Any) -> Node:
        """Return what starts with an event."""
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event)
        elif isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        else:
            self._depth += 1
            self._check(_line(event), 0, 0)
            is_list = isinstance(event, yaml.SequenceStartEvent)
            node = self._list(event) if is_list else self._mapping(event)
            self._depth -= 1
            self._check_tag(node, event.tag, SEQ if is_list else MAP)
            self._check(node.line, node.size, node.height)
        if event.anchor:  # from here on: a value in itself would have no end
            self._anchors[event.anchor] = node
        return node

    def _check(self, line: int, size: int, height: int) -> None:
        if self._depth + height > self._limits.levels:
            raise _Stop(line, f"nested more than {self._limits.levels} levels deep")
        if size > self._limits.values:
            raise _Stop(line, f"more than {self._limits.values} values, aliases unfolded")

    def _check_tag(self, node: Node, tag: str | None, usual: str) -> None:
        if tag not in (None, "!", usual):
            self._add(node.line, f"the tag {shown(tag)} is not supported here: leave it out")

    def _alias(self, event: Any) -> Node:
        line, name = _line(event), event.anchor
        if not self._limits.aliases:
            raise _Stop(line, f"the alias *{name} is not supported: write the value out")
        if name not in self._anchors:
            raise _Stop(line, f"the alias *{name} is of no value before it")
        node = self._anchors[name]
        self._check(line, node.size, node.height)
        return node

    def _scalar(self, event: Any) -> Node:
        tag, text = event.tag, event.value
        if tag is None or tag == "!":
            tag = self._parser.resolve(yaml.ScalarNode, text, event.implicit)
        if tag == STR:
            return Node(_line(event), tag, text, text)
        node = Node(_line(event), tag, None, text)
        if tag != NULL:
            node.value = self._value(node)
        return node

    def _value(self, node: Node) -> Any:
        """Return what a scalar says; the node itself where that is not what its tag is for."""
        if len(node.written) > MOST_DIGITS and node.kind == "a number":
            self._add(node.line, f"a number of more than {MOST_DIGITS} digits")
            return node
        try:
            return _READ[node.tag](yaml.ScalarNode(node.tag, node.written))
        except _ODD:
            return node

    def _list(self, start: Any) -> Node:
        items: list[Node] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._node(event))
        node = Node(_line(start), SEQ, [item.value for item in items], items=items)
        return _measured(node, items)

    def _mapping(self, start: Any) -> Node:
        keys: dict[str, tuple[int, Node]] = {}
        held: list[Node] = []
        merged: list[Node] = []
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key, value = self._node(event), self._node(self._next())
            held += (key, value)
            if key.tag == STR:
                self._put(keys, key, value)
            elif key.tag == TAG + "merge":
                merged += self._merged(key, value)
            else:
                self._add(key.line, f"a key must be text, got {key.kind}{in_quotes(key)}")
        for other in merged:  # the first of them counts, and what is written here more than all
            keys = {**other.keys, **keys}
        values = {name: value.value for name, (_, value) in keys.items()}
        return _measured(Node(_line(start), MAP, values, keys=keys), held)

    def _put(self, keys: dict[str, tuple[int, Node]], key: Node, value: Node) -> None:
        """Add a key and its value to a mapping."""
        name = key.written
        if name in keys:
            first = keys[name][0]
            self._add(key.line, f"the key {ticked(name)} is repeated (first on line {first})")
            return
        if name in self._as_written and value.kind in ("a number", "a date"):
            value.value = value.written
        keys[name] = (key.line, value)

    def _merged(self, key: Node, value: Node) -> list[Node]:
        """Return the mappings that `<<` lays under the one it stands in."""
        found = value.items if value.tag == SEQ else [value]
        if not self._limits.aliases:
            self._add(key.line, "the merge key `<<` is not supported: write the keys out")
        elif any(one.tag != MAP for one in found):
            self._add(key.line, f"`<<` takes mappings of keys to values, got {value.kind}")
        else:
            return found
        return []


def _measured(node: Node, held: list[Node]) -> Node:
    """Return a node with its size and height, of all that is written in it."""
    node.size = 1 + sum(one.size for one in held)
    node.height = 1 + max((one.height for one in held), default=0)
    return node


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def ticked(name: str) -> str:
    """Return a key for a message, in backticks; one that is long or cannot be seen in quotes."""
    return f"`{name}`" if name.isprintable() and len(name) <= 60 else shown(name)


def in_quotes(node: Node) -> str:
    """Return the advice to put a scalar in quotes, empty where that makes no text of it."""
    scalar = node.tag in KINDS and node.tag not in (MAP, SEQ, STR, NULL)
    return f', put it in quotes: "{node.written}"' if scalar and len(node.written) <= 60 else ""
