"""One question to a model, whole: what a judgement is kept under."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dreamix.core.records import to_json
from evaluation.judge.frames import Still
from evaluation.judge.prompts import PROBE, Form, Part

MOST_TOKENS: dict[Form, int] = {"token": 1, "json": 200}
PIXELS_A_TOKEN = 784  # of a picture: patches of 14, two by two, as in Qwen's models; an estimate
LETTERS_A_TOKEN = 4


@dataclass(frozen=True)
class JudgeRequest:
    """What is asked of which model, with which parameters."""

    model: str
    parts: tuple[Part, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of model, words, parameters and the pixels of the stills."""
        return hashlib.sha256(to_json(self.told()).encode()).hexdigest()

    def told(self) -> dict[str, Any]:
        """Return it as the archive keeps it: stills by the hash of their pixels."""
        parts = [_told(part) for part in self.parts]
        return {"model": self.model, "parts": parts, "parameters": dict(self.parameters)}

    @property
    def about_tokens(self) -> int:
        """Tokens it may cost, roughly."""
        words = sum(len(part) for part in self.parts if isinstance(part, str))
        stills = [part for part in self.parts if isinstance(part, Still)]
        pixels = sum(still.pixels.shape[0] * still.pixels.shape[1] for still in stills)
        most = int(self.parameters.get("most_tokens", 0))
        return words // LETTERS_A_TOKEN + pixels // PIXELS_A_TOKEN + most


def parameters_of(form: Form, alternatives: int = 20) -> dict[str, Any]:
    """Return the parameters of a question; alternatives: how many likely tokens are asked for."""
    found: dict[str, Any] = {"temperature": 0, "most_tokens": MOST_TOKENS[form]}
    return found | ({"alternatives": alternatives} if form == "token" else {})


def probe_request(model: str, alternatives: int) -> JudgeRequest:
    """Return a question whose answer is no digit, which shows what a server can do."""
    return JudgeRequest(model, (PROBE,), parameters_of("token", alternatives))


def _told(part: Part) -> Any:
    if isinstance(part, str):
        return part
    packed = f"jpeg {part.quality}" if part.packing == "jpeg" else part.packing
    return {"still": part.sha256, "packed": packed}
