"""The one console program, `dreamix`: commands of all packages, imported when they are called.

A package brings commands through entry points of the group `dreamix.commands`: `NAME` stands beside
ours, `GROUP.NAME` below the command GROUP, whoever brings that.
"""

import gc
import os
import sys

import click

from dreamix.commands import EPILOG
from dreamix.core.deferred import Deferred
from dreamix.core.errors import UserError
from dreamix.core.names import one_line
from dreamix.core.packages import note, noted
from dreamix.core.places import why_refused
from dreamix.core.registry import NamedRegistry
from dreamix.core.terminal import use_any_terminal
from dreamix.core.threads import limit_threads

COMMANDS: NamedRegistry[click.Command] = NamedRegistry("command", "dreamix.commands")
WIDE = 200  # letters of a line on a command: none of ours is cut


class Program(click.Group):
    """The group of all commands; who is called is imported, nobody else."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return [name for name in COMMANDS.names() if "." not in name]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, imported now, with what packages put below it."""
        if cmd_name not in self.list_commands(ctx):
            return None
        limit_threads()  # before anything that computes is loaded
        found = deferred(cmd_name).command
        join(cmd_name, found)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands; of ours none is imported for it."""
        names = self.list_commands(ctx)
        with formatter.section("Commands"):
            formatter.write_dl([(n, deferred(n).get_short_help_str(WIDE)) for n in names])
        for name in COMMANDS.names():
            if name.partition(".")[0] not in names:
                _left_out(name, "there is no such group")


def deferred(name: str) -> Deferred:
    """Return what stands for a command until it is called."""
    entry = COMMANDS.entry(name)
    assert entry is not None  # commands come by entry points alone
    return Deferred(entry.place, entry=entry)


def join(words: str, command: click.Command) -> None:
    """Put below a command what packages bring for it: `words` with a point and a name more."""
    for name in COMMANDS.names():
        above, _, last = name.rpartition(".")
        if above == words and not isinstance(command, click.Group):
            _left_out(name, "that is no group")
        elif above == words:
            _put(command, name, last)
    for last, below in getattr(command, "commands", {}).items():
        if isinstance(below, click.Group):
            join(f"{words}.{last}", below)


def _put(group: click.Command, name: str, last: str) -> None:
    """Add a command to a group that has none of that name."""
    assert isinstance(group, click.Group)
    before, new = group.commands.get(last), deferred(name)
    if before is None:
        group.add_command(new, last)
    elif getattr(before, "entry", None) != new.entry:
        _left_out(name, "the group has one of that name")


def _left_out(name: str, why: str) -> None:
    whose = COMMANDS.brought_by(name)
    note(f"package {whose}: command {name.replace('.', ' ')!r} is left out: {why}")


@click.group(cls=Program, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dreamix-toolkit", prog_name="dreamix")
def program() -> None:
    """Which text-driven video editor is better, and how do we know?"""


def main() -> None:
    """Run the program; what the user can mend is one line and exit code 2, never a traceback."""
    use_any_terminal()
    gc.set_threshold(
        500_000, 20, 100
    )  # rows by the hundred thousand: no garbage, and long to search
    try:
        sys.exit(program(standalone_mode=False))
    except UserError as error:
        _end("\n".join(f"dreamix: {line}" for line in error.lines), 2)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _end("\ndreamix: stopped; the same command goes on where it was", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except (OSError, UnicodeEncodeError) as error:
        if not (why := _why_refused(error)):
            raise
        _end(f"dreamix: {UserError(why)}", 2)
    finally:
        for line in noted():
            print(f"note: {one_line(line)}", file=sys.stderr)


def _why_refused(error: OSError | UnicodeEncodeError) -> str | None:
    """Return the line for a place or a name that the system does not take; None for a defect."""
    if isinstance(error, OSError):
        return why_refused(error)
    if not _narrow():
        return None
    return (
        f"a name here, {error.object!a}, cannot be told to the file system in "
        f"{error.encoding}, the encoding of this locale: set PYTHONUTF8=1"
    )


def _narrow() -> bool:
    """Return whether names of files are in an encoding that lacks most letters."""
    return sys.getfilesystemencoding().lower().replace("-", "") != "utf8"


def _end(line: str, code: int) -> None:
    print(line, file=sys.stderr)
    sys.exit(code)
