"""The reply of a chat route, understood: a stranger's JSON to a `ModelAnswer`."""

from collections.abc import Mapping
from typing import Any

from evaluation.judge.reading import AnswerToken, ModelAnswer

MOST_TEXT = 100_000  # letters of an answer
MOST_TOKENS = 100  # alternatives of a token
LEAST, NONE = -9999.0, 1.0  # a logarithm of nearly 0; and one of no probability, for no reader
COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")


class NoAnswer(Exception):
    """A reply that holds no answer; the message says what it lacks."""


def answer_of(held: Any) -> ModelAnswer:
    """Return what a reply says.

    Raises:
        NoAnswer: if it is no reply of a chat route.
    """
    choices = held.get("choices") if isinstance(held, Mapping) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, Mapping) else None
    if not isinstance(first, Mapping) or not isinstance(message, Mapping):
        raise NoAnswer("it has no choices[0].message")
    return ModelAnswer(
        text=_text(message.get("content")) or "",
        finish=_text(first.get("finish_reason")),
        refusal=_text(message.get("refusal")) or None,
        first=_first_token(first.get("logprobs")),
        usage=_usage(held.get("usage")),
        model=_text(held.get("model")),
        fingerprint=_text(held.get("system_fingerprint")),
    )


def _text(value: object) -> str | None:
    if isinstance(value, list):  # of parts, as some servers give it
        parts = [one.get("text") for one in value if isinstance(one, Mapping)]
        value = "".join(part for part in parts if isinstance(part, str))
    return value.encode(errors="replace").decode()[:MOST_TEXT] if isinstance(value, str) else None


def _first_token(held: object) -> tuple[AnswerToken, ...] | None:
    """Return what could have come first, the token that came among it; None if it is not told."""
    content = held.get("content") if isinstance(held, Mapping) else None
    if not isinstance(content, list) or not content or not isinstance(content[0], Mapping):
        return None
    listed = content[0].get("top_logprobs")
    tokens = [_token(one) for one in (listed if isinstance(listed, list) else [])[:MOST_TOKENS]]
    found = [token for token in tokens if token is not None]
    came = _token(content[0])
    if came is not None and came.text not in {token.text for token in found}:
        found.append(came)
    return tuple(found) or None


def _token(held: object) -> AnswerToken | None:
    if not isinstance(held, Mapping):
        return None
    text, logprob = held.get("token"), held.get("logprob")
    if not isinstance(text, str) or isinstance(logprob, bool):
        return None
    if not isinstance(logprob, int | float):
        return None
    value = max(float(logprob), LEAST) if logprob <= 0.001 else NONE  # NaN too
    return AnswerToken(text.encode(errors="replace").decode()[:100], value)


def _usage(held: object) -> dict[str, int] | None:
    if not isinstance(held, Mapping):
        return None
    counts = {name: held.get(name) for name in COUNTS}
    return {
        name: value
        for name, value in counts.items()
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9
    }
