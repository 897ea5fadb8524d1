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
    """Return what `write_packed_mask` wrote; a file that it cannot have written is a `UserError`."""
    arrays = read_npz(path, MOST_PIXELS // 8 + 1024)
    bits, shape = arrays.get("bits"), arrays.get("shape")
    if bits is None or shape is None or bits.dtype != np.uint8 or shape.dtype.kind != "i":
        raise UserError(f"{path} is no mask of a subject: remove it")
    size = math.prod(map(int, shape.ravel()))
    if (
        shape.shape != (3,)
        or (shape <= 0).any()
        or size > MOST_PIXELS
        or -(-size // 8) != bits.size
    ):
        raise UserError(f"{path} is no mask of a subject: remove it")
    return np.unpackbits(bits.ravel(), count=size).reshape(shape) > 0
