"""The one console program, `dreamix`. A subcommand is imported when it is called, not before."""

import gc
import importlib
import os
import sys

import click

from dreamix.core.errors import UserError
from dreamix.core.places import why_refused
from dreamix.core.terminal import use_any_terminal
from dreamix.core.threads import limit_threads

# name -> (module:attribute, the line `dreamix --help` shows)
COMMANDS = {
    "animate": ("dreamix.picture_cli:animate", "Set a still picture in motion."),
    "bench": ("evaluation.cli:bench", "Make, score and compare edits on a suite."),
    "docs": ("dreamix.docs_cli:docs", "Show the pages that explain all this."),
    "doctor": ("dreamix.doctor_cli:doctor", "Say what this machine can run."),
    "edit": ("dreamix.edit_cli:edit", "Edit one clip as a prompt says."),
    "report": ("dreamix.report_cli:report", "Write the report page of a run."),
    "study": ("dreamix.study_cli:study", "Let people rate the edits of a run."),
    "subject": ("dreamix.picture_cli:subject", "Put the subject of pictures elsewhere, in motion."),
    "toybox": ("dreamix.toybox_cli:toybox", "Render the embedded world and train on it."),
    "weights": ("evaluation.weights_cli:weights", "Show and fetch the weights of metric models."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported at their first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        limit_threads()  # before anything that computes is loaded
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in sorted(COMMANDS.items())])


EPILOG = """\b
A first comparison, without footage of yours:
  dreamix bench compare toybox-quick --methods unedited,frozen-frame,ideal --out runs/first
`dreamix docs` lists the pages that come along, from suites to statistics.
"""


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
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
