"""Features of clips and texts: computed once, in batches, and kept by content.

An embedding is stored under the SHA-256 of the clip's file and the identity of the model (name,
weights hash, preprocessing, dtype), so it is found again after a crash, a rename or a new metric.
Optical flow is not stored: it takes more room than the clips and OpenCV recomputes it about as
fast as a disk reads it; it is computed once per clip in a run.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dreamix.core.arrays import read_npz
from dreamix.core.errors import UserError
from dreamix.core.places import inside
from dreamix.core.records import write_whole
from dreamix.core.threads import one_thread
from evaluation.features.base import MODELS, Encoder
from evaluation.sample import Arrays, Flow
from evaluation.sample.views import ModelClip
from evaluation.settings import ModelSettings


class Features:
    """The models of one process and the folder in which their embeddings are kept.

    folder: None keeps embeddings in memory only.
    """

    def __init__(self, settings: ModelSettings, folder: Path | None = None) -> None:
        self.settings = settings
        self.folder = folder
        self._models: dict[str, Any] = {}
        self._texts: dict[tuple[str, str], np.ndarray] = {}
        self._identities: dict[str, str] = {}

    def model(self, name: str) -> Any:
        """Return the model called `name`, loaded at its first use."""
        if name not in self._models:
            self._models[name] = MODELS.get(name).load(self.settings)
            one_thread()
        return self._models[name]

    def identity(self, name: str) -> str:
        """Return what the model called `name` is, to the bit."""
        if name not in self._identities:
            self._identities[name] = MODELS.get(name).identity(self.settings)
        return self._identities[name]

    def flow(self, frames: np.ndarray) -> Flow:
        """Return the optical flow of uint8 RGB (frames, height, width, 3); it is not kept."""
        flow: Flow = self.model("flow").between_neighbours(frames)
        return flow

    def text(self, encoder: str, text: str) -> np.ndarray:
        """Return the embedding of `text`: unit-norm float32 (dimensions,)."""
        if (encoder, text) not in self._texts:
            model: Encoder = self.model(encoder)
            self._texts[encoder, text] = model.texts([text])[0]
        return self._texts[encoder, text]

    def stored(self, encoder: str, clips: Sequence[ModelClip]) -> bool:
        """Return True if the embeddings of all clips are in the folder."""
        paths = [self._path(encoder, clip) for clip in clips]
        return all(path is not None and path.exists() for path in paths)

    def embed(self, encoder: str, clips: Sequence[ModelClip]) -> dict[str, Arrays]:
        """Return embeddings of the frames of several clips, by key, in batches that run across.

        They are unit-norm float32 (frames, dimensions), by output of the encoder. If one of the
        clips is not stored, all are embedded anew: what shares a batch then does not depend on what
        an earlier, interrupted run had finished, and neither does the last bit.
        """
        distinct = {clip.key: clip for clip in clips}
        known = {key: self._known(encoder, clip) for key, clip in distinct.items()}
        found = {key: arrays for key, arrays in known.items() if arrays is not None}
        if len(found) < len(distinct):
            embedded = self._embed(encoder, [*distinct.values()])
            for (key, clip), arrays in zip(distinct.items(), embedded, strict=True):
                found.setdefault(key, arrays)
                self._write(encoder, clip, arrays)
        return found

    def _known(self, encoder: str, clip: ModelClip) -> Arrays | None:
        """Return the embeddings of a clip if it or the folder has them."""
        return clip.embeddings.get(encoder) or self._read(encoder, clip)

    def _embed(self, encoder: str, clips: list[ModelClip]) -> list[Arrays]:
        import torch

        model: Encoder = self.model(encoder)
        prepared = torch.cat([model.prepare(clip.frames) for clip in clips])
        parts = [model.images(part) for part in prepared.split(self.settings.batch)]
        joined = {name: np.concatenate([part[name] for part in parts]) for name in model.outputs}
        ends = np.cumsum([len(clip.frames) for clip in clips])[:-1]
        by_output = {name: np.split(array, ends) for name, array in joined.items()}
        return [{name: by_output[name][i] for name in model.outputs} for i in range(len(clips))]

    def _path(self, encoder: str, clip: ModelClip) -> Path | None:
        if self.folder is None:
            return None
        identity = hashlib.sha256(self.identity(encoder).encode()).hexdigest()[:16]
        return inside(self.folder, f"{encoder}-{identity}", f"{clip.key}.npz")

    def _read(self, encoder: str, clip: ModelClip) -> Arrays | None:
        path = self._path(encoder, clip)
        if path is None or not path.exists():
            return None
        found = read_npz(path)
        if len({(array.ndim, len(array), array.dtype.kind) for array in found.values()}) != 1:
            raise UserError(f"{path} holds no embeddings of its clip: remove it")
        return found

    def _write(self, encoder: str, clip: ModelClip, found: Arrays) -> None:
        path = self._path(encoder, clip)
        if path and not path.exists():
            with write_whole(path) as file:
                np.savez(file, **found)  # type: ignore[arg-type]
