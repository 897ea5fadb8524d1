"""PSNR, SSIM, flicker and sharpness: hand-made frames, and scikit-image's values."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from dreamix.core.errors import DoesNotApply
from dreamix.core.video import Video
from evaluation.features.store import Features
from evaluation.metrics.base import METRICS
from evaluation.metrics.psnr import decibels
from evaluation.metrics.ssim import ssim_map
from evaluation.sample import Sample, View
from evaluation.settings import ModelSettings

FEATURES = Features(ModelSettings())


def view(frames: np.ndarray, fps: float = 8) -> View:
    return View(Video(np.ascontiguousarray(frames), fps), "key", FEATURES)


def measure(name: str, edited: np.ndarray, source: np.ndarray, **known: object) -> np.ndarray:
    sample = Sample(view(edited), view(source), "", None, "object", **known)  # type: ignore[arg-type]
    return np.asarray(METRICS.get(name).measure(sample))


@pytest.fixture(scope="module")
def photos(root: Path) -> dict[str, np.ndarray]:
    files = (root / "tests" / "data" / "photos").glob("*.png")
    return {path.stem: np.asarray(Image.open(path)) for path in files}


def flat(level: int, frames: int = 2, height: int = 24, width: int = 30) -> np.ndarray:
    return np.full((frames, height, width, 3), level, np.uint8)


def test_psnr_of_a_known_error() -> None:
    """An error of 10 grey levels everywhere: 20 log10(255 / 10) = 28.1308 dB."""
    assert measure("psnr", flat(110), flat(100)) == pytest.approx([28.1308] * 2, abs=1e-4)


def test_psnr_ends() -> None:
    """Equal frames: the cap, 100 dB. Black against white: 0 dB, also in large frames."""
    assert (measure("psnr", flat(7), flat(7)) == 100).all()
    assert decibels(flat(0, 1, 1080, 1920)[0], flat(255, 1, 1080, 1920)[0]) == 0
    one_off = flat(0, 1, 600, 600)[0]
    one_off[0, 0, 0] = 1  # MSE 1 / 1 080 000: 108 dB, were it not for the cap
    assert decibels(one_off, flat(0, 1, 600, 600)[0]) == 100


@pytest.mark.parametrize("share", [1, 0.5, 0.25, 0.1])
def test_masked_psnr_does_not_depend_on_the_size_of_the_mask(share: float) -> None:
    """RMS error 25.5: 20 dB. Dividing by all pixels gave 20.0, 23.1, 26.1 and 30.3 dB (FiVE)."""
    keep = np.zeros((2, 20, 30), bool)
    keep[:, : round(20 * share)] = True
    source = np.zeros((2, 20, 30, 3), np.uint8)
    edited = source.copy()
    edited[:, :, ::2], edited[:, :, 1::2] = 25, 26  # mean square (625 + 676) / 2 = 650.5
    edited[~keep] = 255
    found = measure("psnr.masked", edited, source, keep=keep)
    assert found == pytest.approx([10 * np.log10(255**2 / 650.5)] * 2)
    assert found == pytest.approx([20] * 2, abs=0.01)


def test_masked_metrics_leave_out_frames_without_a_mask() -> None:
    keep = np.zeros((3, 24, 30), bool)
    keep[1, 8:16, 8:16] = True
    edited = flat(100, 3)
    edited[1] = 110
    assert measure("psnr.masked", edited, flat(100, 3), keep=keep) == pytest.approx(28.1308)
    assert measure("ssim.masked", edited, flat(100, 3), keep=keep).shape == (1,)
    for name in ("psnr.masked", "ssim.masked"):
        with pytest.raises(DoesNotApply, match="empty in every frame"):
            measure(name, edited, flat(100, 3), keep=np.zeros_like(keep))


def test_ssim_is_that_of_scikit_image(root: Path, photos: dict[str, np.ndarray]) -> None:
    stored = json.loads((root / "tests" / "data" / "metric_references.json").read_text())["ssim"]
    for first, second, expected in stored["values"]:
        found = measure("ssim", photos[second][None], photos[first][None])
        assert found == pytest.approx([expected], abs=1e-5)


def test_ssim_of_flat_frames_by_hand() -> None:
    """No variance: SSIM = (2 mx my + C1) / (mx^2 + my^2 + C1), C1 = (0.01 255)^2."""
    expected = (2 * 100 * 140 + 2.55**2) / (100**2 + 140**2 + 2.55**2)
    assert measure("ssim", flat(140), flat(100)) == pytest.approx([expected] * 2, abs=1e-5)
    assert measure("ssim", flat(0), flat(0)) == pytest.approx([1, 1])


def test_masked_ssim_sees_only_windows_in_the_mask(photos: dict[str, np.ndarray]) -> None:
    source = photos["cat"][None]
    edited = source.copy()
    edited[:, :, :60] = 0
    keep = np.zeros(source.shape[:3], bool)
    keep[:, :, 65:] = True  # five pixels on: no window reaches the part that was changed
    assert measure("ssim.masked", edited, source, keep=keep) == pytest.approx([1])
    assert measure("ssim", edited, source) < 0.7
    maps = ssim_map(source[0], edited[0])
    keep[:, :, 30:65] = True
    expected = maps[keep[0, 5:-5, 5:-5]].mean()
    assert measure("ssim.masked", edited, source, keep=keep) == pytest.approx([expected])


def test_ssim_needs_a_window() -> None:
    assert measure("ssim", flat(1, 1, 11, 11), flat(1, 1, 11, 11)) == pytest.approx([1])
    with pytest.raises(DoesNotApply, match="10x30 pixels are smaller than SSIM's window"):
        measure("ssim", flat(1, 1, 10), flat(1, 1, 10))


def test_an_edit_of_another_size_is_compared_at_the_sources(photos: dict[str, np.ndarray]) -> None:
    cat = photos["cat"]
    larger = cv2.resize(cat, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    assert measure("psnr", larger[None], cat[None]) > 35
    assert measure("ssim", larger[None], cat[None]) > 0.97


def test_flicker_by_hand() -> None:
    """Grey levels 100, 110, 110: differences 10 and 0 of 255."""
    frames = np.concatenate([flat(100, 1), flat(110, 2)])
    assert measure("flicker", frames, frames) == pytest.approx([1 - 10 / 255, 1])


def test_one_frame_does_not_flicker() -> None:
    with pytest.raises(DoesNotApply, match="one frame has no motion"):
        measure("flicker", flat(0, 1), flat(0, 1))


def test_sharpness_of_a_ramp_by_hand() -> None:
    """Luma 4x: the gradient is 4 but at the two mirrored columns, where Sobel gives 0.

    So the energy is 16 * 28 / 30, and the variance of 30 steps of 4 is 16 (30^2 - 1) / 12.
    """
    ramp = np.broadcast_to((4 * np.arange(30, dtype=np.uint8))[:, None], (1, 24, 30, 3))
    expected = (16 * 28 / 30) / (16 * 899 / 12)
    assert measure("sharpness", ramp, ramp) == pytest.approx([expected])


def test_sharpness_falls_with_blur_and_not_with_contrast(photos: dict[str, np.ndarray]) -> None:
    sharp, blurred = (photos[name][None] for name in ("cat", "cat_blurred"))
    faint = np.rint(sharp * 0.5 + 60).astype(np.uint8)
    found = [float(measure("sharpness", clip, clip)[0]) for clip in (sharp, blurred, faint)]
    assert found[1] < 0.7 * found[0]
    assert found[2] == pytest.approx(found[0], rel=0.01)
    with pytest.raises(DoesNotApply, match="frame 0 is flat"):
        measure("sharpness", flat(0), flat(0))
