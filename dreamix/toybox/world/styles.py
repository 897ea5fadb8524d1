"""How the picture is drawn: pencil, sepia, neon, watercolor, each of them in every frame alone."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from dreamix.toybox.world.fixedmath import grain, unit


def apply_style(name: str, planes: np.ndarray) -> None:
    """Redraw `planes`, uint8 (3, frames, height, width), in place."""
    _STYLES[name](planes)


def _luma(planes: np.ndarray) -> np.ndarray:
    """Return brightness, uint8: weights of BT.601 in 256ths."""
    red, green, blue = (
        np.multiply(planes[i], w, dtype=np.uint16) for i, w in enumerate((77, 150, 29))
    )
    return ((red + green + blue) >> 8).astype(np.uint8)


def _edges(plane: np.ndarray) -> np.ndarray:
    """Return how much a picture changes from pixel to pixel, uint8 (Roberts' cross)."""
    edges = np.zeros_like(plane)
    here, below = plane[..., :-1, :-1], plane[..., 1:, :-1]
    right, across = plane[..., :-1, 1:], plane[..., 1:, 1:]
    falling = np.maximum(here, across) - np.minimum(here, across)
    rising = np.maximum(below, right) - np.minimum(below, right)
    edges[..., :-1, :-1] = (falling >> 1) + (rising >> 1)
    return edges


def _table(*points: tuple[int, int]) -> np.ndarray:
    """Return a table for all 256 levels, uint8, straight between (level, value) points."""
    levels = np.arange(256, dtype=np.float32)
    values = np.full(256, points[0][1] + 0.5, dtype=np.float32)
    for (start, one), (end, two) in pairwise(points):
        values += unit((levels - start) / (end - start)) * (two - one)
    return values.astype(np.uint8)


_PENCIL_TONE = _table((0, 96), (110, 190), (200, 244), (255, 250))
_PENCIL_LINE = _table((0, 0), (6, 0), (60, 150), (255, 210))


def _pencil(planes: np.ndarray) -> None:
    """Grey hatching on paper, with dark contours."""
    luma = _luma(planes)
    rows, columns = np.arange(luma.shape[1])[:, None], np.arange(luma.shape[2])
    hatch = np.array([-21, -7, 7, 21], dtype=np.int16)[(rows + columns) % 4]
    shaded = np.minimum(np.maximum(luma.astype(np.int16) + hatch, 0), 255).astype(np.uint8)
    tone, line = _PENCIL_TONE[shaded], _PENCIL_LINE[_edges(luma)]
    drawn = tone - np.minimum(tone, line)
    planes[0], planes[1] = drawn, drawn
    planes[2] = drawn - (drawn >> 5)


_SEPIA = (
    _table((0, 34), (128, 168), (255, 255)),
    _table((0, 20), (128, 126), (255, 240)),
    _table((0, 12), (128, 78), (255, 200)),
)


def _sepia(planes: np.ndarray) -> None:
    """Brown tones that darken towards the corners."""
    luma = _luma(planes)
    keep = _vignette(*luma.shape[1:])
    for plane, tone in zip(planes, _SEPIA, strict=True):
        plane[...] = (tone[luma] * keep) >> 8


def _vignette(height: int, width: int) -> np.ndarray:
    x = (np.arange(width, dtype=np.float32) + 0.5) * (2 / width) - 1
    y = ((np.arange(height, dtype=np.float32) + 0.5) * (2 / height) - 1)[:, None]
    far = unit((x * x + y * y - 0.5) / 1.5)
    return (256 - far * 110).astype(np.uint16)


_NEON_LINE = _table((0, 0), (4, 0), (70, 230), (255, 255))


def _neon(planes: np.ndarray) -> None:
    """Glowing contours, each channel its own, on a dark picture."""
    for plane, floor in zip(planes, (6, 0, 20), strict=True):
        line = _NEON_LINE[_edges(plane)]
        dark = (plane >> 1) - (plane >> 4) + floor
        plane[...] = np.maximum(line, dark)


_WASH = _table((0, 62), (255, 255))


def _watercolor(planes: np.ndarray) -> None:
    """Pale washes that run into each other, on rough paper."""
    paper = (grain(*planes.shape[2:]) * 7).astype(np.int16)
    for plane in planes:
        washed = _WASH[_blurred(_blurred(plane))] & 0xF8
        plane[...] = np.minimum(washed + 4 + paper, 255).astype(np.uint8)


def _blurred(plane: np.ndarray) -> np.ndarray:
    """Return the mean of 1-2-1 neighbours in both directions; the border stays as it is."""
    wide = plane.astype(np.uint16)
    wide[..., 1:-1] = (wide[..., :-2] + 2 * wide[..., 1:-1] + wide[..., 2:] + 2) >> 2
    wide[..., 1:-1, :] = (wide[..., :-2, :] + 2 * wide[..., 1:-1, :] + wide[..., 2:, :] + 2) >> 2
    return wide.astype(np.uint8)


_STYLES: dict[str, Callable[[np.ndarray], None]] = {
    "pencil": _pencil,
    "sepia": _sepia,
    "neon": _neon,
    "watercolor": _watercolor,
}
