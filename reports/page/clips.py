"""The clips of a report: copies that every browser plays, and the strip that it opens with.

A clip that a browser plays as it is, is copied; any other (lossless H.264 4:4:4, GIF, FFV1, one
whose colours the suite or the method says) becomes H.264 4:2:0. Names are hashes of the content, so
equal clips are stored once and none is made twice.

The strip shows four edits by every method, a few frames of each clip.
Which edits they are is a rule, not a choice: categories in alphabetical order, of each the first
edit by its id, then of each the second, until there are four.
"""

import base64
import hashlib
import io
from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from dreamix.core.errors import UserError
from dreamix.core.media import probe, read_video, sha256_file, write_video
from dreamix.core.places import own_folder
from dreamix.core.progress import Progress
from dreamix.core.records import write_whole
from dreamix.core.wording import plural
from dreamix.data.suite import Edit
from evaluation.run.folder import link_whole
from evaluation.schema import Cell
from evaluation.score.remarks import ALIKE
from reports.loading import NO_CLIP, Run, clip_file, source_file

# Goes into every name: a clip made by another recipe is made again.
RECIPE = "h264-yuv420p-1"
PLAYABLE = {(".mp4", "h264", "yuv420p"), (".webm", "vp8", "yuv420p"), (".webm", "vp9", "yuv420p")}
SUFFIXES = (".mp4", ".webm")
EDITS, FRAMES, HEIGHT = 4, 3, 128
RULE = (
    "One edit a category, in alphabetical order, the first by id, and round again until there are "
    "four; first, middle and last frame of each clip."
)
NO_CLIPS = "No clips are shown: this report was made with --no-media."
NO_RUN = (
    "No clips are shown: an export of ratings holds none. `--run RUN` names the run whose clips "
    "were rated."
)


@dataclass(frozen=True)
class ClipCopy:
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

    sources: dict[str, ClipCopy]
    clips: dict[tuple[str, str, int], ClipCopy]


def make_copies(run: Run, folder: Path, progress: Progress | None = None) -> Copies:
    """Return the copies of all clips of `run`, made in `folder` unless they are there already.

    Other clips in `folder` are removed. A clip that cannot be read is a Copy with the reason.
    """
    own_folder(folder)
    total = len(run.videos) + len(run.cells)
    if progress:
        progress(0, total)
    sources: dict[str, ClipCopy] = {}
    clips: dict[tuple[str, str, int], ClipCopy] = {}
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


def _in_step(clip: ClipCopy, source: ClipCopy) -> ClipCopy:
    """Return a clip with the pace at which its frames, of one count, fall on those of its source.

    Its scores pair them so too, whatever the rates say.
    """
    if not clip.length or not source.length or clip.length[0] != source.length[0]:
        return clip
    pace = clip.length[1] / source.length[1]
    return clip if abs(pace - 1) < ALIKE or not 1 / 16 <= pace <= 16 else replace(clip, pace=pace)


def _source(run: Run, video: str, folder: Path) -> ClipCopy:
    path = source_file(run, video)
    if path is None:
        return ClipCopy(status="missing", why="the run folder has lost the source clip")
    return _copied(path, sha256_file(path), folder, run.files.suite.colour)


def _clip(run: Run, cell: Cell, folder: Path) -> ClipCopy:
    row = run.clips.get(cell)
    if row is None:
        return ClipCopy(status="missing", why=NO_CLIP)
    if row.status != "ok":
        return ClipCopy(status=row.status, why=row.reason)
    path = clip_file(run, row)
    if path is None:
        return ClipCopy(status="missing", why="the clip's file is gone from the run folder")
    return _copied(path, row.sha256 or sha256_file(path), folder, run.files.colour(cell.method))


def _copied(path: Path, sha256: str, folder: Path, colour: str | None) -> ClipCopy:
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
        return ClipCopy(file=target.name, fps=info.fps, length=length)
    except UserError as error:
        return ClipCopy(status="failed", why=f"the clip cannot be read: {error}")


