"""What a metric sees: one edit beside its source, and what models have computed on them.

A `View` is a clip and the arrays that were computed on it, each once. A `Sample` holds the views of
an edit and of its source, at their own size and rate, and the two paired frame by frame.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from dreamix.core.errors import DoesNotApply
from dreamix.core.video import Video
from evaluation.sample.frames import Pairing, pair_frames


class Flow(NamedTuple):
    """Where the pixels of neighbouring frames go: (dx, dy) in pixels, for `pairs` = frames - 1.

    A pixel (x, y) of frame t is found at (x, y) + forward[t, y, x] in frame t + 1, and a pixel
    (x, y) of frame t + 1 at (x, y) + backward[t, y, x] in frame t.
    """

    forward: np.ndarray  # float32 (pairs, height, width, 2)
    backward: np.ndarray  # float32 (pairs, height, width, 2)
    occluded: np.ndarray | None = None  # bool (pairs, height, width), t not seen in t + 1; if known

    def between(self, first: int, last: int) -> "Flow":
        """Return the flow between the frames `first` to `last`, both included."""
        occluded = None if self.occluded is None else self.occluded[first:last]
        return Flow(self.forward[first:last], self.backward[first:last], occluded)


T = TypeVar("T")
Arrays = dict[str, np.ndarray]  # output of an encoder -> embeddings


class ModelClip(Protocol):
    """A clip as models see it: they give arrays back and keep nothing of it."""

    @property
    def key(self) -> str:
        """What its embeddings are kept under."""

    @property
    def frames(self) -> np.ndarray:
        """uint8 RGB (frames, height, width, 3)."""

    @property
    def embeddings(self) -> dict[str, Arrays]:
        """Those that it holds, by encoder."""


class Models(Protocol):
    """The models that views and metrics ask where an array is not there yet."""

    def model(self, name: str) -> Any:
        """Return the model of that name."""

    def flow(self, frames: np.ndarray) -> Flow:
        """Return the optical flow between neighbouring frames."""

    def text(self, encoder: str, text: str) -> np.ndarray:
        """Return the unit-norm embedding of a text."""

    def embed(self, encoder: str, clips: Sequence[ModelClip]) -> dict[str, Arrays]:
        """Return the embeddings of clips, by their keys."""


@dataclass(eq=False)
class View:
    """A clip with what has been computed on it.

    clip: the clip, or how to decode it when it is first looked at.
    key:  SHA-256 of the file the frames came from, with the colour that was named for it, if any;
          features are cached under it.
    """

    clip: Video | Callable[[], Video]
    key: str
    features: Models
    origin: "tuple[View, np.ndarray] | None" = None  # the view and frame numbers it was picked from
    embeddings: dict[str, Arrays] = field(default_factory=dict)  # by encoder
    memo: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def video(self) -> Video:
        """The clip, decoded."""
        return self.clip if isinstance(self.clip, Video) else self.clip()

    @property
    def frames(self) -> np.ndarray:
        """uint8 RGB (frames, height, width, 3)."""
        return self.video.frames

    def once(self, name: str, compute: Callable[[], T]) -> T:
        """Return `compute()`, computed at most once for this clip under `name`."""
        if name not in self.memo:
            self.memo[name] = compute()
        return self.memo[name]

    def embed(self, encoder: str, output: str = "projected") -> np.ndarray:
        """Return unit-norm float32 (frames, dimensions) embeddings of `encoder` ("clip", "conse").

        They are always those of the frames at their own size, before any resizing for a pair. An
        output that this model does not have raises `DoesNotApply`.
        """
        if self.origin:
            view, numbers = self.origin
            return view.embed(encoder, output)[numbers]
        if encoder not in self.embeddings:
            self.embeddings[encoder] = self.features.embed(encoder, [self])[self.key]
        found = self.embeddings[encoder]
        if output not in found:
            raise DoesNotApply(
                f"the {encoder} model has no {output} output, only {', '.join(found)}"
            )
        return found[output]

    @property
    def flow(self) -> Flow:
        """Optical flow between neighbouring frames, forward and backward, in pixels."""
        return self.once("flow", lambda: self.features.flow(self.frames))


class Pair(NamedTuple):
    """Source and edit, frame by frame: same number of frames, same size (the source's)."""

    source: View
    edited: View
    pairing: Pairing


@dataclass(eq=False)
class Sample:
    """One edit to be scored.

    prompt:    what the edit should show; empty where the edit has an instruction alone.
    phrases:   words for what is to change, and for what it becomes.
    keep:      bool (frames of the source, height, width), pixels that the edit should leave alone.
    ideal:     the exact edit, where the suite knows it.
    true_flow: the exact flow of the source with its occlusion, likewise.
    """

    edited: View
    source: View
    prompt: str
    caption: str | None
    category: str
    policy: str = "auto"
    keep: np.ndarray | None = None
    ideal: View | None = None
    true_flow: Flow | None = None
    instruction: str | None = None
    phrases: tuple[str | None, str | None] = (None, None)

    @cached_property
    def pair(self) -> Pair:
        """Source and edit with their frames paired and the edit resized to the source's size."""
        return pair_views(self.source, self.edited, self.policy)

    @cached_property
    def ideal_pair(self) -> Pair:
        """Ideal edit (as the source of the pair) and edit, paired likewise."""
        if self.ideal is None:
            raise ValueError("this sample has no ideal edit; the metric must declare needs='ideal'")
        return pair_views(self.ideal, self.edited, self.policy)

    @cached_property
    def paired_keep(self) -> np.ndarray:
        """`keep` on the frames of `pair`: bool (pairs, height, width)."""
        if self.keep is None:
            raise ValueError("this sample has no mask; the metric must declare needs='keep'")
        return self.keep[self.pair.pairing.source]

    @cached_property
    def paired_true_flow(self) -> Flow:
        """`true_flow` between the frames of `pair`; frames that were skipped: `DoesNotApply`."""
        if self.true_flow is None:
            raise ValueError("this sample has no flow; the metric must declare needs='true_flow'")
        numbers = self.pair.pairing.source
        if (np.diff(numbers) != 1).any():
            raise DoesNotApply("the true flow is known between all frames of the source only")
        return self.true_flow.between(int(numbers[0]), int(numbers[-1]))

    def text(self, encoder: str, text: str) -> np.ndarray:
        """Return the unit-norm float32 (dimensions,) embedding of `text`."""
        return self.edited.features.text(encoder, text)

    def of_source(self) -> "Sample":
        """Return the same sample with the source in the edit's place: what a delta is taken to."""
        return replace(self, edited=self.source, keep=None, ideal=None, true_flow=None)


def pair_views(source: View, edited: View, policy: str) -> Pair:
    """Return the two views paired; a view that needs no change is handed on with its features."""
    pairing = pair_frames(source.video, edited.video, policy)
    size = source.video.height, source.video.width
    return Pair(_pick(source, pairing.source, size), _pick(edited, pairing.edited, size), pairing)


def _pick(view: View, numbers: np.ndarray, size: tuple[int, int]) -> View:
    """Return a view of the frames `numbers` at `size`; the view itself where nothing changes."""
    video = view.video
    whole = np.array_equal(numbers, np.arange(len(video)))
    if whole and size == (video.height, video.width):
        return view
    return view.once(f"pick {size} {numbers.tolist()}", lambda: _picked(view, numbers, size))


def _picked(view: View, numbers: np.ndarray, size: tuple[int, int]) -> View:
    times = view.video.times[numbers] - view.video.times[numbers[0]]
    frames = resize_frames(view.frames[numbers], *size)
    return View(Video(frames, view.video.fps, times), view.key, view.features, (view, numbers))


# -- one rule of resizing for every paired metric -----------------------------------------------
def resize_frames(frames: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return uint8 (frames, height, width, 3), resized by PIL's antialiased bicubic filter.

    Frames of the asked size come back unchanged. Never resize without antialiasing: on noise it is
    off by 0.44 of a standard deviation (Parmar et al. 2022, "On aliased resizing").
    """
    if frames.shape[1:3] == (height, width):
        return frames
    from PIL import Image

    size, how = (width, height), Image.Resampling.BICUBIC
    return np.stack([np.asarray(Image.fromarray(frame).resize(size, how)) for frame in frames])
