"""The suite that a run keeps as suite.json, held to the rules of suite.yaml.

It may be a stranger's. `suite_check` looks at suite.yaml itself, and knows its lines.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, make_dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from dreamix.core.errors import UserError
from dreamix.core.media import COLOURS
from dreamix.core.names import shown
from dreamix.core.typed import STRICT
from dreamix.data.suite_entries import CATEGORIES
from dreamix.data.suite_form import (
    MOST_FPS,
    Origin,
    Questions,
    References,
    Spellings,
    Tags,
    control_character,
    why_outside,
    why_unsafe,
    with_recipes,
)
from dreamix.data.worlds import WORLDS, why_no_recipe

MOST_ROWS = 100_000  # videos, and edits


def _rule(why_not: Callable[[str], str | None]) -> AfterValidator:
    """Return a check of text: `why_not` says what is wrong, to be put behind the text."""

    def check(text: str) -> str:
        if why := why_not(text):
            raise ValueError(f"{shown(text)}{why}")
        return text

    return AfterValidator(check)


def _why_no_id(text: str) -> str | None:
    why = why_unsafe(text) if text else "it is empty"
    return why and f" is unsafe: {why}"


def _why_no_text(text: str) -> str | None:
    return " holds a control character" if control_character(text) else None


Id = Annotated[str, _rule(_why_no_id)]
Text = Annotated[str, _rule(_why_no_text)]
MediaPath = Annotated[str, _rule(lambda text: why_outside(text) or _why_no_text(text))]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Colour = Annotated[str, _rule(lambda c: None if c in COLOURS else " is no colour matrix")]
Recipe = Annotated[dict[str, Any], Field(max_length=20)]


@dataclass(frozen=True)
class VideoRow:
    """A video of the snapshot, but its recipe; see `VideoEntry`."""

    __pydantic_config__ = STRICT
    id: Id
    caption: Text | None = None
    path: MediaPath | None = None
    sha256: Sha256 | None = None
    mask: MediaPath | None = None
    fps: Annotated[float, Field(gt=0, le=MOST_FPS)] | None = None
    stills: Annotated[int, Field(ge=1, le=12)] | None = None


@dataclass(frozen=True)
class EditRow:
    """An edit of the snapshot, but its recipe; see `Edit`."""

    __pydantic_config__ = STRICT
    id: Id
    video: Id
    category: Text
    prompt: Text | None = None
    instruction: Text | None = None
    from_phrase: Annotated[Text | None, Field(alias="from")] = None
    to_phrase: Annotated[Text | None, Field(alias="to")] = None
    tags: Tags | None = None
    questions: Questions | None = None
    references: References | None = None
    origin: Origin | None = None


@dataclass(frozen=True)
class SuiteSnapshot:
    """What `Suite.to_dict` wrote."""

    __pydantic_config__ = STRICT
    name: Text
    version: Text | int | float
    licence: Text
    videos: Annotated[tuple[VideoRow, ...], Field(max_length=MOST_ROWS)]
    edits: Annotated[tuple[EditRow, ...], Field(max_length=MOST_ROWS)]
    sha256: Sha256 | None = None
    root: str = "."
    media_root: str = "."
    colour: Colour | None = None
    categories: Spellings | None = None
    origin: Origin | None = None

    def check(self, where: str) -> None:
        """Raise a `UserError` unless ids are unique and edits are of videos that are there."""
        videos = {video.id: video for video in self.videos}
        _check_unique("video", (video.id for video in self.videos), where)
        _check_unique("edit", (edit.id for edit in self.edits), where)
        for edit in self.edits:
            if edit.video not in videos:
                raise UserError(f"{where}: edit {edit.id} is of {edit.video}, which is no video")
            self._check_edit(edit, where)
        for world in WORLDS.names():
            for video in self.videos:
                _check_recipe(world, getattr(video, world), where, video.id)
            for edit in self.edits:
                base, more = (getattr(row, world) for row in (videos[edit.video], edit))
                if base is not None and more is not None:
                    _check_recipe(world, {**base, **more}, where, edit.id)

    def _check_edit(self, edit: EditRow, where: str) -> None:
        if edit.category not in (*CATEGORIES, *(self.categories or ())):
            given = shown(edit.category)
            raise UserError(f"{where}: edits.{edit.id}.category {given} is no category")
        if edit.prompt is None and edit.instruction is None:
            raise UserError(f"{where}: edit {edit.id} has neither prompt nor instruction")


def _check_unique(kind: str, ids: Iterable[str], where: str) -> None:
    """Raise a `UserError` for ids that are the same where capitals do not count."""
    seen: set[str] = set()
    for one in ids:
        if one.lower() in seen:
            raise UserError(f"{where}: {kind} {one} stands twice")
        seen.add(one.lower())


def _check_recipe(world: str, recipe: dict[str, Any] | None, where: str, name: str) -> None:
    if recipe is not None and (why := why_no_recipe(world, recipe)):
        raise UserError(f"{where}: {world} of {name}: {why}")


def snapshot_form() -> type[SuiteSnapshot]:
    """Return the form of a snapshot, in which each world has a key for its recipes."""
    return _snapshot_form(tuple(WORLDS.names()))


@cache
def _snapshot_form(worlds: tuple[str, ...]) -> type[SuiteSnapshot]:
    video, edit = (with_recipes(row, worlds, Recipe) for row in (VideoRow, EditRow))
    tables = [(key, _table(row)) for key, row in (("videos", video), ("edits", edit))]
    return make_dataclass("SuiteSnapshot", tables, bases=(SuiteSnapshot,), frozen=True)


def _table(row: type) -> Any:
    return Annotated[tuple[row, ...], Field(max_length=MOST_ROWS)]  # type: ignore[valid-type]
