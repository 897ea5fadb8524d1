"""The two kinds of row a suite is made of, the categories of edits, and their tags."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from dreamix.data.edit_questions import EditQuestion
from dreamix.data.worlds import WORLDS, world_in

CATEGORIES = (
    "motion",  # the subject does something else
    "object",  # another subject, or one more object
    "appearance",  # colour, material or clothes of the subject
    "background",  # another place
    "style",  # another artistic medium
    "effect",  # weather, fire or light
    "multiple",  # two of the above at once
    "camera",  # zooming, panning, rising
    "subject",  # the subject of some stills, somewhere else and doing something
)

# Tags that many benchmarks use, under one name each. Others may stand in a suite as well.
TAGS = {
    "addition": "something is there that was not",
    "removal": "something is gone",
    "replacement": "something else in its place",
    "colour": "another colour",
    "material": "another material or texture",
    "count": "more or fewer of something",
    "size": "something larger or smaller",
    "position": "something elsewhere in the picture",
    "action": "the subject does something else",
    "expression": "another face",
    "viewpoint": "seen from elsewhere, or by a moving camera",
    "subtitle": "writing laid over the picture",
    "text": "writing in the scene",
    "weather": "rain, snow, fog, sun",
    "lighting": "another light or time of day",
    "style": "another artistic medium",
    "background": "another place",
    "creative": "what could not be filmed",
    "reasoning": "what is asked has to be worked out first",
}
TEXTS = {  # what a method or metric can read of an edit -> how messages name it
    "prompt": "prompt",
    "instruction": "instruction",
    "caption": "caption of its source",
    "phrases": "`from` and `to`",
}
_YAML_NAMES = {"from_phrase": "from", "to_phrase": "to"}  # `from` cannot name a field


class _Row:
    """A dataclass whose dictionary uses the keys of suite.yaml and leaves out what is not set."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields that are set, under the keys that suite.yaml uses."""
        names = {**_YAML_NAMES, "recipe": vars(self)["world"]}
        held = {k: v for k, v in vars(self).items() if v is not None and v != () and k != "world"}
        return {names.get(name, name): _plain(value) for name, value in held.items()}

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> Self:
        """Return the entry with these fields; a key that suite.yaml does not know is a TypeError.

        Values are taken as they are: suite_check has looked at them.
        """
        world = world_in([key for key, value in row.items() if value is not None])
        worlds = WORLDS.names()
        known = {key: value for key, value in row.items() if key not in worlds}
        return cls(**known, **({"recipe": row[world], "world": world} if world else {}))


def _plain(value: Any) -> Any:
    """Return a value of a row as JSON has it."""
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value.to_dict() if isinstance(value, EditQuestion) else value


@dataclass(frozen=True)
class VideoEntry(_Row):
    """A source clip: a file, a folder of frames, or a recipe of a world."""

    id: str  # names files, so letters, digits and . _ - only
    caption: str | None = None  # what the clip shows; some methods and metrics need it
    path: str | None = None  # file or folder of frames, relative to the media root
    sha256: str | None = None  # of `path`, as dreamix.core.media.sha256_file computes it
    mask: str | None = None  # folder of PNG masks or a mask clip, relative to the media root
    fps: float | None = None  # frames per second of a folder of frames
    recipe: dict[str, Any] | None = None  # what its world renders
    stills: int | None = None  # not the recipe's clip, but so many still pictures of its subject
    world: str | None = None  # of WORLDS, the key of the recipe in suite.yaml


@dataclass(frozen=True)
class Edit(_Row):
    """A wish: what `video` should look like, told by a prompt, an instruction, or both."""

    id: str  # names the output files, so letters, digits and . _ - only
    video: str  # id of a VideoEntry
    prompt: str | None  # describes the whole edited clip, not only the change
    category: str  # one of CATEGORIES, or of those that its suite declares
    recipe: dict[str, Any] | None = None  # fields of its video's recipe that the edit changes
    world: str | None = None  # that of the recipe
    instruction: str | None = None  # says what to change, and nothing of what stays
    from_phrase: str | None = None  # words for what is to change; `from` in suite.yaml
    to_phrase: str | None = None  # words for what it becomes; `to` in suite.yaml
    tags: tuple[str, ...] = ()  # of TAGS, or others
    questions: tuple[EditQuestion, ...] = ()
    references: tuple[str, ...] = ()  # pictures or clips that the words refer to
    origin: dict[str, Any] | None = None  # of an imported edit: id, file, line, category there

    @property
    def request(self) -> str:
        """What is asked, in words: the prompt, or the instruction where there is none."""
        return self.prompt or self.instruction or ""

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Self:
        """Return the edit with these fields, as `_Row.from_dict`."""
        held = dict(row)
        for name in ("tags", "references"):
            held[name] = tuple(held.get(name) or ())
        held["questions"] = tuple(map(EditQuestion.of, held.get("questions") or ()))
        return super().from_dict(held)


def spell_groups(edits: Iterable[Edit]) -> list[str]:
    """Return lines that count tags, and categories that are a suite's own; those there are."""
    told = [*edits]
    own = Counter(edit.category for edit in told if edit.category not in CATEGORIES)
    tags = Counter(tag for edit in told for tag in edit.tags)
    strange = Counter({tag: count for tag, count in tags.items() if tag not in TAGS})
    groups = {"categories of its own": own, "tags": tags - strange, "other tags": strange}
    return [
        f"{what}: {', '.join(f'{name} {count}' for name, count in sorted(found.items()))}"
        for what, found in groups.items()
        if found
    ]
