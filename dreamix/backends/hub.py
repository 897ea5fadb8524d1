"""Pretrained pipelines by short name, hub name or folder; one clear line where one is missing."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamix.backends.names import Weights, stages_of
from dreamix.backends.weight_files import (
    check_files,
    check_single,
    check_text,
    variant_of,
    variants,
)
from dreamix.core.errors import UserError
from dreamix.core.names import shown
from dreamix.core.records import read_json, to_json

if TYPE_CHECKING:
    from diffusers import SchedulerMixin

HELD = (".json", ".safetensors", ".bin", ".model", ".txt")  # files that decide what a model does
PACKAGES = "pip install 'dreamix-toolkit[hub]'"

# what AnimateDiff's motion modules want of an image model's schedule
MOTION_SCHEDULE: dict[str, Any] = {
    "beta_schedule": "linear",
    "trained_betas": None,
    "clip_sample": False,
    "timestep_spacing": "linspace",
    "steps_offset": 1,
}


PICTURE_CLASS = "StableDiffusionPipeline"


def load_pipeline(name: str | Path, *, motion_adapter: object = None, **options: Any) -> Any:
    """Return a diffusers pipeline.

    Raises:
        UserError: if a file is missing or damaged.
    """
    from diffusers import AnimateDiffPipeline, DiffusionPipeline, MotionAdapter

    known, *others = stages_of(str(name)) or (Weights(str(name)),)
    hub, motion = known.hub, known.motion if motion_adapter is None else motion_adapter
    if others:
        raise UserError(f"{name} is two pipelines: `Cascade.from_pretrained` loads them")
    check_folder(hub)
    if motion is None:
        return _loaded(DiffusionPipeline, hub, options)
    adapter = motion
    if isinstance(motion, str | Path):
        adapter = _loaded(MotionAdapter, str(motion), _motion_options(options))
    pipe = _loaded(AnimateDiffPipeline, hub, {**options, "motion_adapter": adapter})
    if options.get("scheduler") is None:
        pipe.scheduler = motion_schedule(pipe.scheduler)
    return pipe


def motion_schedule(scheduler: "SchedulerMixin") -> "SchedulerMixin":
    """Return the schedule that AnimateDiff's motion modules were trained on, for an image model's.

    As diffusers' page on AnimateDiff sets it: DDIM, linear betas, no clipping. A schedule that has
    both already is the user's choice and stays.
    """
    from diffusers import DDIMScheduler

    config = scheduler.config
    if config.get("beta_schedule") == "linear" and not config.get("clip_sample", False):
        return scheduler
    return DDIMScheduler.from_config(config, **MOTION_SCHEDULE)


def _motion_options(options: dict[str, Any]) -> dict[str, Any]:
    """Return those options that AnimateDiff's motion modules are loaded with."""
    kept = ("torch_dtype", "dtype", "cache_dir", "local_files_only", "token", "variant")
    chosen = {key: value for key, value in options.items() if key in kept}
    for key in ("torch_dtype", "dtype"):  # by part: that of the network is the default
        if isinstance(by_part := chosen.get(key), dict):
            chosen[key] = by_part.get("unet", by_part.get("default"))
    return chosen


