"""To the base grid and back: exact means in space, the frame that is shown in time."""

import numpy as np
import pytest
import torch

from dreamix.core.errors import UserError
from dreamix.core.video import Video
from dreamix.diffusion.corruption import to_grid, to_video
from dreamix.toybox.world import Scene, render, render_base


def numbered(times: list[float] | None, count: int, fps: float) -> Video:
    """A clip whose frame number i is all i."""
    frames = np.repeat(np.arange(count, dtype=np.uint8), 8 * 8 * 3).reshape(count, 8, 8, 3)
    return Video(frames, fps, None if times is None else np.array(times))  # type: ignore[arg-type]


def shown(clip: Video, frames: int) -> list[int]:
    """Numbers of the frames that make the grid."""
    return ((to_grid(clip, frames, 4, 4)[0, 0, :, 0, 0] + 1) * 127.5).round().int().tolist()


@pytest.mark.parametrize("scene", [Scene("red", "ball", "bouncing", "meadow", style="pencil")])
def test_a_toybox_render_comes_down_to_its_base_render(scene: Scene) -> None:
    """`render_base` is integer arithmetic: 4x4 means rounded half up, here half to even."""
    found = to_video(to_grid(render(scene), 16, 24, 40), 8).frames.astype(int)
    base = render_base(scene).astype(int)
    assert np.abs(found - base).max() <= 1
    means = render(scene).frames.reshape(16, 24, 4, 40, 4, 3).mean((2, 4))
    assert (found == base)[means % 1 != 0.5].all()


def test_16_frames_stay_16_frames() -> None:
    assert shown(numbered(None, 16, 8), 16) == list(range(16))
    assert shown(numbered(None, 16, 29.97), 16) == list(range(16))


def test_longer_and_shorter_clips_show_the_frame_of_each_moment() -> None:
    """32 frames: every second. 8 frames: each twice. 24: floor(1.5 i)."""
    assert shown(numbered(None, 32, 8), 16) == list(range(0, 32, 2))
    assert shown(numbered(None, 8, 30), 16) == [i // 2 for i in range(16)]
    assert shown(numbered(None, 24, 24), 16) == [3 * i // 2 for i in range(16)]
    assert shown(numbered(None, 1, 30), 16) == [0] * 16


def test_variable_frame_rate_counts_seconds_not_frames() -> None:
    """Frames at 0, 1, 1.5 and 3 s, the last for 1 s: 8 moments half a second apart."""
    assert shown(numbered([0, 1, 1.5, 3], 4, 1), 8) == [0, 0, 1, 2, 2, 2, 3, 3]


def test_any_size_is_squeezed_to_the_grid() -> None:
    """A left half black, a right half white, from 30x50: so on the grid, but for one column."""
    frames = np.zeros((2, 30, 50, 3), np.uint8)
    frames[:, :, 25:] = 255
    grid = to_grid(Video(frames, 2), 2, 24, 40)
    assert grid.shape == (1, 3, 2, 24, 40)
    assert (grid[..., :20] == -1).all()
    assert (grid[..., 20:] == 1).all()


def test_pictures_survive_the_round_trip_to_the_bit() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (16, 24, 40, 3), dtype=np.uint8)
    clip = to_grid(Video(frames, 8), 16, 24, 40)
    assert clip.dtype == torch.float32
    assert (clip.min(), clip.max()) == (-1, 1)
    back = to_video(clip, 8)
    assert np.array_equal(back.frames, frames)
    assert back.fps == 8


def test_values_out_of_range_are_clipped_and_nonsense_is_refused() -> None:
    clip = torch.full((1, 3, 1, 2, 2), 3.0)
    assert (to_video(clip, 8).frames == 255).all()
    clip[0, 0, 0, 0, 0] = torch.nan
    with pytest.raises(UserError, match="infinite"):
        to_video(clip, 8)
