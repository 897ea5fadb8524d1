"""A judge on this machine: a folder of one of transformers' image-text-to-text classes.

Qwen-VL, InternVL, SmolVLM and others. Nothing is generated: one pass forward gives the
distribution of the answer's first token.
"""

import hashlib
import threading
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from dreamix.core.errors import UserError
from dreamix.core.media import sha256_file
from evaluation.judge.client import CallFailed
from evaluation.judge.limits import Spending
from evaluation.judge.prompts import LETTERS, SCALE, YES_NO
from evaluation.judge.reading import AnswerToken, ModelAnswer
from evaluation.judge.request import JudgeRequest

OPTIONS = frozenset({*SCALE.points, *(option.casefold() for option in (*LETTERS, *YES_NO))})
DECIDES = ("*.safetensors", "*.json", "*.jinja", "*.txt", "*.model")  # files of a model


class LocalModel:
    """A model in a folder; one request at a time."""

    def __init__(self, folder: Path, device: str, spending: Spending | None = None) -> None:
        if not (folder / "config.json").is_file():
            raise UserError(f"{folder} is no folder of a model: it has no config.json")
        if not [*folder.glob("*.safetensors")]:
            raise UserError(f"{folder} has no weights as safetensors, the only kind that is read")
        self.spending, self.notes = spending or Spending(), dict[str, None]()
        self.model = f"{folder.name}@{_hash_of(folder)[:12]}"
        self._folder, self._device = folder, device
        self._turn = threading.Lock()

    def ask(self, request: JudgeRequest) -> ModelAnswer:
        """Return how likely each token is to come first.

        Raises:
            CallFailed: if the model cannot take the request.
        """
        with self._turn:
            self.spending.claim()
            answer = self._answer(request)
        self.spending.add(answer)
        return answer

    def _answer(self, request: JudgeRequest) -> ModelAnswer:
        import torch

        try:
            inputs = self._processor.apply_chat_template(
                [{"role": "user", "content": [_part(part) for part in request.parts]}],
                tokenize=True,
                return_dict=True,
                add_generation_prompt=True,
                return_tensors="pt",
            ).to(self._device)
            with torch.inference_mode():
                logits = self._network(**inputs).logits[0, -1].float()
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            raise CallFailed(f"the model failed: {type(error).__name__}: {error}") from None
        chances = torch.log_softmax(logits, -1).cpu().numpy().astype(np.float64)
        count = int(inputs["input_ids"].shape[-1])
        usage = {"prompt_tokens": count, "completion_tokens": 1, "total_tokens": count + 1}
        first = self._likely(chances, int(request.parameters["alternatives"]))
        return ModelAnswer(first[0].text, "length", first=first, usage=usage, model=self.model)

    def _likely(self, chances: np.ndarray, count: int) -> tuple[AnswerToken, ...]:
        """Return the likeliest tokens, and every one that spells an answer."""
        likeliest = np.argsort(-chances, kind="stable")[:count].tolist()
        numbers = dict.fromkeys([*likeliest, *(n for n in self._spellings if n < len(chances))])
        return tuple(
            AnswerToken(self._decoded(number), min(float(chances[number]), 0.0))
            for number in numbers
        )

    def _decoded(self, number: int) -> str:
        return str(self._tokenizer.decode([number])).encode(errors="replace").decode()[:100]

    @cached_property
    def _spellings(self) -> list[int]:
        """The tokens that spell a point of the scale, a letter of options, yes or no."""
        numbers = range(len(self._tokenizer))
        return [n for n in numbers if self._decoded(n).strip().casefold() in OPTIONS]

    @property
    def _tokenizer(self) -> Any:
        return self._processor.tokenizer

    @cached_property
    def _processor(self) -> Any:
        from transformers import AutoProcessor

        try:
            return AutoProcessor.from_pretrained(self._folder, local_files_only=True)
        except (OSError, ValueError, KeyError) as error:
            raise UserError(f"{self._folder}: its processor cannot be loaded: {error}") from None

    @cached_property
    def _network(self) -> Any:
        from transformers import AutoModelForImageTextToText

        try:
            found = AutoModelForImageTextToText.from_pretrained(
                self._folder, local_files_only=True, use_safetensors=True, dtype="auto"
            )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise UserError(f"{self._folder}: its model cannot be loaded: {error}") from None
        return found.to(self._device).eval()


def _part(part: Any) -> dict[str, Any]:
    from PIL import Image

    if isinstance(part, str):
        return {"type": "text", "text": part}
    return {"type": "image", "image": Image.fromarray(part.pixels)}


def _hash_of(folder: Path) -> str:
    """Return a hash of all files that decide what a model answers."""
    paths = sorted({path for pattern in DECIDES for path in folder.glob(pattern)})
    told = "".join(f"{path.name} {sha256_file(path)}\n" for path in paths)
    return hashlib.sha256(told.encode()).hexdigest()
