"""A backend that computes nothing, and a method on it that counts its finetunings.

Worker processes know neither, so a suite of class `FakeSuite` brings them along: unpickling it
imports this module there, which registers both. A prompt with the word "poison" kills its process.
"""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dreamix.backends.base import WORLD, VideoModel
from dreamix.backends.names import BACKENDS
from dreamix.core.errors import UserError
from dreamix.core.records import write_whole
from dreamix.core.video import Video
from dreamix.data.suite import Suite
from dreamix.methods.base import METHODS, EditRequest, Made, Method, method

IDENTITY = "FAKE_IDENTITY"  # environment: what the weights are
UNSOUND = "FAKE_UNSOUND"  # environment: what is wrong with a worker
REGISTERED = "FAKE_REGISTERED"  # environment: processes of any kind register the fakes


class Fake(VideoModel):
    """A backend whose weights are a word of the environment."""

    capabilities = frozenset({"video", "description"})

    def __init__(self, name: str, weights: Path | None, cache: Path | None) -> None:
        self.name, self.cache = name, cache
        self._identity = os.environ.get(IDENTITY, "one") + (weights.name if weights else "")
        self.knows = WORLD if weights else "fakes"

    @property
    def identity(self) -> str:
        """The word."""
        return self._identity

    def check_prompts(self, prompts: Sequence[str]) -> None:
        """Read anything."""


@dataclass(frozen=True)
class FakeConfig:
    """Settings of the method `fake`."""

    noise: float = 0.5
    steps: int = 3
    slow: float = 0.0  # seconds of one step
    bad_facts: bool = False


def fake(request: EditRequest, backend: Any, config: FakeConfig) -> Made:
    """Returns the source, shifted by the noise, after a finetuning that its video's edits share."""
    if "unicorn" in request.edit.prompt:
        raise UserError("the model does not know the word 'unicorn'")
    if "poison" in request.edit.prompt:
        os.kill(os.getpid(), signal.SIGKILL)
    spent = finetune(request, backend)
    for step in range(config.steps):
        time.sleep(config.slow)
        request.progress(f"denoising {step + 1}/{config.steps}")
    shift = round(255 * config.noise) + request.seed
    frames = (request.source.frames.astype(int) + shift).astype(np.uint8)
    facts = {"finetune_seconds": spent, "noise_level": config.noise, "start_step": 1}
    if config.bad_facts:
        facts["noise_level"] = float("nan")
    return Made(Video(frames, request.source.fps), facts)


def finetune(request: EditRequest, backend: Any) -> float:
    """Leave a file that says which process finetuned on the video; return the seconds."""
    if (
        backend.cache is None
        or (kept := backend.cache / request.label / request.edit.video).exists()
    ):
        return 0.0
    request.progress("finetuning 1/1")
    with write_whole(kept) as file:
        file.write(str(os.getpid()).encode())
    return 10.0


def fake_together(requests: list[EditRequest], backend: Any, config: FakeConfig) -> list[Made]:
    """Returns what `fake` makes of every request, and says in how large a batch."""
    made = [fake(request, backend, config) for request in requests]
    return [edit._replace(facts=edit.facts | {"batch": len(requests)}) for edit in made]


def fake_methods() -> dict[str, Method]:
    """The methods as their decorator would register them."""
    held = dict(METHODS._entries)
    try:
        register()
        return {name: METHODS._entries[name] for name in ("fake", "fake-together")}
    finally:
        METHODS._entries.clear()
        METHODS._entries.update(held)


def register() -> None:
    """Register the methods for good."""
    method("fake", config=FakeConfig, needs={"video"})(fake)
    method("fake-together", config=FakeConfig, needs={"video"}, together=True)(fake_together)


class FakeSuite(Suite):
    """A suite whose pickle brings the fakes along."""


def install(patch: pytest.MonkeyPatch) -> None:
    """Make the fakes known in this process until the test ends."""
    patch.setitem(BACKENDS._entries, "fake", Fake)
    for name, found in fake_methods().items():
        patch.setitem(METHODS._entries, name, found)


class Chatter:
    """A worker that has 3000 things to say."""

    is_set_up = False

    def setup(self) -> None:
        """Note that it was done, and that it was not done before."""
        assert not self.is_set_up
        self.is_set_up = True

    def run(self, unit: int, progress: Callable[[Any], None]) -> int:
        """Say them all."""
        assert self.is_set_up
        for number in range(3000):
            progress((unit, number, "x" * 100))
        return unit


class ChatterThenFail(Chatter):
    """A worker that says them all and fails."""

    def run(self, unit: int, progress: Callable[[Any], None]) -> int:
        """Say them all and fail."""
        super().run(unit, progress)
        raise UserError("enough")


class Unsound(Chatter):
    """A worker whose setup, error, result or process ends badly, as the environment says."""

    def setup(self) -> None:
        """Fail in a process of its own."""
        if multiprocessing.parent_process() is not None and os.environ.get(UNSOUND) == "setup":
            raise UserError("no model here")

    def run(self, unit: int, progress: Callable[[Any], None]) -> Any:
        """Fail, or return what cannot be sent."""
        match os.environ.get(UNSOUND):
            case "result":
                return lambda: unit
            case "error":
                raise Odd(unit, unit)
            case "process":
                os._exit(3)
        return unit


class Sleeper:
    """A worker that says who it is ten times a second, for a minute."""

    def setup(self) -> None:
        """Set nothing up."""

    def run(self, unit: int, progress: Callable[[Any], None]) -> None:
        """Say the number of its process."""
        for _ in range(600):
            progress(os.getpid())
            time.sleep(0.1)


class Odd(Exception):
    """An error that is not rebuilt from what its pickle holds."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} {other}")


if multiprocessing.parent_process() is not None or os.environ.get(REGISTERED):
    BACKENDS.add("fake", Fake)
    register()
