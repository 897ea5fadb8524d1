"""Backdrops under the open sky."""

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


def _clouds(canvas: Canvas, *places: tuple[float, float, float]) -> None:
    """Paint clouds, each (x, y, width): three soft heaps on one flat base."""
    for x, y, wide in places:
        for dx, dy, size in ((-0.28, 0.0, 0.6), (0.05, -0.1, 0.8), (0.36, 0.02, 0.5)):
            heap = blob(canvas, x + dx * wide, y + dy * wide, size * wide * 0.5, size * wide * 0.3)
            fill(canvas, (255, 255, 255), unit(heap * 1.6) * 0.9)


def meadow(canvas: Canvas) -> None:
    """Paint green hills under a blue sky with clouds."""
    x, y = canvas.x, canvas.y
    fill(canvas, gradient(y, [(-12, (70, 152, 236)), (54, (206, 234, 252))]))
    _clouds(canvas, (26, 16, 40), (128, 12, 46), (176, 30, 34), (-14, 34, 30))
    far = 52 + waves(x, (4, 90, 0.1), (1.5, 37, 0.4))
    fill(
        canvas, gradient(y - far, [(0, (150, 204, 130)), (14, (118, 184, 98))]), below(canvas, far)
    )
    near = 62 + waves(x, (5, 130, 0.55), (1, 31, 0.0))
    hill = below(canvas, near)
    fill(canvas, gradient(y - near, [(0, (124, 200, 76)), (44, (52, 138, 46))]), hill)
    texture(canvas, 13, hill)


def beach(canvas: Canvas) -> None:
    """Paint a turquoise sea behind pale sand, and a palm tree."""
    x, y = canvas.x, canvas.y
    fill(canvas, gradient(y, [(-12, (104, 196, 246)), (40, (226, 246, 250))]))
    _clouds(canvas, (40, 14, 36), (112, 24, 30))
    sea = below(canvas, 40.0)
    fill(canvas, gradient(y, [(40, (16, 132, 178)), (66, (96, 220, 210))]), sea)
    glitter = unit(
        waves(x + 9 * waves(y, (1, 13, 0)), (1, 23, 0)) * waves(y, (1, 5.5, 0)) * 3 - 1.9
    )
    fill(canvas, (230, 255, 252), glitter * sea * 0.6)
    shore = 65 + waves(x, (2.2, 64, 0.2), (0.8, 23, 0.0))
    fill(
        canvas,
        gradient(y - shore, [(0, (250, 232, 188)), (40, (226, 186, 120))]),
        below(canvas, shore),
    )
    fill(canvas, (255, 255, 255), band(y - shore, -1.6, 1.4, canvas.k) * 0.9)
    texture(canvas, 11, below(canvas, shore + 2))
    _palm(canvas)


def _palm(canvas: Canvas) -> None:
    x, y = canvas.x, canvas.y
    trunk = 148 - 0.004 * (y - 84) * (y - 84)
    stem = band(x - trunk, -2.2, 2.2, canvas.k) * below(canvas, 22.0) * (1 - below(canvas, 84.0))
    fill(canvas, gradient(x - trunk, [(-2, (168, 120, 74)), (2, (110, 72, 44))]), stem)
    for dx, dy, wide, high in (
        (-12, 3, 13, 4),
        (11, 1, 12, 4),
        (-6, -4, 9, 5),
        (6, -5, 9, 5),
        (-8, 8, 8, 4),
    ):
        leaf = disc(canvas, 132 + dx, 22 + dy, wide, high)
        cut = disc(canvas, 132 + dx * 1.1, 22 + dy + high * 0.9, wide, high)
        fill(canvas, (38, 138, 66), unit(leaf - cut))


def desert(canvas: Canvas) -> None:
    """Paint terracotta dunes, a white sun and a cactus."""
    x, y = canvas.x, canvas.y
    fill(canvas, gradient(y, [(-12, (250, 190, 120)), (52, (255, 236, 196))]))
    shine(canvas, (60, 50, 30), blob(canvas, 36, 20, 36, 36))
    fill(canvas, (255, 252, 232), disc(canvas, 36, 20, 10))
    for level, wide, shift, lit, dark in (
        (48.0, 96.0, 0.3, (240, 176, 106), (224, 150, 84)),
        (60.0, 120.0, 0.72, (228, 146, 78), (196, 106, 54)),
        (74.0, 150.0, 0.12, (214, 124, 60), (160, 76, 38)),
    ):
        crest = level + waves(x, (5, wide, shift), (2, wide / 2, shift * 2))
        dune = below(canvas, crest)
        fill(canvas, gradient(y - crest, [(0, lit), (26, dark)]), dune)
        texture(canvas, 7, dune)
    _cactus(canvas, 136)


def _cactus(canvas: Canvas, x: float) -> None:
    green = gradient(canvas.x - x, [(-10, (96, 150, 84)), (10, (44, 96, 60))])
    for dx, top, bottom, half in ((0, 36, 78, 4), (-9, 46, 60, 2.6), (9, 42, 56, 2.6)):
        part = band(canvas.x, x + dx - half, x + dx + half, canvas.k)
        part = part * below(canvas, float(top)) * (1 - below(canvas, float(bottom)))
        cap = disc(canvas, x + dx, top, half)
        fill(canvas, green, np.maximum(part, cap))
    for left, right, level in ((x - 11.6, x, 59), (x, x + 11.6, 55)):
        arm = band(canvas.x, left, right, canvas.k) * band(
            canvas.y, level - 2.5, level + 2.5, canvas.k
        )
        fill(canvas, green, arm)


