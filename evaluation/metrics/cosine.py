"""The one cosine of the embedding metrics."""

import numpy as np


def cosine(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the cosines of unit-norm vectors (..., dimensions), which broadcast; shape (...).

    Summed in double precision, and never a rounding error beyond -1 or 1.
    """
    wide = first.astype(np.float64), second.astype(np.float64)
    return np.einsum("...d,...d->...", *wide).clip(-1, 1)
