"""From the answer of a judge to a value, or to the reason why there is none.

Two ways to read, and no third: the expectation over the probabilities of the answer token, or JSON
of exactly the declared form. A digit in prose is never a score.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from dreamix.core.names import one_line
from dreamix.core.records import parse_json

LEAST_MASS = 0.9  # of the answer token's probability that has to be on the scale
MASKED = 0.999  # mass on the scale, for a question whose answer is no digit: it was forced
SLACK = 1e-3  # by which rounded probabilities may sum to more than 1
SHOWN = 200  # letters of an answer in a reason; the archive has it whole
Kind = Literal[
    "ok",
    "refused",  # the model said no
    "moderated",  # the server did
    "truncated",  # cut off before its end
    "empty",
    "did not answer",  # too little probability on the scale
    "no probabilities",  # asked for, and not given
    "other scale",  # a number, outside the scale
    "unreadable",  # anything else
]
_REFUSAL = re.compile(
    r"\W*(i'?m sorry|i am sorry|sorry\b|i (can'?t|cannot|can not|won'?t|refuse|decline)\b"
    r"|i'?m (unable|not able)|i am (unable|not able)|as an ai\b)",
    re.IGNORECASE,
)


class AnswerToken(NamedTuple):
    """A token that could have come, and the logarithm of its probability."""

    text: str
    logprob: float


@dataclass(frozen=True)
class ModelAnswer:
    """What a model answered, before anybody read it.

    first: the likeliest tokens in the first place, where they were given.
    """

    text: str = ""
    finish: str | None = None  # stop, length, content_filter ...
    refusal: str | None = None
    first: tuple[AnswerToken, ...] | None = None
    usage: Mapping[str, int] | None = None  # prompt_tokens, completion_tokens
    model: str | None = None  # as the server names what answered
    fingerprint: str | None = None


class Scale(NamedTuple):
    """The numbers that an answer may be, both ends included."""

    low: int = 1
    high: int = 5

    @property
    def points(self) -> dict[str, float]:
        """Each number of the scale as it is spelled, with its value."""
        return {str(number): float(number) for number in range(self.low, self.high + 1)}


class Reading(NamedTuple):
    """A value, or the kind of failure with its reason."""

    kind: Kind
    value: float | None = None
    reason: str | None = None
    mass: float | None = None  # probability of the first token that was on the scale


class OptionShares(NamedTuple):
    """How likely each option was, in shares of those that were offered; or why that is unknown."""

    kind: Kind
    shares: dict[str, float]
    reason: str | None = None
    mass: float | None = None


def expected_score(answer: ModelAnswer, scale: Scale) -> Reading:
    """Return the expectation of the first token over the scale, as the judge would answer it."""
    found = choice_of(answer, [*scale.points])
    if found.kind != "ok":
        return Reading(found.kind, None, found.reason, found.mass)
    value = sum(scale.points[name] * share for name, share in found.shares.items())
    return Reading("ok", min(max(value, scale.low), scale.high), None, found.mass)


def choice_of(answer: ModelAnswer, options: Sequence[str]) -> OptionShares:
    """Return how the first token's probability is shared between options of one token each."""
    if (gone := _withheld(answer)) is not None:
        return OptionShares(gone.kind, {}, gone.reason)
    if answer.first is None:
        return _no_choice("no probabilities", "the server gave no log-probabilities", answer)
    sums, total = _sums(answer.first, options)
    mass = sum(sums.values())
    if not total <= 1 + SLACK:  # NaN too
        return _no_choice("unreadable", "its log-probabilities are none", answer)
    if mass < LEAST_MASS:
        kind: Kind = "refused" if _is_refusal(answer.text) else "did not answer"
        why = f"{mass:.3f} of the probability is on {', '.join(options)}"
        return _no_choice(kind, why, answer, mass)
    return OptionShares(
        "ok", {name: part / mass for name, part in sums.items()}, None, min(mass, 1.0)
    )


def json_choice(answer: ModelAnswer, options: Sequence[str]) -> OptionShares:
    """Return the option that an answer of the form `{"answer": "A"}` names, as a share of 1."""
    held = _object(answer, "answer")
    if isinstance(held, JsonReading):
        return OptionShares(held.kind, {}, held.reason)
    said = held["answer"]
    name = said.strip().casefold() if isinstance(said, str) else None
    found = [one for one in options if one.casefold() == name]
    if not found:
        why = _unread(answer, f"none of {', '.join(options)}")
        return OptionShares(why.kind, {}, why.reason)
    return OptionShares("ok", {one: float(one == found[0]) for one in options})


def scale_mass(answer: ModelAnswer, scale: Scale) -> float | None:
    """Return the probability that the first token is on the scale; None if that is not known."""
    if answer.first is None:
        return None
    return sum(_sums(answer.first, [*scale.points])[0].values())


