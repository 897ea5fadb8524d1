"""BRISQUE: the numbers of the package it comes from, and where it has none."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dreamix.core.errors import DoesNotApply
from dreamix.core.video import Video
from evaluation.features import brisque
from evaluation.features.base import MODELS
from evaluation.features.brisque import Brisque
from evaluation.features.store import Features
from evaluation.metrics.base import METRICS
from evaluation.sample import Sample, View
from evaluation.settings import ModelSettings

MODEL = Brisque(ModelSettings())


@pytest.fixture(scope="module")
def photos(root: Path) -> dict[str, np.ndarray]:
    files = (root / "tests" / "data" / "photos").glob("*.png")
    return {path.stem: np.asarray(Image.open(path)) for path in files}


def test_scores_are_those_of_the_package(root: Path, photos: dict[str, np.ndarray]) -> None:
    """Expected: brisque 0.2.0, on photographs without flat patches."""
    stored = json.loads((root / "tests" / "data" / "metric_references.json").read_text())
    for name, expected in stored["brisque"]["values"].items():
        assert MODEL.scores(photos[name][None]) == pytest.approx([expected], abs=1e-3)


def test_metric_is_a_score_per_frame(photos: dict[str, np.ndarray]) -> None:
    frames = np.stack([photos["cat"], photos["cat_blurred"]])
    clip = View(Video(frames, 8), "key", Features(ModelSettings()))
    found = METRICS.get("brisque").measure(Sample(clip, clip, "", None, "style"))
    expected = [MODEL.scores(frame[None])[0] for frame in frames]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_blur_and_blocks_are_noticed(photos: dict[str, np.ndarray]) -> None:
    import cv2

    sharp = photos["coffee"]
    ladder = [sharp, *(cv2.GaussianBlur(sharp, (0, 0), sigma) for sigma in (1, 2, 4))]
    assert (np.diff(MODEL.scores(np.stack(ladder))) > 0).all()
    packed = cv2.imencode(".jpg", sharp, [cv2.IMWRITE_JPEG_QUALITY, 5])[1]
    coded = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR))
    assert MODEL.scores(coded[None]) > MODEL.scores(sharp[None]) + 20


def test_the_fit_recovers_a_gaussian_and_a_laplacian() -> None:
    """Moments of a generalised Gaussian: shape 2 is normal, shape 1 Laplacian; no skew, no mean."""
    # E|x| = sqrt(2/pi) and E x^2 = 1 for the normal; 1 and 2 for the Laplacian of scale 1.
    absolute, square = np.array([np.sqrt(2 / np.pi), 1.0]), np.array([1.0, 2.0])
    shape, mean, left, right = brisque.fit(absolute, square, square, square)
    np.testing.assert_allclose(shape, [2, 1], atol=1e-6)
    np.testing.assert_allclose(mean, 0)
    np.testing.assert_allclose([left, right], [square, square])


def test_a_shape_out_of_range_is_the_nearest_in_range() -> None:
    """Where none fits (ratio over 3/4) the package's solver diverges and scores -rho = 155.8."""
    shape, *_ = brisque.fit(*np.array([[1.0], [1.0], [1.0], [1.0]]))
    assert shape == pytest.approx([10])


def test_flat_patches_do_not_depend_on_rounding(photos: dict[str, np.ndarray]) -> None:
    """A window of one grey level has contrast 0; rounding leaves 1e-17 of either sign there."""
    x = np.array([[-1.0, -1e-17, 1e-17, 2.0]])
    assert brisque.moments(x) == pytest.approx((3 / 4, 5 / 4, 1, 4 / 3))


@pytest.mark.parametrize("level", [0, 90, 255])
def test_a_flat_frame_has_no_score(level: int, photos: dict[str, np.ndarray]) -> None:
    frames = np.stack([photos["cat"], np.full_like(photos["cat"], level)])
    with pytest.raises(DoesNotApply, match="frame 1 is flat"):
        MODEL.scores(frames)


def test_odd_sizes_and_grey_frames_have_a_score(photos: dict[str, np.ndarray]) -> None:
    grey = np.repeat(photos["coffee"][:35, :51, 1:2], 3, axis=2)
    assert np.isfinite(MODEL.scores(grey[None])).all()
    assert np.isfinite(MODEL.scores(grey[None, :16, :16])).all()
    with pytest.raises(DoesNotApply, match="15x51 pixels are under the 16"):
        MODEL.scores(grey[None, :15])


def test_identity_names_the_weights() -> None:
    spec = MODELS.get("brisque")
    assert spec.problem(ModelSettings()) is None
    assert spec.identity(ModelSettings()) == "brisque, weights 272eb1c20847a508"
