"""A CLIP model built from its files, and refused where open_clip would only warn."""

import hashlib
import json
import pickle
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamix.core.errors import UserError
from evaluation.features.clip_files import ClipFiles

if TYPE_CHECKING:
    from open_clip import CLIP


def build_clip(files: ClipFiles) -> tuple[Any, Any]:
    """Return (model, tokenizer), fp32 on the processor; weights that do not fit: `UserError`.

    Without `require_pretrained`, open_clip goes on with random weights and only logs it.
    """
    import open_clip
    import torch
    from safetensors import SafetensorError

    name = _registered(files.config) if files.own else files.name
    damage = (RuntimeError, KeyError, ValueError, pickle.UnpicklingError, SafetensorError)
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.filterwarnings("error", message=".*QuickGELU")
        try:
            model = open_clip.create_model(
                name,
                pretrained=str(files.weights.absolute()),
                precision="fp32",
                require_pretrained=True,
                force_preprocess_cfg=files.preprocess,
            )
        except (*damage, UserWarning) as error:
            what = f"{files.weights} does not fit {files.name}"
            raise UserError(f"{what}: {one_line(error)}") from error
    _check_sizes(model, files)
    _check_activation(model, files)
    beside = f"local-dir:{files.tokenizer}" if files.tokenizer else name
    return model, open_clip.get_tokenizer(beside)


def one_line(error: BaseException) -> str:
    """Return the beginning of an error's message on one line."""
    return " ".join(str(error).split())[:200]


def _registered(config: dict[str, Any]) -> str:
    """Return the name under which open_clip now knows an own architecture.

    The name is a hash of the architecture, so it never replaces one of open_clip's.
    """
    import open_clip

    text = json.dumps(config, sort_keys=True)
    name = f"own-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    if name not in open_clip.list_models():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.json"
            path.write_text(text)
            open_clip.add_model_config(path)
    return name


def _check_sizes(model: "CLIP", files: ClipFiles) -> None:
    """Refuse weights of another image size: open_clip stretches their positions without a word."""
    from open_clip.factory import load_state_dict

    stored, built = load_state_dict(str(files.weights)), model.state_dict()
    for name in sorted(stored.keys() & built.keys()):
        if stored[name].numel() != built[name].numel():
            sizes = f"{tuple(stored[name].shape)}, not {tuple(built[name].shape)}"
            raise UserError(f"{files.weights} does not fit {files.name}: {name} is {sizes}")


def _check_activation(model: "CLIP", files: ClipFiles) -> None:
    """Refuse a model whose layers compute another activation than its architecture says."""
    from open_clip.transformer import QuickGELU

    found = any(isinstance(module, QuickGELU) for module in model.modules())
    if found != bool(files.config.get("quick_gelu", False)):
        raise UserError(
            f"open_clip built {files.name} {'with' if found else 'without'} QuickGELU against its "
            "config; its scores would be wrong; install open_clip_torch>=3.3,<4"
        )
