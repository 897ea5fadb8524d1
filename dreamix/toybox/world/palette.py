"""The ten basic colour words of English but grey, which a pencil sketch would swallow."""

from dataclasses import dataclass

Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class Paint:
    """How a subject of one colour is painted."""

    rgb: Rgb  # its colour in plain light
    mark: float  # brightness of its marked half, times that of the other


PAINTS: dict[str, Paint] = {
    "red": Paint((228, 36, 44), 0.62),
    "orange": Paint((255, 130, 10), 0.66),
    "yellow": Paint((255, 230, 40), 0.68),
    "green": Paint((36, 170, 62), 0.60),
    "blue": Paint((34, 92, 232), 0.60),
    "purple": Paint((142, 54, 196), 0.60),
    "pink": Paint((255, 128, 186), 0.68),
    "brown": Paint((122, 72, 36), 0.60),
    "white": Paint((246, 246, 250), 0.68),
    "black": Paint((36, 36, 44), 2.3),
}
