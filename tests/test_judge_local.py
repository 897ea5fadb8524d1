"""Judges on this machine: real classes of transformers with random weights, which know nothing."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_suites import bring, put_clip, small_suite
from tiny_judges import write_qwen3_vl

from dreamix.core.errors import UserError
from dreamix.core.video import Video
from dreamix.data.edit_questions import EditQuestion
from evaluation.judge.frames import FramePolicy, stills_of_both
from evaluation.judge.judge import JudgeSettings
from evaluation.judge.local import LocalModel
from evaluation.judge.prompts import QUESTIONS, SCALE, pointwise
from evaluation.judge.reading import expected_score, scale_mass
from evaluation.judge.request import JudgeRequest, parameters_of
from evaluation.score.scoring import score_run
from evaluation.score.table import read_scores
from evaluation.settings import ModelSettings


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_qwen3_vl(tmp_path_factory.mktemp("models") / "tiny-qwen3-vl")


def asked(model: str, seed: int = 0) -> JudgeRequest:
    frames = np.random.default_rng(seed).integers(0, 256, (2, 3, 32, 48, 3), dtype=np.uint8)
    stills = stills_of_both(Video(frames[0], 4), Video(frames[1], 4), FramePolicy(count=2))
    parts = pointwise(QUESTIONS["alignment"], "token", stills, "make it red", None)
    return JudgeRequest(model, tuple(parts), parameters_of("token"))


def test_a_model_that_knows_nothing_did_not_answer(folder: Path) -> None:
    """Random weights spread the probability: five digits of 263 tokens have about 5 / 263 of it."""
    model = LocalModel(folder, "cpu")
    answer = model.ask(asked(model.model))
    found = expected_score(answer, SCALE)
    assert (found.kind, found.value) == ("did not answer", None)
    assert scale_mass(answer, SCALE) == pytest.approx(5 / 263, rel=0.3)
    assert model.ask(asked(model.model)) == answer  # nothing is drawn


def test_the_distribution_is_that_of_the_model(folder: Path) -> None:
    """Against transformers' own call: logits of the last position, log-softmax."""
    import torch
    from transformers import AutoProcessor, Qwen3VLForConditionalGeneration

    model, request = LocalModel(folder, "cpu"), None
    request = asked(model.model)
    answer = model.ask(request)
    from PIL import Image

    content = [
        {"type": "text", "text": part}
        if isinstance(part, str)
        else {"type": "image", "image": Image.fromarray(part.pixels)}
        for part in request.parts
    ]
    processor = AutoProcessor.from_pretrained(folder)
    inputs = processor.apply_chat_template(
        [{"role": "user", "content": content}], tokenize=True, return_dict=True,
        add_generation_prompt=True, return_tensors="pt",
    )  # fmt: skip
    assert (inputs["input_ids"] == processor.tokenizer.convert_tokens_to_ids("<|image_pad|>")).any()
    network = Qwen3VLForConditionalGeneration.from_pretrained(folder).eval()
    with torch.no_grad():
        wanted = network(**inputs).logits[0, -1].log_softmax(-1)
    digit = processor.tokenizer.convert_tokens_to_ids("4")
    told = {token.text: token.logprob for token in answer.first or ()}
    assert told["4"] == pytest.approx(float(wanted[digit]), abs=1e-5)
    assert answer.usage is not None
    assert answer.usage["prompt_tokens"] == inputs["input_ids"].shape[1]


def test_it_sees_the_stills(folder: Path) -> None:
    model = LocalModel(folder, "cpu")
    first, other = (model.ask(asked(model.model, seed)).first for seed in (0, 1))
    assert first != other


def test_other_weights_are_another_model(folder: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(folder, tmp_path / folder.name))
    assert LocalModel(other, "cpu").model == LocalModel(folder, "cpu").model
    weights = other / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert LocalModel(other, "cpu").model != LocalModel(folder, "cpu").model


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no config\.json"):
        LocalModel(tmp_path, "cpu")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UserError, match="safetensors"):
        LocalModel(tmp_path, "cpu")


def test_a_run_is_judged_by_it_and_all_that_it_does_not_answer_is_counted(
    folder: Path, tmp_path: Path
) -> None:
    plain = small_suite(tmp_path, ("e-1",))
    questions = EditQuestion("Red?", True), EditQuestion("Which?", "d", ("a", "b", "c", "d"))
    suite = replace(plain, edits=(replace(plain.edits[0], questions=questions),))
    put_clip(tmp_path / "o" / "ours" / "e-1.mp4", 1)
    bring(suite, tmp_path / "run", f"external:{tmp_path}/o/*")
    how = JudgeSettings(FramePolicy(count=2), asks=("scales", "checklist"))
    spec = f"mine=local:{folder}"
    done = score_run(tmp_path / "run", [], ModelSettings(), judges=[spec], judging=how)
    assert done.reasons == {
        "the judge did not answer with a score": 4,
        "a question of the checklist: the judge answered with none of the options": 3,
    }
    rows = read_scores(tmp_path / "run" / "scores.jsonl").values()
    notes = [str(row.note) for row in rows]
    assert sum("of the probability is on 1, 2, 3, 4, 5" in note for note in notes) == 4
    assert sum("6 of 6 forms without an answer, of question 1, qu" in note for note in notes) == 3
