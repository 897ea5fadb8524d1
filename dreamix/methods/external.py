"""Outputs of any method, made anywhere, brought in as files.

external:outputs/*                        each folder is a method, files are named EDIT.mp4
external:outputs/{method}/{edit}.mp4      the same, spelled out; also {seed}
external:outputs.csv                      columns method, edit, path and, if wanted, seed
ours=external:pattern=runs/a/{edit}.mp4   one method, named here
"""

import csv
import glob
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from dreamix.core.errors import UserError
from dreamix.core.records import to_json
from dreamix.methods.base import EditRequest, Variant, method, safe_label

SUFFIXES = (".mp4", ".webm", ".gif", ".mov", ".mkv", "")  # "" is a folder of frames


@dataclass(frozen=True)
class ExternalConfig:
    """Where the outputs of one method are."""

    pattern: str  # a path with {edit} and, if wanted, {seed}; or a .csv file
    method: str | None = None  # its name in the CSV
    rows: str | None = None  # hash of its rows in the CSV: a CSV that says otherwise is another one

    def __post_init__(self) -> None:
        """Make the path absolute, so that it means the same from any folder."""
        object.__setattr__(self, "pattern", str(Path(self.pattern).resolve()))


def expand(text: str) -> list[Variant]:
    """Return one column for each method that the text of `external:TEXT` leads to."""
    if not text:
        raise UserError("external needs a place: external:'outputs/*', a pattern or a .csv file")
    configs = _methods_of_csv(text) if text.endswith(".csv") else _methods_of_pattern(text)
    if not configs:
        raise UserError(f"external: nothing matches {text} (looked in {Path.cwd()})")
    return [Variant(safe_label(label), "external", configs[label]) for label in sorted(configs)]


def _methods_of_csv(text: str) -> dict[str, ExternalConfig]:
    table = read_csv(str(Path(text).resolve()))
    found = {}
    for label in {label for label, _edit, _seed in table}:
        rows = sorted([*key, str(path)] for key, path in table.items() if key[0] == label)
        digest = hashlib.sha256(to_json(rows).encode()).hexdigest()[:12]
        found[label] = ExternalConfig(text, label, digest)
    return found


def _methods_of_pattern(text: str) -> dict[str, ExternalConfig]:
    """Return each method with its pattern, in which {edit} is left open."""
    if "{edit}" not in text:
        folders = [Path(found) for found in glob.glob(text) if Path(found).is_dir()]
        return {folder.name: ExternalConfig(str(folder / "{edit}")) for folder in folders}
    pattern = str(Path(text).resolve())
    if "{method}" not in pattern:
        raise UserError(
            f"external:{text} names no method: use {{method}} or NAME=external:pattern=..."
        )
    found = re.compile(_regex(pattern))
    candidates = glob.glob(re.sub(r"\{\w+\}", "*", glob.escape(pattern)))
    labels = {match["method"] for path in candidates if (match := found.fullmatch(path))}
    return {label: ExternalConfig(pattern.replace("{method}", label)) for label in labels}


def _regex(pattern: str) -> str:
    """Return a regular expression with a group for {method}; {edit} and {seed} match any name."""
    escaped = re.escape(pattern).replace(r"\{edit\}", "[^/]+").replace(r"\{seed\}", r"\d+")
    once = escaped.replace(r"\{method\}", "(?P<method>[^/]+)", 1)
    return once.replace(r"\{method\}", "(?P=method)")


@lru_cache
def read_csv(path: str) -> dict[tuple[str, str, str], Path]:
    """Return (method, edit, seed) -> file of a CSV; paths are relative to the CSV."""
    table: dict[tuple[str, str, str], Path] = {}
    for number, row in _csv_rows(path):
        key = row["method"], row["edit"], row.get("seed") or "0"
        if key in table:
            raise UserError(f"{path}:{number}: {', '.join(key)} stands twice")
        table[key] = (Path(path).parent / row["path"]).resolve()
    return table


def _csv_rows(path: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and cells; a file or a row that cannot be used is a `UserError`."""
    columns = ("method", "edit", "path")
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            if missing := [name for name in columns if name not in (reader.fieldnames or ())]:
                raise UserError(f"{path} lacks the column {missing[0]} (method, edit, path, seed)")
            for row in reader:
                if empty := [name for name in columns if not row.get(name)]:
                    raise UserError(f"{path}:{reader.line_num}: no {empty[0]} in this row")
                yield reader.line_num, row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"cannot read {path} as a UTF-8 CSV: {error}") from None


def _has_seeds(config: ExternalConfig) -> bool:
    if config.method:
        table = read_csv(config.pattern)
        return any(seed != "0" for label, _edit, seed in table if label == config.method)
    return "{seed}" in config.pattern


@method("external", config=ExternalConfig, seeded=_has_seeds, expand=expand)
def external(request: EditRequest, backend: Any, config: ExternalConfig) -> Path:
    """Returns the file that another program made for this edit, untouched."""
    if config.method:
        key = config.method, request.edit.id, str(request.seed)
        place = read_csv(config.pattern).get(key)
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
    tried = "" if place.suffix in SUFFIXES[:-1] else " (mp4, webm, gif, mov, mkv, folder)"
    raise UserError(f"no file {place}{tried}")
