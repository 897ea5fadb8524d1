"""Masks of subjects as a run folder keeps them: bits packed into bytes, and the shape."""

import math
from pathlib import Path

import numpy as np

from dreamix.core.arrays import read_npz
from dreamix.core.errors import UserError
from dreamix.core.records import write_whole

MOST_PIXELS = 1 << 31  # of all frames: a thousand of 1080p


def write_packed_mask(path: Path, mask: np.ndarray) -> None:
    """Write where a subject is, bool (frames, height, width), whole or not at all."""
    with write_whole(path) as file:
        np.savez(file, bits=np.packbits(mask), shape=mask.shape)


def read_packed_mask(path: Path) -> np.ndarray:
    """Return what `write_packed_mask` wrote.

    Raises:
        UserError: if the file is of another kind.
    """
    arrays = read_npz(path, MOST_PIXELS // 8 + 1024)
    bits, shape = arrays.get("bits"), arrays.get("shape")
    if bits is None or shape is None or bits.dtype != np.uint8 or shape.dtype.kind != "i":
        raise UserError(f"{path} is no mask of a subject: remove it")
    size = math.prod(map(int, shape.ravel()))
    sound = shape.shape == (3,) and (shape > 0).all() and size <= MOST_PIXELS
    if not sound or -(-size // 8) != bits.size:
        raise UserError(f"{path} is no mask of a subject: remove it")
    return np.unpackbits(bits.ravel(), count=size).reshape(shape) > 0
