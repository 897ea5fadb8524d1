"""A judge that was named: what it is, what its numbers mean, and its answers."""

import hashlib
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from dreamix.core.errors import UserError
from dreamix.core.names import shown, why_not_plain
from dreamix.core.records import to_json
from evaluation.judge.archive import Archive, Kind
from evaluation.judge.canary import canary_requests, canary_verdict
from evaluation.judge.client import CallFailed, ChatClient, Hopeless
from evaluation.judge.frames import FramePolicy, Stills
from evaluation.judge.limits import CallLimits, JudgeBudget, Price, Spending
from evaluation.judge.prompts import QUESTIONS, SCALE, Form, JudgeQuestion, Part, pointwise, wording
from evaluation.judge.reading import (
    ModelAnswer,
    OptionShares,
    Reading,
    choice_of,
    expected_score,
    is_masked,
    json_choice,
    json_score,
)
from evaluation.judge.request import JudgeRequest, parameters_of, probe_request
from evaluation.sample.frames import RULES

if TYPE_CHECKING:
    from evaluation.judge.audit.record import AuditRecord

READER = 1  # goes up when an answer is read otherwise
ALTERNATIVES = (20, 5)  # likely tokens to be told of; some servers allow five
KINDS = ("openai", "local", "archive")
ASKS = ("scales", "checklist")  # the axes from 1 to 5, the questions of each edit
MOST_MODEL = 200  # letters
AS = "NAME=openai:URL#MODEL, NAME=local:FOLDER or NAME=archive:"


class Asks(Protocol):
    """What a request goes to."""

    spending: Spending
    notes: dict[str, None]  # what the reader of a table has to know of how it was asked

    def ask(self, request: JudgeRequest) -> ModelAnswer:
        """Return the answer."""


@dataclass(frozen=True)
class JudgeSettings:
    """How judges are asked; tell: is called with what has to be said before the work."""

    frames: FramePolicy = field(default_factory=FramePolicy)
    limits: CallLimits = field(default_factory=CallLimits)
    budget: JudgeBudget = field(default_factory=JudgeBudget)
    price: Price | None = None
    device: str = "cpu"
    tell: Callable[[str], None] = lambda _: None
    audits: "tuple[AuditRecord, ...]" = ()
    asks: tuple[str, ...] = ("scales",)  # of ASKS
    body: Mapping[str, Any] | None = None  # what a server wants beside, of every request


class JudgeSpec(NamedTuple):
    """What `--judge` names."""

    name: str
    kind: str  # of KINDS
    place: str  # address or folder; empty for an archive
    model: str  # empty where the place says it


