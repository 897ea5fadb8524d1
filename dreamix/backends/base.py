"""What a backend is: a family of video models behind one set of names, opened on demand.

`toybox` is the embedded cascade; `toybox:FOLDER` is the same cascade with other weights.
`wan2.1-1.3b`, `cogvideox-2b` and others (`dreamix.backends.names`) are pretrained models of
diffusers, and so is a FOLDER that holds a pipeline; `sd1.5` and others edit pictures.
`NAME@832x480x33` sets width, height and the most frames a clip is brought to.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from dreamix.backends.hub import PICTURE_CLASS, check_folder, pipeline_class
from dreamix.backends.names import BACKENDS
from dreamix.backends.weight_files import check_single
from dreamix.core.errors import UserError
from dreamix.core.packages import Entry, load
from dreamix.core.registry import near_misses
from dreamix.core.video import Video

WORLD = "the world"  # `Backend.knows` of a model that was trained on real footage
Watch = Callable[[int, int], None]  # (done, total)


class Backend(Protocol):
    """A model that methods edit with. Opening is cheap: weights are read at their first use."""

    name: str  # as the user wrote it, such as "toybox"
    identity: str  # changes when the weights do; kept in run.json, so that runs are never mixed
    knows: str  # what it was trained on, in words: WORLD, or "Toybox scenes"
    cache: Path | None  # folder where finetuned weights are kept; None keeps them in memory


class Plan(NamedTuple):
    """What a method asks of a model that samples by itself."""

    noise: float  # s; 1 without the source
    steps: int
    guidance: float
    eta: float = 0.0
    finetune_steps: int = 0
    alpha: float = 0.5
    learning_rate: float = 1e-4
    frames: int = 8
    rare_token: bool = False
    length: int | None = None  # frames to make; None: as many as the source, 0: as is usual
    guidance_2: float | None = None  # of a second expert; None: the same


class Sampled(NamedTuple):
    """What such a model made: a clip for every prompt, the time its finetuning took, and facts."""

    clips: list[Video]
    finetune_seconds: float
    facts: dict[str, Any]


@runtime_checkable
class Sampler(Protocol):
    """A backend whose pipeline brings its own autoencoder, schedule and solver."""

    usual: dict[str, Any]  # settings of methods that suit it, where the user says nothing

    def sampled(
        self,
        source: Video,
        prompts: Sequence[str],
        names: Sequence[tuple[str | int, ...]],
        plan: Plan,
        watch: Callable[[str], Watch],
    ) -> Sampled:
        """Return edits of `source`; the noise of each depends on its name alone."""


class Spec(NamedTuple):
    """The name of a backend, taken apart."""

    kind: str  # a name of BACKENDS, or PIPELINE for a folder
    weights: Path | None
    size: tuple[int, int, int | None] | None  # width, height, frames


Opener = Callable[[str, Path | None, Path | None], Backend]  # (name, weights, cache)
EMBEDDED = "toybox"  # the kind that comes with the toolkit
PIPELINE = "pipeline"  # the kind of a folder that holds a diffusers pipeline
_OPEN_PIPELINE = "dreamix.backends.pipeline_backend:open_pipeline"
_OPEN_PICTURES = "dreamix.backends.image:open_pictures"
_SIZE = re.compile(r"@(\d+)x(\d+)(?:x(\d+))?$")


def spec_of(name: str) -> Spec:
    """Return the parts of a backend's name; one that means nothing is a `UserError`."""
    sized = _SIZE.search(name)
    bare = name[: sized.start()] if sized else name
    kind, colon, weights = bare.partition(":")
    size = None
    if sized:
        width, height, frames = sized.groups()
        if 0 in (int(n) for n in sized.groups() if n is not None):
            raise UserError(f"backend {name}: width, height and frames are 1 or more")
        size = (int(width), int(height), int(frames) if frames else None)
    known = BACKENDS.names()
    if kind not in known and Path(bare).is_dir():
        check_folder(bare)
        return Spec(PIPELINE, Path(bare).resolve(), size)
    if kind not in known:
        check_single(bare)
        told = f"{', '.join(known)}, or a folder with a diffusers pipeline"
        raise UserError(f"unknown backend {kind!r}{near_misses(kind, known)} (known: {told})")
    if colon and not Path(weights).exists():
        raise UserError(f"backend {name}: there is nothing at {weights or 'an empty path'}")
    if colon and kind != EMBEDDED:
        check_single(weights)
    if size and kind == EMBEDDED:
        raise UserError(f"backend {kind} has one size: leave {name[len(bare) :]} out")
    return Spec(kind, Path(weights).resolve() if colon else None, size)


def check_backend(name: str) -> str:
    """Return `name` with an absolute path; one that is not in BACKENDS is a `UserError`."""
    kind, weights, size = spec_of(name)
    parts = [str(weights)] if kind == PIPELINE else [kind, *([str(weights)] if weights else [])]
    suffix = "" if size is None else f"@{'x'.join(str(n) for n in size if n is not None)}"
    return ":".join(parts) + suffix


def is_pretrained(name: str) -> bool:
    """Return True if `name` means a pretrained model, not the embedded one."""
    return spec_of(name).kind != EMBEDDED


def open_backend(name: str, cache: Path | None = None) -> Backend:
    """Return the backend called `name`: NAME, NAME:PATH for other weights, or a folder.

    cache: folder where methods keep finetuned weights.
    An unknown name, weights that are not there and packages that are missing are a `UserError`.
    """
    spec = spec_of(name)
    try:
        opener = _opener(spec)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("dreamix"):
            raise
        raise UserError(
            f"backend {spec.kind} needs the package {error.name}: pip install {error.name}"
        ) from None
    return opener(name, spec.weights, cache)


def _opener(spec: Spec) -> Opener:
    """Return what opens a backend; a family, and a folder, are opened as their pipelines are."""
    if spec.kind == PIPELINE:
        held = pipeline_class(spec.weights) if spec.weights else ""  # it may be an image model
        found = load(Entry("", _OPEN_PICTURES if held == PICTURE_CLASS else _OPEN_PIPELINE))
    elif hasattr(found := BACKENDS.get(spec.kind), "pipelines"):
        found = load(Entry("", _OPEN_PIPELINE))
    opener: Opener = getattr(found, "open", found)
    return opener
