"""Words burnt into a clip, for traps."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from dreamix.core.video import Video
from study_app.prepare.lettering import Lettering, lettering
from study_app.prepare.setting import page

REAL = 0.4  # share of the clip that plays before the words appear
GROUND, INK = (40, 40, 40), (255, 255, 255)


def with_words(video: Video, words: Lettering | str) -> Video:
    """Return the clip with words on a dark card in place of its later frames.

    The start is real, so that the words are found by those who watch and not by a glance.
    """
    frames = video.frames.copy()
    frames[round(REAL * len(frames)) :] = drawn(words, video.width, video.height)
    return Video(frames, video.fps, video.times)


def card(
    text: str, width: int, height: int, language: str = "", named: Sequence[Path] = ()
) -> np.ndarray:
    """Return a text as white words on dark grey, uint8 (height, width, 3), as large as fits.

    See `lettering`; a text that cannot be drawn, or has no room, is a `UserError`.
    """
    return drawn(lettering(text, language, named), width, height)


def drawn(words: Lettering | str, width: int, height: int) -> np.ndarray:
    """Return words on a card, uint8 (height, width, 3)."""
    words = lettering(words) if isinstance(words, str) else words
    picture = Image.new("RGB", (width, height), GROUND)
    draw, set_ = ImageDraw.Draw(picture), page(words, width, height)
    baseline = (height - set_.height) / 2 - set_.lines[0].top
    for line in set_.lines:
        start = (width - line.right - line.left) / 2
        for piece in line.pieces:
            place = (start + piece.at, baseline)
            draw.text(place, piece.text, INK, piece.font, "ls", **set_.options)
        baseline += set_.pitch
    return np.asarray(picture)
