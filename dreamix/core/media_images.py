"""Still pictures, and folders of numbered pictures that are a clip."""

import re
from pathlib import Path

import av
import numpy as np

from dreamix.core.errors import UserError
from dreamix.core.media_pixels import EXIF_TURNS, ToRgb, stacked, upright
from dreamix.core.media_structure import (
    NotWhole,
    Unsupported,
    exif_orientation,
    jpeg_exif,
    kind_of,
    naming,
    png_exif,
)
from dreamix.core.records import read_bytes
from dreamix.core.video import Video

MOST_BYTES = 1 << 30  # of a picture
SUFFIXES = (".png", ".jpg", ".jpeg")
CODECS = {"png": "png", "jpeg": "mjpeg"}


def decoded_picture(path: Path) -> tuple[av.VideoFrame, int]:
    """Return the stored pixels of a PNG or JPEG and its EXIF orientation, 1 to 8."""
    kind = kind_of(path)
    with naming(path):
        if kind not in CODECS:
            raise Unsupported(f"is {kind} by its first bytes, not PNG or JPEG as its name says")
        data = read_bytes(path, MOST_BYTES)
        exif = png_exif(data) if kind == "png" else jpeg_exif(data)
        decoder = av.CodecContext.create(CODECS[kind], "r")
        assert isinstance(decoder, av.VideoCodecContext)
        decoder.options = {"err_detect": "explode"}  # else a broken part comes out grey
        decoder.thread_count = 1
        frames = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
        if len(frames) != 1 or frames[0].is_corrupt:
            raise NotWhole("its pixels cannot be decoded")
        return frames[0], exif_orientation(exif)


def read_picture(path: Path, to_rgb: ToRgb) -> np.ndarray:
    """Return the upright picture, uint8 (height, width, 3)."""
    frame, orientation = decoded_picture(path)
    return upright(to_rgb(frame), EXIF_TURNS[orientation])


def read_pictures(files: list[Path], whole: Path, fps: float) -> Video:
    """Return pictures of one size as a clip at `fps`; `whole` is the folder or file it is."""
    to_rgb = ToRgb()
    with naming(whole):
        images = (read_picture(file, to_rgb) for file in files)
        return Video(stacked(images, [file.name for file in files]), fps)


def frame_files(folder: Path) -> list[Path]:
    """Return the pictures of a folder in natural order: frame2 comes before frame10.

    Hidden files and subfolders do not count. Raises `UserError` where there is no picture, where
    another kind of file lies among them, and where the numbering has a gap: each of them would
    make a clip that is shorter than it looks.
    """
    with naming(folder):
        files = [f for f in folder.iterdir() if f.is_file() and not f.name.startswith(".")]
        for file in files:
            if file.suffix.lower() not in SUFFIXES:
                raise Unsupported(f"is no folder of PNG and JPEG frames: it holds {file.name}")
        if not files:
            raise Unsupported("has no PNG or JPEG frames in it")
    files.sort(key=lambda file: _natural(file.name))
    _check_numbering(files)
    return files


def _natural(name: str) -> list[str | int]:
    """Return the name as texts and numbers by turns, so that numbers compare as numbers."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def _check_numbering(files: list[Path]) -> None:
    """Check that the last number of the names rises by one same step throughout."""
    found = [re.findall(r"\d+", file.stem) for file in files]
    if not all(found):
        return
    steps = np.diff([int(numbers[-1]) for numbers in found])
    odd = np.flatnonzero(steps != steps[:1])
    if odd.size:
        before, after = files[odd[0]], files[odd[0] + 1]
        raise UserError(
            f"a frame seems to be missing between {before} and {after.name}: the number rises by "
            f"{steps[odd[0]]} there and by {steps[0]} before; number the frames evenly"
        )
