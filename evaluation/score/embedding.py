"""Embeddings, put into the views before any metric looks at them: in batches across clips."""

from collections.abc import Collection

from dreamix.core.errors import StorageError, failure
from evaluation.features.store import Features
from evaluation.sample import View
from evaluation.score.stages import Stages

ENCODERS = ("clip", "conse")


class Embedder:
    """Fills the views of clips that share batches with what the encoders make of them."""

    def __init__(self, features: Features, stages: Stages) -> None:
        self._features, self._stages = features, stages

    def has_all(self, encoders: Collection[str], views: list[View]) -> bool:
        """Return True if the embeddings of all clips are kept, so that none need be decoded."""
        return all(self._features.stored(name, views) for name in encoders)

    def fill(self, encoders: Collection[str], source: View, views: list[View]) -> str | None:
        """Fill the source and the views; return why that cannot be, None if it was done."""
        for name in encoders:
            try:
                with self._stages.stage(f"embed {name}"):
                    self._fill(name, [source])
                    self._fill(name, views)
            except StorageError:
                raise  # ends the scoring
            except Exception as error:  # noqa: BLE001 - a model's failure becomes rows
                return f"{name}: {failure(error)}"
        return None

    def _fill(self, encoder: str, views: list[View]) -> None:
        found = self._features.embed(encoder, views)
        for view in views:
            view.embeddings[encoder] = found[view.key]
