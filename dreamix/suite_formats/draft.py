"""A suite while it is put together of another benchmark's files, and what is wrong with those."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar
from unicodedata import combining, normalize

from pydantic import ValidationError, create_model

from dreamix.core.errors import Mistakes, Problem
from dreamix.core.names import shown
from dreamix.core.seeding import seed_for
from dreamix.core.typed import adapter, first_mistake
from dreamix.core.yaml_reading import Document, Place
from dreamix.core.yaml_typed import Findings
from dreamix.data.edit_questions import EditQuestion
from dreamix.data.suite_entries import CATEGORIES, Edit, VideoEntry
from dreamix.data.suite_form import why_outside, why_unsafe

T = TypeVar("T")
MOST_LETTERS = 50  # of a word for tables
UNSTATED = "unstated"  # category of edits of which the benchmark says none


class At(NamedTuple):
    """Where something stands in a file."""

    file: Path
    line: int

    def wrong(self, message: str) -> Problem:
        """Return a problem that stands here."""
        return Problem(str(self.file), self.line, message)


class FileRow(NamedTuple, Generic[T]):
    """A row of a file that has its form."""

    at: At
    place: Place  # its key, or its position from 0
    value: T


@dataclass
class EditDraft:
    """What a row asks for, in the words of the benchmark."""

    key: str  # its own id of the row; where that is a position, the words are hashed into our id
    clip: str  # path of the source
    prompt: str | None = None
    instruction: str | None = None
    caption: str | None = None
    phrases: tuple[str | None, str | None] = (None, None)
    category: str | None = None  # as it is spelled there
    known_as: str | None = None  # of CATEGORIES, where that says the same
    spelled: str | None = None  # the category in full, if it has parts
    tags: Sequence[str] = ()
    questions: Sequence[EditQuestion] = ()
    references: Sequence[str] = ()
    output: str | None = None  # where a method's output is in its folder, without the suffix
    positional: bool = False  # `key` is a position, which an edit put in before it would move
    fps: float | None = None  # of a folder of frames


@dataclass
class Draft:
    """Videos and edits as they are found, with their places; `problems` are to be mended first.

    root: folder that the clips are in. fps: of folders of frames, where nothing says it.
    """

    format: str
    root: Path
    fps: float | None = None
    edits: list[tuple[At, EditDraft]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)  # what was left out -> how often
    chosen: bool = False  # whether the user named `root`

    def rows(self, document: Document, row: type[T], inner: Place = ()) -> Iterator[FileRow[T]]:
        """Yield the rows of a list, or of an object of objects, that have their form.

        inner: the place of the list in the document. Mistakes of the others are noted, all of them,
        and so are keys that the form does not know.
        """
        found = Findings(document)
        held = _at(document.value, inner)
        several: Any = dict[str, row] if isinstance(held, dict) else list[row]  # type: ignore[valid-type]
        if document.root is None and not document.problems:
            found.add((), "the file is empty")
        elif document.root is not None:
            _read_inner(found, several, inner, held)
        self.problems += found.problems
        odd = {place[: len(inner) + 1] for place in found.places}
        known = set(adapter(row).json_schema().get("properties", {}))
        each: Any = held.items() if isinstance(held, dict) else enumerate(_listed(held))
        for key, value in each:
            place = (*inner, key)
            if place not in odd:
                at = At(Path(document.file), document.line(place))
                self.notes.update(f"key {shown(name)}" for name in sorted(set(value) - known))
                yield FileRow(at, place, adapter(row).validate_python(value))

    def cells(self, at: At, row: type[T], cells: dict[str, str]) -> T | None:
        """Return a row of a table; None after noting what is wrong. Empty cells are none."""
        try:
            told = {name: text for name, text in cells.items() if text}
            return adapter(row).validate_python(told)
        except ValidationError as error:
            self.wrong(at, " ".join(first_mistake(error).split()))
            return None

    def at_home(self, folder: Path) -> None:
        """Take the clips to be in a folder, unless the user says where they are."""
        self.root = self.root if self.chosen else folder.resolve()

    def wrong(self, at: At, message: str) -> None:
        """Note what is wrong at a place."""
        self.problems.append(at.wrong(message))

    def add(self, at: At, asked: EditDraft) -> None:
        """Take an edit in."""
        self.edits.append((at, asked))

    def found(self, at: At, path: str) -> str | None:
        """Return where the clip of a path is, relative to `root`; None after noting that it is not.

        Folders at its beginning may be missing here: of a/b/c.mp4 b/c.mp4 and c.mp4 are tried too,
        and each with its accents as letters of their own and as signs behind letters.
        """
        if why := why_outside(path):
            self.wrong(at, f"the clip {shown(path, 200)}{why}")
            return None
        for parts in (Path(form).parts for form in unicode_forms(path)):
            for one in (Path(*parts[k:]) for k in range(len(parts))):
                if (self.root / one).exists():
                    return one.as_posix()
        self.lost(at, path)
        return None

    def lost(self, at: At, path: str) -> None:
        """Note that a clip is not there."""
        hint = "" if self.chosen else ": --media-root names the folder of the clips"
        self.wrong(at, f"no clip {path} in {self.root}{hint}")

    def stop(self) -> None:
        """Raise all that was noted, if there is anything."""
        if self.problems:
            raise Mistakes(sorted(self.problems, key=lambda one: (one.file, one.line)))


def _at(value: Any, place: Place) -> Any:
    for part in place:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _listed(held: Any) -> list[Any]:
    return held if isinstance(held, list) else []


def _read_inner(found: Findings, kind: Any, inner: Place, held: Any) -> None:
    """Hold a part of a document to its form."""
    whole: Any = kind
    for key in reversed(inner):
        whole = _under(str(key), whole)
    if held is None and inner:
        found.add((), f"there is no {'.'.join(map(str, inner))} in it")
    elif not isinstance(held, list | dict):
        found.add(inner, " must be a list of edits")
    else:
        found.read_as(whole)


def _under(key: str, kind: Any) -> Any:
    """Return a form of which one key is looked at, and no other."""
    fields: dict[str, Any] = {key: (kind, ...)}
    return create_model(f"Under_{key}", **fields)


def safe_id(text: str) -> str:
    """Return an id for a name: itself if it can be one, else what is left of it and a hash."""
    bare = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-") or "edit"
    bare = re.sub(r"\.{2,}", ".", bare)
    if bare == text and why_unsafe(bare) is None:
        return text
    cut = bare[:80].rstrip(".-")
    found = f"{cut}-{digest(text)}"
    return found if why_unsafe(found) is None else f"edit-{digest(text)}"


def digest(*texts: str) -> str:
    """Return eight letters that change with any of the texts."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:8]


