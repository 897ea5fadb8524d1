"""A pipeline built from the configurations of its parts alone: no weights, and on "meta" no memory.

A folder of `save_pretrained`, or of the hub's cache, holds the configurations; `published.json`
holds those of the models in `dreamix.backends.hub`, typed in from what their makers published.
"""

import json
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import nn

from dreamix.backends.hub import MOTION_SCHEDULE, PICTURE_CLASS, check_folder, read_index
from dreamix.core.errors import UserError
from dreamix.core.records import read_json

if TYPE_CHECKING:
    from transformers import PreTrainedModel

PUBLISHED = Path(__file__).with_name("published.json")
CONFIGS = ("config.json", "scheduler_config.json")
CHARACTERS = "abcdefghijklmnopqrstuvwxyz ,."
ANIMATED = ("vae", "text_encoder", "unet", "scheduler")  # what an image model gives AnimateDiff
UNFILTERED = dict.fromkeys(("safety_checker", "feature_extractor"))
UNFILTERED["requires_safety_checker"] = False

Dtypes = dict[str, torch.dtype] | torch.dtype  # of the parts by name, "default" for the others


class BlueprintPart(NamedTuple):
    """One part: a class of diffusers or transformers and what it is built with."""

    kind: str
    config: dict[str, Any]


class Blueprint(NamedTuple):
    """A whole pipeline."""

    kind: str  # class of diffusers
    parts: dict[str, BlueprintPart]
    options: dict[str, Any]  # such as boundary_ratio
    source: str  # where the configurations come from, in words


def published(file: Path = PUBLISHED) -> dict[str, Blueprint]:
    """Return the blueprints of a file such as `published.json` by name."""
    held = json.loads(file.read_text(encoding="utf-8"))
    shared = {name: BlueprintPart(*part) for name, part in held["parts"].items()}

    def read(part: str | list[Any]) -> BlueprintPart:
        return shared[part] if isinstance(part, str) else BlueprintPart(*part)

    return {
        name: Blueprint(
            entry["class"],
            {part: read(value) for part, value in entry["parts"].items()},
            entry.get("options", {}),
            held["source"],
        )
        for name, entry in held["pipelines"].items()
    }


def in_folders(folder: Path, motion: Path | None = None) -> Blueprint:
    """Return the blueprint of a pipeline in a folder, with motion modules of another or without."""
    check_folder(str(folder))
    index = read_index(folder)
    entries = {name: value for name, value in index.items() if not name.startswith("_")}
    parts = {
        name: BlueprintPart(str(value[1]), config)
        for name, value in entries.items()
        if isinstance(value, list)
        and len(value) == 2
        and value[1]
        and (config := _config(folder / name))
    }
    options = {name: value for name, value in entries.items() if not isinstance(value, list)}
    if index.get("_class_name") == PICTURE_CLASS:  # without its filter of pictures
        parts = {name: part for name, part in parts.items() if name != "safety_checker"}
        options |= UNFILTERED
    if motion is None:
        return Blueprint(str(index.get("_class_name")), parts, options, str(folder))
    parts = {name: part for name, part in parts.items() if name in ANIMATED}
    parts["motion_adapter"] = BlueprintPart("MotionAdapter", _config(motion) or {})
    if scheduler := parts.get("scheduler"):
        parts["scheduler"] = BlueprintPart("DDIMScheduler", {**scheduler.config, **MOTION_SCHEDULE})
    return Blueprint("AnimateDiffPipeline", parts, {}, f"{folder} with {motion}")


def _config(folder: Path) -> dict[str, Any] | None:
    """Return the configuration of a part; None for a tokenizer, which has none of these files."""
    for name in CONFIGS:
        if (folder / name).exists():
            found = read_json(folder / name)
            if not isinstance(found, dict):
                raise UserError(f"{folder / name} should hold an object")
            return found
    return None


def build(plan: Blueprint, dtypes: Dtypes = torch.float32, device: str = "meta") -> Any:
    """Return a diffusers pipeline of random weights, or on "meta" of none at all.

    dtypes: as `torch_dtype` of from_pretrained.

    Raises:
        UserError: for a class that diffusers and transformers do not have.
    """
    import diffusers

    kind: Any = getattr(diffusers, plan.kind, None)
    if not _is_kind(kind, diffusers.DiffusionPipeline):
        raise UserError(f"diffusers {diffusers.__version__} has no {plan.kind}")
    parts = {name: _part(part, device) for name, part in plan.parts.items()}
    for name in [name for name in parts if name.startswith("text_encoder")]:
        parts[name.replace("text_encoder", "tokenizer")] = _tokenizer(parts[name])
    with torch.device(device):  # AnimateDiff's makes one network of two
        pipe = kind(**parts, **plan.options)
    for name, part in pipe.components.items():
        if isinstance(part, nn.Module):
            _cast(part.eval(), _dtype(dtypes, name))
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _part(part: BlueprintPart, device: str) -> Any:
    """Return a network on `device`, or a scheduler, by its configuration."""
    import diffusers
    import transformers

    kind: Any = getattr(diffusers, part.kind, None)
    if _is_kind(kind, diffusers.ConfigMixin):
        network = issubclass(kind, nn.Module)
        with torch.device(device) if network else nullcontext():
            return kind.from_config(part.config)
    kind = getattr(transformers, part.kind, None)
    if _is_kind(kind, transformers.PreTrainedModel):
        with torch.device(device):
            return kind(kind.config_class.from_dict(part.config))
    raise UserError(f"neither diffusers nor transformers has a {part.kind}")


def _is_kind(found: object, kind: type) -> bool:
    """Return True for a class of that kind: a file that names anything else is not obeyed."""
    return isinstance(found, type) and issubclass(found, kind)


def _dtype(dtypes: Dtypes, name: str) -> torch.dtype:
    if isinstance(dtypes, torch.dtype):
        return dtypes
    return dtypes.get(name, dtypes["default"])


def _cast(module: nn.Module, dtype: torch.dtype) -> None:
    """Cast weights as `from_pretrained` does: some layers stay in single precision."""
    kept = set(getattr(module, "_keep_in_fp32_modules", None) or [])
    if dtype == torch.bfloat16 and not hasattr(module, "config_name"):
        kept = set()  # transformers keeps them for float16 alone
    for name, x in (*module.named_parameters(), *module.named_buffers()):
        if x.is_floating_point() and not kept & set(name.split(".")):
            x.data = x.data.to(dtype)


@cache
def _clip_tokens() -> dict[str, int]:
    tokens = [*CHARACTERS, *(f"{c}</w>" for c in CHARACTERS), "<|startoftext|>", "<|endoftext|>"]
    return {token: i for i, token in enumerate(tokens)}


def _tokenizer(encoder: "PreTrainedModel") -> Any:
    """Return a tokenizer of single characters: prompts are padded to one length whatever it reads.

    The words are not the model's: what is made with it is measured, not looked at.
    """
    from transformers import CLIPTokenizer, T5Tokenizer

    if type(encoder).__name__.startswith("CLIP"):
        length = encoder.config.max_position_embeddings
        return CLIPTokenizer(_clip_tokens(), [], model_max_length=length)
    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    return T5Tokenizer([*special, *((c, -3.0) for c in CHARACTERS)], extra_ids=0)
