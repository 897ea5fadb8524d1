"""Where the subject and the camera are at each moment.

World coordinates: x to the right 0..160, y down 0..96, the frame of a still camera; one unit is
one pixel at 96x160. Time is counted in ticks of 1/8 s; a scene lasts 16 ticks.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from dreamix.core.seeding import seed_for
from dreamix.toybox.world.fixedmath import cosine, draw, sine
from dreamix.toybox.world.scene import Scene

WIDTH, HEIGHT = 160, 96
TICKS_A_SECOND = 8
TICKS = 16
GROUND = 87.0  # y of the floor that a resting subject touches
_LAST = TICKS - 1


@dataclass(frozen=True)
class Affine:
    """The map (u, v) -> (x + a u + b v, y + c u + d v)."""

    x: float
    y: float
    a: float
    b: float
    c: float
    d: float

    @property
    def scale(self) -> float:
        """Length of a unit of the source in the target: the root of the area factor."""
        return math.sqrt(self.a * self.d - self.b * self.c)

    @property
    def stretch(self) -> float:
        """Length of the longer of the two axes, which stay at right angles in all maps here."""
        return math.sqrt(max(self.a * self.a + self.c * self.c, self.b * self.b + self.d * self.d))

    def then(self, outer: "Affine") -> "Affine":
        """Return the map that applies this one first and `outer` second."""
        return Affine(
            x=outer.x + outer.a * self.x + outer.b * self.y,
            y=outer.y + outer.c * self.x + outer.d * self.y,
            a=outer.a * self.a + outer.b * self.c,
            b=outer.a * self.b + outer.b * self.d,
            c=outer.c * self.a + outer.d * self.c,
            d=outer.c * self.b + outer.d * self.d,
        )

    def inverse(self) -> "Affine":
        """Return the map that undoes this one."""
        area = self.a * self.d - self.b * self.c
        a, b, c, d = self.d / area, -self.b / area, -self.c / area, self.a / area
        return Affine(-(a * self.x + b * self.y), -(c * self.x + d * self.y), a, b, c, d)


@dataclass(frozen=True)
class Pose:
    """The subject relative to its place: where, how large, how turned, how squashed."""

    x: float = 0.0
    y: float = 0.0
    size: float = 1.0  # times the subject's own half size
    turn: float = 0.0  # in turns, clockwise
    squash: float = 0.0  # 0.1 = 10 % lower and 10 % wider


def subject_map(scene: Scene, tick: float) -> Affine:
    """Return the map from the subject's local coordinates (-1..1) to the world at `tick`."""
    half = draw(24.5, 28.0, "toybox", "size", scene.seed)
    grounded = scene.motion in _ON_THE_GROUND
    pose = (_ON_THE_GROUND if grounded else _IN_THE_AIR)[scene.motion](tick)
    tilt = 0.0 if grounded else draw(-0.02, 0.02, "toybox", "tilt", scene.seed)
    lift = GROUND - half if grounded else 46 + draw(-3, 3, "toybox", "y", scene.seed)
    wide, high = half * pose.size * (1 + pose.squash), half * pose.size * (1 - pose.squash)
    cos, sin = cosine(pose.turn + tilt), sine(pose.turn + tilt)
    x = WIDTH / 2 + draw(-8, 8, "toybox", "x", scene.seed) + pose.x
    y = lift + pose.y + half * pose.squash
    return Affine(x, y, a=wide * cos, b=-high * sin, c=wide * sin, d=high * cos)


def camera_map(scene: Scene, tick: float) -> Affine:
    """Return the map from the world to the frame of 96x160, in pixels, at `tick`.

    A camera that pans to the left sees the world move to the right, 2 pixels a tick. A zoom
    enlarges the world about the middle of the frame from 0.86 to 1.2 times, or the reverse.
    """
    past = tick - _LAST / 2
    scale, aim = 1.0, WIDTH / 2
    if scene.camera == "panning left":
        aim -= 2 * past
    elif scene.camera == "panning right":
        aim += 2 * past
    elif scene.camera == "zooming in":
        scale = 1.03 + 0.34 * past / _LAST
    elif scene.camera == "zooming out":
        scale = 1.03 - 0.34 * past / _LAST
    return Affine(WIDTH / 2 - scale * aim, HEIGHT / 2 * (1 - scale), scale, 0.0, 0.0, scale)


def backdrop_shift(scene: Scene) -> int:
    """Return how many world units the scene's backdrop is shifted to the right, -8 to 8.

    Whole multiples of 4, so that a still backdrop is the same on the base grid up to whole pixels.
    """
    return 4 * (seed_for("toybox", "shift", scene.seed) % 5 - 2)


def _bouncing(tick: float) -> Pose:
    """One bounce a second: a parabola, flattened where it touches the floor."""
    phase = tick / 8 - math.floor(tick / 8)
    height = 4 * phase * (1 - phase)
    return Pose(y=-30 * height, squash=0.08 * max(0.0, 1 - 3 * height))


def _shaking(tick: float) -> Pose:
    wave = sine(tick / 4)
    return Pose(x=6 * wave, turn=0.02 * wave)


def _swinging(tick: float) -> Pose:
    """A pendulum 56 long, 27 degrees to either side, one swing in 12 ticks, from the left."""
    turn = -0.075 * cosine(tick / 12)
    return Pose(x=-56 * sine(-turn), y=56 * cosine(turn) - 56, turn=-turn)


def _circling(tick: float) -> Pose:
    return Pose(x=17 * sine(tick / 12), y=-17 * cosine(tick / 12))


_ON_THE_GROUND: dict[str, Callable[[float], Pose]] = {
    "resting": lambda tick: Pose(),
    "sliding right": lambda tick: Pose(x=4 * (tick - _LAST / 2)),
    "sliding left": lambda tick: Pose(x=-4 * (tick - _LAST / 2)),
    "bouncing": _bouncing,
    "shaking": _shaking,
}

_IN_THE_AIR: dict[str, Callable[[float], Pose]] = {
    "rising": lambda tick: Pose(y=19 - 38 * tick / _LAST),
    "falling": lambda tick: Pose(y=38 * tick / _LAST - 19),
    "spinning": lambda tick: Pose(turn=tick / 16),
    "swinging": _swinging,
    "circling": _circling,
    "growing": lambda tick: Pose(size=0.74 + 0.48 * tick / _LAST),
    "shrinking": lambda tick: Pose(size=1.22 - 0.48 * tick / _LAST),
}
