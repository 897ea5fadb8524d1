"""Every judgement of a run, whole: `judgements/NAME.jsonl`, a line each, only ever appended to.

A line is on disk before the answer is used, so that a kill pays for no answer twice that had
arrived. The archive answers without a network whatever was asked before.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dreamix.core.errors import UserError
from dreamix.core.records import append_lines, read_lines
from dreamix.core.typed import STRICT, parse_line
from evaluation.judge.reading import AnswerToken, ModelAnswer
from evaluation.judge.request import JudgeRequest
from evaluation.schema import Sha256

FOLDER = "judgements"
REVISION = 1  # of the lines
Kind = Literal["judgement", "probe", "canary", "again"]


@dataclass(frozen=True)
class JudgementLine:
    """One line: what was asked, by its hash and in words, and all that came back."""

    __pydantic_config__ = STRICT
    kind: Kind
    hash: Sha256
    request: dict[str, Any]
    answer: dict[str, str]  # the text as it came, finish, refusal
    time: str  # UTC, when the answer had arrived
    seconds: float  # that it took
    toolkit: str
    revision: int = REVISION
    first: list[tuple[str, float]] | None = None  # tokens that could have come, log-probabilities
    usage: dict[str, int] | None = None
    model: str | None = None  # as the server named it
    fingerprint: str | None = None
    session: str | None = None  # of a canary: which scoring asked it; of one sent again: its number

    @property
    def answered(self) -> ModelAnswer:
        """What the model answered."""
        first = None if self.first is None else tuple(AnswerToken(*pair) for pair in self.first)
        told = {name: self.answer.get(name) for name in ("finish", "refusal")}
        text = self.answer.get("text", "")
        return ModelAnswer(
            text, **told, first=first, usage=self.usage, model=self.model,
            fingerprint=self.fingerprint,
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it, without empty fields."""
        return {name: value for name, value in vars(self).items() if value is not None}


class Archive:
    """The judgements of one judge on one run; may be used from many threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._write = threading.Lock()
        self._lines: list[JudgementLine] = []
        for number, line in enumerate(read_lines(path), 1):
            self._lines.append(parse_line(line, JudgementLine, f"{path}:{number}"))
        self._known = {_key(one): one for one in self._lines if one.kind != "canary"}
        self._under_way: dict[str, threading.Lock] = {}

    def __len__(self) -> int:
        """Return the number of answers it has."""
        return sum(1 for _, session in self._known if session is None)

    def of_kind(self, kind: Kind) -> list[JudgementLine]:
        """Return the lines of a kind, in the order in which they came."""
        return [one for one in self._lines if one.kind == kind]

    def get(self, request: JudgeRequest, session: str | None = None) -> ModelAnswer | None:
        """Return the answer to a request, if it was asked before.

        session: the number of one that was sent again.
        """
        found = self._known.get((request.hash, session))
        return found.answered if found else None

    def ask(
        self,
        request: JudgeRequest,
        send: Callable[[JudgeRequest], ModelAnswer] | None,
        kind: Kind = "judgement",
        session: str | None = None,
    ) -> ModelAnswer:
        """Return the answer to a request: the one that is here, else what `send` gives.

        A request that is under way in another thread is waited for. A canary is always sent; one
        that is sent again, once under its number (`session`).
        send: None where nothing may be sent; `UserError` then if the answer is not here.
        """
        with self._write:
            turn = self._under_way.setdefault(request.hash, threading.Lock())
        with turn:
            if kind != "canary" and (known := self.get(request, session)) is not None:
                return known
            if send is None:
                raise UserError(f"{self.path} has no answer to this request")
            began = time.monotonic()
            answer = send(request)
            self._keep(_line(kind, request, answer, time.monotonic() - began, session))
            return answer

    def _keep(self, line: JudgementLine) -> None:
        with self._write:
            append_lines(self.path, [line.to_dict()])
            self._lines.append(line)
            if line.kind != "canary":
                self._known[_key(line)] = line


def _key(line: JudgementLine) -> tuple[str, str | None]:
    return line.hash, line.session


def _line(
    kind: Kind, request: JudgeRequest, answer: ModelAnswer, seconds: float, session: str | None
) -> JudgementLine:
    from dreamix import __version__

    told: Mapping[str, str | None] = {
        "text": answer.text,
        "finish": answer.finish,
        "refusal": answer.refusal,
    }
    return JudgementLine(
        kind,
        request.hash,
        request.told(),
        {name: value for name, value in told.items() if value is not None},
        time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        round(seconds, 4),
        __version__,
        first=None if answer.first is None else [(one.text, one.logprob) for one in answer.first],
        usage=None if answer.usage is None else dict(answer.usage),
        model=answer.model,
        fingerprint=answer.fingerprint,
        session=session,
    )
