"""What the player says, checked and handed to the flow; each saying is heard once."""

from functools import partial
from typing import Annotated, Any, Literal

import streamlit as st
from pydantic import Field, TypeAdapter, ValidationError

from study_app import flow
from study_app.app.scene import Scene
from study_app.device import Device
from study_app.marks import MOST, Mark
from study_app.playback import Ledger
from study_app.spec.texts import Block

_HEARD, REFUSED = "heard", "refused"
Nonce = Annotated[str, Field(min_length=1, max_length=64)]
Id = Annotated[int, Field(ge=0, lt=2**53)]


class Answered(Block):
    """A trial is answered."""

    kind: Literal["answer"]
    nonce: Nonce
    trial: Id
    answers: Annotated[dict[str, int], Field(max_length=8)]
    ledger: Ledger
    marks: Annotated[tuple[Mark, ...], Field(max_length=MOST)] = ()


class DoesNotPlay(Block):
    """A trial does not play."""

    kind: Literal["unplayable"]
    nonce: Nonce
    trial: Id
    why: Annotated[str, Field(max_length=500)]


class Seen(Block):
    """What most people would have answered was read."""

    kind: Literal["seen"]
    nonce: Nonce
    trial: Id


class Checked(Block):
    """The device was tried."""

    kind: Literal["device"]
    nonce: Nonce
    device: Device


Saying = Answered | DoesNotPlay | Seen | Checked
_SAYINGS: TypeAdapter[Saying] = TypeAdapter(Annotated[Saying, Field(discriminator="kind")])


def heard(scene: Scene, said: dict[str, Any] | None) -> bool:
    """Return True if the player said something new that fits the rater's screen.

    What no page says is refused, and what was not watched: the player learns it by the number of
    its saying.
    """
    nonce = said and str(said.get("nonce", ""))[:64]
    if not said or st.session_state.get(_HEARD) == nonce:
        return False
    st.session_state[_HEARD] = nonce
    try:
        accepted = _hand_on(scene, _SAYINGS.validate_python(said, strict=False))
    except (ValidationError, ValueError):
        accepted = False
    st.session_state[REFUSED] = None if accepted else nonce
    return True


def _hand_on(scene: Scene, saying: Saying) -> bool:
    """Return False if the flow does not accept what was said."""
    match saying:
        case Answered():
            return bool(_answer(scene, saying))
        case DoesNotPlay():
            scene.act(flow.cannot_play, saying.trial, saying.why)
        case Seen():
            scene.act(flow.see_feedback)
        case Checked():
            scene.act(flow.report_device, saying.device.model_dump())
    return True


def _answer(scene: Scene, saying: Answered) -> bool:
    given = saying.trial, saying.answers, saying.ledger
    return scene.act(partial(flow.answer_trial, marks=saying.marks), *given)
