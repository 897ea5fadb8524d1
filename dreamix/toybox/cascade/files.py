"""The embedded cascade on disk, in diffusers' folder layout.

model_index.json  scheduler/  tokenizer/  text_encoder/  unet/  super_resolution/  README.md
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import torch
from diffusers import UNet3DConditionModel
from transformers import CLIPTextModel
from transformers.utils import logging

from dreamix.core.errors import UserError
from dreamix.core.media import sha256_file
from dreamix.core.records import read_json, write_json
from dreamix.toybox.cascade.networks import plain_attention
from dreamix.toybox.cascade.text import WORDS

WEIGHTS = Path(__file__).parent / "weights"
_NETWORK = ("config.json", "*.safetensors")
_PARTS = {
    "tokenizer": ("words.json",),
    "text_encoder": _NETWORK,
    "unet": _NETWORK,
    "super_resolution": _NETWORK,
}


class Networks(NamedTuple):
    """The three networks of the cascade, in single precision."""

    encoder: CLIPTextModel
    unet: UNet3DConditionModel
    superres: UNet3DConditionModel


@lru_cache(maxsize=1)
def load_networks(folder: Path = WEIGHTS) -> Networks:
    """Return the cascade in `folder`.

    Raises:
        UserError: if the folder is missing, or no cascade's.
    """
    _check_parts(folder)
    _check_words(folder)
    with _quiet():
        encoder = CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=torch.float32)
    return Networks(encoder.eval(), _unet(folder / "unet"), _unet(folder / "super_resolution"))


def _unet(folder: Path) -> UNet3DConditionModel:
    unet = UNet3DConditionModel.from_pretrained(
        folder, torch_dtype=torch.float32, low_cpu_mem_usage=False
    )
    plain_attention(unet)
    return unet.eval()


def save_part(part: str, network: CLIPTextModel | UNet3DConditionModel, folder: Path) -> None:
    """Write one network of the cascade in half precision; `network` itself keeps its own."""
    with _quiet():
        deepcopy(network).half().save_pretrained(folder / part)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers' progress bars out of the program's output while the block runs."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def save_index(folder: Path) -> None:
    """Write what is not a network: the index, the tokenizer's words, the noise schedule."""
    write_json(folder / "tokenizer" / "words.json", list(WORDS))
    schedule = {"alpha": "cos(pi t / 2)", "sigma": "sin(pi t / 2)", "prediction_type": "sample"}
    write_json(folder / "scheduler" / "scheduler_config.json", schedule)
    parts = {
        "text_encoder": ["transformers", "CLIPTextModel"],
        "unet": ["diffusers", "UNet3DConditionModel"],
        "super_resolution": ["diffusers", "UNet3DConditionModel"],
    }
    write_json(folder / "model_index.json", {"_class_name": "ToyboxCascade", **parts})


def identity(folder: Path = WEIGHTS) -> str:
    """Return a short hash of all weights in `folder`; other weights have another.

    Raises:
        UserError: if the folder is no whole cascade.
    """
    _check_parts(folder)
    files = sorted(folder.rglob("*.safetensors"))
    return hashlib.sha256("".join(sha256_file(file) for file in files).encode()).hexdigest()[:12]


def _check_parts(folder: Path) -> None:
    missing = [part for part, files in _PARTS.items() if not _holds(folder / part, files)]
    if missing:
        raise UserError(
            f"{folder} is no Toybox cascade: it lacks {', '.join(missing)} "
            "(made by `dreamix toybox train` and `dreamix toybox export`)"
        )


def _holds(folder: Path, files: tuple[str, ...]) -> bool:
    return all(any(folder.glob(file)) for file in files)


def _check_words(folder: Path) -> None:
    """A vocabulary in another order would give every word another's meaning."""
    if read_json(folder / "tokenizer" / "words.json") != list(WORDS):
        raise UserError(
            f"{folder} was trained on another vocabulary than this version's; train anew"
        )
