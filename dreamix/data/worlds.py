"""Worlds: what renders source clips from recipes, and knows the exact truth of them.

A world is found through an entry point of the group `dreamix.worlds`: its name there is the key
that its recipes have in suite.yaml, and what it names is a `World`. A recipe is a mapping of JSON
values; that of an edit holds the fields that the edit changes. Suites, methods and scores ask the
world of a recipe, and know none by name. A backend that has the name of a world is its own model
(`dreamix.backends.names`), an entry of `dreamix.clips` its own CLIP (`evaluation.settings`).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from dreamix.core.errors import UserError
from dreamix.core.registry import NamedRegistry
from dreamix.core.video import Video
from dreamix.data.edit_questions import EditQuestion

Recipe = Mapping[str, Any]


class Exact(Protocol):
    """What is known of a rendered clip of `frames` pictures without looking at it."""

    @property
    def masks(self) -> np.ndarray:
        """Where the subject is, bool (frames, height, width)."""

    @property
    def flow_forward(self) -> np.ndarray:
        """How far a pixel's surface moves by the next frame, float32 (frames - 1, h, w, 2)."""

    @property
    def flow_backward(self) -> np.ndarray:
        """The same from each frame back to the one before."""

    @property
    def occluded_forward(self) -> np.ndarray:
        """Where that place in the next frame cannot be seen, bool (frames - 1, height, width)."""


class MeasuredCost(NamedTuple):
    """What it takes to edit a clip with a world's own model, measured on two threads."""

    memory: float  # bytes at the peak, of an edit and of finetuning alike
    edit: float  # minutes
    finetune: float  # minutes


class AuditEdit(NamedTuple):
    """An edit of which all is known, and edits that miss it in a known way; whole recipes.

    A judge of edits is examined with them: `evaluation.judge.audit`.
    """

    id: str
    category: str
    prompt: str  # what the exact edit shows
    wordings: tuple[str, str, str]  # of one instruction; the first is the world's own
    source: Recipe
    exact: Recipe  # the requested change, and nothing else
    extra: Recipe  # with one change more, which is not asked for
    other: Recipe  # shows the requested change, in a clip that is not of this source
    both: Recipe  # the requested change and a second one
    both_wording: str  # the instruction that asks for both
    is_motion: bool  # whether what is asked for shows in how things move alone
    has_order: bool  # whether its frames have one right order


class World(ABC):
    """What generic code asks of a world. What is no recipe of its own is a `UserError`."""

    title: str  # as messages name it
    cost: MeasuredCost | None = None  # of its own model, the backend of its name

    def suites(self) -> dict[str, Path]:
        """Return the suite files that come with the world, by the names that stand for them."""
        return {}

    @abstractmethod
    def whole(self, recipe: Recipe) -> dict[str, Any]:
        """Return the recipe with every field named: equal clips have equal whole recipes."""

    @abstractmethod
    def field_alone(self, field: str, value: object) -> None:
        """Check a field beside any others: a `UserError` where no recipe can have it."""

    @abstractmethod
    def clip(self, recipe: Recipe) -> Video:
        """Return the clip of a whole recipe."""

    @abstractmethod
    def stills(self, recipe: Recipe, count: int) -> Video:
        """Return `count` still pictures of the recipe's subject, as a clip."""

    @abstractmethod
    def truth(self, recipe: Recipe) -> Exact:
        """Return what is known exactly about `clip(recipe)`."""

    @abstractmethod
    def read(self, text: str) -> dict[str, Any]:
        """Return the fields that a caption or prompt tells.

        Raises:
            UserError: for other text.
        """

    @abstractmethod
    def recipe(self, caption: str, seed: int) -> dict[str, Any]:
        """Return a recipe that the caption describes; the seed picks what it does not tell."""

    @abstractmethod
    def category(self, changes: Recipe) -> str:
        """Return the category of an edit that changes these fields."""

    @abstractmethod
    def camera(self, prompt: str) -> str:
        """Return the camera that a prompt asks for, as data/camera.py names it, such as none."""

    def instruction(self, caption: str, prompt: str) -> str:
        """Return what to change, in words: an order; empty where the world has none for it."""
        return ""

    def audit_edit(self, number: int, seed: int) -> AuditEdit:
        """Return one of the edits that judges are examined with; there is no end of numbers.

        Raises:
            UserError: if the world has none.
        """
        raise UserError(f"{self.title} has no edits to examine judges with")

    def detailed(self, recipe: Recipe) -> Video:
        """Return the clip of a whole recipe as judges are shown it: as large, or larger."""
        return self.clip(recipe)

    def questions(self, recipe: Recipe, changes: Recipe) -> Sequence[EditQuestion]:
        """Return a checklist of an edit with the exact answers; empty where the world has none.

        recipe: whole, of the source. changes: fields that the edit gives other values, or asks for.
        """
        return ()


WORLDS: NamedRegistry[World] = NamedRegistry("world", "dreamix.worlds")


class ReadText(NamedTuple):
    """A text that a world has read."""

    world: World
    fields: dict[str, Any]


def read(text: str | None) -> ReadText | None:
    """Return a text as the first world that reads it does; None where none does."""
    return next(_readings(text or "", WORLDS.each()), None)


def _readings(text: str, worlds: Iterable[World]) -> Iterator[ReadText]:
    for world in worlds:
        try:
            yield ReadText(world, world.read(text))
        except UserError:
            continue


def instruction_of(name: str, caption: str, prompt: str) -> str | None:
    """Return what has to change of one text to another; None where a world has no words for it."""
    try:
        return WORLDS.get(name).instruction(caption, prompt) or None
    except UserError:
        return None


def why_no_recipe(world: str, recipe: Recipe) -> str | None:
    """Return the words of the `UserError` that a recipe raises, or None if the world takes it."""
    try:
        WORLDS.get(world).whole(recipe)
    except UserError as error:
        return str(error)
    return None


def world_in(keys: Iterable[str]) -> str | None:
    """Return the first of some keys of a row that names a world; None where none does."""
    return next((name for name in WORLDS.names() if name in keys), None)


def alternatives() -> str:
    """Return the keys of all worlds as messages name them: `NAME`."""
    return " or ".join(f"`{name}`" for name in WORLDS.names())
