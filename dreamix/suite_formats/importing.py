"""From files of another benchmark to a suite.yaml: read, checked like any suite, then written.

Nothing is written unless all is right, and all that is wrong is told with its file and line.
"""

import bisect
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import yaml

from dreamix.core.errors import Mistakes, Problem, UserError
from dreamix.core.media import sha256_file
from dreamix.core.records import storing, write_whole
from dreamix.core.yaml_reading import Limits, parse_document
from dreamix.data.suite import Suite, load_suite
from dreamix.data.suite_check import check_suite
from dreamix.data.suite_entries import CATEGORIES, Edit, VideoEntry
from dreamix.suite_formats.base import SuiteFormat
from dreamix.suite_formats.draft import (
    At,
    Draft,
    EditDraft,
    category_of,
    edit_of,
    entries,
    video_ids,
)

DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
SUITE_FILE = "suite.yaml"
WRITTEN = Limits(64 << 20, 2_000_000, aliases=False)  # what we wrote ourselves


@dataclass(frozen=True)
class ImportChoices:
    """What the user says beside the files."""

    media_root: Path | None = None  # folder of the clips; that of the files by default
    name: str | None = None
    licence: str | None = None  # for formats that state none
    commit: str | None = None  # of the benchmark's repository
    fps: float | None = None  # of folders of frames
    copy: bool = False  # put the clips beside suite.yaml


class ImportedSuite(NamedTuple):
    """A suite that was written, and what has to be said of it."""

    suite: Suite
    notes: list[str]
    outputs: list[tuple[str, ...]]  # method, edit and path of each


Outputs = Callable[[Mapping[str, tuple[At, EditDraft]]], list[tuple[str, ...]]]


def import_suite(
    kind: SuiteFormat,
    path: Path,
    out: Path,
    wanted: ImportChoices,
    outputs: Outputs = lambda rows: [],
) -> ImportedSuite:
    """Return the suite of some files, written to `out`/suite.yaml.

    outputs: finds those of methods, by edit and its row.

    Raises:
        UserError: with every mistake and its line; then nothing is written.
    """
    _check_licence(kind, wanted)
    folder = path if path.is_dir() else path.parent
    root = (wanted.media_root or folder).resolve()
    draft = Draft(kind.name, root, wanted.fps, chosen=wanted.media_root is not None)
    kind.read(path, draft)
    clips = _clips(draft)
    videos, rows = entries(draft, clips), _edits(draft, clips)
    document = {
        **_heads(kind, draft, wanted, path),
        **_categories(draft),
        "videos": [_stated(video, draft.root) for video in videos.values()],
        "edits": [edit.to_dict() for edit, _ in rows.values()],
    }
    text = yaml.dump(document, Dumper=DUMPER, sort_keys=False, allow_unicode=True, width=100)
    places = {edit: row for edit, (_, row) in rows.items()}
    if rows:
        draft.problems += _mistakes(text, draft, clips, places, videos)
    elif not draft.problems:
        raise UserError(f"{path} asks for no edit: nothing was imported")
    _check_before(out, kind, draft, rows)
    made = _with_mistakes(draft, outputs, places)
    draft.stop()
    _write(out, text, videos.values() if wanted.copy else (), draft.root)
    suite = load_suite(out, None if wanted.copy else draft.root)
    return ImportedSuite(suite, [f"{count} x {what}" for what, count in draft.notes.items()], made)


def _check_licence(kind: SuiteFormat, wanted: ImportChoices) -> None:
    """Raise a `UserError` for terms that are not the user's to set, and copies without them."""
    if wanted.licence and kind.licence:
        raise UserError(f"{kind.title} states its terms ({kind.licence}): leave --licence out")
    if wanted.copy and not kind.free:
        raise UserError(
            f"the terms of {kind.title} allow no copies of its clips ({kind.licence}): leave "
            "--copy out, and name their folder with --media-root where the suite is used"
        )


def _with_mistakes(
    draft: Draft, outputs: Outputs, rows: Mapping[str, tuple[At, EditDraft]]
) -> list[tuple[str, ...]]:
    """Return the outputs; what is wrong with them is told with all the rest."""
    try:
        return outputs(rows)
    except Mistakes as mistakes:
        draft.problems += mistakes.problems
        return []


def _clips(draft: Draft) -> dict[str, str]:
    """Return where each clip is that a row names; a row without its clip is a problem."""
    found: dict[str, str] = {}
    lost: set[str] = set()
    for at, asked in draft.edits:
        if asked.clip in found:
            continue
        place = None if asked.clip in lost else draft.found(at, asked.clip)
        if place is None and asked.clip in lost:
            draft.wrong(at, f"no clip {asked.clip} in {draft.root}")
        if place is None:
            lost.add(asked.clip)
        else:
            found[asked.clip] = place
    return found


