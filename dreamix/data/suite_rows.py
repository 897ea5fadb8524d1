"""The rows of a suite as far as they can be used, for checks that go on after a mistake."""

from typing import Any, NamedTuple

from dreamix.core.yaml_reading import Place
from dreamix.core.yaml_typed import Findings


class Row(NamedTuple):
    """A video or an edit of a suite file, as it is written."""

    place: Place
    values: dict[str, Any]  # that can be used; an unsafe id is among them: edits may refer to it
    given: frozenset[str]  # keys that have a value

    def at(self, key: str, *inner: str) -> Place:
        """Return the place of a value."""
        return (*self.place, key, *inner)


def rows_of(table: str, found: Findings) -> list[Row]:
    """Return the rows of `videos` or `edits` that are mappings, after `found` has read the form."""
    whole = found.document.value
    rows = whole.get(table) if isinstance(whole, dict) else None
    unusable = {place[:3] for place in found.places}
    return [
        _row((table, k), row, unusable)
        for k, row in enumerate(rows if isinstance(rows, list) else [])
        if isinstance(row, dict)
    ]


def _row(place: Place, row: dict[str, Any], unusable: set[Place]) -> Row:
    given = {key: value for key, value in row.items() if value is not None}
    values = given
    if unusable:
        values = {key: value for key, value in given.items() if (*place, key) not in unusable}
        if isinstance(found := given.get("id"), str) and found:
            values["id"] = found
    return Row(place, values, frozenset(given))
