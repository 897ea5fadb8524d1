"""What a backend is: a video model behind one contract, `VideoModel`, opened on demand by name.

A world's own model has the name of the world; `WORLD:FOLDER` is the same with other weights.
`wan2.1-1.3b`, `cogvideox-2b` and others (`dreamix.backends.names`) are pretrained models of
diffusers, and so is a FOLDER that holds a pipeline; `sd1.5` and others edit pictures.
`NAME@832x480x33` sets width, height and the most frames a clip is brought to.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from dreamix.backends.hub import PICTURE_CLASS, check_folder, pipeline_class
from dreamix.backends.names import BACKENDS, is_of_world
from dreamix.backends.weight_files import check_single
from dreamix.core.config import config_hash
from dreamix.core.errors import UserError
from dreamix.core.names import near_misses
from dreamix.core.packages import EntryPoint, load
from dreamix.core.progress import Progress
from dreamix.core.seeding import seed_for
from dreamix.core.video import Video
from dreamix.diffusion.settings import Denoising, FeatureInjection, Finetuning, Inversion

WORLD = "the world"  # `VideoModel.knows` of a model that was trained on real footage
Name = tuple[str | int, ...]  # what the noise of one edit is drawn from
ProgressOf = Callable[[str], Progress]  # for "finetuning", "denoising", "inverting"

# What a model may be able to do -> in words.
CAPABILITIES = {
    "video": "clips whose frames it makes together, from noise or from a noised source",
    "single frames": "pictures, edited each for itself",
    "finetuning": "finetuning on a clip",
    "attention finetuning": "finetuning of attention weights alone",
    "inversion": "DDIM inversion of a clip",
    "feature taps": "layers whose features can be replaced",
    "masks": "masks of where to edit",
    "instruction": "prompts that say what to change",
    "description": "prompts that say what is to be seen",
    "prompts in a batch": "several prompts at the cost of less than as many calls",
}


class Finetuned(NamedTuple):
    """A model finetuned on a clip, and what that took just now."""

    model: "VideoModel"
    seconds: float  # 0 if the weights were there already


class Denoised(NamedTuple):
    """A clip for every prompt, and what is to be known of how they were made."""

    clips: list[Video]
    facts: dict[str, Any]


class VideoModel(ABC):
    """A model that methods edit with: the one contract between the two.

    Opening is cheap: weights are read at their first use. What a model can do is what it declares
    in `capabilities`. The functions of what it cannot do stay as they are here and are not called:
    `check_fit` refuses such a method before any work.

    All clips are `Video`s; a model brings them to its own size and length itself. The noise of an
    edit depends on its name alone, never on what is made beside it.
    """

    name: str  # as the user wrote it, such as "wan2.1-1.3b"
    knows: str  # what it was trained on, in words: WORLD, or such as "cartoons"
    cache: Path | None  # folder where finetuned weights are kept; None keeps them in memory
    capabilities: frozenset[str]  # of CAPABILITIES
    presets: Mapping[str, str] = MappingProxyType({})  # method -> the preset of it that suits

    @property
    @abstractmethod
    def identity(self) -> str:
        """What changes when the weights do; kept in run.json, so that runs are never mixed."""

    @property
    def usual(self) -> dict[str, Any]:
        """Settings of methods that suit it, where the user says nothing."""
        return {}

    @abstractmethod
    def check_prompts(self, prompts: Sequence[str]) -> None:
        """Raise a `UserError` now, not after minutes of work, for a prompt it cannot read."""

    def check_denoising(self, how: Denoising) -> None:  # noqa: B027
        """Raise a `UserError` now for a way of denoising that it does not know."""

    def finetuned(
        self,
        source: Video,
        settings: Finetuning,
        progress: Progress,
        *,
        prompt: str | None = None,
        attention_only: bool = False,
        pictures: bool = False,
    ) -> Finetuned:
        """Return a model finetuned on a clip; this one stays as it is. Made once per clip.

        prompt:         what the clip is called; the model's rare token by default.
        attention_only: train the weights that Tune-A-Video trains.
        pictures:       the frames are pictures of a subject, in no order.
        """
        raise lacks(self, "finetuning")

    def denoised(
        self,
        source: Video,
        prompts: Sequence[str],
        names: Sequence[Name],
        how: Denoising,
        progress_of: ProgressOf,
    ) -> Denoised:
        """Return the source noised to a level and denoised, once for every prompt."""
        raise lacks(self, "video")

    def resampled(
        self,
        source: Video,
        prompts: Sequence[str],
        names: Sequence[Name],
        how: Inversion,
        progress_of: ProgressOf,
    ) -> list[Video]:
        """Return the source inverted to noise and sampled from there, once for every prompt."""
        raise lacks(self, "inversion")

    def injected(
        self,
        source: Video,
        prompts: Sequence[str],
        negatives: Sequence[str],
        names: Sequence[Name],
        how: FeatureInjection,
        progress_of: ProgressOf,
    ) -> list[Video]:
        """Return the source's frames, each edited alone with its own features injected."""
        raise lacks(self, "feature taps")


