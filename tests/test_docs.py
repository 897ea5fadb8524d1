"""The pages say what the code does: generated tables are fresh, every command is documented."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import click
import numpy as np
import pytest
import yaml

from dreamix import __version__
from dreamix.backends.names import BACKENDS
from dreamix.cli import program
from dreamix.core.deferred import Deferred
from evaluation.metrics.base import METRICS
from evaluation.sample import Sample


def test_generated_tables_are_fresh(root: Path) -> None:
    """`python docs/make_tables.py` writes them."""
    command = [sys.executable, str(root / "docs" / "make_tables.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_what_backends_take_is_that_of_the_shipped_table(root: Path) -> None:
    """`python docs/make_backends.py` writes it; every backend has its block."""
    command = [sys.executable, str(root / "docs" / "make_backends.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    pages = "\n".join(page.read_text() for page in (root / "docs" / "backends").glob("*.md"))
    blocks = re.findall(r"<!-- takes (\S+) -->\n\*\*Estimated\*\*", pages)
    assert sorted(blocks) == sorted({*BACKENDS.names()} - {"toybox"})


@pytest.mark.slow
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
    for name in program.list_commands(context):
        command = program.get_command(context, name)
        assert command is not None
        inner = command.commands if isinstance(command, click.Group) else {}
        found += [(f"{name} {sub}", inner[sub]) for sub in inner] or [(name, command)]
    return [(words, one.command if isinstance(one, Deferred) else one) for words, one in found]


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


def pages(root: Path) -> list[Path]:
    """Every page that people read, but for the model cards."""
    tops = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
    rest = ("benchmarks/README.md", "datasets/README.md")
    return [*(root / name for name in (*tops, *rest)), *sorted(root.glob("docs/**/*.md"))]


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, where GitHub and mkdocs make the same of them.

    GitHub: lower case, marks dropped, each blank a hyphen. mkdocs (Python-Markdown's toc): runs of
    blanks and hyphens are one.
    """
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    found = set()
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        kept = re.sub(r"[^\w\s-]", "", plain).strip().lower()
        github, mkdocs = re.sub(r"\s", "-", kept), re.sub(r"[-\s]+", "-", kept)
        found |= {github} if github == mkdocs else set()
    return found


def test_pictures_pages_and_headings_that_are_linked_exist(root: Path) -> None:
    for page in pages(root):
        for target, anchor in re.findall(r"\]\((?!http)([^)#]*)#?([^)]*)\)", page.read_text()):
            file = page.parent / target if target else page
            assert file.exists(), f"{page.name} links to {target}"
            if anchor:
                assert anchor in anchors(file), f"{page.name} links to {target}#{anchor}"


PLACE = re.compile(
    r"`((?:\.ci|benchmarks|datasets|docs|dreamix|evaluation|reports|study_app|tests)/[\w./-]+\.\w+)"
    r"(?::([\w.]+))?`"
)


def names_in(path: Path) -> set[str]:
    """What a module defines: functions, classes, `Class.method`, and names that are set."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            inner = [child for child in node.body if isinstance(child, ast.FunctionDef)]
            found |= {f"{node.name}.{child.name}" for child in inner}
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def test_files_and_functions_that_pages_name_exist(root: Path) -> None:
    """`path/file.py` and `path/file.py:function` in any page but the changelog: it is history."""
    places = [(page, *place) for page in pages(root) for place in PLACE.findall(page.read_text())]
    recipes = {
        name
        for page in pages(root)
        for name in re.findall(r"[Cc]reate `([^`]+)`", page.read_text())
    }
    for page, file, name in places:
        if page.name == "CHANGELOG.md" or file in recipes:
            continue
        assert (root / file).is_file(), f"{page.name} names {file}"
        assert not name or name in names_in(root / file), f"{page.name} names {file}:{name}"
    assert sum(bool(name) for _, _, name in places) >= 20  # the trips of docs/architecture.md


def test_the_picture_of_the_architecture_is_fresh_and_its_rooms_are_folders(root: Path) -> None:
    """`python docs/make_architecture.py` draws it."""
    command = [sys.executable, str(root / "docs" / "make_architecture.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    picture = (root / "docs" / "images" / "architecture.svg").read_text()
    rooms = re.findall(r'class="name words"[^>]*>([^<]+)<', picture)
    rooms = [room for room in rooms if room not in ("ratings", "run folder")]
    assert len(rooms) >= 10
    for room in rooms:
        assert (root / room).is_dir(), f"the picture has a room {room}"


def listed(entry: object) -> list[str]:
    """Pages of an entry of mkdocs' nav."""
    if isinstance(entry, str):
        return [entry]
    inner = entry.values() if isinstance(entry, dict) else entry
    assert isinstance(inner, Iterable)
    return [page for one in inner for page in listed(one)]


