"""Commands of all packages: found, listed without being imported, one line where one is broken."""

import json
import re
from pathlib import Path

import click
import pytest
from tiny_packages import dreamix, install, python

from dreamix.cli import COMMANDS, deferred, program

HELLO = """
import click

@click.command()
@click.option("--loud", is_flag=True, help="Shout.")
@click.argument("name")
def hello(name, loud):
    \"\"\"Greet somebody.\"\"\"
    click.echo(f"Hello, {name}{'!' if loud else '.'}")
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path / "site"


@pytest.mark.parametrize("name", COMMANDS.names())
def test_every_command_of_ours_is_where_its_line_says(name: str) -> None:
    found = deferred(name)
    assert found.entry.package is None
    assert found.get_short_help_str().endswith(".")
    assert "command" not in vars(found)  # the line was told without importing it
    assert name.rpartition(".")[2] == found.command.name


def test_the_list_imports_no_package_of_ours_but_its_list(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['dreamix', '--help']\n"
        "from dreamix.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "tops = ('dreamix', 'evaluation', 'reports', 'study_app')\n"
        "ours = [m for m in sys.modules if m.partition('.')[0] in tops and '.core' not in m]\n"
        "print(sorted(ours))\n"
        "heavy = ('importlib.metadata', 'tomllib', 'difflib', 'yaml')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    *_, ours, heavy = python(code, tmp_path).stdout.splitlines()
    packages = ("dreamix", "evaluation", "reports", "study_app")
    wanted = [name for top in packages for name in (top, f"{top}.commands")]
    assert json.loads(ours.replace("'", '"')) == sorted([*wanted, "dreamix.cli"])
    assert heavy == "[]"


def test_analyze_is_a_command_of_study_that_reports_bring() -> None:
    study = program.get_command(click.Context(program), "study")
    assert isinstance(study, click.Group)
    assert deferred("study.analyze").command.callback.__module__ == "reports.cli"  # type: ignore[union-attr]
    assert "analyze" in study.commands


def test_a_command_of_another_package_is_listed_and_called(site: Path) -> None:
    install(site, "acme", {"dreamix.commands": {"hello": "acme:hello"}}, {"acme.py": HELLO})
    listed = dreamix("--help", places=(site,))
    assert re.search(r"  hello +Greet somebody\.\n", listed.stdout) and "bench" in listed.stdout
    assert listed.stderr == ""
    assert dreamix("hello", "you", "--loud", places=(site,)).stdout == "Hello, you!\n"
    assert "Usage: dreamix hello [OPTIONS] NAME" in dreamix("hello", "-h", places=(site,)).stdout
    missing = dreamix("hello", places=(site,))
    assert missing.returncode == 2 and "Missing argument 'NAME'" in missing.stderr


def test_nobody_else_is_imported_for_a_command(site: Path) -> None:
    heavy = "print('it was imported')\n" + HELLO
    install(site, "acme", {"dreamix.commands": {"hello": "acme:hello"}}, {"acme.py": heavy})
    assert "it was imported" not in dreamix("docs", places=(site,)).stdout


def test_a_command_below_a_group_of_ours(site: Path) -> None:
    groups = {"bench.hello": "acme:hello", "toybox.train.hello": "acme:hello"}
    install(site, "acme", {"dreamix.commands": groups}, {"acme.py": HELLO})
    listed = dreamix("bench", "--help", places=(site,)).stdout
    assert re.search(r"  hello +Greet somebody\.\n", listed)
    assert dreamix("bench", "hello", "you", places=(site,)).stdout == "Hello, you.\n"


def test_a_group_of_another_package_takes_commands_of_a_third(site: Path) -> None:
    group = "import click\n@click.group()\ndef zoo():\n    'Animals.'\n"
    install(site, "zoo", {"dreamix.commands": {"zoo": "zoo:zoo"}}, {"zoo.py": group})
    install(site, "acme", {"dreamix.commands": {"zoo.hello": "acme:hello"}}, {"acme.py": HELLO})
    assert dreamix("zoo", "hello", "you", places=(site,)).stdout == "Hello, you.\n"


def test_a_deferred_command_of_another_package_is_listed_without_it(site: Path) -> None:
    light = (
        "from dreamix.core.deferred import Deferred\n"
        "hello = Deferred('acme_heavy:hello', 'Greet somebody, later.')\n"
    )
    files = {"acme.py": light, "acme_heavy.py": "print('it was imported')\n" + HELLO}
    install(site, "acme", {"dreamix.commands": {"hello": "acme:hello"}}, files)
    listed = dreamix("--help", places=(site,)).stdout
    assert "Greet somebody, later." in listed and "it was imported" not in listed
    assert dreamix("hello", "you", places=(site,)).stdout.endswith("Hello, you.\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import no_such_module", "No module named 'no_such_module' (acme)"),
        ("hello = 3", "acme:hello is no command of click"),
        ("", "has no attribute 'hello' (acme)"),
        ("raise SystemExit(0)", "SystemExit: 0 (acme)"),
    ],
)
def test_a_broken_package_is_one_line_that_names_it(site: Path, text: str, said: str) -> None:
    groups = {"dreamix.commands": {"hello": "acme:hello", "bench.hello": "acme:hello"}}
    install(site, "acme", groups, {"acme.py": text})
    for words in ((), ("bench",)):
        listed = dreamix(*words, "--help", places=(site,))
        assert listed.returncode == 0
        assert "hello" in listed.stdout and "(cannot be loaded)" in listed.stdout
        (line,) = listed.stderr.splitlines()
        assert line.startswith("note: package acme 1.0") and said in line
        called = dreamix(*words, "hello", "you", places=(site,))
        assert called.returncode == 2
        (line,) = called.stderr.splitlines()
        assert line.startswith("dreamix: package acme 1.0") and said in line
    assert dreamix("docs", places=(site,)).stderr == ""


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        (
            "docs",
            ("docs", "suites"),
            "command 'docs' is left out: the toolkit has one of that name",
        ),
        (
            "bench.merge",
            ("bench", "--help"),
            "command 'bench merge' is left out: the group has one",
        ),
        ("docs.hello", ("docs", "suites"), "command 'docs hello' is left out: that is no group"),
        ("no.hello", ("--help",), "command 'no hello' is left out: there is no such group"),
    ],
)
def test_what_has_no_place_is_left_out_in_one_line(
    site: Path, name: str, words: tuple[str, ...], said: str
) -> None:
    install(site, "acme", {"dreamix.commands": {name: "acme:hello"}}, {"acme.py": HELLO})
    done, plain = dreamix(*words, places=(site,)), dreamix(*words)
    assert (done.returncode, done.stdout) == (0, plain.stdout)
    (line,) = done.stderr.splitlines()
    assert line.startswith("note: package acme 1.0: ") and said in line


def test_metadata_of_an_older_installation_is_no_obstacle(site: Path) -> None:
    """A checkout on the path before an installation of then, as where several share one."""
    install(site, "dreamix-toolkit", {"console_scripts": {"dreamix": "dreamix.cli:main"}}, {})
    assert dreamix("--help", places=(site,)).stdout == dreamix("--help").stdout