def _edits(draft: Draft, clips: Mapping[str, str]) -> dict[str, tuple[Edit, tuple[At, EditDraft]]]:
    """Return the edits by id, each with its row; two rows of one key are a problem."""
    ids, found = video_ids([*clips.values()]), {}
    first: dict[str, At] = {}
    for at, asked in draft.edits:
        if (known := first.setdefault(asked.key, at)) is not at:
            draft.wrong(at, f"{asked.key} stands twice (first on line {known.line})")
        elif asked.clip in clips:
            edit = edit_of(draft.format, at, asked, ids[clips[asked.clip]])
            found[edit.id] = edit, (at, asked)
    return found


def _heads(kind: SuiteFormat, draft: Draft, wanted: ImportChoices, path: Path) -> dict[str, Any]:
    commit = wanted.commit
    origin = {"format": kind.name, "source": path.resolve().name, "commit": commit}
    return {
        "name": wanted.name or kind.name,
        "version": (commit or "1")[:12],
        "licence": wanted.licence or kind.licence or "not stated",
        "origin": {key: value for key, value in origin.items() if value},
    }


def _categories(draft: Draft) -> dict[str, dict[str, str]]:
    """Return the categories that are the suite's own, each with its first spelling."""
    own: dict[str, str] = {}
    for _, asked in draft.edits:
        if (word := category_of(draft.format, asked)) not in CATEGORIES:
            own.setdefault(word, asked.category or "not stated")
    return {"categories": own} if own else {}


def _stated(video: VideoEntry, root: Path) -> dict[str, Any]:
    """Return a video as suite.yaml has it, with the hash of its file where that can be read."""
    told, path = video.to_dict(), root / str(video.path)
    if path.is_file():
        told["sha256"] = sha256_file(path)
    return told


def _mistakes(
    text: str,
    draft: Draft,
    clips: Mapping[str, str],
    rows: Mapping[str, tuple[At, EditDraft]],
    videos: Mapping[str, VideoEntry],
) -> list[Problem]:
    """Return what the checks of a suite say, at the rows that it comes from."""
    with TemporaryDirectory() as folder:
        file = Path(folder, SUITE_FILE)
        file.write_text(text, encoding="utf-8")
        found = check_suite(file, draft.root)
        document = parse_document(
            text.encode(), str(file), Limits(64 << 20, 2_000_000, aliases=False)
        )
    places: dict[int, At] = {}
    first: dict[str, At] = {}
    for at, asked in draft.edits:
        first.setdefault(clips.get(asked.clip, ""), at)
    for k, video in enumerate(videos.values()):
        places[document.line(("videos", k))] = first[str(video.path)]
    for k, (at, _) in enumerate(rows.values()):
        places[document.line(("edits", k))] = at
    starts, head = sorted(places), At(Path(draft.edits[0][0].file), 1)
    told = []
    for problem in found:
        before = bisect.bisect_right(starts, problem.line)
        told.append((places[starts[before - 1]] if before else head).wrong(problem.message))
    return told


def _check_before(
    out: Path,
    kind: SuiteFormat,
    draft: Draft,
    rows: Mapping[str, tuple[Edit, tuple[At, EditDraft]]],
) -> None:
    """Note where a row asks for something else than at the last import to the same folder."""
    if not (out / SUITE_FILE).exists():
        return
    before = load_suite(out, files=False)
    if before.origin.get("format") != kind.name:
        raise UserError(f"{out / SUITE_FILE} is another suite: choose another --out")
    known = {_key(edit): edit for edit in before.edits}
    for edit, (at, asked) in rows.values():
        then = known.get(_key(edit)) if asked.positional else None
        if then and (then.prompt, then.instruction) != (edit.prompt, edit.instruction):
            draft.wrong(
                at,
                f"{asked.key} asked for something else when it was imported to {out} "
                f"({then.request[:60]!r}): import to another folder, for results would be mixed up",
            )


def _key(edit: Edit) -> tuple[Any, Any]:
    origin = edit.origin or {}
    return origin.get("file"), origin.get("id")


def _write(out: Path, text: str, videos: Iterable[VideoEntry], root: Path) -> None:
    """Write the suite and, where they are wanted, its clips."""
    with storing(out):
        out.mkdir(parents=True, exist_ok=True)
        for video in videos:
            clip, copy = root / str(video.path), out / str(video.path)
            if not copy.exists() and clip.resolve() != copy.resolve():
                copy.parent.mkdir(parents=True, exist_ok=True)
                (shutil.copytree if clip.is_dir() else shutil.copy2)(clip, copy)
    with write_whole(out / SUITE_FILE) as file:
        file.write(text.encode())