def unicode_forms(path: str) -> list[str]:
    """Return a path, and how else it may be spelled: systems differ in how they keep accents."""
    return list(dict.fromkeys([path, normalize("NFC", path), normalize("NFD", path)]))


def slug(text: str) -> str:
    """Return a word for tables: small letters, digits, and - between them.

    Where letters of other scripts, or letters beyond the fiftieth, would be lost, a hash tells the
    words apart; blanks and signs alone say nothing.
    """
    bare = normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in bare if not combining(letter))
    word = re.sub(r"[^a-z0-9]+", "-", bare).strip("-")
    if (text.isascii() or not text.strip()) and len(word) <= MOST_LETTERS:
        return word or UNSTATED
    start = word[:40].strip("-") or "word"
    return f"{start}-{digest(normalize('NFC', text.casefold()))}"


def category_of(format_: str, asked: EditDraft) -> str:
    """Return the category of an edit: one that is known, or a word that the suite declares."""
    if asked.known_as:
        return asked.known_as
    word = slug(asked.category or UNSTATED)
    return f"{format_}-{word}" if word in CATEGORIES else word


def edit_id(asked: EditDraft) -> str:
    """Return our id of a row; of one that is known by its position, with a hash of its words."""
    if not asked.positional:
        return safe_id(asked.key)
    words = digest(asked.prompt or "", asked.instruction or "")
    return safe_id(f"{safe_id(asked.key.replace('/', '_'))}_{words}")


def shuffled(options: Sequence[str], *names: str) -> tuple[str, ...]:
    """Return the options in an order that hangs on the names alone: the right one is often last."""
    return tuple(sorted(options, key=lambda one: seed_for("options", *names, one)))


def video_ids(paths: Sequence[str]) -> dict[str, str]:
    """Return an id for each clip: its stem, or all of its path where stems are alike."""
    stems = Counter(Path(path).stem.lower() for path in set(paths))
    whole = {path: Path(path).with_suffix("").as_posix().replace("/", "-") for path in paths}
    return {
        path: safe_id(Path(path).stem if stems[Path(path).stem.lower()] == 1 else whole[path])
        for path in paths
    }


def entries(draft: Draft, clips: dict[str, str]) -> dict[str, VideoEntry]:
    """Return a video for each clip; what the first edit of it says of it counts."""
    ids = video_ids([*clips.values()])
    found: dict[str, VideoEntry] = {}
    for at, asked in draft.edits:
        if (path := clips.get(asked.clip)) is None:
            continue
        fps = (asked.fps or draft.fps) if (draft.root / path).is_dir() else None
        kept = found.get(path) or VideoEntry(ids[path], None, path, fps=fps)
        if fps is not None and fps != kept.fps:
            draft.wrong(at, f"fps {fps:g} here and {kept.fps:g} in a row before: {path} has one")
        if kept.caption is None:
            kept = replace(kept, caption=asked.caption)
        elif asked.caption not in (None, kept.caption):
            draft.notes["captions of sources that have another one already"] += 1
        found[path] = kept
    return {entry.id: entry for entry in found.values()}


def edit_of(format_: str, at: At, asked: EditDraft, video: str) -> Edit:
    """Return a row as an edit of a suite."""
    origin = {"id": asked.key, "file": at.file.name, "line": at.line}
    if asked.category:
        origin["category"] = asked.spelled or asked.category
    return Edit(
        edit_id(asked),
        video,
        asked.prompt,
        category_of(format_, asked),
        instruction=asked.instruction,
        from_phrase=asked.phrases[0],
        to_phrase=asked.phrases[1],
        tags=tuple(dict.fromkeys(asked.tags)),
        questions=tuple(asked.questions),
        references=tuple(asked.references),
        origin=origin,
    )
