"""YAML of strangers: as plain values of which each knows its line, or every mistake with its line.

PyYAML parses and composes. Nesting and what aliases unfold to are counted meanwhile: nine lines of
them can unfold to gigabytes ("billion laughs"). `dreamix.core.yaml_typed` holds what was read to a
form.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.reader import Reader

from dreamix.core.errors import Mistakes, Problem
from dreamix.core.names import shown
from dreamix.core.records import read_bytes

# The C parser is about ten times as fast; a PyYAML built without libyaml lacks it.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
TAG = "tag:yaml.org,2002:"
STR, NULL, MERGE = TAG + "str", TAG + "null", TAG + "merge"
KINDS = {
    STR: "text",
    TAG + "int": "a number",
    TAG + "float": "a number",
    TAG + "bool": "true or false",
    NULL: "nothing",
    TAG + "timestamp": "a date",
    TAG + "seq": "a list",
    TAG + "map": "a mapping",
    MERGE: "a merge key",
}
MOST_DIGITS = 100  # of a number
_SAFE = SafeConstructor()
_READ: dict[str, Callable[[yaml.ScalarNode], Any]] = {
    NULL: _SAFE.construct_yaml_null,
    TAG + "int": _SAFE.construct_yaml_int,
    TAG + "float": _SAFE.construct_yaml_float,
    TAG + "bool": _SAFE.construct_yaml_bool,
    TAG + "timestamp": _SAFE.construct_yaml_timestamp,
}
# What these raise for a value that is not what its tag says: `!!int x`, 2024-13-32.
_ODD = (ValueError, OverflowError, TypeError, AttributeError, KeyError)

Place = tuple[int | str, ...]  # of a value: the keys and positions that lead to it
Pair = tuple[yaml.Node, yaml.Node]  # a key and its value
Pairs = dict[int, dict[str, Pair]]  # by the id of a mapping's node: the keys that count


class Limits(NamedTuple):
    """What a file may be; what is beyond is not built."""

    size: int = 4 << 20  # bytes
    values: int = 200_000  # keys too, aliases unfolded
    levels: int = 40
    aliases: bool = True  # and merge keys; a shared value has no line of its own


@dataclass(frozen=True)
class Document:
    """A YAML file as it was read, with the mistakes that are YAML's own."""

    file: str
    root: yaml.Node | None  # None: an empty file, or one that is not YAML
    value: Any  # plain: None, bool, int, float, str, date, list, dict with text keys
    problems: list[Problem]
    pairs: "Pairs"

    def at(self, place: Place) -> yaml.Node | None:
        """Return the node of a place, or of what is around it where there is none."""
        node = self.root
        for part in place:
            found = self._inner(node, part)
            node = found[1] if found else node
        return node

    def line(self, place: Place, *, key: bool = False) -> int:
        """Return the line of a value, or of its key; of what is around it where it is missing."""
        node = self.at(place)
        found = self._inner(self.at(place[:-1]), place[-1]) if key and place else None
        return line_of(found[0] if found else node) if node else 1

    def _inner(self, node: yaml.Node | None, part: int | str) -> "Pair | None":
        """Return a key and its value, or an item of a list twice; None where there is none."""
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            return node.value[part], node.value[part]
        return self.pairs.get(id(node), {}).get(str(part))


def line_of(found: yaml.Node | yaml.Event) -> int:
    """Return the line on which a node, or what an event tells of, starts, counted from 1."""
    mark: Any = found.start_mark
    return int(mark.line) + 1


def kind_of(node: yaml.Node) -> str:
    """Return what a node is, in words: "a number", "a list"; an unknown tag as it is written."""
    return KINDS.get(node.tag, str(node.tag))


def shown_of(node: yaml.Node) -> str:
    """Return a scalar in quotes as it is written, shortened; what else a node is in words."""
    return shown(node.value) if isinstance(node, yaml.ScalarNode) else kind_of(node)


def in_quotes(node: yaml.Node) -> str:
    """Return the advice to put a scalar in quotes, empty where that makes no text of it."""
    helps = isinstance(node, yaml.ScalarNode) and node.tag in KINDS and node.tag not in (STR, NULL)
    return f', put it in quotes: "{node.value}"' if helps and len(node.value) <= 60 else ""


