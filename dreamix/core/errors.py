"""Errors a user can mend.

Everything that is the user's to put right is raised as `UserError` with one line that says what is
wrong, where, and what to do. The command line prints that line and exits with code 2. Any other
exception is a defect of ours and keeps its traceback.
"""

from collections.abc import Sequence
from typing import NamedTuple

from dreamix.core.names import one_line


class UserError(Exception):
    """One line for the user: what is wrong, where, and what to do.

    It stays one line that any terminal can show, whatever names and values of files it quotes.
    """

    def __str__(self) -> str:
        """Return the line; what would break it, or is no character, stands as its code."""
        return one_line(super().__str__())

    @property
    def lines(self) -> list[str]:
        """All there is to say, for those who can show more than a line."""
        return [str(self)]


class Problem(NamedTuple):
    """One thing to put right in a file; `str()` gives "file:line: message"."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        """Return the problem in the form that editors and terminals turn into a link."""
        return one_line(f"{self.file}:{self.line}: {self.message}")


class Mistakes(UserError):
    """All that is wrong with a file; as one line the first, and how many more there are."""

    SHOWN = 50

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.problems = list(problems)

    def __str__(self) -> str:
        """Return the first mistake, and how many more there are."""
        more = len(self.problems) - 1
        return f"{self.problems[0]}{f' (and {more} more)' if more else ''}"

    @property
    def lines(self) -> list[str]:
        """A line a mistake, the first 50 of them."""
        more = len(self.problems) - self.SHOWN
        rest = [f"and {more} more"] if more > 0 else []
        return [*map(str, self.problems[: self.SHOWN]), *rest]


class StorageError(UserError):
    """Results cannot be written: disk full, folder read-only. Ends a run; nothing done is lost."""


class TooLarge(UserError):
    """A clip that this machine has not the memory for; another machine may."""


# What is wrong with media, until `media_structure.naming` makes a `UserError` of it
class NotWhole(Exception):
    """What a file lacks, where it is cut short or damaged; `naming` adds which file."""


class Oversized(Exception):
    """What a file is that is too large, as the rest of a sentence that starts with its path."""


class Unsupported(Exception):
    """What a file is that we do not read, as the rest of a sentence that starts with its path."""


class DoesNotApply(Exception):
    """A declared gap: this method or metric has no meaning here; the message says why."""


def failure(error: Exception) -> str:
    """Return one line that says what went wrong; a `UserError` speaks for itself."""
    text = " ".join(str(error).split())
    return text if isinstance(error, UserError) else f"{type(error).__name__}: {text}"
