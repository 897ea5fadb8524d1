"""Pretrained pipelines by short name, hub name or folder; one clear line where one is missing."""

import hashlib
from pathlib import Path
from typing import Any

from dreamix.backends.names import Weights, stages_of
from dreamix.core.errors import UserError
from dreamix.core.names import shown
from dreamix.core.records import read_json

HELD = (".json", ".safetensors", ".bin", ".model", ".txt")  # files that decide what a model does
SINGLE = (".safetensors", ".ckpt", ".gguf", ".bin", ".pt", ".pth")  # weights without a folder
PACKAGES = "pip install 'dreamix-toolkit[hub]'"


PICTURE_CLASS = "StableDiffusionPipeline"


def load_pipeline(name: str | Path, *, motion_adapter: Any = None, **options: Any) -> Any:
    """Return a diffusers pipeline; what is missing is a `UserError`."""
    from diffusers import AnimateDiffPipeline, DiffusionPipeline

    known, *others = stages_of(str(name)) or (Weights(str(name)),)
    hub, motion = known.hub, motion_adapter or known.motion
    if others:
        raise UserError(f"{name} is two pipelines: `Cascade.from_pretrained` loads them")
    check_folder(hub)
    try:
        if motion is None:
            return DiffusionPipeline.from_pretrained(hub, **options)
        adapter = _motion_adapter(motion, options)
        return AnimateDiffPipeline.from_pretrained(hub, motion_adapter=adapter, **options)
    except (OSError, ImportError, ValueError) as error:
        raise UserError(_missing(hub, error)) from None


def _motion_adapter(motion: Any, options: dict[str, Any]) -> Any:
    """Return AnimateDiff's motion modules, loaded if they are a name."""
    from diffusers import MotionAdapter

    if not isinstance(motion, str | Path):
        return motion
    check_no_file(str(motion))
    kept = ("torch_dtype", "cache_dir", "local_files_only", "token")
    chosen = {key: value for key, value in options.items() if key in kept}
    if isinstance(chosen.get("torch_dtype"), dict):  # by part: that of the network is the default
        by_part = chosen["torch_dtype"]
        chosen["torch_dtype"] = by_part.get("unet", by_part.get("default"))
    return MotionAdapter.from_pretrained(str(motion), **chosen)


def check_folder(name: str) -> None:
    """Raise a `UserError` for a single file, and for a folder that holds no pipeline."""
    check_no_file(name)
    folder = Path(name)
    if folder.is_dir() and not (folder / "model_index.json").exists():
        raise UserError(f"{folder} holds no diffusers pipeline: there is no model_index.json")
    if folder.is_dir():
        read_index(folder)


def check_no_file(name: str) -> None:
    """Raise a `UserError` for weights in a single file, which say nothing of their network."""
    if Path(name).is_file() or (Path(name).suffix in SINGLE and not Path(name).is_dir()):
        raise UserError(
            f"{name} is a single file, and single files are not read: load it with diffusers' "
            "from_single_file, and give the folder that save_pretrained writes"
        )


def pipeline_class(folder: Path) -> str:
    """Return the class that the model_index.json of a folder names."""
    check_folder(str(folder))
    return str(read_index(folder).get("_class_name", ""))


def read_index(folder: Path) -> dict[str, Any]:
    """Return the model_index.json of a folder, which says which class loads which part.

    Parts of other packages than diffusers and transformers, and pipelines in a file of the folder,
    are a `UserError`: a folder of weights brings no code.
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

    Weights that were never downloaded are a `UserError` that says how to.
    """
    if Path(name).is_dir():
        return Path(name)
    check_no_file(name)
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


def fingerprint(folders: list[Path]) -> str:
    """Return a hash that changes when weights do: of small files whole, of large ones samples.

    Of a file above 3 MB its size and its first, middle and last MB are read: gigabytes would take
    minutes, and training changes every tensor.
    """
    found = hashlib.sha256()
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


def _missing(hub: str, error: Exception) -> str:
    """Return one line that says what to download or install."""
    if isinstance(error, ImportError):
        return f"{hub} needs a package that is missing: {PACKAGES} ({_line(error)})"
    if Path(hub).is_dir():
        return f"the pipeline in {hub} cannot be read: {_line(error)}"
    return (
        f"the weights of {hub} are not on this machine and cannot be fetched: where the hub can be "
        f"reached, run `hf download {hub}`, or give a folder that holds them ({_line(error)})"
    )


def _line(error: Exception) -> str:
    """Return the first line of a message, shortened."""
    return (str(error).strip().partition("\n")[0] or type(error).__name__)[:160]
