"""Suites: which source clips there are and which edits of them are asked for.

`load_suite` reads suite.yaml (format: datasets/README.md). A run stores `Suite.to_dict()` in its
folder and later reads that snapshot back, so a suite edited meanwhile cannot change old results.
"""

import hashlib
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np

from dreamix.core.errors import Problem, UserError
from dreamix.core.media import read_video
from dreamix.core.names import near_misses
from dreamix.core.records import to_json
from dreamix.core.typed import as_typed, read_typed
from dreamix.core.video import Video
from dreamix.data.edit_questions import EditQuestion
from dreamix.data.known_suites import suite_file
from dreamix.data.masks import read_masks
from dreamix.data.suite_check import examine, media_folder
from dreamix.data.suite_entries import CATEGORIES, Edit, VideoEntry
from dreamix.data.suite_form import SuiteForm
from dreamix.data.suite_snapshot import SuiteSnapshot, snapshot_form
from dreamix.data.worlds import WORLDS, World, instruction_of

__all__ = ["CATEGORIES", "Edit", "Suite", "VideoEntry", "load_suite"]

T = TypeVar("T")


@dataclass(frozen=True)
class Suite:
    """Source clips, the edits asked of them, and where their files are."""

    name: str
    version: str
    licence: str
    root: Path  # folder of suite.yaml
    media_root: Path  # folder that the paths of the videos are relative to
    videos: dict[str, VideoEntry]  # by id, in the order of the file
    edits: tuple[Edit, ...]  # in the order of the file
    colour: str | None = None  # matrix of clips that state none: bt601 or bt709; None: a guess
    categories: Mapping[str, str] = field(default_factory=dict)  # its own, as they are spelled
    origin: Mapping[str, Any] = field(default_factory=dict)  # what it was imported from

    @cached_property
    def sha256(self) -> str:
        """Return a hash of all that can change a result: the videos and the edits.

        Name, version, licence, origins, the order of rows and the folders of this machine do not
        count. The path of a video counts only where no SHA-256 says what the file holds, and an
        instruction only where it is not what a world writes of caption and prompt.
        """
        videos = [video.to_dict() for video in self.videos.values()]
        for video in (video for video in videos if "sha256" in video):
            del video["path"]
        edits = [edit.to_dict() for edit in self._stated]
        for edit in edits:
            edit.pop("origin", None)
        rows = {"videos": videos, "edits": edits}
        ordered: dict[str, Any] = {
            key: sorted(table, key=lambda row: row["id"]) for key, table in rows.items()
        }
        ordered |= {"colour": self.colour} if self.colour else {}
        return hashlib.sha256(to_json(ordered).encode()).hexdigest()

    @property
    def rendered(self) -> bool:
        """True if every video is rendered from a recipe."""
        return all(video.recipe is not None for video in self.videos.values())

    @property
    def world(self) -> str | None:
        """The world that renders every video; None where there is no such one."""
        worlds = {video.world for video in self.videos.values()}
        return worlds.pop() if len(worlds) == 1 else None

    def world_of(self, video_id: str) -> World | None:
        """Return what renders a video; None for one that is a file."""
        world = _find("video", video_id, self.videos).world
        return None if world is None else WORLDS.get(world)

    @cached_property
    def _edits_by_id(self) -> dict[str, Edit]:
        return {edit.id: edit for edit in self.edits}

    @cached_property
    def edit_ids(self) -> frozenset[str]:
        """The ids of all edits."""
        return frozenset(self._edits_by_id)

    def edit(self, edit_id: str) -> Edit:
        """Return the edit of that id.

        Raises:
            UserError: for an unknown id, with near misses.
        """
        return _find("edit", edit_id, self._edits_by_id)

    def source_path(self, video_id: str) -> Path | None:
        """Return the file or folder of a source clip, or None if it is rendered."""
        path = _find("video", video_id, self.videos).path
        return None if path is None else self.media_root / path

    def source(self, video_id: str) -> Video:
        """Return a source clip, decoded from its file or rendered from its recipe."""
        entry = _find("video", video_id, self.videos)
        if entry.recipe is not None and (world := self.world_of(video_id)):
            if entry.stills is None:
                return world.clip(entry.recipe)
            return world.stills(entry.recipe, entry.stills)
        path = self.media_root / str(entry.path)
        return read_video(path, entry.fps or 24.0, self.colour)

    def subject_mask(self, video_id: str) -> np.ndarray | None:
        """Return where the subject of a source clip is, bool (frames, height, width).

        Known for rendered clips and for videos with a `mask`; None for the others.
        """
        entry = _find("video", video_id, self.videos)
        if entry.stills is not None:
            return None
        if entry.recipe is not None and (world := self.world_of(video_id)):
            return world.truth(entry.recipe).masks
        return None if entry.mask is None else read_masks(self.media_root / entry.mask)

    def ideal(self, edit_id: str) -> Video | None:
        """Return the clip that fulfils an edit exactly, known in a world only; None otherwise."""
        edit = self.edit(edit_id)
        world, recipe = self.world_of(edit.video), self.ideal_recipe(edit)
        return world.clip(recipe) if world and recipe else None

    def ideal_recipe(self, edit: Edit) -> dict[str, Any] | None:
        """Return the recipe of the clip that fulfils an edit exactly, if its video's world has it.

        None as well for several stills, which do not say where the subject is to be.
        """
        recipe = self.videos[edit.video].recipe
        return None if recipe is None or edit.recipe is None else {**recipe, **edit.recipe}

    def questions(self, edit: Edit) -> tuple[EditQuestion, ...]:
        """Return the checklist of an edit: as the suite states it, or else as its world writes it.

        Of what a world writes nothing is kept: it follows from the recipes, as the ideal clip does.
        """
        if edit.questions:
            return edit.questions
        if edit.id not in self._written:
            self._written[edit.id] = self._questions_of_world(edit)
        return self._written[edit.id]

    @cached_property
    def _written(self) -> dict[str, tuple[EditQuestion, ...]]:
        return {}

    def _questions_of_world(self, edit: Edit) -> tuple[EditQuestion, ...]:
        recipe, world = self.videos[edit.video].recipe, self.world_of(edit.video)
        if world is None or recipe is None or edit.recipe is None:
            return ()
        return tuple(world.questions(world.whole(recipe), edit.recipe))

    def to_dict(self) -> dict[str, Any]:
        """Return a snapshot of JSON values from which `from_dict` makes an equal suite."""
        return {
            "name": self.name,
            "version": self.version,
            "licence": self.licence,
            "sha256": self.sha256,
            "root": str(self.root),
            "media_root": str(self.media_root),
            "videos": [video.to_dict() for video in self.videos.values()],
            "edits": [edit.to_dict() for edit in self._stated],
            **({"colour": self.colour} if self.colour else {}),
            **({"categories": dict(self.categories)} if self.categories else {}),
            **({"origin": dict(self.origin)} if self.origin else {}),
        }

    @property
    def _stated(self) -> list[Edit]:
        """The edits without the instructions that follow from their captions and prompts."""
        return [
            replace(edit, instruction=None)
            if edit.instruction and edit.instruction == _of_world(edit, self.videos)
            else edit
            for edit in self.edits
        ]

    @classmethod
    def from_dict(cls, snapshot: Mapping[str, Any], media_root: Path | None = None) -> Self:
        """Return the suite of a snapshot; `media_root` is where its clips are now.

        Raises:
            UserError: for a snapshot that is none, or whose rows are not those its SHA-256 was made
                from.
        """
        where = "the snapshot of a suite"
        folders = {key: str(snapshot.get(key, ".")) for key in ("root", "media_root")}
        return cls._of(as_typed({**snapshot, **folders}, snapshot_form(), where), media_root, where)

    @classmethod
    def read(cls, path: Path, media_root: Path | None = None) -> Self:
        """Return the suite of a snapshot in a file, as `from_dict`; errors name the file."""
        return cls._of(read_typed(path, snapshot_form()), media_root, str(path))

    @classmethod
    def _of(cls, snapshot: SuiteSnapshot, media_root: Path | None, where: str) -> Self:
        snapshot.check(where)
        suite = cls(
            root=Path(snapshot.root),
            media_root=Path(media_root or snapshot.media_root),
            **_held(snapshot),
        )
        if snapshot.sha256 not in (None, suite.sha256):
            raise UserError(f"{where} was altered after it was written: suite {suite.name!r}")
        return suite


