"""Known damage at five strengths: what a metric must notice, and what it is blind to.

A metric declares in `responds` what its value does under which of them; see `ladder.py`.
"""

from collections.abc import Callable

import numpy as np

from dreamix.core.seeding import rng_for
from dreamix.core.video import Video

STRENGTHS = (1, 2, 3, 4, 5)


def blur(video: Video, strength: int) -> Video:
    """Return the clip blurred by a Gaussian of 0.5 to 2.5% of the frame's height."""
    import cv2

    sigma = 0.005 * strength * video.height
    return _frame_by_frame(video, lambda frame: cv2.GaussianBlur(frame, (0, 0), sigma))


def noise(video: Video, strength: int) -> Video:
    """Return the clip with Gaussian noise of standard deviation 6 to 30 (of 255)."""
    drawn = rng_for("noise").normal(0, 6 * strength, video.frames.shape)
    return _with(video, np.clip(np.rint(video.frames + drawn), 0, 255).astype(np.uint8))


def jpeg(video: Video, strength: int) -> Video:
    """Return the clip with every frame saved as JPEG of quality 50, 30, 18, 10, 5."""
    import cv2

    setting = [cv2.IMWRITE_JPEG_QUALITY, (50, 30, 18, 10, 5)[strength - 1]]

    def through_jpeg(frame: np.ndarray) -> np.ndarray:
        coded = cv2.imencode(".jpg", frame[..., ::-1], setting)[1]
        decoded = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))
        return np.ascontiguousarray(decoded[..., ::-1])

    return _frame_by_frame(video, through_jpeg)


def frame_drop(video: Video, strength: int) -> Video:
    """Return the clip with 15 to 75% of its frames lost and the one before held in their place."""
    order = rng_for("frame_drop").permutation(np.arange(1, len(video)))
    lost = np.zeros(len(video), dtype=bool)
    lost[order[: max(1, round(0.15 * strength * len(video)))]] = True
    held = np.maximum.accumulate(np.where(lost, 0, np.arange(len(video))))
    return _with(video, video.frames[held])


def shuffle(video: Video, strength: int) -> Video:
    """Return the clip with 20 to 100% of its frames swapped, pair by pair."""
    pairs = rng_for("shuffle").permutation(len(video))[: len(video) // 2 * 2].reshape(-1, 2)
    order = np.arange(len(video))
    for i, j in pairs[: max(1, round(len(pairs) * strength / 5))]:
        order[i], order[j] = j, i
    return _with(video, video.frames[order])


def colour_shift(video: Video, strength: int) -> Video:
    """Return the clip with red raised and blue lowered by 8 to 40 (of 255)."""
    shift = np.array([8, 0, -8]) * strength
    return _with(video, np.clip(video.frames.astype(np.int16) + shift, 0, 255).astype(np.uint8))


CORRUPTIONS: dict[str, Callable[[Video, int], Video]] = {
    function.__name__: function
    for function in (blur, noise, jpeg, frame_drop, shuffle, colour_shift)
}


def _with(video: Video, frames: np.ndarray) -> Video:
    return Video(frames, video.fps, video.times)


def _frame_by_frame(video: Video, change: Callable[[np.ndarray], np.ndarray]) -> Video:
    return _with(video, np.stack([change(frame) for frame in video.frames]))