def _make(path: Path, target: Path, playable: bool, colour: str | None) -> None:
    if playable:
        link_whole(path, target)
    else:
        write_video(target, read_video(path, colour=colour))


def _remove_others(folder: Path, wanted: set[str | None]) -> None:
    """Remove clips that an earlier report left and this one does not show."""
    for path in sorted(folder.iterdir()):
        if path.suffix in SUFFIXES and path.name not in wanted:
            path.unlink()


class Thumbnail(NamedTuple):
    """A few frames of one clip, or why there are none."""

    jpeg: bytes
    why: str = ""

    @property
    def address(self) -> str:
        """The picture as a part of the page that shows it."""
        return f"data:image/jpeg;base64,{base64.b64encode(self.jpeg).decode()}"


class Strip(NamedTuple):
    """Frames of chosen edits, a row for the sources and one for every method."""

    edits: tuple[Edit, ...]
    rows: tuple[tuple[str, tuple[Thumbnail, ...]], ...]  # label, frames by edit

    @property
    def title(self) -> str:
        """What it shows."""
        return f"{plural(len(self.edits), 'edit')} by every method"


def chosen_edits(run: Run) -> list[Edit]:
    """Return the edits of the strip, at most four."""
    groups = [
        sorted((e for e in run.edits.values() if e.category == name), key=lambda e: e.id)
        for name in run.categories
    ]
    rounds = chain.from_iterable(zip_longest(*groups))
    return [edit for edit in rounds if edit is not None][:EDITS]


def make_strip(run: Run, copies: Copies, media: Path) -> Strip:
    """Return the frames of the chosen edits; media: the folder of the copies.

    A clip is that of a method's first seed. Anchors stand in it only where nothing competes.
    """
    edits, labels = chosen_edits(run), run.ranked or list(run.methods)
    rows = [("source", tuple(_frames(copies.sources.get(e.video), media) for e in edits))]
    for label in labels:
        seed = run.methods[label].seeds[0]
        clips = [copies.clips.get((label, edit.id, seed)) for edit in edits]
        rows.append((label, tuple(_frames(clip, media) for clip in clips)))
    return Strip(tuple(edits), tuple(rows))


def _frames(copy: ClipCopy | None, media: Path) -> Thumbnail:
    if copy is None or copy.file is None:
        return Thumbnail(b"", (copy.status if copy else "missing"))
    try:
        frames = read_video(media / copy.file).frames
    except UserError:
        return Thumbnail(b"", "failed")
    places = np.linspace(0, len(frames) - 1, FRAMES).round().astype(int)
    return Thumbnail(_jpeg([_small(frames[at]) for at in places]))


def _small(frame: np.ndarray) -> np.ndarray:
    """Return a frame of the strip's height."""
    height, width = frame.shape[:2]
    size = (max(1, round(width * HEIGHT / height)), HEIGHT)
    return np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.LANCZOS))


def _jpeg(frames: list[np.ndarray]) -> bytes:
    """Return frames beside each other as a JPEG, parted by a white line."""
    line = np.full((HEIGHT, 2, 3), 255, np.uint8)
    parts = [part for frame in frames for part in (line, frame)][1:]
    buffer = io.BytesIO()
    Image.fromarray(np.concatenate(parts, axis=1)).save(buffer, "JPEG", quality=82)
    return buffer.getvalue()


def picture_name(row: int, edit: int) -> str:
    """Return the name of the file of a row's frames of an edit, both counted from 0."""
    return f"strip_{edit + 1}_{row}.jpg"


def write_strip(strip: Strip | None, folder: Path) -> None:
    """Write the frames as JPEG files, and remove those of an earlier report."""
    wanted: dict[str, bytes] = {}
    for row, (_, several) in enumerate(strip.rows if strip else ()):
        wanted |= {picture_name(row, k): one.jpeg for k, one in enumerate(several) if one.jpeg}
    for path in folder.glob("strip_*_*.jpg"):
        if path.name not in wanted:
            path.unlink()
    for name, jpeg in wanted.items():
        with write_whole(folder / name) as file:
            file.write(jpeg)