def finetuning_key(clip: bytes, what: Iterable[str | int], settings: Finetuning) -> str:
    """Return what finetuned weights are called in a cache, and drawn from: all they depend on.

    clip: its values; what: whatever else counts, such as the model's identity and the prompt.
    """
    return f"{seed_for(clip.hex(), *what):016x}-{config_hash(settings)}"


def lacks(model: VideoModel, capability: str) -> UserError:
    """Return the error of a model that is asked for what it cannot do."""
    return UserError(f"backend {model.name} has no {capability} ({CAPABILITIES[capability]})")


def check_fit(method: str, needs: Iterable[str], model: VideoModel) -> None:
    """Raise a `UserError` that names the capability, if a model lacks one that a method needs."""
    if missing := [need for need in needs if need not in model.capabilities]:
        kind = model.name.partition("@")[0]
        raise UserError(
            f"{method} does not run on backend {kind}, which has no {missing[0]} "
            f"({CAPABILITIES[missing[0]]}); it has {', '.join(sorted(model.capabilities))}"
        )


class Spec(NamedTuple):
    """The name of a backend, taken apart."""

    kind: str  # a name of BACKENDS, or PIPELINE for a folder
    weights: Path | None
    size: tuple[int, int, int | None] | None  # width, height, frames


Opener = Callable[[str, Path | None, Path | None], VideoModel]  # (name, weights, cache)
PIPELINE = "pipeline"  # the kind of a folder that holds a diffusers pipeline
_OPEN_PIPELINE = "dreamix.backends.pipeline_backend:open_pipeline"
_OPEN_PICTURES = "dreamix.backends.image:open_pictures"
_SIZE = re.compile(r"@(\d+)x(\d+)(?:x(\d+))?$")


def spec_of(name: str) -> Spec:
    """Return the parts of a backend's name.

    Raises:
        UserError: if the name means nothing.
    """
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
    if colon and not is_of_world(kind):
        check_single(weights)
    if size and is_of_world(kind):
        raise UserError(f"backend {kind} has one size: leave {name[len(bare) :]} out")
    return Spec(kind, Path(weights).resolve() if colon else None, size)


def check_backend(name: str) -> str:
    """Return `name` with an absolute path.

    Raises:
        UserError: if it is not in BACKENDS.
    """
    kind, weights, size = spec_of(name)
    parts = [str(weights)] if kind == PIPELINE else [kind, *([str(weights)] if weights else [])]
    suffix = "" if size is None else f"@{'x'.join(str(n) for n in size if n is not None)}"
    return ":".join(parts) + suffix


def is_pretrained(name: str) -> bool:
    """Return True if `name` means a pretrained model, not a world's own."""
    return not is_of_world(spec_of(name).kind)


def open_backend(name: str, cache: Path | None = None) -> VideoModel:
    """Return the backend called `name`: NAME, NAME:PATH for other weights, or a folder.

    cache: folder where methods keep finetuned weights.

    Raises:
        UserError: for an unknown name, weights that are not there and packages that are missing.
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
        found = load(EntryPoint("", _OPEN_PICTURES if held == PICTURE_CLASS else _OPEN_PIPELINE))
    elif hasattr(found := BACKENDS.get(spec.kind), "pipelines"):
        found = load(EntryPoint("", _OPEN_PIPELINE))
    opener: Opener = getattr(found, "open", found)
    return opener
