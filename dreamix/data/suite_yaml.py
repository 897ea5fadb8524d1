"""YAML with line numbers: every value of a suite knows where it stands in its file."""

import difflib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml
from yaml.reader import Reader

from dreamix.core.registry import near_misses

# The C parser is about ten times as fast; a PyYAML built without libyaml lacks it.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_DEPTH = 20  # A suite needs about 5; deeper nesting would only exhaust the stack.
TAG = "tag:yaml.org,2002:"
KINDS = {
    "str": "text",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
    "timestamp": "a date",
    "seq": "a list",
    "map": "a mapping",
}


class Problem(NamedTuple):
    """One thing to put right in a file; `str()` gives "file:line: message"."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        """Return the problem in the form that editors and terminals turn into a link."""
        return f"{self.file}:{self.line}: {self.message}"


@dataclass
class Report:
    """The problems of one file, gathered while it is read."""

    file: str
    problems: list[Problem] = field(default_factory=list)

    def add(self, where: int | yaml.Node, message: str) -> None:
        """Add a problem at a line (counted from 1) or at the line of a node."""
        line = where if isinstance(where, int) else line_of(where)
        self.problems.append(Problem(self.file, line, message))


class Key(NamedTuple):
    """How the value of one key is read: `read(key, node, report)`, None if it cannot be used."""

    read: Callable[[str, yaml.Node, Report], Any]
    required: bool = False


@dataclass
class Record:
    """A mapping of the file: the values that can be used, and the line of every key present."""

    line: int
    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)


def line_of(node: yaml.Node) -> int:
    """Return the line on which a node starts, counted from 1."""
    return int(node.start_mark.line) + 1


def kind_of(node: yaml.Node) -> str:
    """Return what a node is, in words: "a number", "a list"; an unknown tag as it is written."""
    return KINDS.get(str(node.tag).removeprefix(TAG), str(node.tag))


def compose(content: bytes, report: Report) -> yaml.Node | None:
    """Return the root node of a YAML file, or None after reporting why there is none.

    Not UTF-8, characters that YAML forbids, a syntax error, several documents, aliases and
    nesting beyond MAX_DEPTH are problems. Aliases are refused because a shared value has no line
    of its own, and because a few of them can unfold to gigabytes.
    """
    text = _decoded(content, report)
    if text is None:
        return None
    try:
        root = LOADER(text).get_single_node() if _is_plain_tree(text, report) else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = " ".join(part for part in (error.context, error.problem) if part)
        last = text.rstrip("\n").count("\n") + 1  # An open bracket is noticed after the last line.
        line = 1 if mark is None else min(mark.line + 1, last)
        report.add(line, f"not YAML: {reason}")
        return None
    if root is None and not report.problems:
        report.add(1, "the file is empty")
    return root


def _decoded(content: bytes, report: Report) -> str | None:
    """Return the text of the file; a byte order mark, which Windows editors add, is dropped."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        report.add(line, f"not UTF-8 (byte 0x{content[error.start]:02x}): save the file as UTF-8")
        return None
    forbidden = Reader.NON_PRINTABLE.search(text)
    if forbidden:
        line = text.count("\n", 0, forbidden.start()) + 1
        report.add(line, f"the character U+{ord(forbidden.group()):04X} is not allowed in YAML")
        return None
    return text


def _is_plain_tree(text: str, report: Report) -> bool:
    """Return whether the text has neither aliases nor absurd nesting, reporting the first."""
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            report.add(line, f"the alias *{event.anchor} is not supported: write the value out")
            return False
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            report.add(line, f"nested more than {MAX_DEPTH} levels deep")
            return False
    return True


def read_record(node: yaml.Node, what: str, keys: dict[str, Key], report: Report) -> Record | None:
    """Return a mapping read by `keys`, or None where the node is no mapping.

    what: name of the thing in messages, such as "an edit".
    Unknown, repeated, missing and empty keys are reported. An optional key without a value
    (`caption:`) counts as left out.
    """
    if not isinstance(node, yaml.MappingNode):
        report.add(node, f"{what} must be a mapping of keys to values, got {kind_of(node)}")
        return None
    record = Record(line_of(node))
    unknown = []
    for key, key_node, value_node in _pairs(node, report):
        if key in keys:
            _read_value(record, key, keys[key], value_node, report)
        else:
            unknown.append(key)
            hint = near_misses(key, list(keys))
            report.add(key_node, f"{what} has no key `{key}`{hint} (known: {', '.join(keys)})")
    for key in (key for key in keys if keys[key].required and key not in record.lines):
        if not difflib.get_close_matches(key, unknown, n=1):  # A slip of the pen is one problem.
            report.add(record.line, f"{what} needs the key `{key}`")
    return record


def read_plain_record(node: yaml.MappingNode, report: Report) -> Record:
    """Return a mapping with any keys, its values as JSON values (`read_plain`)."""
    record = Record(line_of(node))
    for key, _, value_node in _pairs(node, report):
        record.lines[key] = line_of(value_node)
        record.values[key] = read_plain(value_node, report)
    return record


def _pairs(node: yaml.MappingNode, report: Report) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
    """Yield (key, node of the key, node of the value); repeated keys and odd ones are reported."""
    first: dict[str, int] = {}
    for key_node, value_node in node.value:
        if key_node.tag != TAG + "str":
            report.add(key_node, f"a key must be text, got {kind_of(key_node)}")
        elif key_node.value in first:
            line = first[key_node.value]
            report.add(key_node, f"the key `{key_node.value}` is repeated (first on line {line})")
        else:
            first[key_node.value] = line_of(key_node)
            yield key_node.value, key_node, value_node


def _read_value(record: Record, key: str, reader: Key, node: yaml.Node, report: Report) -> None:
    if node.tag != TAG + "null":
        record.lines[key] = line_of(node)
        value = reader.read(key, node, report)
        if value is not None:
            record.values[key] = value
    elif reader.required:
        record.lines[key] = line_of(node)
        report.add(node, f"{key} is empty")


def read_list(key: str, node: yaml.Node, report: Report) -> list[yaml.Node] | None:
    """Return the nodes of a list that has at least one, or None after reporting."""
    if not isinstance(node, yaml.SequenceNode):
        report.add(node, f"{key} must be a list, got {kind_of(node)}")
        return None
    if not node.value:
        report.add(node, f"{key} is empty: a suite needs at least one")
    return list(node.value)


def read_plain(node: yaml.Node, report: Report) -> Any:
    """Return a node as JSON values: None, bool, int, float, str, list, dict with text keys.

    What JSON cannot hold (dates, infinities, other tags) is reported and read as None, because
    the value ends up in the JSON snapshot of a run.
    """
    if isinstance(node, yaml.MappingNode):
        return read_plain_record(node, report).values
    if isinstance(node, yaml.SequenceNode):
        return [read_plain(item, report) for item in node.value]
    try:
        value = LOADER("").construct_object(node)
    except (ValueError, yaml.YAMLError):
        value = node  # Such as an unknown tag; falls through to the report.
    if not isinstance(value, str | int | float | None) or (
        isinstance(value, float) and not math.isfinite(value)
    ):
        report.add(node, f"{node.value!r} ({kind_of(node)}) is not a value that a recipe can hold")
        return None
    return value
