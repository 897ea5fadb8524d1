"""From decoded frames to upright RGB, and back to the pixels an encoder wants.

The conversion is FFmpeg's scaler with every choice spelled out: exact rounding and full chroma
interpolation, so that the result is the same on every processor, and the matrix and range of the
stream. Where it states no matrix: the one that the caller names, else a guess: BT.709 above SD size
(wider than 1279 or higher than 576 pixels) and BT.601 up to it, as players assume. The guess is
reported, since common writers of RGB frames leave BT.601 untagged at any size. Where no range is
stated: limited, but full for grey and JPEG pixels.
"""

import struct
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import av
import numpy as np
from av.filter import Graph

from dreamix.core.errors import NotWhole, Oversized, Unsupported, UserError
from dreamix.core.memory import clip_limit, too_large
from dreamix.core.names import near_misses

SCALING = "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"
# ITU-T H.273, table 4 (matrix coefficients) -> the scaler's names; 2 = not stated.
_MATRICES = {1: "bt709", 4: "fcc", 5: "bt470", 6: "smpte170m", 7: "smpte240m", 9: "bt2020"}
COLOURS = {"bt601": 6, "bt709": 1}  # what a caller can name for a stream that states no matrix
_UNSTATED = 2
_RANGES = {1: "tv", 2: "pc"}
_GREY = ("gray", "ya8", "ya16")

Turn = tuple[int, int, int, int]
"""How stored pixels are shown: (x, y) goes to (a x + c y, b x + d y); written (a, b, c, d)."""

UPRIGHT: Turn = (1, 0, 0, 1)
# EXIF orientation 1 to 8 (TIFF 6.0, tag 274).
EXIF_TURNS: dict[int, Turn] = {
    1: UPRIGHT,
    2: (-1, 0, 0, 1),
    3: (-1, 0, 0, -1),
    4: (1, 0, 0, -1),
    5: (0, 1, 1, 0),
    6: (0, 1, -1, 0),
    7: (0, -1, -1, 0),
    8: (0, -1, 1, 0),
}


class Converter:
    """Frames of any pixel format to the one format that `target` and `options` describe.

    The filter graph is built at the first frame and kept while the frames stay alike.
    """

    def __init__(self, target: str, options: str) -> None:
        self.target = target
        self.options = options
        self._source = ""
        self._graph = Graph()

    def __call__(self, frame: av.VideoFrame, source_options: str = "") -> av.VideoFrame:
        """Return the converted frame; `source_options` state its matrix and range."""
        size = f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}"
        if (source := size + source_options) != self._source:
            self._graph = self._build(size, source_options)
            self._source = source
        self._graph.push(frame)
        converted = self._graph.pull()
        assert isinstance(converted, av.VideoFrame)
        return converted

    def _build(self, size: str, source_options: str) -> Graph:
        graph = Graph()
        steps = [
            graph.add("buffer", size + ":time_base=1/1000"),
            graph.add("scale", SCALING + self.options + source_options),
            graph.add("format", f"pix_fmts={self.target}"),
            graph.add("buffersink"),
        ]
        for step, following in pairwise(steps):
            step.link_to(following)
        graph.configure()
        return graph


class Guess(NamedTuple):
    """What was taken for the matrix of a stream that states none, by the size of its frames."""

    colour: str  # of COLOURS
    width: int
    height: int

    @property
    def high_definition(self) -> bool:
        """True above SD size, where the guess is often wrong."""
        return self.colour == "bt709"


class ToRgb:
    """Decoded frames to RGB arrays; what is transparent is laid over white, as on a page.

    colour: of COLOURS, the matrix of frames that state none; None: it is guessed.
    guess:  the guess that was needed, None where a matrix was stated, named or not needed.
    """

    def __init__(self, colour: str | None = None) -> None:
        if colour is not None and colour not in COLOURS:
            raise UserError(f"unknown colour {colour!r}{near_misses(colour, [*COLOURS])}")
        self.colour = colour
        self.guess: Guess | None = None
        self._opaque = Converter("rgb24", ":out_range=pc")
        self._transparent = Converter("rgba", ":out_range=pc")

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        """Return the frame as it is stored, uint8 (height, width, 3)."""
        options = self._source_options(frame)
        if has_alpha(frame):
            image = over_white(_pixels(self._transparent(frame, options), 4))
        else:
            image = _pixels(self._opaque(frame, options), 3)
        if frame.format.name.startswith(_GREY) and frame.color_range == 1:
            image = _LIMITED_TO_FULL[image]  # the scaler takes every grey for full range
        return image

    def _source_options(self, frame: av.VideoFrame) -> str:
        """Return matrix and range as options of the scaler; none for RGB, grey, palettes."""
        if frame.format.is_rgb or len(frame.format.components) < 3:
            return ""
        matrix = frame.colorspace
        if matrix == _UNSTATED:
            matrix = COLOURS[self.colour or self._guessed(frame)]
        if matrix not in _MATRICES:
            number = f"colour matrix number {matrix} (ITU-T H.273)"
            raise Unsupported(f"has {number}: convert it to BT.709")
        usual = "pc" if frame.format.name.startswith("yuvj") else "tv"
        stated = _RANGES.get(frame.color_range, usual)
        return f":in_color_matrix={_MATRICES[matrix]}:in_range={stated}"

    def _guessed(self, frame: av.VideoFrame) -> str:
        high = frame.width >= 1280 or frame.height > 576
        self.guess = Guess("bt709" if high else "bt601", frame.width, frame.height)
        return self.guess.colour


