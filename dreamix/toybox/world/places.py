"""Backdrops indoors, at night, under water and beyond."""

import numpy as np

from dreamix.toybox.world.fixedmath import smooth, unit
from dreamix.toybox.world.painting import (
    Canvas,
    band,
    below,
    blob,
    disc,
    fill,
    gradient,
    shine,
    texture,
    waves,
)
from dreamix.toybox.world.palette import Rgb


def city(canvas: Canvas) -> None:
    """Paint towers with lit windows over a street at night."""
    x, y = canvas.x, canvas.y
    fill(canvas, gradient(y, [(-12, (12, 14, 50)), (72, (112, 66, 138))]))
    fill(canvas, (246, 240, 214), disc(canvas, 132, 14, 8))
    shine(canvas, (60, 56, 60), blob(canvas, 132, 14, 26, 26))
    _towers(canvas, (30, 44, 24, 38, 20, 48, 34, 26), 26.0, (52, 50, 104), None)
    _towers(canvas, (52, 34, 58, 42, 60, 30, 50, 40), 21.0, (26, 26, 62), (255, 206, 104))
    street = below(canvas, 74.0)
    fill(canvas, gradient(y, [(74, (64, 60, 88)), (104, (34, 32, 52))]), street)
    fill(canvas, (150, 140, 160), band(y, 74, 75.5, canvas.k))
    dash = unit(waves(x, (1, 32, 0)) * 12) * band(y, 90, 92, canvas.k)
    fill(canvas, (236, 214, 130), dash * 0.9)
    texture(canvas, 7, street)


def _towers(
    canvas: Canvas, tops: tuple[int, ...], wide: float, wall: Rgb, lamp: Rgb | None
) -> None:
    place = (canvas.x + 48) / wide
    index = np.floor(place).astype(np.int32) % len(tops)
    top = np.array(tops, dtype=np.float32)[index]
    tower = below(canvas, top)
    fill(canvas, wall, tower)
    inside = (place - np.floor(place)) * wide
    fill(canvas, (0, 0, 12), tower * unit((inside - wide + 5) * 0.4) * 0.5)
    if lamp is None:
        return
    column, row = np.floor(inside / 4.2), np.floor((canvas.y - top) / 5)
    lit = (column * 3 + row * 5 + index * 7) % 4 < 2
    pane = band(inside - column * 4.2, 1, 3.2, canvas.k) * band(
        canvas.y - top - row * 5, 1.4, 3.8, canvas.k
    )
    fill(canvas, lamp, pane * lit * tower * (column * 4.2 < wide - 7))


def sea(canvas: Canvas) -> None:
    """Paint the bottom of the sea: rays of light, sand, weed."""
    x, y = canvas.x, canvas.y
    fill(canvas, gradient(y, [(-12, (84, 214, 224)), (30, (22, 140, 190)), (92, (8, 60, 124))]))
    slant = x + y * 0.45
    rays = unit(waves(slant, (0.6, 46, 0.1), (0.5, 27, 0.4)))
    shine(canvas, (70, 70, 60), rays * unit((80 - y) * 0.011))
    floor = 80 + waves(x, (2.5, 80, 0.25))
    sand = below(canvas, floor)
    fill(canvas, gradient(y - floor, [(0, (170, 190, 160)), (26, (92, 128, 130))]), sand)
    texture(canvas, 9, sand)
    for weed, high, tint in (
        (6, 46, 0),
        (16, 30, 1),
        (26, 20, 0),
        (136, 26, 1),
        (148, 40, 0),
        (158, 52, 1),
        (-12, 36, 0),
        (174, 36, 0),
    ):
        up = (84 - y) / high
        centre = weed + waves(y, (2.4, 22, weed / 17))
        leaf = (
            unit((2.8 * unit(1.15 - up) - abs(x - centre)) * canvas.k + 0.5)
            * unit((1 - up) * 20)
            * unit(up * 20)
        )
        fill(canvas, ((20, 116, 92), (36, 146, 86))[tint], leaf)
    fill(canvas, (230, 120, 110), disc(canvas, 120, 84, 7, 5) * (1 - below(canvas, 86.0)))


def forest(canvas: Canvas) -> None:
    """Paint dark trunks before a light clearing."""
    x, y = canvas.x, canvas.y
    fill(canvas, gradient(y, [(-12, (70, 130, 70)), (70, (178, 208, 120))]))
    shine(canvas, (76, 66, 40), blob(canvas, 84, 44, 74, 50))
    for trunk, half, tone in (
        (48, 2.2, 1),
        (68, 1.8, 1),
        (104, 2.0, 1),
        (122, 2.4, 1),
        (6, 6, 0),
        (32, 4.4, 0),
        (140, 5.2, 0),
        (164, 7, 0),
        (-18, 6, 0),
    ):
        side = x - trunk - waves(y, (0.6, 60, trunk / 40))
        bark = unit((half + unit((y - 60) * 0.05) * half * 0.4 - abs(side)) * canvas.k + 0.5)
        lit, dark = (((86, 60, 38), (44, 30, 24)), ((116, 128, 78), (92, 110, 70)))[tone]
        fill(canvas, gradient(side, [(-half, lit), (half, dark)]), bark)
    canopy = 15 + waves(x, (4, 41, 0.1), (2.6, 17, 0.4), (1.2, 7.3, 0.2))
    fill(canvas, gradient(y, [(-12, (18, 62, 32)), (18, (42, 104, 44))]), 1 - below(canvas, canopy))
    floor = 70 + waves(x, (2, 66, 0.3))
    moss = below(canvas, floor)
    fill(canvas, gradient(y - floor, [(0, (88, 122, 52)), (32, (40, 66, 34))]), moss)
    fill(canvas, (170, 150, 100), blob(canvas, 84, 90, 70, 18) * moss * 0.5)
    texture(canvas, 11, moss)


