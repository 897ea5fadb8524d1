"""What formats need of a suite to be written in them."""

from typing import TypeVar

from dreamix.core.errors import UserError
from dreamix.core.wording import plural
from dreamix.data.suite import Edit, Suite
from dreamix.suite_formats.base import PARTS, SuiteFormat
from dreamix.suite_formats.draft import UNSTATED

T = TypeVar("T")


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


def needed(edit: Edit, what: str, value: T | None) -> T:
    """Return a value that the format has a field for.

    Raises:
        UserError: for an edit without it.
    """
    if value is None:
        raise UserError(f"edit {edit.id} has no {what.split(' ', 1)[1]}, which the format needs")
    return value


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
