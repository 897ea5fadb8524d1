"""Still pictures, and folders of numbered pictures that are a clip."""

import re
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import av
import numpy as np

from dreamix.core.errors import NotWhole, Unsupported, UserError
from dreamix.core.litter import is_litter
from dreamix.core.media_pixels import EXIF_TURNS, ToRgb, check_size, most_pixels, stacked, upright
from dreamix.core.media_structure import (
    exif_orientation,
    jpeg_exif,
    kind_of,
    naming,
    picture_size,
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
        check_size(1, *picture_size(data, kind))
        exif = png_exif(data) if kind == "png" else jpeg_exif(data)
        decoder = av.CodecContext.create(CODECS[kind], "r")
        assert isinstance(decoder, av.VideoCodecContext)
        decoder.options = {
            "err_detect": "explode",
            **most_pixels(),
        }  # else a broken part comes out grey
        decoder.thread_count = 1
        frames = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
        if len(frames) != 1 or frames[0].is_corrupt:
            raise NotWhole("its pixels cannot be decoded")
        return frames[0], exif_orientation(exif)


def read_picture(path: Path, to_rgb: ToRgb) -> np.ndarray:
    """Return the upright picture, uint8 (height, width, 3)."""
    frame, orientation = decoded_picture(path)
    return upright(to_rgb(frame), EXIF_TURNS[orientation])


def read_pictures(files: list[Path], whole: Path, fps: float, to_rgb: ToRgb) -> Video:
    """Return pictures of one size as a clip at `fps`; `whole` is the folder or file it is."""
    with naming(whole):
        images = (read_picture(file, to_rgb) for file in files)
        return Video(stacked(images, [file.name for file in files]), fps)


def frame_files(folder: Path) -> list[Path]:
    """Return the pictures of a folder in the order of their numbers: frame2 before frame10.

    Hidden files, what systems leave among files, and subfolders do not count. Raises `UserError`
    where there is no picture, where another kind of file lies among them, and where the numbering
    has a gap: each of them would make a clip that is shorter than it looks.
    """
    with naming(folder):
        files = [file for file in folder.iterdir() if not is_litter(file.name)]
        files = [file for file in files if not file.is_dir()]
        for file in files:
            if file.suffix.lower() not in SUFFIXES:
                raise Unsupported(f"is no folder of PNG and JPEG frames: it holds {file.name}")
        if not files:
            raise Unsupported("has no PNG or JPEG frames in it")
    return in_order(files)


def mask_files(path: Path) -> list[Path] | None:
    """Return the PNG masks at `path` in the order of the frames, or None if it is a clip.

    Raises:
        UserError: for a folder that holds JPEG, which blurs edges and has no quite black black.
    """
    if not path.is_dir():
        return [path] if path.suffix.lower() == ".png" else None
    files = frame_files(path)
    for file in files:
        if file.suffix.lower() != ".png":
            raise UserError(f"{file} is no mask: a folder of masks holds PNG images only")
    return files


# -- the order of numbered frames: by counting numbers, or by moments in seconds ----------------
_COUNT = re.compile(r"\d+")
_MOMENT = re.compile(r"\d+(?:\.\d+)?")


def in_order(files: list[Path]) -> list[Path]:
    """Return frames in the order of the last number in their names, which rises evenly.

    Names end in a count (frame2 comes before frame10) or in a moment, as in t0.25.png, whose steps
    may differ by what its last digit rounds off. Names without numbers are in the order of the
    alphabet.

    Raises:
        UserError: for a gap in the numbers.
    """
    files = sorted(files, key=lambda file: natural(file.name))
    counts = _numbers(_COUNT, files)
    if counts is None or not (gaps := _gaps(counts)):
        return files
    moments = _numbers(_MOMENT, files)
    assert moments is not None, "a count is a moment"
    timed = [file for _, file in sorted(zip(moments, files, strict=True))]
    late = _gaps(sorted(moments), slack=_last_digit(moments))
    if not late:
        return timed
    if len(late) < len(gaps) or sorted(set(counts)) != counts:
        files, counts, gaps = timed, sorted(moments), late
    before, after = files[gaps[0]], files[gaps[0] + 1]
    steps = [later - earlier for earlier, later in pairwise(counts)]
    raise UserError(
        f"a frame seems to be missing between {before} and {after.name}: the number rises by "
        f"{steps[gaps[0]]} there and by {steps[0]} before; number the frames evenly"
    )


def natural(name: str) -> list[str | int]:
    """Return the name as texts and numbers by turns, so that numbers compare as numbers."""
    parts = re.split(r"(\d+)", name)  # every second one is a number
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]


def _numbers(pattern: re.Pattern[str], files: list[Path]) -> list[Decimal] | None:
    """Return the last number in each name, None if a name has none."""
    found = [pattern.findall(file.stem) for file in files]
    return [Decimal(numbers[-1]) for numbers in found] if all(found) else None


def _last_digit(moments: list[Decimal]) -> Decimal:
    """Return one in the last digit that is written of moments; 0 of whole numbers."""
    exponent = min(int(moment.as_tuple().exponent) for moment in moments)
    return Decimal(1).scaleb(exponent) if exponent < 0 else Decimal(0)


def _gaps(numbers: list[Decimal], slack: Decimal = Decimal(0)) -> list[int]:
    """Return the places before the steps that are not as the first one.

    slack: by how much steps may differ, unless they are so short that a gap would look the same.
    """
    steps = [after - before for before, after in pairwise(numbers)]
    most = slack if steps and min(steps) > slack else Decimal(0)
    return [place for place, step in enumerate(steps) if abs(step - steps[0]) > most]
