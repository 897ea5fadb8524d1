"""Antialiased resizing of frames, one rule for every paired metric."""

import numpy as np


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
