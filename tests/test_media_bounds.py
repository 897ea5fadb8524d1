"""What could hang or kill a reader, and odd names of frames: cases F5, F11, N9, N14, N15, N19."""

import os
import socket
import zlib
from pathlib import Path

import av
import numpy as np
import pytest
from one_source import make, moving, outputs_beside, pictures, scored, write_suite
from PIL import Image

from dreamix.core import memory
from dreamix.core.errors import TooLarge, UserError
from dreamix.core.media import (
    Guess,
    check_clip_size,
    probe,
    read_clip,
    read_video,
    sha256_file,
    write_video,
)
from dreamix.core.media_images import frame_files
from dreamix.core.memory import LIMIT, clip_limit, too_large
from dreamix.core.video import Video
from dreamix.data.suite import load_suite
from dreamix.data.suite_check import check_suite
from evaluation.sample.frames import pair_frames

MIB = 1 << 20


def mebibytes(count: float) -> str:
    return str(count / 1024)


# Size


def test_the_limit_is_an_eighth_of_the_memory_or_what_was_declared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By hand: 64 GiB / 8; 8 GiB is a small machine: 2 GiB; 4 GiB / 4 is less than that."""
    for total, limit in ((64, 8), (8, 2), (4, 1)):
        monkeypatch.setattr(memory, "memory", lambda total=total: (total << 30, 0))
        memory._usual_limit.cache_clear()
        assert clip_limit() == limit << 30
    memory._usual_limit.cache_clear()
    monkeypatch.setenv(LIMIT, "0.5")
    assert clip_limit() == 1 << 29
    for wrong in ("much", "0", "-1", "nan", "inf"):
        monkeypatch.setenv(LIMIT, wrong)
        with pytest.raises(UserError, match=f"{LIMIT} is a number of GiB above 0"):
            clip_limit()


def test_a_process_has_the_memory_of_its_own_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """`ulimit -v` of 3 GiB, said by the operating system's own call."""
    monkeypatch.setattr(memory.resource, "getrlimit", lambda which: (3 << 30, 3 << 30))
    assert memory.memory()[0] == 3 << 30


def test_the_hour_of_1080p_is_refused_with_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """F5: 86,400 x 1920 x 1080 x 3 bytes are 500.6 GiB (own calculation)."""
    monkeypatch.setenv(LIMIT, "4")
    assert str(too_large(86_400, 1920, 1080)).startswith(
        "is too large: 86,400 frames of 1920x1080 take 500.6 GiB decoded, "
        "one clip may take 4.0 GiB here"
    )
    assert too_large(600, 1920, 1080) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.gif", "clip.webm", "frames"])
def test_no_frame_of_what_is_too_large_is_decoded(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """30 frames of 64x48 take 270 KiB; every kind of clip states its count and size beforehand."""
    path, frames = tmp_path / name, moving(30, 48, 64)
    if name == "frames":
        pictures(path, frames)
    elif name == "clip.gif":
        first, *others = [Image.fromarray(frame) for frame in frames]
        first.save(path, save_all=True, append_images=others, duration=40)
    elif name == "clip.mp4":
        write_video(path, Video(frames, 24))
    else:
        encode(path, frames, "libvpx" if "webm" in name else "ffv1")
    assert len(read_video(path)) == 30
    check_clip_size(path)
    monkeypatch.setenv(LIMIT, mebibytes(0.2))
    for read in (read_video, check_clip_size):
        with pytest.raises(TooLarge, match=r"30 frames of 64x48 take 0.3 MiB decoded"):
            read(path)


def encode(path: Path, frames: np.ndarray, codec: str, **options: str) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=24, options=options)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for image in frames:
            frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format="yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def test_a_picture_that_states_a_giant_size_is_refused_by_its_header(tmp_path: Path) -> None:
    """A few hundred bytes that say 60,000 x 60,000 pixels as PNG, 65,280 x 65,280 as JPEG."""
    path = tmp_path / "bomb.png"
    Image.new("RGB", (8, 8)).save(path)
    data = path.read_bytes()
    chunk = b"IHDR" + (60_000).to_bytes(4, "big") * 2 + data[24:29]
    path.write_bytes(data[:12] + chunk + zlib.crc32(chunk).to_bytes(4, "big") + data[33:])
    jpeg = tmp_path / "bomb.jpg"
    Image.new("RGB", (8, 8)).save(jpeg)
    data = jpeg.read_bytes()
    jpeg.write_bytes(data.replace(b"\x00\x08\x00\x08\x03", b"\xff\x00\xff\x00\x03"))
    for picture in (path, jpeg):
        for read in (read_video, probe):
            with pytest.raises(TooLarge, match=r"pixels take 1[0-9].. GiB decoded"):
                read(picture)


