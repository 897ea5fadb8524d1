"""Outputs of any method, made anywhere, brought in as files.

external:outputs/*                        each folder is a method, files are named EDIT.mp4
external:outputs/{method}/{edit}.mp4      the same, spelled out; also {seed}, also {edit}_{method}
external:outputs.csv                      columns method, edit, path and, if wanted, seed
ours=external:runs/a                      one method, named here; also of a pattern or a table
external:outputs/*:colour=bt601           the matrix of outputs whose files state none

Seeds are those that are found. Whatever lies there and is not used is said.
"""

import os
import re
import unicodedata
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from dreamix.core.config import config_from_dict
from dreamix.core.errors import UserError
from dreamix.core.media import COLOURS
from dreamix.core.names import near_misses
from dreamix.data.suite import Suite
from dreamix.methods.base import EditRequest, ExpansionContext, Variant, method, safe_label
from dreamix.methods.external_columns import (
    Column,
    ExternalConfig,
    absolute,
    columns_of_folders,
    columns_of_pattern,
    columns_of_table,
    few,
    is_table,
    only_one,
)
from dreamix.methods.external_folders import SUFFIXES, listing
from dreamix.methods.external_patterns import PathMatch, Pattern
from dreamix.methods.external_tables import read_table, spell_key


def expand(label: str, text: str, asked: ExpansionContext) -> list[Variant]:
    """Return one column for each method that the text of `external:TEXT` leads to.

    label: name of the only one; "" gives each its own.
    """
    if not text:
        raise UserError("external needs a place: external:'outputs/*', a pattern or a .csv file")
    text, colour = _colour(text)
    columns = _spelled_out(label, text, asked) or _columns(label, text, asked)
    if not columns:
        raise UserError(f"external: nothing matches {text} (looked in {Path.cwd()})")
    if label and len(columns) > 1:
        raise UserError(
            f"{label}=external:{text} leads to {len(columns)} methods ({few(sorted(columns))}): a "
            "name is for one of them"
        )
    named = _named(label, text, columns, asked)
    return [
        Variant(name, "external", replace(one.config, colour=colour), one.seeds)
        for name, one in named.items()
    ]


def _colour(text: str) -> tuple[str, str | None]:
    """Return the text of `external:TEXT` without `:colour=NAME` at its end, and that name."""
    place, _, colour = text.rpartition(":colour=")
    if not place:
        return text, None
    if colour not in COLOURS:
        raise UserError(
            f"external: unknown colour {colour!r}{near_misses(colour, [*COLOURS])} (known: "
            f"{', '.join(COLOURS)})"
        )
    return place, colour


def _named(
    label: str, text: str, columns: dict[str, Column], asked: ExpansionContext
) -> dict[str, Column]:
    """Return the columns by labels that can name folders.

    Raises:
        UserError: if two columns share a label.
    """
    named: dict[str, Column] = {}
    for name, column in sorted(columns.items()):
        said = safe_label(label) if label else _label(name, asked)
        if named.setdefault(said, column) is not column:
            raise UserError(
                f"external:{text}: {named[said].where} and {column.where} would both be called "
                f"{said!r}: bring them in one by one, NAME=external:..."
            )
    return named


def _label(name: str, asked: ExpansionContext) -> str:
    """Return a name for a method that can name a folder: cfg=7,steps=50 is cfg-7_steps-50."""
    text = unicodedata.normalize("NFC", name).replace("=", "-")
    label = re.sub(r"[^\w.+-]+", "_", text).lstrip(".-_").rstrip("._")
    if not label:
        raise UserError(f"{name!r} cannot name a method: bring it in with NAME=external:...")
    if label != name:
        asked.say(f"{name!r} is called {label} here; NAME=external:... gives it another name")
    return safe_label(label)


def _spelled_out(label: str, text: str, asked: ExpansionContext) -> dict[str, Column]:
    """Return the column of pattern=...:method=..., if that is what the text is."""
    if not re.match(r"(pattern|method|rows)=", text):
        return {}
    parts = re.split(r":(?=(?:pattern|method|rows)=)", text)
    told = {key: value for key, _, value in (part.partition("=") for part in parts)}
    config: ExternalConfig = config_from_dict(ExternalConfig, told, "method external")
    found = _columns(label or config.method or "", config.pattern, asked, config.method)
    if config.method and config.method not in found and is_table(config.pattern):
        raise UserError(f"{config.pattern} has no method {config.method!r} (it has {few(found)})")
    return {config.method: found[config.method]} if config.method in found else found


def _columns(
    label: str, text: str, asked: ExpansionContext, name: str | None = None
) -> dict[str, Column]:
    """Return the methods that a place holds by the names they have there."""
    if "{" in text:
        return columns_of_pattern(label, text, asked, name)
    if is_table(text):
        return columns_of_table(text, asked)
    if os.path.isfile(os.path.expanduser(text)):
        raise UserError(f"{text} is a file: external takes folders, a pattern or a .csv file")
    return columns_of_folders(text, asked)


_absolute = lru_cache(maxsize=1024)(absolute)


@lru_cache(maxsize=1024)
def _pattern(text: str) -> Pattern:
    return Pattern(text)


def brings(config: ExternalConfig, suite: Suite, edit: str, seed: int) -> Path:
    """Return the file of one cell as it stands today.

    Raises:
        UserError: if there is none, or more than one.
    """
    text = _absolute(config.pattern) if os.path.isabs(config.pattern) else absolute(config.pattern)
    if is_table(text):
        return _of_table(text, (str(config.method), edit, seed))
    cell = PathMatch(
        str(config.method) if config.method and "{method}" in text else "",
        edit if "{edit}" in text else "",
        seed if "{seed}" in text else 0,
    )
    if paths := _pattern(text).find(cell, suite.edit_ids):
        return only_one(cell, paths)
    filled = text.replace("{method}", cell.method).replace("{edit}", edit)
    raise UserError(_nothing_at(Path(filled.replace("{seed}", str(seed)))))


def _of_table(text: str, key: tuple[str, str, int]) -> Path:
    """Return the file that a table names; the suffix of a clip may be left out there."""
    row = read_table(Path(text)).get(key)
    if row is None:
        raise UserError(f"{text} has no row for {spell_key(key)}")
    if row.path.exists():
        return row.path
    if found := Pattern(row.path.as_posix()).find(PathMatch("", "", 0), None):
        return only_one(spell_key(key), found)
    raise UserError(_nothing_at(row.path))


def _nothing_at(place: Path) -> str:
    """Return that there is no output, and what there is instead."""
    suffix = place.suffix if place.suffix.lower() in SUFFIXES else ""
    tried = "" if suffix else " (mp4, webm, gif, mov, mkv, m4v, folder)"
    stem = place.name[: len(place.name) - len(suffix)]
    others = [one.path for one in listing(place.parent) if one.path.stem == stem]
    return f"no file {place}{tried}" + (f"; there is {others[0].name}" if others else "")


@method("external", config=ExternalConfig, seeded=False, expand=expand, brings=brings)
def external(request: EditRequest, backend: object, config: ExternalConfig) -> Path:
    """Returns the file that another program made for this edit, untouched."""
    return brings(config, request.suite, request.edit.id, request.seed)
