"""Clips and pictures in and out of files: the one entry to the modules `media_*` beside it.

Read are MP4, MOV, WebM, MKV, GIF, PNG, JPEG and folders of numbered PNG or JPEG frames.

- Every frame of the file, or a `UserError` that says what is wrong with the file: never a shorter
  clip. For that, a file must say how long it is; live recordings that do not are refused. Damage
  inside compressed data is found where the decoder notices it.
- Upright: rotation and mirroring that the file asks for (display matrix, EXIF) are applied. The
  shape of pixels is not: they are taken as square.
- Not larger than memory bears, by what the file says of itself: `dreamix.core.memory`.
- 8-bit full-range RGB. Matrix and range are those the stream states; `media_pixels` says what is
  taken where it states none. HDR video is refused. Transparent pixels are laid over white.
- Times are those of the file, from 0; of a constant frame rate they are exactly even.
- The same file gives the same clip on every machine with the same FFmpeg.
"""

import hashlib
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

from dreamix.core.errors import UserError
from dreamix.core.media_images import CODECS, decoded_picture, frame_files, read_pictures
from dreamix.core.media_pixels import COLOURS, EXIF_TURNS, Guess, ToRgb, check_size, shown_size
from dreamix.core.media_read import (
    check_file_size,
    first_frame,
    opened,
    read_file,
    turn_of_frame,
)
from dreamix.core.media_structure import kind_of, naming
from dreamix.core.media_write import LOSSLESS, lossy, write_mp4, write_png
from dreamix.core.records import open_file
from dreamix.core.video import Video

__all__ = [
    "COLOURS",
    "DecodedVideo",
    "Guess",
    "MediaInfo",
    "check_clip_size",
    "probe",
    "read_clip",
    "read_edit",
    "read_image",
    "read_video",
    "sha256_file",
    "write_image",
    "write_video",
]


class MediaInfo(NamedTuple):
    """What a file says of itself, not checked against its frames."""

    codec: str  # FFmpeg's name of the decoder
    pixel_format: str  # FFmpeg's name
    width: int  # as shown, so after rotation
    height: int
    fps: float | None  # None for pictures
    frames: int | None  # None where the file has no count: WebM and MKV
    duration: float | None  # seconds; None where the file does not say


class DecodedVideo(NamedTuple):
    """A clip, and the guess that its colours rest on; None if the file or the caller said it."""

    video: Video
    guess: Guess | None


def read_video(path: Path, fps: float = 24.0, colour: str | None = None) -> Video:
    """Return every frame of a video file, a folder of frames or a single picture.

    fps:    frame rate of what states none itself: folders and pictures.
    colour: "bt601" or "bt709", the matrix of a stream that states none; None: by its size.
    Raises `UserError` if the file is missing, cut short, damaged, too large or of another kind.
    """
    return read_clip(path, fps, colour).video


def read_clip(path: Path, fps: float = 24.0, colour: str | None = None) -> DecodedVideo:
    """Return what `read_video` returns, and whether its colours are a guess."""
    to_rgb = ToRgb(colour)
    if path.is_dir():
        video = read_pictures(frame_files(path), path, fps, to_rgb)
    elif (kind := kind_of(path)) in CODECS:
        video = read_pictures([path], path, fps, to_rgb)
    else:
        video = read_file(path, kind, fps, to_rgb)
    return DecodedVideo(video, to_rgb.guess)


def read_edit(path: Path, source: Video, colour: str | None = None) -> DecodedVideo:
    """Return what `read_clip` returns of an edit; a folder of frames has its source's times.

    A folder says no times, and is mostly the source's frames one by one: as many, or fewer where it
    is not finished. One with more frames has the source's rate.
    """
    clip = read_clip(path, source.fps, colour)
    if not path.is_dir() or len(clip.video) > len(source):
        return clip
    times = source.times[: len(clip.video)]
    return clip._replace(video=Video(clip.video.frames, source.fps, times))


def check_clip_size(path: Path) -> None:
    """Raise a `UserError` if `path` is too large to be decoded here; no frame of a video is."""
    if path.is_dir():
        files = frame_files(path)
        info = _probe_pictures(files[:1])
        with naming(path):
            check_size(len(files), info.width, info.height)
    elif (kind := kind_of(path)) not in CODECS:
        check_file_size(path, kind)


def write_video(path: Path, video: Video, *, lossless: bool = False, crf: int = 18) -> None:
    """Write `video` as MP4 (H.264), whole or not at all.

    Equal clips give equal bytes: always if lossless, and from 32x24 pixels up if not (below that
    x264 was seen to choose now one, now another coding of the same pixels).

    By default for people: yuv420p, BT.709, the index in front, so that every browser plays it. An
    odd width or height gains one column or row, a copy of the last: the format needs even ones.
    lossless: for machines: `read_video` returns exactly these frames; few browsers play it.
    crf: quality if not lossless, 0 (best) to 51.
    Times are kept, to 1/90000 s where they are uneven. Raises `UserError` if it cannot be written.
    """
    write_mp4(path, video, LOSSLESS if lossless else lossy(crf))


def read_image(path: Path) -> np.ndarray:
    """Return the picture of a PNG or JPEG, upright: uint8 (height, width, 3), RGB.

    Turned as its EXIF says; what is transparent is white.

    Raises:
        UserError: for anything else.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder: name the picture in it")
    if (kind := kind_of(path, other="a picture has to be PNG or JPEG")) not in CODECS:
        raise UserError(f"{path} is {kind} by its first bytes: a PNG or JPEG is wanted")
    return read_pictures([path], path, 1.0, ToRgb()).frames[0]


def write_image(path: Path, image: np.ndarray) -> None:
    """Write a picture as PNG, whole or not at all: uint8 (height, width, 3), or (height, width)."""
    write_png(path, image)


def probe(path: Path) -> MediaInfo:
    """Return what `path` says of itself; at most one frame is decoded, to learn how it is turned.

    Raises `UserError` if it is no clip or picture. That a file is whole shows when it is read.
    """
    if path.is_dir():
        return _probe_pictures(frame_files(path))
    kind = kind_of(path)
    if kind in CODECS:
        return _probe_pictures([path])
    with opened(path, kind) as (container, stream):
        frame = first_frame(container, stream)
        rate = stream.average_rate or stream.guessed_rate
        ticks, base = stream.duration, stream.time_base
        if not ticks or not base:
            ticks, base = container.duration, Fraction(1, av.time_base)
        return MediaInfo(
            stream.codec_context.name,
            frame.format.name,
            *shown_size(frame, turn_of_frame(frame)),
            fps=float(rate) if rate else None,
            frames=stream.frames or None,
            duration=float(ticks * base) if ticks else None,
        )


def _probe_pictures(files: list[Path]) -> MediaInfo:
    """Return what the first of the pictures says of itself, and their number."""
    frame, orientation = decoded_picture(files[0])
    size = shown_size(frame, EXIF_TURNS[orientation])
    codec = CODECS[kind_of(files[0])]
    return MediaInfo(codec, frame.format.name, *size, None, len(files), None)


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file, as `sha256sum` prints it, in hexadecimal.

    Of a folder of frames: that of a list as `sha256sum` prints it, one line a frame in the order of
    the clip, with the bare file names.
    """
    if path.is_dir():
        lines = [f"{sha256_file(file)}  {file.name}\n" for file in frame_files(path)]
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    with naming(path), open_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
