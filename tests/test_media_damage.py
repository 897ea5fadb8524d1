"""Broken files: a clear error that names the file, never a shorter clip in silence."""

import re
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from PIL import Image

from dreamix.core.errors import UserError
from dreamix.core.media import probe, read_video, sha256_file, write_image

FRAMES = 12
MAKERS = {
    "index_last.mp4": ("libx264", {}),
    "index_first.mp4": ("libx264", {"movflags": "+faststart"}),
    "fragments.mp4": ("libx264", {"movflags": "+frag_keyframe+empty_moov"}),
    "dash.mp4": (
        "libx264",
        {"movflags": "+frag_keyframe+empty_moov+dash+global_sidx+skip_trailer"},
    ),
    "clip.mov": ("mjpeg", {}),
    "vp9.webm": ("libvpx-vp9", {}),
    "vp8.webm": ("libvpx", {}),
    "clip.mkv": ("libx264", {}),
    "clip.gif": ("gif", {}),
    "live.webm": ("libvpx-vp9", {"live": "1"}),
    "endless.mp4": ("libx264", {"movflags": "+frag_keyframe+empty_moov+skip_trailer"}),
}
UNFINISHED = ("live.webm", "endless.mp4")  # whole, but nothing in them says so
PIXELS = {"gif": "rgb8", "mjpeg": "yuvj420p"}


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small clips of twelve frames, one of each kind."""
    folder = tmp_path_factory.mktemp("clips")
    noise = np.random.default_rng(0).integers(0, 256, (FRAMES, 32, 48, 3), np.uint8)
    for name, (codec, options) in MAKERS.items():
        with av.open(str(folder / name), "w", container_options=options) as container:
            stream = container.add_stream(codec, rate=12, options={"g": "4"})
            assert isinstance(stream, VideoStream)
            stream.width, stream.height = 48, 32
            stream.pix_fmt = PIXELS.get(codec, "yuv420p")
            for image in noise:
                frame = av.VideoFrame.from_ndarray(image).reformat(format=stream.pix_fmt)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    Image.fromarray(noise[0]).save(folder / "photo.jpg")
    Image.fromarray(noise[0]).save(folder / "progressive.jpg", progressive=True)
    write_image(folder / "picture.png", noise[0])
    return folder


def cut(path: Path, length: int, folder: Path) -> Path:
    """A copy of the first `length` bytes."""
    short = folder / path.name
    short.write_bytes(path.read_bytes()[:length])
    return short


def message(path: Path) -> str:
    """The one line that reading `path` fails with; it names the file."""
    with pytest.raises(UserError) as caught:
        read_video(path)
    text = str(caught.value)
    assert str(path) in text and "\n" not in text
    return text


@pytest.mark.parametrize(
    "name", [*sorted(set(MAKERS) - set(UNFINISHED)), "photo.jpg", "progressive.jpg", "picture.png"]
)
def test_every_cut_is_found(name: str, clips: Path, tmp_path: Path) -> None:
    """Any number of bytes less than all of them is an error, in every part of every format."""
    size = (clips / name).stat().st_size
    assert len(read_video(clips / name)) == (1 if name.endswith(("jpg", "png")) else FRAMES)
    for length in {*range(0, size, size // 60), *range(size - 10, size), *range(50)}:
        text = message(cut(clips / name, length, tmp_path))
        assert re.search("cut short|empty|first bytes|does not say how long|decoded", text)


@pytest.mark.parametrize("name", UNFINISHED)
def test_a_clip_that_does_not_say_how_long_it_is_is_refused(name: str, clips: Path) -> None:
    assert "does not say how long it is" in message(clips / name)
    assert "ffmpeg -i IN -c copy OUT" in message(clips / name)


def test_a_sample_table_that_points_past_the_file_is_found(clips: Path, tmp_path: Path) -> None:
    """The last sample is moved out of the file by its offset; all boxes stay whole."""
    data = bytearray((clips / "index_last.mp4").read_bytes())
    table = data.find(b"stco")
    (chunks,) = struct.unpack_from(">I", data, table + 8)
    struct.pack_into(">I", data, table + 8 + 4 * chunks, len(data) + 1000)
    path = tmp_path / "clip.mp4"
    path.write_bytes(data)
    assert "cut short or damaged" in message(path)


@pytest.mark.parametrize("name", ["vp9.webm", "vp8.webm", "clip.mkv", "index_first.mp4"])
def test_lost_bytes_never_lose_a_frame_in_silence(name: str, clips: Path, tmp_path: Path) -> None:
    """Forty bytes are cut out of the middle: an error, or all twelve frames."""
    data, path = (clips / name).read_bytes(), tmp_path / name
    for start in range(60, len(data) - 60, len(data) // 40):
        path.write_bytes(data[:start] + data[start + 40 :])
        try:
            assert len(read_video(path)) == FRAMES
        except UserError as error:
            assert str(path) in str(error)


def test_damaged_h264_is_not_concealed(clips: Path, tmp_path: Path) -> None:
    """FFmpeg would fill the hole in the first frame with grey and go on."""
    data = bytearray((clips / "index_first.mp4").read_bytes())
    start = data.find(b"mdat") + 1500
    data[start : start + 300] = bytes(300)
    path = tmp_path / "clip.mp4"
    path.write_bytes(data)
    assert "decoded" in message(path)


def test_a_damaged_jpeg_is_not_filled_with_grey(clips: Path, tmp_path: Path) -> None:
    """Entropy-coded data lost in the middle; the end mark is there."""
    data = (clips / "photo.jpg").read_bytes()
    path = tmp_path / "photo.jpg"
    path.write_bytes(data[:-600] + data[-2:])
    assert "cannot be decoded" in message(path)


def test_a_wrong_png_checksum_is_found(clips: Path, tmp_path: Path) -> None:
    data = bytearray((clips / "picture.png").read_bytes())
    data[len(data) // 2] ^= 1
    path = tmp_path / "picture.png"
    path.write_bytes(data)
    assert "checksum of its 'IDAT' chunk" in message(path)


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("text.mp4", b"#EXTM3U\nhttp://example.org/clip.ts\n", "by its first bytes"),
        ("zero.mp4", b"", "is empty"),
        ("archive.webm", b"PK\x03\x04" + bytes(60), "by its first bytes"),
    ],
)
def test_what_is_no_clip_is_said_to_be_none(
    name: str, data: bytes, expected: str, tmp_path: Path
) -> None:
    """A playlist is not opened either: it could name files and hosts of its own."""
    (tmp_path / name).write_bytes(data)
    assert expected in message(tmp_path / name)
    with pytest.raises(UserError, match=expected):
        probe(tmp_path / name)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "No such file" in message(tmp_path / "missing.mp4")


def test_sound_alone_is_no_clip(tmp_path: Path) -> None:
    """An audio file with a cover picture has a video stream, of that picture."""
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        sound, cover = container.add_stream("aac", rate=44100), container.add_stream("png", rate=1)
        cover.width, cover.height, cover.pix_fmt = 16, 16, "rgb24"
        cover.disposition = 1 << 10  # type: ignore[assignment]  # attached picture
        image = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8))
        container.mux([*cover.encode(image), *cover.encode()])
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
        silence.sample_rate = 44100
        container.mux([*sound.encode(silence), *sound.encode()])
    assert "has no video in it" in message(path)


def test_an_animated_png_is_refused(tmp_path: Path) -> None:
    images = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    images[0].save(tmp_path / "moving.png", save_all=True, append_images=images[1:])
    assert "is an animated PNG" in message(tmp_path / "moving.png")


def test_frames_of_two_sizes_are_refused(tmp_path: Path) -> None:
    """In a file: two JPEGs as packets of one MJPEG stream. In a folder: two PNGs."""
    path, folder = tmp_path / "clip.mkv", tmp_path / "frames"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 16, 8, "yuvj420p"
        for number, height in enumerate((8, 24)):
            Image.new("RGB", (16, height)).save(tmp_path / "one.jpg")
            packet = av.Packet((tmp_path / "one.jpg").read_bytes())
            packet.stream, packet.pts, packet.dts = stream, number, number
            packet.time_base = Fraction(1, 10)
            container.mux(packet)
            write_image(folder / f"{number}.png", np.zeros((height, 16, 3), np.uint8))
    assert "frame 1 has 16x24 pixels, frame 0 16x8" in message(path)
    assert "1.png has 16x24 pixels, 0.png 16x8" in message(folder)


def test_broken_folders_are_refused(clips: Path, tmp_path: Path) -> None:
    picture = (clips / "picture.png").read_bytes()
    assert "has no PNG or JPEG frames" in message(tmp_path)
    for number in (1, 2, 4):
        (tmp_path / f"{number:05d}.png").write_bytes(picture)
    assert "missing between" in message(tmp_path)
    with pytest.raises(UserError, match="missing between"):
        sha256_file(tmp_path)
    (tmp_path / "00003.jpg").write_bytes((clips / "photo.jpg").read_bytes()[:-400])
    assert "00003.jpg is cut short or damaged" in message(tmp_path)
    (tmp_path / "00003.jpg").rename(tmp_path / "00003.webp")
    assert "it holds 00003.webp" in message(tmp_path)


def test_real_clips_are_found_cut_too(shared_dir: Path, tmp_path: Path) -> None:
    for path in sorted((shared_dir / "clips").glob("*.mp4"))[:3]:
        size = path.stat().st_size
        for length in (size // 3, size - 1000, size - 1):
            assert "cut short" in message(cut(path, length, tmp_path))
