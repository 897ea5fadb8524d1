"""What each key of a suite may hold: one reader for every kind of value.

A reader returns the value, or None after reporting what is wrong with it.
"""

import posixpath
import re
import unicodedata
from pathlib import PureWindowsPath

import yaml

from dreamix.core.media import COLOURS
from dreamix.core.names import shown
from dreamix.core.registry import near_misses
from dreamix.data.suite_entries import CATEGORIES
from dreamix.data.suite_yaml import (
    TAG,
    Key,
    Record,
    Report,
    kind_of,
    read_list,
    read_plain,
    read_plain_record,
)

MOST_FPS = 100_000
ID_LENGTH = 100  # Leaves room for `.json` and a temporary suffix in the 255 bytes of a file name.
WINDOWS_DEVICES = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{d}{n}" for d in ("com", "lpt") for n in "123456789"),
}


def read_string(key: str, node: yaml.Node, report: Report) -> str | None:
    """Return text as it is written; empty text and control characters are problems."""
    if node.tag != TAG + "str":
        advice = ""
        if isinstance(node, yaml.ScalarNode):
            advice = f', put it in quotes: "{node.value}"'
        report.add(node, f"{key} must be text, got {kind_of(node)}{advice}")
        return None
    text = str(node.value)
    if not text.strip():
        report.add(node, f"{key} is empty")
        return None
    bad = next(
        (c for c in text if unicodedata.category(c) in ("Cc", "Cs") and c not in "\t\n"), None
    )
    if bad:
        report.add(node, f"{key} holds the control character U+{ord(bad):04X}")
        return None
    return text


def read_text(key: str, node: yaml.Node, report: Report) -> str | None:
    """Return text on one line: every run of white space is one space, so that folding is free."""
    text = read_string(key, node, report)
    return " ".join(text.split()) if text else None


def read_version(key: str, node: yaml.Node, report: Report) -> str | None:
    """Return a version as it is written: `1`, `1.10` and `2024-05-01` need no quotes."""
    numeric = node.tag.removeprefix(TAG) in ("int", "float", "timestamp")
    return str(node.value) if numeric else read_text(key, node, report)


def read_id(key: str, node: yaml.Node, report: Report) -> str | None:
    """Return an id. An unsafe one is reported and still returned: edits may refer to it."""
    text = read_string(key, node, report)
    if text is not None and (reason := why_unsafe(text)):
        report.add(node, f"unsafe {key} {shown(text, 200)}: {reason}")
    return text


def why_unsafe(identifier: str) -> str | None:
    """Return why an id cannot name a file on every system, or None where it can."""
    if len(identifier) > ID_LENGTH:
        return f"longer than {ID_LENGTH} characters"
    if not re.fullmatch(r"[A-Za-z0-9._-]+", identifier):
        return "an id names files, so only letters A-Z a-z, digits and . _ - are allowed"
    if identifier[0] in ".-" or identifier[-1] == "." or ".." in identifier:
        return "it must not start with . or -, end with . or contain .."
    if identifier.split(".")[0].lower() in WINDOWS_DEVICES:
        return "Windows reserves this name for a device"
    return None


def read_reference(key: str, node: yaml.Node, report: Report) -> str | None:
    """Return the id of a video that an edit names; whether it exists is checked later."""
    return read_string(key, node, report)


def read_path(key: str, node: yaml.Node, report: Report) -> str | None:
    """Return a path relative to the media root, with `/`, that stays inside it."""
    text = read_string(key, node, report)
    if text is None:
        return None
    if why := why_outside(text):
        report.add(node, f"{key} {shown(text, 200)}{why}")
        return None
    return posixpath.normpath(text)


def why_outside(path: str) -> str | None:
    """Return why a path is not in the suite's folder, to be put behind it; None if it is."""
    if "\n" in path or "\t" in path:
        return " holds a line break or a tab"
    if "\\" in path:
        return ": write / between folders, also on Windows"
    if path.startswith(("/", "~")) or PureWindowsPath(path).drive:
        return " leaves the suite's folder: write it relative to the folder"
    if posixpath.normpath(path).split("/")[0] == "..":
        return " leaves the suite's folder"
    return None


def read_sha256(key: str, node: yaml.Node, report: Report) -> str | None:
    """Return a SHA-256 in lower case: 64 hexadecimal digits, in quotes or not."""
    if not re.fullmatch(r"[0-9a-fA-F]{64}", str(node.value)):
        report.add(node, f"{key} must be 64 hexadecimal digits, got {_shown(node)}")
        return None
    return str(node.value).lower()


def read_fps(key: str, node: yaml.Node, report: Report) -> float | None:
    """Return frames per second: a finite number above 0."""
    value = read_plain(node, Report("")) if kind_of(node) == "a number" else None
    if value is None or not 0 < value <= MOST_FPS:
        report.add(node, f"{key} must be a number above 0, got {_shown(node)}")
        return None
    return float(value)


def read_stills(key: str, node: yaml.Node, report: Report) -> int | None:
    """Return a number of still pictures: whole, 1 to 12."""
    value = read_plain(node, Report("")) if kind_of(node) == "a number" else None
    if not isinstance(value, int) or not 1 <= value <= 12:
        report.add(node, f"{key} must be a whole number from 1 to 12, got {_shown(node)}")
        return None
    return value


def read_category(key: str, node: yaml.Node, report: Report) -> str | None:
    """Return one of CATEGORIES."""
    text = read_string(key, node, report)
    if text is None or text in CATEGORIES:
        return text
    hint = near_misses(text, list(CATEGORIES))
    report.add(node, f"unknown category {shown(text, 200)}{hint} (known: {', '.join(CATEGORIES)})")
    return None


def read_colour(key: str, node: yaml.Node, report: Report) -> str | None:
    """Return one of COLOURS."""
    text = read_string(key, node, report)
    if text is None or text in COLOURS:
        return text
    hint = near_misses(text, [*COLOURS])
    report.add(node, f"unknown {key} {text!r}{hint} (known: {', '.join(COLOURS)})")
    return None


def read_recipe(key: str, node: yaml.Node, report: Report) -> Record | None:
    """Return the fields of a Toybox scene with their lines; their meaning is checked later."""
    if not isinstance(node, yaml.MappingNode):
        report.add(node, f"{key} must be a mapping of scene fields, got {kind_of(node)}")
        return None
    before = len(report.problems)
    recipe = read_plain_record(node, report)
    return recipe if len(report.problems) == before else None


def _shown(node: yaml.Node) -> str:
    return shown(node.value) if isinstance(node, yaml.ScalarNode) else kind_of(node)


SUITE_KEYS = {
    "name": Key(read_text, required=True),
    "version": Key(read_version, required=True),
    "licence": Key(read_text, required=True),
    "videos": Key(read_list, required=True),
    "edits": Key(read_list, required=True),
    "colour": Key(read_colour),
}
VIDEO_KEYS = {
    "id": Key(read_id, required=True),
    "caption": Key(read_text),
    "path": Key(read_path),
    "sha256": Key(read_sha256),
    "mask": Key(read_path),
    "fps": Key(read_fps),
    "stills": Key(read_stills),
    "toybox": Key(read_recipe),
}
EDIT_KEYS = {
    "id": Key(read_id, required=True),
    "video": Key(read_reference, required=True),
    "prompt": Key(read_text, required=True),
    "category": Key(read_category, required=True),
    "toybox": Key(read_recipe),
}