def is_masked(answer: ModelAnswer, scale: Scale) -> bool:
    """Return True if the scale was forced on an answer to a question that asks for none."""
    mass = scale_mass(answer, scale)
    return mass is not None and mass >= MASKED


def json_score(answer: ModelAnswer, scale: Scale) -> Reading:
    """Return the score of an answer that is `{"score": n}`, n a whole number of the scale."""
    found = json_scores(answer, scale)
    return Reading(found.kind, found.values[0] if found.values else None, found.reason)


class JsonReading(NamedTuple):
    """The numbers of an answer in JSON, or the kind of failure with its reason."""

    kind: Kind
    values: tuple[float, ...] = ()
    reason: str | None = None


def json_scores(
    answer: ModelAnswer,
    scale: Scale,
    *,
    parts: int | None = None,
    beside: Sequence[str] = (),
    whole: bool = True,
) -> JsonReading:
    """Return the numbers under `score` of an answer that is one JSON object and nothing else.

    parts: how many there have to be, in a list; None: one, not in a list.
    beside: other keys that the object may hold.
    whole: whether only whole numbers are on the scale.
    """
    held = _object(answer, "score", beside)
    if isinstance(held, JsonReading):
        return held
    listed = held["score"] if parts is not None else [held["score"]]
    if not isinstance(listed, list) or len(listed) != (parts or 1):
        return _unread(answer, f"not {parts} scores" if parts else "not one score")
    if not all(_is_number(one, whole) for one in listed):
        return _unread(
            answer, "its score is no whole number" if whole else "its score is no number"
        )
    if not all(scale.low <= one <= scale.high for one in listed):
        why = f"not on the scale of {scale.low} to {scale.high}"
        return JsonReading("other scale", (), _told(why, answer.text))
    return JsonReading("ok", tuple(map(float, listed)))


def _object(
    answer: ModelAnswer, key: str, beside: Sequence[str] = ()
) -> "dict[str, Any] | JsonReading":
    """Return an answer that is one JSON object with a key, and nothing else; or why it is none."""
    if (gone := _withheld(answer)) is not None:
        return JsonReading(gone.kind, (), gone.reason)
    if answer.finish == "length":
        return JsonReading("truncated", (), _told("cut off", answer.text))
    try:
        held = parse_json(answer.text.strip().encode())
    except (ValueError, RecursionError):
        return _unread(answer, "no JSON object alone")
    if not isinstance(held, dict) or key not in held or set(held) - {key, *beside}:
        form = {"score": "n", "answer": '"..."'}[key]
        return _unread(answer, f'not of the form {{"{key}": {form}}}')
    return held


def _is_number(value: object, whole: bool) -> bool:
    kinds = int if whole else (int, float)
    return isinstance(value, kinds) and not isinstance(value, bool)


def _is_refusal(text: str) -> bool:
    """Return True if a text begins as refusals do; that names the failure, it makes no number."""
    return _REFUSAL.match(text.replace("\u2019", "'")) is not None


def _withheld(answer: ModelAnswer) -> Reading | None:
    """Return why there is no answer, where the model or its server says so."""
    if answer.refusal:
        return Reading("refused", None, _told("refused", answer.refusal))
    if answer.finish == "content_filter":
        return Reading("moderated", None, _told("moderated by the server", answer.text))
    if not answer.text.strip() and not answer.first:
        return Reading("empty", None, "the answer is empty")
    return None


def _unread(answer: ModelAnswer, why: str) -> JsonReading:
    kind: Kind = "refused" if _is_refusal(answer.text) else "unreadable"
    return JsonReading(kind, (), _told("refused" if kind == "refused" else why, answer.text))


def _no_choice(
    kind: Kind, why: str, answer: ModelAnswer, mass: float | None = None
) -> OptionShares:
    said = f"{kind}: {why}" if kind in ("refused", "did not answer") else why
    return OptionShares(kind, {}, _told(said, answer.text), mass)


def _sums(first: Sequence[AnswerToken], options: Sequence[str]) -> tuple[dict[str, float], float]:
    """Return the probability of each option, summed over its spellings, and that of all tokens."""
    sums, total = dict.fromkeys(options, 0.0), 0.0
    for token in first:
        chance = math.exp(token.logprob) if token.logprob <= SLACK else math.nan
        total += chance
        name = token.text.strip().lstrip("▁Ġ")
        match = next((one for one in options if one.casefold() == name.casefold()), None)
        if match is not None:
            sums[match] += chance
    return sums, total


def _told(why: str, text: str) -> str:
    """Return a reason with the beginning of the answer."""
    words = " ".join(one_line(text).split())
    more = "..." if len(words) > SHOWN else ""
    return f"{why}: {words[:SHOWN]}{more}" if words else why
