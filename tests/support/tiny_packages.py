"""Small packages as pip leaves them in a folder, and programs that see that folder."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "import sys; sys.argv[0] = 'dreamix'; from dreamix.cli import main; main()"


def install(
    site: Path,
    name: str,
    groups: Mapping[str, Mapping[str, str]],
    files: Mapping[str, str],
    version: str = "1.0",
) -> Path:
    """Put a package into the folder `site`; return it. files: their text by path."""
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\n")
    lines = [
        line
        for group, entries in groups.items()
        for line in (f"[{group}]", *(f"{key} = {place}" for key, place in entries.items()), "")
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))
    for path, text in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text)
    return site


def seeing(*places: Path) -> dict[str, str]:
    """Environment in which Python looks into these folders first, then into this checkout."""
    path = os.pathsep.join(map(str, [*places, ROOT]))
    return {**os.environ, "PYTHONPATH": path, "COLUMNS": "100"}


def python(
    code: str, *places: Path, words: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """What a program prints that sees the packages in these folders."""
    command = [sys.executable, "-P", "-c", code, *words]  # the folder we are in is not looked into
    return subprocess.run(command, env=seeing(*places), capture_output=True, text=True)


def dreamix(*words: object, places: tuple[Path, ...] = ()) -> subprocess.CompletedProcess[str]:
    """`dreamix` with these words, in a process that sees the packages in these folders."""
    return python(PROGRAM, *places, words=tuple(map(str, words)))