def _loaded(kind: Any, name: str, options: dict[str, Any]) -> Any:
    """Return a pipeline or a part by name or folder, in the variant its files are there in."""
    import torch

    check_single(name)
    folder = Path(name) if Path(name).is_dir() else _cached(name, options)
    parts = [part for part in parts_in(folder) if part.name not in options] if folder else []
    check_text(parts)
    if _is_final(name, options):
        options = {**options, "variant": _variant(parts, options.get("variant"))}
    try:
        return kind.from_pretrained(name, **options)
    except (UserError, MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - damaged files fail in a dozen ways
        check_files(parts)
        raise UserError(_missing(name, error)) from None


def _variant(parts: list[Path], asked: str | None) -> str | None:
    """Return the variant asked for; where none is, or a lone part lacks it, one that is there."""
    lacks = len(parts) == 1 and asked not in variants(parts[0])
    return variant_of(parts) if asked is None or lacks else asked


def _is_final(name: str, options: dict[str, Any]) -> bool:
    """Return True if no more files can come than there are."""
    from huggingface_hub import constants

    offline = options.get("local_files_only") or constants.HF_HUB_OFFLINE
    return Path(name).is_dir() or bool(offline)


def _cached(name: str, options: dict[str, Any]) -> Path | None:
    """Return the folder that a name's weights are kept in on this machine, if any are."""
    from huggingface_hub import snapshot_download

    where = {key: options[key] for key in ("cache_dir", "revision") if options.get(key) is not None}
    try:
        return Path(snapshot_download(name, local_files_only=True, **where))
    except (OSError, ValueError):
        return None


def parts_in(folder: Path) -> list[Path]:
    """Return the folders of a pipeline's parts, or the folder itself where it holds one part."""
    if not (folder / "model_index.json").exists():
        return [folder]
    index = read_index(folder).items()
    named = [name for name, part in index if isinstance(part, list) and part[1:] and part[1]]
    return [folder / name for name in named if name.isidentifier()]


def check_folder(name: str) -> None:
    """Raise a `UserError` for a single file, or a folder that is there but holds no pipeline."""
    check_single(name)
    folder = Path(name)
    if folder.is_dir() and not (folder / "model_index.json").exists():
        raise UserError(f"{folder} holds no diffusers pipeline: there is no model_index.json")
    if folder.is_dir():
        read_index(folder)


def pipeline_class(folder: Path) -> str:
    """Return the class that the model_index.json of a folder names."""
    check_folder(str(folder))
    return str(read_index(folder).get("_class_name", ""))


def read_index(folder: Path) -> dict[str, Any]:
    """Return the model_index.json of a folder, which says which class loads which part.

    Raises:
        UserError: for parts of other packages than diffusers and transformers, and for a pipeline
            in a file of the folder: a folder of weights brings no code.
    """
    file = folder / "model_index.json"
    index = read_json(file)
    if not isinstance(index, dict) or not isinstance(index.get("_class_name", ""), str):
        raise UserError(f"{file} is no list of the parts of a diffusers pipeline")
    for name, value in index.items():
        if isinstance(value, list) and not _is_known(value):
            raise UserError(f"{file}: {name} is {shown(value)}, which is no class of diffusers")
    return index


def _is_known(part: list[Any]) -> bool:
    """Return True for [package, class] that diffusers loads from itself or transformers."""
    if len(part) != 2 or not all(isinstance(word, str | None) for word in part):
        return True  # a list of numbers: a setting
    from diffusers import pipelines

    package, kind = part
    known = package in (None, "diffusers", "transformers") or hasattr(pipelines, str(package))
    return known and (kind is None or kind.isidentifier())


def local_folder(name: str) -> Path:
    """Return the folder of a hub name's weights on this machine, or the folder `name` is.

    Raises:
        UserError: for weights that were never downloaded; it says how to.
    """
    if Path(name).is_dir():
        return Path(name)
    check_single(name)
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (OSError, ValueError) as error:
        raise UserError(_missing(name, error)) from None


def folders_of(weights: Weights) -> list[Path]:
    """Return the folders of one stage, if all of them are on this machine."""
    found = []
    for hub in (part for part in weights if part):
        try:
            folder = local_folder(hub)
        except (UserError, ModuleNotFoundError):
            return []
        if not any((folder / file).exists() for file in ("model_index.json", "config.json")):
            return []
        found.append(folder)
    return found


def fingerprint(folders: list[Path], settings: dict[str, Any] | None = None) -> str:
    """Return a hash that changes when weights do: of small files whole, of large ones samples.

    Of a file above 3 MB its size and its first, middle and last MB are read: gigabytes would take
    minutes, and training changes every tensor. settings: what stands in place of the folders' own.
    """
    found = hashlib.sha256()
    if settings:
        found.update(to_json(settings).encode())
    for folder in folders:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            if file.suffix in HELD and not file.relative_to(folder).parts[0].startswith("."):
                found.update(f"{file.relative_to(folder)}:{file.stat().st_size}:".encode())
                found.update(_sampled(file))
    return found.hexdigest()


def _sampled(file: Path) -> bytes:
    """Return a small file, or three parts of a large one."""
    size, part = file.stat().st_size, 2**20
    with file.open("rb") as held:
        if size <= 3 * part:
            return held.read()
        parts = []
        for place in (0, size // 2, size - part):
            held.seek(place)
            parts.append(held.read(part))
    return b"".join(parts)


def _missing(name: str, error: Exception) -> str:
    """Return one line that says what to download or install."""
    if isinstance(error, ImportError):
        return f"{name} needs a package that is missing: {PACKAGES} ({_line(error)})"
    if Path(name).is_dir() or not isinstance(error, OSError | ValueError):
        return f"the pipeline in {name} cannot be read: {_line(error)}"
    hint = ""
    if "no file named" in str(error) or "safetensors" in str(error):
        hint = "; where it has weights of one variant only, say variant=..."
    return (
        f"the weights of {name} are not on this machine and cannot be fetched: where the hub can "
        f"be reached, run `hf download {name}`, or give a folder that holds them{hint} "
        f"({_line(error)})"
    )


def _line(error: Exception) -> str:
    """Return the first line of a message, shortened, with its type where that alone would tell."""
    text = str(error).strip().partition("\n")[0]
    told = isinstance(error, OSError | ValueError | ImportError)
    name = type(error).__name__
    return (text if text and told else f"{name}: {text}" if text else name)[:160]
