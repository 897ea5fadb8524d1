"""A run folder: what it is about, and where everything in it stands."""

import os
import shutil
import stat
import uuid
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from dreamix.core.errors import UserError
from dreamix.core.media import COLOURS, write_video
from dreamix.core.places import REFUSED, inside
from dreamix.core.records import open_file, storing, write_json, write_whole
from dreamix.data.suite import Edit, Suite
from evaluation.run import identity
from evaluation.run.clip_rows import ClipRows
from evaluation.run.info import (
    KeptSource,
    RunInfo,
    clip_name,
    read_kept_source,
    read_run_info,
)
from evaluation.run.masks_kept import read_packed_mask, write_packed_mask
from evaluation.schema import FORMAT, Cell, ClipRow

# What commands write to, file by file or in it: no link there may lead out.
WRITTEN = (
    "run.json",
    "suite.json",
    "scores.jsonl",
    "scores.parquet",
    "sources/masks",
    "clips",
    "features",
    "finetuned",
    ".clips.json",
    ".settled.json",
    ".suite-read.json",
    ".lock",
)


class RunFolder:
    """A folder that holds one comparison on one suite.

    It may come from a stranger: a name or a link in it that leads out of it is a `UserError`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.standing: dict[Cell, ClipRow] = {}  # rows that were read and need not be made anew
        self._folders: dict[tuple[str, str], str] = {}  # of clips
        self._above: dict[str, str] = {}  # of a method's clips

    @property
    def scores(self) -> Path:
        """File of the scores."""
        return self.place("scores.jsonl")

    @property
    def features(self) -> Path:
        """Folder of the embeddings that are kept."""
        return self.place("features")

    @property
    def finetuned(self) -> Path:
        """Folder of the weights that were finetuned."""
        return self.place("finetuned")

    def place(self, *names: str) -> Path:
        """Return the path of something in the folder, one level a name."""
        return inside(self.path, *names)

    def check(self) -> None:
        """Raise a `UserError` if this is not a run folder that can be read and written."""
        self.info, self.suite  # noqa: B018 - reading them checks them
        for name in WRITTEN:
            self.place(*name.split("/"))
        for path in self.finetuned.rglob("*"):
            self.place(*path.relative_to(self.path).parts)

    @cached_property
    def info(self) -> RunInfo:
        """Contents of run.json."""
        return read_run_info(self.path)

    @cached_property
    def suite(self) -> Suite:
        """The suite as it was when the run began, with its clips in this folder."""
        path = self.place("suite.json")
        suite = Suite.read(path, self.path / "sources")
        if suite.sha256 != self.info.suite.sha256:
            raise UserError(f"{path} is not the suite that run.json names: it was altered")
        known = {edit.id for edit in suite.edits}
        if lost := [edit for edit in self.info.edits if edit not in known]:
            raise UserError(f"{self.path}: edit {lost[0]} of run.json is not in suite.json")
        return suite

    def change(self, **fields: Any) -> None:
        """Write run.json anew with other values of some of its fields."""
        self.info = replace(self.info, **fields, format=FORMAT)
        self.save()

    def save(self) -> None:
        """Write run.json anew."""
        write_json(self.place("run.json"), self.info.to_dict())

    @property
    def edits(self) -> list[Edit]:
        """The edits of the grid, in the suite's order."""
        asked = set(self.info.edits)
        return [edit for edit in self.suite.edits if edit.id in asked]

    def cells(self) -> list[Cell]:
        """Return the whole grid, video by video, then by method, edit and seed."""
        videos = {edit.id: edit.video for edit in self.edits}
        return sorted(self.info.grid([*videos]), key=lambda cell: (videos[cell.edit], cell))

    def first_cell(self, label: str, edit: str) -> Cell:
        """Return the cell that stands for a method: raters see its first seed."""
        return Cell(label, edit, self.info.methods[label].seeds[0])

    def sidecar(self, cell: Cell) -> Path:
        """Return where the facts about a clip stand."""
        return self.place("clips", cell.method, cell.edit, f"{cell.seed}.json")

    def clip_row(self, cell: Cell) -> ClipRow | None:
        """Return what is known of a clip; None if it has not been made."""
        return self.rows.get(self._in_cell(cell.method, cell.edit, f"{cell.seed}.json"), cell)

    @cached_property
    def rows(self) -> ClipRows:
        """What was read of the clips, with what is known of the files they came from."""
        return ClipRows(self.place(".clips.json"))

    def keep_rows(self) -> None:
        """Keep the rows that were read where the next call finds them at once."""
        self.rows.save()

    def _in_cell(self, method: str, edit: str, name: str) -> str:
        """Return the path of a file of a clip."""
        path = os.path.join(self._of_cell(method, edit), name)
        return path if not os.path.islink(path) else str(self.place("clips", method, edit, name))

    def _of_cell(self, method: str, edit: str) -> str:
        """Return the folder of a cell; the links above it are looked at once."""
        folder = self._folders.get((method, edit))
        if folder is None:
            folder = self._folders[method, edit] = self._folder(method, edit)
        return folder

    def _folder(self, method: str, edit: str) -> str:
        """Look for links: of thousands of folders that lie in one, that one is looked at once."""
        if method not in self._above:
            self._above[method] = str(self.place("clips", method))
        path = os.path.join(self._above[method], edit)
        is_plain = edit not in REFUSED and "/" not in edit and not os.path.islink(path)
        return path if is_plain else str(self.place("clips", method, edit))

    def clip_path(self, row: ClipRow) -> Path:
        """Return the file of a clip that was made."""
        if row.file is None:
            raise ValueError(f"{row} has no clip")
        return self.place("clips", row.method, row.edit, row.file)

    def has_clip(self, row: ClipRow) -> bool:
        """Return True if the clip of the row is there, as long as it was when it was made."""
        try:
            state = os.lstat(os.path.join(self._of_cell(row.method, row.edit), row.file or ""))
            if stat.S_ISLNK(state.st_mode):
                state = os.stat(self._in_cell(row.method, row.edit, row.file or ""))
        except OSError:
            return False
        return stat.S_ISREG(state.st_mode) and state.st_size == row.size

    def needs_backend(self, label: str) -> bool:
        """Return True if the clips of that column are made with a model."""
        return self.info.methods[label].backend is not None

    def colour(self, label: str) -> str | None:
        """Return how clips of that column are read that state no colour matrix; None: a guess."""
        told = self.info.methods[label].config.get("colour")
        return told if told in COLOURS else self.suite.colour

    def source(self, video: str) -> Path:
        """Return the source clip that the run keeps."""
        kept = self.kept_source(video)
        path = self.place("sources", kept.file) if kept else None
        if path is None or not path.is_file():
            raise UserError(f"{self.path} has lost the source of {video}: run `bench run` again")
        return path

    def kept_source(self, video: str) -> KeptSource | None:
        """Return which file the kept source is, and where it came from; None if not kept."""
        path = self.place("sources", f"{video}.json")
        return read_kept_source(path, video) if path.exists() else None

    def has_mask(self, video: str) -> bool:
        """Return True if the suite told where the subject is."""
        return self.mask_path(video).exists()

    def mask_path(self, video: str) -> Path:
        """Return where it is kept which pixels of a source are the subject."""
        return self.place("sources", "masks", f"{video}.npz")

    def subject_mask(self, video: str) -> np.ndarray | None:
        """Return where the subject is, bool (frames, height, width), if the suite told."""
        return read_packed_mask(self.mask_path(video)) if self.has_mask(video) else None

    def keep_source(self, suite: Suite, video: str) -> None:
        """Copy a source clip, and its mask, into the run folder unless they are there.

        Where it stands, and when it was written, may change.

        Raises:
            UserError: for a source whose content has changed: the clips here were made from the old
                one.
        """
        path = suite.source_path(video)
        kept = self.kept_source(video)
        if kept and self.place("sources", kept.file).is_file():
            self._compare_source(video, kept, path)
            return
        if suite.videos[video].mask and (mask := suite.subject_mask(video)) is not None:
            write_packed_mask(self.mask_path(video), mask)
        came_from = identity.origin(path) if path else None
        name = clip_name(video, path.suffix) if path and path.is_file() else f"{video}.mp4"
        if path and path.is_file():
            copy_whole(path, self.place("sources", name))
        else:
            write_video(self.place("sources", name), suite.source(video), lossless=True)
        write_json(self.place("sources", f"{video}.json"), asdict(KeptSource(name, came_from)))

    def _compare_source(self, video: str, kept: KeptSource, path: Path | None) -> None:
        """Raise a `UserError` if a source that is kept is not what stands at `path` now."""
        if path is None or kept.origin is None:
            return
        now = identity.renewed(kept.origin, path, self.place("sources", kept.file))
        if now is None:
            raise UserError(f"{path} has changed since {self.path} was begun: choose another --out")
        if now != kept.origin:
            renewed = asdict(replace(kept, origin=now))
            write_json(self.place("sources", f"{video}.json"), renewed)


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file; the copy is whole or not there."""
    try:
        held = open_file(source)
    except OSError as error:
        raise UserError(f"cannot read {source}: {error.strerror}") from None
    with held, write_whole(target) as file:
        shutil.copyfileobj(held, file, 1 << 20)


def link_whole(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it where that cannot be; whole or not at all.

    Files of a run are replaced, never changed in place, so that one folder cannot spoil the other.
    """
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    with storing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, temporary)
            temporary.replace(target)
        except OSError:  # another disk, or one without links
            copy_whole(source, target)
        finally:
            temporary.unlink(missing_ok=True)  # still there if both names were of one file already
