"""Clips and masks of a suite: what is missing, unreadable or does not fit is found on its line."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dreamix.core.errors import UserError
from dreamix.core.media import sha256_file, write_video
from dreamix.core.video import Video
from dreamix.data.masks import read_masks
from dreamix.data.suite import load_suite
from dreamix.data.suite_check import check_suite

# Lines 5 to 8 are the video.
SUITE = """\
name: files
version: 1
licence: CC0
videos:
- id: v
  path: frames
  mask: masks
  fps: 8
edits:
- {id: v_00, video: v, prompt: something else, category: object}
"""
SUBJECT = np.zeros((3, 6, 8), bool)
SUBJECT[0, 1:3, 2:5] = SUBJECT[1, 2:4, 3:6] = SUBJECT[2, 3:5, 4:7] = True


def save_all(folder: Path, images: list[Image.Image], suffix: str = "png") -> None:
    folder.mkdir()
    for number, image in enumerate(images):
        image.save(folder / f"{number:05d}.{suffix}")


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A suite of one folder of three frames, with masks."""
    (tmp_path / "suite.yaml").write_text(SUITE)
    frames = np.zeros((6, 8, 3), np.uint8)
    save_all(tmp_path / "frames", [Image.fromarray(frames)] * 3, "jpg")
    save_all(tmp_path / "masks", [Image.fromarray(mask.astype(np.uint8)) for mask in SUBJECT])
    return tmp_path


def clip_of(frames: np.ndarray, path: Path) -> None:
    write_video(path, Video(np.repeat(frames[..., None], 3, axis=-1).astype(np.uint8), 8))


def drop_line(suite: Path, line: str) -> None:
    (suite / "suite.yaml").write_text(SUITE.replace(f"  {line}\n", ""))


def replace_masks(suite: Path, image: np.ndarray, count: int) -> None:
    for file in (suite / "masks").iterdir():
        file.unlink()
    (suite / "masks").rmdir()
    save_all(suite / "masks", [Image.fromarray(image)] * count)


def empty_folder(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


def use_a_clip(suite: Path) -> None:
    clip_of(SUBJECT, suite / "clip.mp4")
    (suite / "suite.yaml").write_text(SUITE.replace("path: frames", "path: clip.mp4"))


def use_a_text_file(suite: Path) -> None:
    (suite / "notes.mp4").write_text("not a clip")
    (suite / "suite.yaml").write_text(SUITE.replace("path: frames", "path: notes.mp4"))


SPOILERS: dict[str, tuple[Callable[[Path], object], int, str]] = {
    "no mask folder": (lambda s: (s / "masks").rename(s / "m"), 7, "no such file or folder: masks"),
    "no frames": (lambda s: empty_folder(s / "frames"), 6, "no PNG or JPEG frames"),
    "no masks": (lambda s: empty_folder(s / "masks"), 7, "no PNG or JPEG frames"),
    "a frame is lost": (lambda s: (s / "frames/00001.jpg").unlink(), 7, "3 frames, the clip 2"),
    "a mask is lost": (lambda s: (s / "masks/00002.png").unlink(), 7, "2 frames, the clip 3"),
    "mask of another size": (
        lambda s: replace_masks(s, np.zeros((12, 16), np.uint8), 3),
        7,
        "the mask has 16x12 pixels, the clip 8x6",
    ),
    "JPEG among the masks": (
        lambda s: (s / "frames/00000.jpg").rename(s / "masks/00003.jpg"),
        7,
        "holds PNG images only",
    ),
    "frames without fps": (lambda s: drop_line(s, "fps: 8"), 6, "`fps` is needed"),
    "fps of a clip": (use_a_clip, 8, "has a frame rate of its own, drop `fps`"),
    "not a clip": (use_a_text_file, 6, "notes.mp4 is none of MP4"),
}


def test_frames_and_masks_that_fit_are_no_problem(suite: Path) -> None:
    assert check_suite(suite) == []
    loaded = load_suite(suite)
    assert (loaded.source("v").frames.shape, loaded.source("v").fps) == ((3, 6, 8, 3), 8)
    mask = loaded.subject_mask("v")
    assert mask is not None and np.array_equal(mask, SUBJECT)


@pytest.mark.parametrize("spoiler", SPOILERS)
def test_files_that_do_not_fit_are_found_on_their_line(suite: Path, spoiler: str) -> None:
    spoil, line, words = SPOILERS[spoiler]
    spoil(suite)
    assert check_suite(suite, files=False) == []
    problems = [p for p in check_suite(suite) if "missing between" not in p.message]
    assert [problem.line for problem in problems] == [line]
    assert words in problems[0].message and "\n" not in problems[0].message


def test_a_folder_of_frames_has_a_sha256(suite: Path) -> None:
    text = SUITE.replace("  fps: 8\n", f"  fps: 8\n  sha256: {sha256_file(suite / 'frames')}\n")
    (suite / "suite.yaml").write_text(text)
    assert check_suite(suite) == []
    Image.new("RGB", (8, 6), "white").save(suite / "frames" / "00002.jpg")
    (problem,) = check_suite(suite)
    assert (problem.line, "wrong sha256 of frames" in problem.message) == (9, True)


def palette(black: bool) -> Image.Image:
    image = Image.fromarray(SUBJECT[0].astype(np.uint8) * 2)
    image.putpalette([0, 0, 0, 9, 9, 9, 0, 0, 0] if black else [255, 0, 0, 9, 9, 9, 1, 1, 1])
    return image


def rgba() -> Image.Image:
    """Opaque everywhere; only the colour tells the subject."""
    pixels = np.zeros((6, 8, 4), np.uint8)
    pixels[..., 3] = 255
    pixels[SUBJECT[0], 2] = 1
    return Image.fromarray(pixels)


@pytest.mark.parametrize(
    "image",
    [
        palette(black=True),
        palette(black=False),
        rgba(),
        rgba().convert("RGB"),
        Image.fromarray(SUBJECT[0]),  # 1 bit
        Image.fromarray(SUBJECT[0].astype(np.uint16)),  # 16 bit, value 1
    ],
    ids=["palette, subject black", "palette, backdrop red", "RGBA", "RGB", "1 bit", "16 bit"],
)
def test_every_kind_of_png_gives_the_same_mask(image: Image.Image, tmp_path: Path) -> None:
    save_all(tmp_path / "masks", [image, image])
    assert np.array_equal(read_masks(tmp_path / "masks"), SUBJECT[[0, 0]])
    assert np.array_equal(read_masks(tmp_path / "masks" / "00001.png"), SUBJECT[[0]])


def test_a_clip_can_be_the_mask(tmp_path: Path) -> None:
    subject = np.repeat(np.repeat(SUBJECT, 8, axis=1), 8, axis=2)
    clip_of(subject * 255, tmp_path / "mask.mp4")
    found = read_masks(tmp_path / "mask.mp4")
    assert found.shape == subject.shape and (found != subject).mean() < 0.01  # The codec is lossy.


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_mask_is_named(damage: str, tmp_path: Path) -> None:
    save_all(tmp_path / "masks", [palette(black=True)])
    file = tmp_path / "masks" / "00000.png"
    data = bytearray(file.read_bytes())
    if damage == "cut":
        del data[60:]
    else:
        data[data.index(b"IDAT") + 12] ^= 1  # In the compressed pixels.
    file.write_bytes(data)
    with pytest.raises(UserError, match=r"00000\.png"):
        read_masks(tmp_path / "masks")
