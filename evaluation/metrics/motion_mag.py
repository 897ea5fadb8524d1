"""Motion magnitude: how much moves, whatever the resolution and the frame rate."""

import numpy as np

from evaluation.metrics.base import metric
from evaluation.sample import Sample, View


def motion_speeds(view: View) -> np.ndarray:
    """Return the mean speed of the pixels between neighbouring frames, in diagonals per second.

    float64 (frames - 1,). One frame raises `DoesNotApply`.
    """
    return view.once("speeds", lambda: _speeds(view))


def _speeds(view: View) -> np.ndarray:
    steps = view.flow.forward
    lengths = np.sqrt(np.einsum("phwc,phwc->phw", steps, steps)).mean((1, 2), dtype=np.float64)
    diagonal = np.hypot(view.video.height, view.video.width)
    speeds: np.ndarray = lengths / np.diff(view.video.times) / diagonal
    return speeds


@metric(
    "motion_mag",
    axis="motion",
    better="neither",
    bounds=(0, np.inf),
    needs=("flow",),
    responds={"noise": "rises"},
)
def motion_mag(sample: Sample) -> np.ndarray:
    """Mean length of the optical flow, in frame diagonals per second; 0 = frozen.

    It guards against videos that look consistent because nothing happens in them.
    """
    return motion_speeds(sample.edited)
