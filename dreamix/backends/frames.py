"""Clips as users hand them over, and as pixels of a family: float32 (1, 3, F, H, W) in -1..1."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dreamix.core.errors import UserError
from dreamix.core.media import read_video
from dreamix.core.video import Video


def pictures_of(video: Any) -> list[Image.Image]:
    """Return the frames of a clip: a `Video`, a file, pictures, or an array or tensor of them.

    Arrays are (frames, height, width, 3), of uint8 or of floats in 0..1; tensors are
    (frames, 3, height, width), floats in 0..1, as diffusers has them.
    """
    if isinstance(video, str | Path):
        video = read_video(Path(video))
    if isinstance(video, Video):
        video = video.frames
    if isinstance(video, Tensor):
        video = video.detach().float().cpu().movedim(1, -1).numpy() if video.ndim == 4 else video
    if isinstance(video, Sequence) and video and all(isinstance(f, Image.Image) for f in video):
        return _alike([frame.convert("RGB") for frame in video])
    return [Image.fromarray(frame) for frame in _levels(video)]


def _alike(pictures: list[Image.Image]) -> list[Image.Image]:
    sizes = {picture.size for picture in pictures}
    if len(sizes) > 1:
        raise UserError(f"frames of a clip have one size, not {len(sizes)}")
    return pictures


def _levels(video: Any) -> np.ndarray[Any, Any]:
    """Return frames of 8 bits from an array."""
    try:
        frames = np.asarray(video)
    except (TypeError, ValueError):
        frames = np.empty(0)
    if frames.ndim != 4 or frames.shape[-1] != 3 or not len(frames):
        raise UserError(
            "a clip is a Video, a file, a list of pictures, an array (frames, height, width, 3) or "
            "a tensor (frames, 3, height, width)"
        )
    if frames.dtype == np.uint8:
        return frames
    if not np.issubdtype(frames.dtype, np.floating) or frames.min() < 0 or frames.max() > 1:
        raise UserError("arrays of frames are uint8, or floats in 0..1")
    return (frames * 255).round().astype(np.uint8)


def to_pixels(pictures: list[Image.Image], height: int, width: int) -> Tensor:
    """Return frames, resized where they have another size, with diffusers' own arithmetic."""
    sized = [
        p if p.size == (width, height) else p.resize((width, height), Image.Resampling.LANCZOS)
        for p in pictures
    ]
    levels = np.stack([np.asarray(p) for p in sized]).astype(np.float32) / 255.0
    return 2.0 * torch.from_numpy(levels).permute(3, 0, 1, 2)[None] - 1.0


def lengthened(pixels: Tensor, frames: int) -> Tensor:
    """Return a clip of `frames` frames: the last one stands still."""
    missing = frames - pixels.shape[2]
    if not missing:
        return pixels
    return torch.cat([pixels, pixels[:, :, -1:].expand(-1, -1, missing, -1, -1)], 2)


def nearest_size(picture: Image.Image, multiple: int) -> tuple[int, int]:
    """Return the height and width of multiples that are nearest to a picture's."""
    width, height = (max(1, round(side / multiple)) * multiple for side in picture.size)
    return height, width


def shape_of(source: Video, pixels: float, multiple: int) -> tuple[int, int]:
    """Return the height and width of about so many pixels, in the clip's aspect, of multiples."""
    scale = (pixels / (source.height * source.width)) ** 0.5
    height, width = (
        max(1, round(side * scale / multiple)) * multiple for side in (source.height, source.width)
    )
    return height, width


def resized(frame: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return a picture, uint8 (H, W, 3), at that size."""
    if frame.shape[:2] == (height, width):
        return frame
    return np.asarray(Image.fromarray(frame).resize((width, height), Image.Resampling.LANCZOS))
