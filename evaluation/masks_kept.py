"""Masks of subjects as a run folder keeps them: bits packed into bytes, and the shape."""

import math
import zipfile
from pathlib import Path

import numpy as np

from dreamix.core.errors import UserError
from dreamix.core.records import open_file, write_whole

MOST_PIXELS = 1 << 31  # of all frames: a thousand of 1080p


def write_packed_mask(path: Path, mask: np.ndarray) -> None:
    """Write where a subject is, bool (frames, height, width), whole or not at all."""
    with write_whole(path) as file:
        np.savez(file, bits=np.packbits(mask), shape=mask.shape)


def read_packed_mask(path: Path) -> np.ndarray:
    """Return what `write_packed_mask` wrote; a file that it cannot have written is a `UserError`.

    How much memory the arrays take is read from their headers before they are.
    """
    try:
        with open_file(path) as file, zipfile.ZipFile(file) as archive:
            shape = _array(archive, "shape.npy", np.int64, 3)
            if shape.size != 3 or (shape <= 0).any() or math.prod(map(int, shape)) > MOST_PIXELS:
                raise ValueError(f"a shape of {shape.tolist()}")
            count = math.prod(map(int, shape))
            bits = _array(archive, "bits.npy", np.uint8, -(-count // 8))
            return np.unpackbits(bits, count=count).reshape(shape) > 0
    except Exception as error:  # noqa: BLE001 - a damaged archive fails in a dozen ways
        raise UserError(f"{path} is no mask of a subject ({error}); remove or restore it") from None


def _array(archive: zipfile.ZipFile, name: str, kind: type, size: int) -> np.ndarray:
    """Return an array of one dimension and exactly that type and size; no other is read."""
    with archive.open(name) as file:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ValueError(f"{name} has format {version}")
        shape, _fortran, dtype = np.lib.format.read_array_header_1_0(file)
        if dtype != kind or shape != (size,):
            raise ValueError(f"{name} holds {dtype} {shape}, not {np.dtype(kind)} ({size},)")
        data = file.read(size * dtype.itemsize)
    if len(data) != size * dtype.itemsize:
        raise ValueError(f"{name} is cut short")
    return np.frombuffer(data, dtype)
