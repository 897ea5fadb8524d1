"""Reading clips: every frame, upright, in the right colours, at its time.

The files are made here with PyAV and Pillow; what is expected is what was put in, or what an
independent reader says: Pillow for pictures and GIF, OpenCV for the real footage.
"""

import struct
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.stream import VideoStream

from dreamix.core.errors import UserError
from dreamix.core.media import probe, read_video, write_video
from dreamix.core.video import Video

MILLISECOND = Fraction(1, 1000)


@pytest.fixture
def frames() -> np.ndarray:
    """Twelve frames of coloured 8 x 8 tiles that move: (12, 32, 48, 3)."""
    tiles = np.random.default_rng(0).integers(40, 216, (4, 6, 3), np.uint8)
    moving = [np.roll(tiles, step, axis=1) for step in range(12)]
    return np.stack([tile.repeat(8, axis=0).repeat(8, axis=1) for tile in moving])


def encode(
    path: Path,
    frames: Iterable[np.ndarray | av.VideoFrame],
    codec: str = "libx264",
    pixels: str = "yuv420p",
    *,
    rate: Fraction | int = 25,
    ticks: list[int] | None = None,
    base: Fraction | None = None,
    options: dict[str, str] | None = None,
    tags: dict[str, int] | None = None,
) -> Path:
    """Write frames with PyAV alone, as another program would; `ticks` are times in `base`."""
    base = base or 1 / Fraction(rate)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=options)
        assert isinstance(stream, VideoStream)
        for number, image in enumerate(frames):
            frame = image if isinstance(image, av.VideoFrame) else av.VideoFrame.from_ndarray(image)
            if not number:
                stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, pixels
                stream.codec_context.time_base = base
                for name, value in (tags or {}).items():
                    setattr(stream.codec_context, name, value)
            frame = frame if frame.format.name == pixels else frame.reformat(format=pixels)
            frame.pts, frame.time_base = ticks[number] if ticks else number, base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("clip.mp4", "libx264", "yuv420p"),
        ("clip.mkv", "libx264", "yuv444p"),
        ("clip.mov", "prores_ks", "yuv422p10le"),
        ("clip.mov", "mjpeg", "yuvj420p"),
        ("clip.webm", "libvpx-vp9", "yuv420p"),
        ("clip.webm", "libvpx", "yuv420p"),
        ("clip.mp4", "libx264", "yuv420p10le"),
    ],
)
def test_every_format_gives_every_frame_in_order(
    name: str, codec: str, pixels: str, tmp_path: Path, frames: np.ndarray
) -> None:
    """Lossy codecs keep each tile's colour within a few levels, so frames cannot be confused."""
    path = encode(tmp_path / name, frames, codec, pixels, tags={"bit_rate": 4_000_000})
    clip = read_video(path)
    assert clip.frames.shape == frames.shape and clip.fps == 25
    inside = (slice(None), slice(3, None, 8), slice(3, None, 8))  # away from the tiles' edges
    assert np.abs(clip.frames[inside].astype(int) - frames[inside]).mean() < 8
    np.testing.assert_array_equal(clip.times, np.arange(12) / 25)
    info = probe(path)
    assert (info.width, info.height, info.fps, info.frames) in [
        (48, 32, 25, 12),
        (48, 32, 25, None),
    ]
    assert info.duration == pytest.approx(12 / 25, abs=0.002) and info.pixel_format == pixels


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov", "clip.mkv", "clip.webm"])
@pytest.mark.parametrize("of_stream", [False, True])
def test_a_title_that_is_not_utf_8_is_no_reason_to_refuse_a_clip(
    name: str, of_stream: bool, tmp_path: Path, frames: np.ndarray
) -> None:
    """Cameras write titles in Latin-1 or Shift-JIS; the pictures are what counts."""
    path, title = tmp_path / name, "a title of many letters"
    codec = "libvpx-vp9" if name.endswith("webm") else "libx264"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        tagged = stream if of_stream else container
        tagged.metadata["handler_name" if of_stream and name[5] == "m" else "title"] = title
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image)))
        container.mux(stream.encode())
    content = path.read_bytes()
    assert title.encode() in content
    path.write_bytes(
        content.replace(title.encode(), "\xe9t\xe9 \xe0 l\xe0".encode("latin-1").ljust(len(title)))
    )
    assert read_video(path).frames.shape == frames.shape
    assert probe(path).frames in (None, len(frames))


