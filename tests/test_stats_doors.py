"""Rooms of evaluation.stats: used by what their `__init__` exports, one above another."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

STATS = "evaluation.stats"
# Lowest first: a room may use the shared modules beside the rooms, and the doors of rooms below.
ROOMS = {
    "ratings": (),
    "preference": (),
    "meta": (),
    "agreement": ("ratings",),
    "composite": ("meta",),
}
FOLDERS = ("dreamix", "evaluation", "reports", "study_app", "benchmarks", "tests")


def imports(root: Path) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield (file, module, names) of every import of statistics, in code and in blocks of docs."""
    texts = [path for folder in FOLDERS for path in sorted((root / folder).rglob("*.py"))]
    for path in (*texts, *sorted((root / "docs").glob("*.md"))):
        file, text = path.relative_to(root).as_posix(), path.read_text()
        if path.suffix == ".md":
            text = "\n".join(re.findall(r"^```python\n(.*?)^```", text, re.S | re.M))
        for node in ast.walk(ast.parse(text if STATS in text else "")):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(STATS):
                yield file, str(node.module), tuple(alias.name for alias in node.names)
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name.startswith(STATS):
                        yield file, alias.name, ()


def room_of(dotted: str) -> str:
    """Name of the room a module (evaluation.stats.ROOM.module) or a file is in, "" for neither."""
    parts = dotted.removeprefix("evaluation/stats/").removeprefix(STATS + ".").split(".")[0]
    return parts.split("/")[0] if parts.split("/")[0] in ROOMS else ""


def test_every_folder_is_a_room(root: Path) -> None:
    folders = {path.parent.name for path in (root / "evaluation" / "stats").glob("*/__init__.py")}
    assert folders == set(ROOMS)


@pytest.mark.slow
def test_nobody_reaches_past_a_door(root: Path) -> None:
    """From outside a room only its package is imported, and of that only what it exports.

    A test may take a whole module of a room, to make a block small or to look at a model's inside.
    """
    for file, module, names in imports(root):
        room = room_of(module)
        if not room or (file.startswith("evaluation/stats/") and room_of(file) == room):
            continue
        assert module == f"{STATS}.{room}", f"{file} imports {module}: take it from its room"
        door = importlib.import_module(module)
        known = set(door.__all__)
        if file.startswith("tests/"):
            known |= {path.stem for path in (root / "evaluation" / "stats" / room).glob("*.py")}
        assert not (beyond := set(names) - known), f"{file}: {module} does not export {beyond}"


def test_rooms_lie_one_above_another(root: Path) -> None:
    for file, module, _ in imports(root):
        if not file.startswith("evaluation/stats/") or not room_of(module):
            continue
        own = room_of(file)
        assert own, f"{file} lies below all rooms and imports {module}"
        assert room_of(module) in (own, *ROOMS[own]), f"{file} must not import {module}"


@pytest.mark.slow
@pytest.mark.parametrize("room", ROOMS)
def test_a_door_exports_what_somebody_uses(root: Path, room: str) -> None:
    """A name that nobody outside imports does not stand at the door."""
    used = {
        name
        for file, module, names in imports(root)
        if module == f"{STATS}.{room}" and room_of(file) != room
        for name in names
    }
    assert not set(importlib.import_module(f"{STATS}.{room}").__all__) - used
