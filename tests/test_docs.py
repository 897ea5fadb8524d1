"""The pages say what the code does: generated tables are fresh, every command is documented."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from dreamix.backends.hub import CASCADES, NAMES, PICTURES
from dreamix.cli import COMMANDS, program


def test_generated_tables_are_fresh(root: Path) -> None:
    """`python docs/make_tables.py` writes them."""
    command = [sys.executable, str(root / "docs" / "make_tables.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_backends_take_is_that_of_the_shipped_table(root: Path) -> None:
    """`python docs/make_backends.py` writes it; every backend has its block."""
    command = [sys.executable, str(root / "docs" / "make_backends.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    pages = "\n".join(page.read_text() for page in (root / "docs" / "backends").glob("*.md"))
    blocks = re.findall(r"<!-- takes (\S+) -->\n\*\*Estimated\*\*", pages)
    assert sorted(blocks) == sorted([*NAMES, *CASCADES, *PICTURES])


def test_examples_print_what_stands_below_them(root: Path) -> None:
    """`python docs/run_examples.py docs/statistics.md` writes them."""
    command = [sys.executable, str(root / "docs" / "run_examples.py")]
    command += [str(root / "docs" / "statistics.md"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def commands() -> list[tuple[str, click.Command]]:
    """Every command and subcommand by the words that call it."""
    context = click.Context(program)
    found: list[tuple[str, click.Command]] = []
    for name in COMMANDS:
        command = program.get_command(context, name)
        assert command is not None
        inner = command.commands if isinstance(command, click.Group) else {}
        found += [(f"{name} {sub}", inner[sub]) for sub in inner] or [(name, command)]
    return found


@pytest.mark.parametrize(("words", "command"), commands())
def test_every_command_says_what_it_does_and_explains_its_options(
    words: str, command: click.Command
) -> None:
    assert command.help, words
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"dreamix {words} {option.opts[0]} has no help"


def test_every_command_stands_in_the_docs(root: Path) -> None:
    pages = "\n".join(path.read_text() for path in [root / "README.md", *root.glob("docs/*.md")])
    for words, _ in commands():
        assert f"dreamix {words}" in pages, f"`dreamix {words}` is not documented"


def test_pictures_and_pages_that_are_linked_exist(root: Path) -> None:
    for page in [root / "README.md", root / "CONTRIBUTING.md", *root.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