class ModelJudge:
    """A model, how it is asked, and all that it has answered on a run; for many threads."""

    def __init__(
        self, name: str, model: str, form: Form, alternatives: int,
        frames: FramePolicy, archive: Archive, asks: Asks | None,
        body: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        self.name, self.model, self.form, self.frames = name, model, form, frames
        self.archive, self.alarm = archive, ""
        self._alternatives, self._asks, self._body = alternatives, asks, body
        self._session, self._first = uuid.uuid4().hex, threading.Lock()
        self._is_watched = False  # whether the canary was asked in this scoring

    @property
    def is_replayed(self) -> bool:
        """True if it answers from its archive alone."""
        return self._asks is None

    @property
    def notes(self) -> list[str]:
        """What a reader has to know of this scoring."""
        asked = [] if self._asks is None else [*self._asks.notes]
        return [*([self.alarm] if self.alarm else []), *asked]

    @property
    def requests(self) -> int:
        """How many were sent in this scoring, by all judges."""
        return 0 if self._asks is None else self._asks.spending.requests

    @property
    def parameters(self) -> dict[str, Any]:
        """Those of its requests."""
        return parameters_of(self.form, self._alternatives, self._body)

    def definition_id(self, metric: str, question: JudgeQuestion, align: str) -> str:
        """Return a hash of all that decides its number on a question."""
        return self.definition_of(metric, wording(question, self.form), align)

    def definition_of(self, metric: str, words: str, align: str) -> str:
        """Return a hash of all that decides a number; words: what is asked, but for the edit's."""
        asked = self.model, words, self.parameters
        shown_ = self.frames.facts(), align, RULES
        told = ["judge", metric, *asked, *shown_, tuple(SCALE), READER]
        return hashlib.sha256(to_json(told).encode()).hexdigest()[:12]

    def score(
        self, question: JudgeQuestion, stills: Stills, instruction: str | None, prompt: str | None
    ) -> Reading:
        """Return what it says of an edit.

        Raises:
            CallFailed: if it gave no answer.
            Hopeless: if it will give none.
            BudgetSpent: if it may not be asked.
        """
        parts = pointwise(question, self.form, stills, instruction, prompt)
        return self.scored(self.ask(self.request(parts)))

    def request(self, parts: Sequence[Part]) -> JudgeRequest:
        """Return the request that asks it this."""
        return JudgeRequest(self.model, tuple(parts), self.parameters)

    def scored(self, answer: ModelAnswer) -> Reading:
        """Return the score of 1 to 5 that an answer gives."""
        return (expected_score if self.form == "token" else json_score)(answer, SCALE)

    def chosen(self, answer: ModelAnswer, options: Sequence[str]) -> OptionShares:
        """Return how an answer is shared between options, as they were asked for."""
        return (choice_of if self.form == "token" else json_choice)(answer, options)

    def ask(self, request: JudgeRequest, time: int = 1) -> ModelAnswer:
        """Return the answer to a request: from the archive if it is there.

        time: 2 for a request that is sent a second time, to see whether the answer is the same.
        """
        session = str(time) if time > 1 else None
        if (known := self.archive.get(request, session)) is not None:
            return known
        if self._asks is None:
            raise CallFailed("the archive has no answer to this question")
        self._watch(self._asks)
        kind: Kind = "again" if time > 1 else "judgement"
        return self.archive.ask(request, self._asks.ask, kind, session)

    def watch_again(self) -> None:
        """Ask the canary once more, if anything was asked: the model may be another by now."""
        if self._asks is not None and self._is_watched:
            self._is_watched, self._session = False, uuid.uuid4().hex
            self._watch(self._asks)

    @property
    def identity(self) -> str:
        """Hash of model, wordings, parameters and frame policy: what an audit is of."""
        words = [wording(question, self.form) for question in QUESTIONS.values()]
        told = ["judge", self.model, *words, self.parameters, self.frames.facts(), RULES]
        return hashlib.sha256(to_json([*told, tuple(SCALE), READER]).encode()).hexdigest()[:12]

    def _watch(self, asks: Asks) -> None:
        """Ask the canary before the first question of a scoring."""
        with self._first:
            if self._is_watched:
                return
            for request in canary_requests(self.model, self.form, self._alternatives, self._body):
                try:
                    self.archive.ask(request, asks.ask, "canary", self._session)
                except CallFailed:
                    continue  # of a bird that is not heard nothing follows
            lines = self.archive.of_kind("canary")
            verdict = canary_verdict(lines, self._session, self.form)
            self.alarm = f"ALARM: {verdict}" if verdict.is_alarm else ""
            self._is_watched = True


def spec_of(text: str) -> JudgeSpec:
    """Return what a `--judge` names.

    Raises:
        UserError: if it is none.
    """
    name, equals, rest = text.partition("=")
    kind, colon, place = rest.partition(":")
    if not equals or not colon or kind not in KINDS:
        raise UserError(f"--judge {shown(name)}: name a judge as {AS}")
    if why := why_not_plain(name) or ("it holds a dot" if "." in name else None):
        raise UserError(f"--judge: {shown(name)} cannot name a judge: {why}")
    place, _, model = place.partition("#") if kind != "local" else (place, "", "")
    if kind == "openai" and not (place and model):
        raise UserError(f"--judge {name}: name server and model, as {name}=openai:URL#MODEL")
    if kind == "local" and not place:
        raise UserError(f"--judge {name}: name the folder of the model, as {name}=local:FOLDER")
    if kind == "archive" and place:
        raise UserError(f"--judge {name}: an archive is that of the run: say {name}=archive:")
    if len(model) > MOST_MODEL or not model.isprintable():
        raise UserError(f"--judge {name}: {shown(model)} cannot be a model")
    return JudgeSpec(name, kind, place, model)


def open_judge(
    spec: JudgeSpec, path: Path, settings: JudgeSettings, spending: Spending
) -> ModelJudge:
    """Return a judge, after it was found out how it answers; that is asked once for a run.

    path: of its archive.

    Raises:
        UserError: if it cannot be asked, or there is no archive to replay.
    """
    archive = Archive(path)
    if spec.kind == "archive":
        model = spec.model or _model_in(spec, archive)
        found = _form_in(model, archive, settings.body)
        return ModelJudge(spec.name, model, *found, settings.frames, archive, None, settings.body)
    if spec.kind == "local":
        from evaluation.judge.local import LocalModel

        local = LocalModel(Path(spec.place), settings.device, spending)
        asks: Asks = local
        model = local.model
    else:
        model, asks = spec.model, ChatClient(spec.place, settings.limits, spending)
    found = _form_of(spec, model, archive, asks, settings.body)
    return ModelJudge(spec.name, model, *found, settings.frames, archive, asks, settings.body)


def metrics_of(name: str) -> dict[str, JudgeQuestion]:
    """Return the metrics that a judge brings, each with its question."""
    return {f"{name}.{question.name}": question for question in QUESTIONS.values()}


def _form_of(
    spec: JudgeSpec, model: str, archive: Archive, asks: Asks, body: Mapping[str, Any] | None
) -> tuple[Form, int]:
    """Return how a server's answers can be read, and of how many tokens it tells."""
    for alternatives in ALTERNATIVES:
        answer = _probed(spec, probe_request(model, alternatives, body), archive, asks)
        if answer is not None:
            return _form(answer), alternatives
    return "json", 0


def _probed(
    spec: JudgeSpec, request: JudgeRequest, archive: Archive, asks: Asks
) -> ModelAnswer | None:
    """Return the answer to a question that asks for no digit; None if it is not understood so."""
    try:
        return archive.ask(request, asks.ask, "probe")
    except CallFailed as error:
        if "HTTP 4" in str(error) and "logprob" in str(error).casefold():
            return None
        raise UserError(f"--judge {spec.name}: {error}") from None
    except Hopeless as error:
        raise UserError(f"--judge {spec.name}: {error}") from None


def _form(answer: ModelAnswer) -> Form:
    return "token" if answer.first is not None and not is_masked(answer, SCALE) else "json"


def _form_in(model: str, archive: Archive, body: Mapping[str, Any] | None) -> tuple[Form, int]:
    """Return how the answers in an archive were read."""
    for alternatives in ALTERNATIVES:
        answer = archive.get(probe_request(model, alternatives, body))
        if answer is not None:
            return _form(answer), alternatives
    return "json", 0


def _model_in(spec: JudgeSpec, archive: Archive) -> str:
    models = {str(one.request.get("model")) for one in archive.of_kind("judgement")}
    if not models:
        raise UserError(f"--judge {spec.name}: {archive.path} holds no judgements to replay")
    if len(models) > 1:
        told = ", ".join(sorted(models))
        raise UserError(
            f"--judge {spec.name}: {archive.path} holds judgements of {told}: choose one, as "
            f"{spec.name}=archive:#MODEL"
        )
    return models.pop()
