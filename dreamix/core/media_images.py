"""Still pictures, and folders of numbered pictures that are a clip."""

from pathlib import Path

import av
import numpy as np

from dreamix.core.litter import is_litter
from dreamix.core.media_numbering import in_order
from dreamix.core.media_pixels import EXIF_TURNS, ToRgb, check_size, most_pixels, stacked, upright
from dreamix.core.media_structure import (
    NotWhole,
    Unsupported,
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
