"""What toybox-clip learns from, its loss, and that a folder of training becomes a CLIP."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from dreamix.core.records import read_json
from dreamix.core.seeding import rng_for
from dreamix.toybox.training import clip as training
from dreamix.toybox.training import clip_frames as frames
from dreamix.toybox.training import clip_model as model
from dreamix.toybox.training.clips import held_out
from dreamix.toybox.training.loop import Budget
from dreamix.toybox.training.loop import train as run_loop
from dreamix.toybox.world import GREY, VALUES, Scene, parse_caption
from evaluation.features.clip import load
from evaluation.features.square import square
from evaluation.settings import ModelSettings
from evaluation.toybox import weights

SHIPPED = Path(weights.__file__).parent / "toybox_clip"
NUMBER = {word: number for number, word in enumerate(model.WORDS)}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("vocabulary")
    model.write_vocabulary(folder)
    return model.open_tokenizer(folder)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# Data


@pytest.mark.parametrize("number", range(5))
def test_a_family_differs_in_one_visible_word_and_holds_nothing_back_for_testing(
    number: int,
) -> None:
    first, *siblings = frames.family("clip", number)
    assert len(siblings) == frames.FAMILY - 1
    for scene in siblings:
        changed = [field for field in VALUES if getattr(scene, field) != getattr(first, field)]
        assert len(changed) == 1 and changed[0] in frames.VISIBLE
        assert scene.seed == first.seed
        assert not (changed == ["colour"] and first.style in GREY)
    assert not any(held_out(scene) for scene in (first, *siblings))


@pytest.mark.parametrize("field", VALUES)
def test_a_wrong_caption_is_wrong_in_one_field(field: str) -> None:
    scene = Scene("red", "ball", "bouncing", "beach", "snow", "neon", "zooming in")
    told = parse_caption(frames.wrong_caption(scene, field, rng_for("test")))
    assert [f for f in VALUES if told[f] != getattr(scene, f)] == [field]


def test_frames_are_squashed_as_they_are_when_scored() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (2, 96, 160, 3), dtype=np.uint8)
    np.testing.assert_array_equal(frames.squashed(picture), square(picture, model.SIDE, "squash"))


def test_damage_keeps_the_range_and_follows_its_generator() -> None:
    pixels = torch.rand(32, 3, model.SIDE, model.SIDE, generator=generator())
    one, two, other = (frames.damaged(pixels, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, two) and not torch.equal(one, other)
    assert one.min() >= 0 and one.max() <= 1


def test_a_blur_keeps_the_mean_of_a_flat_picture() -> None:
    flat = torch.full((1, 3, model.SIDE, model.SIDE), 0.4)
    torch.testing.assert_close(frames.blurred(flat, 2.0), flat)


def test_one_text_in_ten_gets_one_unknown_word(tokenizer: Any) -> None:
    texts = tokenizer(["a red ball bouncing in a meadow"] * 2000)
    found = training.with_unknown(texts, generator())
    count = (found == NUMBER[model.UNKNOWN]).sum(dim=1)
    # 2000 draws at 0.1: 200 +- 13.4; six deviations are 80.
    assert set(count.tolist()) == {0, 1} and abs(int(count.sum()) - 200) < 80
    for before, after in zip(texts, found, strict=True):
        kept = after[(after != NUMBER[model.UNKNOWN]) & (after != NUMBER[model.PAD])]
        assert torch.equal(kept, before[before != NUMBER[model.PAD]])


def test_a_full_text_gets_no_unknown_word(tokenizer: Any) -> None:
    full = tokenizer(["red " * 22] * 200)
    assert torch.equal(training.with_unknown(full, generator()), full)


# Loss


def test_the_loss_of_equal_cosines_is_that_of_guessing() -> None:
    """Two frames, two captions and two wrong ones: (log 4 + log 2) / 2."""
    same = torch.eye(2, 4, dtype=torch.bool)
    found = training.contrast(torch.zeros(2, 4), same)
    assert float(found) == pytest.approx((math.log(4) + math.log(2)) / 2)


def test_a_caption_of_the_same_text_elsewhere_counts_neither_way() -> None:
    """Two frames of one scene: each caption is right for both, so nothing is left to confuse."""
    assert float(training.contrast(torch.zeros(2, 2), torch.ones(2, 2) > 0)) == pytest.approx(0)


# From training to a CLIP


def test_what_is_shipped_is_what_the_code_builds() -> None:
    config = read_json(SHIPPED / model.CONFIG_FILE)
    assert config == {"model_cfg": model.CONFIG, "preprocess_cfg": model.PREPROCESS}
    assert read_json(SHIPPED / "tokenizer.json") == model._tokenizer()
    stored = load_file(SHIPPED / model.WEIGHTS_FILE)
    built = model.build_clip().state_dict()
    assert {name: w.shape for name, w in stored.items()} == {n: w.shape for n, w in built.items()}
    assert {w.dtype for w in stored.values()} == {torch.float16}


def test_a_folder_of_training_becomes_a_clip(tokenizer: Any, tmp_path: Path) -> None:
    """Two updates, then the averaged weights in half precision, opened as any other CLIP."""
    few = frames.training_frames(tmp_path, 2, tokenizer)
    task = training.Clip(few, training.HeldOut(tokenizer, count=2, frames=2))
    task.updates, task.families = 2, 2
    run_loop(task, tmp_path, Budget(probe_every=2), lambda _: None)
    facts = training.export(tmp_path, tmp_path / "out")
    assert facts["updates"] == 2 and set(VALUES) <= set(facts["log"])
    encoder = load(ModelSettings(clip=f"mine:{tmp_path / 'out'}"))
    assert encoder.outputs == ("projected", "unprojected")
    assert encoder.texts(["a red ball"]).shape == (1, 96)


def test_an_untrained_model_depends_on_its_seed_alone() -> None:
    one, two, other = (model.build_clip(seed).state_dict() for seed in (0, 0, 1))
    name = "token_embedding.weight"
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert not torch.equal(one[name], other[name])
