"""What formats need of a suite to be written in them."""

from typing import TypeVar

from dreamix.core.errors import UserError
from dreamix.data.suite import Edit, Suite

T = TypeVar("T")


def needed(edit: Edit, what: str, value: T | None) -> T:
    """Return a value that the format has a field for; an edit without it is a `UserError`."""
    if value is None:
        raise UserError(f"edit {edit.id} has no {what.split(' ', 1)[1]}, which the format needs")
    return value


def clip_of(suite: Suite, edit: Edit) -> str:
    """Return the path of an edit's source; one that is rendered is a `UserError`."""
    return needed(edit, "a file as its source", suite.videos[edit.video].path)
