"""Paints the subject: a lit, bevelled solid with an outline, a marked half, a halo, a shadow."""

import math
from typing import NamedTuple

import numpy as np

from dreamix.toybox.world.fixedmath import unit
from dreamix.toybox.world.motion import Affine
from dreamix.toybox.world.palette import PAINTS, Rgb
from dreamix.toybox.world.shapes import SHAPES

_LIGHT = (-0.48, -0.56, 0.675)  # from the upper left, towards the viewer; unit length
_HALO = 5.0  # world units from the edge to where the halo ends
_OUTLINE = 1.7  # width of the outline, world units
_FLATNESS = 0.2  # height of a shadow, times its width


class Region(NamedTuple):
    """A rectangle of one frame; indexes an array (frames, height, width)."""

    frame: int
    rows: slice
    columns: slice


def local_coordinates(
    maps: list[Affine], across: np.ndarray, down: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return local coordinates (u, v) of pixel coordinates, one map a frame.

    across, down: float32, broadcastable to (frames, height, width).
    """
    inverse = [each.inverse() for each in maps]
    a, b, c, d = (_column([getattr(each, name) for each in inverse]) for name in "abcd")
    across = across - _column([each.x for each in maps])
    down = down - _column([each.y for each in maps])
    return a * across + b * down, c * across + d * down


def _column(values: list[float]) -> np.ndarray:
    return np.array(values, dtype=np.float32)[:, None, None]


def paint_subject(
    planes: np.ndarray, colour: str, shape: str, maps: list[Affine], halo: Rgb, k: float
) -> None:
    """Paint the subject into `planes`, uint8 (3, frames, height, width), in place.

    maps: from local coordinates to pixels, one a frame. k: pixels per world unit.
    """
    solid = SHAPES[shape]
    reach = solid.reach * max(each.stretch for each in maps) + (_HALO + 1) * k
    regions = _regions(maps, 2 * reach, 2 * reach, planes.shape[2:])
    across, down = _pixel_centres(regions)
    u, v = local_coordinates(maps, across, down)
    scale = _column([each.scale for each in maps])
    away = solid.distance(u, v) * scale
    light, gloss, cover = _shading(away, scale * solid.bevel, k)
    light = light * (1 + (PAINTS[colour].mark - 1) * unit((v + 0.35 * u) * scale + 0.5))
    glow = unit(1 - away * (1 / (_HALO * k)))
    glow = glow * glow * (0.72 * (1 - cover))
    keep = 1 - cover - glow
    for plane, paint, rim in zip(planes, PAINTS[colour].rgb, halo, strict=True):
        under = np.stack([plane[region] for region in regions])
        mixed = under * keep + light * paint + gloss + glow * rim
        mixed = np.minimum(mixed + 0.5, 255).astype(np.uint8)
        for region, patch in zip(regions, mixed, strict=True):
            plane[region] = patch


def _regions(
    maps: list[Affine], rows: float, columns: float, frame: tuple[int, ...]
) -> list[Region]:
    """Return, frame by frame, the rectangle of `rows` x `columns` pixels around the map's centre.

    All are of one size, and moved so that they lie within the frame (height, width).
    """
    height, width = min(math.ceil(rows), frame[0]), min(math.ceil(columns), frame[1])
    regions = []
    for t, each in enumerate(maps):
        top = min(max(math.floor(each.y - height / 2), 0), frame[0] - height)
        left = min(max(math.floor(each.x - width / 2), 0), frame[1] - width)
        regions.append(Region(t, slice(top, top + height), slice(left, left + width)))
    return regions


def _pixel_centres(regions: list[Region]) -> tuple[np.ndarray, np.ndarray]:
    first = regions[0]
    across = np.arange(0.5, first.columns.stop - first.columns.start, dtype=np.float32)
    down = np.arange(0.5, first.rows.stop - first.rows.start, dtype=np.float32)[:, None]
    left, top = [each.columns.start for each in regions], [each.rows.start for each in regions]
    return across + _column(left), down + _column(top)


def _shading(
    away: np.ndarray, bevel: np.ndarray, k: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return brightness and white gloss, both times the coverage, and the coverage 0..1.

    away: signed distance in pixels, (frames, height, width). The surface is flat farther than
    `bevel` pixels from the edge and rounds off towards it like a quarter circle.
    """
    cover = unit(0.5 - away)
    slope = unit(1 + away / bevel)
    facing = slope * (_LIGHT[0] * _gradient(away, 2) + _LIGHT[1] * _gradient(away, 1))
    facing = facing + np.sqrt(1 - slope * slope) * _LIGHT[2]
    outline = unit(away + (_OUTLINE * k + 0.5))
    light = np.maximum(0.60 + 0.55 * facing, 0.32) * (1 - 0.7 * outline)
    gloss = unit(facing * 11 - 10)
    gloss = gloss * (1 - outline) * 130
    return light * cover, gloss * cover, cover


def _gradient(values: np.ndarray, axis: int) -> np.ndarray:
    """Return the central difference along `axis` (1 or 2), one-sided at the borders."""
    moved = values.swapaxes(axis, 2)
    slope = np.empty_like(moved)
    slope[..., 1:-1] = (moved[..., 2:] - moved[..., :-2]) * 0.5
    slope[..., 0] = moved[..., 1] - moved[..., 0]
    slope[..., -1] = moved[..., -1] - moved[..., -2]
    return slope.swapaxes(axis, 2)


def paint_shadow(
    planes: np.ndarray, spots: list[tuple[float, float, float, float]], camera: list[Affine]
) -> None:
    """Darken the floor of `planes` under the subject, in place.

    spots: (x, y, half width, darkness 0..1) of the shadow, world units, one a frame.
    camera: from the world to pixels, one a frame.
    """
    wide = max(spot[2] * each.a for spot, each in zip(spots, camera, strict=True))
    maps = [
        Affine(x, y, size, 0.0, 0.0, size * _FLATNESS).then(each)
        for (x, y, size, _), each in zip(spots, camera, strict=True)
    ]
    regions = _regions(maps, 2 * wide * _FLATNESS + 2, 2 * wide + 2, planes.shape[2:])
    u, v = local_coordinates(maps, *_pixel_centres(regions))
    near = unit(1 - u * u - v * v)
    keep = 1 - near * (2 - near) * _column([spot[3] for spot in spots])
    for plane in planes:
        for region, factor in zip(regions, keep, strict=True):
            plane[region] = (plane[region] * factor).astype(np.uint8)
