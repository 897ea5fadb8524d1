"""The eight subjects as signed distances: negative inside, 0 on the edge, positive outside.

Every function takes local coordinates u (right) and v (down), equal float arrays in which the
subject reaches about from -1 to 1, and returns the distance in the same unit. The formulas are
the well-known exact ones (Quilez, "2D distance functions"), written with square roots only.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dreamix.toybox.world.fixedmath import unit

Distance = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Shape:
    """One subject in local coordinates; see the module for `distance`."""

    distance: Distance
    bevel: float  # how far from the edge its rounded border reaches
    reach: float  # no point of it lies farther than this from (0, 0)


def _length(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.sqrt(u * u + v * v)


def _ball(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return _length(u, v) - 1.0


def _rounded_box(u: np.ndarray, v: np.ndarray, half: tuple[float, float], r: float) -> np.ndarray:
    across = abs(u) - (half[0] - r)
    down = abs(v) - (half[1] - r)
    outside = _length(np.maximum(across, 0), np.maximum(down, 0))
    return outside + np.minimum(np.maximum(across, down), 0) - r


def _box(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return _rounded_box(u, v, (0.9, 0.9), 0.16)


def _triangle(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Equilateral, point up, corners rounded by 0.1."""
    half, slope = 0.98, 1.7320508
    across = abs(u) - half
    up = 0.3 - v + half / slope
    beyond = across + slope * up > 0
    folded = np.where(beyond, (across - slope * up) * 0.5, across)
    up = np.where(beyond, (slope * across + up) * -0.5, up)
    folded = folded - np.minimum(np.maximum(folded, -2 * half), 0)
    return np.where(up > 0, -1.0, 1.0).astype(u.dtype) * _length(folded, up) - 0.1


def _ring(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return abs(_length(u, v) - 0.73) - 0.28


def _star(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Five points, one up, corners rounded by 0.07."""
    radius, waist = 1.06, 0.48
    cos36, sin36 = 0.809016994, 0.587785252
    across, up = abs(u), 0.06 - v
    fold = 2 * np.maximum(cos36 * across - sin36 * up, 0)
    across, up = across - fold * cos36, up + fold * sin36
    fold = 2 * np.maximum(-cos36 * across - sin36 * up, 0)
    across, up = abs(across + fold * cos36), up + fold * sin36 - radius
    edge_x, edge_y = waist * sin36, waist * cos36 - radius
    along = (across * edge_x + up * edge_y) / (edge_x * edge_x + edge_y * edge_y)
    along = unit(along)
    inside = up * edge_x - across * edge_y < 0
    apart = _length(across - edge_x * along, up - edge_y * along)
    return np.where(inside, -apart, apart) - 0.07


def _heart(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    size = 1.72
    across, up = abs(u) * (1 / size), (0.95 - v) * (1 / size)
    lobe = _length(across - 0.25, up - 0.75) - 0.35355339
    toe = np.maximum(across + up, 0) * 0.5
    point = _length(across - toe, up - toe)
    cleft = _length(across, up - 1)
    below = np.where(across < up, -1.0, 1.0).astype(u.dtype) * np.minimum(cleft, point)
    return np.where(across + up > 1, lobe, below) * size


def _cross(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    long, wide = 0.98, 0.36
    upright = _rounded_box(u, v, (wide, long), 0.1)
    return np.minimum(upright, _rounded_box(u, v, (long, wide), 0.1))


def _crescent(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A disc less a smaller one to its right, tips rounded by 0.05."""
    outer, inner, apart = 1.0, 0.79, 0.47
    across, up = u - 0.05, abs(v)
    tip_x = (outer * outer - inner * inner + apart * apart) / (2 * apart)
    tip_y = math.sqrt(outer * outer - tip_x * tip_x)
    beyond = across * tip_y - up * tip_x > apart * np.maximum(tip_y - up, 0)
    body = np.maximum(_length(across, up) - outer, inner - _length(across - apart, up))
    return np.where(beyond, _length(across - tip_x, up - tip_y), body) - 0.05


# A ball is a bevel all the way to its middle, which makes it a sphere.
SHAPES: dict[str, Shape] = {
    "ball": Shape(_ball, bevel=1.0, reach=1.0),
    "box": Shape(_box, bevel=0.34, reach=1.21),
    "triangle": Shape(_triangle, bevel=0.36, reach=1.41),
    "ring": Shape(_ring, bevel=0.28, reach=1.01),
    "star": Shape(_star, bevel=0.42, reach=1.18),
    "heart": Shape(_heart, bevel=0.62, reach=1.16),
    "cross": Shape(_cross, bevel=0.34, reach=1.02),
    "crescent": Shape(_crescent, bevel=0.44, reach=1.09),
}
