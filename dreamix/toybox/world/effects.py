"""What is in the air: snow, rain, fog, fireflies.

An effect is one fixed pattern that moves across the frame, in front of everything and no part of
the world: it follows neither the camera nor the seed, and the exact flow leaves it out.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dreamix.toybox.world.fixedmath import sine, unit
from dreamix.toybox.world.motion import HEIGHT, WIDTH
from dreamix.toybox.world.palette import Rgb


@dataclass(frozen=True)
class Layer:
    """Equal particles, strewn evenly over a frame that repeats in both directions."""

    count: int
    radius: float  # world units
    speed: tuple[int, int]  # world units a tick, right and down
    length: float = 0.0  # of a streak along the speed, world units
    strength: float = 1.0  # cover in the middle, 0..1
    glows: bool = False  # fades from its middle on, instead of ending at the radius


@dataclass(frozen=True)
class Air:
    """How an effect changes a picture p: first p * tone + tint, then particles over it."""

    tone: float
    tint: Rgb
    colour: Rgb
    layers: tuple[Layer, ...] = ()


AIRS: dict[str, Air] = {
    "snow": Air(
        0.86,
        (26, 30, 34),
        (255, 255, 255),
        (Layer(60, 1.5, (1, 3), strength=0.85), Layer(34, 2.7, (2, 6), strength=0.97)),
    ),
    "rain": Air(
        0.58,
        (10, 16, 30),
        (206, 222, 246),
        (
            Layer(70, 0.6, (-4, 13), length=9, strength=0.55),
            Layer(44, 1.0, (-6, 19), length=14, strength=0.75),
        ),
    ),
    "fog": Air(1.0, (0, 0, 0), (222, 227, 232)),
    "fireflies": Air(
        0.54,
        (2, 8, 36),
        (255, 238, 120),
        (
            Layer(14, 6.0, (1, -2), strength=1.0, glows=True),
            Layer(9, 9.0, (-1, -3), strength=1.0, glows=True),
        ),
    ),
}


def apply_effect(name: str, planes: np.ndarray, ticks: list[float], k: float) -> None:
    """Draw the effect into `planes`, uint8 (3, frames, height, width), in place."""
    air = AIRS[name]
    cover = _fog_cover(ticks, k) if name == "fog" else _particle_cover(air.layers, ticks, k)
    steps = np.arange(256, dtype=np.float32) * (1 / 255)
    keep = ((1 - steps) * (air.tone * 256)).astype(np.uint16)[cover]
    for plane, tint, colour in zip(planes, air.tint, air.colour, strict=True):
        added = (((1 - steps) * tint + steps * colour) * 255.5).astype(np.uint16)
        plane[...] = (plane * keep + added[cover]) >> 8


def _particle_cover(layers: tuple[Layer, ...], ticks: list[float], k: float) -> np.ndarray:
    """Return the cover 0..255, uint8 (frames, height, width), of all layers."""
    covers = [
        np.stack([_scrolled(_tile(layer, k), layer.speed, tick, k) for tick in ticks])
        for layer in layers
    ]
    return np.maximum(covers[0], covers[1])


def _scrolled(tile: np.ndarray, speed: tuple[int, int], tick: float, k: float) -> np.ndarray:
    """Return the view into a doubled tile after `tick`, moved by whole pixels."""
    height, width = tile.shape[0] // 2, tile.shape[1] // 2
    left, top = (int(-(step * tick * k) // 1) for step in speed)
    left, top = left % width, top % height
    return tile[top : top + height, left : left + width]


@lru_cache(maxsize=16)
def _tile(layer: Layer, k: float) -> np.ndarray:
    """Return the cover of one layer twice as high and as wide as a frame, so it can scroll."""
    height, width = round(HEIGHT * k), round(WIDTH * k)
    x = (np.arange(width, dtype=np.float32)[None, :] + 0.5) / k
    y = (np.arange(height, dtype=np.float32)[:, None] + 0.5) / k
    cover = np.zeros((height, width), dtype=np.float32)
    for i in range(layer.count):
        # The R2 sequence: multiples of the plastic number's powers spread evenly without a grid.
        across = _wrapped(x - WIDTH * (i * 0.7548776662 % 1), WIDTH)
        down = _wrapped(y - HEIGHT * (i * 0.5698402910 % 1), HEIGHT)
        cover = np.maximum(cover, _particle(layer, across, down, k))
    tile = (cover * (255 * layer.strength)).astype(np.uint8)
    return np.concatenate([np.concatenate([tile, tile], 1)] * 2, 0)


def _wrapped(offset: np.ndarray, period: int) -> np.ndarray:
    return offset - np.floor(offset / period + 0.5) * period


def _particle(layer: Layer, across: np.ndarray, down: np.ndarray, k: float) -> np.ndarray:
    """Return the cover of one particle at offsets `across`, `down` from its centre."""
    if layer.length:
        right, fall = layer.speed
        along = unit((down * fall + across * right) / (fall * fall + right * right) + 0.5) - 0.5
        reach = layer.length / fall
        along = np.minimum(np.maximum(along, -reach / 2), reach / 2)
        across, down = across - along * right, down - along * fall
    away = np.sqrt(across * across + down * down)
    if layer.glows:
        near = unit(1 - away / layer.radius)
        return near * near
    return unit((layer.radius - away) * min(k, 1.0) + 0.5)


def _fog_cover(ticks: list[float], k: float) -> np.ndarray:
    """Return drifting banks of fog, thicker towards the floor, uint8 (frames, height, width)."""
    bank = _fog_tile(k)
    return np.stack([_scrolled(bank, (3, 0), tick, k) for tick in ticks])


@lru_cache(maxsize=4)
def _fog_tile(k: float) -> np.ndarray:
    height, width = round(HEIGHT * k), round(WIDTH * k)
    x = (np.arange(width, dtype=np.float32)[None, :] + 0.5) / k
    y = (np.arange(height, dtype=np.float32)[:, None] + 0.5) / k
    swell = sine(x / 80 + sine(y / 70) * 0.3) * 0.13 + sine(x / 160 - y / 60) * 0.11
    tile = (unit(0.36 + y * 0.0035 + swell) * 230).astype(np.uint8)
    return np.concatenate([np.concatenate([tile, tile], 1)] * 2, 0)
