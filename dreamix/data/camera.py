"""A clip from a still image: what a moving camera would see of it, were it a flat picture.

Dreamix's image-to-video begins with such a coarse clip: "duplicate the image and apply perspective
transforms" (Molad et al. 2023, project page). How far the camera moves is ours to choose.

In coordinates about the middle of the picture, y = 0..1 the share of the clip that has passed, and
a the amount, a picture point p is seen at

    zoom   (1 + a)^y p, or its inverse      pan    p + a y (width, 0) or (0, height)
    turn   K R(a y) K^-1 p                  a in radians, K of a lens as long as the picture is wide

A camera that pans or turns to the left sees the world move to the right.
"""

from collections.abc import Callable

import cv2
import numpy as np

from dreamix.core.errors import UserError
from dreamix.core.names import near_misses

FILLS = {
    "replicate": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT_101,
    "white": cv2.BORDER_CONSTANT,  # as in the paper's figure
}
WHITE = (255.0, 255.0, 255.0)
Map = np.ndarray  # float (3, 3): picture to view, homogeneous, about the middle
Move = Callable[[float, float, int, int], Map]  # (amount, share passed, width, height)


def _zoom(way: int) -> Move:
    return lambda amount, share, *_: np.diag([(1 + amount) ** (way * share)] * 2 + [1.0])


def _pan(right: int, down: int) -> Move:
    def move(amount: float, share: float, width: int, height: int) -> Map:
        shifted = np.eye(3)
        shifted[:2, 2] = amount * share * np.array([right * width, down * height])
        return shifted

    return move


def _turn(right: int, down: int) -> Move:
    def move(amount: float, share: float, width: int, height: int) -> Map:
        lens = np.diag([width, width, 1.0])
        turned, _ = cv2.Rodrigues(amount * share * np.array([-down, right, 0.0]))
        return np.asarray(lens @ turned @ np.linalg.inv(lens))

    return move


CAMERAS: dict[str, Move] = {
    "none": lambda *_: np.eye(3),
    "zoom-in": _zoom(1),
    "zoom-out": _zoom(-1),
    "pan-left": _pan(1, 0),
    "pan-right": _pan(-1, 0),
    "pan-up": _pan(0, 1),
    "pan-down": _pan(0, -1),
    "turn-left": _turn(1, 0),
    "turn-right": _turn(-1, 0),
    "tilt-up": _turn(0, 1),
    "tilt-down": _turn(0, -1),
}


def moved(
    image: np.ndarray,
    camera: str,
    frames: int,
    *,
    amount: float = 0.3,
    fill: str = "replicate",
) -> np.ndarray:
    """Return what the camera sees, uint8 (frames, height, width, 3); the first is `image` itself.

    image:  uint8 (height, width, 3).
    amount: how far it gets by the last frame: the zoom's factor less 1, the pan's share of the
            picture, the turn's angle in radians; below 1.
    fill:   what lies beyond the picture's edge: replicate, reflect or white.
    Linear interpolation.

    Raises:
        UserError: for unknown words and amounts out of range.
    """
    check_camera(camera, amount, fill)
    height, width = image.shape[:2]
    shares = np.arange(frames) / max(frames - 1, 1)
    views = [CAMERAS[camera](amount, share, width, height) for share in shares]
    return np.stack([seen(image, view, fill) for view in views])


def seen(image: np.ndarray, view: Map, fill: str) -> np.ndarray:
    """Return the picture through one map."""
    if np.array_equal(view, np.eye(3)):
        return image
    height, width = image.shape[:2]
    middle = np.eye(3)
    middle[:2, 2] = (width - 1) / 2, (height - 1) / 2  # pixels are counted at their centres
    whole = middle @ view @ np.linalg.inv(middle)
    return np.asarray(
        cv2.warpPerspective(
            image, whole, (width, height), borderMode=FILLS[fill], borderValue=WHITE
        )
    )


def check_camera(camera: str, amount: float, fill: str) -> None:
    """Raise a `UserError` for a camera, an amount or a fill that there is not."""
    for what, word, known in (("camera", camera, CAMERAS), ("fill", fill, FILLS)):
        if word not in known:
            hint = near_misses(word, list(known))
            raise UserError(f"there is no {what} {word!r}{hint} (known: {', '.join(known)})")
    if not 0 <= amount < 1:
        raise UserError(f"the camera's amount is from 0 to below 1, not {amount:g}")
