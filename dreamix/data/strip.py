"""A strip: frames of a clip side by side, and below them those of its edit."""

import numpy as np
from PIL import Image

from dreamix.core.video import Video

GAP = 4  # pixels between frames


def strip(source: Video, edited: Video, columns: int = 8) -> np.ndarray:
    """Return `columns` frames of the source over the same moments of the edit, uint8 (h, w, 3).

    Moments are shares of each clip's length, from its first frame to its last. Frames of the source
    are scaled to the width of the edit's; both rows keep their shape.
    """
    rows = [row(source, columns, edited.width), row(edited, columns, edited.width)]
    gap = np.full((GAP, rows[0].shape[1], 3), 255, dtype=np.uint8)
    return np.concatenate([rows[0], gap, rows[1]])


def row(video: Video, columns: int, width: int, shade: int = 255) -> np.ndarray:
    """Return evenly spaced frames side by side, each `width` wide, uint8 (height, w, 3).

    shade: of the gaps between them, 0 black to 255 white.
    """
    chosen = np.linspace(0, len(video) - 1, columns).round().astype(int)
    frames = [_scaled(video.frames[t], width) for t in chosen]
    gap = np.full((len(frames[0]), GAP, 3), shade, dtype=np.uint8)
    parts = [part for frame in frames for part in (gap, frame)]
    return np.concatenate(parts[1:], axis=1)


def _scaled(frame: np.ndarray, width: int) -> np.ndarray:
    if frame.shape[1] == width:
        return frame
    height = max(1, round(frame.shape[0] * width / frame.shape[1]))
    return np.asarray(Image.fromarray(frame).resize((width, height), Image.Resampling.LANCZOS))
