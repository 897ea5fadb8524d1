"""toybox-clip: what it is, that it is plain open_clip, and what it makes of Toybox."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from dreamix.core.errors import UserError
from dreamix.data.suite import Suite, load_suite
from dreamix.methods.base import variants
from dreamix.toybox.world import VOCABULARY, Scene, caption, render
from evaluation.features import clip, clip_files
from evaluation.run.folder import RunFolder
from evaluation.run.runner import run_suite
from evaluation.score.scoring import score_run
from evaluation.score.table import read_scores
from evaluation.settings import REAL_CLIP, ModelSettings
from evaluation.toybox import weights

TOYBOX_CLIP = "toybox-clip"
SETTINGS = ModelSettings(clip=TOYBOX_CLIP)
FOLDER = Path(weights.__file__).parent / "toybox_clip"


@pytest.fixture(scope="module")
def encoder() -> clip.ClipEncoder:
    return clip.load(SETTINGS)


@pytest.fixture(scope="module")
def suite(root: Path) -> Suite:
    return load_suite(root / "datasets" / "toybox")


# What it is


def test_it_comes_with_the_toolkit_and_says_what_it_is() -> None:
    assert clip.problem(SETTINGS) is None
    assert clip.identity(SETTINGS).startswith("clip toybox-clip (knows the Toybox world only) ")
    assert " fit squash " in clip.identity(SETTINGS)
    with pytest.raises(UserError, match="comes with the toolkit"):
        clip.fetch(SETTINGS)


def test_it_is_small(encoder: clip.ClipEncoder) -> None:
    assert sum(p.numel() for p in encoder.model.parameters()) <= 800_000
    assert (FOLDER / "open_clip_model.safetensors").stat().st_size <= 1_600_000


def test_asking_for_it_imports_neither_torch_nor_open_clip() -> None:
    code = (
        "import sys; from evaluation.features import clip; from evaluation.settings import *; "
        "assert clip.problem(ModelSettings(clip='toybox-clip')) is None; "
        "clip.identity(ModelSettings(clip='toybox-clip')); "
        "sys.exit('torch' in sys.modules or 'open_clip' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_transformers_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    real = clip_files.importlib.util.find_spec
    absent = lambda name: None if name == "transformers" else real(name)  # noqa: E731
    monkeypatch.setattr(clip_files.importlib.util, "find_spec", absent)
    assert "needs transformers; run `pip install" in str(clip.problem(SETTINGS))


def test_plain_open_clip_opens_the_folder_and_gives_the_same_embeddings(
    encoder: clip.ClipEncoder,
) -> None:
    """open_clip 3.3 reads config, weights, tokenizer and preprocessing from the folder alone."""
    place = f"local-dir:{FOLDER}"
    with torch.random.fork_rng(devices=[]):
        model, preprocess = open_clip.create_model_from_pretrained(place)
    scene = Scene("red", "star", "bouncing", "beach", effect="snow")
    frames, texts = render(scene, 4).frames, [caption(scene), "a dog"]
    with torch.inference_mode():
        pixels = torch.stack([preprocess(Image.fromarray(frame)) for frame in frames])
        images = model.encode_image(pixels, normalize=True)
        words = model.encode_text(open_clip.get_tokenizer(place)(texts), normalize=True)
    found = encoder.images(encoder.prepare(frames))["projected"]
    np.testing.assert_allclose(found, images, atol=1e-5)
    np.testing.assert_allclose(encoder.texts(texts), words, atol=1e-5)


# Its words


def test_it_has_a_token_for_every_word_of_the_grammar(encoder: clip.ClipEncoder) -> None:
    assert encoder.unknown(" ".join(VOCABULARY)) == 0
    numbers = json.loads((FOLDER / "tokenizer.json").read_text())["model"]["vocab"]
    assert set(VOCABULARY) <= set(numbers)


def test_both_ways_of_pooling_find_the_end_mark(encoder: clip.ClipEncoder) -> None:
    """Its number is the highest, so `argmax` (CLIP's way) and `eos` take the same place."""
    tokens = encoder.tokenizer(["a red ball bouncing in a meadow", "", "red " * 40])
    end = encoder.model.text_eos_id
    assert (tokens.argmax(dim=1) == (tokens == end).int().argmax(dim=1)).all()
    assert (tokens.max(dim=1).values == end).all()


def test_capitals_and_punctuation_do_not_matter_and_unknown_words_are_counted(
    encoder: clip.ClipEncoder,
) -> None:
    plain, loud = encoder.tokenizer(["a red ball in the snow", "A RED ball, in the snow."])
    assert torch.equal(plain, loud)
    assert encoder.unknown("a dog beside a red ball, barking!") == 3  # dog, beside, barking


def test_a_caption_fits_and_a_long_prompt_is_noticed(
    encoder: clip.ClipEncoder, suite: Suite
) -> None:
    # 24 places hold start, 22 words and end.
    assert not any(encoder.truncated(edit.prompt) for edit in suite.edits)
    assert not encoder.truncated("red " * 22)
    assert encoder.truncated("red " * 23)


def test_clip_s_own_tokenizer_spells_everything(tiny_clip: str) -> None:
    assert clip.load(ModelSettings(clip=tiny_clip)).unknown("a zxqv") == 0


# When it is used


def test_a_suite_of_scenes_takes_it_and_a_real_one_does_not() -> None:
    assert ModelSettings().on("toybox").clip == TOYBOX_CLIP
    assert ModelSettings().on(None).clip == REAL_CLIP
    assert ModelSettings(clip="ViT-L-14:x").on("toybox").clip == "ViT-L-14:x"


def test_scores_on_toybox_name_it_and_count_unknown_words(suite: Suite, tmp_path: Path) -> None:
    run_suite(suite, variants("unedited"), tmp_path / "run", edits=[suite.edits[0].id])
    score_run(tmp_path / "run", ["clip_t", "clip_f.unprojected"], ModelSettings())
    facts = RunFolder(tmp_path / "run").info.metrics["clip_t"]
    assert facts.settings["clip"] == TOYBOX_CLIP
    assert "knows the Toybox world only" in facts.models["clip"]
    rows = read_scores(tmp_path / "run" / "scores.jsonl").values()
    assert {row.status for row in rows} == {"ok"} and not any(row.note for row in rows)
