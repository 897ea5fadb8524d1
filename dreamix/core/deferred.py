"""A command that is imported when it is called, so that a list of commands takes no time."""

from functools import cached_property
from typing import Any

import click

from dreamix.core.errors import UserError
from dreamix.core.packages import EntryPoint, load, note


class Deferred(click.Command):
    """Stands for the command at `place` ("module:attribute") until it is called.

    line: what lists of commands say of it; None: what it says itself, imported for it.
    entry: who brings it, if that is told by an entry point.
    """

    def __init__(
        self, place: str, line: str | None = None, entry: EntryPoint | None = None
    ) -> None:
        super().__init__(None, short_help=line)
        self.entry = entry or EntryPoint("", place)

    @cached_property
    def command(self) -> click.Command:
        """The command itself.

        Raises:
            UserError: if the package that brings it fails.
        """
        found = self._held
        return found.command if isinstance(found, Deferred) else found

    @cached_property
    def _held(self) -> click.Command:
        """What the place holds: it may stand for another in its turn."""
        found = load(self.entry)
        if not isinstance(found, click.Command):
            package = self.entry.package
            whose = f"package {package}: " if package else ""
            raise UserError(f"{whose}{self.entry.place} is no command of click")
        return found

    def get_short_help_str(self, limit: int = 45) -> str:
        """Return its line. Where it cannot be loaded, the line says so, and why is noted."""
        if self.short_help is not None:
            return self.short_help
        try:
            return self._held.get_short_help_str(limit)
        except UserError as error:
            note(str(error))
            return "(cannot be loaded)"

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the parameters of the command."""
        return self.command.get_params(ctx)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Return a context of the command, which takes the place of this one from then on."""
        return self.command.make_context(info_name, args, parent, **extra)
