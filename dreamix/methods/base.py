"""What a method is: a function from a request to an edited clip, and the facts it declares.

    @method("sdedit", config=SDEditConfig)
    def sdedit(request: EditRequest, model: None, config: SDEditConfig) -> Video: ...

It returns a `Video`, or the `Path` of a file that holds the edit already; `Made` adds facts that
the sidecar of the clip should hold. It raises `DoesNotApply` where it has no meaning for an edit.
Whatever else it raises becomes a row that says why.

A method that declares what it `needs` of a model gets the one of the run; the others get None. A
model that lacks it is refused before any work (`dreamix.backends.base.CAPABILITIES`). All cells of
one video and one such method are made by one process, so that what was finetuned for the first can
serve the rest. One that declares `together=True` as well gets several requests on one video at once
and returns as many edits: their prompts share batches, and what the source costs is paid once.

What a method `reads` of an edit (`dreamix.data.suite_entries.TEXTS`) is there when it is called:
it does not apply to an edit that lacks it.

    @method("text-to-video", needs={"video"}, reads={"prompt"}, together=True, config=...)
    def text_to_video(requests: list[EditRequest], model: VideoModel, config: ...): ...
"""

import glob
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

from dreamix.backends.base import CAPABILITIES, VideoModel, check_fit
from dreamix.core.config import NoConfig, config_from_text
from dreamix.core.errors import UserError
from dreamix.core.names import why_not_plain
from dreamix.core.registry import Registry
from dreamix.core.video import Video
from dreamix.data.suite import Suite
from dreamix.data.suite_entries import TEXTS
from dreamix.diffusion.settings import Denoising, Inversion
from dreamix.methods.request import EditRequest as EditRequest
from dreamix.methods.request import unheard

UNDERSTOOD = {"prompt": "description", "instruction": "instruction"}  # text -> capability


class Made(NamedTuple):
    """An edit and what is to be known of how it was made.

    facts: JSON values by name, kept in the sidecar. Names with a meaning for reports:
        finetune_seconds: spent by this call on finetuning; 0 if the weights were there already.
        noise_level, start_step: how much noise the source got, and where denoising began.
    """

    video: Video | Path
    facts: dict[str, Any]


def with_finetuning(made: list[Made], seconds: float) -> list[Made]:
    """Return edits of which the first bears the `seconds` of the finetuning that they share."""
    spent = [seconds] + [0.0] * (len(made) - 1)
    return [
        Made(clip, {**facts, "finetune_seconds": round(cost, 3)})
        for (clip, facts), cost in zip(made, spent, strict=True)
    ]


def denoised(requests: list[EditRequest], model: VideoModel, how: Denoising) -> list[Made]:
    """Return the edits that a model makes of one source by denoising, with the facts it tells.

    how: what the method has asked `model.check_denoising` of, before any work.
    """
    first, prompts = requests[0], [request.prompt for request in requests]
    names = [request.names for request in requests]
    made = model.denoised(first.source, prompts, names, how, first.progress_of)
    return [Made(clip, dict(made.facts)) for clip in made.clips]


def resampled(requests: list[EditRequest], model: VideoModel, how: Inversion) -> list[Video]:
    """Return the edits that a model makes of one source by inversion; no seed changes them."""
    first, prompts = requests[0], [request.prompt for request in requests]
    names = [request.unseeded_names for request in requests]
    return model.resampled(first.source, prompts, names, how, first.progress_of)


Edited = Video | Path | Made
EditFunction = Callable[[Any, Any, Any], Any]  # (request or requests, model, config) -> Edited(s)
Expansion = Callable[[str, str, "ExpansionContext"], "list[Variant]"]
Bringing = Callable[[Any, Suite, str, int], Path]


class Variant(NamedTuple):
    """A method as one column of a comparison."""

    label: str  # its name in tables and folders
    method: str  # its name in METHODS
    config: Any
    seeds: tuple[int, ...] | None = None  # those that there are; None: as many as are wanted


@dataclass(frozen=True)
class ExpansionContext:
    """What an expansion may know of the suite, and whom it tells what it had to leave out."""

    edits: frozenset[str] | None = None  # ids; None: not known
    say: Callable[[str], None] = unheard

    def knows(self, edit: str) -> bool:
        """Return True if there may be an edit of that id."""
        return self.edits is None or edit in self.edits


