"""Arithmetic that gives the same bits on every machine.

IEEE 754 fixes + - * / and the square root to the last bit; it says nothing about sines, powers or
the order of a sum, and there libraries and processors differ. The Toybox renderer therefore uses
only the former, integers, and look-ups. A test keeps every other numpy call out of it.
"""

import math
from functools import lru_cache
from typing import TypeVar, overload

import numpy as np

from dreamix.core.seeding import seed_for

Number = TypeVar("Number", float, np.ndarray)

# Taylor coefficients of sin(2 pi q): on the quarter turn 0..1/4 the error stays below 4e-6.
_SINE = (6.283185307179586, -41.34170224039976, 81.60524927607504, -76.7058597530614, 42.0586939)


@overload
def sine(turns: float) -> float: ...
@overload
def sine(turns: np.ndarray) -> np.ndarray: ...
def sine(turns: float | np.ndarray) -> float | np.ndarray:
    """Return the sine of an angle in turns (1 = full circle), within 4e-6."""
    if isinstance(turns, np.ndarray):
        past = turns - np.floor(turns) - 0.5
        wave = _quarter_sine(np.minimum(abs(past), 0.5 - abs(past)))
        return np.where(past < 0, wave, -wave)
    rest = turns - math.floor(turns) - 0.5
    value = _quarter_sine(min(abs(rest), 0.5 - abs(rest)))
    return value if rest < 0 else -value


@overload
def cosine(turns: float) -> float: ...
@overload
def cosine(turns: np.ndarray) -> np.ndarray: ...
def cosine(turns: float | np.ndarray) -> float | np.ndarray:
    """Return the cosine of an angle in turns, within 4e-6."""
    return sine(turns + 0.25)


def _quarter_sine(turns: Number) -> Number:
    square = turns * turns
    c1, c3, c5, c7, c9 = _SINE
    return ((((c9 * square + c7) * square + c5) * square + c3) * square + c1) * turns


def unit(values: np.ndarray) -> np.ndarray:
    """Return `values` cut to 0..1."""
    return np.minimum(np.maximum(values, 0), 1)


def smooth(values: np.ndarray) -> np.ndarray:
    """Return 0 below 0, 1 above 1, and a cubic without corners between (smoothstep)."""
    cut = unit(values)
    return cut * cut * (3 - 2 * cut)


def draw(low: float, high: float, *names: str | int) -> float:
    """Return a number between `low` and `high` that depends on `names` alone."""
    return low + (high - low) * (seed_for(*names) % 65536) / 65535


@lru_cache(maxsize=16)
def grain(height: int, width: int) -> np.ndarray:
    """Return fixed noise, float32 (height, width), about -1..1, whose every 4x4 block sums to 0.

    Blocks start at the upper left corner; the size is cut from the next multiple of 4. So the
    noise is seen at full resolution and vanishes from the 4x4 average that is the base grid.
    """
    rows, columns = -(-height // 4) * 4, -(-width // 4) * 4
    place: np.ndarray = np.arange(rows * columns, dtype=np.uint32)
    place = (place ^ (place >> 15)) * np.uint32(0x2C1B3C6D)
    place = (place ^ (place >> 12)) * np.uint32(0x297A2D39)
    noise = (place >> 20 & 255).astype(np.int32).reshape(rows // 4, 4, columns // 4, 4)
    centred = 16 * noise - block_sums(noise)[:, None, :, None]
    return (centred.reshape(rows, columns)[:height, :width]).astype(np.float32) / 2048


def block_sums(blocks: np.ndarray) -> np.ndarray:
    """Return the sums of 4x4 blocks, (..., rows, 4, columns, 4) -> (..., rows, columns)."""
    rows = blocks[..., 0, :, :] + blocks[..., 1, :, :] + blocks[..., 2, :, :] + blocks[..., 3, :, :]
    return rows[..., 0] + rows[..., 1] + rows[..., 2] + rows[..., 3]
