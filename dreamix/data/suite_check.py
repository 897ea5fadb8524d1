"""Everything that is wrong with a suite, all at once, each with the line to mend.

The keys and their values are read by suite_yaml and suite_fields; here the rows are held against
each other, against the files and against the Toybox grammar.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dreamix.core.errors import UserError
from dreamix.core.records import read_bytes
from dreamix.core.registry import near_misses
from dreamix.data.known_suites import suite_file
from dreamix.data.suite_fields import EDIT_KEYS, SUITE_KEYS, VIDEO_KEYS
from dreamix.data.suite_files import check_files
from dreamix.data.suite_recipes import check_recipes
from dreamix.data.suite_yaml import Key, Problem, Record, Report, compose, read_record

MOST_BYTES = 16 << 20
FILE_KEYS = ("sha256", "mask", "fps")  # They describe `path` and mean nothing beside a recipe.


@dataclass(frozen=True)
class Examined:
    """A suite file as it was understood, and its problems in the order of its lines."""

    document: dict[str, Any]  # name, version, licence, videos, edits: what Suite.from_dict takes
    problems: list[Problem]


def check_suite(path: Path, media_root: Path | None = None, *, files: bool = True) -> list[Problem]:
    """Return every problem of a suite, sorted by line; an empty list means that it can be used.

    path:       suite.yaml, the folder that holds it, or the name of a known suite.
    media_root: folder that the paths of the suite are relative to; default: the suite's folder.
    files:      also look for the files and compute their SHA-256.
    A suite file or media root that does not exist is a `UserError`.
    """
    return examine(path, media_root, files=files, sizes=True).problems


def examine(path: Path, media_root: Path | None, *, files: bool, sizes: bool = False) -> Examined:
    """Return what `check_suite` reports together with the rows that were read.

    sizes: also look for clips that are too large for this machine, which a run can do without.
    """
    path = suite_file(path)
    report = Report(str(path))
    root = compose(read_bytes(path, MOST_BYTES), report)
    top = None if root is None else read_record(root, "a suite", SUITE_KEYS, report)
    if top is None:
        return Examined({}, report.problems)
    videos = _rows(top, "videos", "a video", VIDEO_KEYS, report)
    edits = _rows(top, "edits", "an edit", EDIT_KEYS, report)
    by_id = _check_ids("video", videos, report)
    _check_ids("edit", edits, report)
    _check_sources(videos, report)
    if by_id:  # Without a single video, every edit would only repeat that.
        _check_references(edits, by_id, report)
    _check_repeated_prompts(edits, report)
    check_recipes(videos, edits, by_id, report)
    if files:
        check_files(videos, media_folder(path, media_root), report, sizes=sizes)
    document = {key: top.values.get(key) for key in SUITE_KEYS}
    document |= {"videos": [_plain(row) for row in videos], "edits": [_plain(row) for row in edits]}
    return Examined(document, sorted(report.problems, key=lambda problem: problem.line))


def media_folder(path: Path, media_root: Path | None) -> Path:
    """Return the resolved folder that paths are relative to; a `UserError` if it is no folder."""
    folder = Path(path.parent if media_root is None else media_root)
    if not folder.is_dir():
        raise UserError(f"the media root {folder} is not a folder")
    return folder.resolve()


def _rows(top: Record, key: str, what: str, keys: dict[str, Key], report: Report) -> list[Record]:
    nodes: Iterable[yaml.Node] = top.values.get(key, [])
    rows = [read_record(node, what, keys, report) for node in nodes]
    return [row for row in rows if row is not None]


def _plain(row: Record) -> dict[str, Any]:
    """Return a row as the dictionary that the entries of a suite are made from."""
    items = row.values.items()
    return {key: value.values if isinstance(value, Record) else value for key, value in items}


def _check_ids(kind: str, rows: list[Record], report: Report) -> dict[str, Record]:
    """Return the first row of every id. Ids that differ only by case count as a clash too."""
    by_id: dict[str, Record] = {}
    by_lower: dict[str, Record] = {}
    for row in (row for row in rows if "id" in row.values):
        identifier, line = row.values["id"], row.lines["id"]
        first = by_lower.setdefault(identifier.lower(), row)
        if identifier in by_id:
            first_line = by_id[identifier].lines["id"]
            report.add(line, f"duplicate {kind} id {identifier!r} (first on line {first_line})")
        elif first is not row:
            report.add(
                line,
                f"{kind} id {identifier!r} differs only by case from {first.values['id']!r} "
                f"(line {first.lines['id']}): on some systems their files would be the same",
            )
        by_id.setdefault(identifier, row)
    return by_id


def _check_sources(videos: list[Record], report: Report) -> None:
    """Every video has a path or a recipe, not both, and file keys only beside a path."""
    for row in videos:
        if "path" in row.lines and "toybox" in row.lines:
            report.add(row.lines["toybox"], "a video has `path` or `toybox`, not both")
        elif "path" not in row.lines and "toybox" not in row.lines:
            report.add(row.line, "a video needs `path` or `toybox`")
        elif "path" in row.lines and "stills" in row.lines:
            report.add(row.lines["stills"], "`stills` belongs to a video with `toybox`")
        elif "path" not in row.lines:
            for key in (key for key in FILE_KEYS if key in row.lines):
                report.add(row.lines[key], f"`{key}` belongs to a video with `path`")


def _check_references(edits: list[Record], by_id: dict[str, Record], report: Report) -> None:
    for row in edits:
        video = row.values.get("video")
        if video is not None and video not in by_id:
            report.add(row.lines["video"], f"unknown video {video!r}{near_misses(video, [*by_id])}")


def _check_repeated_prompts(edits: list[Record], report: Report) -> None:
    """One wish under two ids would count twice in every average."""
    first: dict[tuple[str, str], Record] = {}
    for row in (row for row in edits if {"video", "prompt"} <= row.values.keys()):
        earlier = first.setdefault((row.values["video"], row.values["prompt"]), row)
        if earlier is not row:
            report.add(
                row.lines["prompt"],
                f"the same video and prompt as on line {earlier.lines['prompt']}",
            )
