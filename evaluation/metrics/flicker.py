"""Flicker: how much neighbouring frames differ, for shots in which nothing should."""

from itertools import pairwise

import cv2
import numpy as np

from dreamix.core.errors import DoesNotApply
from evaluation.metrics.base import metric
from evaluation.sample import Sample


@metric(
    "flicker",
    axis="quality",
    better="higher",
    bounds=(0, 1),
    needs=(),
    responds={"blur": "rises", "noise": "falls", "frame_drop": "rises"},
)
def flicker(sample: Sample) -> np.ndarray:
    """1 - mean |y_{t+1} - y_t| / 255 for each pair of neighbouring frames; 1 = frozen.

    VBench's temporal flickering. It means something for static shots only: motion lowers it as
    flicker does.
    """
    frames = sample.edited.frames
    if len(frames) < 2:
        raise DoesNotApply("one frame has no motion")
    size = frames[0].size * 255
    return np.array([1 - cv2.norm(a, b, cv2.NORM_L1) / size for a, b in pairwise(frames)])
