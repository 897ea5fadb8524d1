"""What the masked metrics share: averages over the pixels of a mask, and only those."""

import numpy as np

from dreamix.core.errors import DoesNotApply


def kept_frames(keep: np.ndarray) -> np.ndarray:
    """Return the numbers of the frames in which `keep`, bool (frames, height, width), has a pixel.

    If there is none, `DoesNotApply` is raised. The others are left out of an average: filling them
    in, or dividing by all pixels, rewards small masks (20 dB becomes 30 dB at a tenth of the area).
    """
    numbers = np.flatnonzero(keep.any(axis=(1, 2)))
    if not len(numbers):
        raise DoesNotApply("the mask of what should stay is empty in every frame")
    return numbers


def masked_means(maps: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Return the mean of each map over its mask: float64 (frames that have a mask,).

    maps: (frames, height, width); keep: bool, same shape. An empty mask raises `DoesNotApply`.
    """
    numbers = kept_frames(keep)
    return np.array([maps[i][keep[i]].mean(dtype=np.float64) for i in numbers])