def mountains(canvas: Canvas) -> None:
    """Paint snow-capped peaks over a white plain with fir trees."""
    x, y = canvas.x, canvas.y
    fill(canvas, gradient(y, [(-12, (124, 176, 232)), (50, (224, 238, 252))]))
    for peak, top, steep, stone in (
        (18, 18, 0.95, (150, 166, 202)),
        (132, 12, 1.05, (140, 156, 196)),
        (76, 26, 0.85, (168, 182, 214)),
        (184, 26, 0.9, (158, 174, 208)),
    ):
        side = x - peak
        ridge = top + abs(side) * steep + waves(x, (1.6, 13, 0.2), (0.8, 5.3, 0.0))
        rock = below(canvas, ridge)
        shade = unit(side * 0.5 + 0.5)
        fill(canvas, stone, rock)
        fill(canvas, (104, 118, 160), rock * shade * 0.55)
        cap = rock * (1 - below(canvas, top + 15 + waves(x, (3.5, 9, 0.1))))
        fill(canvas, gradient(side, [(-1, (255, 255, 255)), (1, (206, 218, 240))]), cap)
    plain = 60 + waves(x, (2.5, 110, 0.2))
    snow = below(canvas, plain)
    fill(canvas, gradient(y - plain, [(0, (236, 242, 252)), (40, (190, 208, 236))]), snow)
    texture(canvas, 7, snow)
    for fir, foot, high in (
        (4, 70, 24),
        (22, 66, 17),
        (143, 66, 18),
        (158, 72, 26),
        (-14, 68, 20),
        (176, 68, 22),
    ):
        _fir(canvas, fir, foot, high)


def _fir(canvas: Canvas, x: float, foot: float, high: float) -> None:
    down = (canvas.y - (foot - high)) / high
    steps = down * 3 - np.floor(down * 3)
    half = high * 0.3 * (0.55 * down + 0.3 * steps)
    tree = (
        unit((half - abs(canvas.x - x)) * canvas.k + 0.5) * unit(down * 40) * unit((1 - down) * 40)
    )
    fill(canvas, (38, 84, 78), tree)


def sunset(canvas: Canvas) -> None:
    """Paint a red sun touching a dark sea."""
    x, y = canvas.x, canvas.y
    sky = [(-12, (62, 40, 116)), (18, (176, 66, 130)), (40, (252, 128, 84)), (58, (255, 214, 128))]
    fill(canvas, gradient(y, sky))
    for level, tone in ((14, 0.35), (26, 0.45), (36, 0.4)):
        streak = band(y + waves(x, (2, 120, level / 50)), level - 1.5, level + 1.5, canvas.k / 2)
        fill(canvas, (255, 170, 130), streak * smooth(waves(x, (1, 90, level / 30)) + 0.3) * tone)
    shine(canvas, (90, 50, 10), blob(canvas, 118, 56, 52, 44))
    fill(canvas, (255, 244, 196), disc(canvas, 118, 54, 15))
    water = below(canvas, 58.0)
    fill(canvas, gradient(y, [(58, (206, 104, 110)), (100, (50, 30, 84))]), water)
    path = unit(1 - abs(x - 118) / (10 + (y - 58) * 0.5)) * water
    ripple = unit(waves(y * y, (1, 420, 0)) * 1.5 + 0.6)
    fill(canvas, (255, 210, 130), path * ripple * 0.85)
    shore = 82 + waves(x, (1.5, 70, 0.3))
    fill(canvas, gradient(y - shore, [(0, (74, 42, 62)), (24, (40, 24, 44))]), below(canvas, shore))
    texture(canvas, 7, water)


def volcano(canvas: Canvas) -> None:
    """Paint a smoking cone with lava under a dark red sky."""
    x, y = canvas.x, canvas.y
    fill(canvas, gradient(y, [(-12, (38, 14, 22)), (60, (196, 66, 34))]))
    shine(canvas, (150, 70, 20), blob(canvas, 44, 24, 46, 34))
    side = abs(x - 44)
    slope = 24 + np.maximum(side - 9, 0) * 0.78
    cone = below(canvas, slope + waves(x, (1, 17, 0)))
    fill(canvas, gradient(x, [(10, (92, 50, 50)), (80, (44, 26, 34))]), cone)
    glow = band(y - slope, -0.5, 2.5, canvas.k) * unit(10 - side)
    for drift, half in ((-0.10, 2.2), (0.42, 1.6), (-0.6, 1.4)):
        centre = 44 + (y - 24) * drift + waves(y, (2, 23, drift))
        flow = unit((half + (y - 24) * 0.03 - abs(x - centre)) * canvas.k + 0.5)
        glow = np.maximum(glow, flow * cone * unit((70 - y) * 0.05))
    fill(canvas, gradient(y, [(22, (255, 236, 120)), (66, (255, 90, 20))]), glow)
    for dx, dy, size in ((0, 10, 14), (10, -2, 18), (28, -10, 24)):
        fill(canvas, (92, 62, 66), blob(canvas, 44 + dx, dy, size, size * 0.7) * 0.8)
    floor = 68 + waves(x, (2, 74, 0.4))
    ground = below(canvas, floor)
    fill(canvas, gradient(y - floor, [(0, (70, 44, 46)), (40, (30, 20, 26))]), ground)
    for level, phase in ((76.0, 0.1), (88.0, 0.6), (101.0, 0.3)):
        crack = abs(y - level - waves(x, (3, 71, phase), (1.5, 29, phase * 2)))
        heat = unit(1 - crack / (1.4 + waves(x, (0.9, 43, phase)))) * ground
        fill(canvas, (255, 128, 34), heat)
    texture(canvas, 9, ground)
