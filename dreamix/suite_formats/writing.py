"""What formats need of a suite to be written in them."""

import re
from dataclasses import replace
from itertools import count
from typing import TypeVar

from dreamix.core.errors import UserError
from dreamix.core.wording import plural
from dreamix.data.suite import Edit, Suite
from dreamix.suite_formats.base import PARTS, SuiteFormat, Write
from dreamix.suite_formats.draft import UNSTATED

T = TypeVar("T")
MOST_REASONS = 20  # that are told


def left_out(kind: SuiteFormat, suite: Suite) -> list[str]:
    """Return what edits have that a format has no place for, in words."""
    counts = {
        part: sum(bool(of(edit)) for edit in suite.edits)
        for part, of in PARTS.items()
        if part not in kind.holds
    }
    return [
        f"{plural(count, 'edit')} {'has' if count == 1 else 'have'} `{part}`, which {kind.title} "
        "has no place for"
        for part, count in counts.items()
        if count
    ]


def written(kind: SuiteFormat, suite: Suite) -> str:
    """Return the text of a suite in a format.

    Raises:
        UserError: with all edits that do not fit.
    """
    assert kind.write is not None
    try:
        return kind.write(suite)
    except UserError as error:
        alone = (_why_not(kind.write, replace(suite, edits=(edit,))) for edit in suite.edits)
        reasons = list(dict.fromkeys(why for why in alone if why)) or [str(error)]
    more = len(reasons) - MOST_REASONS
    told = "; ".join(reasons[:MOST_REASONS]) + (f"; and {more} more" if more > 0 else "")
    raise UserError(told)


def _why_not(write: Write, suite: Suite) -> str:
    try:
        write(suite)
    except UserError as error:
        return str(error)
    return ""


def needed(edit: Edit, what: str, value: T | None) -> T:
    """Return a value that the format has a field for.

    Raises:
        UserError: for an edit without it.
    """
    if value is None:
        raise UserError(f"edit {edit.id} has no {what.split(' ', 1)[1]}, which the format needs")
    return value


def ids_of(suite: Suite, *, numbers: bool = False) -> list[str]:
    """Return an id for every edit, none twice: its own where it came from, else a free number.

    numbers: the format has whole numbers alone.
    """
    told = [str((edit.origin or {}).get("id", "")) for edit in suite.edits]
    kept: list[str] = []
    for one in told:
        fits = one and one not in kept and (not numbers or re.fullmatch("0|[1-9][0-9]{0,15}", one))
        kept.append(one if fits else "")
    free = (number for number in map(str, count()) if number not in set(kept))
    return [one or next(free) for one in kept]


def clip_of(suite: Suite, edit: Edit) -> str:
    """Return the path of an edit's source.

    Raises:
        UserError: for a source that is rendered.
    """
    return needed(edit, "a file as its source", suite.videos[edit.video].path)


def category_of(suite: Suite, edit: Edit) -> str | None:
    """Return an edit's category as it is spelled; None if the suite was told none."""
    known = suite.categories.get(edit.category, edit.category)
    return None if edit.category == UNSTATED else known
