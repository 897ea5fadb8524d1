"""CLIP image and text embeddings through open_clip (Radford et al. 2021; Ilharco et al. 2021).

Embeddings are those of plain open_clip, `encode_image(preprocess(image))` frame by frame; a test
holds the two together. Weights are only read from this machine; `fetch` alone downloads.
"""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dreamix.core.errors import UserError
from evaluation.features.base import MODELS, ModelSpec, check_dtype, file_sha256, inference, unit
from evaluation.features.clip_build import build_clip, one_line
from evaluation.features.clip_files import (
    ClipFiles,
    find_clip,
    is_path,
    split_clip,
    tag_facts,
    text_files,
)
from evaluation.features.reach import unreachable
from evaluation.features.square import check_fit, square
from evaluation.settings import AUTO, ModelSettings, own_clip

if TYPE_CHECKING:
    import torch


def problem(settings: ModelSettings) -> str | None:
    """Return why CLIP cannot run here and what to do about it, in one line, or None."""
    try:
        _files(settings)
    except UserError as error:
        return str(error)
    return None


def identity(settings: ModelSettings) -> str:
    """Return all that decides an embedding: weights, architecture, preprocessing, fit, dtype."""
    files = _files(settings)
    parts: list[Any] = [files.config, files.preprocess]
    if files.tokenizer:
        parts.append(file_sha256(files.tokenizer / "tokenizer.json"))
    facts = json.dumps(parts, sort_keys=True)
    own = own_clip(settings.clip)
    about = f" (knows the {own.title} world only)" if own else ""
    return (
        f"clip {files.name}{about} weights {file_sha256(files.weights)} "
        f"config {hashlib.sha256(facts.encode()).hexdigest()[:8]} fit {_fit(files, settings)} "
        f"{settings.dtype} open_clip {version('open_clip_torch').split('.')[0]}"
    )


def state(settings: ModelSettings) -> str | None:
    """Return the choices and the state of a local weights file; None for tags of the hub."""
    name, where = split_clip(settings.clip)
    path = Path(where).expanduser()
    if not is_path(where) or not path.is_file():
        return None
    facts = path.resolve().stat()
    beside = sorted(str(p.stat().st_mtime_ns) for p in path.parent.glob("*.json"))
    own = Path(name).stat().st_mtime_ns if name.endswith(".json") and Path(name).exists() else 0
    choices = [settings.clip, settings.clip_fit, settings.dtype, version("open_clip_torch")]
    return json.dumps([*choices, facts.st_size, facts.st_mtime_ns, beside, own])


def load(settings: ModelSettings) -> "ClipEncoder":
    """Return the encoder on settings.device.

    Raises:
        UserError: if its files are missing or damaged.
    """
    files = _files(settings)
    model, tokenizer = build_clip(files)
    return ClipEncoder(model, tokenizer, settings, _fit(files, settings))


def fetch(settings: ModelSettings) -> str:
    """Return the path of the weights of `MODEL:TAG`, downloaded if they are not here yet."""
    name, tag = split_clip(settings.clip)
    if own_clip(settings.clip):
        raise UserError(f"{settings.clip} comes with the toolkit; there is nothing to download")
    if is_path(tag):
        raise UserError(f"--clip {settings.clip} names a file; only MODEL:TAG can be downloaded")
    facts = tag_facts(name, tag)
    try:
        return str(find_clip(settings.clip).weights)
    except UserError:  # something of it is not here yet
        return _downloaded(name, tag, facts)


def _downloaded(name: str, tag: str, facts: dict[str, Any]) -> str:
    """Return the path of the weights, downloaded now."""
    from huggingface_hub import constants, snapshot_download

    address = constants.ENDPOINT if facts.get("hf_hub") else facts["url"]
    copy = f"copy the weights to this machine and name them: --clip {name}:PATH"
    if why := unreachable(address):
        raise UserError(f"cannot download {name}:{tag} from {address} ({why}); {copy}")
    import open_clip

    try:
        path: str = open_clip.download_pretrained(facts)
        for repository, _ in text_files(open_clip.get_model_config(name)):
            snapshot_download(repository, allow_patterns=["*.json", "*.txt", "*.model"])
    except (OSError, RuntimeError) as error:
        raise UserError(f"cannot download {name}:{tag} ({one_line(error)}); {copy}") from error
    return path


