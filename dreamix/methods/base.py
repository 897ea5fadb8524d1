"""What a method is: a function from a request to an edited clip, and the facts it declares.

    @method("sdedit", config=SDEditConfig)
    def sdedit(request: EditRequest, backend: Any, config: SDEditConfig) -> Video: ...

It returns a `Video`, or the `Path` of a file that holds the edit already. It raises `DoesNotApply`
where it has no meaning for an edit. Whatever else it raises becomes a row that says why.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from dreamix.core.config import NoConfig, config_from_text
from dreamix.core.errors import UserError
from dreamix.core.registry import Registry
from dreamix.core.video import Video
from dreamix.data.suite import Edit, Suite


@dataclass
class EditRequest:
    """One edit that a method is asked to make.

    seed: number of the repetition; draw from `rng_for(method, edit.id, seed)`.
    """

    suite: Suite
    edit: Edit
    seed: int
    label: str  # the method's name in this run
    load_source: Callable[[str], Video] | None = None  # video id -> clip; the suite's by default

    @cached_property
    def source(self) -> Video:
        """The clip to edit, decoded or rendered at its first use."""
        return (self.load_source or self.suite.source)(self.edit.video)


Edited = Video | Path
EditFunction = Callable[[EditRequest, Any, Any], Edited]
Expansion = Callable[[str], "list[Variant]"]


class Variant(NamedTuple):
    """A method as one column of a comparison."""

    label: str  # its name in tables and folders
    method: str  # its name in METHODS
    config: Any


@dataclass(frozen=True)
class Method:
    """A method with what the runner has to know about it."""

    name: str
    edit: EditFunction
    config: type
    anchor: bool  # a reference point, greyed in tables, not a contestant
    seeded: Callable[[Any], bool]  # of its config: does the result depend on the seed?
    expand: Expansion | None  # turns the text after "name:" into several columns

    @property
    def definition(self) -> str:
        """The first line of its docstring."""
        return (self.edit.__doc__ or "").strip().partition("\n")[0]


METHODS: Registry[Method] = Registry("method", "dreamix.methods")


def method(
    name: str,
    *,
    config: type = NoConfig,
    anchor: bool = False,
    seeded: bool | Callable[[Any], bool] = True,
    expand: Expansion | None = None,
) -> Callable[[EditFunction], EditFunction]:
    """Return a decorator that registers a function under `name` and gives it back unchanged.

    seeded: False for a method that always returns the same; it runs once whatever --seeds says.
    """

    def depends(settings: Any) -> bool:
        return seeded(settings) if callable(seeded) else seeded

    def add(edit: EditFunction) -> EditFunction:
        METHODS.add(name, Method(name, edit, config, anchor, depends, expand))
        return edit

    return add


def variants(spec: str) -> list[Variant]:
    """Return the columns that `[label=]name[:settings]` asks for.

    "unedited" -> one column; "external:outputs/*" -> one for each folder; "fast=sdedit:steps=10".
    """
    head, _, text = spec.partition(":")
    label, _, name = head.rpartition("=")
    found = METHODS.get(name)
    if found.expand and not label:
        return found.expand(text)
    config: Any = config_from_text(found.config, text, f"method {name}")
    return [Variant(safe_label(label or name), name, config)]


def safe_label(label: str) -> str:
    """Return `label` if it can name a folder on any system; otherwise raise a `UserError`."""
    if not label or label[0] in ".-_" or not all(c.isalnum() or c in "._-+" for c in label):
        raise UserError(f"{label!r} cannot name a method: letters, digits, '.', '_', '-', '+' only")
    return label
