"""Video files to clips: every frame of the file, upright, at its time, or an error.

Packets are read first and decoded after, so the number of frames is known beforehand. It is held
against what the structure of the file states, what its index lists, and what can be decoded.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.buffer import Buffer
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from dreamix.core.errors import NotWhole, Unsupported
from dreamix.core.media_pixels import (
    UPRIGHT,
    ToRgb,
    Turn,
    check_size,
    most_pixels,
    stacked,
    turn_of_matrix,
    upright,
)
from dreamix.core.media_structure import naming, stated_frames
from dreamix.core.video import Video

HDR = {16: "PQ", 18: "HLG"}  # transfer characteristics, ITU-T H.273, table 3
ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}  # FFmpeg's own ones drop the alpha plane
HELD = 1.5  # frames that the last one lasts, from where on it is held and not only rounded
THREADS = 1  # of the decoder: a second one gains little on short clips, and cells run side by side
# A title need not be UTF-8: PyAV 19 replaces what is not, PyAV 18 has to be told to.
LENIENT: dict[str, Any] = (
    {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
)

Packets = list[av.Packet]


@contextmanager
def opened(
    path: Path, kind: str, options: dict[str, str] | None = None
) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Yield the container and its first video stream; errors of the block name `path`."""
    with (
        naming(path),
        av.open(  # "file:" lets a name hold a colon
            f"file:{path}", "r", kind, container_options=options, **LENIENT
        ) as container,
    ):
        yield container, _video_stream(container)


def _video_stream(container: InputContainer) -> VideoStream:
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        raise Unsupported("has no video in it (only sound, subtitles or a cover picture)")
    context = streams[0].codec_context
    if context is None:
        raise Unsupported("has a codec that this FFmpeg cannot decode: convert it to H.264")
    if context.color_trc in HDR:
        raise Unsupported(f"is HDR video ({HDR[context.color_trc]}): convert it to SDR (BT.709)")
    check_size(1, context.width, context.height)
    context.thread_count = THREADS
    context.options = most_pixels()
    return streams[0]


def check_file_size(path: Path, kind: str) -> None:
    """Raise a `UserError` if a video file is too large to be decoded, by what it states."""
    stated = stated_frames(path, kind)
    with opened(path, kind) as (_container, stream):
        _check_stated(stream, stated)


def _check_stated(stream: VideoStream, frames: int) -> None:
    context = stream.codec_context
    check_size(frames or stream.frames or 1, context.width, context.height)


def read_file(path: Path, kind: str, fps: float, to_rgb: ToRgb) -> Video:
    """Return the clip in a video file; `fps` is for a single frame whose file states no rate."""
    stated = stated_frames(path, kind)
    with opened(path, kind) as (container, stream):
        _check_stated(stream, stated)
        *packets, _end = container.demux(stream)
        _check_count(path, kind, len(packets), stated or stream.frames)
        if any(packet.is_corrupt for packet in packets):
            raise NotWhole("a frame in it is incomplete")
        frames, ticks = _decoded(stream, packets, to_rgb)
        if len(frames) == 1:
            return Video(frames, float(stream.average_rate or stream.guessed_rate or fps))
        base, guesses = stream.time_base or Fraction(1), [stream.guessed_rate, stream.base_rate]
        fps, times = clip_times(ticks, base, stream.average_rate, guesses)
        return Video(frames, fps, times, _held(packets, int(ticks[-1]), base, times, fps))


def _held(
    packets: Packets, last: int, base: Fraction, times: np.ndarray, fps: float
) -> float | None:
    """Return when the last frame ends if it is held: writers merge frames that stay the same.

    None if it is shown for about one frame, as far as the file says.
    """
    held = max((packet.duration or 0 for packet in packets if packet.pts == last), default=0)
    seconds = float(held * base)
    return float(times[-1]) + seconds if seconds * fps > HELD else None


def _check_count(path: Path, kind: str, found: int, listed: int) -> None:
    """Check that all frames that the file lists were found in it."""
    if found < listed and kind == "mp4":
        # An edit list may leave some out on purpose: they must all be there without it.
        with opened(path, kind, {"ignore_editlist": "1"}) as (container, stream):
            found = sum(1 for _ in container.demux(stream)) - 1
    if found < listed:
        raise NotWhole(f"{found} of its {listed} frames can be found")


