"""The two kinds of row a suite is made of, and the categories of edits."""

from dataclasses import dataclass
from typing import Any, Self

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


class _Row:
    """A dataclass whose dictionary uses the keys of suite.yaml and leaves out what is not set."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields that are set, under the keys that suite.yaml uses."""
        names = {"recipe": vars(self)["world"]}
        told = {names.get(name, name): value for name, value in vars(self).items()}
        return {key: value for key, value in told.items() if key != "world" and value is not None}

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> Self:
        """Return the entry with these fields; a key that suite.yaml does not know is a TypeError.

        Values are taken as they are: suite_check has looked at them.
        """
        world = world_in([key for key, value in row.items() if value is not None])
        known = {key: value for key, value in row.items() if key not in WORLDS.names()}
        return cls(**known, **({"recipe": row[world], "world": world} if world else {}))


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
    world: str | None = None  # of WORLDS, the key of the recipe in suite.yaml, such as toybox


@dataclass(frozen=True)
class Edit(_Row):
    """A wish: what `video` should look like according to `prompt`."""

    id: str  # names the output files, so letters, digits and . _ - only
    video: str  # id of a VideoEntry
    prompt: str  # describes the whole edited clip, not only the change
    category: str  # one of CATEGORIES
    recipe: dict[str, Any] | None = None  # fields of its video's recipe that the edit changes
    world: str | None = None  # that of the recipe
