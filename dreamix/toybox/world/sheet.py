"""A contact sheet: a few frames of many scenes under their captions."""

from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dreamix.toybox.world.grammar import caption
from dreamix.toybox.world.motion import HEIGHT, WIDTH
from dreamix.toybox.world.renderer import render
from dreamix.toybox.world.scene import Scene

_COLUMNS = 3
_FRAMES = (0, 5, 10)  # of 16, evenly spaced in every motion
_TEXT = 20  # height of a caption, pixels
_GAP = 12
_DPI = 100


def contact_sheet(scenes: Sequence[Scene]) -> np.ndarray:
    """Return a picture of all scenes, three strips a row, uint8 (height, width, 3)."""
    rows = -(-len(scenes) // _COLUMNS)
    cell = (len(_FRAMES) * (WIDTH + 2) - 2 + _GAP, HEIGHT + _TEXT + _GAP)
    width, height = _COLUMNS * cell[0] + _GAP, rows * cell[1] + _GAP
    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    for i, scene in enumerate(scenes):
        x = _GAP + i % _COLUMNS * cell[0]
        y = height - (i // _COLUMNS + 1) * cell[1]  # from the bottom, as matplotlib counts
        figure.figimage(_strip(scene), x, y)
        place = (x / width, (y + HEIGHT + 5) / height)
        figure.text(*place, caption(scene), fontsize=8.5, color="#222222", va="bottom")
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])


def _strip(scene: Scene) -> np.ndarray:
    """Return some frames of a scene side by side, 2 white pixels apart."""
    frames = render(scene).frames
    gap = np.full((HEIGHT, 2, 3), 255, dtype=np.uint8)
    parts = [part for t in _FRAMES for part in (gap, frames[t])]
    return np.concatenate(parts[1:], axis=1)