class ClipEncoder:
    """A CLIP model with both towers: an `Encoder`.

    outputs: "projected", the joint space of frames and texts; and, for open_clip's own vision
        transformers and timm's towers under one matrix, "unprojected", the pooled vector before
        that matrix (`pooler_output` in transformers). Other towers pool and project in one layer
        and have no such vector.
    """

    def __init__(self, model: Any, tokenizer: Any, settings: ModelSettings, fit: str) -> None:
        self.settings = settings
        self.fit = fit
        self.model = model.to(settings.device).eval()
        self.tokenizer = tokenizer
        self.preprocess: dict[str, Any] = dict(model.visual.preprocess_cfg)
        self.projection = _without_projection(model.visual)
        both = ("projected", "unprojected")
        self.outputs: tuple[str, ...] = both[:1] if self.projection is None else both

    def prepare(self, frames: np.ndarray) -> "torch.Tensor":
        """Return uint8 (n, 3, side, side) for uint8 RGB (n, height, width, 3)."""
        import torch

        side = int(np.max(self.preprocess["size"]))
        squares = square(frames, side, self.fit, self.preprocess["interpolation"])
        return torch.from_numpy(squares).permute(0, 3, 1, 2).contiguous()

    def images(self, prepared: "torch.Tensor") -> dict[str, np.ndarray]:
        """Return unit-norm float32 (n, dimensions) for every one of `outputs`."""
        pixels = prepared.to(self.settings.device).float().div(255)
        pixels = pixels.sub(self._channels("mean")).div(self._channels("std"))
        with inference(self.settings):
            pooled = self.model.encode_image(pixels)
            if self.projection is None:
                return {"projected": unit(pooled)}
            return {"projected": unit(pooled @ self.projection), "unprojected": unit(pooled)}

    def texts(self, texts: list[str]) -> np.ndarray:
        """Return unit-norm float32 (n, dimensions)."""
        tokens = self.tokenizer(texts).to(self.settings.device)
        with inference(self.settings):
            return unit(self.model.encode_text(tokens))

    def truncated(self, text: str) -> bool:
        """Return True if `text` has more tokens than the model reads, 77 with both marks in CLIP.

        Given one place more, a text that is too long fills it and the empty text does not.
        open_clip keeps the end mark when it cuts, so a long prompt loses words and nothing else.
        """
        longer = self.tokenizer([text, ""], context_length=self.tokenizer.context_length + 1)
        return bool(longer[0, -1] != longer[1, -1])

    def unknown(self, text: str) -> int:
        """Return how many words of `text` have no token and are all read as the same unknown one.

        CLIP's own tokenizer spells out whatever it does not know, so there it is 0.
        """
        spelled = getattr(self.tokenizer, "tokenizer", None)  # Hugging Face's, inside open_clip's
        if spelled is None or spelled.unk_token_id is None:
            return 0
        tokens = spelled(self.tokenizer.clean_fn(text), add_special_tokens=False)["input_ids"]
        return int(tokens.count(spelled.unk_token_id))

    def _channels(self, key: str) -> "torch.Tensor":
        import torch

        return torch.tensor(self.preprocess[key], device=self.settings.device).view(3, 1, 1)


def _without_projection(visual: Any) -> "torch.Tensor | None":
    """Take the last matrix off an image tower and return it, (pooled, projected); None without one.

    The tower then gives the pooled vector; applying the matrix to that gives both from one pass.
    """
    from torch import nn

    last = getattr(getattr(visual, "head", None), "proj", None)  # timm's, inside open_clip's
    if isinstance(last, nn.Linear) and last.bias is None:
        visual.head.proj = nn.Identity()
        return last.weight.T
    matrix: torch.Tensor | None = getattr(visual, "proj", None)
    if matrix is not None:
        visual.proj = None
    return matrix


def _files(settings: ModelSettings) -> ClipFiles:
    if settings.clip_fit != AUTO:
        check_fit(settings.clip_fit)
    check_dtype(settings.dtype)
    return find_clip(settings.clip)


def _fit(files: ClipFiles, settings: ModelSettings) -> str:
    return files.fit if settings.clip_fit == AUTO else settings.clip_fit


MODELS.add("clip", ModelSpec(problem, identity, load, state, fetch))
