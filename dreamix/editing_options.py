"""What the commands `edit`, `animate` and `subject` share: options, progress, and how they stop."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from dreamix.backends.names import default_backend
from dreamix.remote.place_type import Place

FILE = Place("write", dir_okay=False)
EVERY = 10.0  # seconds between two lines of progress where there is no terminal
PROMPT = "--prompt", "What the clip to make should show, all of it."
SHARED = (
    click.option(
        "--backend",
        default=default_backend(),
        show_default=True,
        metavar="NAME[:PATH]|FOLDER[@WxH[xF]]",
        help=f"Model: {default_backend()}, wan2.1-1.3b, cogvideox-2b, ltx-2b, modelscope, "
        "zeroscope, animatediff, ..., or a FOLDER with a diffusers pipeline; @WxHxF sets size and "
        "frames.",
    ),
    click.option("--steps", type=click.IntRange(1), help="Denoising steps."),
    click.option(
        "--finetune-steps", type=click.IntRange(0), help="Updates on the input; 0 for none."
    ),
    click.option(
        "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any other setting."
    ),
    click.option(
        "--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the noise."
    ),
    click.option(
        "--finetuned",
        type=Place("write", file_okay=False),
        metavar="DIR",
        help="Keep what is finetuned here, for further prompts on the same input.",
    ),
    click.option("--strip", "strip_file", type=FILE, help="PNG to write: input over output."),
    click.option("--out", type=FILE, required=True, help="MP4 to write."),
)


def shared_options(*, prompt: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that gives a command the options that all three have.

    prompt: whether there has to be one.
    """
    name, told = PROMPT

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed((click.option(name, required=prompt, help=told), *SHARED)):
            command = option(command)
        return command

    return add


def say_or_stop(make: Callable[[], str]) -> None:
    """Show the line that `make` returns; Ctrl-C writes nothing and says so."""
    try:
        click.echo(make())
    except KeyboardInterrupt:
        click.echo("dreamix: stopped; nothing was written", err=True)
        sys.exit(130)


def note(line: str) -> None:
    """Show a line that is no result."""
    click.echo(line, err=True)


@contextmanager
def live_line() -> Iterator[Callable[[str], None]]:
    """Yield a function that shows where the work is: one line on a terminal, a few in a log."""
    terminal, said = sys.stderr.isatty(), time.monotonic()

    def show(text: str) -> None:
        nonlocal said
        if terminal:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
        elif time.monotonic() - said >= EVERY:
            said = time.monotonic()
            sys.stderr.write(f"{text}\n")

    try:
        yield show
    finally:
        if terminal:
            sys.stderr.write("\r\x1b[K")
