"""Writing clips: what is read back, what browsers need, and what happens when it fails."""

import hashlib
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from dreamix.core import media_write
from dreamix.core.errors import UserError
from dreamix.core.media import probe, read_video, write_image, write_video
from dreamix.core.video import Video


def smooth(frames: int, height: int, width: int) -> np.ndarray:
    """Colour gradients that move: what a codec keeps well."""
    time, y, x = np.mgrid[:frames, :height, :width]
    red, green = 40 + 2 * x + time, 60 + 3 * y - time
    return np.stack([red, green, 200 - x - y], axis=-1).clip(0, 255).astype(np.uint8)


shapes = st.tuples(st.integers(1, 5), st.integers(1, 33), st.integers(1, 33), st.just(3))
rates = st.sampled_from(
    [1.0, 8.0, 10.0, 12.5, 23.976, 24.0, 25.0, 60.0, 24000 / 1001, 30000 / 1001]
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(frames=arrays.arrays(np.uint8, shapes), fps=rates)
def test_lossless_returns_the_same_bytes(frames: np.ndarray, fps: float, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path, Video(frames, fps), lossless=True)
    clip = read_video(path)
    np.testing.assert_array_equal(clip.frames, frames)
    assert clip.fps == fps
    np.testing.assert_array_equal(clip.times, Video(frames, fps).times)


def test_lossless_keeps_noise(tmp_path: Path) -> None:
    """Hypothesis likes flat frames; noise uses every value of every channel."""
    noise = np.random.default_rng(0).integers(0, 256, (4, 61, 47, 3), np.uint8)
    write_video(tmp_path / "noise.mp4", Video(noise, 24), lossless=True)
    np.testing.assert_array_equal(read_video(tmp_path / "noise.mp4").frames, noise)


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("frames", [1, 2, 7])
def test_equal_clips_give_equal_files(lossless: bool, frames: int, tmp_path: Path) -> None:
    digests = set()
    for name in ("a.mp4", "b.mp4", "b.mp4"):  # another name, and over a file that is there
        write_video(tmp_path / name, Video(smooth(frames, 48, 64), 24), lossless=lossless)
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(digests) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]


def test_the_default_is_what_browsers_play(tmp_path: Path) -> None:
    """H.264, 4:2:0 8 bit, tagged BT.709 limited (1, 1, 1, 1 in ITU-T H.273), index before data."""
    path = tmp_path / "clip.mp4"
    write_video(path, Video(smooth(10, 48, 64), 24))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert (context.colorspace, context.color_primaries, context.color_trc) == (1, 1, 1)
        assert context.color_range == 1
        assert [packet.pts for packet in container.demux() if packet.size] == [
            i * 512 for i in range(10)
        ]
        assert "creation_time" not in container.metadata and "encoder" not in container.metadata
    data = path.read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")


def test_the_default_keeps_colours(tmp_path: Path) -> None:
    """A flat colour comes back within the rounding of 8-bit Y'CbCr; with BT.601, red is 20 off."""
    for colour in ([220, 40, 60], [20, 200, 90], [30, 60, 250]):
        flat = np.full((2, 32, 32, 3), colour, np.uint8)
        write_video(tmp_path / "flat.mp4", Video(flat, 24), crf=1)
        assert np.abs(read_video(tmp_path / "flat.mp4").frames.astype(int) - colour).max() <= 3


def test_the_default_looks_the_same(tmp_path: Path) -> None:
    """Over 40 dB PSNR, where differences are hard to see."""
    clip = Video(smooth(8, 96, 160), 24)
    write_video(tmp_path / "clip.mp4", clip)
    error = read_video(tmp_path / "clip.mp4").frames.astype(float) - clip.frames
    assert 10 * np.log10(255**2 / np.square(error).mean()) > 40


