"""The strip that a report opens with: four edits by every method, a few frames of each clip.

Which edits they are is a rule, not a choice: categories in alphabetical order, of each the first
edit by its id, then of each the second, until there are four.
"""

import base64
import io
from itertools import chain, zip_longest
from pathlib import Path
from typing import NamedTuple

import numpy as np
from markupsafe import Markup
from PIL import Image

from dreamix.core.errors import UserError
from dreamix.core.media import read_video
from dreamix.core.records import write_whole
from dreamix.data.suite import Edit
from reports.loading import Run
from reports.media import Copies, Copy
from reports.rendering import macros
from reports.wording import plural

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
_PIECES, _STRIP = macros("pieces.html"), macros("strip.html")


class Frames(NamedTuple):
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
    rows: tuple[tuple[str, tuple[Frames, ...]], ...]  # label, frames by edit

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


def _frames(copy: Copy | None, media: Path) -> Frames:
    if copy is None or copy.file is None:
        return Frames(b"", (copy.status if copy else "missing"))
    try:
        frames = read_video(media / copy.file).frames
    except UserError:
        return Frames(b"", "failed")
    places = np.linspace(0, len(frames) - 1, FRAMES).round().astype(int)
    return Frames(_jpeg([_small(frames[at]) for at in places]))


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


def strip_or_why(strip: Strip | None, why: str) -> Markup:
    """Return the strip as a part of a page, or the line that says why there is none."""
    return _STRIP.strip(strip, RULE, FRAMES) if strip else _PIECES.note(why)
