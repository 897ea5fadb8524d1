"""YAML of strangers: as plain values, or one line that says what is wrong and where.

Aliases may be used, but what they unfold to is counted first: nine lines of them can unfold to
gigabytes ("billion laughs"). `dreamix.data.suite_yaml` reads suites, where every value has a line.
"""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from dreamix.core.errors import UserError
from dreamix.core.names import shown
from dreamix.core.records import read_bytes

MOST = 4 << 20  # bytes
MOST_NODES = 200_000  # with aliases unfolded
MOST_LEVELS = 40
MOST_DIGITS = 100
NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
# The C parser is about ten times as fast; a PyYAML built without libyaml lacks it.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

ODD = (ValueError, OverflowError, TypeError, AttributeError, KeyError, RecursionError)


def read_yaml(path: Path) -> Any:
    """Return what a YAML file says as plain values; a `UserError` where it cannot be used."""
    try:
        text = read_bytes(path, MOST).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 ({error.reason}): save it as UTF-8") from None
    return parse_yaml(text, str(path))


def parse_yaml(text: str, where: str) -> Any:
    """Return what YAML text says as plain values; `where` names it in a `UserError`."""
    try:
        _check_depth(text, where)
        root = LOADER(text).get_single_node()
        if root is None:
            return None
        _unfolded(root, {}, 0, where)
        return LOADER("").construct_document(root)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "this is not YAML"
        raise UserError(f"{where}{line}: {problem}") from None
    except ODD as error:  # of values that are not what their tag says: `!!int x`
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
        raise UserError(f"{where}: this is not YAML that can be used ({why})") from None


def _check_depth(text: str, where: str) -> None:
    """Raise a `UserError` for nesting that would exhaust the stack; nothing is built for that."""
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_LEVELS:
            raise UserError(f"{where}: nested more than {MOST_LEVELS} levels deep")


def _unfolded(node: yaml.Node, known: dict[int, int], depth: int, where: str) -> int:
    """Return how many nodes a node unfolds to; too many or too deep are a `UserError`."""
    if id(node) in known:
        count = known[id(node)]
    else:
        known[id(node)] = MOST_NODES + 1  # until it is known: a node in itself has no end
        count = 1 + sum(_unfolded(n, known, depth + 1, where) for n in _inner(node, where))
        known[id(node)] = count
    if count > MOST_NODES or depth > MOST_LEVELS:
        what = "too many values" if count > MOST_NODES else "too many levels"
        raise UserError(f"{where}, line {node.start_mark.line + 1}: {what}, aliases unfolded")
    return count


def _inner(node: yaml.Node, where: str) -> list[yaml.Node]:
    """Return the nodes in a node; a key that stands twice is a `UserError`."""
    if not isinstance(node, yaml.CollectionNode):
        if node.tag in NUMBERS and len(node.value) > MOST_DIGITS:
            raise UserError(f"{where}, line {node.start_mark.line + 1}: a number without end")
        return []
    if not isinstance(node, yaml.MappingNode):
        return list(node.value)
    seen: set[Hashable] = set()
    for key, _value in node.value:
        if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
            if (name := (key.tag, key.value)) in seen:
                line = key.start_mark.line + 1
                raise UserError(f"{where}, line {line}: {shown(key.value)} stands twice")
            seen.add(name)
    return [one for pair in node.value for one in pair]