def test_a_clip_that_is_too_large_is_a_row_and_the_others_are_scored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F5, with 60 frames as the hour: named by check, a failed row of run and of score each."""
    long, short = Video(moving(60), 24), Video(moving(6), 24)
    outputs_beside(tmp_path, short, {"good": short, "long": long})
    write_video(tmp_path / "hour.mp4", long, lossless=True)
    for label in ("good", "long"):
        write_video(tmp_path / "outputs" / label / "hour_00.mp4", short, lossless=True)
    write_suite(tmp_path, {"duck": "duck.mp4", "hour": "hour.mp4"})
    run = make(tmp_path)  # before the limit: both are there
    monkeypatch.setenv(LIMIT, mebibytes(0.05))
    (problem,) = check_suite(tmp_path)
    assert problem.line == 9 and "hour.mp4 is too large: 60 frames of 32x24" in problem.message
    assert len(load_suite(tmp_path).videos) == 2
    rows, done = scored(run, "psnr")
    assert done.counts == {"ok": 1, "failed": 3}
    assert rows["good"].status == "failed" and "no source: " in str(rows["good"].reason)
    assert sum("is too large" in reason for reason in done.reasons) == len(done.reasons)
    (tmp_path / "run").rename(tmp_path / "first")
    rows, done = scored(make(tmp_path), "psnr")
    assert done.counts == {"ok": 1, "failed": 3}
    assert any("no clip: " in reason and "too large" in reason for reason in done.reasons)


def test_want_of_memory_while_decoding_is_said_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    write_video(tmp_path / "clip.mp4", Video(moving(3), 8))
    monkeypatch.setattr("dreamix.core.media_pixels.np.empty", full)
    with pytest.raises(TooLarge, match=r"clip.mp4 is too large for the memory that is free"):
        read_video(tmp_path / "clip.mp4")


# What is no file


@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
def test_what_has_no_end_is_refused_at_once(kind: str, tmp_path: Path) -> None:
    """F11: opening a pipe waits for a writer for ever; /dev/zero never ends."""
    path = tmp_path / "x.mp4"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        endless = socket.socket(socket.AF_UNIX)
        here = Path.cwd()
        os.chdir(tmp_path)  # a socket's name has to be short
        endless.bind("x.mp4")
        os.chdir(here)
        endless.close()
    for read in (read_video, probe, sha256_file, check_clip_size):
        with pytest.raises(UserError, match=r"x\.mp4( is a pipe, socket|: No such device)"):
            read(path)


def test_a_pipe_among_outputs_and_sources_is_a_row_and_a_problem(tmp_path: Path) -> None:
    short = Video(moving(3), 8)
    outputs_beside(tmp_path, short, {"good": short})
    (tmp_path / "outputs" / "pipe").mkdir()
    os.mkfifo(tmp_path / "outputs" / "pipe" / "duck_00.mp4")
    _, done = scored(make(tmp_path), "psnr")
    assert done.counts == {"ok": 1, "failed": 1}
    (tmp_path / "duck.mp4").unlink()
    os.mkfifo(tmp_path / "duck.mp4")
    assert ["is a pipe, socket or device" in p.message for p in check_suite(tmp_path)] == [True]


@pytest.mark.parametrize("made", ["pipe", "link"])
def test_a_frame_that_is_no_file_is_named(made: str, tmp_path: Path) -> None:
    pictures(tmp_path, moving(3))
    odd = tmp_path / "003.png"
    os.mkfifo(odd) if made == "pipe" else odd.symlink_to("nowhere")
    with pytest.raises(UserError, match=r"003.png"):
        read_video(tmp_path)


# Names of frames


def named(folder: Path, names: list[str]) -> list[str]:
    """Write a picture under each name; return them in the order they are read."""
    folder.mkdir(exist_ok=True)
    for name in names:
        Image.new("RGB", (4, 4)).save(folder / name, "PNG")
    return [file.name for file in frame_files(folder)]


@pytest.mark.parametrize(
    "names",
    [
        [f"t{k / 11:.3f}.png" for k in range(12)],  # case N15: seconds, rounded
        [f"t{k / 24:.2f}.png" for k in range(30)],  # two digits: steps of 0.04 and 0.05
        [f"t{k * 0.25:g}.png" for k in range(9)],  # 0, 0.25, 0.5, ... without filling zeros
        [f"{k * 0.5:.1f}.PNG" for k in range(6)],
        [f"frame{k}.png" for k in range(1, 13)],
        [f"shot1.{k:04}.png" for k in range(5)],
        [f"shot1.{k}.png" for k in range(8, 13)],  # counts after a dot: 9 comes before 10
        ["²_1.png", "²_2.png"],  # F11: a digit to str.isdigit, but not to int
        ["x²0.png", "x²1.png", "x²2.png"],
        ["①.png", "②.png"],
        [f"{digit}.png" for digit in "\u0660\u0661\u0662"],  # digits of Arabic, which int reads
        ["a.png", "b.png", "c.png"],
    ],
    ids=lambda names: names[0],
)
def test_frames_are_read_in_the_order_of_their_numbers(names: list[str], tmp_path: Path) -> None:
    assert named(tmp_path / "frames", names[::-1]) == names


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (
            ["t0.00.png", "t0.25.png", "t0.75.png"],
            "between .*t0.25.png and t0.75.png.* by 50 there",
        ),
        ([f"t{k / 24:.3f}.png" for k in range(20) if k != 9], "rises by 0.08[34] there"),
        (["a2.0001.png", "a2.0002.png", "a2.0004.png"], "rises by 2 there and by 1 before"),
        (["f1.png", "f2.png", "f4.png"], "between .*f2.png and f4.png"),
        (["f1.png", "f1.5.png", "f2.png", "f3.png"], "between .*f2.png and f3.png"),
    ],
)
def test_a_gap_in_the_numbers_is_said(names: list[str], said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=said):
        named(tmp_path / "frames", names)


@pytest.mark.parametrize(
    "litter",
    ["Thumbs.db", "desktop.ini", "THUMBS.DB", ".DS_Store", "._000.png", "Icon\r",
     "Thumbs.db:encryptable", "000.png:Zone.Identifier", "000.png\uf03aZone.Identifier"],
)  # fmt: skip
def test_what_file_managers_leave_is_no_frame(litter: str, tmp_path: Path) -> None:
    """N14: 12 PNGs and a file of the system."""
    pictures(tmp_path, moving(12))
    before = sha256_file(tmp_path)
    (tmp_path / litter).write_bytes(b"x")
    assert len(read_video(tmp_path)) == probe(tmp_path).frames == 12
    assert sha256_file(tmp_path) == before


# Colours


@pytest.mark.parametrize("size", [(48, 64), (720, 1280)])
def test_a_colour_that_is_named_replaces_the_guess(size: tuple[int, int], tmp_path: Path) -> None:
    """N9: (200, 60, 40) in BT.601 without a tag, as swscale's default leaves it (ITU-R BT.601)."""
    path = tmp_path / "clip.mkv"
    encode(path, np.full((1, *size, 3), (200, 60, 40), np.uint8), "ffv1")
    guessed, named = read_clip(path), read_clip(path, colour="bt601")
    high = size[0] >= 720
    assert guessed.guess == Guess("bt709" if high else "bt601", size[1], size[0])
    assert named.guess is None
    right = np.array([200, 60, 40])
    assert np.abs(named.video.frames.astype(int) - right).max() <= 3
    assert (np.abs(guessed.video.frames.astype(int) - right).max() > 10) == high
    with pytest.raises(UserError, match="unknown colour 'bt60'"):
        read_clip(path, colour="bt60")