def test_every_page_is_in_the_navigation_of_the_site(root: Path) -> None:
    nav = listed(yaml.safe_load((root / "mkdocs.yml").read_text())["nav"])
    assert len(nav) == len(set(nav))
    assert {page.relative_to(root).as_posix() for page in pages(root)} <= set(nav)
    assert all((root / page).is_file() for page in nav)


def test_the_metric_of_the_architecture_page_works(root: Path) -> None:
    """By hand: frames of 100 and of 151 differ by 51 / 255 = 0.2 in brightness."""
    page = (root / "docs" / "architecture.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    try:
        exec(compile(code, "architecture.md", "exec"), names)
        found = METRICS.get("brightness_shift")
    finally:
        METRICS._entries.pop("brightness_shift", None)
    views = [SimpleNamespace(frames=np.full((2, 4, 4, 3), value)) for value in (100, 151)]
    values = found.measure(cast(Sample, SimpleNamespace(pair=(*views, None))))
    assert np.allclose(values, [0.2, 0.2])


def test_the_readme_is_three_screens(root: Path) -> None:
    """A screen is some 45 lines; the README has one strip, and its details are pages."""
    text = (root / "README.md").read_text()
    assert len(text.splitlines()) <= 3 * 45
    assert len(re.findall(r"^!\[", text, re.MULTILINE)) == 1


def test_the_changelog_is_by_version_and_begins_with_what_is_not_released(root: Path) -> None:
    """Keep a Changelog: newest first, each with its date; the last version is the code's own."""
    heads = re.findall(r"^## (.+)$", (root / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert heads[0] == "Unreleased"
    versions = [re.fullmatch(r"(\d+\.\d+\.\d+) - (\d{4}-\d{2}-\d{2})", head) for head in heads[1:]]
    assert versions[0] and versions[0][1] == __version__
    dates = [found[2] for found in versions if found]
    assert len(dates) == len(versions) and dates == sorted(dates, reverse=True)
    entries = re.findall(r"^- .+$", (root / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert len(entries) == len(set(entries)), "a sentence stands twice"
    groups = re.findall(r"^### (.+)$", (root / "CHANGELOG.md").read_text(), re.MULTILINE)
    known = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(groups) <= known


def test_the_citation_is_of_this_version_and_has_what_the_format_asks_for(root: Path) -> None:
    """Keys required by the Citation File Format 1.2.0; date and version are the changelog's."""
    cited = yaml.safe_load((root / "CITATION.cff").read_text())
    assert cited["cff-version"] == "1.2.0"
    assert cited["title"] and cited["message"] and cited["authors"]
    assert cited["license"] == "Apache-2.0"
    head = f"## {cited['version']} - {cited['date-released']}"
    assert cited["version"] == __version__
    assert f"\n{head}\n" in (root / "CHANGELOG.md").read_text()


def test_issue_forms_are_as_github_wants_them(root: Path) -> None:
    """name, description and a body whose fields have ids of their own and labels."""
    forms = [path for path in root.glob(".github/ISSUE_TEMPLATE/*.yml") if path.stem != "config"]
    assert len(forms) >= 3
    for path in forms:
        form = yaml.safe_load(path.read_text())
        assert form["name"] and form["description"], path.name
        fields = [field for field in form["body"] if field["type"] != "markdown"]
        assert all(field["type"] in ("input", "textarea", "dropdown") for field in fields)
        assert all(field["attributes"]["label"] for field in fields), path.name
        assert len({field["id"] for field in fields}) == len(fields), path.name
        for field in fields:
            options = field["attributes"].get("options", [])
            assert all(isinstance(option, str) for option in options), path.name
