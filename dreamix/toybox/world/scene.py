"""The recipe of one Toybox clip: eight words and a number."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from dreamix.core.errors import UserError
from dreamix.core.names import near_misses

COLOURS = (
    "red",
    "orange",
    "yellow",
    "green",
    "blue",
    "purple",
    "pink",
    "brown",
    "white",
    "black",
)
SHAPES = ("ball", "box", "triangle", "ring", "star", "heart", "cross", "crescent")
MOTIONS = (
    "resting",
    "sliding right",
    "sliding left",
    "bouncing",
    "rising",
    "falling",
    "spinning",
    "swinging",
    "circling",
    "growing",
    "shrinking",
    "shaking",
)
BACKGROUNDS = (
    "meadow",
    "beach",
    "desert",
    "city",
    "sea",
    "mountains",
    "forest",
    "room",
    "space",
    "sunset",
    "volcano",
    "stage",
)
EFFECTS = ("none", "snow", "rain", "fog", "fireflies")
STYLES = ("none", "pencil", "sepia", "neon", "watercolor")
GREY = ("pencil", "sepia")  # styles that keep brightness alone: no colour is to be seen
CAMERAS = ("still", "panning left", "panning right", "zooming in", "zooming out")

VALUES: dict[str, tuple[str, ...]] = {
    "colour": COLOURS,
    "shape": SHAPES,
    "motion": MOTIONS,
    "background": BACKGROUNDS,
    "effect": EFFECTS,
    "style": STYLES,
    "camera": CAMERAS,
}


@dataclass(frozen=True)
class Scene:
    """One subject, its motion, its surroundings; equal scenes render to equal bytes.

    Every word must be one of `VALUES`. `seed` picks what no caption tells: where the subject
    starts, its exact size and tilt, how far the backdrop is shifted, how warm the light is.
    """

    colour: str
    shape: str
    motion: str
    background: str
    effect: str = "none"  # what is in the air
    style: str = "none"  # how the picture is drawn
    camera: str = "still"
    seed: int = 0  # >= 0

    def __post_init__(self) -> None:
        """Check every word once, here."""
        for name, known in VALUES.items():
            _check_word(name, getattr(self, name), known)
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise UserError(f"the seed of a scene is a whole number from 0 up, got {self.seed!r}")

    @classmethod
    def from_dict(cls, recipe: Mapping[str, Any]) -> "Scene":
        """Return the scene of a recipe; a `UserError` names unknown or missing fields."""
        names = [field.name for field in fields(cls)]
        for name in recipe:
            if name not in names:
                hint = near_misses(str(name), names)
                raise UserError(f"a scene has no field {name!r}{hint} (fields: {', '.join(names)})")
        missing = [name for name in names[:4] if name not in recipe]
        if missing:
            raise UserError(f"a scene needs the field {missing[0]!r}, got {dict(recipe)}")
        return cls(**recipe)

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe, every field named."""
        return asdict(self)


def _check_word(name: str, word: object, known: tuple[str, ...]) -> None:
    if word not in known:
        hint = near_misses(str(word), list(known))
        raise UserError(f"no {name} is called {word!r}{hint} (known: {', '.join(known)})")
