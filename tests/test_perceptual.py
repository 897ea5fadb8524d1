"""LPIPS: the same numbers as the package, on weights that travel with the toolkit."""

import hashlib
import json
import os
import warnings
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dreamix.core.errors import DoesNotApply
from dreamix.core.video import Video
from evaluation.features import perceptual
from evaluation.features.base import MODELS
from evaluation.features.perceptual import Lpips, distance_maps, distances
from evaluation.features.store import Features
from evaluation.metrics.base import METRICS
from evaluation.sample import Sample, View
from evaluation.settings import ModelSettings

FEATURES = Features(ModelSettings())


def view(frames: np.ndarray, features: Features = FEATURES) -> View:
    return View(Video(np.ascontiguousarray(frames), 8), "key", features)


def sample(edited: np.ndarray, source: np.ndarray, **known: object) -> Sample:
    return Sample(view(edited), view(source), "", None, "object", **known)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def photos(root: Path) -> dict[str, np.ndarray]:
    """Two photographs and two damaged copies of the first, as clips of one frame."""
    files = (root / "tests" / "data" / "photos").glob("*.png")
    return {path.stem: np.asarray(Image.open(path))[None] for path in files}


@pytest.fixture(scope="module")
def clips(photos: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Five frames of odd size, and the same five damaged."""
    starts = range(0, 20, 4)
    cut = [
        np.stack([photos[name][0, i : i + 87, i : i + 95] for i in starts])
        for name in ("cat", "cat_noisy")
    ]
    return cut[0], cut[1]


@pytest.fixture(scope="module")
def package() -> "object":
    """lpips.LPIPS of the installed package with our convolutions, loaded strictly."""
    import lpips
    import torch
    from safetensors.torch import load

    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")  # torchvision's about the argument `pretrained`
        model = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False, spatial=True)
    trunk = load(perceptual._trunk())
    # Its slices carry torchvision's layer numbers: "slice2.3.weight" is "features.3.weight".
    names = {name: "features." + name.split(".", 1)[1] for name in model.net.state_dict()}
    state = {name: trunk[ours].float() for name, ours in names.items()}
    model.net.load_state_dict(state, strict=True)
    return model


def spatial(package: object, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    import torch

    first, second = (
        torch.tensor(frames).permute(0, 3, 1, 2).float() / 127.5 - 1 for frames in (a, b)
    )
    with torch.no_grad():
        return package(first, second)[:, 0].numpy()  # type: ignore[operator]


def test_values_of_the_package_in_single_precision(
    root: Path, photos: dict[str, np.ndarray]
) -> None:
    """Half-precision storage moves the distances of lpips 0.1.4 by less than 1e-3."""
    stored = json.loads((root / "tests" / "data" / "metric_references.json").read_text())["lpips"]
    for first, second, expected in stored["values"]:
        found = distances(view(photos[first]), view(photos[second]))
        assert found == pytest.approx([expected], abs=1e-3)


@pytest.mark.parametrize(("picture", "published"), [("ex_p0.png", 0.722), ("ex_p1.png", 0.138)])
def test_published_values_of_the_example_images(picture: str, published: float) -> None:
    """The README of lpips prints 0.722 and 0.138 for the images in its folder imgs/."""
    folder = Path(os.environ.get("DREAMIX_LPIPS_IMAGES", "no folder"))
    if not (folder / "ex_ref.png").exists():
        pytest.skip("set DREAMIX_LPIPS_IMAGES to the folder imgs/ of the lpips repository")
    one, two = (
        np.asarray(Image.open(folder / name).convert("RGB"))[None]
        for name in ("ex_ref.png", picture)
    )
    found = distances(view(two), view(one))
    assert found == pytest.approx([published], abs=5e-4)  # three digits are printed


@pytest.mark.slow
def test_maps_and_distances_are_those_of_the_package_on_the_same_weights(
    clips: tuple[np.ndarray, np.ndarray], package: object
) -> None:
    """Cached activations give lpips.LPIPS.forward to 1e-5, per pixel (spatial=True) and overall."""
    import torch

    maps = spatial(package, *clips)
    np.testing.assert_allclose(distance_maps(view(clips[0]), view(clips[1])), maps, atol=1e-5)
    package.spatial = False  # type: ignore[attr-defined]
    first, second = (torch.tensor(c).permute(0, 3, 1, 2) / 255.0 for c in clips)
    with torch.no_grad():
        whole = package(first, second, normalize=True).flatten().numpy()  # type: ignore[operator]
    package.spatial = True  # type: ignore[attr-defined]
    np.testing.assert_allclose(distances(view(clips[0]), view(clips[1])), whole, atol=1e-5)


def test_batch_size_does_not_matter(clips: tuple[np.ndarray, np.ndarray]) -> None:
    one = Features(ModelSettings(batch=1))
    alone = distances(view(clips[0], one), view(clips[1], one))
    np.testing.assert_allclose(alone, distances(view(clips[0]), view(clips[1])), atol=1e-5)


def test_a_clip_is_at_no_distance_from_itself_and_distance_is_symmetric(
    clips: tuple[np.ndarray, np.ndarray],
) -> None:
    assert (distances(view(clips[0]), view(clips[0])) == 0).all()
    there, back = (distances(view(a), view(b)) for a, b in (clips, clips[::-1]))
    np.testing.assert_array_equal(there, back)


def test_a_source_is_seen_once_whatever_the_number_of_edits(
    clips: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[int] = []
    original = Lpips.activations

    def counted(self: Lpips, images: Any) -> Any:
        passes.append(len(images))
        return original(self, images)

    monkeypatch.setattr(Lpips, "activations", counted)
    source = view(clips[0])
    for _ in range(3):
        edit = Sample(view(clips[1]), source, "", None, "object", keep=np.ones((5, 87, 95), bool))
        METRICS.get("lpips").measure(edit)
        METRICS.get("lpips.masked").measure(edit)
    assert sum(passes) == 4 * 5  # the source once, each edit once


def test_a_clip_too_large_to_keep_scores_the_same(
    clips: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = distances(view(clips[0]), view(clips[1]))
    monkeypatch.setattr(perceptual, "KEPT_BYTES", 0)
    monkeypatch.setattr(perceptual, "CHUNK_PIXELS", 2 * 87 * 95)  # two frames at a time
    a, b = view(clips[0]), view(clips[1])
    np.testing.assert_allclose(distances(a, b), expected, atol=1e-5)
    assert not a.memo
    assert not b.memo


def test_the_estimate_of_memory_is_right(clips: tuple[np.ndarray, np.ndarray]) -> None:
    frames = np.zeros((1, 256, 256, 3), np.uint8)
    chunk = next(iter(FEATURES.model("lpips").chunks(frames)))
    held = sum(layer.numel() * layer.element_size() for layer in chunk)
    assert held == pytest.approx(256 * 256 * perceptual.BYTES_PER_PIXEL, rel=0.1)


def test_frames_without_colour_or_content_have_a_distance() -> None:
    black = np.zeros((1, 64, 64, 3), np.uint8)
    white = np.full_like(black, 255)
    assert np.isfinite(distances(view(black), view(white))).all()
    assert distances(view(black), view(black)) == [0]


def test_smallest_frames() -> None:
    """Two poolings of 3 by stride 2 after a stride of 4 need 31 pixels."""
    black = np.zeros((1, 31, 31, 3), np.uint8)
    assert distances(view(black), view(black + 255)) > 0
    small = view(np.zeros((1, 30, 64, 3), np.uint8))
    with pytest.raises(DoesNotApply, match="30x64 pixels are under the 31"):
        distances(small, small)


def test_masked_mean_is_over_the_mask_only(
    clips: tuple[np.ndarray, np.ndarray], package: object
) -> None:
    """Expected: the package's map under spatial=True, averaged inside the mask."""
    keep = np.zeros((5, 87, 95), bool)
    keep[:3, 20:50, 10:80] = True  # the last two frames have no mask and are left out
    maps = spatial(package, *clips)
    expected = [maps[i][keep[i]].mean() for i in range(3)]
    found = METRICS.get("lpips.masked").measure(sample(clips[1], clips[0], keep=keep))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_an_empty_mask_has_no_score(clips: tuple[np.ndarray, np.ndarray]) -> None:
    nothing = sample(clips[1], clips[0], keep=np.zeros((5, 87, 95), bool))
    with pytest.raises(DoesNotApply, match="empty in every frame"):
        METRICS.get("lpips.masked").measure(nothing)


def test_ideal_gain_counts_from_the_source_to_the_ideal_edit(
    photos: dict[str, np.ndarray],
) -> None:
    """By definition 1 at the ideal, 0 at the source, negative for what leads away from both."""
    gain, psnr = METRICS.get("ideal_gain").measure, METRICS.get("ideal_psnr").measure
    source, ideal = photos["cat"], photos["cat_noisy"]
    assert gain(sample(ideal, source, ideal=view(ideal))) == [1]
    assert gain(sample(source, source, ideal=view(ideal))) == [0]
    assert gain(sample(photos["cat_blurred"], source, ideal=view(ideal))) < 0
    assert psnr(sample(ideal, source, ideal=view(ideal))) == [100]
    with pytest.raises(DoesNotApply, match="look the same"):
        gain(sample(ideal, source, ideal=view(source)))


def test_loading_is_silent_and_draws_no_random_number(
    capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    import torch

    before = torch.get_rng_state()
    spec = MODELS.get("lpips")
    assert spec.problem(ModelSettings()) is None
    spec.load(ModelSettings())
    assert torch.equal(before, torch.get_rng_state())
    assert not any(capfd.readouterr())
    assert not recwarn.list


def test_weights_are_those_the_readme_names_and_their_licences_are_there() -> None:
    folder = resources.files("evaluation.features.weights")
    readme = folder.joinpath("README.md").read_text()
    for name in ("alexnet_features_fp16.safetensors", "brisque.npz"):
        assert hashlib.sha256(folder.joinpath(name).read_bytes()).hexdigest() in readme
    for name in ("LICENSE.torchvision", "LICENSE.lpips", "LICENSE.brisque"):
        assert "Copyright" in folder.joinpath(name).read_text()
    assert "trunk 1e79dbde62a13cae, heads df73285e35b22355" in MODELS.get("lpips").identity(
        ModelSettings()
    )
