"""The plan of a study: everything that can be shown, by keys that tell nothing.

`study build` writes it once, the app reads it. Raters see keys of media and prompts, never methods.
"""

from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from dreamix.core.errors import UserError
from dreamix.core.places import inside
from dreamix.core.records import write_json
from dreamix.core.typed import STRICT, Name, read_typed
from study_app.design.blocks import Cell

FILE = "plan.json"
SECRET = "secret"  # file of a study's folder; names of clips and raters are made with it
SECRET_BYTES = 4096
FORMAT = 1
KINDS = ("rating", "trap", "gold", "training")
SEPARATOR = " | "  # between the two methods of a pair


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
    seconds: float  # of the clip that is rated
    reference: Name | None = None
    expected: dict[str, int] | None = None
    language: str | None = None  # of a trap: the one it is written in

    @property
    def cell(self) -> Cell:
        """The cell of the design that a rating of it counts for."""
        return Cell(self.video, self.edit, SEPARATOR.join(self.methods))


@dataclass(frozen=True)
class Plan:
    """What is served, and what was declared before the first vote."""

    __pydantic_config__ = STRICT
    study: str
    analysis: str  # hash of the analysis plan
    run: str  # hash of the suite the clips belong to
    items: tuple[Item, ...]
    left_out: dict[str, str]  # edit -> why it is not in the study
    format: int = FORMAT

    @cached_property
    def by_key(self) -> dict[str, Item]:
        """Items by their key."""
        return {item.key: item for item in self.items}

    def of_kind(self, kind: str) -> list[Item]:
        """Return the items of a kind, in the order of the plan."""
        return [item for item in self.items if item.kind == kind]

    @cached_property
    def by_cell(self) -> dict[Cell, Item]:
        """Items that are rated for their own sake, by their cell."""
        return {item.cell: item for item in self.of_kind("rating")}


def write_plan(folder: Path, plan: Plan) -> None:
    """Write the plan into a study's folder, for its owner: it says which clip is whose."""
    write_json(folder / FILE, asdict(plan), private=True)


def read_plan(folder: Path) -> Plan:
    """Return the plan of the study in `folder`; one that is not built is a `UserError`."""
    path = folder / FILE
    if not path.is_file():
        raise UserError(f"{folder} is not built: run `dreamix study build {folder}` first")
    plan = read_typed(inside(folder, FILE), Plan)
    if plan.format != FORMAT:
        raise UserError(f"{path} is of another version of the toolkit: build the study again")
    return plan
