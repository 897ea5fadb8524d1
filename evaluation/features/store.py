"""Features of clips and texts: computed once, in batches, and kept by content.

An embedding is stored under the SHA-256 of the clip's file and the identity of the model (name,
weights hash, preprocessing, dtype), so it is found again after a crash, a rename or a new metric.
Optical flow is not stored: it takes more room than the clips and OpenCV recomputes it about as
fast as a disk reads it; it is computed once per clip in a run.
"""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dreamix.core.arrays import read_npz
from dreamix.core.errors import DoesNotApply, UserError
from dreamix.core.places import inside
from dreamix.core.records import write_whole
from dreamix.core.threads import one_thread
from evaluation.features.base import MODELS, Encoder
from evaluation.sample import View
from evaluation.settings import ModelSettings

if TYPE_CHECKING:
    from evaluation.features.flow import Flow


Arrays = dict[str, np.ndarray]  # output of an encoder -> embeddings


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

    def flow(self, view: View) -> "Flow":
        """Return the optical flow of a clip; `View.flow` keeps it."""
        flow: Flow = self.model("flow").between_neighbours(view.frames)
        return flow

    def text(self, encoder: str, text: str) -> np.ndarray:
        """Return the embedding of `text`: unit-norm float32 (dimensions,)."""
        if (encoder, text) not in self._texts:
            model: Encoder = self.model(encoder)
            self._texts[encoder, text] = model.texts([text])[0]
        return self._texts[encoder, text]

    def images(self, encoder: str, view: View, output: str = "projected") -> np.ndarray:
        """Return unit-norm float32 (frames, dimensions) embeddings of a clip.

        An output that this model does not have raises `DoesNotApply`.
        """
        name = f"embed {encoder}"
        if name not in view.memo:
            self.prefetch(encoder, [view])
        found: Arrays = view.memo[name]
        if output not in found:
            raise DoesNotApply(
                f"the {encoder} model has no {output} output, only {', '.join(found)}"
            )
        return found[output]

    def stored(self, encoder: str, views: list[View]) -> bool:
        """Return True if the embeddings of all clips are in the folder."""
        paths = [self._path(encoder, view) for view in views]
        return all(path is not None and path.exists() for path in paths)

    def prefetch(self, encoder: str, views: list[View]) -> None:
        """Embed the frames of several clips in batches that run across them.

        If one of the clips is not stored, all are embedded anew: what shares a batch then does not
        depend on what an earlier, interrupted run had finished, and neither does the last bit.
        """
        views = [*{view.key: view for view in views}.values()]
        found = [self._known(encoder, view) for view in views]
        if any(arrays is None for arrays in found):
            embedded = self._embed(encoder, views)
            found = [old or new for old, new in zip(found, embedded, strict=True)]
            for view, arrays in zip(views, embedded, strict=True):
                self._write(encoder, view, arrays)
        for view, stored in zip(views, found, strict=True):
            view.memo[f"embed {encoder}"] = stored

    def _known(self, encoder: str, view: View) -> Arrays | None:
        """Return the embeddings of a clip if this process or the folder has them."""
        held: Arrays | None = view.memo.get(f"embed {encoder}")
        return held or self._read(encoder, view)

    def _embed(self, encoder: str, views: list[View]) -> list[Arrays]:
        import torch

        model: Encoder = self.model(encoder)
        prepared = torch.cat([model.prepare(view.frames) for view in views])
        parts = [model.images(part) for part in prepared.split(self.settings.batch)]
        joined = {name: np.concatenate([part[name] for part in parts]) for name in model.outputs}
        ends = np.cumsum([len(view.frames) for view in views])[:-1]
        by_output = {name: np.split(array, ends) for name, array in joined.items()}
        return [{name: by_output[name][i] for name in model.outputs} for i in range(len(views))]

    def _path(self, encoder: str, view: View) -> Path | None:
        if self.folder is None:
            return None
        identity = hashlib.sha256(self.identity(encoder).encode()).hexdigest()[:16]
        return inside(self.folder, f"{encoder}-{identity}", f"{view.key}.npz")

    def _read(self, encoder: str, view: View) -> Arrays | None:
        path = self._path(encoder, view)
        if path is None or not path.exists():
            return None
        found = read_npz(path)
        if len({(array.ndim, len(array), array.dtype.kind) for array in found.values()}) != 1:
            raise UserError(f"{path} holds no embeddings of its clip: remove it")
        return found

    def _write(self, encoder: str, view: View, found: Arrays) -> None:
        path = self._path(encoder, view)
        if path and not path.exists():
            with write_whole(path) as file:
                np.savez(file, **found)  # type: ignore[arg-type]
