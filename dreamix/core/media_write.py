"""Clips to MP4 and pictures to PNG, whole or not at all."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.codec.codec import UnknownCodecError
from av.video.stream import VideoStream

from dreamix.core.errors import UserError
from dreamix.core.media_pixels import Converter
from dreamix.core.records import write_whole
from dreamix.core.video import Video

FINE = Fraction(1, 90_000)  # seconds; the time base of MPEG, for clips of variable frame rate
BT709 = 1  # of matrix, primaries and transfer
BITEXACT = 1 << 23  # AV_CODEC_FLAG_BITEXACT


class Encoding(NamedTuple):
    """How frames are stored; the numbers are those of ITU-T H.273 and of FFmpeg's AVColorRange."""

    codec: str
    pixels: str
    matrix: int
    range: int
    scaling: str  # how the scaler gets there from RGB
    options: dict[str, str]
    even: bool  # whether the pixel format needs an even width and height


class Timing(NamedTuple):
    """When frames are shown, in units of `base` seconds."""

    rate: Fraction  # nominal frames per second
    base: Fraction
    starts: list[int]
    durations: list[int]


LOSSLESS = Encoding(
    "libx264rgb", "rgb24", 0, 2, ":out_range=pc", {"qp": "0", "preset": "veryfast"}, even=False
)


def lossy(crf: int) -> Encoding:
    """Return H.264 as every browser plays it, of constant quality `crf`: 0 best to 51 worst."""
    if not 0 <= crf <= 51:
        raise UserError(f"crf goes from 0 (best) to 51 (worst), got {crf}")
    scaling = ":out_color_matrix=bt709:out_range=tv"
    options = {"crf": str(crf), "preset": "medium"}
    return Encoding("libx264", "yuv420p", BT709, 1, scaling, options, even=True)


def write_mp4(path: Path, video: Video, encoding: Encoding) -> None:
    """Write `video` to `path` through a temporary file beside it."""
    if path.suffix.lower() != ".mp4":
        raise UserError(f"cannot write {path}: clips are written as MP4, so end its name in .mp4")
    timing = timing_of(video)
    with write_whole(path) as file:
        try:
            _encode(file.name, video, encoding, timing)
        except OSError:
            raise  # disk full and the like: `write_whole` says so
        except UnknownCodecError as error:
            raise UserError(f"cannot write {path}: this FFmpeg has no {error}") from error
        except av.FFmpegError as error:
            raise UserError(f"cannot write {path}: FFmpeg fails ({error})") from error


def timing_of(video: Video) -> Timing:
    """Return frame numbers for even times, else ticks of 1/90000 s."""
    if not 0.01 <= video.fps <= 1000:
        raise UserError(f"a clip is written at 0.01 to 1000 frames per second, got {video.fps}")
    rate = Fraction(video.fps).limit_denominator(100_000)
    count = len(video)
    if np.allclose(video.times, np.arange(count) / video.fps, rtol=0, atol=1e-6):
        return Timing(rate, 1 / rate, list(range(count)), [1] * count)
    starts = np.rint(video.times / float(FINE)).astype(np.int64)
    durations = np.diff(starts, append=starts[-1] + round(1 / (rate * FINE)))
    if (durations <= 0).any():
        raise UserError("a clip whose frames are less than 1/90000 s apart cannot be written")
    return Timing(rate, FINE, starts.tolist(), durations.tolist())


def _encode(name: str, video: Video, encoding: Encoding, timing: Timing) -> None:
    """Encode every frame into the file `name`, with the index in front, for browsers."""
    flags = {"movflags": "+faststart", "fflags": "+bitexact"}
    duration = dict(zip(timing.starts, timing.durations, strict=True))
    with av.open(f"file:{name}", "w", "mp4", container_options=flags) as container:
        stream = container.add_stream(encoding.codec, rate=timing.rate)
        assert isinstance(stream, VideoStream)
        _set_up(stream, video, encoding, timing)
        for frame in _frames(video, encoding, timing):
            for packet in stream.encode(frame):
                packet.duration = duration[packet.pts or 0]  # the encoder leaves it open
                container.mux(packet)


def _set_up(stream: VideoStream, video: Video, encoding: Encoding, timing: Timing) -> None:
    """Set what the encoder has to know. One thread and no B frames: bytes and times are exact."""
    context = stream.codec_context
    context.width, context.height = _stored_size(video, encoding)
    context.pix_fmt = encoding.pixels
    context.options = encoding.options
    context.time_base = timing.base
    context.thread_count = 1
    context.max_b_frames = 0
    context.flags |= BITEXACT
    context.colorspace, context.color_range = encoding.matrix, encoding.range
    context.color_primaries = context.color_trc = BT709


def _stored_size(video: Video, encoding: Encoding) -> tuple[int, int]:
    """Return width and height in the file."""
    if not encoding.even:
        return video.width, video.height
    return video.width + video.width % 2, video.height + video.height % 2


def _frames(video: Video, encoding: Encoding, timing: Timing) -> Iterator[av.VideoFrame | None]:
    """Yield the frames to encode, then None, which empties the encoder."""
    width, height = _stored_size(video, encoding)
    edges = ((0, height - video.height), (0, width - video.width), (0, 0))
    convert = Converter(encoding.pixels, encoding.scaling)
    for image, start in zip(video.frames, timing.starts, strict=True):
        frame = convert(av.VideoFrame.from_ndarray(np.pad(image, edges, mode="edge"), "rgb24"))
        frame.pts, frame.time_base = start, timing.base
        yield frame
    yield None


def write_png(path: Path, image: np.ndarray) -> None:
    """Write uint8 (height, width, 3) RGB or (height, width) grey as PNG."""
    pixels = {3: "rgb24", 2: "gray"}.get(image.ndim)
    if image.dtype != np.uint8 or pixels is None or (image.ndim == 3 and image.shape[2] != 3):
        raise UserError(
            f"cannot write {path}: a picture is uint8 (height, width, 3) or (height, width), "
            f"got {image.dtype} {image.shape}"
        )
    if path.suffix.lower() != ".png":
        raise UserError(
            f"cannot write {path}: pictures are written as PNG, so end its name in .png"
        )
    encoder = av.VideoCodecContext.create("png", "w")
    encoder.height, encoder.width = image.shape[:2]
    encoder.pix_fmt, encoder.time_base, encoder.thread_count = pixels, Fraction(1), 1
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), pixels)
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    with write_whole(path) as file:
        file.write(b"".join(bytes(packet) for packet in packets))