@pytest.mark.slow
def test_what_states_its_colours_or_has_none_is_no_guess(tmp_path: Path) -> None:
    write_video(tmp_path / "tagged.mp4", Video(moving(2, 720, 1280), 8))
    write_video(tmp_path / "rgb.mp4", Video(moving(2), 8), lossless=True)
    pictures(tmp_path / "frames", moving(2))
    Image.fromarray(moving(1)[0]).save(tmp_path / "photo.jpg")
    for name in ("tagged.mp4", "rgb.mp4", "frames", "photo.jpg"):
        assert read_clip(tmp_path / name, colour="bt601").guess is None
        assert read_clip(tmp_path / name).guess is None


# Cuts


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("libx264", {"x264-params": "open-gop=1:keyint=12:min-keyint=12:scenecut=0:bframes=3"}),
        ("libx265", {"x265-params": "open-gop=1:keyint=12:min-keyint=12:bframes=3:log-level=0"}),
    ],
)
def test_a_cut_of_an_open_group_is_read_without_its_leading_frames(
    codec: str, options: dict[str, str], tmp_path: Path
) -> None:
    """N19: packets from the second key frame on. Frames shown before that one refer to what was
    cut off; FFmpeg's own decoding of the file has none of them, and is what is expected."""
    whole, cut = tmp_path / "whole.mkv", tmp_path / "cut.mkv"
    encode(whole, moving(36, 48, 64), codec, **options)
    with av.open(str(whole)) as given, av.open(str(cut), "w") as file:
        packets = [p for p in given.demux(given.streams.video[0]) if p.size]
        start = [n for n, p in enumerate(packets) if p.is_keyframe][1]
        stream = file.add_stream_from_template(given.streams.video[0])
        first = packets[start].pts
        assert any(p.pts < first for p in packets[start:]), "no open group was written"
        for packet in packets[start:]:
            packet.stream = stream
            file.mux(packet)
    with av.open(str(cut)) as file:
        expected = [f for f in file.decode(video=0) if not f.is_corrupt]
    clip = read_video(cut)
    assert len(clip) == len(expected) < len(packets) - start
    np.testing.assert_array_equal(clip.frames, read_video(whole).frames[36 - len(clip) :])


