"""From files of another benchmark to a suite.yaml: read, checked like any suite, then written.

Nothing is written unless all is right, and all that is wrong is told with its file and line.
"""

import bisect
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import yaml

from dreamix.core.errors import Mistakes, Problem, UserError
from dreamix.core.media import sha256_file
from dreamix.core.names import shown
from dreamix.core.progress import progress_bar
from dreamix.core.records import storing, write_whole
from dreamix.data.suite import Suite, load_suite
from dreamix.data.suite_check import check_suite
from dreamix.data.suite_entries import CATEGORIES, Edit, VideoEntry
from dreamix.data.suite_form import control_character
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
# How the checks of a suite name the line of what a row repeats.
EARLIER = re.compile(r"((?:\(|\(first on |as on )line )([0-9]+)(?=\)|$)")


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


EditRows = list[tuple[Edit, tuple[At, EditDraft]]]  # edits, each with its row
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
    _check_choices(wanted)
    folder = path if path.is_dir() else path.parent
    root = (wanted.media_root or folder).resolve()
    draft = Draft(kind.name, root, wanted.fps, chosen=wanted.media_root is not None)
    kind.read(path, draft)
    clips = _clips(draft)
    rows, videos = _edits(draft, clips), entries(draft, clips)
    if not rows and not draft.problems:
        raise UserError(f"{path} asks for no edit: nothing was imported")
    head = {**_heads(kind, wanted, path), **_categories(draft)}
    if rows:
        draft.problems += _mistakes(head, draft, clips, rows, videos)
    _check_before(out, kind, draft, rows)
    made = _with_mistakes(draft, outputs, {edit.id: row for edit, row in rows})
    draft.stop()
    suite = Suite(
        **head,
        root=out.resolve(),
        media_root=(out if wanted.copy else draft.root).resolve(),
        videos=_hashed(videos, draft.root),
        edits=tuple(edit for edit, _ in rows),
    )
    _write(suite, head, draft.root if wanted.copy else None)
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


def _check_choices(wanted: ImportChoices) -> None:
    """Raise a `UserError` for texts that no suite can hold, and a folder that is not there."""
    for name in ("name", "licence", "commit"):
        text = getattr(wanted, name) or ""
        if "\n" in text or control_character(text):
            raise UserError(f"--{name} {shown(text)}: write one line of text")
    if wanted.media_root and not wanted.media_root.is_dir():
        raise UserError(f"--media-root {wanted.media_root}: there is no such folder")


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
            draft.lost(at, asked.clip)
        if place is None:
            lost.add(asked.clip)
        else:
            found[asked.clip] = place
    return found


def _edits(draft: Draft, clips: Mapping[str, str]) -> EditRows:
    """Return the edits, each with its row; two rows of one key are a problem."""
    ids, found = video_ids([*clips.values()]), []
    first: dict[str, At] = {}
    for at, asked in draft.edits:
        if (known := first.setdefault(asked.key, at)) is not at:
            draft.wrong(at, f"{asked.key} stands twice (first on line {known.line})")
        elif asked.clip in clips:
            edit = edit_of(draft.format, at, asked, ids[clips[asked.clip]])
            found.append((edit, (at, asked)))
    return found


def _heads(kind: SuiteFormat, wanted: ImportChoices, path: Path) -> dict[str, Any]:
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


def _hashed(videos: Mapping[str, VideoEntry], root: Path) -> dict[str, VideoEntry]:
    """Return the videos with the hashes of their files: outputs belong to these and no others."""
    found = {}
    with progress_bar("reading clips") as progress:
        for done, (name, video) in enumerate(videos.items()):
            progress(done, len(videos), note=str(video.path))
            path = root / str(video.path)
            found[name] = replace(video, sha256=sha256_file(path)) if path.is_file() else video
    return found


class SuiteText(NamedTuple):
    """A suite.yaml, and the lines on which its videos and edits begin."""

    text: str
    videos: list[int]
    edits: list[int]


def _text(
    head: Mapping[str, Any], videos: Iterable[VideoEntry], edits: Iterable[Edit]
) -> SuiteText:
    """Return the text of a suite.yaml: rows are written one by one, so that lines are known."""
    parts, lines, line = [_dumped(dict(head))], [], _dumped(dict(head)).count("\n") + 1
    for key, rows in (("videos", videos), ("edits", edits)):
        parts.append(f"{key}:\n")
        line, starts = line + 1, []
        for row in rows:
            starts.append(line)
            parts.append(_dumped([row.to_dict()]))
            line += parts[-1].count("\n")
        lines.append(starts)
    return SuiteText("".join(parts), *lines)


def _dumped(value: object) -> str:
    text: str = yaml.dump(value, Dumper=DUMPER, sort_keys=False, allow_unicode=True, width=100)
    return text


def _mistakes(
    head: Mapping[str, Any],
    draft: Draft,
    clips: Mapping[str, str],
    rows: EditRows,
    videos: Mapping[str, VideoEntry],
) -> list[Problem]:
    """Return what the checks of a suite say, at the rows that it comes from."""
    written = _text(head, videos.values(), (edit for edit, _ in rows))
    with TemporaryDirectory() as folder:
        file = Path(folder, SUITE_FILE)
        file.write_text(written.text, encoding="utf-8")
        found = check_suite(file, draft.root)
    first: dict[str, At] = {}
    for at, asked in draft.edits:
        first.setdefault(clips.get(asked.clip, ""), at)
    places = [first[str(video.path)] for video in videos.values()] + [at for _, (at, _) in rows]
    starts = [*written.videos, *written.edits]

    def row_of(line: int) -> At:
        return places[max(bisect.bisect_right(starts, line) - 1, 0)]

    return [row_of(one.line).wrong(_as_told_here(one.message, row_of)) for one in found]


def _as_told_here(message: str, row_of: Callable[[int], At]) -> str:
    """Return what a check says with the lines of the user's file, where a rate is an option."""
    lines = EARLIER.sub(lambda found: f"{found[1]}{row_of(int(found[2])).line}", message)
    return lines.replace("`fps` is", "--fps is")


def _check_before(
    out: Path,
    kind: SuiteFormat,
    draft: Draft,
    rows: EditRows,
) -> None:
    """Note where a row asks for something else than at the last import to the same folder."""
    if not (out / SUITE_FILE).exists():
        return
    before = load_suite(out, files=False)
    if before.origin.get("format") != kind.name:
        raise UserError(f"{out / SUITE_FILE} was not made of {kind.title}: use another folder")
    known = {_key(edit): edit for edit in before.edits}
    for edit, (at, asked) in rows:
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


def _write(suite: Suite, head: Mapping[str, Any], clips: Path | None) -> None:
    """Write the suite and, where they are wanted, its clips; clips: the folder they are in."""
    with storing(suite.root):
        suite.root.mkdir(parents=True, exist_ok=True)
        for video in suite.videos.values() if clips else ():
            _copy(Path(str(clips), str(video.path)), suite.root / str(video.path), video.sha256)
    with write_whole(suite.root / SUITE_FILE) as file:
        file.write(_text(head, suite.videos.values(), suite.edits).text.encode())


def _copy(clip: Path, copy: Path, sha256: str | None) -> None:
    """Copy a clip or a folder of frames, unless it is there already."""
    if clip.resolve() == copy.resolve():
        return
    copy.parent.mkdir(parents=True, exist_ok=True)
    if clip.is_dir():
        shutil.copytree(clip, copy, dirs_exist_ok=True)
    elif not copy.exists() or sha256_file(copy) != sha256:
        shutil.copy2(clip, copy)
