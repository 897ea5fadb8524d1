"""Words burnt into a clip, for traps."""

import textwrap

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dreamix.core.video import Video

REAL = 0.4  # share of the clip that plays before the words appear


def with_words(video: Video, text: str) -> Video:
    """Return the clip with `text` on a dark card in place of its later frames.

    The start is real, so that the words are found by those who watch and not by a glance.
    """
    frames = video.frames.copy()
    frames[round(REAL * len(frames)) :] = card(text, video.width, video.height)
    return Video(frames, video.fps, video.times)


def card(text: str, width: int, height: int) -> np.ndarray:
    """Return white words on dark grey, uint8 (height, width, 3), as large as fits."""
    picture = Image.new("RGB", (width, height), (40, 40, 40))
    draw = ImageDraw.Draw(picture)
    for size in range(max(8, height // 5), 5, -1):
        font = ImageFont.load_default(size)
        lines = textwrap.fill(text, max(6, int(0.9 * width / (0.52 * size))))
        left, top, right, bottom = draw.multiline_textbbox((0, 0), lines, font, align="center")
        if right - left <= 0.94 * width and bottom - top <= 0.9 * height:
            break
    place = ((width - right - left) / 2, (height - bottom - top) / 2)
    draw.multiline_text(place, lines, fill=(255, 255, 255), font=font, align="center")
    return np.asarray(picture)
