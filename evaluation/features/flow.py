"""Optical flow between neighbouring frames, and what follows from it: warping and occlusion.

DIS (Kroeger et al. 2016) from OpenCV is the default: it needs no weights. RAFT (Teed and Deng 2020)
from torchvision runs on weights from a local file.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import cv2
import numpy as np

from dreamix.core.errors import DoesNotApply, UserError
from dreamix.core.names import near_misses
from evaluation.features import raft
from evaluation.features.base import MODELS, ModelSpec
from evaluation.sample import Flow
from evaluation.settings import ModelSettings

SMALLEST = 12  # pixels; DIS refuses smaller frames
NAMES = ("dis", *raft.NAMES)


class FlowModel(Protocol):
    """A model of optical flow."""

    def between(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return float32 (n, height, width, 2) from uint8 RGB (n, height, width, 3) to another."""


class FlowOfClip:
    """A flow model applied to clips."""

    def __init__(self, model: FlowModel) -> None:
        self.model = model

    def between_neighbours(self, frames: np.ndarray) -> Flow:
        """Return the flow of uint8 RGB (frames, height, width, 3), forward and backward.

        A single frame raises `DoesNotApply`.
        """
        if len(frames) < 2:
            raise DoesNotApply("one frame has no motion")
        first, second = frames[:-1], frames[1:]
        return Flow(self.model.between(first, second), self.model.between(second, first))


class Dis:
    """OpenCV's dense inverse search at its medium preset, on luma."""

    def between(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return float32 (n, height, width, 2); the same numbers on any machine's core count."""
        if min(first.shape[1:3]) < SMALLEST:
            size = f"{first.shape[1]}x{first.shape[2]}"
            raise DoesNotApply(f"frames of {size} pixels are under the {SMALLEST} that DIS needs")
        with _one_thread():
            dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
            pairs = zip(map(_luma, first), map(_luma, second), strict=True)
            return np.stack([dis.calc(a, b, None) for a, b in pairs])


def warp(image: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Return `image` fetched along `flow`, bilinearly: what lies at (x, y) + flow[y, x] in it.

    image: float32 (height, width, channels); flow: float32 (height, width, 2). Beyond the border
    the nearest pixel is taken; `inside` tells where that was.
    """
    x, y = _targets(flow)
    with _one_thread():
        return cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def inside(flow: np.ndarray) -> np.ndarray:
    """Return bool (height, width): True where `flow` leads to a place within the frame."""
    x, y = _targets(flow)
    height, width = flow.shape[:2]
    return (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)


def visible(flow: Flow) -> np.ndarray:
    """Return bool (pairs, height, width): pixels of frame t that can be found in frame t + 1.

    The test of Lai et al. 2018 (after Ruder et al. 2016): there and back must lead home, and edges
    of motion are left out. Exact occlusion, where known, takes the place of the first. Pixels that
    leave the frame are left out too; Lai's code counts them.
    """
    smooth = np.stack([inside(forward) & ~_boundary(forward) for forward in flow.forward])
    if flow.occluded is not None:
        return smooth & ~flow.occluded
    pairs = zip(flow.forward, flow.backward, strict=True)
    return smooth & np.stack([_consistent(forward, backward) for forward, backward in pairs])


def _consistent(forward: np.ndarray, backward: np.ndarray) -> np.ndarray:
    """Return True where there and back leads home: |F + B_w|^2 <= 0.01 (|F|^2 + |B_w|^2) + 0.5."""
    returned = warp(backward, forward)
    home = _square(forward + returned)
    return home <= 0.01 * (_square(forward) + _square(returned)) + 0.5


def _boundary(flow: np.ndarray) -> np.ndarray:
    """Return True at edges of motion: |grad u|^2 + |grad v|^2 > 0.01 |F|^2 + 0.002."""
    steep = np.zeros(flow.shape[:2], np.float32)
    steep[:, :-1] += _square(flow[:, 1:] - flow[:, :-1])
    steep[:-1] += _square(flow[1:] - flow[:-1])
    return steep > 0.01 * _square(flow) + 0.002


def _square(flow: np.ndarray) -> np.ndarray:
    return flow[..., 0] ** 2 + flow[..., 1] ** 2


def _targets(flow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    height, width = flow.shape[:2]
    x = flow[..., 0] + np.arange(width, dtype=np.float32)
    y = flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    return x, y


def _luma(frame: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)


@contextmanager
def _one_thread() -> Iterator[None]:
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _chosen(settings: ModelSettings) -> tuple[str, str]:
    """Return the name and the weights' path of `settings.flow`.

    Raises:
        UserError: for an unknown name.
    """
    name, _, path = settings.flow.partition(":")
    if name not in NAMES:
        hint = near_misses(name, list(NAMES))
        raise UserError(f"unknown flow {name!r}{hint} (known: {', '.join(NAMES)})")
    return name, path


def _problem(settings: ModelSettings) -> str | None:
    name, path = _chosen(settings)
    return None if name == "dis" else raft.problem(name, path)


def _identity(settings: ModelSettings) -> str:
    name, path = _chosen(settings)
    return f"dis medium, OpenCV {cv2.__version__}" if name == "dis" else raft.identity(name, path)


def _load(settings: ModelSettings) -> FlowOfClip:
    name, path = _chosen(settings)
    return FlowOfClip(Dis() if name == "dis" else raft.Raft(name, path, settings))


MODELS.add("flow", ModelSpec(_problem, _identity, _load))