def has_alpha(frame: av.VideoFrame) -> bool:
    """Return whether the pixel format has transparency (a palette may)."""
    return frame.format.name == "pal8" or any(part.is_alpha for part in frame.format.components)


def _pixels(frame: av.VideoFrame, channels: int) -> np.ndarray:
    """Return the pixels of a packed frame, a view without the padding at the end of each row."""
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(frame.height, plane.line_size)
    return rows[:, : frame.width * channels].reshape(frame.height, frame.width, channels)


def _limited_to_full() -> np.ndarray:
    """Return the table from limited to full range: 16 -> 0, 235 -> 255 (ITU-R BT.601)."""
    stretched = np.rint((np.arange(256) - 16) * 255 / 219)
    return stretched.clip(0, 255).astype(np.uint8)


_LIMITED_TO_FULL = _limited_to_full()


def over_white(rgba: np.ndarray) -> np.ndarray:
    """Return (..., 3): each uint8 RGBA pixel over white, rounded to the nearest integer."""
    alpha = rgba[..., 3:].astype(np.uint16)
    mixed = (rgba[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255
    return mixed.astype(np.uint8)


def turn_of_matrix(matrix: bytes) -> Turn:
    """Return the turn of a 3 x 3 display matrix of int32 (ISO/IEC 14496-12, 8.3.2).

    Raises `Unsupported` for what is no turn by 90 degrees or mirroring.
    """
    a, b, _, c, d, *_ = struct.unpack("=9i", matrix)
    scale = max(abs(a), abs(b)) or 1
    turn = tuple(round(value / scale) for value in (a, b, c, d))
    if turn not in EXIF_TURNS.values():
        raise Unsupported("is to be shown at an angle that is no multiple of 90 degrees")
    return turn


def upright(image: np.ndarray, turn: Turn) -> np.ndarray:
    """Return `image` (height, width, 3) as it is to be shown; a view."""
    a, b, c, d = turn
    if a == 0:
        image, a, d = image.swapaxes(0, 1), c, b
    return image[::d, ::a]


def shown_size(frame: av.VideoFrame, turn: Turn) -> tuple[int, int]:
    """Return the width and height of a frame as it is to be shown."""
    size = frame.width, frame.height
    return size if turn[0] else size[::-1]


def stacked(images: Iterable[np.ndarray], names: Sequence[str], lacking: int = 0) -> np.ndarray:
    """Return one image for each name as uint8 (frames, height, width, 3).

    lacking: how many there may be fewer.
    Raises `NotWhole` where there are more or fewer, `Unsupported` where their sizes differ, and
    `Oversized` where they are too large together.
    """
    clip, count = np.empty((0, 0, 0, 3), np.uint8), 0
    for count, image in enumerate(images, start=1):
        if count == 1:
            check_size(len(names), image.shape[1], image.shape[0])
            clip = np.empty((len(names), *image.shape), np.uint8)
        if count > len(names):
            break
        if image.shape != clip.shape[1:]:
            (height, width, _), (first_height, first_width) = image.shape, clip.shape[1:3]
            raise Unsupported(
                f"has frames of different sizes: {names[count - 1]} has {width}x{height} pixels, "
                f"{names[0]} {first_width}x{first_height}; bring them to one size"
            )
        clip[count - 1] = image
    if not count or not len(names) - lacking <= count <= len(names):
        raise NotWhole(f"{count} of its {len(names)} frames can be decoded")
    return clip[:count]


def check_size(frames: int, width: int, height: int) -> None:
    """Raise `Oversized` for a clip that would not fit into memory; see `dreamix.core.memory`."""
    if why := too_large(frames, width, height):
        raise Oversized(why)


def most_pixels() -> dict[str, str]:
    """Return the option of FFmpeg's decoders that refuses frames larger than their header says."""
    return {"max_pixels": str(min(clip_limit() // 3, 2**31 - 1))}
