"""Optical flow as data: what a suite knows exactly, and what models estimate."""

from typing import NamedTuple

import numpy as np


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