def room(canvas: Canvas) -> None:
    """Paint a papered wall with a window, a wooden floor and a rug."""
    x, y = canvas.x, canvas.y
    fill(canvas, gradient(y, [(-12, (246, 226, 200)), (70, (234, 204, 172))]))
    fill(canvas, (255, 240, 220), unit(waves(x, (1, 10, 0)) * 4 * canvas.k) * 0.35)
    _window(canvas, 14, 12)
    fill(canvas, (122, 84, 56), band(x, 118, 146, canvas.k) * band(y, 14, 38, canvas.k))
    fill(canvas, (92, 140, 150), band(x, 121, 143, canvas.k) * band(y, 17, 35, canvas.k))
    fill(canvas, (206, 190, 120), disc(canvas, 132, 35, 8, 9) * band(y, 17, 35, canvas.k))
    fill(canvas, (252, 246, 238), band(y, 65, 70, canvas.k))
    floor = below(canvas, 70.0)
    fill(canvas, gradient(y, [(70, (196, 140, 88)), (104, (146, 92, 54))]), floor)
    plank = unit(1 - abs(waves(y * y, (1, 1900, 0))) * 5)
    fill(canvas, (110, 66, 40), plank * floor * 0.5)
    fill(canvas, (64, 110, 120), disc(canvas, 80, 88, 60, 9))
    fill(canvas, (226, 214, 190), disc(canvas, 80, 88, 55, 7.4) - disc(canvas, 80, 88, 51, 6.2))
    texture(canvas, 6, floor)


def _window(canvas: Canvas, left: float, top: float) -> None:
    x, y, k = canvas.x, canvas.y, canvas.k
    fill(canvas, (255, 252, 246), band(x, left - 3, left + 39, k) * band(y, top - 3, top + 41, k))
    glass = band(x, left, left + 36, k) * band(y, top, top + 38, k)
    fill(canvas, gradient(y, [(top, (120, 190, 246)), (top + 38, (214, 240, 255))]), glass)
    fill(canvas, (130, 190, 110), glass * below(canvas, top + 30 + waves(x, (2, 30, 0))))
    bars = np.maximum(band(x, left + 17, left + 19, k), band(y, top + 18, top + 20, k) + 0 * x)
    fill(canvas, (255, 252, 246), glass * bars)


def space(canvas: Canvas) -> None:
    """Paint a ringed planet, a nebula and stars."""
    x, y = canvas.x, canvas.y
    fill(canvas, gradient(y + x * 0.2, [(-12, (8, 8, 26)), (130, (22, 12, 48))]))
    for cx, cy, wide, high, tint in (
        (40, 66, 70, 34, (96, 30, 130)),
        (90, 40, 76, 30, (30, 50, 140)),
        (20, 84, 50, 24, (150, 50, 110)),
    ):
        shine(canvas, tint, blob(canvas, cx, cy, wide, high) * 0.8)
    _stars(canvas)
    tilt = (y - 26) + (x - 128) * 0.3
    orbit = abs(np.sqrt((x - 128) * (x - 128) / 900 + tilt * tilt / 42) - 1)
    hoop = unit((0.16 - orbit) * 20)
    fill(canvas, (226, 200, 160), hoop * 0.8)
    globe = disc(canvas, 128, 26, 18)
    bands = unit(waves(tilt, (1, 11, 0)) + 0.5)
    fill(canvas, gradient(x + y, [(130, (246, 190, 120)), (176, (120, 60, 60))]), globe)
    fill(canvas, (200, 120, 80), globe * bands * 0.35)
    fill(canvas, (226, 200, 160), hoop * 0.9 * (tilt > 0))


def _stars(canvas: Canvas) -> None:
    """Prick one star into every second cell of 11x11 units, at a place the cell's numbers give."""
    column, row = np.floor(canvas.x / 11), np.floor(canvas.y / 11)
    key = (column * 37 + row * 91 + column * row * 13) % 64
    across, down = canvas.x - column * 11 - 1.5 - key % 8, canvas.y - row * 11 - 1.5 - key % 7 * 1.2
    light = unit(1.1 - np.sqrt(across * across + down * down)) * (key % 2)
    fill(canvas, (255, 255, 255), unit(light * 1.4) * (0.4 + (key % 3) * 0.3))


def stage(canvas: Canvas) -> None:
    """Paint drawn curtains, a spotlight and boards."""
    x, y = canvas.x, canvas.y
    fold = waves(x, (1, 13, 0), (0.3, 5.1, 0.3))
    fill(canvas, gradient(fold, [(-1.2, (84, 8, 34)), (1.2, (176, 24, 58))]))
    valance = 13 + abs(waves(x, (7, 52, 0.0)))
    fill(
        canvas,
        gradient(fold, [(-1.2, (112, 14, 40)), (1.2, (214, 44, 70))]),
        1 - below(canvas, valance),
    )
    fill(canvas, (240, 190, 80), band(y - valance, -2, 0.5, canvas.k))
    boards = below(canvas, 74.0)
    fill(canvas, gradient(y, [(74, (120, 72, 46)), (104, (74, 42, 30))]), boards)
    fill(
        canvas,
        (54, 30, 24),
        unit(1 - abs(waves((x - 80) / (y * 0.02 + 0.1), (1, 24, 0))) * 8) * boards * 0.6,
    )
    cone = unit(1 - abs(x - 80) / (20 + (y + 12) * 0.5))
    shine(canvas, (90, 84, 60), smooth(cone * 2.2) * unit(1 - boards) * 0.62)
    shine(canvas, (130, 116, 80), blob(canvas, 80, 88, 66, 15) * boards)
    texture(canvas, 8, boards)
