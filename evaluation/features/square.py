"""Frames made square for an image model, to the bit as open_clip's own preprocessing does it.

PIL does the resizing because published CLIP scores rest on PIL. Torch's antialiased kernel is off
by up to 2 of 255 levels on noise and depends on the processor; PIL costs 1 to 2 ms for a 480 x 480
frame beside the 40 to 60 ms of ViT-B/32 on a processor.
"""

import numpy as np

from dreamix.core.errors import UserError
from dreamix.core.names import near_misses

FITS = ("crop", "squash", "pad")


def square(frames: np.ndarray, side: int, fit: str, filter_name: str = "bicubic") -> np.ndarray:
    """Return uint8 (frames, side, side, 3) from uint8 (frames, height, width, 3).

    fit: "crop" scales the short side and cuts the long one on both ends (open_clip "shortest"),
        "squash" scales both, "pad" scales the long side and adds black ("longest").
    filter_name: "bicubic" or "bilinear", both antialiased.
    """
    check_fit(fit)
    height, width = scaled_size(frames.shape[1], frames.shape[2], side, fit)
    return np.stack([_central(_resized(f, height, width, filter_name), side) for f in frames])


def check_fit(fit: str) -> None:
    """Raise a `UserError` unless `fit` is one of `FITS`."""
    if fit not in FITS:
        hint = near_misses(fit, list(FITS))
        raise UserError(f"unknown fit {fit!r}{hint} (known: {', '.join(FITS)})")


def scaled_size(height: int, width: int, side: int, fit: str) -> tuple[int, int]:
    """Return the (height, width) a frame is scaled to, rounded as torchvision and open_clip do."""
    if fit == "squash":
        return side, side
    if fit == "pad":
        ratio = max(height, width) / side
        return round(height / ratio), round(width / ratio)
    if height <= width:
        return side, int(side * width / height)
    return int(side * height / width), side


def _resized(frame: np.ndarray, height: int, width: int, filter_name: str) -> np.ndarray:
    if frame.shape[:2] == (height, width):
        return frame
    from PIL import Image

    how = Image.Resampling[filter_name.upper()]
    return np.asarray(Image.fromarray(frame).resize((width, height), how))


def _central(frame: np.ndarray, side: int) -> np.ndarray:
    """Return the middle (side, side, 3) of a frame, black where the frame does not reach."""
    height, width = frame.shape[:2]
    above, left = max(side - height, 0) // 2, max(side - width, 0) // 2
    top, first = round(max(height - side, 0) / 2), round(max(width - side, 0) / 2)
    part = frame[top : top + side, first : first + side]
    if part.shape[:2] == (side, side):
        return part
    whole = np.zeros((side, side, 3), np.uint8)
    whole[above : above + part.shape[0], left : left + part.shape[1]] = part
    return whole
