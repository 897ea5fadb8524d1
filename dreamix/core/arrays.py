"""Arrays from .npz files that may be a stranger's: no pickles, and no more than a limit.

How much memory an array takes is read from its header before it is taken: a compressed file of a
few kilobytes can unfold to gigabytes.
"""

import math
import zipfile
from pathlib import Path

import numpy as np

from dreamix.core.errors import UserError
from dreamix.core.records import open_file

MOST_ARRAYS = 64


def read_npz(path: Path, most: int = 1 << 30) -> dict[str, np.ndarray]:
    """Return the arrays of a .npz file by name, of at most `most` bytes together.

    Raises `UserError` for a file that is damaged, larger, or holds anything else than numbers.
    """
    found: dict[str, np.ndarray] = {}
    try:
        with open_file(path) as file, zipfile.ZipFile(file) as archive:
            if len(archive.namelist()) > MOST_ARRAYS:
                raise ValueError("too many arrays")
            for name in archive.namelist():
                found[name.removesuffix(".npy")] = array = _array(archive, name, most)
                most -= array.nbytes
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged archive fails in a dozen ways
        raise UserError(f"{path} cannot be read ({str(error)[:200]}); remove it") from None
    return found


def _array(archive: zipfile.ZipFile, name: str, most: int) -> np.ndarray:
    with archive.open(name) as file:
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[np.lib.format.read_magic(file)]
        shape, fortran, dtype = read(file)
        size = math.prod(shape) * dtype.itemsize
        if dtype.kind not in "biuf" or min(shape, default=0) < 0 or size > most:
            raise ValueError(f"{name} holds {dtype} {shape}")
        data = file.read(size)
    if len(data) != size:
        raise ValueError(f"{name} is cut short")
    array = np.frombuffer(data, dtype)
    return array.reshape(shape, order="F" if fortran else "C")