def ticked(name: str) -> str:
    """Return a key for a message, in backticks; one that is long or cannot be seen in quotes."""
    return f"`{name}`" if name.isprintable() and len(name) <= 60 else shown(name)


def read_document(path: Path, limits: Limits, as_written: Collection[str] = ()) -> Document:
    """Return a YAML file; see `parse_document`.

    Raises:
        UserError: if the file cannot be read at all.
    """
    return parse_document(read_bytes(path, limits.size), str(path), limits, as_written)


def parse_document(
    content: bytes, file: str, limits: Limits, as_written: Collection[str] = ()
) -> Document:
    """Return a YAML file as far as it can be read, and what is wrong with it.

    as_written: keys whose numbers and dates stay text, such as versions: 1.10 is not 1.1.

    Not UTF-8, characters that YAML forbids, a syntax error, several documents and what is beyond
    the limits end the reading. A repeated key is a problem, and the first value counts.
    """
    values = _Values(file, limits.aliases, as_written)
    try:
        root = _composed(_decoded(content), limits)
    except _Stop as stop:
        values.add(*stop.args)
        root = None
    value = None if root is None else values.of(root)
    return Document(file, root, value, values.problems, values.pairs)


def read_yaml(path: Path) -> Any:
    """Return what a YAML file says as plain values.

    Raises:
        UserError: if there are mistakes in it.
    """
    return _faultless(read_document(path, Limits()))


def parse_yaml(text: str, where: str) -> Any:
    """Return what YAML text says as plain values; `where` names it in a `UserError`."""
    return _faultless(parse_document(text.encode(errors="surrogatepass"), where, Limits()))


def _faultless(document: Document) -> Any:
    if document.problems:
        raise Mistakes(document.problems)
    return document.value


class _Stop(Exception):
    """A mistake after which there is nothing more to read: (line, message)."""


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


def _composed(text: str, limits: Limits) -> yaml.Node | None:
    """Return the root of the only document of a text, None if it has none."""
    try:
        root: yaml.Node | None = type("Bounded", (_Bounded, LOADER), {})(
            text, limits
        ).get_single_node()
        return root
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = " ".join(part for part in (error.context, error.problem) if part)
        last = text.rstrip("\n").count("\n") + 1  # An open bracket is noticed after the last line.
        raise _Stop(min(mark.line + 1, last) if mark else 1, f"not YAML: {reason}") from None
    except yaml.YAMLError as error:
        raise _Stop(1, f"not YAML: {str(error)[:200]}") from None