@dataclass(frozen=True)
class Method:
    """A method with what the runner has to know about it."""

    name: str
    edit: EditFunction
    config: type
    anchor: bool  # a reference point, greyed in tables, not a contestant
    seeded: Callable[[Any], bool]  # of its config: does the result depend on the seed?
    expand: Expansion | None  # turns label and text of "label=name:text" into several columns
    needs: frozenset[str]  # of CAPABILITIES: its function gets a model that has them
    together: bool  # its function takes several requests on one video at once
    brings: Bringing | None = None  # (config, suite, edit, seed) -> the file that is brought in
    reads: frozenset[str] = frozenset()  # of TEXTS: an edit that lacks one is not for it

    @property
    def backend(self) -> bool:
        """Whether it edits with a model."""
        return bool(self.needs)

    def check_fit(self, model: VideoModel | None) -> None:
        """Raise a `UserError` for a model that it cannot edit with, before any work."""
        if self.needs and model is not None:
            check_fit(self.name, self.needs, model)

    def make(
        self, requests: list[EditRequest], model: VideoModel | None, config: object
    ) -> list[Edited]:
        """Return the edits of requests on one source video."""
        self.check_fit(model)
        for request in requests:
            request.check_texts(self.reads)
        if self.together:
            return list(self.edit(requests, model, config))
        return [self.edit(request, model, config) for request in requests]

    def usual(self, model: VideoModel | None) -> dict[str, Any]:
        """Return the settings that suit a model where the user says nothing."""
        if model is None or not self.needs:
            return {}
        known = {setting.name for setting in fields(self.config)}
        return {key: value for key, value in model.usual.items() if key in known}

    @property
    def definition(self) -> str:
        """The first line of its docstring."""
        return (self.edit.__doc__ or "").strip().partition("\n")[0]


METHODS: Registry[Method] = Registry("method", "dreamix.methods", "dreamix.methods")


def method(
    name: str,
    *,
    config: type = NoConfig,
    anchor: bool = False,
    seeded: bool | Callable[[Any], bool] = True,
    expand: Expansion | None = None,
    needs: Iterable[str] = (),
    together: bool = False,
    brings: Bringing | None = None,
    reads: Iterable[str] = (),
) -> Callable[[EditFunction], EditFunction]:
    """Return a decorator that registers a function under `name` and gives it back unchanged.

    seeded:   False for a method that always returns the same; it runs once whatever --seeds says.
    needs:    capabilities of a model; with any, a model is its function's second argument.
    together: True for a function of a list of requests on one video.
    brings:   for a method whose edits are files made elsewhere: which file one is, as of now.
    reads:    texts of an edit; its model, if it needs one, has to understand that kind of prompt.
    """

    def depends(settings: object) -> bool:
        return seeded(settings) if callable(seeded) else seeded

    def add(edit: EditFunction) -> EditFunction:
        needed, texts = frozenset(needs), frozenset(reads)
        if unknown := sorted(needed - CAPABILITIES.keys()):
            raise ValueError(f"method {name} needs {unknown[0]!r}, which is no capability")
        if unknown := sorted(texts - TEXTS.keys()):
            raise ValueError(f"method {name} reads {unknown[0]!r}, which is no text of an edit")
        if needed:
            needed |= {UNDERSTOOD[text] for text in texts & UNDERSTOOD.keys()}
        told = Method(name, edit, config, anchor, depends, expand, needed, together, brings, texts)
        METHODS.add(name, told, edit.__module__)
        return edit

    return add


def needs_model(spec: str) -> bool:
    """Return True if the columns that a spec asks for are made with a backend."""
    return METHODS.get(_parts(spec)[1]).backend


def _parts(spec: str) -> tuple[str, str, str]:
    """Return label, name and settings of `[label=]name[:settings]`."""
    head, _, text = spec.partition(":")
    label, _, name = head.rpartition("=")
    return label, name, text


def variants(
    spec: str, backend: VideoModel | None = None, asked: ExpansionContext | None = None
) -> list[Variant]:
    """Return the columns that `[label=]name[:settings]` asks for.

    backend: the model of methods that need one; its usual settings stand where nothing is said.
    asked: what is known of the suite; without it, any name may be an edit's.

    "unedited" -> one column; "external:outputs/*" -> one for each folder; "fast=sdedit:steps=10".
    """
    label, name, text = _parts(spec)
    found = METHODS.get(name)
    if found.expand:
        return found.expand(label, text, asked or ExpansionContext())
    found.check_fit(backend)
    config: Any = config_from_text(found.config, text, f"method {name}", found.usual(backend))
    return [Variant(safe_label(label or name), name, config)]


def is_spec(spec: str) -> bool:
    """Return True if a text begins with the name of a method, or with LABEL= and one."""
    return _parts(spec)[1] in METHODS.names()


def leads_on(spec: str) -> bool:
    """Return True if a spec names a path, taken as a whole, under which there is something."""
    _label, name, text = _parts(spec)
    if name not in METHODS.names() or METHODS.get(name).expand is None:
        return False
    place = re.sub(r"\{\w+\}", "*", text.removeprefix("pattern="))
    return bool(glob.glob(os.path.expanduser(place)))


def safe_label(label: str) -> str:
    """Return `label` if it can name a folder on any system.

    Raises:
        UserError: if it cannot.
    """
    odd = not label or label[0] in ".-_" or not all(c.isalnum() or c in "._-+" for c in label)
    if odd or why_not_plain(label):
        raise UserError(f"{label!r} cannot name a method: letters, digits, '.', '_', '-', '+' only")
    return label
