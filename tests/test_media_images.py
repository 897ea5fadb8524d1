"""Reading pictures, GIFs and folders of frames: what Pillow shows, upright and on white."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from dreamix.core.errors import UserError
from dreamix.core.media import probe, read_video, sha256_file, write_image


@pytest.fixture
def frames() -> np.ndarray:
    """Twelve frames of random 8 x 8 tiles: (12, 32, 48, 3)."""
    tiles = np.random.default_rng(0).integers(40, 216, (12, 4, 6, 3), np.uint8)
    return tiles.repeat(8, axis=1).repeat(8, axis=2)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_exif_orientation_is_applied(
    orientation: int, suffix: str, tmp_path: Path, frames: np.ndarray
) -> None:
    """Expected: Pillow's exif_transpose; JPEG decoders differ by rounding."""
    exif = Image.Exif()
    exif[274] = orientation
    path = tmp_path / f"photo.{suffix}"
    Image.fromarray(frames[0]).save(path, exif=exif, quality=95, subsampling=0)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    clip = read_video(path, fps=5)
    assert clip.frames.shape == (1, *expected.shape) and clip.fps == 5
    assert np.abs(clip.frames[0].astype(int) - expected).max() <= 3
    assert (probe(path).width, probe(path).height) == (clip.width, clip.height)


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "LA", "RGBA", "1"])
def test_png_of_every_mode_is_what_pillow_shows_on_white(
    mode: str, tmp_path: Path, frames: np.ndarray
) -> None:
    picture = Image.fromarray(frames[0]).convert("RGBA")
    picture.putalpha(Image.fromarray(np.arange(32 * 48, dtype=np.uint8).reshape(32, 48)))
    path = tmp_path / "picture.png"
    picture.convert(mode).save(path)
    with Image.open(path) as image:
        shown = Image.new("RGBA", image.size, "white")
        shown.alpha_composite(image.convert("RGBA"))
    found = read_video(path).frames[0].astype(int)
    assert np.abs(found - np.asarray(shown.convert("RGB"))).max() <= ("A" in mode)


def test_gif_is_what_pillow_shows_on_white(tmp_path: Path, frames: np.ndarray) -> None:
    """Three frames of 16 colours, a transparent corner, delays of 30, 30 and 50 ms."""
    images = [Image.fromarray(image).quantize(16) for image in frames[:3]]
    for image in images:
        image.paste(16, (0, 0, 10, 10))
    path = tmp_path / "clip.gif"
    images[0].save(
        path,
        save_all=True,
        append_images=images[1:],
        duration=[30, 30, 50],
        transparency=16,
        disposal=2,
    )
    clip = read_video(path)
    with Image.open(path) as gif:
        for number, image in enumerate(clip.frames):
            gif.seek(number)
            shown = Image.new("RGBA", gif.size, "white")
            shown.alpha_composite(gif.convert("RGBA"))
            np.testing.assert_array_equal(image, np.asarray(shown.convert("RGB")))
    assert len(clip) == 3 and (clip.frames[:, :10, :10] == 255).all()
    np.testing.assert_allclose(clip.times, [0, 0.03, 0.06])


def test_a_folder_of_frames_is_a_clip_in_natural_order(tmp_path: Path, frames: np.ndarray) -> None:
    for number, image in enumerate(frames):
        write_image(tmp_path / f"frame{number + 1}.png", image)  # 10 sorts before 2 as text
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / "masks").mkdir()
    clip = read_video(tmp_path, fps=8)
    np.testing.assert_array_equal(clip.frames, frames)
    assert clip.fps == 8 and read_video(tmp_path).fps == 24
    info = probe(tmp_path)
    assert info == ("png", "rgb24", 48, 32, None, 12, None)


def test_sha256_is_that_of_sha256sum(tmp_path: Path, frames: np.ndarray) -> None:
    """FIPS 180-2, B.1: the digest of "abc"; a folder has that of its list, in clip order."""
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256_file(tmp_path / "abc") == abc
    folder = tmp_path / "frames"
    write_image(folder / "10.png", frames[1])
    write_image(folder / "9.png", frames[0])
    lines = [f"{sha256_file(folder / name)}  {name}\n" for name in ("9.png", "10.png")]
    assert sha256_file(folder) == hashlib.sha256("".join(lines).encode()).hexdigest()
    with pytest.raises(UserError, match="cannot read"):
        sha256_file(tmp_path / "missing")