class _Bounded(Composer):
    """PyYAML's composer, which stops at the limits; the parser is that of the class beside it."""

    peek_event: Any  # of the parser

    def __init__(self, text: str, limits: Limits) -> None:
        LOADER.__init__(self, text)
        self.limits = limits
        self.anchors: dict[str, yaml.Node] = {}
        self._whole: set[str] = set()  # anchors of what is composed to its end
        self._extents: dict[int, tuple[int, int]] = {}
        self._depth = self._count = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Return the node that comes next, if there is room for it."""
        event = self.peek_event()
        is_scalar = isinstance(event, yaml.ScalarEvent)
        self._make_room(event, *((1, 0) if is_scalar else self._extent_of(event)))
        if is_scalar and event.anchor is None:  # as most are: the way is short
            return self.compose_scalar_node(None)  # type: ignore[arg-type]
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        self._whole.add(event.anchor)
        return node

    def _make_room(self, event: yaml.Event, values: int, levels: int) -> None:
        """Count values and levels that begin with an event."""
        self._count += values
        if self._depth + levels > self.limits.levels:
            raise _Stop(line_of(event), f"nested more than {self.limits.levels} levels deep")
        if self._count > self.limits.values:
            raise _Stop(line_of(event), f"more than {self.limits.values} values, aliases unfolded")

    def _extent_of(self, event: object) -> tuple[int, int]:
        return self._aliased(event) if isinstance(event, yaml.AliasEvent) else (1, 1)

    def _aliased(self, event: yaml.AliasEvent) -> tuple[int, int]:
        """Return how many values and levels an alias stands for."""
        name = event.anchor
        if not self.limits.aliases:
            raise _Stop(line_of(event), f"the alias *{name} is not supported: write the value out")
        if name not in self._whole:  # a value in itself would have no end
            raise _Stop(line_of(event), f"the alias *{name} names no value before it")
        return self._extent(self.anchors[name])

    def _extent(self, node: yaml.Node) -> tuple[int, int]:
        """Return the number of values and of levels in a node, aliases unfolded."""
        if isinstance(node, yaml.ScalarNode):
            return 1, 0
        if id(node) not in self._extents:
            is_list = isinstance(node, yaml.SequenceNode)
            inner = node.value if is_list else [one for pair in node.value for one in pair]
            held = [self._extent(one) for one in inner]
            size, height = sum(n for n, _ in held), max((h for _, h in held), default=0)
            self._extents[id(node)] = size + 1, height + 1
        return self._extents[id(node)]


class _Values:
    """Makes plain values of nodes, and notes what is wrong with them."""

    def __init__(self, file: str, merges: bool, as_written: Collection[str]) -> None:
        self.problems: list[Problem] = []
        self.pairs: Pairs = {}
        self._file, self._merges, self._as_written = file, merges, as_written
        self._known: dict[int, Any] = {}  # of lists and mappings, which aliases may share

    def add(self, line: int, message: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(self._file, line, message))

    def of(self, node: yaml.Node) -> Any:
        """Return the plain value; a scalar that is not what its tag says is its own node."""
        if isinstance(node, yaml.ScalarNode):
            return node.value if node.tag == STR else self._scalar(node)
        if id(node) not in self._known:
            is_list = isinstance(node, yaml.SequenceNode)
            if node.tag != TAG + ("seq" if is_list else "map"):
                self.add(line_of(node), f"the tag {shown(node.tag)} is not supported here")
            found = [self.of(one) for one in node.value] if is_list else self._mapping(node)
            self._known[id(node)] = found
        return self._known[id(node)]

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        if kind_of(node) == "a number" and len(node.value) > MOST_DIGITS:
            self.add(line_of(node), f"a number of more than {MOST_DIGITS} digits")
            return node
        try:
            return _READ[node.tag](node)
        except _ODD:
            return node

    def _mapping(self, node: yaml.Node) -> dict[str, Any]:
        own: dict[str, Pair] = {}
        merged: list[yaml.MappingNode] = []
        for key, value in node.value:
            if key.tag == MERGE:
                merged += self._merged(key, value)
            elif key.tag != STR or not isinstance(key, yaml.ScalarNode):
                self.add(line_of(key), f"a key must be text, got {kind_of(key)}{in_quotes(key)}")
            elif key.value in own:
                first = line_of(own[key.value][0])
                message = f"the key {ticked(key.value)} is repeated (first on line {first})"
                self.add(line_of(key), message)
            else:
                own[key.value] = (key, value)
        laid: dict[str, Pair] = {}
        for other in merged:  # the first of them counts, and what is written here before all
            self.of(other)
            laid = laid | self.pairs[id(other)] | laid
        self.pairs[id(node)] = own = laid | own
        return {key: self._under(key, value) for key, (_, value) in own.items()}

    def _under(self, key: str, node: yaml.Node) -> Any:
        """Return the value of a key."""
        is_written = key in self._as_written and kind_of(node) in ("a number", "a date")
        return node.value if is_written else self.of(node)

    def _merged(self, key: yaml.Node, node: yaml.Node) -> list[yaml.MappingNode]:
        """Return the mappings that `<<` lays under the one it stands in."""
        found = node.value if isinstance(node, yaml.SequenceNode) else [node]
        mappings = [one for one in found if isinstance(one, yaml.MappingNode)]
        if not self._merges:
            self.add(line_of(key), "the merge key `<<` is not supported: write the keys out")
            return []
        if len(mappings) < len(found):
            self.add(line_of(key), f"`<<` takes mappings of keys to values, got {kind_of(node)}")
        return mappings
