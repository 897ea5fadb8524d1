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

KINDS = (
    "a clip is a Video, a file, a list of pictures, an array (frames, height, width, 3) or "
    "a tensor (frames, 3, height, width)"
)


def pictures_of(video: object) -> list[Image.Image]:
    """Return the frames of a clip: a `Video`, a file, pictures, or an array or tensor of them.

    Arrays are (frames, height, width, 3), tensors (frames, 3, height, width) as diffusers has them
    or in the order of arrays; both hold uint8, or floats in 0..1. A list of arrays or of tensors,
    one a frame, will do as well.

    Raises:
        UserError: for NaN, infinite values and other types.
    """
    if isinstance(video, str | Path):
        video = read_video(Path(video))
    if isinstance(video, Video):
        video = video.frames
    if isinstance(video, Sequence) and video and all(isinstance(f, Image.Image) for f in video):
        return _alike([frame.convert("RGB") for frame in video])
    return [Image.fromarray(frame) for frame in _levels(_array(video))]


def _alike(pictures: list[Image.Image]) -> list[Image.Image]:
    sizes = {picture.size for picture in pictures}
    if len(sizes) > 1:
        raise UserError(f"frames of a clip have one size, not {len(sizes)}")
    return pictures


def _array(video: object) -> np.ndarray[Any, Any]:
    """Return frames as one array, (frames, height, width, 3), in the type they came in."""
    if isinstance(video, Sequence) and video and all(isinstance(f, Tensor) for f in video):
        if len({frame.shape for frame in video}) > 1:
            raise UserError("frames of a clip have one size, not several")
        video = torch.stack([frame.detach().cpu() for frame in video])
    if isinstance(video, Tensor):
        return _array_of_tensor(video)
    try:
        frames = np.asarray(video)
    except (TypeError, ValueError):  # frames of several sizes, or things that are no frames
        raise UserError(KINDS) from None
    return _checked(frames)


def _array_of_tensor(video: Tensor) -> np.ndarray[Any, Any]:
    """Return a tensor's frames, channels last; uint8 stays uint8, floats become single precision.

    Of a tensor (frames, 3, height, 3) the second axis is the colour's.
    """
    frames = video.detach().cpu()
    frames = frames.float() if frames.is_floating_point() else frames
    if frames.ndim == 4 and frames.shape[1] == 3:
        frames = frames.movedim(1, -1)
    return _checked(frames.numpy())


def _checked(frames: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return frames, (F, H, W, 3); another shape is a `UserError` that names it."""
    if frames.dtype == object or frames.ndim == 0:
        raise UserError(KINDS)
    if frames.ndim != 4 or frames.shape[-1] != 3 or not frames.size:
        raise UserError(f"{KINDS}; this one has the shape {tuple(frames.shape)}")
    return frames


def _levels(frames: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return frames of 8 bits."""
    if frames.dtype == np.uint8:
        return frames
    if not np.issubdtype(frames.dtype, np.floating):
        raise UserError(f"arrays of frames are uint8, or floats in 0..1, not {frames.dtype}")
    if not np.isfinite(frames).all():
        first = int(np.argmin(np.isfinite(frames).all(axis=(1, 2, 3))))
        raise UserError(f"frame {first} of the clip holds NaN or infinite values")
    if frames.min() < 0 or frames.max() > 1:
        low, high = float(frames.min()), float(frames.max())
        raise UserError(
            f"arrays of frames are uint8, or floats in 0..1; these are {frames.dtype} in "
            f"{low:g}..{high:g}"
        )
    wide = frames.astype(np.float32) if frames.dtype.itemsize < 4 else frames
    return (wide * 255).round().astype(np.uint8)


def size_asked(asked: tuple[int | None, int | None], near: tuple[int, int]) -> tuple[int, int]:
    """Return height and width: those that were asked for, and `near` for what is None."""
    height, width = (n if given is None else given for given, n in zip(asked, near, strict=True))
    return height, width


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