def test_a_frame_lost_elsewhere_is_still_damage(tmp_path: Path) -> None:
    """The frames of a whole clip without the packet of its first key frame."""
    whole, cut = tmp_path / "whole.mkv", tmp_path / "cut.mkv"
    encode(whole, moving(24, 48, 64), "libx264", **{"x264-params": "keyint=12:bframes=2"})
    with av.open(str(whole)) as given, av.open(str(cut), "w") as file:
        stream = file.add_stream_from_template(given.streams.video[0])
        for packet in [p for p in given.demux(given.streams.video[0]) if p.size][1:]:
            packet.stream = stream
            file.mux(packet)
    with pytest.raises(UserError, match="cut short or damaged"):
        read_video(cut)


# A last frame that is held


@pytest.mark.parametrize("name", ["held.gif", "held.mp4"])
def test_a_last_frame_that_is_held_counts_for_as_long(name: str, tmp_path: Path) -> None:
    """Writers merge frames that stay the same: 4 frames of 1/8 s, the last of which stays 12/8 s.

    By hand: 3/8 + 12/8 s are the 15 frames that it stands for; 4/8 s would be a partial clip.
    """
    path, frames = tmp_path / name, moving(4)
    if name == "held.gif":
        first, *others = [Image.fromarray(frame) for frame in frames]
        delays = [120, 120, 120, 1500]
        first.save(path, save_all=True, append_images=others, duration=delays)
    else:
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=8, options={"bf": "0"})
            stream.height, stream.width, stream.pix_fmt = 24, 32, "yuv420p"
            stream.codec_context.max_b_frames = 0
            for number, image in enumerate(frames):
                frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format="yuv420p")
                frame.pts = number
                for packet in stream.encode(frame):
                    packet.duration = 12 if packet.pts == 3 else 1
                    container.mux(packet)
            for packet in stream.encode():
                packet.duration = 12 if packet.pts == 3 else 1
                container.mux(packet)
    clip = read_video(path)
    assert len(clip) == 4 and clip.duration == pytest.approx(3 / 8 + 12 / 8, abs=0.02)
    source = Video(moving(15), 8)
    assert pair_frames(source, clip).covers == pytest.approx(1, abs=0.02)
