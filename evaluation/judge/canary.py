"""The canary: six questions about drawn pictures, asked again in every scoring.

A model behind a name may be exchanged without a word. The answers of a scoring are compared with
the first that the archive has. Where they are more than `ALARM` points off in the mean (an answer
that cannot be read any more counts as the whole scale), the name means another model. Temperature 0
is not deterministic on a served model, so that any difference at all would be no sign.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from dreamix.core.video import Video
from evaluation.judge.archive import JudgementLine
from evaluation.judge.frames import FramePolicy, stills_of_both
from evaluation.judge.prompts import QUESTIONS, SCALE, Form, Part, pointwise
from evaluation.judge.reading import Reading, expected_score, json_score
from evaluation.judge.request import JudgeRequest, parameters_of

ALARM = 0.5  # points of the scale of 1 to 5, in the mean over the six
HEIGHT, WIDTH, COUNT = 64, 96, 2
GREY, BLUE, RED, GREEN = (128, 128, 128), (40, 60, 200), (200, 50, 40), (40, 160, 60)
ASKED = (  # question, background and square of the edit, whether noise lies on it
    ("alignment", GREY, RED, False),
    ("alignment", GREY, BLUE, False),
    ("fidelity", GREY, RED, False),
    ("fidelity", GREEN, BLUE, False),
    ("quality", GREY, RED, False),
    ("quality", GREY, RED, True),
)


class CanaryVerdict(NamedTuple):
    """How far the answers of a scoring are from the first ones."""

    shift: float | None  # mean distance in points; None: there is nothing to compare with
    was: str | None  # the model as the server named it at first
    now: str | None

    @property
    def is_alarm(self) -> bool:
        """True if the model behind the name is another one, by the declared statistic."""
        return self.shift is not None and self.shift > ALARM

    def __str__(self) -> str:
        """Return the line that says so."""
        names = f" ({self.was}, now {self.now})" if self.was != self.now else ""
        return (
            f"the model behind the name answers otherwise than at first{names}: the scores of the "
            f"canary moved by {self.shift:.2f} points in the mean, above {ALARM}; judge all clips "
            "anew under another name"
        )


def canary_requests(
    model: str, form: Form, alternatives: int, body: Mapping[str, Any] | None = None
) -> list[JudgeRequest]:
    """Return the questions of the canary, always the same for a model and a form."""
    return [
        JudgeRequest(model, tuple(_parts(form, *one)), parameters_of(form, alternatives, body))
        for one in ASKED
    ]


def canary_verdict(lines: Sequence[JudgementLine], session: str, form: Form) -> CanaryVerdict:
    """Return how the answers of a session compare with the first ones to the same questions.

    lines: of the canary, in the order in which they came.
    """
    firsts: dict[str, JudgementLine] = {}
    for line in lines:
        firsts.setdefault(line.hash, line)
    pairs = [(firsts[one.hash], one) for one in lines if one.session == session]
    old = [(first, now) for first, now in pairs if first.session != session]
    if not old:
        return CanaryVerdict(None, None, None)
    shift = float(np.mean([_distance(first, now, form) for first, now in old]))
    return CanaryVerdict(shift, old[0][0].model, old[0][1].model)


def read_as(form: Form, line: JudgementLine) -> Reading:
    """Return what a line of the archive is read as."""
    reader = expected_score if form == "token" else json_score
    return reader(line.answered, SCALE)


def _distance(first: JudgementLine, now: JudgementLine, form: Form) -> float:
    values = [read_as(form, one).value for one in (first, now)]
    if values[0] is None or values[1] is None:
        return 0.0 if values[0] == values[1] else float(SCALE.high - SCALE.low)
    return abs(values[0] - values[1])


def _parts(
    form: Form, name: str, ground: tuple[int, ...], square: tuple[int, ...], noisy: bool
) -> list[Part]:
    source, edit = _drawn(GREY, BLUE), _drawn(ground, square, noisy)
    shown = stills_of_both(source, edit, FramePolicy(count=COUNT, packing="png"))
    return pointwise(QUESTIONS[name], form, shown, "make the square red", None)


def _drawn(ground: tuple[int, ...], square: tuple[int, ...], noisy: bool = False) -> Video:
    """Return a square that moves a little, on a plain ground."""
    frames = np.empty((COUNT, HEIGHT, WIDTH, 3), np.int16)
    frames[:] = ground
    for number, frame in enumerate(frames):
        left = 24 + 8 * number
        frame[16:48, left : left + 32] = square
    if noisy:
        rows, columns = np.mgrid[:HEIGHT, :WIDTH]
        frames += (((rows * 7919 + columns * 104729) % 97) - 48).astype(np.int16)[None, ..., None]
    return Video(frames.clip(0, 255).astype(np.uint8), 2.0)
