"""A canvas in world coordinates, and the few strokes that the backdrops are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from dreamix.toybox.world.fixedmath import grain, sine, unit
from dreamix.toybox.world.palette import Rgb

# The canvas is larger than the frame, so that a panning or zooming camera never sees its end.
LEFT, TOP, RIGHT, BOTTOM = -24, -12, 184, 108

Stops = Sequence[tuple[float, Rgb]]


@dataclass
class Canvas:
    """A picture being painted, float32 0..255.

    x, y: world coordinates of the columns (1, width) and of the rows (height, 1).
    rgb:  (3, height, width). k: pixels per world unit.
    """

    x: np.ndarray
    y: np.ndarray
    rgb: np.ndarray
    k: float


def blank(k: float) -> Canvas:
    """Return a black canvas at `k` pixels per world unit."""
    height, width = round((BOTTOM - TOP) * k), round((RIGHT - LEFT) * k)
    x = (np.arange(width, dtype=np.float32)[None, :] + 0.5) / k + LEFT
    y = (np.arange(height, dtype=np.float32)[:, None] + 0.5) / k + TOP
    return Canvas(x, y, np.zeros((3, height, width), dtype=np.float32), k)


def gradient(along: np.ndarray, stops: Stops) -> np.ndarray:
    """Return colours, (3, ...) float32, that run from stop to stop as `along` rises."""
    colours = np.empty((3, *along.shape), dtype=np.float32)
    for channel, plane in enumerate(colours):
        plane[...] = stops[0][1][channel]
        for (start, one), (end, two) in pairwise(stops):
            step = two[channel] - one[channel]
            plane += unit((along - start) * (1 / (end - start))) * step
    return colours


def fill(canvas: Canvas, colour: Rgb | np.ndarray, cover: np.ndarray | float = 1.0) -> None:
    """Lay `colour`, one or a plane of them, over the canvas where `cover` (0..1) says."""
    if isinstance(colour, tuple):
        colour = np.array(colour, dtype=np.float32)[:, None, None]
    canvas.rgb += (colour - canvas.rgb) * cover


def shine(canvas: Canvas, colour: Rgb, strength: np.ndarray) -> None:
    """Add light of one colour, `strength` (0..1) of it."""
    for plane, value in zip(canvas.rgb, colour, strict=True):
        plane += strength * value


def below(canvas: Canvas, line: np.ndarray | float, soft: float = 1.0) -> np.ndarray:
    """Return the coverage of what lies below `line` (y for every x), `soft` units wide."""
    return unit((canvas.y - line) * (canvas.k / max(soft * canvas.k, 1.0)) + 0.5)


def disc(canvas: Canvas, x: float, y: float, wide: float, high: float | None = None) -> np.ndarray:
    """Return the coverage of an ellipse of half axes `wide` and `high`, with a crisp edge."""
    across, down = (canvas.x - x) / wide, (canvas.y - y) / (high or wide)
    away = np.sqrt(across * across + down * down)
    return unit((1 - away) * (min(wide, high or wide) * canvas.k) + 0.5)


def blob(canvas: Canvas, x: float, y: float, wide: float, high: float) -> np.ndarray:
    """Return an ellipse that fades from 1 in its middle to 0 on its rim, without a corner."""
    across, down = (canvas.x - x) / wide, (canvas.y - y) / high
    near = unit(1 - across * across - down * down)
    return near * near


def band(along: np.ndarray, start: float, end: float, k: float) -> np.ndarray:
    """Return the coverage of `start` < `along` < `end`."""
    return unit((along - start) * k + 0.5) - unit((along - end) * k + 0.5)


def waves(along: np.ndarray, *parts: tuple[float, float, float]) -> np.ndarray:
    """Return a sum of sines, each (height, length of a wave, phase in turns)."""
    total = np.zeros_like(along)
    for height, length, phase in parts:
        total += height * sine(along * (1 / length) + phase)
    return total


def texture(canvas: Canvas, strength: float, cover: np.ndarray | float = 1.0) -> None:
    """Roughen by up to about `strength` grey levels, at full resolution only (see `grain`)."""
    canvas.rgb += grain(*canvas.rgb.shape[1:]) * (cover * strength)


def finish(canvas: Canvas) -> np.ndarray:
    """Return the picture as uint8 (3, height, width)."""
    return np.minimum(np.maximum(canvas.rgb + 0.5, 0), 255).astype(np.uint8)
