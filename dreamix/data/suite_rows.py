"""The rows of a suite as far as they can be used, for checks that go on after a mistake."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from dreamix.core.yaml_reading import Document, Place, line_of
from dreamix.core.yaml_typed import Findings
from dreamix.data.worlds import WORLDS


class SuiteRow(NamedTuple):
    """A video or an edit of a suite file, as it is written."""

    place: Place
    values: dict[str, Any]  # that can be used; an unsafe id is among them: edits may refer to it
    given: frozenset[str]  # keys that have a value

    def at(self, key: str, *inner: str) -> Place:
        """Return the place of a value."""
        return (*self.place, key, *inner)


def rows_of(table: str, found: Findings) -> list[SuiteRow]:
    """Return the rows of `videos` or `edits` that are mappings, after `found` has read the form."""
    whole = found.document.value
    rows = whole.get(table) if isinstance(whole, dict) else None
    unusable = {place[:3] for place in found.places} | {*_damaged(table, rows, found.document)}
    return [
        _row((table, k), row, unusable)
        for k, row in enumerate(rows if isinstance(rows, list) else [])
        if isinstance(row, dict)
    ]


def _damaged(table: str, rows: object, document: Document) -> Iterator[Place]:
    """Yield the places of recipes of which YAML itself left something out, as a repeated key."""
    lines = [problem.line for problem in document.problems]
    for k, row in enumerate(rows if lines and isinstance(rows, list) else ()):
        for world in WORLDS.names() if isinstance(row, dict) else ():
            place = (table, k, world)
            node = document.at(place)
            if isinstance(node, yaml.MappingNode) and world in row:
                start, end = line_of(node), int(node.end_mark.line) + 1
                if any(start <= line <= end for line in lines):
                    yield place


def _row(place: Place, row: dict[str, Any], unusable: set[Place]) -> SuiteRow:
    given = {key: value for key, value in row.items() if value is not None}
    values = given
    if unusable:
        values = {key: value for key, value in given.items() if (*place, key) not in unusable}
        if isinstance(found := given.get("id"), str) and found:
            values["id"] = found
    return SuiteRow(place, values, frozenset(given))