def load_suite(path: Path, media_root: Path | None = None, *, files: bool = True) -> Suite:
    """Return the suite at `path`: a suite.yaml, the folder that holds one, or a known suite's name.

    media_root: folder that its paths are relative to; default: the folder of suite.yaml.
    files:      False reads the lists only, for a machine without the clips.

    Raises:
        UserError: for any problem; `check_suite` lists them all.
    """
    examined = examine(path, media_root, files=files)
    form = examined.suite
    if form is None or examined.problems:
        raise UserError(_summary(examined.problems, path, media_root))
    file = suite_file(path)
    root = file.parent.resolve()
    return Suite(root=root, media_root=media_folder(file, media_root), **_held(form))


def _held(read: SuiteForm | SuiteSnapshot) -> dict[str, Any]:
    """Return the fields of a suite that a file holds; edits get the instructions of their world."""
    videos = {row.id: VideoEntry.from_dict(vars(row)) for row in read.videos}
    edits = tuple(_told(Edit.from_dict(vars(row)), videos) for row in read.edits)
    heads = {name: getattr(read, name) for name in ("name", "licence", "colour")}
    more = {name: getattr(read, name) or {} for name in ("categories", "origin")}
    return {**heads, **more, "version": str(read.version), "videos": videos, "edits": edits}


def _told(edit: Edit, videos: Mapping[str, VideoEntry]) -> Edit:
    """Return an edit with the instruction that its world writes, where the suite states none."""
    words = None if edit.instruction else _of_world(edit, videos)
    return replace(edit, instruction=words) if words else edit


def _of_world(edit: Edit, videos: Mapping[str, VideoEntry]) -> str | None:
    video = videos[edit.video]
    if video.world is None or video.caption is None or edit.prompt is None:
        return None
    return instruction_of(video.world, video.caption, edit.prompt)


def _summary(problems: Sequence[Problem], path: Path, media_root: Path | None) -> str:
    root = [] if media_root is None else ["--media-root", str(media_root)]
    command = shlex.join(["dreamix", "bench", "check", str(path), *root])
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{problems[0]}{more}; `{command}` lists every problem"


def _find(kind: str, name: str, table: Mapping[str, T]) -> T:
    if name not in table:
        raise UserError(f"the suite has no {kind} {name!r}{near_misses(name, [*table])}")
    return table[name]
