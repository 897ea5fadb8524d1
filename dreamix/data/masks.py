"""Subject masks from files: a folder of PNG images, as DAVIS has, or a black and white clip."""

from pathlib import Path

import numpy as np
from PIL import Image

from dreamix.core.errors import UserError
from dreamix.core.media import read_video
from dreamix.core.media_images import frame_files

THRESHOLD = 127  # In a clip: compression blurs black and white into greys, so cut half way.


def read_masks(path: Path) -> np.ndarray:
    """Return the subject of every frame, bool (frames, height, width).

    A folder holds one PNG a frame, in the order of their numbers. In a palette image (DAVIS) every index
    but 0 is the subject, whatever colour the palette gives it; in any other image every pixel
    that is not black. A file is decoded as a clip, and a pixel brighter than mid-grey counts.
    """
    if not path.is_dir():
        return np.asarray(read_video(path).frames.mean(axis=-1) > THRESHOLD)
    masks = [_read_mask(file) for file in mask_files(path)]
    if len({mask.shape for mask in masks}) > 1:
        raise UserError(f"the masks in {path} have different sizes; they must all match the video")
    return np.stack(masks)


def mask_files(folder: Path) -> list[Path]:
    """Return the masks of a folder, in the order of the frames that they belong to.

    Anything but PNG is a `UserError`: JPEG blurs the edge, and its black is not quite black.
    """
    files = frame_files(folder)
    for file in files:
        if file.suffix.lower() != ".png":
            raise UserError(f"{file} is no mask: a folder of masks holds PNG images only")
    return files


def _read_mask(file: Path) -> np.ndarray:
    try:
        with Image.open(file) as image:
            bands, pixels = image.getbands(), np.asarray(image)
    except OSError as error:
        raise UserError(f"cannot read the mask {file}: {error}") from None
    if pixels.ndim == 2:
        return np.asarray(pixels != 0)
    colours = [band for band, name in enumerate(bands) if name != "A"]  # Opaque is not "subject".
    return np.asarray(pixels[..., colours].any(axis=-1))
