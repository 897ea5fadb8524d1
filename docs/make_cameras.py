"""Draws what `dreamix animate` starts from: a still seen by every camera, then on every fill.

python docs/make_cameras.py OUT.png
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dreamix.core.media import write_image
from dreamix.data.camera import CAMERAS, FILLS, moved
from dreamix.toybox.world import Scene, render

SHOWN, GAP, LINE = 4, 4, 20
ROWS = [(camera, "replicate") for camera in CAMERAS if camera != "none"]
ROWS += [("zoom-out", fill) for fill in FILLS if fill != "replicate"]


def row(image: np.ndarray, camera: str, fill: str) -> np.ndarray:
    """Return four evenly spaced frames under a title, uint8 (height, width, 3)."""
    frames = moved(image, camera, SHOWN, fill=fill)
    frames = np.pad(frames, ((0, 0), (0, GAP), (0, GAP), (0, 0)), constant_values=255)
    title = Image.new("RGB", (frames.shape[2] * SHOWN, LINE), "white")
    font = ImageFont.load_default(13)
    ImageDraw.Draw(title).text((2, 2), f"{camera}, {fill}", fill=(20, 20, 20), font=font)
    return np.concatenate([np.asarray(title), np.concatenate([*frames], axis=1)])


def main() -> None:
    """Write the picture, rows in two columns."""
    image = render(Scene("red", "star", "resting", "city", seed=1), frames=1).frames[0]
    rows = [row(image, *words) for words in ROWS]
    half = len(rows) // 2
    columns = [np.concatenate(rows[:half]), np.concatenate(rows[half:])]
    write_image(Path(sys.argv[1]), np.concatenate(columns, axis=1))


if __name__ == "__main__":
    main()
