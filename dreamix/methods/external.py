"""Outputs of any method, made anywhere, brought in as files.

external:outputs/*                        each folder is a method, files are named EDIT.mp4
external:outputs/{method}/{edit}.mp4      the same, spelled out; also {seed}
external:outputs.csv                      columns method, edit, path and, if wanted, seed
ours=external:pattern=runs/a/{edit}.mp4   one method, named here
"""

import csv
import glob
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from dreamix.core.errors import UserError
from dreamix.methods.base import EditRequest, Variant, method, safe_label

SUFFIXES = (".mp4", ".webm", ".gif", ".mov", ".mkv", "")  # "" is a folder of frames


@dataclass(frozen=True)
class ExternalConfig:
    """Where the outputs of one method are."""

    pattern: str  # a path with {edit} and, if wanted, {method} and {seed}; or a .csv file


def expand(text: str) -> list[Variant]:
    """Return one column for each method that the text of `external:TEXT` leads to."""
    if not text:
        raise UserError("external needs a place: external:'outputs/*', a pattern or a .csv file")
    named = _methods_of_csv(text) if text.endswith(".csv") else _methods_of_pattern(text)
    if not named:
        raise UserError(f"external: nothing matches {text} (looked in {Path.cwd()})")
    return [
        Variant(safe_label(label), "external", ExternalConfig(pattern))
        for label, pattern in sorted(named.items())
    ]


def _methods_of_csv(text: str) -> dict[str, str]:
    path = str(Path(text).resolve())
    return {label: path for label, _edit, _seed in _rows(path)}


def _methods_of_pattern(text: str) -> dict[str, str]:
    """Return method -> pattern with {edit} left open."""
    if "{edit}" not in text:
        folders = [Path(found) for found in glob.glob(text) if Path(found).is_dir()]
        return {folder.name: str(folder.resolve() / "{edit}") for folder in folders}
    pattern = str(Path(text).resolve())
    if "{method}" not in pattern:
        raise UserError(
            f"external:{text} names no method: use {{method}} or NAME=external:pattern=..."
        )
    found = re.compile(_regex(pattern))
    candidates = glob.glob(re.sub(r"\{\w+\}", "*", glob.escape(pattern)))
    labels = {match["method"] for path in candidates if (match := found.fullmatch(path))}
    return {label: pattern.replace("{method}", label) for label in labels}


def _regex(pattern: str) -> str:
    """Return a regular expression with a group for {method}; {edit} and {seed} match any name."""
    escaped = re.escape(pattern).replace(r"\{edit\}", "[^/]+").replace(r"\{seed\}", r"\d+")
    return escaped.replace(r"\{method\}", "(?P<method>[^/]+)", 1).replace(
        r"\{method\}", "(?P=method)"
    )


@lru_cache
def _rows(path: str) -> dict[tuple[str, str, str], Path]:
    """Return (method, edit, seed) -> file of a CSV; paths are relative to the CSV."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    for column in ("method", "edit", "path"):
        if not rows or column not in rows[0]:
            raise UserError(f"{path} needs the columns method, edit, path (no {column!r} found)")
    table: dict[tuple[str, str, str], Path] = {}
    for number, row in enumerate(rows, start=2):
        key = row["method"], row["edit"], row.get("seed") or "0"
        if key in table:
            raise UserError(f"{path}:{number}: {', '.join(key)} stands twice")
        table[key] = Path(path).parent / row["path"]
    return table


def _has_seeds(config: ExternalConfig) -> bool:
    if config.pattern.endswith(".csv"):
        return any(seed != "0" for _label, _edit, seed in _rows(config.pattern))
    return "{seed}" in config.pattern


@method("external", config=ExternalConfig, seeded=_has_seeds, expand=expand)
def external(request: EditRequest, backend: Any, config: ExternalConfig) -> Path:
    """Returns the file that another program made for this edit, untouched."""
    if config.pattern.endswith(".csv"):
        key = request.label, request.edit.id, str(request.seed)
        place = _rows(config.pattern).get(key)
        if place is None:
            raise UserError(f"{config.pattern} has no row for {', '.join(key)}")
        return _existing(place)
    filled = config.pattern.replace("{edit}", request.edit.id).replace("{seed}", str(request.seed))
    return _existing(Path(filled))


def _existing(place: Path) -> Path:
    """Return the file at `place`, trying the known suffixes where it has none."""
    if place.suffix in SUFFIXES[:-1]:
        candidates = [place]
    else:
        candidates = [place.with_name(place.name + suffix) for suffix in SUFFIXES]
    for candidate in candidates:
        if candidate.exists():
            return candidate
    raise UserError(
        f"no file {place}" + ("" if place.suffix else " (mp4, webm, gif, mov, mkv, folder)")
    )
