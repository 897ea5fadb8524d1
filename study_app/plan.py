"""The plan of a study: everything that can be shown, by keys that tell nothing.

`study build` writes it once, the app reads it. Raters see keys of media and prompts, never methods.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from dreamix.core.errors import UserError
from dreamix.core.places import inside
from dreamix.core.records import MOST, read_bytes, to_json, write_json
from dreamix.core.typed import STRICT, Name, parse_typed
from dreamix.core.wording import command
from study_app.design import DesignCell

PLAN_FILE = "plan.json"
SECRET = "secret"  # file of a study's folder; names of clips and raters are made with it
SECRET_BYTES = 4096
FORMAT = 3
KINDS = ("rating", "trap", "gold", "training")
OWN = ("rating", "repeat")  # kinds of trials that are answered for their own sake
SEPARATOR = " | "  # between the two methods of a pair
Answered = Annotated[int, Field(ge=-1, le=5)]  # of either design


@dataclass(frozen=True)
class ServedClip:
    """A clip as it is served."""

    __pydantic_config__ = STRICT
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    sha256: str


@dataclass(frozen=True)
class Item:
    """Something to be rated.

    left, right: names of media. Absolute: source and edit. Pairwise: the two edits, and `source`
                 between them, by the name in `reference`.
    expected:    question -> the answer that a check or a training asks for.
    """

    __pydantic_config__ = STRICT
    key: Name
    kind: str
    video: Name
    edit: Name
    methods: tuple[str, ...]
    category: str
    prompt: str
    left: Name
    right: Name
    seconds: float  # of the longest clip that it shows
    reference: Name | None = None
    expected: dict[str, Answered] | None = None
    language: str | None = None  # of a trap: the one it is written in

    @property
    def cell(self) -> DesignCell:
        """The cell of the design that a rating of it counts for."""
        return DesignCell(self.video, self.edit, SEPARATOR.join(self.methods))

    @property
    def place(self) -> tuple[str, str, tuple[str, ...], str | None]:
        """What it is in its study, whatever it shows."""
        return self.kind, self.edit, self.methods, self.language

    @property
    def clips(self) -> tuple[Name, ...]:
        """Names of all media that are shown: left, right and, of a pair, the source."""
        shown = (self.left, self.right, self.reference)
        return tuple(name for name in shown if name is not None)

    def clips_shown(self, swapped: bool) -> tuple[Name, ...]:
        """Return the names of its clips as they are shown: the source first, then left to right.

        swapped: the two edits of a pair have changed sides.
        """
        if not self.reference:
            return self.left, self.right
        left, right = (self.right, self.left) if swapped else (self.left, self.right)
        return self.reference, left, right


@dataclass(frozen=True)
class Plan:
    """What is served, and what was declared before the first vote."""

    __pydantic_config__ = STRICT
    study: str
    declared: str  # hash of all that is declared, see `spec.declared`
    run: str  # hash of the suite the clips belong to
    items: tuple[Item, ...]
    left_out: dict[str, str]  # edit -> why it is not in the study
    clips: dict[Name, ServedClip]  # every clip that an item shows, by its media name
    retired: tuple[Item, ...] = ()  # of earlier builds: their votes are kept apart
    format: int = FORMAT

    @cached_property
    def by_key(self) -> dict[str, Item]:
        """Items by their key, those that are retired too."""
        return {item.key: item for item in (*self.retired, *self.items)}

    @cached_property
    def retired_keys(self) -> frozenset[str]:
        """Keys of what is not dealt any more: its clips were made anew, or it was taken out."""
        return frozenset(item.key for item in self.retired)

    def successor(self, key: str) -> Item | None:
        """Return what took the place of a retired item; None if nothing did."""
        return self._by_place.get(self.by_key[key].place) if key in self.retired_keys else None

    @cached_property
    def _by_place(self) -> dict[Any, Item]:
        return {item.place: item for item in self.items}

    @cached_property
    def clips_hash(self) -> str:
        """Hash of what the items are: request, content of every clip, answer that is expected."""
        shown = [
            [item.key, *item.place, item.prompt, item.expected, self._content(item)]
            for item in sorted(self.items, key=lambda item: item.key)
        ]
        return hashlib.sha256(to_json(shown).encode()).hexdigest()

    def _content(self, item: Item) -> list[str]:
        return [self.clips[name].sha256 for name in item.clips]

    def lengths(self, names: Iterable[Name]) -> tuple[float, ...]:
        """Return how long each of these clips is, in their order."""
        return tuple(self.clips[name].seconds for name in names)

    def of_kind(self, kind: str) -> list[Item]:
        """Return the items of a kind, in the order of the plan."""
        return [item for item in self.items if item.kind == kind]

    @cached_property
    def by_cell(self) -> dict[DesignCell, Item]:
        """Items that are rated for their own sake, by their cell."""
        return {item.cell: item for item in self.of_kind("rating")}


def write_plan(folder: Path, plan: Plan) -> None:
    """Write the plan into a study's folder, for its owner: it says which clip is whose."""
    write_json(folder / PLAN_FILE, asdict(plan), private=True)


def read_plan(folder: Path) -> Plan:
    """Return the plan of the study in `folder`.

    Raises:
        UserError: if the study is not built.
    """
    path = folder / PLAN_FILE
    if not path.is_file():
        raise UserError(f"{folder} is not built: run {command('study', 'build', folder)} first")
    content = read_bytes(inside(folder, PLAN_FILE), MOST)
    found = parse_typed(content, dict[str, Any], str(path)).get("format")
    if isinstance(found, int) and found != FORMAT:
        raise UserError(
            f"{path} is of another version of the toolkit: run "
            f"{command('study', 'build', folder)} again"
        )
    return parse_typed(content, Plan, str(path))
