"""The names of backends, and what is known of pretrained ones before they are opened.

A name is an entry point of the group `dreamix.backends`. What it names is imported when a backend
of that name is opened, not before: a `Family` of diffusers models, an `Offer`, or an opener alone,
a function (name, weights, cache) that returns the backend. One that has the name of a world is
that world's own model: it comes along, opens a folder of weights of its own and has one size.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from dreamix.core.errors import UserError
from dreamix.core.registry import NamedRegistry
from dreamix.data.worlds import WORLDS

BACKENDS: NamedRegistry[Any] = NamedRegistry("backend", "dreamix.backends")


def is_of_world(name: str) -> bool:
    """Return whether a backend is a world's own model."""
    return name in WORLDS.names()


def default_backend() -> str:
    """Return the backend that comes along: a world's own model, ours first."""
    own = [name for name in BACKENDS.names() if is_of_world(name)]
    return min(own, key=lambda name: (WORLDS.brought_by(name) or (), name), default="")


LARGER = 1.8  # times in height and width that a second stage is given: 320 -> 576


class Weights(NamedTuple):
    """Where pretrained weights are."""

    hub: str  # name on the hub, as it is published; none was loaded where this was built
    motion: str | None = None  # AnimateDiff's motion modules, if `hub` is an image model


class Pretrained(NamedTuple):
    """What goes by one name."""

    weights: Weights
    second: Weights | None = None  # of a stage that enlarges what the first makes
    size: tuple[int, int, int] | None = None  # width, height, frames they were made for, if told

    @property
    def stages(self) -> tuple[Weights, ...]:
        """The weights, stage by stage."""
        return (self.weights, self.second) if self.second else (self.weights,)


class Offer(NamedTuple):
    """What opens backends, and what goes by their names."""

    open: Callable[[str, Path | None, Path | None], Any]  # (name, weights, cache) -> backend
    pretrained: dict[str, Pretrained]


def pretrained(name: str) -> Pretrained | None:
    """Return what is known of a name; None if it is no backend's, or that has weights of its own.

    Raises:
        UserError: a package fails at being imported, or does not tell of the name.
    """
    if name not in BACKENDS.names():
        return None
    told: dict[str, Pretrained] | None = getattr(BACKENDS.get(name), "pretrained", None)
    if told is not None and name not in told:
        entry = BACKENDS.entry(name)
        where = f"{entry.package or 'ours'}, {entry.place}" if entry else "here"
        raise UserError(f"backend {name} ({where}) is not among those its `pretrained` tells of")
    return told[name] if told else None


def stages_of(name: str) -> tuple[Weights, ...]:
    """Return the weights of a pretrained backend, stage by stage; none of any other."""
    known = pretrained(name)
    return known.stages if known else ()


def pretrained_names() -> list[str]:
    """Return the names of the toolkit's own pretrained backends; all are imported for it."""
    ours = [name for name in BACKENDS.names() if not BACKENDS.brought_by(name)]
    return [name for name in ours if pretrained(name)]