@pytest.mark.parametrize(("height", "width"), [(33, 46), (32, 47), (1, 1), (33, 47)])
def test_odd_sizes_gain_a_copy_of_the_last_row_or_column(
    height: int, width: int, tmp_path: Path
) -> None:
    clip = Video(smooth(3, height, width), 10)
    write_video(tmp_path / "odd.mp4", clip, crf=1)
    found = read_video(tmp_path / "odd.mp4").frames
    expected = np.pad(clip.frames, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    assert found.shape == expected.shape
    assert np.abs(found.astype(int) - expected).max() <= 6


@pytest.mark.parametrize("lossless", [False, True])
def test_variable_times_are_kept(lossless: bool, tmp_path: Path) -> None:
    """To half a tick of 1/90000 s; and a second round changes nothing any more."""
    times = np.array([0, 0.04, 0.1003, 0.13, 0.5])
    clip = Video(smooth(5, 32, 48), 25, times)
    write_video(tmp_path / "a.mp4", clip, lossless=lossless)
    once = read_video(tmp_path / "a.mp4")
    np.testing.assert_allclose(once.times, times, atol=0.5 / 90000)
    assert probe(tmp_path / "a.mp4").duration == pytest.approx(clip.duration, abs=1e-3)
    write_video(tmp_path / "b.mp4", once, lossless=lossless)
    twice = read_video(tmp_path / "b.mp4")
    np.testing.assert_array_equal(twice.times, once.times)
    assert twice.fps == once.fps


@pytest.mark.parametrize("fps", [0.5, 5, 24, 30000 / 1001, 240, 7.123456])
def test_one_frame_keeps_its_rate(fps: float, tmp_path: Path) -> None:
    write_video(tmp_path / "one.mp4", Video(smooth(1, 16, 16), fps))
    clip = read_video(tmp_path / "one.mp4")
    assert len(clip) == 1 and clip.fps == pytest.approx(fps, rel=1e-9)


@pytest.mark.parametrize("shape", [(17, 23, 3), (17, 23), (1, 1, 3)])
def test_pictures_come_back_exactly(shape: tuple[int, ...], tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    write_image(tmp_path / "picture.png", image)
    with Image.open(tmp_path / "picture.png") as found:
        np.testing.assert_array_equal(np.asarray(found), image)


@contextmanager
def disk_with_room_for(size: int) -> Iterator[None]:
    """Let every file of this process grow to `size` bytes only; writing more is an OSError."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", [0, 100, 40_000, 120_000])
def test_a_full_disk_leaves_the_old_file_and_no_other(room: int, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"old")
    noise = np.random.default_rng(0).integers(0, 256, (8, 64, 96, 3), np.uint8)  # 130 kB or more
    with (
        disk_with_room_for(room),
        pytest.raises(UserError, match=r"cannot write .*clip\.mp4: ") as caught,
    ):
        write_video(path, Video(noise, 24), lossless=True)
    assert "\n" not in str(caught.value)
    assert [file.name for file in tmp_path.iterdir()] == ["clip.mp4"]
    assert path.read_bytes() == b"old"


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for name in ("file/clip.mp4", "file/picture.png"):
        with pytest.raises(UserError, match=f"cannot write .*{name}"):
            if name.endswith("mp4"):
                write_video(tmp_path / name, Video(smooth(1, 8, 8), 24))
            else:
                write_image(tmp_path / name, smooth(1, 8, 8)[0])


@pytest.mark.parametrize("name", ["with:colon.mp4", "-dash.mp4", "100%d é.mp4"])
def test_any_name_will_do(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FFmpeg would take what stands before a colon for a protocol, as in http:."""
    monkeypatch.chdir(tmp_path)
    write_video(Path(name), Video(smooth(2, 8, 8), 24))
    assert len(read_video(Path(name))) == probe(Path(name)).frames == 2


def test_a_missing_encoder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    absent = media_write.LOSSLESS._replace(codec="libx264-that-is-not-built")
    monkeypatch.setattr("dreamix.core.media.LOSSLESS", absent)
    with pytest.raises(UserError, match="libx264-that-is-not-built"):
        write_video(tmp_path / "clip.mp4", Video(smooth(1, 8, 8), 24), lossless=True)
    assert not list(tmp_path.iterdir())


def test_wrong_arguments_are_said(tmp_path: Path) -> None:
    clip = Video(smooth(2, 8, 8), 24)
    with pytest.raises(UserError, match=r"end its name in \.mp4"):
        write_video(tmp_path / "clip.webm", clip)
    with pytest.raises(UserError, match="crf goes from 0"):
        write_video(tmp_path / "clip.mp4", clip, crf=52)
    with pytest.raises(UserError, match="1/90000 s"):
        write_video(tmp_path / "clip.mp4", Video(clip.frames, 24, np.array([0, 1e-6])))
    with pytest.raises(UserError, match="to 1000 frames per second"):
        write_video(tmp_path / "clip.mp4", Video(clip.frames, 1e-4))
    with pytest.raises(UserError, match="a picture is uint8"):
        write_image(tmp_path / "picture.png", np.zeros((4, 4)))
    with pytest.raises(UserError, match=r"end its name in \.png"):
        write_image(tmp_path / "picture.jpg", np.zeros((4, 4), np.uint8))
    assert not list(tmp_path.iterdir())
