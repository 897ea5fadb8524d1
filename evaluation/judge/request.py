"""One question to a model, whole: what a judgement is kept under."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dreamix.core.errors import UserError
from dreamix.core.names import shown
from dreamix.core.records import parse_json, to_json
from evaluation.judge.frames import Still
from evaluation.judge.prompts import PROBE, Form, Part

MOST_TOKENS: dict[Form, int] = {"token": 1, "json": 200}
PIXELS_A_TOKEN = 784  # of a picture: patches of 14, two by two, as in Qwen's models; an estimate
LETTERS_A_TOKEN = 4
OURS = {"model", "messages", "temperature", "max_tokens", "max_completion_tokens", "logprobs",
        "top_logprobs", "n", "stream"}  # fmt: skip
BODY_EXAMPLE = '{"chat_template_kwargs": {"enable_thinking": false}}'


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


def parameters_of(
    form: Form, alternatives: int = 20, body: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the parameters of a question.

    alternatives: how many likely tokens are asked for. body: what the server wants beside.
    """
    found: dict[str, Any] = {"temperature": 0, "most_tokens": MOST_TOKENS[form]}
    found |= {"alternatives": alternatives} if form == "token" else {}
    return found | ({"body": dict(body)} if body else {})


def probe_request(
    model: str, alternatives: int, body: Mapping[str, Any] | None = None
) -> JudgeRequest:
    """Return a question whose answer is no digit, which shows what a server can do."""
    return JudgeRequest(model, (PROBE,), parameters_of("token", alternatives, body))


def body_of(text: str) -> dict[str, Any]:
    """Return what `--judge-body` adds to every request.

    Raises:
        UserError: if it is no JSON object, or names what is part of every request.
    """
    try:
        found = parse_json(text.encode())
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise UserError(f"--judge-body {shown(text)}: give one JSON object, as {BODY_EXAMPLE}")
    if taken := sorted(OURS & set(found)):
        raise UserError(f"--judge-body: {taken[0]} is part of every request, and cannot be another")
    return found


def _told(part: Part) -> Any:
    if isinstance(part, str):
        return part
    packed = f"jpeg {part.quality}" if part.packing == "jpeg" else part.packing
    return {"still": part.sha256, "packed": packed}
