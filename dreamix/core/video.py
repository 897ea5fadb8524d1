"""The clip type that crosses every border of the toolkit."""

from dataclasses import dataclass

import numpy as np

from dreamix.core.errors import UserError


@dataclass(frozen=True, eq=False)
class Video:
    """A clip: RGB frames and the moment each one is shown.

    frames: uint8 (frames, height, width, 3), RGB, made read-only.
    fps:    nominal frames per second, > 0.
    times:  seconds at which each frame starts, strictly rising, first = 0; float64 (frames,).
            Left out, the frames are evenly spaced at `fps`. Clips of variable frame rate set it.
    end:    seconds at which the last frame ends, where it is held for longer than 1/fps.
    """

    frames: np.ndarray
    fps: float
    times: np.ndarray = None  # type: ignore[assignment] # set by __post_init__
    end: float | None = None

    def __post_init__(self) -> None:
        """Check the clip once, here, so that nothing downstream has to."""
        frames = np.ascontiguousarray(self.frames)
        if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or not frames.size:
            raise UserError(
                "a clip needs uint8 RGB frames of shape (frames, height, width, 3), "
                f"got {frames.dtype} {frames.shape}"
            )
        if not (np.isfinite(self.fps) and self.fps > 0):
            raise UserError(f"a clip needs a frame rate above 0, got {self.fps}")
        object.__setattr__(self, "frames", _read_only(frames))
        object.__setattr__(self, "times", _read_only(self._checked_times(len(frames))))

    def _checked_times(self, count: int) -> np.ndarray:
        if self.times is None:
            return np.arange(count) / self.fps
        times = np.array(self.times, dtype=np.float64)
        if times.shape != (count,) or times[0] != 0 or (np.diff(times) <= 0).any():
            raise UserError(f"a clip of {count} frames needs {count} rising times that start at 0")
        return times

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.frames)

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return int(self.frames.shape[1])

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return int(self.frames.shape[2])

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the end of the last, which lasts 1/fps at least."""
        return max(float(self.times[-1] + 1.0 / self.fps), self.end or 0.0)


def _read_only(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view
