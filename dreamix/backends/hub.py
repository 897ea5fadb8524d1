"""Pretrained pipelines by short name, hub name or folder; one clear line where one is missing."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from dreamix.core.errors import UserError

PACKAGES = "pip install 'dreamix-toolkit[hub]'"


class Weights(NamedTuple):
    """Where pretrained weights are."""

    hub: str  # name on the hub
    motion: str | None = None  # AnimateDiff's motion modules, if `hub` is an image model


# short name -> weights; hub names as they are published, none of them loaded where this was built
NAMES: dict[str, Weights] = {
    "wan2.1-1.3b": Weights("Wan-AI/Wan2.1-T2V-1.3B-Diffusers"),
    "wan2.1-14b": Weights("Wan-AI/Wan2.1-T2V-14B-Diffusers"),
    "wan2.2-5b": Weights("Wan-AI/Wan2.2-TI2V-5B-Diffusers"),
    "wan2.2-14b": Weights("Wan-AI/Wan2.2-T2V-A14B-Diffusers"),
    "cogvideox-2b": Weights("zai-org/CogVideoX-2b"),
    "cogvideox-5b": Weights("zai-org/CogVideoX-5b"),
    "modelscope": Weights("damo-vilab/text-to-video-ms-1.7b"),
    "zeroscope": Weights("cerspense/zeroscope_v2_576w"),
    "animatediff": Weights(
        "stable-diffusion-v1-5/stable-diffusion-v1-5",
        "guoyww/animatediff-motion-adapter-v1-5-3",
    ),
}


def load_pipeline(name: str | Path, *, motion_adapter: Any = None, **options: Any) -> Any:
    """Return a diffusers pipeline; what is missing is a `UserError`."""
    from diffusers import AnimateDiffPipeline, DiffusionPipeline

    known = NAMES.get(str(name))
    hub = known.hub if known else str(name)
    motion = motion_adapter or (known.motion if known else None)
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
    kept = ("torch_dtype", "cache_dir", "local_files_only", "token")
    chosen = {key: value for key, value in options.items() if key in kept}
    return MotionAdapter.from_pretrained(str(motion), **chosen)


def check_folder(name: str) -> None:
    """Raise a `UserError` for a folder that is there but holds no pipeline."""
    folder = Path(name)
    if folder.is_dir() and not (folder / "model_index.json").exists():
        raise UserError(f"{folder} holds no diffusers pipeline: there is no model_index.json")


def pipeline_class(folder: Path) -> str:
    """Return the class that the model_index.json of a folder names."""
    found = json.loads((folder / "model_index.json").read_text())
    return str(found.get("_class_name", ""))


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
