"""Dreamix's corruption: a clip is brought to the base model's grid, then noise is added.

"Corrupt" is both: the downsampling takes the detail away, the noise what is left of the layout,
as far as the noise scale s says. s = 0 adds none, s = 1 leaves nothing of the input.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from dreamix.core.errors import UserError
from dreamix.core.video import Video
from dreamix.diffusion.denoiser import at
from dreamix.diffusion.schedule import add_noise


def to_grid(video: Video, frames: int, height: int, width: int) -> Tensor:
    """Return the clip on a grid, float32 (1, 3, frames, height, width) in -1..1.

    Time: the frame that is shown at each of `frames` evenly spaced moments of the clip's duration.
    Space: area means (an exact mean where the sizes divide), the whole picture squeezed to the
    grid whatever its aspect.
    """
    moments = np.arange(frames) * video.duration / frames
    shown = np.searchsorted(video.times, moments + 1e-6, side="right") - 1
    x = torch.from_numpy(video.frames[shown]).permute(0, 3, 1, 2).float()
    if x.shape[-2:] != (height, width):
        x = interpolate(x, (height, width), mode="area")
    return (x / 127.5 - 1).transpose(0, 1)[None]


def degraded(x: Tensor, time: int = 1, space: int = 1) -> Tensor:
    """Return a clip (1, C, F, H, W) without what a grid that many times coarser cannot hold.

    Time: every `time`-th frame, with straight lines between them. Space: means over squares of
    `space` pixels, enlarged bilinearly. Factors of 1 give `x` itself. It stands for the paper's
    downsampling where a model has no coarse stage that would enlarge what it makes.
    """
    if time < 1 or space < 1:
        raise UserError(f"factors of corruption are 1 or more, not {time} and {space}")
    if time > 1:
        # Every time-th frame, and linear interpolation between them.
        kept = x[:, :, ::time]
        place = torch.arange(x.shape[2], device=x.device) / time
        low = place.floor().long()
        high = (low + 1).clamp(max=kept.shape[2] - 1)
        x = torch.lerp(kept[:, :, low], kept[:, :, high], (place - low)[:, None, None].to(x.dtype))
    if space > 1:
        # Area means on a coarser grid, and bilinear interpolation back.
        height, width = x.shape[3:]
        coarse = (-(-height // space), -(-width // space))
        frames = x.transpose(1, 2).flatten(0, 1)
        frames = interpolate(
            interpolate(frames, coarse, mode="area"), (height, width), mode="bilinear"
        )
        x = frames.unflatten(0, (x.shape[0], -1)).transpose(1, 2)
    return x


def to_video(clip: Tensor, fps: float) -> Video:
    """Return a clip (1, 3, F, H, W) in -1..1 as pictures of 8 bits.

    Raises:
        UserError: if a value is NaN.
    """
    if not clip.isfinite().all():
        raise UserError("the model made no picture but infinite values; lower its guidance")
    levels = ((clip[0].float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return Video(levels.permute(1, 2, 3, 0).contiguous().numpy(), fps)


def noised(x: Tensor, s: float, noise: Tensor) -> Tensor:
    """Return alpha(s) x + sigma(s) noise: `x` itself at s = 0, `noise` itself at s = 1."""
    return add_noise(x, noise, at(s, x))
