"""CLIP embeddings are those of plain open_clip, whatever the batch, the order and the store.

The model is a tiny vision transformer with random weights and an own JSON config (`tiny_clip` of
conftest.py), so nothing is downloaded.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from open_clip.transform import PreprocessCfg, image_transform, image_transform_v2
from PIL import Image
from safetensors.torch import save_file

from dreamix.core.errors import DoesNotApply
from dreamix.core.video import Video
from evaluation.features import clip
from evaluation.features.square import FITS, square
from evaluation.features.store import Features
from evaluation.metrics.base import METRICS
from evaluation.sample import Sample, View
from evaluation.settings import ModelSettings

RESIZE_MODES = {"crop": "shortest", "squash": "squash", "pad": "longest"}


@pytest.fixture(scope="module")
def encoder(tiny_clip: str) -> clip.ClipEncoder:
    return clip.load(ModelSettings(clip=tiny_clip))


@pytest.fixture(scope="module")
def plain(tiny_clip: str) -> tuple[Any, Any, Any]:
    """The same model in plain open_clip: (model, preprocess, tokenizer)."""
    weights = Path(tiny_clip.partition(":")[2])
    open_clip.add_model_config(weights.with_suffix(".json"))
    with torch.random.fork_rng(devices=[]):
        model, _, preprocess = open_clip.create_model_and_transforms(
            "tiny", pretrained=str(weights)
        )
    return model.eval(), preprocess, open_clip.get_tokenizer("tiny")


def noise(count: int, height: int, width: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def embed(encoder: clip.ClipEncoder, frames: np.ndarray) -> np.ndarray:
    return encoder.images(encoder.prepare(frames))["projected"]


# Preprocessing


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(96, 160), (101, 57), (224, 224), (225, 333), (31, 500), (8, 8)])
def test_squares_are_to_the_bit_those_of_open_clip(fit: str, size: tuple[int, int]) -> None:
    theirs = image_transform(
        224, is_train=False, mean=(0, 0, 0), std=(1, 1, 1), resize_mode=RESIZE_MODES[fit]
    )
    frames = noise(2, *size)
    expected = [theirs(Image.fromarray(frame)).mul(255).round().byte() for frame in frames]
    ours = torch.from_numpy(square(frames, 224, fit)).permute(0, 3, 1, 2)
    assert torch.equal(ours, torch.stack(expected))


def test_squares_of_real_footage_are_those_of_open_clip(shared_dir: Path) -> None:
    import av

    theirs = image_transform_v2(PreprocessCfg(mean=(0, 0, 0), std=(1, 1, 1)), is_train=False)
    with av.open(str(shared_dir / "clips" / "bikes.mp4")) as file:
        frames = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)][::60]
    expected = [theirs(Image.fromarray(frame)).mul(255).round().byte() for frame in frames]
    ours = torch.from_numpy(square(np.stack(frames), 224, "crop")).permute(0, 3, 1, 2)
    assert torch.equal(ours, torch.stack(expected))


# Embeddings


def test_embeddings_are_those_of_plain_open_clip(
    encoder: clip.ClipEncoder, plain: tuple[Any, Any, Any]
) -> None:
    model, preprocess, tokenizer = plain
    frames, texts = noise(5, 45, 71), ["a red ball", "two dogs on a beach"]
    with torch.inference_mode():
        images = [preprocess(Image.fromarray(frame))[None] for frame in frames]
        expected = torch.cat([model.encode_image(image, normalize=True) for image in images])
        expected_texts = model.encode_text(tokenizer(texts), normalize=True)
    np.testing.assert_allclose(embed(encoder, frames), expected, atol=1e-5)
    np.testing.assert_allclose(encoder.texts(texts), expected_texts, atol=1e-5)
    assert np.ptp(expected.numpy(), axis=0).max() > 0.01  # frames differ by far more than 1e-5


def test_unprojected_is_the_pooled_vector_before_the_last_matrix(
    encoder: clip.ClipEncoder, plain: tuple[Any, Any, Any]
) -> None:
    model, preprocess, _ = plain
    frames, seen = noise(3, 40, 40), []
    hook = model.visual.ln_post.register_forward_hook(lambda _, __, out: seen.append(out[:, 0]))
    with torch.inference_mode():
        model.encode_image(torch.stack([preprocess(Image.fromarray(frame)) for frame in frames]))
    hook.remove()
    expected = torch.nn.functional.normalize(seen[0], dim=-1)
    found = encoder.images(encoder.prepare(frames))
    assert encoder.outputs == tuple(found) == ("projected", "unprojected")
    np.testing.assert_allclose(found["unprojected"], expected, atol=1e-5)


def test_embeddings_are_unit_float32(encoder: clip.ClipEncoder) -> None:
    for array in (
        *encoder.images(encoder.prepare(noise(3, 40, 40))).values(),
        encoder.texts(["a"]),
    ):
        assert array.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(array, axis=1), 1, atol=1e-6)


def test_neither_batch_size_nor_order_changes_an_embedding(encoder: clip.ClipEncoder) -> None:
    frames = noise(9, 48, 64)
    whole = embed(encoder, frames)
    single = np.concatenate([embed(encoder, frames[i : i + 1]) for i in range(9)])
    np.testing.assert_allclose(single, whole, atol=1e-5)
    np.testing.assert_allclose(embed(encoder, frames[::-1]), whole[::-1], atol=1e-5)


def test_bf16_differs_by_rounding_only(tiny_clip: str, encoder: clip.ClipEncoder) -> None:
    frames = noise(4, 40, 40)
    half = embed(clip.load(ModelSettings(clip=tiny_clip, dtype="bf16")), frames)
    whole = embed(encoder, frames)
    assert half.dtype == np.float32 and not np.array_equal(half, whole)
    assert (half * whole).sum(axis=1).min() > 0.999


def test_a_prompt_counts_as_cut_from_78_tokens_on(encoder: clip.ClipEncoder) -> None:
    # "cat" is one token; with the two marks 75 cats fill the 77 places.
    assert not encoder.truncated("cat " * 75)
    assert encoder.truncated("cat " * 76)
    assert not encoder.truncated("")


def test_a_cut_prompt_keeps_its_end_mark(encoder: clip.ClipEncoder) -> None:
    assert encoder.tokenizer(["cat " * 200])[0, -1] == encoder.tokenizer.eot_token_id
    many, more = encoder.texts(["cat " * 75, "cat " * 200])
    np.testing.assert_allclose(many, more, atol=1e-6)


# A tower without a last matrix


def test_a_resnet_has_no_unprojected_output_and_the_metric_says_so(
    tiny_clip: str, tmp_path: Path
) -> None:
    config = json.loads(Path(tiny_clip.partition(":")[2]).with_suffix(".json").read_text())
    config["vision_cfg"] = {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "head_width": 16}
    (tmp_path / "resnet.json").write_text(json.dumps(config))
    with torch.random.fork_rng(devices=[]):
        save_file(open_clip.CLIP(**config).state_dict(), tmp_path / "resnet.safetensors")
    features = Features(ModelSettings(clip=f"resnet:{tmp_path}"))
    edited = View(Video(noise(3, 70, 70), 8), "edit", features)
    sample = Sample(edited, edited, "a cat", "a dog", "object")
    assert features.model("clip").outputs == ("projected",)
    assert len(np.asarray(METRICS.get("clip_f").measure(sample))) == 2
    with pytest.raises(DoesNotApply, match="unprojected"):
        METRICS.get("clip_f.unprojected").measure(sample)


# The store


def test_stored_embeddings_are_found_without_loading_the_model(
    tiny_clip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = Video(noise(3, 40, 40), 8)
    first = Features(ModelSettings(clip=tiny_clip), tmp_path)
    expected = View(video, "key", first).embed("clip", "unprojected")
    again = Features(ModelSettings(clip=tiny_clip), tmp_path)
    monkeypatch.setattr(again, "model", lambda name: pytest.fail(f"{name} was loaded"))
    found = View(video, "key", again).embed("clip", "unprojected")
    np.testing.assert_array_equal(found, expected)


def test_batches_run_across_clips(tiny_clip: str) -> None:
    features = Features(ModelSettings(clip=tiny_clip, batch=4))
    frames = noise(7, 40, 56)
    parts = {"one": frames[:5], "other": frames[5:]}
    found = features.embed("clip", [View(Video(v, 8), k, features) for k, v in parts.items()])
    joined = np.concatenate([found[key]["projected"] for key in parts])
    np.testing.assert_allclose(joined, embed(features.model("clip"), frames), atol=1e-5)
