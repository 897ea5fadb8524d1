"""Subject masks from files: a folder of PNG images, as DAVIS has, or a black and white clip."""

from pathlib import Path

import numpy as np
from PIL import Image

from dreamix.core.errors import UserError
from dreamix.core.media import check_clip_size, read_video
from dreamix.core.media_images import decoded_picture, mask_files

THRESHOLD = 127  # In a clip: compression blurs black and white into greys, so cut half way.


def read_masks(path: Path) -> np.ndarray:
    """Return the subject of every frame, bool (frames, height, width).

    A folder holds one PNG a frame, in the order of their numbers. In a palette image (DAVIS) the
    subject is every index but 0, whatever colour the palette gives it; in any other image it is
    every pixel that is not black. In a clip it is every pixel brighter than mid-grey.
    """
    files = mask_files(path)
    check_clip_size(path)
    if files is None:
        return np.stack([frame.mean(axis=-1) > THRESHOLD for frame in read_video(path).frames])
    masks = [_read_mask(file) for file in files]
    if len({mask.shape for mask in masks}) > 1:
        raise UserError(f"the masks in {path} have different sizes; they must all match the video")
    return np.stack(masks)


def _read_mask(file: Path) -> np.ndarray:
    decoded_picture(file)  # Raises for damaged pixels, which PIL overlooks.
    with Image.open(file) as image:  # Gives a palette image as its indices.
        bands, pixels = image.getbands(), np.asarray(image)
    if pixels.ndim == 2:
        return np.asarray(pixels != 0)
    colours = [band for band, name in enumerate(bands) if name != "A"]  # Opaque is not "subject".
    return np.asarray(pixels[..., colours].any(axis=-1))
