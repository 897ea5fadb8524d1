"""The twelve backdrops by name."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dreamix.toybox.world import outdoors, places
from dreamix.toybox.world.painting import Canvas, blank, finish
from dreamix.toybox.world.palette import Rgb


@dataclass(frozen=True)
class Backdrop:
    """One backdrop and what the subject needs to know of it."""

    paint: Callable[[Canvas], None]
    halo: Rgb  # colour of the soft rim that sets the subject off
    shadow: float  # how much a subject on the floor darkens it, 0..1


_LIGHT_RIM, _DARK_RIM = (255, 255, 255), (40, 30, 40)

BACKDROPS: dict[str, Backdrop] = {
    "meadow": Backdrop(outdoors.meadow, _LIGHT_RIM, 0.5),
    "beach": Backdrop(outdoors.beach, _DARK_RIM, 0.4),
    "desert": Backdrop(outdoors.desert, _LIGHT_RIM, 0.5),
    "city": Backdrop(places.city, (190, 190, 255), 0.6),
    "sea": Backdrop(places.sea, (190, 240, 255), 0.4),
    "mountains": Backdrop(outdoors.mountains, _DARK_RIM, 0.35),
    "forest": Backdrop(places.forest, (240, 255, 210), 0.5),
    "room": Backdrop(places.room, _DARK_RIM, 0.5),
    "space": Backdrop(places.space, (200, 200, 255), 0.0),
    "sunset": Backdrop(outdoors.sunset, (255, 226, 180), 0.5),
    "volcano": Backdrop(outdoors.volcano, (255, 190, 120), 0.5),
    "stage": Backdrop(places.stage, (255, 240, 200), 0.6),
}


@lru_cache(maxsize=len(BACKDROPS))
def backdrop_picture(name: str, k: float) -> np.ndarray:
    """Return the whole canvas of a backdrop, uint8 (3, 120 k, 208 k), read-only."""
    canvas = blank(k)
    BACKDROPS[name].paint(canvas)
    picture = finish(canvas)
    picture.flags.writeable = False
    return picture
