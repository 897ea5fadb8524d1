"""Copies of the clips that every browser plays, in the report's own folder.

A clip that a browser plays as it is, is copied; any other (lossless H.264 4:4:4, GIF, FFV1, one
whose colours the suite or the method says) becomes H.264 4:2:0. Names are hashes of the content, so
equal clips are stored once and none is made twice.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from dreamix.core.errors import UserError
from dreamix.core.media import probe, read_video, sha256_file, write_video
from dreamix.core.places import own_folder
from dreamix.core.progress import Progress
from evaluation.run.folder import link_whole
from evaluation.schema import Cell
from evaluation.score.remarks import ALIKE
from reports.loading import NO_CLIP, Run, clip_file, source_file

# Goes into every name: a clip made by another recipe is made again.
RECIPE = "h264-yuv420p-1"
PLAYABLE = {
    (".mp4", "h264", "yuv420p"),
    (".webm", "vp8", "yuv420p"),
    (".webm", "vp9", "yuv420p"),
}
SUFFIXES = (".mp4", ".webm")


@dataclass(frozen=True)
class Copy:
    """A clip of the gallery, or why there is none."""

    file: str | None = None  # name in the report's media folder
    fps: float | None = None
    status: str = "ok"
    why: str | None = None
    pace: float | None = None  # seconds of it beside one of its source, if not one
    length: tuple[int, float] | None = None  # frames and seconds; not for the page

    def to_dict(self) -> dict[str, Any]:
        """Return the fields that are set and that the page asks for."""
        told = {name: value for name, value in vars(self).items() if value is not None}
        return {name: value for name, value in told.items() if name != "length"}


class Copies(NamedTuple):
    """Every clip of the gallery: of the sources by video, of the edits by (method, edit, seed)."""

    sources: dict[str, Copy]
    clips: dict[tuple[str, str, int], Copy]


def make_copies(run: Run, folder: Path, progress: Progress | None = None) -> Copies:
    """Return the copies of all clips of `run`, made in `folder` unless they are there already.

    Other clips in `folder` are removed. A clip that cannot be read is a Copy with the reason.
    """
    own_folder(folder)
    total = len(run.videos) + len(run.cells)
    if progress:
        progress(0, total)
    sources: dict[str, Copy] = {}
    clips: dict[tuple[str, str, int], Copy] = {}
    for video in run.videos:
        sources[video] = _source(run, video, folder)
        if progress:
            progress(len(sources), total)
    by_number = any(metric.policy == "auto" for metric in run.files.info.metrics.values())
    for cell in run.cells:
        clips[cell] = _clip(run, cell, folder)
        if by_number:
            clips[cell] = _in_step(clips[cell], sources[run.edits[cell.edit].video])
        if progress:
            progress(len(sources) + len(clips), total)
    _remove_others(folder, {copy.file for copy in (*sources.values(), *clips.values())})
    return Copies(sources, clips)


def _in_step(clip: Copy, source: Copy) -> Copy:
    """Return a clip with the pace at which its frames, of one count, fall on those of its source.

    Its scores pair them so too, whatever the rates say.
    """
    if not clip.length or not source.length or clip.length[0] != source.length[0]:
        return clip
    pace = clip.length[1] / source.length[1]
    return clip if abs(pace - 1) < ALIKE or not 1 / 16 <= pace <= 16 else replace(clip, pace=pace)


def _source(run: Run, video: str, folder: Path) -> Copy:
    path = source_file(run, video)
    if path is None:
        return Copy(status="missing", why="the run folder has lost the source clip")
    return _copied(path, sha256_file(path), folder, run.files.suite.colour)


def _clip(run: Run, cell: Cell, folder: Path) -> Copy:
    row = run.clips.get(cell)
    if row is None:
        return Copy(status="missing", why=NO_CLIP)
    if row.status != "ok":
        return Copy(status=row.status, why=row.reason)
    path = clip_file(run, row)
    if path is None:
        return Copy(status="missing", why="the clip's file is gone from the run folder")
    return _copied(path, row.sha256 or sha256_file(path), folder, run.files.colour(cell.method))


def _copied(path: Path, sha256: str, folder: Path, colour: str | None) -> Copy:
    """Return the copy of one file, found or made.

    colour: how the file is read where it states none. A browser would guess: such a copy is made.
    """
    said = f":{colour}" if colour else ""
    name = hashlib.sha256(f"{RECIPE}:{sha256}{said}".encode()).hexdigest()[:20]
    try:
        info = probe(path)
        kind = path.suffix.lower(), info.codec, info.pixel_format
        playable = kind in PLAYABLE and colour is None
        target = folder / f"{name}{path.suffix.lower() if playable else '.mp4'}"
        if not target.exists():
            _make(path, target, playable, colour)
        made = info if playable else probe(target)
        length = (made.frames, made.duration) if made.frames and made.duration else None
        return Copy(file=target.name, fps=info.fps, length=length)
    except UserError as error:
        return Copy(status="failed", why=f"the clip cannot be read: {error}")


def _make(path: Path, target: Path, playable: bool, colour: str | None) -> None:
    if playable:
        link_whole(path, target)
    else:
        write_video(target, read_video(path, colour=colour))


def _remove_others(folder: Path, wanted: set[str | None]) -> None:
    """Remove clips that an earlier report left and this one does not show."""
    for path in _clips_in(folder):
        if path.name not in wanted:
            path.unlink()


def _clips_in(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if path.suffix in SUFFIXES)