def _decoded(stream: VideoStream, packets: Packets, to_rgb: ToRgb) -> tuple[np.ndarray, np.ndarray]:
    """Return the upright frames, uint8 (frames, height, width, 3), and their ticks, int64."""
    codec = stream.codec_context.name
    shown = [packet for packet in packets if _is_shown(packet, codec)]
    leading = _leading(shown)
    ticks: list[int] = []
    images = _images(_decoder(stream), packets, ticks, to_rgb)
    names = [f"frame {number}" for number in range(len(shown))]
    frames = stacked(images, names, lacking=len(leading))
    if (np.diff(ticks) <= 0).any():
        raise NotWhole("the times of its frames do not rise")
    lost = {packet.pts for packet in shown} - set(ticks)
    if len(ticks) < len(shown) and not lost <= leading:
        raise NotWhole(f"{len(ticks)} of its {len(shown)} frames can be decoded")
    return frames, np.array(ticks, np.int64)


def _leading(packets: Packets) -> set[int | None]:
    """Return the times of frames that a cut has left without what they refer to.

    After the key frame with which a file begins may come frames that are shown before it. They
    belong to a group that was cut off (open GOP: H.264 8.2.1, H.265 "RASL pictures"), and decoders
    leave them out, as players do.
    """
    if not packets or not packets[0].is_keyframe or packets[0].pts is None:
        return set()
    first = packets[0].pts
    return {packet.pts for packet in packets if packet.pts is not None and packet.pts < first}


def _is_shown(packet: av.Packet, codec: str) -> bool:
    """Return whether a packet becomes a frame: not if it is empty, hidden, or cut by an edit."""
    if not packet.size or packet.is_discard:
        return False
    return codec != "vp8" or bool(bytes(packet)[0] & 0x10)  # show_frame, RFC 6386, 9.1


def _decoder(stream: VideoStream) -> av.VideoCodecContext:
    """Return the decoder of a stream; of a transparent WebM, one that keeps the alpha plane."""
    name = stream.codec_context.name
    metadata = {key.lower(): value for key, value in stream.metadata.items()}
    if metadata.get("alpha_mode") != "1" or name not in ALPHA_DECODERS:
        return stream.codec_context
    decoder = av.CodecContext.create(ALPHA_DECODERS[name], "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.thread_count = THREADS
    decoder.options = most_pixels()
    return decoder


def _images(
    decoder: av.VideoCodecContext, packets: Packets, ticks: list[int], to_rgb: ToRgb
) -> Iterator[np.ndarray]:
    """Yield the upright frames in the order they are shown, and append the tick of each."""
    turn = None
    for packet in [*(packet for packet in packets if packet.size), None]:
        for frame in decoder.decode(packet):
            if frame.is_corrupt:
                raise NotWhole(f"frame {len(ticks)} cannot be decoded in full")
            if frame.pts is None:
                raise NotWhole(f"frame {len(ticks)} has no time")
            ticks.append(frame.pts)
            turn = turn or turn_of_frame(frame)
            yield upright(to_rgb(frame), turn)


def first_frame(container: InputContainer, stream: VideoStream) -> av.VideoFrame:
    """Return the first frame of a stream, as it is stored."""
    for frame in container.decode(stream):
        return frame
    raise NotWhole("none of its frames can be decoded")


def turn_of_frame(frame: av.VideoFrame) -> Turn:
    """Return how a decoded frame is to be turned."""
    try:
        matrix = frame.side_data.get("DISPLAYMATRIX")
    except ValueError as error:  # PyAV 18 stumbles over annotations that are newer than itself
        raise Unsupported(f"has annotations that PyAV cannot read ({error}): convert it") from error
    return turn_of_matrix(bytes(matrix)) if isinstance(matrix, Buffer) else UPRIGHT


def clip_times(
    ticks: np.ndarray, base: Fraction, declared: Fraction | None, guesses: list[Fraction | None]
) -> tuple[float, np.ndarray]:
    """Return the frame rate and the start of each of two or more frames, in seconds from 0.

    ticks: rising int64 times in units of `base` seconds, to which they are rounded: a stream gets
    exactly even times if an even rate explains all its ticks. Tried are the rate that the file
    declares, the standard rates next to the mean one, what FFmpeg guesses, and the mean itself.
    A stream of variable rate keeps its times, and its rate is that of its median frame.
    """
    seconds = (ticks - ticks[0]) * float(base)
    mean = Fraction(len(ticks) - 1) / (int(ticks[-1] - ticks[0]) * base)
    ntsc = Fraction(round(mean * 1001 / 1000) * 1000, 1001)
    # Where a tick is longer than a third of a frame, rounding and dropped frames look the same.
    slack = 0.999 * float(base) if 3 * base * mean <= 1 else 1e-9
    for rate in filter(None, (declared, Fraction(round(mean)), ntsc, *guesses, mean)):
        even = np.arange(len(ticks)) / float(rate)
        if np.abs(seconds - even).max() <= slack:
            return float(rate), even
    return 1 / float(np.median(np.diff(ticks)) * base), seconds
