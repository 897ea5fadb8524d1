"""Errors a user can mend.

Everything that is the user's to put right is raised as `UserError` with one line that says what is
wrong, where, and what to do. The command line prints that line and exits with code 2. Any other
exception is a defect of ours and keeps its traceback.
"""

from dreamix.core.names import one_line


class UserError(Exception):
    """One line for the user: what is wrong, where, and what to do.

    It stays one line that any terminal can show, whatever names and values of files it quotes.
    """

    def __str__(self) -> str:
        """Return the line; what would break it, or is no character, stands as its code."""
        return one_line(super().__str__())


class StorageError(UserError):
    """Results cannot be written: disk full, folder read-only. Ends a run; nothing done is lost."""


class TooLarge(UserError):
    """A clip that this machine has not the memory for; another machine may."""


class DoesNotApply(Exception):
    """A declared gap: this method or metric has no meaning here; the message says why."""


def failure(error: Exception) -> str:
    """Return one line that says what went wrong; a `UserError` speaks for itself."""
    text = " ".join(str(error).split())
    return text if isinstance(error, UserError) else f"{type(error).__name__}: {text}"