def ycbcr(rgb: tuple[int, int, int], kr: float, kb: float, full: bool, bits: int) -> list[int]:
    """Y'CbCr of an RGB colour by ITU-R BT.709-6, items 3.2 to 3.5; BT.601 and BT.2020 alike."""
    red, green, blue = (value / 255 for value in rgb)
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    chroma = [(blue - luma) / (2 * (1 - kb)), (red - luma) / (2 * (1 - kr))]
    unit, middle = 2 ** (bits - 8), 2 ** (bits - 1)
    if full:
        return [round(luma * (2**bits - 1)), *(round(c * (2**bits - 1) + middle) for c in chroma)]
    return [round((16 + 219 * luma) * unit), *(round(224 * c * unit + middle) for c in chroma)]


def planar(values: list[int], pixels: str, width: int, height: int) -> av.VideoFrame:
    """A frame of one colour, plane by plane."""
    frame = av.VideoFrame(width, height, pixels)
    for plane, value in zip(frame.planes, values, strict=True):
        kind = "<u2" if "10le" in pixels else "u1"
        plane.update(np.full(plane.buffer_size // np.dtype(kind).itemsize, value, kind).tobytes())
    return frame


BT601, BT709, BT2020 = (0.299, 0.114), (0.2126, 0.0722), (0.2627, 0.0593)  # Kr, Kb


@pytest.mark.parametrize("colour", [(220, 40, 60), (20, 200, 90), (30, 60, 250), (128, 128, 128)])
@pytest.mark.parametrize(
    ("coefficients", "tags", "full", "pixels", "width"),
    [
        (BT601, {"colorspace": 6, "color_range": 1}, False, "yuv420p", 32),
        (BT601, {"colorspace": 5, "color_range": 2}, True, "yuv420p", 32),
        (BT709, {"colorspace": 1, "color_range": 1}, False, "yuv420p", 32),
        (BT709, {"colorspace": 1, "color_range": 2}, True, "yuv444p", 32),
        (BT709, {"colorspace": 1, "color_range": 1}, False, "yuv420p10le", 32),
        (BT2020, {"colorspace": 9, "color_range": 1}, False, "yuv420p10le", 32),
        (BT601, {}, False, "yuv420p", 32),  # nothing stated: SD is BT.601, limited range
        (BT709, {}, False, "yuv420p", 1280),  # and HD is BT.709
    ],
)
def test_colours_follow_the_matrix_and_range_of_the_stream(
    coefficients: tuple[float, float],
    tags: dict[str, int],
    full: bool,
    pixels: str,
    width: int,
    colour: tuple[int, int, int],
    tmp_path: Path,
) -> None:
    values = ycbcr(colour, *coefficients, full, 10 if "10le" in pixels else 8)
    frame = planar(values, pixels, width, 16)
    for name, value in tags.items():
        setattr(frame, name, value)
    clip = read_video(encode(tmp_path / "flat.mkv", [frame], "ffv1", pixels, tags=tags))
    assert np.abs(clip.frames.astype(int) - colour).max() <= 1


@pytest.mark.parametrize(("tag", "shown"), [(1, [0, 128, 255]), (2, [16, 126, 235])])
def test_grey_video_is_stretched_only_where_its_range_is_limited(
    tag: int, shown: list[int], tmp_path: Path
) -> None:
    """(126 - 16) * 255 / 219 = 128.08."""
    grey = np.array([16, 126, 235], np.uint8).repeat(16)[None].repeat(16, axis=0)
    frame = av.VideoFrame.from_ndarray(grey, "gray")
    frame.color_range = tag
    path = encode(
        tmp_path / "grey.mp4",
        [frame],
        "libx264",
        "gray",
        options={"qp": "0"},
        tags={"color_range": tag},
    )
    assert read_video(path).frames[0, 8, 8::16].tolist() == [[value] * 3 for value in shown]


def test_hdr_is_refused(tmp_path: Path, frames: np.ndarray) -> None:
    path = encode(tmp_path / "hdr.mp4", frames, options={"x264-params": "transfer=smpte2084"})
    with pytest.raises(UserError, match=r"hdr.mp4 is HDR video \(PQ\)"):
        read_video(path)


# As np.rot90 turns, counter-clockwise, and flips; the display matrix as phones write it.
TURNS = {
    (0, 1, -1, 0): lambda image: np.rot90(image, 3),  # "rotate 90": clockwise
    (-1, 0, 0, -1): lambda image: np.rot90(image, 2),
    (0, -1, 1, 0): lambda image: np.rot90(image, 1),
    (-1, 0, 0, 1): np.fliplr,
    (1, 0, 0, -1): np.flipud,
    (0, 1, 1, 0): lambda image: image.swapaxes(0, 1),
    (0, -1, -1, 0): lambda image: np.rot90(image, 2).swapaxes(0, 1),
}


def with_matrix(path: Path, matrix: tuple[float, ...]) -> Path:
    """Overwrite the matrix in the track header (ISO/IEC 14496-12, 8.3.2, version 0)."""
    data = bytearray(path.read_bytes())
    start = data.find(b"tkhd") + 4 + 40
    a, b, c, d = (round(value * 65536) for value in matrix)
    data[start : start + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("matrix", TURNS)
def test_the_display_matrix_is_applied(
    matrix: tuple[int, int, int, int], tmp_path: Path, frames: np.ndarray
) -> None:
    path = tmp_path / "turned.mp4"
    write_video(path, Video(frames, 25), lossless=True)
    clip = read_video(with_matrix(path, matrix))
    np.testing.assert_array_equal(clip.frames, [TURNS[matrix](image) for image in frames])
    assert (probe(path).width, probe(path).height) == (clip.width, clip.height)


def test_an_odd_angle_is_refused(tmp_path: Path, frames: np.ndarray) -> None:
    path = tmp_path / "tilted.mp4"
    write_video(path, Video(frames, 25))
    with pytest.raises(UserError, match=r"tilted.mp4 is to be shown at an angle"):
        read_video(with_matrix(path, (0.7, 0.7, -0.7, 0.7)))


def test_transparent_webm_is_laid_over_white(tmp_path: Path) -> None:
    """Left half opaque red, right half transparent red."""
    image = np.zeros((16, 32, 4), np.uint8)
    image[..., 0], image[:, :16, 3] = 200, 255
    path = tmp_path / "alpha.webm"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx-vp9", rate=10)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuva420p"
        stream.metadata["alpha_mode"] = "1"
        frame = av.VideoFrame.from_ndarray(image, "rgba").reformat(format="yuva420p")
        container.mux([*stream.encode(frame), *stream.encode()])
    left, right = read_video(path).frames[0, 8, [4, 28]].astype(int)
    assert np.abs(left - [200, 0, 0]).max() <= 4 and right.tolist() == [255] * 3


@pytest.mark.slow
@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(30000, 1001), 24, 30, 12])
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.webm", "clip.gif"])
def test_a_constant_rate_has_exactly_even_times(
    rate: Fraction, name: str, tmp_path: Path, frames: np.ndarray
) -> None:
    """MKV and WebM round times to 1 ms, GIF to 10 ms; that is not taken for a variable rate."""
    codec, pixels = {
        "clip.gif": ("gif", "rgb8"),
        "clip.webm": ("libvpx-vp9", "yuv420p"),
    }.get(name, ("libx264", "yuv420p"))
    clip = read_video(encode(tmp_path / name, frames, codec, pixels, rate=rate))
    # 10 ms cannot tell 30000/1001 from 30 in half a second.
    expected = round(rate) if name == "clip.gif" else float(rate)
    assert clip.fps == expected
    np.testing.assert_array_equal(clip.times, np.arange(12) / clip.fps)


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_a_variable_rate_keeps_its_times(name: str, tmp_path: Path, frames: np.ndarray) -> None:
    """B frames are stored out of order; times are in ms and do not start at 0."""
    ticks = [200, 240, 280, 400, 440, 480, 520, 1000, 1040, 1080, 1120, 1500]
    path = encode(tmp_path / name, frames, ticks=ticks, base=MILLISECOND, tags={"max_b_frames": 2})
    clip = read_video(path)
    np.testing.assert_allclose(clip.times, (np.array(ticks) - 200) / 1000, atol=1e-9)
    assert clip.fps == pytest.approx(25)  # the median frame lasts 40 ms


def test_dropped_frames_of_a_coarse_clock_are_a_variable_rate(
    tmp_path: Path, frames: np.ndarray
) -> None:
    """Frames 0, 1, 3, 4 of a 10 fps stream with 100 ms ticks are no even 7.5 fps."""
    path = encode(tmp_path / "c.mkv", frames[:4], ticks=[0, 100, 300, 400], base=MILLISECOND)
    np.testing.assert_allclose(read_video(path).times, [0, 0.1, 0.3, 0.4])


@pytest.mark.parametrize(("skipped", "kept"), [(0, 12), (2, 10), (0, 6), (3, 6)])
def test_an_edit_list_cuts_frames_off(
    skipped: int, kept: int, tmp_path: Path, frames: np.ndarray
) -> None:
    """Duration and start in the edit list (ISO/IEC 14496-12, 8.6.6) are changed by whole frames.

    A frame lasts 40 of the film's 1/1000 s, and 512 of the track's 1/12800 s.
    """
    path = tmp_path / "cut.mp4"
    write_video(path, Video(frames, 25), lossless=True)
    data = bytearray(path.read_bytes())
    struct.pack_into(">II", data, data.find(b"elst") + 12, 40 * kept, 512 * skipped)
    path.write_bytes(data)
    clip = read_video(path)
    np.testing.assert_array_equal(clip.frames, frames[skipped : skipped + kept])
    np.testing.assert_array_equal(clip.times, np.arange(kept) / 25)


def test_hidden_vp8_frames_are_no_frames(tmp_path: Path, frames: np.ndarray) -> None:
    """With its show_frame bit (RFC 6386, 9.1) cleared, the last frame is only a reference."""
    path = encode(tmp_path / "clip.webm", frames, "libvpx")
    with av.open(str(path)) as container:
        last = [bytes(packet) for packet in container.demux() if packet.size][-1]
    data = bytearray(path.read_bytes())
    data[data.find(last)] &= ~0x10
    path.write_bytes(data)
    assert len(read_video(path)) == 11


def test_reading_is_deterministic(tmp_path: Path, frames: np.ndarray) -> None:
    path = encode(tmp_path / "clip.webm", frames, "libvpx-vp9")
    np.testing.assert_array_equal(read_video(path).frames, read_video(path).frames)


@pytest.mark.slow
def test_real_clips_agree_with_opencv(shared_dir: Path) -> None:
    """OpenCV 5.0 decodes as many frames, of the same brightness but for its coarser rounding.

    Colours differ more than brightness: OpenCV does not interpolate chroma.
    """
    folders = shared_dir / "clips", shared_dir / "realset" / "sources"
    paths = [path for folder in folders for path in sorted(folder.glob("*.mp4"))]
    assert len(paths) > 20
    for path in paths:
        clip, capture, count = read_video(path), cv2.VideoCapture(str(path)), 0
        while (read := capture.read())[0]:
            if count % 8 == 0:
                difference = clip.frames[count].astype(np.float32) - read[1][..., ::-1]
                assert np.abs(difference @ [0.299, 0.587, 0.114]).mean() < 2, path.name
                assert np.abs(difference).mean() < 4, path.name
            count += 1
        assert len(clip) == count, path.name
        assert clip.fps == pytest.approx(capture.get(cv2.CAP_PROP_FPS))
